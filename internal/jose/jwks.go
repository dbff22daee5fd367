package jose

import (
	"crypto"
	"encoding/json"
	"errors"
	"slices"
)

const (
	maxJWKS = 256 << 10 // octets
	maxKeys = 100
)

var errNoSet = errors.New("not a JWK Set: an object with the member keys, an array of objects")

// JWK is a public key of somebody else, and what its owner says of its use (RFC 7517
// section 4). Empty members say nothing. It is not altered.
type JWK struct {
	Kid    string
	Alg    string
	Use    string
	KeyOps []string
	Public crypto.PublicKey // *ecdsa.PublicKey, *rsa.PublicKey or ed25519.PublicKey

	algs []string // that it is for
}

// NewJWK returns a key for one algorithm, an error if it does not fit that.
func NewJWK(alg, kid string, public crypto.PublicKey) (JWK, error) {
	if err := Check(alg, public); err != nil {
		return JWK{}, err
	}
	return JWK{Kid: kid, Alg: alg, Public: public, algs: []string{alg}}, nil
}

// Fits reports whether signatures by alg may be verified with the key. A key that has
// an alg verifies by that alone (RFC 8725 section 3.1).
func (k *JWK) Fits(alg string) bool { return slices.Contains(k.algs, alg) }

func (k *JWK) allows(alg string) bool {
	return (k.Alg == "" || k.Alg == alg || isEdDSA(k.Alg) && isEdDSA(alg)) &&
		(k.Use == "" || k.Use == "sig") &&
		(k.KeyOps == nil || slices.Contains(k.KeyOps, "verify")) &&
		Check(alg, k.Public) == nil
}

// isEdDSA: the two are names of one algorithm, with the only curve there is (RFC 9864).
func isEdDSA(alg string) bool { return alg == "EdDSA" || alg == "Ed25519" }

// ParseJWKS returns the keys of a JWK Set (RFC 7517 section 5) that can verify, in its
// order. Those that cannot are left out, as that section wants it: of another type,
// curve, algorithm or use, RSA of fewer than 2048 or more than 8192 bits, points that
// are not on their curve, members that are missing or no such values.
//
// The whole set is refused if it holds a private or symmetric key, which is then known
// to others; if ParseObject refuses it; if it has no member keys, an array of objects;
// and if it has more than 100 keys or 256 KiB. The error contains nothing of it.
func ParseJWKS(b []byte) ([]JWK, error) {
	if len(b) > maxJWKS {
		return nil, errors.New("the JWK Set is larger than 256 KiB")
	}
	set, err := ParseObject(b)
	var list []json.RawMessage
	if err != nil || json.Unmarshal([]byte(set.Raw("keys")), &list) != nil || list == nil {
		return nil, errNoSet
	}
	if len(list) > maxKeys {
		return nil, errors.New("the JWK Set has more than 100 keys")
	}
	var keys []JWK
	for _, raw := range list {
		members, err := ParseObject(raw)
		if err != nil {
			return nil, errNoSet
		}
		if hasSecret(members) {
			return nil, errors.New("the JWK Set has a private or symmetric key, which nobody else may know")
		}
		if key, ok := parseKey(members); ok {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// hasSecret looks for what RFC 7518 section 6 and the types of keys that were
// registered later keep private, whichever type the key says it is.
func hasSecret(members Object) bool {
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if members.Has(name) {
			return true
		}
	}
	kty, _ := members.Text("kty")
	return kty == "oct"
}
