package jose

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxDepth = 32

var errObject = errors.New("not one JSON object in UTF-8 whose members have the right types and stand in it once each")

// DecodeObject reads JSON that a stranger wrote into v, which is what [json.Unmarshal]
// takes: one object and nothing behind it, in UTF-8, at most 32 deep. An object in
// which a name stands twice, at any depth, is refused (RFC 7519 section 4, RFC 7515
// section 4), because somebody else may read the other one; so are names that
// encoding/json takes for the same, such as alg and ALG. How long b may be is up to
// the caller. After an error, which quotes nothing, v is not to be used.
func DecodeObject(b []byte, v any) error {
	isObject := utf8.Valid(b) && bytes.HasPrefix(bytes.TrimLeft(b, space), []byte{'{'})
	if !isObject || json.Unmarshal(b, v) != nil || !unique(b) {
		return errObject
	}
	return nil
}

const space = " \t\r\n" // between the tokens of JSON

// unique reports whether no name stands twice in an object of b, which is valid JSON,
// and nothing is too deep. A [json.Decoder] would do, several times as slowly.
func unique(b []byte) bool {
	var within []map[string]bool // the names of each object around; those of arrays stay nil
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			if len(within) == maxDepth {
				return false
			}
			within = append(within, nil)
		case '}', ']':
			within = within[:len(within)-1]
		case '"':
			start := i
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if !bytes.HasPrefix(bytes.TrimLeft(b[i+1:], space), []byte{':'}) {
				continue // it is a value
			}
			name, names := folded(b[start:i+1]), &within[len(within)-1]
			if (*names)[name] {
				return false
			}
			if *names == nil {
				*names = make(map[string]bool)
			}
			(*names)[name] = true
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
