package jose

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
)

// hmacs has a name of its own, apart from algorithms, so that no public key is ever
// taken for a secret (RFC 8725 section 2.1).
var hmacs = map[string]struct {
	hash func() hash.Hash
	size int // octets
}{
	"HS256": {sha256.New, sha256.Size},
	"HS384": {sha512.New384, sha512.Size384},
	"HS512": {sha512.New, sha512.Size},
}

// VerifyHMAC returns nil if the token was authenticated by alg, one of HS256, HS384 and
// HS512, with a secret of at least as many octets as the hash (RFC 7518 section 3.2).
// Otherwise it is as Verify.
func (t *Token) VerifyHMAC(alg string, secret []byte) error {
	a, ok := hmacs[alg]
	if !ok {
		return fmt.Errorf("algorithm %q is not one of HS256, HS384, HS512", alg)
	}
	if len(secret) < a.size {
		return fmt.Errorf("the secret has fewer octets than %s needs, %d", alg, a.size)
	}
	if err := t.agrees(alg); err != nil {
		return err
	}
	mac := hmac.New(a.hash, secret)
	mac.Write([]byte(t.Signed))
	if !hmac.Equal(mac.Sum(nil), t.signature) {
		return errSignature
	}
	return nil
}
