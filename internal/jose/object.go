package jose

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Object is a JSON object that a stranger wrote, such as the claims of a token. Its
// names are compared with case, which encoding/json does only with a map. The values are
// parts of what was read, which is not to be altered.
type Object map[string]json.RawMessage

// ParseObject reads an object as DecodeObject does.
func ParseObject(b []byte) (Object, error) {
	if !utf8.Valid(b) || !bytes.HasPrefix(bytes.TrimLeft(b, space), []byte{'{'}) || !json.Valid(b) {
		return nil, errObject
	}
	o, whole := make(Object, min(16, bytes.Count(b, []byte{':'}))), string(b)
	ok := walk(b, func(name, colon, end int) {
		quoted := strings.TrimRight(whole[name:colon], space)
		o[unquote(quoted)] = bytes.Trim(b[colon+1:end], space)
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
	if err != nil || strings.ContainsAny(part, "\r\n") { // which encoding/base64 skips
		return nil, errMalformed
	}
	return ParseObject(b)
}

// Text returns a member that is a string, "" if there is none. ok is false if it is
// something else.
func (o Object) Text(name string) (s string, ok bool) {
	raw, there := o[name]
	if !there {
		return "", true
	}
	if raw[0] != '"' { // null would be one
		return "", false
	}
	return unquote(string(raw)), true
}

// Texts returns a member that is a string or an array of them, as aud is (RFC 7519
// section 4.1.3); nil if there is none. ok is false if it is something else.
func (o Object) Texts(name string) (list []string, ok bool) {
	raw, there := o[name]
	if !there {
		return nil, true
	}
	if raw[0] == '"' {
		s, ok := o.Text(name)
		return []string{s}, ok
	}
	var items []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
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
	raw, there := o[name]
	if !there {
		return time.Time{}, true
	}
	if raw[0] < '0' || raw[0] > '9' {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || seconds > year9999 {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}
