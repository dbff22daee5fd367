package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"
)

// ecKey reads a key of the folder demo.
func ecKey(t *testing.T, path string) *ecdsa.PrivateKey {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(content)
	if block == nil {
		t.Fatalf("%s is not PEM", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*ecdsa.PrivateKey)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// jwkOf is the public key as a JWK.
func jwkOf(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	return `{"crv":"P-256","kty":"EC","x":"` + base64.RawURLEncoding.EncodeToString(point[1:33]) + `","y":"` + base64.RawURLEncoding.EncodeToString(point[33:]) + `"}`
}

func jwtPart(t *testing.T, part map[string]any) string {
	t.Helper()
	b, err := json.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// signedBy makes a JWT by ES256.
func signedBy(t *testing.T, key *ecdsa.PrivateKey, header, claims map[string]any) string {
	t.Helper()
	header["alg"] = "ES256"
	signed := jwtPart(t, header) + "." + jwtPart(t, claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// macedBy makes a JWT by HS256.
func macedBy(t *testing.T, secret string, claims map[string]any) string {
	t.Helper()
	signed := jwtPart(t, map[string]any{"alg": "HS256"}) + "." + jwtPart(t, claims)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func assertionClaims(clientID, audience string) map[string]any {
	return map[string]any{"iss": clientID, "sub": clientID, "aud": audience, "jti": rand.Text(), "exp": time.Now().Add(time.Minute).Unix()}
}

// assert asks for a token by an assertion.
func (s *tlsShop) assert(assertion string) (int, map[string]any) {
	s.t.Helper()
	return assertBy(s.t, s.client(), s.issuer, assertion)
}

func assertBy(t *testing.T, client *http.Client, issuer, assertion string) (int, map[string]any) {
	t.Helper()
	return postBy(t, client, issuer+"/connect/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"api1"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion}})
}

// 7523-3-03, 7523-3-06, 7523-3-07: an assertion is the client's, for this issuer, and works once.
func TestAnAssertionAuthenticatesItsClientOnce(t *testing.T) {
	shop := startTLS(t, "-store", "memory:")
	key := ecKey(t, shop.file("jwt-key.pem"))
	for name, c := range map[string]struct {
		assertion string
		status    int
	}{
		"jwt signs by its key":                        {signedBy(t, key, map[string]any{}, assertionClaims("jwt", shop.issuer)), http.StatusOK},
		"jwt does not sign by another key":            {signedBy(t, newKey(t), map[string]any{}, assertionClaims("jwt", shop.issuer)), http.StatusUnauthorized},
		"jwt does not sign for the token endpoint":    {signedBy(t, key, map[string]any{}, assertionClaims("jwt", shop.issuer+"/connect/token")), http.StatusUnauthorized},
		"jwt does not sign for another client":        {signedBy(t, key, map[string]any{}, assertionClaims("self-signed", shop.issuer)), http.StatusUnauthorized},
		"secret-jwt computes by its secret":           {macedBy(t, secretOfJWT, assertionClaims("secret-jwt", shop.issuer)), http.StatusOK},
		"secret-jwt does not compute by another one":  {macedBy(t, secretOfJWT+"x", assertionClaims("secret-jwt", shop.issuer)), http.StatusUnauthorized},
		"client1 does not compute, which is not its":  {macedBy(t, secretOfJWT, assertionClaims("client1", shop.issuer)), http.StatusUnauthorized},
		"jwt does not compute by the other's secret":  {macedBy(t, secretOfJWT, assertionClaims("jwt", shop.issuer)), http.StatusUnauthorized},
		"secret-jwt does not sign by the other's key": {signedBy(t, key, map[string]any{}, assertionClaims("secret-jwt", shop.issuer)), http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			status, members := shop.assert(c.assertion)
			if status != c.status || status != http.StatusOK && members["error"] != "invalid_client" {
				t.Errorf("status %d, error %v", status, members["error"])
			}
			if status, members = shop.assert(c.assertion); status != http.StatusUnauthorized || members["error"] != "invalid_client" {
				t.Errorf("the second time: status %d, error %v", status, members["error"])
			}
		})
	}
}

// A store that keeps what users granted keeps what was used, too.
func TestAnAssertionThatWasUsedStaysUsedAfterARestart(t *testing.T) {
	const issuer = "https://127.0.0.1:5001"
	data := t.TempDir()
	shop, end, ended := startTLSIn(t, data, "-issuer", issuer)
	key := ecKey(t, shop.file("jwt-key.pem"))
	assertion := signedBy(t, key, map[string]any{}, assertionClaims("jwt", issuer))
	if status, members := shop.assert(assertion); status != http.StatusOK {
		t.Fatalf("status %d, error %v", status, members["error"])
	}
	end()
	<-ended
	shop, _, _ = startTLSIn(t, data, "-issuer", issuer)
	if status, members := shop.assert(assertion); status != http.StatusUnauthorized || members["error"] != "invalid_client" {
		t.Errorf("the same one: status %d, error %v", status, members["error"])
	}
	if status, members := shop.assert(signedBy(t, key, map[string]any{}, assertionClaims("jwt", issuer))); status != http.StatusOK {
		t.Errorf("a new one by the key of the first start: status %d, error %v", status, members["error"])
	}
}
