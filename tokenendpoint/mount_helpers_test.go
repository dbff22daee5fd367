package tokenendpoint_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// mountGrant is a grant type of a host's own that grants whatever is asked for.
type mountGrant string

func (g mountGrant) GrantType() string { return string(g) }

func (g mountGrant) Validate(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	return &tokenendpoint.Result{Grant: store.Grant{Subject: "alice"}}, nil
}

const mountCustom mountGrant = "urn:example:custom"

// mounted is a service that an endpoint was mounted in.
type mounted struct {
	origin, issuer string
	source         *keysFake
	clock          *keysClock
}

// mount serves an endpoint whose issuer is the server's origin and a path.
func mount(t *testing.T, issuerPath string, paths tokenendpoint.Paths) mounted {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	client := func(id string, grantTypes []string, methods ...store.AuthMethod) store.Client {
		c := store.Client{Metadata: store.Metadata{ID: id, GrantTypes: grantTypes, Scope: "read"}, AuthMethods: methods}
		if methods == nil {
			c.Secrets = []store.Secret{{Hash: store.HashSecret("secret")}}
		}
		return c
	}
	everything := []string{"client_credentials", string(mountCustom), "authorization_code", "password", "refresh_token", "implicit"}
	m := mounted{origin: server.URL, issuer: server.URL + issuerPath, clock: newKeysClock(keysStart)}
	m.source = &keysFake{keys: []tokenendpoint.Key{keysOf("1", tokenendpoint.ES256, nil, nil, nil)}}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:  m.issuer,
		Clients: memory.NewClients(client("confidential", everything), client("public", everything, store.NoAuth)),
		Scopes:  memory.NewScopes(store.Scope{Name: "read"}),
		Keys:    m.source,
		Grants:  []tokenendpoint.GrantValidator{mountCustom, grants.ClientCredentials{}},
		Paths:   paths,
		Logger:  new(keysLog).Logger(),
		Now:     m.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint.Mount(mux)
	return m
}

// mountAnswer is an answer of the service, read.
type mountAnswer struct {
	status int
	header http.Header
	body   string
}

// do sends a request. Headers come in pairs; a body makes it a form.
func (m mounted) do(t *testing.T, method, target, body string, headers ...string) mountAnswer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	noRedirect := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := noRedirect.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return mountAnswer{response.StatusCode, response.Header, string(content)}
}

func (m mounted) get(t *testing.T, target string, headers ...string) mountAnswer {
	t.Helper()
	return m.do(t, "GET", target, "", headers...)
}

// metadata returns the document at a URL, whatever its members are.
func (m mounted) metadata(t *testing.T, target string) map[string]any {
	t.Helper()
	answer := m.get(t, target)
	var document map[string]any
	if err := json.Unmarshal([]byte(answer.body), &document); err != nil || answer.status != http.StatusOK {
		t.Fatalf("%s: %d %s", target, answer.status, answer.body)
	}
	return document
}

// inserted and appended are where RFC 8414 section 3 and Discovery section 4 have
// the metadata of an issuer.
func (m mounted) inserted(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(m.issuer)
	if err != nil {
		t.Fatal(err)
	}
	return m.origin + "/.well-known/oauth-authorization-server" + strings.TrimSuffix(u.Path, "/")
}

func (m mounted) appended() string {
	return strings.TrimSuffix(m.issuer, "/") + "/.well-known/openid-configuration"
}
