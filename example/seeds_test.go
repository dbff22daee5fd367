package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func post(t *testing.T, endpoint string, form url.Values) (int, map[string]any) {
	t.Helper()
	return postBy(t, http.DefaultClient, endpoint, form)
}

func postBy(t *testing.T, client *http.Client, endpoint string, form url.Values) (int, map[string]any) {
	t.Helper()
	response, err := client.PostForm(endpoint, form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatalf("the body is not JSON: %v", err)
	}
	return response.StatusCode, members
}

func TestTheRequestsOfTheDocumentationWorkAsPrinted(t *testing.T) {
	issuer := start(t)
	for name, c := range map[string]struct{ form, scope string }{
		"client1 asks for scope1":             {"client_id=client1&client_secret=secret&grant_type=client_credentials&scope=scope1", "scope1"},
		"m2m asks for api":                    {"client_id=m2m&client_secret=secret&grant_type=client_credentials&scope=api", "api"},
		"client asks for api1":                {"client_id=client&client_secret=secret&grant_type=client_credentials&scope=api1", "api1"},
		"app.client asks for its two scopes":  {"client_id=app.client&client_secret=PasswordInPlainText&grant_type=client_credentials&scope=app.scope1+app.scope2", "app.scope1 app.scope2"},
		"app.client asks for nothing special": {"client_id=app.client&client_secret=PasswordInPlainText&grant_type=client_credentials", "app.scope1 app.scope2"},
		"client asks with bob's password":     {"client_id=client&client_secret=secret&grant_type=password&scope=api1&username=bob&password=bob", "api1"},
		"client uses the custom grant":        {"client_id=client&client_secret=secret&grant_type=custom&custom_parameter=custom+value&scope=api1", "api1"},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := url.ParseQuery(c.form)
			if err != nil {
				t.Fatal(err)
			}
			status, members := post(t, issuer+"/connect/token", form)
			if status != http.StatusOK || members["scope"] != c.scope || members["expires_in"] != 3600.0 {
				t.Fatalf("status %d, error %v, scope %v, expires_in %v", status, members["error"], members["scope"], members["expires_in"])
			}
			if claims := verify(t, issuer, members["access_token"].(string)); claims["iss"] != issuer {
				t.Errorf("iss is %v, not %s", claims["iss"], issuer)
			}
			if form.Get("grant_type") == "custom" && members["custom_parameter"] != "custom value" {
				t.Errorf("custom_parameter is %v", members["custom_parameter"])
			}
		})
	}
}

// The same for what a user decides on, with a script in the user's place.
func TestTheRequestsThatAUserDecidesWorkAsPrinted(t *testing.T) {
	issuer := start(t, "-demo")
	for name, c := range map[string]struct{ path, begin, names, finish string }{
		"device redeems a device_code": {"/connect/deviceauthorization", "client_id=device", "user_code",
			"client_id=device&grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code="},
		"ciba redeems an auth_req_id": {"/connect/ciba", "client_id=ciba&client_secret=secret&scope=openid+profile+api1+offline_access&login_hint=bob", "auth_req_id",
			"client_id=ciba&client_secret=secret&grant_type=urn:openid:params:grant-type:ciba&auth_req_id="},
	} {
		t.Run(name, func(t *testing.T) {
			begin, err := url.ParseQuery(c.begin)
			if err != nil {
				t.Fatal(err)
			}
			status, begun := post(t, issuer+c.path, begin)
			if status != http.StatusOK || begun["interval"] != 5.0 {
				t.Fatalf("status %d, error %v, interval %v", status, begun["error"], begun["interval"])
			}
			shown, _ := begun[c.names].(string)
			if status, problem := decide(t, http.DefaultClient, issuer, url.Values{"action": {"allow"}, "user": {"bob"}, c.names: {shown}}); status != http.StatusNoContent {
				t.Fatalf("status %d, error %q", status, problem)
			}
			handle := begun["auth_req_id"]
			if begun["device_code"] != nil {
				handle = begun["device_code"]
			}
			finish, err := url.ParseQuery(c.finish + handle.(string))
			if err != nil {
				t.Fatal(err)
			}
			status, members := post(t, issuer+"/connect/token", finish)
			if status != http.StatusOK {
				t.Fatalf("status %d, error %v", status, members["error"])
			}
			if claims := verify(t, issuer, members["access_token"].(string)); claims["sub"] != "2" || claims["client_id"] != begin.Get("client_id") {
				t.Errorf("sub is %v, client_id is %v", claims["sub"], claims["client_id"])
			}
			if begin.Has("scope") != (members["refresh_token"] != nil) { // offline_access was asked for, or not
				t.Errorf("scope is %v, and a refresh token was given: %v", members["scope"], members["refresh_token"] != nil)
			}
		})
	}
}

