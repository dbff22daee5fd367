package jose

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
)

var encoding = base64.RawURLEncoding.Strict()

var (
	errMalformed = errors.New("not a token in JWS compact serialisation")
	errSignature = errors.New("the signature is not right")
)

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
