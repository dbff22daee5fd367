package jose

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Header is what of a token's header says how to verify it. Nothing of it is
// believed before Verify.
type Header struct {
	Alg  string
	Kid  string
	Typ  string
	Crit bool // there are extensions that must be understood (RFC 7515 section 4.1.11)
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
	if len(first) > encoding.EncodedLen(maxHeader) {
		return Header{}, errMalformed
	}
	members, err := DecodePart(first)
	if err != nil {
		return Header{}, err
	}
	var h Header
	var ok [3]bool
	h.Alg, ok[0] = members.Text("alg")
	h.Kid, ok[1] = members.Text("kid")
	h.Typ, ok[2] = members.Text("typ")
	if ok != [3]bool{true, true, true} {
		return Header{}, errMalformed
	}
	h.Crit = members.Has("crit")
	return h, nil
}

// Token is a token in JWS compact serialisation, taken apart. Nothing of it is believed
// before it is verified.
type Token struct {
	Header
	Payload   []byte
	Signed    string // header and payload, as they were sent
	signature []byte
}

// Parse takes a token of at most 64 KiB apart.
func Parse(token string) (*Token, error) {
	if len(token) > maxToken || hasLineFeed(token) {
		return nil, errMalformed
	}
	header, err := ParseHeader(token)
	if err != nil {
		return nil, err
	}
	signed, last, _ := cutLast(token, ".")
	_, middle, ok := strings.Cut(signed, ".")
	payload, errMiddle := encoding.DecodeString(middle)
	signature, errLast := encoding.DecodeString(last)
	if !ok || errMiddle != nil || errLast != nil {
		return nil, errMalformed
	}
	return &Token{header, payload, signed, signature}, nil
}

// Verify returns the claims of a token that was signed by alg with the private key
// of public. What the token's own header says counts only in so far as it must agree
// (RFC 8725 section 3.1); extensions that must be understood are not (RFC 7515 section
// 4.1.11). A token is at most 64 KiB.
func Verify(alg string, public crypto.PublicKey, token string) ([]byte, error) {
	if err := Check(alg, public); err != nil {
		return nil, err
	}
	t, err := Parse(token)
	if err != nil {
		return nil, err
	}
	if err := t.verify(alg, public); err != nil {
		return nil, err
	}
	return t.Payload, nil
}

// Verify is the function Verify for a token that was taken apart, by the algorithm that
// its header says, which must be one that the key is for.
func (k *JWK) Verify(t *Token) error {
	if !k.Fits(t.Alg) {
		return errors.New("the key is not for the algorithm of the token")
	}
	return t.verify(t.Alg, k.Public)
}

func (t *Token) verify(alg string, public crypto.PublicKey) error {
	if err := t.agrees(alg); err != nil {
		return err
	}
	if !algorithms[alg].verify(public, t.Signed, t.signature) {
		return errSignature
	}
	return nil
}

// agrees returns an error unless alg and nothing else is needed to verify the token.
func (t *Token) agrees(alg string) error {
	if t.Alg != alg || t.Crit {
		return fmt.Errorf("the token is not signed by %s alone", alg)
	}
	return nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