// The client that most Go programs use gets a token in both styles, and an API
// that trusts the JWKS takes it.
func TestOAuth2ClientCredentialsGetsAndUsesTokens(t *testing.T) {
	issuer := start(t)
	api := apiServer(t, issuer)
	for name, style := range map[string]oauth2.AuthStyle{"header": oauth2.AuthStyleInHeader, "body": oauth2.AuthStyleInParams} {
		t.Run("credentials in the "+name, func(t *testing.T) {
			config := clientcredentials.Config{
				ClientID: "client1", ClientSecret: "secret", Scopes: []string{"scope1"},
				TokenURL: issuer + "/connect/token", AuthStyle: style,
			}
			response, err := config.Client(context.Background()).Get(api)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || string(body) != "client1" {
				t.Errorf("the API answered %d %q", response.StatusCode, body)
			}
		})
		t.Run("a wrong secret in the "+name, func(t *testing.T) {
			config := clientcredentials.Config{ClientID: "client1", ClientSecret: "wrong", TokenURL: issuer + "/connect/token", AuthStyle: style}
			_, err := config.Token(context.Background())
			if err == nil || !strings.Contains(err.Error(), "invalid_client") {
				t.Errorf("err = %v, want invalid_client", err)
			}
		})
	}
}

func TestConfigReplacesTheSeeds(t *testing.T) {
	issuer := start(t, "-config", configFileWith(t, `{
		"clients": [
			{"client_id": "svc", "client_name": "A service", "grant_types": ["client_credentials"], "scope": "read write",
			 "client_secrets": [{"value": "old", "expires_at": 1000000000, "label": "last year's"},
			                    {"value": "new", "expires_at": "2999-01-01T00:00:00Z"},
			                    {"hash": "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}],
			 "token_endpoint_auth_methods": ["client_secret_post"],
			 "access_token_lifetime": 120, "claims": {"tenant": "blue"}},
			{"client_id": "off", "grant_types": ["client_credentials"], "scope": "read", "disabled": true, "client_secrets": [{"value": "new"}]}
		],
		"scopes": [{"name": "read", "resources": ["https://api.example"]}, {"name": "write"}, {"name": "openid", "identity": true}],
		"users": [{"sub": "1", "username": "bob", "password": "bob", "claims": {"email": "bob@shop.example"}}]
	}`))
	token := issuer + "/connect/token"
	request := func(id, secret string) (int, map[string]any) {
		return post(t, token, url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}, "client_id": {id}, "client_secret": {secret}})
	}
	status, members := request("svc", "new")
	if status != http.StatusOK || members["expires_in"] != 120.0 {
		t.Fatalf("status %d, error %v, expires_in %v", status, members["error"], members["expires_in"])
	}
	if claims := verify(t, issuer, members["access_token"].(string)); claims["tenant"] != "blue" || claims["aud"] != "https://api.example" {
		t.Errorf("tenant is %v, aud is %v", claims["tenant"], claims["aud"])
	}
	for _, c := range [][2]string{{"svc", "old"}, {"off", "new"}, {"client1", "secret"}} {
		if status, members := request(c[0], c[1]); status != http.StatusUnauthorized || members["error"] != "invalid_client" {
			t.Errorf("%s: status %d, error %v", c[0], status, members["error"])
		}
	}
}
