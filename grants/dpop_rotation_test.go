package grants_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// dpopKey is a client's key, which makes proofs for ES256.
type dpopKey struct {
	*ecdsa.PrivateKey
	now   func() time.Time
	count int
}

func newDPoPKey(t *testing.T, now func() time.Time) *dpopKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &dpopKey{PrivateKey: key, now: now}
}

// proof makes a proof for one token request; none if there is no key.
func (k *dpopKey) proof() []string {
	if k == nil {
		return nil
	}
	k.count++
	encode := base64.RawURLEncoding.EncodeToString
	point, err := k.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	header := fmt.Sprintf(`{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"%s","y":"%s"}}`, encode(point[1:33]), encode(point[33:]))
	claims := fmt.Sprintf(`{"jti":"%d","htm":"POST","htu":"https://shop.example/connect/token","iat":%d}`, k.count, k.now().Unix())
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, k.PrivateKey, sum[:])
	if err != nil {
		panic(err)
	}
	return []string{signed + "." + encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))}
}

// dpopService is a service with one client, "app".
type dpopService struct {
	t        *testing.T
	endpoint *tokenendpoint.Endpoint
	clock    *granttest.Clock
	public   bool
}

func newDPoPService(t *testing.T, public bool, rotation store.Rotation, grace time.Duration) *dpopService {
	t.Helper()
	s := &dpopService{t: t, clock: new(granttest.Clock), public: public}
	s.clock.Set(time.Now())
	client := store.Client{
		Metadata:      store.Metadata{ID: "app", GrantTypes: []string{"password", "refresh_token"}, Scope: "read"},
		RefreshTokens: store.RefreshTokensAlways, Rotation: rotation, AuthMethods: []store.AuthMethod{store.NoAuth},
	}
	if !public {
		client.AuthMethods, client.Secrets = nil, []store.Secret{{Hash: store.HashSecret("sesame")}}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s.endpoint, err = tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example", Clients: memory.NewClients(client), Scopes: memory.NewScopes(store.Scope{Name: "read"}),
		Records: new(memory.Grants), Replays: new(memory.Replays), Now: s.clock.Now,
		Keys: tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: key}},
		Grants: []tokenendpoint.GrantValidator{grants.RefreshToken{Grace: grace}, grants.Password{
			Verify: func(context.Context, *tokenendpoint.Request, string, string) (*store.Grant, error) {
				return &store.Grant{Subject: "alice"}, nil
			},
		}},
		Observe: func(context.Context, tokenendpoint.Event) {}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a form and returns the refresh token of the answer, or its error.
func (s *dpopService) ask(key *dpopKey, parameters ...string) (refreshToken, refusal string) {
	s.t.Helper()
	form := url.Values{"client_id": {"app"}}
	if !s.public {
		form.Set("client_secret", "sesame")
	}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "/connect/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header["Dpop"] = key.proof()
	w := httptest.NewRecorder()
	s.endpoint.ServeHTTP(w, r)
	var answer struct {
		RefreshToken string `json:"refresh_token"`
		Error        string `json:"error"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || (answer.RefreshToken == "") == (answer.Error == "") {
		s.t.Fatalf("answered %d %s (%v)", w.Code, w.Body, err)
	}
	return answer.RefreshToken, answer.Error
}

func (s *dpopService) signIn(key *dpopKey) string {
	s.t.Helper()
	token, refusal := s.ask(key, "grant_type", "password", "username", "alice", "password", "sesame")
	if refusal != "" {
		s.t.Fatal(refusal)
	}
	return token
}

func (s *dpopService) refresh(key *dpopKey, token string) (next, refusal string) {
	s.t.Helper()
	return s.ask(key, "grant_type", "refresh_token", "refresh_token", token)
}

// Which refresh tokens are rotated: those of a client that rotates, and those that
// whoever finds them could use (RFC 9700 section 2.2.2).
func TestWhichRefreshTokensAreRotated(t *testing.T) {
	for _, c := range []struct {
		name          string
		public, bound bool
		rotation      store.Rotation
		rotated       bool
	}{
		{"of a public client, bound, is kept", true, true, store.RotationKeep, false},
		{"of a public client, bound, is rotated if it says so", true, true, store.RotationRotate, true},
		{"of a public client, bound, is kept by default", true, true, store.RotationDefault, false},
		{"of a public client, unbound, is rotated by default", true, false, store.RotationDefault, true},
		{"of a confidential client is kept by default", false, true, store.RotationDefault, false},
		{"of a public client, unbound, is rotated", true, false, store.RotationKeep, true},
		{"of a public client, unbound, is rotated if it says so", true, false, store.RotationRotate, true},
		{"of a confidential client that sends proofs is kept", false, true, store.RotationKeep, false},
		{"of a confidential client that sends proofs is rotated if it says so", false, true, store.RotationRotate, true},
		{"of a confidential client is kept", false, false, store.RotationKeep, false},
		{"of a confidential client is rotated if it says so", false, false, store.RotationRotate, true},
	} {
		t.Run("a refresh token "+c.name, func(t *testing.T) {
			s := newDPoPService(t, c.public, c.rotation, 0)
			var key *dpopKey
			if c.bound {
				key = newDPoPKey(t, s.clock.Now)
			}
			last := s.signIn(key)
			for range 3 {
				next, refusal := s.refresh(key, last)
				if refusal != "" || (next != last) != c.rotated {
					t.Fatalf("refused %q, rotated %v, want %v", refusal, next != last, c.rotated)
				}
				last = next
			}
		})
	}
}

// A rotated token that is used again after its grace ends the family, by whomever it is
// used with the key; without it nobody gets anything at any time.
func TestARotatedTokenThatIsBoundIsUsedAgain(t *testing.T) {
	begin := func(t *testing.T, grace time.Duration) (s *dpopService, key, other *dpopKey, first, next string) {
		s = newDPoPService(t, true, store.RotationRotate, grace)
		key, other = newDPoPKey(t, s.clock.Now), newDPoPKey(t, s.clock.Now)
		first = s.signIn(key)
		next, refusal := s.refresh(key, first)
		if refusal != "" {
			t.Fatal(refusal)
		}
		return s, key, other, first, next
	}
	t.Run("within the grace by its key it gives the successor", func(t *testing.T) {
		s, key, _, first, next := begin(t, time.Minute)
		s.clock.Add(time.Minute - time.Second)
		if again, refusal := s.refresh(key, first); refusal != "" || again != next {
			t.Errorf("refused %q, the successor %v", refusal, again == next)
		}
	})
	t.Run("within the grace by another key or none it gives and ends nothing", func(t *testing.T) {
		s, key, other, first, next := begin(t, time.Minute)
		for _, wrong := range []*dpopKey{other, nil, other} {
			if _, refusal := s.refresh(wrong, first); refusal != "invalid_grant" {
				t.Errorf("refused %q", refusal)
			}
		}
		if _, refusal := s.refresh(key, next); refusal != "" {
			t.Errorf("the successor is refused %q", refusal)
		}
	})
	for _, grace := range []time.Duration{-1, time.Minute} {
		t.Run(fmt.Sprintf("after a grace of %v by its key it ends the family", grace), func(t *testing.T) {
			s, key, _, first, next := begin(t, grace)
			s.clock.Add(max(grace, 0))
			for _, token := range []string{first, next} {
				if _, refusal := s.refresh(key, token); refusal != "invalid_grant" {
					t.Errorf("refused %q", refusal)
				}
			}
		})
	}
}
