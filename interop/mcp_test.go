package interop

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/auth/extauth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store"
)

// tools is an MCP server behind a guard, with two tools: who says whose token it was
// called with, and write says the same and needs a scope of its own.
type tools struct {
	*service
	url string
}

func startTools(t *testing.T) tools {
	t.Helper()
	listening := httptest.NewUnstartedServer(nil)
	at := "https://" + listening.Listener.Addr().String() + "/mcp"
	s := start(t, rolling(), store.Scope{Name: "notes.read", Resources: []string{at}}, store.Scope{Name: "notes.write", Resources: []string{at}})
	guard := &middleware.RequireToken{
		Issuer: s.issuer, Resource: at, JWKS: s.endpoint.JWKS,
		Scopes: []string{"notes.read"}, ScopesSupported: []string{"notes.read", "notes.write"}, Logger: slog.New(slog.DiscardHandler),
	}
	if err := guard.Check(); err != nil {
		t.Fatal(err)
	}

	server := mcp.NewServer(&mcp.Implementation{Name: "notes"}, nil)
	for _, name := range []string{"who", "write"} {
		mcp.AddTool(server, &mcp.Tool{Name: name}, func(_ context.Context, call *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: call.Extra.TokenInfo.UserID}}}, nil, nil
		})
	}
	all := auth.RequireBearerToken(tokenInfo, nil)(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: true}))
	writing := middleware.RequireScopes("notes.write")(all)
	mux := http.NewServeMux()
	mux.Handle("/mcp", guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Mcp-Name") == "write" { // which the server compares with the body
			writing.ServeHTTP(w, r)
			return
		}
		all.ServeHTTP(w, r)
	})))
	guard.Mount(mux)
	listening.Config.Handler = mux
	listening.StartTLS()
	t.Cleanup(listening.Close)
	return tools{s, at}
}

// tokenInfo hands what the guard verified on to the tools.
func tokenInfo(_ context.Context, _ string, r *http.Request) (*auth.TokenInfo, error) {
	token, ok := middleware.TokenFrom(r.Context())
	if !ok {
		return nil, auth.ErrInvalidToken
	}
	return &auth.TokenInfo{UserID: token.Subject, Scopes: token.Scopes, Expiration: token.ExpiresAt}, nil
}

// call connects, and calls the tools one after the other. Where there is no token yet,
// or one that does not reach, the handler is to find out where one comes from.
func (s tools) call(t *testing.T, handler auth.OAuthHandler, want string, names ...string) {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: s.url, HTTPClient: s.http, OAuthHandler: handler}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for _, name := range names {
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: name})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text, ok := result.Content[0].(*mcp.TextContent); !ok || result.IsError || text.Text != want {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

// The client knows nothing but the URL of the server, and its own id and secret.
func TestMCPClientFindsTheIssuer(t *testing.T) {
	const redirect = "https://client.example/callback"
	s := startTools(t)
	s.clients.Put(store.Client{
		Metadata: store.Metadata{ID: "robot", GrantTypes: []string{"client_credentials"}, Scope: "notes.read notes.write"},
		Secrets:  []store.Secret{{Hash: store.HashSecret(secret)}},
	})
	s.clients.Put(store.Client{Metadata: store.Metadata{
		ID: "editor", GrantTypes: []string{"authorization_code"}, Scope: "notes.read notes.write",
		RedirectURIs: []string{redirect}, TokenEndpointAuthMethod: "none",
	}})

	t.Run("for itself", func(t *testing.T) {
		handler, err := extauth.NewClientCredentialsHandler(&extauth.ClientCredentialsHandlerConfig{
			Credentials: &oauthex.ClientCredentials{ClientID: "robot", ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: secret}},
			HTTPClient:  s.http,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.call(t, handler, "robot", "who", "write", "who")
	})
	t.Run("for a user, who is asked for each scope when it is needed", func(t *testing.T) {
		var asked [][]string
		handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
			PreregisteredClient: &oauthex.ClientCredentials{ClientID: "editor"},
			RedirectURL:         redirect,
			Client:              s.http,
			AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
				request, err := url.Parse(args.URL)
				if err != nil {
					return nil, err
				}
				asked = append(asked, slices.Sorted(strings.FieldsSeq(request.Query().Get("scope")))) // their order means nothing
				back := s.browse(args.URL)
				return &auth.AuthorizationResult{Code: back.Get("code"), State: back.Get("state"), Iss: back.Get("iss")}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.call(t, handler, "alice", "who", "write", "who")
		if !reflect.DeepEqual(asked, [][]string{{"notes.read"}, {"notes.read", "notes.write"}}) {
			t.Errorf("the user was asked for %q", asked)
		}
	})
}
