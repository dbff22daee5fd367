package grants_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

func TestClientCredentialsByItself(t *testing.T) {
	t.Run("its name is that of RFC 6749", func(t *testing.T) {
		if got := (grants.ClientCredentials{}).GrantType(); got != "client_credentials" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a client that proved a secret is granted what it asked for, with no user", func(t *testing.T) {
		result, err := grants.ClientCredentials{}.Validate(t.Context(), &tokenendpoint.Request{Authenticated: true, Scopes: []string{"orders.read"}})
		if err != nil || !reflect.DeepEqual(*result, tokenendpoint.Result{}) {
			t.Errorf("got %+v, %v", result, err)
		}
	})
	t.Run("a client that proved nothing is refused, whatever method it names", func(t *testing.T) {
		result, err := grants.ClientCredentials{}.Validate(t.Context(), &tokenendpoint.Request{AuthMethod: store.ClientSecretBasic})
		var refusal *tokenendpoint.Error
		if result != nil || !errors.As(err, &refusal) || refusal.Code != tokenendpoint.UnauthorizedClient || refusal.Reason != tokenendpoint.ReasonUnauthenticated {
			t.Errorf("got %+v, %v", result, err)
		}
	})
}

// ask sends a request to an endpoint of one confidential and one public client.
func ask(t *testing.T, form string) (int, map[string]any) {
	t.Helper()
	metadata := store.Metadata{
		ID: "till", GrantTypes: []string{"client_credentials", "refresh_token"}, Scope: "orders.read offline_access",
	}
	till := store.Client{Metadata: metadata, Secrets: []store.Secret{{Hash: store.HashSecret("secret")}}}
	kiosk := till // with a stray secret
	kiosk.ID, kiosk.AuthMethods = "kiosk", []store.AuthMethod{store.NoAuth}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:  "https://shop.example",
		Clients: memory.NewClients(till, kiosk),
		Scopes:  memory.NewScopes(store.Scope{Name: "orders.read"}, store.Scope{Name: "offline_access"}),
		Keys:    &tokenendpoint.RollingKeys{},
		Grants:  []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/connect/token", strings.NewReader("grant_type=client_credentials&"+form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)
	var members map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &members); err != nil {
		t.Fatal(err)
	}
	return w.Code, members
}

func TestClientCredentialsAtTheEndpoint(t *testing.T) {
	t.Run("a public client is refused, even one with a stray secret", func(t *testing.T) { // 6749-4.4-01, 6749-2.3-02
		status, members := ask(t, "client_id=kiosk")
		want := map[string]any{"error": "unauthorized_client", "error_description": "the client may not use this grant type without authentication"}
		if status != http.StatusBadRequest || !reflect.DeepEqual(members, want) {
			t.Errorf("answered %d %v", status, members)
		}
	})
	t.Run("a token comes without a refresh token, even if the client may use them", func(t *testing.T) { // 6749-4.4.3-01
		status, members := ask(t, "client_id=till&client_secret=secret")
		if status != http.StatusOK || len(members) != 4 || members["access_token"] == nil || members["token_type"] != "Bearer" ||
			members["expires_in"] != 3600.0 || members["scope"] != "orders.read" {
			t.Errorf("answered %d %v", status, members)
		}
	})
	t.Run("a refresh token cannot be asked for", func(t *testing.T) { // 6749-4.4.3-01
		status, members := ask(t, "client_id=till&client_secret=secret&scope=orders.read+offline_access")
		if status != http.StatusBadRequest || members["error"] != "invalid_scope" {
			t.Errorf("answered %d %v", status, members)
		}
	})
}
