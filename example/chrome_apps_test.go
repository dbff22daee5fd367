package main

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/chromedp/chromedp"
)

func takeAccessAway(v *walker) {
	v.openTheApplication()
	v.logIn("a password")
	v.press("button[value=allow]")
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {"app"}, "client_secret": {"secret"},
		"refresh_token": {v.redeem(v.came(v.callback)).RefreshToken}}
	if status, members := post(v.t, v.Endpoint.TokenURL, refresh); status != http.StatusOK {
		v.t.Fatalf("before: status %d, error %v", status, members["error"])
	}
	v.open(v.shop + "/apps")
	v.shows("Photo Album")
	v.screen("apps")
	v.press("button[value=revoke]")
	if _, members := post(v.t, v.Endpoint.TokenURL, refresh); members["error"] != "invalid_grant" {
		v.t.Errorf("access was taken away, and the refresh token says: error %v", members["error"])
	}
	v.open(v.shop + "/apps")
	if strings.Contains(v.text(), "Photo Album") || v.has("button[value=revoke]") {
		v.t.Errorf("access was taken away, and the list has it:\n%s", v.text())
	}
	v.openTheApplication() // what was agreed to is forgotten too
	v.shows("Photo Album")
	if !v.has("button[value=allow]") {
		v.t.Errorf("bob is not asked again:\n%s", v.text())
	}
}

func signOut(v *walker) {
	pages := []string{"/device", "/requests", "/apps"}
	v.open(v.shop)
	v.follow("a[href='/apps']")
	v.logIn("a password")
	for _, path := range pages {
		if v.follow("a[href='" + path + "']"); v.at() != path || v.has("input[name=password]") {
			v.t.Fatalf("bob has signed in, and the link to %s leads to %s:\n%s", path, v.at(), v.text())
		}
	}
	v.press("button[value=signout]")
	v.do(chromedp.NavigateBack())
	if v.at() != "/apps" || !v.has("input[name=password]") {
		v.t.Errorf("bob has signed out, and the way back leads to %s:\n%s", v.at(), v.text())
	}
	for _, path := range pages {
		if v.open(v.shop + path); !v.has("input[name=password]") || v.has("button[value=signout]") {
			v.t.Errorf("bob has signed out, and %s asks for no password:\n%s", path, v.text())
		}
	}
	v.openTheApplication()
	if !v.has("input[name=password]") {
		v.t.Errorf("bob has signed out, and an application gets in without a password:\n%s", v.text())
	}
}
