package main

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

func TestConfigSaysHowLongUsersMayTake(t *testing.T) {
	path := configFileWith(t, `{"clients": [
		{"client_id": "device", "grant_types": ["`+deviceType+`"], "scope": "openid api1", "token_endpoint_auth_method": "none",
		 "device_code_lifetime": 120, "poll_interval": 2},
		{"client_id": "ciba", "grant_types": ["`+cibaType+`"], "scope": "openid api1", "client_secrets": [{"value": "secret"}],
		 "backchannel_lifetime": 60, "poll_interval": 3, "identity_providers": ["google", "staff"],
		 "backchannel_token_delivery_mode": "poll"}],
		"scopes": [{"name": "api1"}], "users": [{"sub": "2", "username": "bob", "password": "bob"}]}`)
	in := newInside(t, "-config", path)
	_, ofDevice := postBy(t, in.client, shopURL+"/connect/deviceauthorization", url.Values{"client_id": {"device"}})
	if ofDevice["expires_in"] != 120.0 || ofDevice["interval"] != 2.0 {
		t.Errorf("of the device: expires_in %v, interval %v", ofDevice["expires_in"], ofDevice["interval"])
	}
	status, ofCIBA := in.tryCIBA(url.Values{"login_hint": {"bob"}})
	if status != http.StatusOK || ofCIBA["expires_in"] != 60.0 || ofCIBA["interval"] != 3.0 {
		t.Errorf("of ciba: status %d, expires_in %v, interval %v", status, ofCIBA["expires_in"], ofCIBA["interval"])
	}
	read, err := loadConfig(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := read.clients[1]; !slices.Equal(got.IdentityProviders, []string{"google", "staff"}) || got.BackchannelLifetime != time.Minute {
		t.Errorf("identity providers %v, lifetime %v", got.IdentityProviders, got.BackchannelLifetime)
	}
}
