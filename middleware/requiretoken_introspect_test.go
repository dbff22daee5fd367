package middleware_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/grantor-go/grantor/middleware"
)

// said is an introspection response about a good token, but for the changes.
func said(changes object) string {
	b, err := json.Marshal(object{
		"active": true, "iss": gateIssuer, "aud": gateResource, "sub": "alice", "client_id": "app", "token_type": "Bearer",
		"iat": gateTime.Unix(), "nbf": gateTime.Unix(), "exp": gateTime.Unix() + 300, "scope": "orders.read", "jti": "t1",
	}.with(changes))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestOpaqueTokens(t *testing.T) {
	const inactive, unreadable = "401 invalid_token token_inactive", "503 temporarily_unavailable issuer_unavailable"
	for _, c := range []struct {
		name   string
		answer string
		want   string
	}{
		{"one that is active is taken", said(nil), "204 granted"},
		{"an answer may say no more than whom it is for", `{"active":true,"aud":["` + gateResource + `"]}`, "204 granted"},
		{"one that is not active is refused", `{"active":false}`, inactive},
		{"one that is not active is refused whatever else is said", said(object{"active": false}), inactive},
		{"an audience must be there, so that no refresh token passes", said(object{"aud": nil}), "401 invalid_token token_audience"},
		{"another audience is refused", said(object{"aud": "https://api.example"}), "401 invalid_token token_audience"},
		{"another issuer is refused", said(object{"iss": "https://other.example"}), "401 invalid_token token_issuer"},
		{"exp is looked at", said(object{"exp": gateTime.Unix() - 30}), "401 invalid_token token_expired"},
		{"nbf is looked at", said(object{"nbf": gateTime.Unix() + 31}), "401 invalid_token token_too_early"},
		{"iat is looked at", said(object{"iat": gateTime.Unix() + 31}), "401 invalid_token token_too_early"},
		{"cnf is honoured", said(object{"cnf": object{"jkt": "x"}}), "401 invalid_token token_scheme"},
		{"bound by its type, and to nothing, is refused", said(object{"token_type": "dpop"}), "401 invalid_token confirmation_unknown"},
		{"bound by its type, and to a certificate, is refused", said(object{"token_type": "DPoP", "cnf": object{"x5t#S256": "x"}}), "401 invalid_token confirmation_unknown"},
		{"a cnf of an unknown kind is refused", said(object{"cnf": object{"kid": "x"}}), "401 invalid_token confirmation_unknown"},
		{"a word for a boolean is no answer", said(object{"active": "true"}), unreadable},
		{"a number for a boolean is no answer", said(object{"active": 1}), unreadable},
		{"nothing about active is no answer", said(object{"active": nil}), unreadable},
		{"active twice is no answer", `{"active":false,"active":true,"aud":"` + gateResource + `"}`, unreadable},
		{"a claim of the wrong type is no answer", said(object{"aud": 1}), unreadable},
		{"a page is no answer", `<html>`, unreadable},
		{"silence is no answer", ``, unreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, withIntrospection)
			g.answer = c.answer
			g.expect(g.bearer("opaque.but-not.a-jwt.of.three"), c.want)
			if !slices.Equal(g.asked, []string{"opaque.but-not.a-jwt.of.three"}) {
				t.Errorf("asked about %q", g.asked)
			}
		})
	}
}

func TestTheHandlerFindsTheTokenThatTheIssuerDescribed(t *testing.T) {
	g := newGate(t, withIntrospection)
	g.answer = said(object{"scope": "orders.read orders.write", "tenant": "acme", "jti": nil})
	g.bearer("opaque")
	token, ok := middleware.TokenFrom(g.seen.Context())
	if !ok {
		t.Fatal("there is none")
	}
	if token.Issuer != gateIssuer || token.Subject != "alice" || token.ClientID != "app" || token.ID != "" || !slices.Equal(token.Audience, []string{gateResource}) ||
		!slices.Equal(token.Scopes, []string{"orders.read", "orders.write"}) || !token.ExpiresAt.Equal(gateTime.Add(5*time.Minute)) || token.Bound || string(token.Claims) != g.answer {
		t.Errorf("got %+v", token)
	}
}

// RFC 9449 section 6.2: a certificate does not prove the key that the type speaks of.
func TestACertificateIsNoKey(t *testing.T) {
	g := newGate(t, withIntrospection, func(g *gate) {
		g.guard.ClientCertificate = func(*http.Request) (*x509.Certificate, bool, error) { return nil, false, nil }
	})
	g.answer = said(object{"token_type": "DPoP", "cnf": object{"x5t#S256": "x"}})
	g.expect(g.bearer("opaque"), "401 invalid_token confirmation_unknown")
}

