package jose_test

import (
	"crypto"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

// padded is a header for ES256 of n octets.
func padded(n int) string {
	const rest = `{"alg":"ES256","x":""}`
	return `{"alg":"ES256","x":"` + strings.Repeat("x", n-len(rest)) + `"}`
}

func TestAHeaderHas4KiBAtMost(t *testing.T) {
	for n, taken := range map[int]bool{4096: true, 4097: false, 40_000: false} {
		token := signedBy(t, "ES256", padded(n), someClaims)
		if _, err := jose.Parse(token); (err == nil) != taken {
			t.Errorf("Parse of %d octets: %v, want it taken: %t", n, err, taken)
		}
		if _, err := jose.Verify("ES256", keys()["ES256"].Public(), token); (err == nil) != taken {
			t.Errorf("Verify with a header of %d octets: %v, want it taken: %t", n, err, taken)
		}
	}
}

func TestATokenHas64KiBAtMost(t *testing.T) {
	for claims, taken := range map[int]bool{36 << 10: true, 48 << 10: false} {
		body := `{"x":"` + strings.Repeat("x", claims) + `"}`
		token := signedBy(t, "ES256", `{"alg":"ES256"}`, body)
		if got, err := jose.Verify("ES256", keys()["ES256"].Public(), token); (err == nil) != taken || taken && string(got) != body {
			t.Errorf("Verify of %d octets: %v, want it taken: %t", len(token), err, taken)
		}
		token = mac(crypto.SHA256, secret, `{"alg":"HS256"}`, body)
		if got, err := verifyHMAC("HS256", secret, token); (err == nil) != taken || taken && string(got) != body {
			t.Errorf("VerifyHMAC of %d octets: %v, want it taken: %t", len(token), err, taken)
		}
	}
}

// X-JOSE-06: somebody else might read the other one.
func TestAHeaderSaysEverythingOnce(t *testing.T) {
	for _, header := range []string{
		`{"alg":"ES256","alg":"ES256"}`, `{"alg":"none","alg":"ES256"}`, `{"alg":"ES256","x":1,"x":2}`, `{"ALG":"none","alg":"ES256"}`,
		`{"alg":"ES256","jwk":{"kty":"EC","kty":"oct"}}`, `{"alg":"ES256"}{}`, `{"alg":"ES256"} x`, "{\"alg\":\"ES256\",\"x\":\"\xff\"}",
	} {
		token := signedBy(t, "ES256", header, someClaims)
		if h, err := jose.Parse(token); err == nil {
			t.Errorf("Parse of %q: %+v", header, h)
		}
		if _, err := jose.Verify("ES256", keys()["ES256"].Public(), token); err == nil {
			t.Errorf("Verify accepts %q", header)
		}
	}
}

// encoding/base64 skips line feeds, so one header would have many spellings.
func TestAHeaderHasOneSpelling(t *testing.T) {
	if _, err := jose.Parse("eyJhbGciOiJFUzI1NiJ9.e30.AA"); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"eyJhbGciOiJFUzI1NiJ9\n.e30.AA", "eyJhbGci\r\nOiJFUzI1NiJ9.e30.AA", "eyJhbGci\rOiJFUzI1NiJ9.e30.AA", "\neyJhbGciOiJFUzI1NiJ9.e30.AA", "\reyJhbGciOiJFUzI1NiJ9.e30.AA", "eyJhbGciOiJFUzI1NiJ9=.e30.AA", "eyJhbGciOiJFUzI1NiJ9IA==.e30.AA", "eyJhbGciOiJFUzI1NiJ9IB.e30.AA"} {
		if h, err := jose.Parse(token); err == nil {
			t.Errorf("%q: %+v", token, h)
		}
	}
}
