package tokenendpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// BenchmarkIntrospect compares the introspection of an opaque token, kept in memory, and
// of a JWT with handlers written by hand that do the least: parse the form, check a
// SHA-256 secret, find the claims in a map or verify the signature, answer.
func BenchmarkIntrospect(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	client := func(id string, format store.AccessTokenFormat) store.Client {
		return store.Client{
			Metadata:          store.Metadata{ID: id, GrantTypes: []string{"client_credentials"}, Scope: "scope1"},
			Secrets:           []store.Secret{{Hash: store.HashSecret("secret")}},
			AccessTokenFormat: format,
		}
	}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:  "https://shop.example",
		Clients: memory.NewClients(client("opaque", store.AccessTokenOpaque), client("jwt", store.AccessTokenJWT)),
		Scopes:  memory.NewScopes(store.Scope{Name: "scope1", Resources: []string{"https://api.example"}}),
		Keys:    tokenendpoint.StaticKeys{{ID: "1", Alg: tokenendpoint.ES256, Signer: key}},
		Grants:  []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Records: new(memory.Grants),
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	endpoint.Mount(mux)
	for _, id := range []string{"opaque", "jwt"} {
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, benchmarkForm("/connect/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {"secret"}}.Encode()))
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.AccessToken == "" {
			b.Fatal(w.Body)
		}
		body := url.Values{"client_id": {id}, "client_secret": {"secret"}, "token": {answer.AccessToken}}.Encode()
		b.Run(id+"/ServeHTTP", func(b *testing.B) { benchmarkIntrospection(b, mux, body) })
		b.Run(id+"/ByHand", func(b *testing.B) { benchmarkIntrospection(b, introspectByHand(key, answer.AccessToken), body) })
	}
}

func benchmarkForm(path, body string) *http.Request {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func benchmarkIntrospection(b *testing.B, handler http.Handler, body string) {
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, benchmarkForm("/connect/introspect", body))
		if !strings.Contains(w.Body.String(), `"active":true`) {
			b.Fatal(w.Body)
		}
	}
}

func introspectByHand(key *ecdsa.PrivateKey, opaque string) http.HandlerFunc {
	var mu sync.Mutex
	want := sha256.Sum256([]byte("secret"))
	now := time.Now().Unix()
	kept := map[[32]byte]handClaims{
		sha256.Sum256([]byte(opaque)): {"https://shop.example", "opaque", "https://api.example", "opaque", now + 3600, now, now, "1", "scope1"},
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, "", http.StatusBadRequest)
			return
		}
		got := sha256.Sum256([]byte(r.PostForm.Get("client_secret")))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		token := r.PostForm.Get("token")
		var claims handClaims
		if parts := strings.Split(token, "."); len(parts) == 3 {
			payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
			signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
			sum := sha256.Sum256([]byte(token[:strings.LastIndex(token, ".")]))
			if !ecdsa.Verify(&key.PublicKey, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) || json.Unmarshal(payload, &claims) != nil {
				http.Error(w, "", http.StatusInternalServerError)
				return
			}
		} else {
			mu.Lock()
			claims = kept[sha256.Sum256([]byte(token))]
			mu.Unlock()
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(struct {
			Active bool `json:"active"`
			handClaims
			TokenType string `json:"token_type"`
		}{claims.Exp > time.Now().Unix(), claims, "Bearer"})
	}
}
