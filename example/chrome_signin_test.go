package main

import "net/url"

func allowTheApplication(v *walker) {
	v.openTheApplication()
	v.screen("login")
	v.logIn("a password")
	v.shows("bob", "Photo Album", "photos")
	v.screen("consent")
	v.press("button[value=allow]")
	v.redeem(v.came(v.callback))
}

func mistakeThePassword(v *walker) {
	v.openTheApplication()
	v.logIn("a guess")
	if !v.has("[role=alert]") || !v.has("input[name=password]") {
		v.t.Fatalf("there is no alert, or no form any more:\n%s", v.text())
	}
	v.logIn("a password")
	v.shows("bob", "Photo Album")
	if v.has("[role=alert]") {
		v.t.Error("the alert is there still")
	}
}

func refuseTheApplication(v *walker) {
	v.openTheApplication()
	v.press("button[value=cancel]")
	if problem := v.came(v.callback).Get("error"); problem != "access_denied" {
		v.t.Errorf("without signing in the error is %q", problem)
	}
	v.openTheApplication()
	v.logIn("a password")
	v.press("button[value=deny]")
	if answer := v.came(v.callback); answer.Get("error") != "access_denied" || answer.Has("code") {
		v.t.Errorf("error %q, and a code: %v", answer.Get("error"), answer.Has("code"))
	}
}

func cameFromNowhere(v *walker) {
	v.open(v.shop + "/connect/authorize?client_id=nobody&response_type=code&redirect_uri=" + url.QueryEscape(v.callback))
	if v.at() != "/connect/authorize" || !v.has("[role=alert]") || v.has("form") {
		v.t.Errorf("there is no alert, or something to fill in:\n%s", v.text())
	}
}
