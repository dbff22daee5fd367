package jose

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
)

const maxDepth = 32

const space = " \t\r\n" // between the tokens of JSON

// walk reports whether no name stands twice in an object of b, which is a valid JSON
// object, and nothing is too deep; a [json.Decoder] would do, several times as slowly. It
// tells found of the members of the outermost object: b from name to end is such as
// "iss":"x", of which the name ends before colon.
func walk(b []byte, found func(name, colon, end int)) bool {
	open := names{in: b}
	name, colon := 0, 0 // of the last member of the outermost object, 0 before the first
	for i := 0; i < len(b); i++ {
		c := b[i]
		if colon > 0 && open.depth == 1 && (c == ',' || c == '}') {
			found(name, colon, i)
		}
		switch c {
		case '{', '[':
			if open.depth == maxDepth {
				return false
			}
			open.begin()
		case '}', ']':
			open.end()
		case '"':
			start := i
			i = endOfString(b, i)
			after := i + 1
			for after < len(b) && isSpace(b[after]) {
				after++
			}
			if after == len(b) || b[after] != ':' {
				continue // it is a value
			}
			if !open.add(start, i+1) {
				return false
			}
			if open.depth == 1 {
				name, colon = start, after
			}
			i = after
		}
	}
	return true
}

// endOfString returns where the string that begins at i has its other quote.
func endOfString(b []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(b[i:], '"')
		escapes := 0
		for b[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// names are those of the objects that are open: a few in a list, many in maps.
type names struct {
	in     []byte
	depth  int
	within [maxDepth]object
	few    [fewNames]struct{ start, end int } // of names without capitals and escapes
	used   int                                // of few
}

// object is one that is open. Its names are in few from a place on, or in many.
type object struct {
	from int
	many map[string]bool
}

const fewNames = 24

func (n *names) begin() {
	n.within[n.depth] = object{from: n.used}
	n.depth++
}

func (n *names) end() {
	n.depth--
	n.used = n.within[n.depth].from
}

// add reports whether the name that is quoted from start to end is not there yet in the
// innermost object.
func (n *names) add(start, end int) bool {
	quoted, in := n.in[start:end], &n.within[n.depth-1]
	few := n.few[in.from:n.used]
	if in.many == nil && n.used < fewNames && isPlain(quoted) {
		for _, other := range few {
			if bytes.Equal(n.in[other.start:other.end], quoted) {
				return false
			}
		}
		n.few[n.used].start, n.few[n.used].end = start, end
		n.used++
		return true
	}
	if in.many == nil {
		in.many = make(map[string]bool)
		for _, other := range few {
			in.many[folded(n.in[other.start:other.end])] = true
		}
	}
	name := folded(quoted)
	if in.many[name] {
		return false
	}
	in.many[name] = true
	return true
}

// isPlain reports whether folded changes nothing of a name.
func isPlain(quoted []byte) bool {
	for _, c := range quoted {
		if c >= 0x80 || c == '\\' || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// folded returns the same for all names that encoding/json takes for the same.
func folded(quoted []byte) string {
	name := string(quoted[1 : len(quoted)-1])
	if bytes.IndexByte(quoted, '\\') >= 0 {
		_ = json.Unmarshal(quoted, &name) // it is valid
	}
	return strings.Map(fold, name)
}

// fold returns the same for all the runes that [strings.EqualFold] takes for the same,
// and letters of ASCII in lower case, as which most names are written.
func fold(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r
	}
	for {
		next := unicode.SimpleFold(r)
		if 'A' <= next && next <= 'Z' {
			return next - 'A' + 'a'
		}
		if next <= r {
			return next // the least of them
		}
		r = next
	}
}
