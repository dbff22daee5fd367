package interop

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// clientKey makes a key of a client's, as PEM, and the set in which it is registered.
func clientKey(t *testing.T) (private []byte, set json.RawMessage) {
	t.Helper()
	key := newKey(t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), publicSet(t, key)
}

// publicSet is the set in which a client registers its key.
func publicSet(t *testing.T, key *ecdsa.PrivateKey) json.RawMessage {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// assertion is one with a jti (RFC 7523 section 3), which the library has no argument for.
func assertion(t *testing.T, key []byte, audience ...string) string {
	t.Helper()
	token, err := oidc.GenerateJWTProfileToken(oidc.NewJWTProfileAssertion("web", "1", audience, key, oidc.JWTProfileCustomClaim("jti", rand.Text())))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestZitadelPrivateKeyJWT(t *testing.T) {
	key, set := clientKey(t)
	web := store.Client{Metadata: webMetadata}
	web.ID, web.JWKS, web.TokenEndpointAuthMethod = "web", set, store.PrivateKeyJWT
	web.GrantTypes, web.Scope = append(web.GrantTypes, "client_credentials"), web.Scope+" api"
	web.RedirectURIs = []string{"https://app.example/callback"}
	params := func(assertion string) url.Values {
		return url.Values{"client_assertion": {assertion}, "client_assertion_type": {oidc.ClientAssertionTypeJWTAssertion}}
	}

	t.Run("gets tokens by assertions that have a jti", func(t *testing.T) {
		s := start(t, rolling())
		s.clients.Put(web)
		party := s.relyingParty("web", "", web.RedirectURIs[0], []string{"openid", "offline_access"}, rp.WithAuthStyle(oauth2.AuthStyleInParams))
		verifier := oauth2.GenerateVerifier()
		code := s.browse(rp.AuthURL("s", party, rp.WithCodeChallenge(oidc.NewSHACodeChallenge(verifier)))).Get("code")
		tokens, err := rp.CodeExchange[*oidc.IDTokenClaims](t.Context(), code, party, rp.WithCodeVerifier(verifier), rp.WithClientAssertionJWT(assertion(t, key, s.issuer)))
		if err != nil {
			t.Fatal(err)
		}
		once := assertion(t, key, s.issuer)
		fresh, err := rp.RefreshTokens[*oidc.IDTokenClaims](t.Context(), party, tokens.RefreshToken, once, oidc.ClientAssertionTypeJWTAssertion)
		if err != nil || fresh.IDTokenClaims.GetSubject() != "alice" {
			t.Errorf("refreshed: %v", err)
		}
		_, err = rp.RefreshTokens[*oidc.IDTokenClaims](t.Context(), party, tokens.RefreshToken, once, oidc.ClientAssertionTypeJWTAssertion)
		s.refused(t, err, tokenendpoint.ReasonReplayed)
	})
	t.Run("may use the audiences that the library chooses, if the client is allowed to", func(t *testing.T) {
		s := start(t, rolling())
		s.clients.Put(web)
		party := s.relyingParty("web", "", "", []string{"api"}, rp.WithAuthStyle(oauth2.AuthStyleInParams))
		both := []string{s.issuer, s.issuer + "/connect/token"}
		_, err := rp.ClientCredentials(t.Context(), party, params(assertion(t, key, both...)))
		s.refused(t, err, tokenendpoint.ReasonAssertionAudience)
		legacy := web
		legacy.LegacyAssertionAudience = true
		s.clients.Put(legacy)
		if _, err := rp.ClientCredentials(t.Context(), party, params(assertion(t, key, both...))); err != nil {
			t.Error(err)
		}
	})
	t.Run("signs a user in by the assertions that the library makes, which have no jti, if the client is allowed to", func(t *testing.T) {
		s := start(t, rolling())
		legacy := web
		legacy.LegacyAssertionAudience = true
		options := []rp.Option{rp.WithJWTProfile(rp.SignerFromKeyAndKeyID(key, "1")), rp.WithAuthStyle(oauth2.AuthStyleInParams), rp.WithVerifierOpts(anyNonce)}
		if status, _ := s.zitadelApp(legacy, "", options...).visit(s); status != http.StatusUnauthorized {
			t.Errorf("status %d", status)
		}
		s.isReason(t, tokenendpoint.ReasonMalformedAssertion)
		legacy.LegacyAssertionWithoutID = true
		s.zitadelApp(legacy, "", options...).signIn(s)
	})
}

// The library sends a secret in the header and in the body at once, which RFC 6749
// section 2.3 forbids, where it does not leave the request to golang.org/x/oauth2.
func TestZitadelSendsASecretTwice(t *testing.T) {
	s := start(t, rolling())
	web, tv := store.Client{Metadata: webMetadata}, television()
	web.ID, tv.TokenEndpointAuthMethod = "web", ""
	tv.Secrets = []store.Secret{{Hash: store.HashSecret(secret)}}
	web.Secrets = tv.Secrets
	s.clients.Put(tv)
	app := s.zitadelApp(web, secret, rp.WithVerifierOpts(anyNonce))
	app.signIn(s)
	device := s.relyingParty("tv", secret, "", nil)
	t.Run("when it refreshes", func(t *testing.T) {
		_, err := rp.RefreshTokens[*oidc.IDTokenClaims](t.Context(), app, app.tokens.RefreshToken, "", "")
		s.refused(t, err, tokenendpoint.ReasonSeveralMethods)
	})
	t.Run("when it revokes", func(t *testing.T) {
		s.refused(t, rp.RevokeToken(t.Context(), app, app.tokens.RefreshToken, "refresh_token"), tokenendpoint.ReasonSeveralMethods)
	})
	t.Run("when it begins on a device", func(t *testing.T) {
		_, err := rp.DeviceAuthorization(t.Context(), []string{"openid"}, device, nil)
		s.refused(t, err, tokenendpoint.ReasonSeveralMethods)
	})
	t.Run("when it polls", func(t *testing.T) {
		_, err := rp.DeviceAccessToken(t.Context(), "any", time.Second, device)
		s.refused(t, err, tokenendpoint.ReasonSeveralMethods)
	})
}