func TestWithoutIntrospectionOpaqueTokensAreRefused(t *testing.T) {
	g := newGate(t)
	g.expect(g.bearer("opaque"), "401 invalid_token token_kind")
}

func TestJWTsAreNotAskedAboutUnlessThatIsWanted(t *testing.T) {
	g := newGate(t, withIntrospection)
	g.answer = `{"active":false}`
	g.expect(g.bearer(g.token(nil)), "204 granted")
	g.expect(g.bearer(g.token(object{"exp": 1})), "401 invalid_token token_expired")
	if len(g.asked) > 0 {
		t.Errorf("asked about %q", g.asked)
	}
}

func TestIntrospectedJWTs(t *testing.T) {
	const contradicted = "401 invalid_token token_contradicted"
	for _, c := range []struct {
		name   string
		claims object
		answer string
		want   string
	}{
		{"one that is active is taken", nil, said(nil), "204 granted"},
		{"an answer may say no more", nil, `{"active":true}`, "204 granted"},
		{"one that was revoked is refused", nil, `{"active":false}`, "401 invalid_token token_inactive"},
		{"another subject is a contradiction", nil, said(object{"sub": "bob"}), contradicted},
		{"another client is a contradiction", nil, said(object{"client_id": "bob"}), contradicted},
		{"another issuer is a contradiction", nil, said(object{"iss": "https://other.example"}), contradicted},
		{"another audience is a contradiction", nil, said(object{"aud": "https://other.example"}), contradicted},
		{"a binding that the JWT lacks is a contradiction", nil, said(object{"cnf": object{"jkt": "x"}}), contradicted},
		{"a binding of an unknown kind that the JWT lacks is a contradiction", nil, said(object{"cnf": object{}}), contradicted},
		{"another key is a contradiction", object{"cnf": object{"jkt": "x"}}, said(object{"cnf": object{"jkt": "y"}}), contradicted},
		{"another certificate is a contradiction", object{"cnf": object{"x5t#S256": "x"}}, said(object{"cnf": object{"x5t#S256": "y"}}), contradicted},
		{"what the answer adds to the scopes does not count", object{"scope": ""}, said(nil), "403 insufficient_scope insufficient_scope"},
		{"that the answer names another API does not make the JWT good", object{"aud": "x"}, said(nil), "401 invalid_token token_audience"},
		{"a scope that the answer lacks was taken back", nil, said(object{"scope": "orders.write"}), "403 insufficient_scope insufficient_scope"},
		{"all scopes may have been taken back", nil, said(object{"scope": ""}), "403 insufficient_scope insufficient_scope"},
		{"an answer that has expired is over", nil, said(object{"exp": gateTime.Unix() - 30}), "401 invalid_token token_expired"},
		{"what is no answer is no verdict", nil, `{}`, "503 temporarily_unavailable issuer_unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, withIntrospection, func(g *gate) { g.guard.IntrospectJWT, g.guard.Scopes = true, []string{"orders.read"} })
			g.answer = c.answer
			g.expect(g.bearer(g.token(c.claims)), c.want)
		})
	}
}

func TestForgedJWTsAreNotAskedAbout(t *testing.T) {
	g := newGate(t, withIntrospection, func(g *gate) { g.guard.IntrospectJWT = true })
	g.answer = said(nil)
	g.expect(g.bearer(newKeyholder(t).sign(object{"alg": "ES256", "kid": "k1", "typ": "at+jwt"}, g.claims(nil))), "401 invalid_token token_signature")
	g.expect(g.bearer(g.issuer.sign(object{"alg": "ES256", "kid": "k1", "typ": "JWT"}, g.claims(nil))), "401 invalid_token token_kind")
	if len(g.asked) > 0 {
		t.Errorf("asked about %q", g.asked)
	}
}

// What is asked may take longer than the token is good.
func TestTheClockIsReadAfterTheAnswer(t *testing.T) {
	g := newGate(t, withIntrospection, func(g *gate) {
		ask := g.guard.Introspect
		g.guard.Introspect = func(ctx context.Context, token string) ([]byte, error) {
			g.pass(time.Minute)
			return ask(ctx, token)
		}
	})
	g.answer = said(object{"exp": gateTime.Unix() + 10})
	g.expect(g.bearer("opaque"), "401 invalid_token token_expired")
}
