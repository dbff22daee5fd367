package middleware_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What the guard adds to the verification of a signature.
func BenchmarkRequireToken(b *testing.B) {
	g := newGate(b, func(g *gate) { g.guard.Logger = slog.New(slog.DiscardHandler) })
	handler := g.guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { g.reached++ }))
	r, w := gateRequest(gateURL, "Authorization", "Bearer "+g.token(nil)), httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(w, r)
	}
	if g.reached != b.N {
		b.Fatalf("%d of %d requests came to the handler: %d %s", g.reached, b.N, w.Code, w.Body)
	}
}

func BenchmarkRequireTokenParallel(b *testing.B) {
	g := newGate(b, func(g *gate) { g.guard.Logger = slog.New(slog.DiscardHandler) })
	handler := g.guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	token := g.token(nil)
	b.RunParallel(func(pb *testing.PB) {
		r, w := gateRequest(gateURL, "Authorization", "Bearer "+token), httptest.NewRecorder()
		for pb.Next() {
			handler.ServeHTTP(w, r)
		}
	})
}

// The two in turns, so that both have the same minutes of a machine that is not quiet.
func BenchmarkRequireTokenBesideVerify(b *testing.B) {
	const turn = 20
	g := newGate(b, func(g *gate) { g.guard.Logger = slog.New(slog.DiscardHandler) })
	handler := g.guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { g.reached++ }))
	token := g.token(nil)
	request, w := gateRequest(gateURL, "Authorization", "Bearer "+token), httptest.NewRecorder()
	last := strings.LastIndex(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(token[last+1:])
	if err != nil {
		b.Fatal(err)
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	var guarded, raw time.Duration
	for b.Loop() {
		start := time.Now()
		for range turn {
			handler.ServeHTTP(w, request)
		}
		guarded += time.Since(start)
		start = time.Now()
		for range turn {
			sum := sha256.Sum256([]byte(token[:last]))
			if !ecdsa.Verify(&g.issuer.key.PublicKey, sum[:], r, s) {
				b.Fatal("it does not verify")
			}
		}
		raw += time.Since(start)
	}
	if g.reached != turn*b.N {
		b.Fatalf("%d of %d requests came to the handler: %d %s", g.reached, turn*b.N, w.Code, w.Body)
	}
	b.ReportMetric(float64(raw.Microseconds())/float64(turn*b.N), "us-raw")
	b.ReportMetric(float64(guarded)/float64(raw), "times-raw")
}
