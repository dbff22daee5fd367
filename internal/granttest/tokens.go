package granttest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/url"
	"testing"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// Tokens has two nodes of one service, each with a handle of its own on one store. A
// token of any kind that one issues is active at both, and once one has revoked it
// neither says that it is.
func Tokens(t *testing.T, a, b store.GrantStore) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	nodes := [2]*Service{}
	for i, records := range []store.GrantStore{a, b} {
		nodes[i] = New(t, records, func(c *tokenendpoint.Config) {
			c.Keys = tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: key}}
			c.Grants = append(c.Grants, grants.ClientCredentials{}, ofAlice{})
		})
		for id, format := range map[string]store.AccessTokenFormat{"jwt": store.AccessTokenJWT, "opaque": store.AccessTokenOpaque} {
			nodes[i].Clients.Put(store.Client{
				Metadata: store.Metadata{ID: id, GrantTypes: []string{"client_credentials", ofAlice{}.GrantType(), "refresh_token"}, Scope: "orders.read"},
				Secrets:  []store.Secret{{Hash: store.HashSecret(password)}}, RefreshTokens: store.RefreshTokensAlways, AccessTokenFormat: format,
			})
		}
	}
	for _, client := range []string{"jwt", "opaque"} {
		for name, grant := range map[string]string{"a client": "client_credentials", "a user": ofAlice{}.GrantType()} {
			t.Run(client+" token of "+name+" ends at both nodes when it is revoked at one", func(t *testing.T) {
				for i := range 4 {
					life{t, nodes, client, i}.endsByItself(grant)
				}
			})
		}
		t.Run(client+" token ends at both nodes with its refresh token", func(t *testing.T) {
			for i := range 4 {
				life{t, nodes, client, i}.endsWithItsFamily()
			}
		})
	}
}

// ofAlice is a grant type for which alice need do nothing.
type ofAlice struct{}

func (ofAlice) GrantType() string { return "urn:example:alice" }

func (ofAlice) Validate(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	return &tokenendpoint.Result{Grant: store.Grant{Subject: "alice"}}, nil
}

// life is that of one token, which begins at one of the nodes.
type life struct {
	*testing.T
	nodes  [2]*Service
	client string
	first  int
}

func (l life) here() *Service  { return l.nodes[l.first%2] }
func (l life) there() *Service { return l.nodes[(l.first+1)%2] }

func (l life) post(node *Service, path string, form url.Values) Answer {
	return node.Post(l.Context(), path, l.client, form)
}

func (l life) begin(grant string) Answer {
	l.Helper()
	tokens := l.post(l.here(), "/connect/token", url.Values{"grant_type": {grant}})
	if tokens.Status != 200 {
		l.Fatalf("status %d, error %q", tokens.Status, tokens.Code())
	}
	return tokens
}

func (l life) revoke(node *Service, token string) {
	l.Helper()
	if answer := l.post(node, "/connect/revocation", url.Values{"token": {token}}); answer.Status != 200 {
		l.Fatalf("a revocation was answered %d, error %q", answer.Status, answer.Code())
	}
}

// is fails unless both nodes say that a token is active, or that it is not.
func (l life) is(active bool, token string) {
	l.Helper()
	for i, node := range l.nodes {
		if answer := l.post(node, "/connect/introspect", url.Values{"token": {token}}); answer.Status != 200 || answer.Members["active"] != active {
			l.Errorf("node %d answers %d, active %v, want %t", i, answer.Status, answer.Members["active"], active)
		}
	}
}

func (l life) endsByItself(grant string) {
	l.Helper()
	tokens, other := l.begin(grant), l.begin(grant)
	token := tokens.Text("access_token")
	l.is(true, token)
	var statuses answers
	atOnce(8, func(i int) {
		answer := l.post(l.nodes[i%2], "/connect/revocation", url.Values{"token": {token}})
		statuses.add(map[bool]string{true: "revoked", false: answer.Code()}[answer.Status == 200])
	})
	statuses.want(l.T, "revocations", map[string]int{"revoked": 8})
	l.is(false, token)
	l.is(true, other.Text("access_token"))
	if refresh := tokens.Text("refresh_token"); refresh != "" {
		l.is(true, refresh)
		again := l.post(l.there(), "/connect/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
		l.is(true, again.Text("access_token"))
	}
	if _, err := l.there().Endpoint.Revoke(l.Context(), store.Match{ClientID: l.client}); err != nil {
		l.Fatal(err)
	}
	l.is(false, token)
}

func (l life) endsWithItsFamily() {
	l.Helper()
	tokens := l.begin(ofAlice{}.GrantType())
	again := l.post(l.there(), "/connect/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Text("refresh_token")}})
	l.is(true, again.Text("access_token"))
	l.revoke(l.there(), tokens.Text("refresh_token"))
	for _, token := range []string{tokens.Text("access_token"), again.Text("access_token"), tokens.Text("refresh_token"), again.Text("refresh_token")} {
		l.is(false, token)
	}
	if answer := l.post(l.here(), "/connect/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Text("refresh_token")}}); answer.Code() != "invalid_grant" {
		l.Errorf("a refresh was answered %d, error %q", answer.Status, answer.Code())
	}
}
