package issuerkeys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

var errDown = errors.New("nobody answers")

// key is one of the issuer's.
type key struct {
	kid     string
	private *ecdsa.PrivateKey
}

func newKey(kid string) key {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key{kid, private}
}

// token is one that the key signed, and names under a kid.
func (k key) token(kid string) *jose.Token {
	signer, err := jose.NewSigner("ES256", kid, "at+jwt", k.private)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign([]byte(`{"sub":"token-secret"}`))
	if err != nil {
		panic(err)
	}
	t, err := jose.Parse(signed)
	if err != nil {
		panic(err)
	}
	return t
}

func setOf(keys ...key) string {
	var members []string
	for _, k := range keys {
		member, err := jose.PublicJWK("ES256", k.kid, &k.private.PublicKey)
		if err != nil {
			panic(err)
		}
		members = append(members, string(member))
	}
	return `{"keys":[` + strings.Join(members, ",") + `]}`
}

// issuer is one in this process.
type issuer struct {
	mu    sync.Mutex
	jwks  string
	err   error
	hangs bool
	asked int
}

func (i *issuer) JWKS(ctx context.Context) ([]byte, error) {
	i.mu.Lock()
	i.asked++
	jwks, err, hangs := i.jwks, i.err, i.hangs
	i.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return []byte(jwks), err
}

func (i *issuer) publish(keys ...key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.jwks, i.err, i.hangs = setOf(keys...), nil, false
}

func (i *issuer) fail(err error, hangs bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.err, i.hangs = err, hangs
}

func (i *issuer) have(t *testing.T, want int, when string) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.asked != want {
		t.Errorf("%s: the issuer was asked %d times, want %d", when, i.asked, want)
	}
}

func connect(keys ...key) (*Set, *issuer) {
	i := new(issuer)
	i.publish(keys...)
	return &Set{Issuer: "https://issuer.example", JWKS: i.JWKS}, i
}

// verdict fails unless Verify has one.
func verdict(t *testing.T, s *Set, token *jose.Token, want bool) {
	t.Helper()
	if ok, err := s.Verify(t.Context(), token); ok != want || err != nil {
		t.Errorf("kid %q: %t, %v, want %t", token.Kid, ok, err, want)
	}
}

// outage fails unless Verify has no verdict, and says nothing that is none of the log's
// business.
func outage(t *testing.T, s *Set, token *jose.Token) error {
	t.Helper()
	ok, err := s.Verify(t.Context(), token)
	if ok || err == nil {
		t.Errorf("kid %q: %t, %v, want an outage", token.Kid, ok, err)
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("%v quotes what is not its own", err)
	}
	return err
}
