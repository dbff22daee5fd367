package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// callAPI asks the shop's API, by no header if there is no authorization.
func callAPI(t *testing.T, client *http.Client, target, authorization string) (status int, challenge string, said map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &said); err != nil {
		t.Fatalf("%v: %q", err, body)
	}
	return response.StatusCode, strings.Join(response.Header.Values("WWW-Authenticate"), "\n"), said
}

// machineToken gets a token for a seed that acts for itself.
func machineToken(t *testing.T, issuer, id string) string {
	t.Helper()
	status, members := post(t, issuer+"/connect/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {"secret"}})
	token, _ := members["access_token"].(string)
	if status != http.StatusOK || token == "" {
		t.Fatalf("status %d, error %v", status, members["error"])
	}
	return token
}

// introspect returns whether a client is told that a token is active.
func introspect(t *testing.T, issuer, id, token string) any {
	t.Helper()
	status, members := post(t, issuer+"/connect/introspect", url.Values{"client_id": {id}, "client_secret": {"secret"}, "token": {token}})
	if status != http.StatusOK {
		t.Fatalf("status %d, error %v", status, members["error"])
	}
	return members["active"]
}

func TestATokenOpensTheAPIUntilItIsRevoked(t *testing.T) {
	issuer := start(t, "-store", "memory:")
	for name, id := range map[string]string{"a JWT": "client", "an opaque token": "opaque"} {
		t.Run(name, func(t *testing.T) {
			token := machineToken(t, issuer, id)
			if isJWT := strings.Count(token, ".") == 2; isJWT != (id == "client") {
				t.Fatalf("is it a JWT? %t", isJWT)
			}
			status, _, said := callAPI(t, http.DefaultClient, issuer+"/resource", "Bearer "+token)
			if status != http.StatusOK || said["client_id"] != id || said["sub"] != id || said["scope"] != "api1" || said["bound"] != false {
				t.Errorf("status %d, %v", status, said)
			}
			if active := introspect(t, issuer, id, token); active != true {
				t.Errorf("active is %v", active)
			}
			if active := introspect(t, issuer, "admin", token); active != false {
				t.Errorf("another client is told that active is %v", active)
			}
			response, err := http.PostForm(issuer+"/connect/revocation", url.Values{"client_id": {id}, "client_secret": {"secret"}, "token": {token}})
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			status, challenge, said := callAPI(t, http.DefaultClient, issuer+"/resource", "Bearer "+token)
			if response.StatusCode != http.StatusOK || status != http.StatusUnauthorized || said["error"] != "invalid_token" || !strings.Contains(challenge, `error="invalid_token"`) {
				t.Errorf("revoked with %d, then %d %v, %s", response.StatusCode, status, said, challenge)
			}
			if active := introspect(t, issuer, id, token); active != false {
				t.Errorf("active is %v", active)
			}
		})
	}
}

func TestTheAdminRouteNeedsItsScope(t *testing.T) {
	issuer := start(t, "-store", "memory:")
	status, challenge, _ := callAPI(t, http.DefaultClient, issuer+"/admin", "Bearer "+machineToken(t, issuer, "client"))
	if status != http.StatusForbidden || !strings.Contains(challenge, `error="insufficient_scope"`) || !strings.Contains(challenge, `scope="api1 admin"`) {
		t.Errorf("status %d, %s", status, challenge)
	}
	status, _, said := callAPI(t, http.DefaultClient, issuer+"/admin", "Bearer "+machineToken(t, issuer, "admin"))
	if status != http.StatusOK || said["path"] != "/admin" || said["client_id"] != "admin" {
		t.Errorf("status %d, %v", status, said)
	}
}

// 9728-3-01, 9728-5.1-01: who comes without a token learns where to get one.
func TestTheAPITellsWhoseTokensItTakes(t *testing.T) {
	issuer := start(t, "-store", "memory:")
	status, challenge, _ := callAPI(t, http.DefaultClient, issuer+"/resource", "")
	_, rest, found := strings.Cut(challenge, `resource_metadata="`)
	metadataURL, _, _ := strings.Cut(rest, `"`)
	if status != http.StatusUnauthorized || !found || strings.Contains(challenge, "error=") {
		t.Fatalf("status %d, %s", status, challenge)
	}
	status, _, metadata := callAPI(t, http.DefaultClient, metadataURL, "")
	servers, _ := metadata["authorization_servers"].([]any)
	if status != http.StatusOK || metadata["resource"] != issuer || len(servers) != 1 || servers[0] != issuer {
		t.Fatalf("status %d, %v", status, metadata)
	}
	status, _, server := callAPI(t, http.DefaultClient, issuer+"/.well-known/oauth-authorization-server", "")
	if status != http.StatusOK || server["introspection_endpoint"] != issuer+"/connect/introspect" || server["revocation_endpoint"] != issuer+"/connect/revocation" {
		t.Errorf("status %d, %v", status, server)
	}
}

// 8705-3-02: a token that is bound to a certificate is of no use without it.
func TestACertificateBoundTokenNeedsItsCertificate(t *testing.T) {
	shop := startTLS(t, "-store", "memory:")
	mtls, other := shop.client(shop.pair("mtls")), shop.client(shop.pair("self-signed"))
	status, members := postBy(t, mtls, shop.issuer+"/connect/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"mtls"}, "scope": {"api1"}})
	token, _ := members["access_token"].(string)
	if status != http.StatusOK {
		t.Fatalf("status %d, error %v", status, members["error"])
	}
	for name, c := range map[string]struct {
		client *http.Client
		status int
	}{"its own": {mtls, http.StatusOK}, "another": {other, http.StatusUnauthorized}, "none": {shop.client(), http.StatusUnauthorized}} {
		t.Run("with certificate: "+name, func(t *testing.T) {
			if status, _, said := callAPI(t, c.client, shop.issuer+"/resource", "Bearer "+token); status != c.status {
				t.Errorf("status %d, %v", status, said)
			}
		})
	}
}
