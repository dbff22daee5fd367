package interop

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// The library knows nothing of certificates: they are in the http.Client.
func TestOAuth2Certificate(t *testing.T) {
	s := start(t, rolling())
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s.clients.Put(store.Client{Metadata: store.Metadata{ID: "daemon", GrantTypes: []string{"client_credentials"}, Scope: "api",
		TokenEndpointAuthMethod: store.SelfSignedTLSClientAuth, TLSBoundAccessTokens: true, JWKS: publicSet(t, key)}})
	transport := s.http.Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}
	t.Cleanup(transport.CloseIdleConnections)

	config := clientcredentials.Config{ClientID: "daemon", TokenURL: s.issuer + "/connect/token", AuthStyle: oauth2.AuthStyleInParams}
	token, err := config.Token(context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	thumbprint := sha256.Sum256(certificate)
	if bound, want := s.boundTo(t, token), (store.Confirmation{X5T: base64.RawURLEncoding.EncodeToString(thumbprint[:])}); bound != want {
		t.Errorf("bound to %+v, want %+v", bound, want)
	}
	if _, err := config.Token(s.context()); !isRefused(err, tokenendpoint.InvalidClient) {
		t.Errorf("without a certificate: %v", err)
	}
}

// Nor of DPoP, which a RoundTripper adds.
func TestOAuth2DPoP(t *testing.T) {
	s := start(t, rolling())
	s.clients.Put(store.Client{Metadata: store.Metadata{ID: "app", GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "api offline_access",
		TokenEndpointAuthMethod: store.NoAuth, DPoPBoundAccessTokens: true, RedirectURIs: []string{"https://app.example/callback"}}})
	key := newKey(t)
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: newProver(t, s, key)})
	config, verifier := s.oauth2("app", "", "api", "offline_access"), oauth2.GenerateVerifier()
	answer := s.browse(config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
	token, err := config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	thumbprint, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Confirmation{JKT: base64.RawURLEncoding.EncodeToString(thumbprint)}
	if bound := s.boundTo(t, token); bound != want || token.Type() != "DPoP" {
		t.Errorf("type %q, bound to %+v, want %+v", token.Type(), bound, want)
	}
	token.Expiry = time.Now().Add(-time.Second)
	fresh, err := config.TokenSource(ctx, token).Token()
	if err != nil {
		t.Fatal(err)
	}
	if bound := s.boundTo(t, fresh); bound != want {
		t.Errorf("refreshed, it is bound to %+v, want %+v", bound, want)
	}
	fresh.Expiry = token.Expiry
	stolen := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: newProver(t, s, newKey(t))})
	if _, err := config.TokenSource(stolen, fresh).Token(); !isRefused(err, tokenendpoint.InvalidGrant) {
		t.Errorf("refreshed by another key: %v", err)
	}
}

// prover adds a DPoP proof to each request (RFC 9449 section 4).
type prover struct {
	http.RoundTripper
	signer jose.Signer
}

func newProver(t *testing.T, s *service, key *ecdsa.PrivateKey) *prover {
	t.Helper()
	options := (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	return &prover{s.http.Transport, signer}
}

func (p *prover) RoundTrip(r *http.Request) (*http.Response, error) {
	claims, err := json.Marshal(map[string]any{"jti": rand.Text(), "htm": r.Method, "htu": r.URL.String(), "iat": time.Now().Unix()})
	if err != nil {
		return nil, err
	}
	signed, err := p.signer.Sign(claims)
	if err != nil {
		return nil, err
	}
	proof, err := signed.CompactSerialize()
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("DPoP", proof)
	return p.RoundTripper.RoundTrip(r)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// boundTo verifies an access token, as an API does, and returns the key in it.
func (s *service) boundTo(t *testing.T, token *oauth2.Token) store.Confirmation {
	t.Helper()
	provider, err := oidc.NewProvider(s.context(), s.issuer)
	if err != nil {
		t.Fatal(err)
	}
	access, err := provider.VerifierContext(s.context(), &oidc.Config{ClientID: s.issuer}).Verify(s.context(), token.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Confirmation store.Confirmation `json:"cnf"`
	}
	if err := access.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	return claims.Confirmation
}
