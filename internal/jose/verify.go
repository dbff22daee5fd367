package jose

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jws"
)

// Header is what of a token's header says how to verify it. Nothing of it is
// believed before Verify.
type Header struct {
	Alg  string          `json:"alg"`
	Kid  string          `json:"kid"`
	Typ  string          `json:"typ"`
	Crit json.RawMessage `json:"crit"`
}

var encoding = base64.RawURLEncoding.Strict()

var (
	errMalformed = errors.New("not a token in JWS compact serialisation")
	errSignature = errors.New("the signature is not right")
)

const (
	maxToken  = 64 << 10 // octets, as many as a request has
	maxHeader = 4 << 10  // octets, decoded
)

// ParseHeader reads the header of a token: at most 4 KiB, as DecodeObject does.
func ParseHeader(token string) (Header, error) {
	first, _, _ := strings.Cut(token, ".")
	if len(first) > encoding.EncodedLen(maxHeader) || strings.ContainsAny(first, "\r\n") {
		return Header{}, errMalformed
	}
	decoded, err := encoding.DecodeString(first)
	var h Header
	if err != nil || DecodeObject(decoded, &h) != nil {
		return Header{}, errMalformed
	}
	return h, nil
}

// Verify returns the claims of a token that was signed by alg with the private key
// of public. What the token's own header says counts only in so far as it must agree
// (RFC 8725 section 3.1); extensions that must be understood are not (RFC 7515 section
// 4.1.11). A token is at most 64 KiB.
func Verify(alg string, public crypto.PublicKey, token string) ([]byte, error) {
	if err := Check(alg, public); err != nil {
		return nil, err
	}
	t, err := open(alg, token)
	if err != nil {
		return nil, err
	}
	verifier, err := jws.NewVerifier(algorithms[alg].jwa)
	if err != nil {
		return nil, err
	}
	if verifier.Verify([]byte(t.signed), t.signature, public) != nil {
		return nil, errSignature
	}
	return t.claims, nil
}

// opened is a token taken apart, of which nothing is believed yet.
type opened struct {
	signed            string
	claims, signature []byte
}

// open takes a token apart whose header agrees that alg and nothing else is needed to
// verify it.
func open(alg, token string) (opened, error) {
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") { // which encoding/base64 skips
		return opened{}, errMalformed
	}
	header, err := ParseHeader(token)
	if err != nil {
		return opened{}, err
	}
	if header.Alg != alg || header.Crit != nil {
		return opened{}, fmt.Errorf("the token is not signed by %s alone", alg)
	}
	signed, last, _ := cutLast(token, ".")
	_, middle, ok := strings.Cut(signed, ".")
	claims, errMiddle := encoding.DecodeString(middle)
	signature, errLast := encoding.DecodeString(last)
	if !ok || errMiddle != nil || errLast != nil {
		return opened{}, errMalformed
	}
	return opened{signed, claims, signature}, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
