package tokenendpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// BenchmarkPrivateKeyJWT compares client_credentials with an assertion by ES256 with
// what cannot be done without: one verification and one signature (Raw), and these in a
// handler written by hand that reads the form and the two JSON objects (ByHand).
func BenchmarkPrivateKeyJWT(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	client := asserter{id: "client1", alg: "ES256", kid: "1", signer: key}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: assertionIssuer,
		Clients: memory.NewClients(store.Client{Metadata: store.Metadata{
			ID: "client1", GrantTypes: []string{"client_credentials"}, Scope: "scope1",
			TokenEndpointAuthMethod: store.PrivateKeyJWT, JWKS: json.RawMessage(client.jwks()),
		}}),
		Scopes:  memory.NewScopes(store.Scope{Name: "scope1", Resources: []string{"https://api.example"}}),
		Keys:    tokenendpoint.StaticKeys{{ID: "1", Alg: tokenendpoint.ES256, Signer: key}},
		Grants:  []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Replays: new(memory.Replays),
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now:     func() time.Time { return keysStart },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("ServeHTTP", func(b *testing.B) { benchmarkAssertions(b, endpoint, client) })
	b.Run("ByHand", func(b *testing.B) { benchmarkAssertions(b, assertionByHand(b, key), client) })
	b.Run("Raw", func(b *testing.B) {
		signed := []byte("signed")
		signature := client.signature("signed")
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		b.ReportAllocs()
		for b.Loop() {
			sum := sha256.Sum256(signed)
			if !ecdsa.Verify(&key.PublicKey, sum[:], r, s) {
				b.Fatal("the signature is wrong")
			}
			if _, err := ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchmarkAssertions makes the assertions, each of which is good for once, beforehand.
func benchmarkAssertions(b *testing.B, handler http.Handler, client asserter) {
	bodies := make([]string, b.N)
	for i := range bodies {
		bodies[i] = url.Values{
			"grant_type": {"client_credentials"}, "scope": {"scope1"},
			"client_assertion_type": {assertionType}, "client_assertion": {client.token()},
		}.Encode()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		r := httptest.NewRequest("POST", "/connect/token", strings.NewReader(bodies[i]))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}

// assertionByHand checks no more than the signature, and then does what byHand does.
func assertionByHand(b *testing.B, key *ecdsa.PrivateKey) http.HandlerFunc {
	issue := byHand(key)
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			b.Fatal(err)
		}
		token := r.PostForm.Get("client_assertion")
		parts := strings.Split(token, ".")
		var header struct{ Alg, Kid string }
		var claims struct {
			Iss, Sub, Aud, Jti string
			Exp, Iat           float64
		}
		for i, v := range []any{&header, &claims} {
			decoded, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err != nil || json.Unmarshal(decoded, v) != nil {
				b.Fatal("no JWT")
			}
		}
		signature, err := base64.RawURLEncoding.DecodeString(parts[2])
		sum := sha256.Sum256([]byte(token[:strings.LastIndex(token, ".")]))
		if err != nil || !ecdsa.Verify(&key.PublicKey, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
			b.Fatal("the signature is wrong")
		}
		r.PostForm.Set("client_id", claims.Sub)
		r.PostForm.Set("client_secret", "secret")
		issue(w, r)
	}
}
