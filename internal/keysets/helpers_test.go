package keysets

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

const (
	here  = "https://client.example/jwks"
	there = "https://slow.example/jwks"
)

var errDown = errors.New("nobody answers")

var public = sync.OnceValue(func() *ecdsa.PublicKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return &key.PublicKey
})

// setOf is a JWK Set with an ES256 key for each kid.
func setOf(kids ...string) string {
	var keys []string
	for _, kid := range kids {
		key, err := jose.PublicJWK("ES256", kid, public())
		if err != nil {
			panic(err)
		}
		keys = append(keys, string(key))
	}
	return `{"keys":[` + strings.Join(keys, ",") + `]}`
}

// web answers instead of the network. What it says is set while no fetch is under way.
type web struct {
	body   string
	maxAge time.Duration
	err    error
	hangs  map[string]bool // URLs that never answer

	mu      sync.Mutex
	fetches map[string]int // by URL
	atOnce  int
	most    int // of atOnce
}

func (w *web) get(ctx context.Context, url string) ([]byte, time.Duration, error) {
	w.mu.Lock()
	w.fetches[url]++
	w.atOnce++
	w.most = max(w.most, w.atOnce)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.atOnce--
		w.mu.Unlock()
	}()
	if w.hangs[url] {
		<-ctx.Done()
		return nil, 0, ctx.Err()
	}
	return []byte(w.body), w.maxAge, w.err
}

// have fails unless there were so many fetches of here.
func (w *web) have(t *testing.T, want int, when string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.fetches[here]; got != want {
		t.Errorf("%s: %d fetches, want %d", when, got, want)
	}
}

// load returns how many fetches are under way, and how many were at most.
func (w *web) load() (atOnce, most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.atOnce, w.most
}

// connect returns a Remote that has the web for a network.
func connect(body string) (*Remote, *web) {
	w := &web{body: body, maxAge: -1, hangs: make(map[string]bool), fetches: make(map[string]int)}
	return &Remote{Get: w.get}, w
}

// find returns the keys of a kid, if it is not empty, that fit an algorithm.
func find(r *Remote, ctx context.Context, url, kid, alg string) (found []jose.JWK, err error) {
	_, err = r.Try(ctx, url, func(keys []jose.JWK) bool {
		for _, key := range keys {
			if (kid == "" || key.Kid == kid) && key.Fits(alg) {
				found = append(found, key)
			}
		}
		return found != nil
	})
	return found, err
}

// finds fails unless the keys that find returns have the kids.
func finds(t *testing.T, r *Remote, kid, alg string, want ...string) {
	t.Helper()
	keys, err := find(r, t.Context(), here, kid, alg)
	var got []string
	for _, key := range keys {
		got = append(got, key.Kid)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Find(%q, %q): %q, %v, want %q", kid, alg, got, err, want)
	}
}

// outage fails unless Find ends with an outage.
func outage(t *testing.T, r *Remote, kid string) {
	t.Helper()
	if keys, err := find(r, t.Context(), here, kid, "ES256"); keys != nil || !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnusable) {
		t.Errorf("Find(%q): %v, %v, want an outage", kid, keys, err)
	}
}
