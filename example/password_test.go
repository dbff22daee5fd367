package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func (in *inside) askByPassword(username, password string) (int, map[string]any) {
	in.t.Helper()
	return postBy(in.t, in.client, shopURL+"/connect/token", url.Values{"client_id": {"client"}, "client_secret": {"secret"},
		"grant_type": {"password"}, "scope": {"openid api1"}, "username": {username}, "password": {password}})
}

func TestAPasswordIsWorthTokens(t *testing.T) {
	in := newInside(t)
	for _, wrong := range [][2]string{{"bob", "wrong"}, {"nobody", "bob"}} {
		if status, members := in.askByPassword(wrong[0], wrong[1]); status != http.StatusBadRequest || members["error"] != "invalid_grant" {
			t.Errorf("%s: status %d, error %v", wrong[0], status, members["error"])
		}
	}
	status, members := in.askByPassword("bob", "bob")
	if status != http.StatusOK {
		t.Fatalf("status %d, error %v", status, members["error"])
	}
	var claims struct {
		Sub string
		AMR []string
	}
	if err := decodePart(strings.Split(members["id_token"].(string), ".")[1], &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Sub != "2" || len(claims.AMR) != 1 || claims.AMR[0] != "pwd" {
		t.Errorf("claims %+v", claims)
	}
}

// Who guesses at the token endpoint has no further guesses at the page, and the other
// way round.
func TestGuessesAreCountedTogether(t *testing.T) {
	t.Run("The page sees those of the token endpoint", func(t *testing.T) {
		in := newInside(t)
		for range 10 {
			in.askByPassword("bob", "wrong")
		}
		b := in.browser()
		b.open(shopURL + "/apps")
		b.submit("action", "login", "username", "bob", "password", "bob")
		b.shows(http.StatusTooManyRequests, "Too many attempts")
	})
	t.Run("The token endpoint sees those of all pages", func(t *testing.T) {
		in := newInside(t)
		b := in.browser()
		for _, page := range []string{"/apps", "/connect/authorize?client_id=client1&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(callback)} {
			b.open(shopURL + page)
			for range 5 {
				b.submit("action", "login", "username", "bob", "password", "wrong")
				b.shows(http.StatusUnauthorized, "not right")
			}
		}
		if status, members := in.askByPassword("bob", "bob"); status != http.StatusTooManyRequests {
			t.Errorf("status %d, error %v", status, members["error"])
		}
	})
}
