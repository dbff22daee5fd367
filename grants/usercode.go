package grants

import (
	"crypto/rand"
	"strings"
	"unicode"
)

// userCodeLetters have no vowels, which make words, and no digits (RFC 8628 section
// 6.1): 20 letters, so that eight are 34 bits.
const (
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8
)

// newUserCode returns eight letters at random.
func newUserCode() string {
	code := make([]byte, 0, userCodeLength)
	for random := make([]byte, 16); len(code) < userCodeLength; {
		rand.Read(random)
		for _, b := range random {
			// 240 is the largest multiple of 20: no letter is likelier than another.
			if b < 240 && len(code) < userCodeLength {
				code = append(code, userCodeLetters[b%20])
			}
		}
	}
	return string(code)
}

// FormatUserCode writes a user code as people are shown it, WDJB-MJHT, however they
// typed it. Empty if it is none.
func FormatUserCode(typed string) string {
	code, ok := parseUserCode(typed)
	if !ok {
		return ""
	}
	return code[:userCodeLength/2] + "-" + code[userCodeLength/2:]
}

// parseUserCode reads what a person typed: in any case, with spaces and punctuation
// wherever they fell. Letters of other alphabets are no letters of a code, however
// alike they look.
func parseUserCode(typed string) (code string, ok bool) {
	if len(typed) > 64 {
		return "", false
	}
	var b strings.Builder
	for _, r := range typed {
		if 'a' <= r && r <= 'z' {
			r += 'A' - 'a'
		}
		switch {
		case strings.ContainsRune(userCodeLetters, r):
			b.WriteRune(r)
		case unicode.IsSpace(r), unicode.IsPunct(r):
		default:
			return "", false
		}
	}
	return b.String(), b.Len() == userCodeLength
}
