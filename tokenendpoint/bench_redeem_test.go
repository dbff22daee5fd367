package tokenendpoint_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const (
	benchmarkVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	benchmarkChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// BenchmarkRedeem compares the redemption of codes and refresh tokens, kept in
// memory, with a handler written by hand that does the least, and finds and
// replaces what it redeems in a map.
func BenchmarkRedeem(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "client1", GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "scope1",
				RedirectURIs: []string{"https://app.example/cb"}},
			Secrets:       []store.Secret{{Hash: store.HashSecret("secret")}},
			RefreshTokens: store.RefreshTokensAlways, Rotation: store.RotationRotate,
		}),
		Scopes:  memory.NewScopes(store.Scope{Name: "scope1", Resources: []string{"https://api.example"}}),
		Keys:    tokenendpoint.StaticKeys{{ID: "1", Alg: tokenendpoint.ES256, Signer: key}},
		Grants:  []tokenendpoint.GrantValidator{grants.AuthorizationCode{}, grants.RefreshToken{}},
		Records: &memory.Grants{Size: 1 << 30},
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	code := func() string {
		code, err := grants.AuthorizationCode{}.Issue(context.Background(), endpoint, grants.Code{
			Grant:       store.Grant{ClientID: "client1", Subject: "alice"},
			RedirectURI: "https://app.example/cb", CodeChallenge: benchmarkChallenge, CodeChallengeMethod: "S256",
		})
		if err != nil {
			b.Fatal(err)
		}
		return code
	}
	b.Run("Code", func(b *testing.B) {
		codes := make([]string, b.N)
		for i := range codes {
			codes[i] = code()
		}
		b.ReportAllocs()
		b.ResetTimer()
		for i := range b.N {
			benchmarkRedeem(b, endpoint, "authorization_code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&code_verifier="+benchmarkVerifier+"&code="+codes[i])
		}
	})
	b.Run("Refresh", func(b *testing.B) {
		token := benchmarkRedeem(b, endpoint, "authorization_code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&code_verifier="+benchmarkVerifier+"&code="+code())
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			token = benchmarkRedeem(b, endpoint, "refresh_token&refresh_token="+token)
		}
	})
	b.Run("ByHand", func(b *testing.B) {
		records := benchmarkRecords{m: map[string]string{"r": "alice"}}
		handler := byHand(key)
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			r := benchmarkRequest("refresh_token&scope=scope1&refresh_token=" + url.QueryEscape("r"))
			if !records.replace("r") {
				b.Fatal("not found")
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				b.Fatal(w.Body)
			}
			var answer struct {
				Token string `json:"access_token"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				b.Fatal(err)
			}
		}
	})
}

type benchmarkRecords struct {
	mu sync.Mutex
	m  map[string]string
}

func (r *benchmarkRecords) replace(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	value, ok := r.m[key]
	r.m[key] = value
	return ok
}

func benchmarkRequest(grant string) *http.Request {
	r := httptest.NewRequest("POST", "/connect/token", strings.NewReader("client_id=client1&client_secret=secret&grant_type="+grant))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func benchmarkRedeem(b *testing.B, endpoint http.Handler, grant string) (refreshToken string) {
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, benchmarkRequest(grant))
	var answer struct {
		Token string `json:"refresh_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK || answer.Token == "" {
		b.Fatal(w.Body)
	}
	return answer.Token
}
