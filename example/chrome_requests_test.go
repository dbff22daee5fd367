package main

import (
	"net/url"
	"strings"

	"github.com/chromedp/chromedp"
)

// till asks for bob.
func (v *walker) till(message string) *asking {
	v.t.Helper()
	till, _ := v.ask("/connect/ciba", "urn:openid:params:grant-type:ciba", "auth_req_id",
		url.Values{"client_id": {"ciba"}, "client_secret": {"secret"}, "scope": {"openid photos"}, "login_hint": {"bob"}, "binding_message": {message}})
	return till
}

func answerTheTill(v *walker) {
	v.open(v.shop + "/requests")
	v.logIn("a password")
	if v.has("button[value=allow]") {
		v.t.Fatalf("nobody has asked, and there is something to allow:\n%s", v.text())
	}
	till := v.till("Sale 4711")
	v.load(chromedp.Reload())
	v.shows("Till 3", "photos", "Sale 4711")
	till.undecided()
	v.screen("requests")
	v.press("button[value=allow]")
	v.isBob("ciba", till.approved()["id_token"])
	v.open(v.shop + "/requests")
	if v.has("button[value=allow]") {
		v.t.Errorf("it is decided, and asked still:\n%s", v.text())
	}
}

// The other request is another matter. The longest message is no wider than the page.
func refuseTheTill(v *walker) {
	tills := map[string]*asking{"Sale 1": v.till("Sale 1"), "Sale 2": v.till("Sale 2" + strings.Repeat("0", 94))}
	v.open(v.shop + "/requests")
	v.logIn("a password")
	v.shows("Sale 1", "Sale 20000")
	refused := eval[string](v.tab, "document.querySelector('section:last-of-type').innerText.match(/Sale [12]/)[0]")
	v.press("section:last-of-type button[value=deny]")
	for message, till := range tills {
		if message == refused {
			till.refused()
		} else {
			till.undecided()
		}
	}
}
