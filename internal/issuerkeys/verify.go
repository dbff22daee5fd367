package issuerkeys

import (
	"slices"

	"github.com/grantor-go/grantor/internal/jose"
)

// made reports whether one of the keys made the signature of a token. Sets are small:
// going through them costs less than a map of them, and no allocation.
func made(keys []jose.JWK, t *jose.Token) bool {
	tries := 0
	for i := range keys {
		if !fits(&keys[i], t) {
			continue
		}
		if keys[i].Verify(t) == nil {
			return true
		}
		if tries++; tries == maxTries {
			return false
		}
	}
	return false
}

// fits reports whether the header of a token allows that the key signed it.
func fits(key *jose.JWK, t *jose.Token) bool {
	return (t.Kid == "" || key.Kid == t.Kid) && key.Fits(t.Alg)
}

// knows reports whether there is a key of the name that the token has.
func knows(keys []jose.JWK, kid string) bool {
	return kid != "" && slices.ContainsFunc(keys, func(key jose.JWK) bool { return key.Kid == kid })
}

// same reports whether two sets came from one fetch: they are replaced and not altered.
func same(a, b []jose.JWK) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
