package proof

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

var encoding = base64.RawURLEncoding.Strict()

// decodePart reads one part of a token: base64url of a JSON object in which
// each name stands once. Names are compared with case, which encoding/json does only
// with a map.
func decodePart(part string) (map[string]json.RawMessage, bool) {
	if strings.ContainsAny(part, "\r\n") { // base64 would skip them
		return nil, false
	}
	raw, err := encoding.DecodeString(part)
	var members map[string]json.RawMessage
	if err != nil || jose.DecodeObject(raw, &members) != nil {
		return nil, false
	}
	return members, true
}

// text reads a JSON string, and nothing else: null is none.
func text(raw json.RawMessage) (string, bool) {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// numericDate reads a NumericDate (RFC 7519 section 2): seconds since 1970, a
// fraction of them allowed, until the year 9999.
func numericDate(raw json.RawMessage) (time.Time, bool) {
	const year9999 = 253402300799
	if len(raw) == 0 || raw[0] < '0' || raw[0] > '9' {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || seconds > year9999 {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}
