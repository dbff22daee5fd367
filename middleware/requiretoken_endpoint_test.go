package middleware_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// newIssuer is a token endpoint in the process of the API, with a client for JWTs and
// one for opaque tokens, of each of which alice is a user.
func newIssuer(t *testing.T) *tokenendpoint.Endpoint {
	t.Helper()
	client := func(id string, format store.AccessTokenFormat) store.Client {
		return store.Client{
			Metadata:      store.Metadata{ID: id, GrantTypes: []string{"password", "refresh_token"}, Scope: "orders.read"},
			Secrets:       []store.Secret{{Hash: store.HashSecret("secret")}},
			RefreshTokens: store.RefreshTokensAlways, AccessTokenFormat: format,
		}
	}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:  gateIssuer,
		Clients: memory.NewClients(client("jwt", store.AccessTokenJWT), client("opaque", store.AccessTokenOpaque)),
		Scopes:  memory.NewScopes(store.Scope{Name: "orders.read", Resources: []string{gateResource}}),
		Keys:    &tokenendpoint.RollingKeys{Logger: slog.New(slog.DiscardHandler)},
		Records: &memory.Grants{}, Replays: &memory.Replays{},
		Grants: []tokenendpoint.GrantValidator{grants.RefreshToken{}, grants.Password{
			Verify: func(context.Context, *tokenendpoint.Request, string, string) (*store.Grant, error) {
				return &store.Grant{Subject: "alice"}, nil
			},
		}},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return endpoint
}

// issue is what a client gets for the password of a user, with a proof or without.
func issue(t *testing.T, endpoint http.Handler, client, proof string) (access, refresh string) {
	t.Helper()
	form := url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {"x"}}
	r := httptest.NewRequest("POST", gateIssuer+"/connect/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client, "secret")
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Access == "" || answer.Refresh == "" {
		t.Fatal(w.Code, w.Body)
	}
	return answer.Access, answer.Refresh
}

func TestTokensOfTheEndpointInTheSameProcess(t *testing.T) {
	for _, client := range []string{"jwt", "opaque"} {
		t.Run("a token of the kind "+client+" is judged as the endpoint says", func(t *testing.T) {
			endpoint := newIssuer(t)
			g := newGate(t, withDPoP, func(g *gate) {
				g.pass(time.Since(gateTime)) // as the keys of the endpoint have it
				g.guard.JWKS, g.guard.Introspect, g.guard.IntrospectJWT = endpoint.JWKS, endpoint.Introspect, true
				g.guard.Scopes = []string{"orders.read"}
			})
			access, refresh := issue(t, endpoint, client, "")
			g.expect(g.bearer(access), "204 granted")
			token, _ := middleware.TokenFrom(g.seen.Context())
			if token.Subject != "alice" || token.ClientID != client || token.GrantID == "" || token.ID == "" || token.Bound {
				t.Errorf("got %+v", token)
			}
			g.expect(g.bearer(refresh), "401 invalid_token token_inactive")

			p := newProver(g)
			bound, _ := issue(t, endpoint, client, p.proof("", nil, object{"ath": nil, "htm": "POST", "htu": gateIssuer + "/connect/token"}))
			g.expect(g.bearer(bound), "401 invalid_token token_scheme")
			g.expect(g.get("Authorization", "DPoP "+bound, "DPoP", p.proof(bound, nil, nil)), "204 granted")

			if _, err := endpoint.Revoke(t.Context(), store.Match{Family: token.GrantID}); err != nil {
				t.Fatal(err)
			}
			g.expect(g.bearer(access), "401 invalid_token token_inactive")
		})
	}
}
