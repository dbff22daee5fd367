package tokenendpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const benchmarkBody = "grant_type=client_credentials&client_id=client1&client_secret=secret&scope=scope1"

// BenchmarkClientCredentials compares the endpoint with a handler written by
// hand that does the least: parse the form, check a SHA-256 secret, sign.
func BenchmarkClientCredentials(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "client1", GrantTypes: []string{"client_credentials"}, Scope: "scope1"},
			Secrets:  []store.Secret{{Hash: store.HashSecret("secret")}},
		}),
		Scopes: memory.NewScopes(store.Scope{Name: "scope1", Resources: []string{"https://api.example"}}),
		Keys:   tokenendpoint.StaticKeys{{ID: "1", Alg: tokenendpoint.ES256, Signer: key}},
		Grants: []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("ServeHTTP", func(b *testing.B) { benchmarkHandler(b, endpoint) })
	b.Run("ByHand", func(b *testing.B) { benchmarkHandler(b, byHand(key)) })
}

func benchmarkHandler(b *testing.B, handler http.Handler) {
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/connect/token", strings.NewReader(benchmarkBody))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}

func byHand(key *ecdsa.PrivateKey) http.HandlerFunc {
	secrets := map[string][32]byte{"client1": sha256.Sum256([]byte("secret"))}
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"1","typ":"at+jwt"}`)) + "."
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, "", http.StatusBadRequest)
			return
		}
		id := r.PostForm.Get("client_id")
		want, ok := secrets[id]
		got := sha256.Sum256([]byte(r.PostForm.Get("client_secret")))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 || !ok {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		now := time.Now().Unix()
		claims, _ := json.Marshal(handClaims{"https://shop.example", id, "https://api.example", id,
			now + 3600, now, now, uuid.NewString(), r.PostForm.Get("scope")})
		signed := header + base64.RawURLEncoding.EncodeToString(claims)
		sum := sha256.Sum256([]byte(signed))
		der, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
		var point struct{ R, S *big.Int }
		if _, errDER := asn1.Unmarshal(der, &point); err != nil || errDER != nil {
			http.Error(w, "", http.StatusInternalServerError)
			return
		}
		var signature [64]byte
		point.R.FillBytes(signature[:32])
		point.S.FillBytes(signature[32:])
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(handResponse{
			signed + "." + base64.RawURLEncoding.EncodeToString(signature[:]), "Bearer", 3600, r.PostForm.Get("scope"),
		})
	}
}

type handClaims struct {
	Iss      string `json:"iss"`
	Sub      string `json:"sub"`
	Aud      string `json:"aud"`
	ClientID string `json:"client_id"`
	Exp      int64  `json:"exp"`
	Iat      int64  `json:"iat"`
	Nbf      int64  `json:"nbf"`
	Jti      string `json:"jti"`
	Scope    string `json:"scope"`
}

type handResponse struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
}
