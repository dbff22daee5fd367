package interop

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/zitadel/oidc/v3/pkg/client/rs"
	zitadel "github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const resource = "https://orders.example"

// issuing is an issuer without TLS, on this machine, and an API in another process, as
// far as it can tell: it finds the issuer's keys by its metadata.
type issuing struct{ issuer, api string }

func startAPI(t *testing.T) issuing {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	client := func(id string, format store.AccessTokenFormat, resources ...string) store.Client {
		return store.Client{
			Metadata: store.Metadata{ID: id, GrantTypes: []string{"client_credentials"}, Scope: "orders.read"},
			Secrets:  []store.Secret{{Hash: store.HashSecret(secret)}}, AccessTokenFormat: format, ProtectedResources: resources,
		}
	}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:  server.URL,
		Clients: memory.NewClients(client("jwt", store.AccessTokenJWT), client("opaque", store.AccessTokenOpaque), client("api", "", resource)),
		Scopes:  memory.NewScopes(store.Scope{Name: "orders.read", Resources: []string{resource}}),
		Keys:    rolling(),
		Grants:  []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Records: new(memory.Grants),
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint.Mount(mux)

	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	introspection := &middleware.Introspection{URL: server.URL + "/connect/introspect", ClientID: "api", ClientSecret: secret, CacheFor: -1, InsecureNetworks: loopback}
	guard := &middleware.RequireToken{
		Issuer: server.URL, Resource: resource, Introspect: introspection.Introspect, Scopes: []string{"orders.read"},
		InsecureNetworks: loopback, Logger: slog.New(slog.DiscardHandler),
	}
	if err := guard.Check(); err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := middleware.TokenFrom(r.Context())
		io.WriteString(w, token.ClientID)
	})))
	t.Cleanup(api.Close)
	return issuing{server.URL, api.URL}
}

func (i issuing) config(id string) clientcredentials.Config {
	return clientcredentials.Config{ClientID: id, ClientSecret: secret, TokenURL: i.issuer + "/connect/token"}
}

// get asks the API as an http.Client does that golang.org/x/oauth2 made.
func (i issuing) get(t *testing.T, client *http.Client) (status int, body string) {
	t.Helper()
	response, err := client.Get(i.api)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(all)
}

func TestOAuth2CallsAnAPI(t *testing.T) {
	i := startAPI(t)
	for name, id := range map[string]string{"with a JWT": "jwt", "with an opaque token": "opaque"} {
		t.Run(name, func(t *testing.T) {
			config := i.config(id)
			if status, body := i.get(t, config.Client(t.Context())); status != http.StatusOK || body != id {
				t.Errorf("status %d, %q", status, body)
			}
		})
	}
	t.Run("with nothing, in vain", func(t *testing.T) {
		if status, _ := i.get(t, http.DefaultClient); status != http.StatusUnauthorized {
			t.Errorf("status %d", status)
		}
	})
}

// An API that uses go-oidc takes the same tokens.
func TestGoOIDCVerifiesAccessTokens(t *testing.T) {
	i := startAPI(t)
	provider, err := oidc.NewProvider(t.Context(), i.issuer)
	if err != nil {
		t.Fatal(err)
	}
	config := i.config("jwt")
	token, err := config.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for audience, good := range map[string]bool{resource: true, "https://other.example": false} {
		verified, err := provider.Verifier(&oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{oidc.ES256}}).Verify(t.Context(), token.AccessToken)
		if (err == nil) != good || good && (verified.Subject != "jwt" || verified.Expiry.Before(time.Now())) {
			t.Errorf("%s: %v", audience, err)
		}
	}
}

// zitadel/oidc as an API that introspects. What it sends to revoke has the secret twice:
// see TestZitadelSendsASecretTwice.
func TestZitadelIntrospects(t *testing.T) {
	i := startAPI(t)
	server, err := rs.NewResourceServerClientCredentials(t.Context(), i.issuer, "api", secret)
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]string{"a JWT": "jwt", "an opaque token": "opaque"} {
		t.Run(name, func(t *testing.T) {
			config := i.config(id)
			token, err := config.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			answer, err := rs.Introspect[*zitadel.IntrospectionResponse](t.Context(), server, token.AccessToken)
			if err != nil || !answer.Active || answer.ClientID != id || answer.TokenType != "Bearer" || len(answer.Scope) != 1 || answer.Scope[0] != "orders.read" {
				t.Fatalf("%v, %+v", err, answer)
			}
			response, err := http.PostForm(i.issuer+"/connect/revocation", url.Values{"client_id": {id}, "client_secret": {secret}, "token": {token.AccessToken}})
			if err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("%v, %+v", err, response)
			}
			response.Body.Close()
			if answer, err := rs.Introspect[*zitadel.IntrospectionResponse](t.Context(), server, token.AccessToken); err != nil || answer.Active {
				t.Errorf("%v, %+v", err, answer)
			}
		})
	}
}
