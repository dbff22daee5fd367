package jose_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

var hmacs = map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512}

var secret = []byte("a secret of sixty-four octets, as many as the longest hash has..")

func mac(hash crypto.Hash, secret []byte, header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	h := hmac.New(hash.New, secret)
	h.Write([]byte(signed))
	return signed + "." + encode(h.Sum(nil))
}

// verifyHMAC returns the claims of a token that is right.
func verifyHMAC(alg string, secret []byte, token string) ([]byte, error) {
	t, err := jose.Parse(token)
	if err != nil {
		return nil, err
	}
	if err := t.VerifyHMAC(alg, secret); err != nil {
		return nil, err
	}
	return t.Payload, nil
}

func TestVerifyHMACAcceptsWhatWasAuthenticated(t *testing.T) {
	for alg, hash := range hmacs {
		for _, secret := range [][]byte{secret[:hash.Size()], secret, bytes.Repeat(secret, 4)} {
			token := mac(hash, secret, `{"typ":"JWT","alg":"`+alg+`"}`, someClaims)
			if claims, err := verifyHMAC(alg, secret, token); err != nil || string(claims) != someClaims {
				t.Errorf("%s with %d octets: %s, %v", alg, len(secret), claims, err)
			}
		}
	}
}

// The example of RFC 7515 appendix A.1.
func TestVerifyHMACAcceptsTheExample(t *testing.T) {
	secret, err := base64.RawURLEncoding.DecodeString("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	if err != nil {
		t.Fatal(err)
	}
	claims, err := verifyHMAC("HS256", secret, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."+
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."+
		"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
	if err != nil || !strings.HasPrefix(string(claims), `{"iss":"joe"`) {
		t.Errorf("%s, %v", claims, err)
	}
}

func TestVerifyHMACRefuses(t *testing.T) {
	refused := func(t *testing.T, alg string, secret []byte, token string) {
		t.Helper()
		claims, err := verifyHMAC(alg, secret, token)
		if err == nil || claims != nil {
			t.Errorf("%s accepts %.100q: %s", alg, token, claims)
		} else if len(secret) > 8 && strings.Contains(err.Error(), string(secret)) || len(token) > 30 && strings.Contains(err.Error(), token) {
			t.Errorf("the secret or the token is in the error %v", err)
		}
	}
	for alg, hash := range hmacs {
		header := `{"alg":"` + alg + `"}`
		token := mac(hash, secret, header, someClaims)
		t.Run(alg+" with a secret shorter than the hash", func(t *testing.T) {
			for _, short := range [][]byte{nil, secret[:1], secret[:hash.Size()-1]} {
				refused(t, alg, short, mac(hash, short, header, someClaims))
			}
		})
		t.Run(alg+" with another secret", func(t *testing.T) {
			refused(t, alg, append([]byte("x"), secret...), token)
		})
		t.Run(alg+" of a header that says another, or more", func(t *testing.T) {
			for _, header := range []string{`{}`, `{"alg":"none"}`, `{"alg":"ES256"}`, `{"alg":"hs256"}`, `{"alg":"` + alg + `","crit":["x"],"x":1}`, `{"alg":"` + alg + `","alg":"` + alg + `"}`} {
				refused(t, alg, secret, mac(hash, secret, header, someClaims))
			}
		})
		t.Run(alg+" of something altered or cut", func(t *testing.T) {
			for i := range token {
				altered := []byte(token)
				if altered[i] = 'A'; token[i] == 'A' {
					altered[i] = 'Q'
				}
				refused(t, alg, secret, string(altered))
			}
			last := strings.LastIndex(token, ".")
			for _, other := range []string{"", "..", token[:last], token[:last+1], token[:len(token)-4], token + ".", token + "=", token + "\n"} {
				refused(t, alg, secret, other)
			}
		})
		t.Run(alg+" under another name", func(t *testing.T) {
			for other, otherHash := range hmacs {
				if other != alg {
					refused(t, other, secret, token)
					refused(t, alg, secret, mac(otherHash, secret, header, someClaims))
				}
			}
		})
	}
	t.Run("an algorithm of public keys, or none", func(t *testing.T) {
		for _, alg := range []string{"", "none", "ES256", "RS256", "EdDSA", "hs256", "HS1"} {
			refused(t, alg, secret, mac(crypto.SHA256, secret, `{"alg":"`+alg+`"}`, someClaims))
		}
	})
}

// X-JOSE-02: what a public key looks like to others is no secret to Verify.
func TestAPublicKeyIsNoSecret(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
		public := keys()[alg].Public()
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		jwk, err := jose.PublicJWK(alg, "1", public)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range [][]byte{der, jwk, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})} {
			token := mac(crypto.SHA256, secret, `{"alg":"HS256"}`, someClaims)
			for _, as := range []string{alg, "HS256"} {
				if claims, err := jose.Verify(as, public, token); err == nil {
					t.Errorf("%s: %s", as, claims)
				}
			}
		}
	}
}
