package jose

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Object is a JSON object that a stranger wrote, such as the claims of a token: members
// as they were written, no two of one name. Names are compared with case, as
// encoding/json does only with a map.
type Object []Member

// Member is one of an object: its name without quotes and escapes, and its value in JSON
// without space around it.
type Member struct{ Name, Value string }

var errObject = errors.New("not one JSON object in UTF-8 in which every name stands once")

// ParseObject reads JSON that a stranger wrote: one object and nothing behind it, in
// UTF-8, at most 32 deep. An object in which a name stands twice, at any depth, is refused
// (RFC 7519 section 4, RFC 7515 section 4), because somebody else may read the other one;
// so are names that encoding/json takes for the same, such as alg and ALG. How long b may
// be is up to the caller. The error quotes nothing.
func ParseObject(b []byte) (Object, error) {
	if !utf8.Valid(b) || !bytes.HasPrefix(bytes.TrimLeft(b, space), []byte{'{'}) || !json.Valid(b) {
		return nil, errObject
	}
	whole := string(b)
	o := make(Object, 0, min(16, strings.Count(whole, ":")))
	ok := walk(b, func(name, colon, end int) {
		quoted := strings.TrimRight(whole[name:colon], space)
		o = append(o, Member{unquote(quoted), strings.Trim(whole[colon+1:end], space)})
	})
	if !ok {
		return nil, errObject
	}
	return o, nil
}

// unquote reads a JSON string that is valid.
func unquote(quoted string) string {
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	_ = json.Unmarshal([]byte(quoted), &s)
	return s
}

// DecodePart reads an object in base64url: a header or the claims of a token.
func DecodePart(part string) (Object, error) {
	b, err := encoding.DecodeString(part)
	if err != nil || hasLineFeed(part) {
		return nil, errMalformed
	}
	return ParseObject(b)
}

// hasLineFeed: encoding/base64 skips them, so one part would have many spellings.
func hasLineFeed(s string) bool {
	return strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0
}

// Raw returns a member as it was written; "", which is no JSON, if there is none.
func (o Object) Raw(name string) string {
	for i := range o {
		if o[i].Name == name {
			return o[i].Value
		}
	}
	return ""
}

// Has reports whether there is a member, whatever its value.
func (o Object) Has(name string) bool { return o.Raw(name) != "" }

// Text returns a member that is a string, "" if there is none. ok is false if it is
// something else. It is a copy, as those of Texts are: who keeps it does not keep all of
// what the stranger sent.
func (o Object) Text(name string) (s string, ok bool) {
	raw := o.Raw(name)
	if raw == "" {
		return "", true
	}
	if raw[0] != '"' { // null would be one
		return "", false
	}
	return strings.Clone(unquote(raw)), true
}

// Texts returns a member that is a string or an array of them, as aud is (RFC 7519
// section 4.1.3); nil if there is none. ok is false if it is something else.
func (o Object) Texts(name string) (list []string, ok bool) {
	raw := o.Raw(name)
	if raw == "" {
		return nil, true
	}
	if raw[0] == '"' {
		return []string{strings.Clone(unquote(raw))}, true
	}
	var items []json.RawMessage
	if raw[0] != '[' || json.Unmarshal([]byte(raw), &items) != nil {
		return nil, false
	}
	list = make([]string, len(items))
	for i, item := range items {
		if item[0] != '"' {
			return nil, false
		}
		list[i] = unquote(string(item))
	}
	return list, true
}

// Time returns a member that is a NumericDate (RFC 7519 section 2): seconds since 1970,
// a fraction of them allowed, until the year 9999. It is zero if there is none; ok is
// false if it is something else.
func (o Object) Time(name string) (t time.Time, ok bool) {
	const year9999 = 253402300799
	raw := o.Raw(name)
	if raw == "" {
		return time.Time{}, true
	}
	if raw[0] < '0' || raw[0] > '9' {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseFloat(raw, 64)
	if err != nil || seconds > year9999 {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}
