package jose_test

import (
	"strings"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

// What Verify accepts was signed: the standard library agrees, and one token has one
// spelling.
func FuzzVerify(f *testing.F) {
	token := signedBy(f, "ES256", "", someClaims)
	f.Add(token)
	f.Add(token + ".")
	f.Add(strings.ToLower(token))
	f.Add("e30.e30.e30")
	f.Add("..")
	f.Fuzz(func(t *testing.T, other string) {
		parsed, errParse := jose.Parse(other)
		claims, err := jose.Verify("ES256", keys()["ES256"].Public(), other)
		switch {
		case err == nil && (errParse != nil || parsed.Alg != "ES256" || parsed.Crit || string(claims) != someClaims):
			t.Errorf("%q: %+v, %s", other, parsed, claims)
		case err == nil:
			signed, _, _, signature := parts(t, other)
			if !valid(t, "ES256", keys()["ES256"].Public(), signed, signature) {
				t.Errorf("%q is accepted and not signed", other)
			}
		case claims != nil:
			t.Errorf("%q: claims beside the error %v", other, err)
		}
	})
}
