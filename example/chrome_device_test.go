package main

import (
	"net/url"
	"strings"
)

// television asks to be let in, and shows a user code.
func (v *walker) television() (device *asking, userCode, address, whole string) {
	v.t.Helper()
	device, members := v.ask("/connect/deviceauthorization", "urn:ietf:params:oauth:grant-type:device_code", "device_code",
		url.Values{"client_id": {"device"}, "scope": {"openid photos"}})
	return device, members["user_code"].(string), members["verification_uri"].(string), members["verification_uri_complete"].(string)
}

// sloppily is how people type a code.
func sloppily(userCode string) string {
	return strings.Join(strings.Split(strings.ToLower(strings.ReplaceAll(userCode, "-", "")), ""), " ")
}

func letTheTelevisionIn(v *walker) {
	television, code, address, _ := v.television()
	v.open(address)
	v.logIn("a password")
	v.fill("input[name=user_code]", sloppily(code))
	v.press("button[value=find]")
	v.shows("Living Room TV", "photos", code)
	television.undecided()
	v.screen("device")
	v.press("button[value=allow]")
	v.isBob("device", television.approved()["id_token"])
}

// A link alone lets nobody in, however often it is opened: somebody else may have
// sent it (RFC 8628 section 5.4).
func followTheLink(v *walker) {
	television, code, _, whole := v.television()
	v.open(whole)
	v.logIn("a password")
	television.undecided()
	v.open(whole)
	television.undecided()
	if typed := eval[string](v.tab, "document.querySelector('input[name=user_code]').value"); typed != code {
		v.t.Fatalf("the form has the code %q, and the link %q", typed, code)
	}
	v.press("button[value=find]")
	v.shows("Living Room TV", code)
	television.undecided()
	v.press("button[value=allow]")
	v.isBob("device", television.approved()["id_token"])
}

func keepTheTelevisionOut(v *walker) {
	television, code, address, _ := v.television()
	v.open(address)
	v.logIn("a password")
	v.fill("input[name=user_code]", code)
	v.press("button[value=find]")
	v.press("button[value=deny]")
	television.refused()
}

// Who mistypes is told, and can go on from there.
func mistypeTheCode(v *walker) {
	television, code, address, _ := v.television()
	v.open(address)
	v.logIn("a password")
	v.fill("input[name=user_code]", "BBBB")
	v.press("button[value=find]")
	if !v.has("[role=alert]") || v.has("button[value=allow]") {
		v.t.Fatalf("there is no alert, or something to allow:\n%s", v.text())
	}
	v.open(address)
	v.fill("input[name=user_code]", code)
	v.press("button[value=find]")
	v.shows("Living Room TV")
	television.undecided()
}
