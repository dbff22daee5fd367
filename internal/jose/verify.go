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

var errMalformed = errors.New("not a token in JWS compact serialisation")

// ParseHeader reads the header of a token.
func ParseHeader(token string) (Header, error) {
	first, _, _ := strings.Cut(token, ".")
	decoded, err := encoding.DecodeString(first)
	var h Header
	if err != nil || strings.ContainsAny(first, "\r\n") || json.Unmarshal(decoded, &h) != nil {
		return Header{}, errMalformed
	}
	return h, nil
}

// Verify returns the claims of a token that was signed by alg with the private key
// of public. What the token's own header says counts only in so far as it must agree
// (RFC 8725 section 3.1); extensions that must be understood are not (RFC 7515 section
// 4.1.11).
func Verify(alg string, public crypto.PublicKey, token string) ([]byte, error) {
	if err := Check(alg, public); err != nil {
		return nil, err
	}
	header, err := ParseHeader(token)
	if err != nil {
		return nil, err
	}
	if header.Alg != alg || header.Crit != nil {
		return nil, fmt.Errorf("the token is not signed by %s alone", alg)
	}
	signed, last, _ := cutLast(token, ".")
	_, middle, ok := strings.Cut(signed, ".")
	claims, errClaims := encoding.DecodeString(middle)
	signature, errSignature := encoding.DecodeString(last)
	if !ok || errClaims != nil || errSignature != nil || strings.ContainsAny(token, "\r\n") {
		return nil, errMalformed
	}
	verifier, err := jws.NewVerifier(algorithms[alg].jwa)
	if err != nil {
		return nil, err
	}
	if verifier.Verify([]byte(signed), signature, public) != nil {
		return nil, errors.New("the signature is not right")
	}
	return claims, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
