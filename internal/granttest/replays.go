package granttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
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

// Replays has two nodes of one service, each with a handle of its own on one store, and
// uses an assertion and a proof at one and then at the other, and at both at once: each
// is good once.
func Replays(t *testing.T, a, b store.ReplayStore) {
	p := newPossessor(t)
	nodes := []*tokenendpoint.Endpoint{p.node(t, a), p.node(t, b)}
	for name, c := range map[string]struct {
		request func(id string) possession
		code    string
	}{
		"assertion": {p.withAssertion, "invalid_client"},
		"proof":     {p.withProof, "invalid_dpop_proof"},
	} {
		t.Run("a replayed "+name+" is refused at the other node", func(t *testing.T) {
			for i := range 10 {
				request := c.request(fmt.Sprint(name, i))
				if got := request.to(nodes[i%2]); got != "" {
					t.Fatalf("the first use was answered %q", got)
				}
				for _, node := range nodes {
					if got := request.to(node); got != c.code {
						t.Fatalf("a replay was answered %q, want %q", got, c.code)
					}
				}
			}
		})
		t.Run("of many uses of one "+name+" at once, at both nodes, one counts", func(t *testing.T) {
			for round := range 5 {
				var all answers
				request := c.request(fmt.Sprint(name, " at once ", round))
				atOnce(20, func(i int) { all.add(request.to(nodes[i%2])) })
				all.want(t, name, map[string]int{"": 1, c.code: 19})
			}
		})
	}
}

// possessor is a client that holds a key.
type possessor struct {
	key  *ecdsa.PrivateKey
	jwk  map[string]string
	sign *ecdsa.PrivateKey // of the service
}

func newPossessor(t *testing.T) *possessor {
	var p possessor
	for _, key := range []**ecdsa.PrivateKey{&p.key, &p.sign} {
		made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		*key = made
	}
	point, err := p.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	p.jwk = map[string]string{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}
	return &p
}

func (p *possessor) node(t *testing.T, replays store.ReplayStore) *tokenendpoint.Endpoint {
	jwks, _ := json.Marshal(map[string]any{"keys": []any{p.jwk}}) // strings: cannot fail
	e, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: issuer, Replays: replays,
		Clients: memory.NewClients(
			store.Client{Metadata: store.Metadata{ID: "signs", GrantTypes: []string{"client_credentials"}, Scope: "orders.read", TokenEndpointAuthMethod: store.PrivateKeyJWT, JWKS: jwks}},
			store.Client{Metadata: store.Metadata{ID: "proves", GrantTypes: []string{"client_credentials"}, Scope: "orders.read", DPoPBoundAccessTokens: true},
				Secrets: []store.Secret{{Hash: store.HashSecret(password)}}}),
		Scopes:   memory.NewScopes(store.Scope{Name: "orders.read"}),
		Keys:     tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: p.sign}},
		Grants:   []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Throttle: &tokenendpoint.MemoryThrottle{Limit: 1e6},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// possession is a request that can be sent again.
type possession struct{ body, proof string }

func (p *possessor) withAssertion(id string) possession {
	token := p.jwt(map[string]any{"alg": "ES256"},
		map[string]any{"iss": "signs", "sub": "signs", "aud": issuer, "jti": id, "exp": time.Now().Unix() + 60})
	return possession{body: url.Values{
		"grant_type": {"client_credentials"}, "client_assertion": {token},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}.Encode()}
}

func (p *possessor) withProof(id string) possession {
	proof := p.jwt(map[string]any{"alg": "ES256", "typ": "dpop+jwt", "jwk": p.jwk},
		map[string]any{"jti": id, "htm": "POST", "htu": issuer + "/connect/token", "iat": time.Now().Unix()})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"proves"}, "client_secret": {password}}
	return possession{form.Encode(), proof}
}

// to sends it to a node and returns the error of the answer, empty of a token.
func (q possession) to(node http.Handler) string {
	r := httptest.NewRequest(http.MethodPost, issuer+"/connect/token", strings.NewReader(q.body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if q.proof != "" {
		r.Header.Set("DPoP", q.proof)
	}
	w := httptest.NewRecorder()
	node.ServeHTTP(w, r)
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(w.Body.Bytes(), &answer) != nil {
		return "no JSON"
	}
	return answer.Error
}

func (p *possessor) jwt(header, claims map[string]any) string {
	h, _ := json.Marshal(header) // strings and numbers: cannot fail
	c, _ := json.Marshal(claims)
	signed := encode(h) + "." + encode(c)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		panic(err) // a good key
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + encode(signature)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
