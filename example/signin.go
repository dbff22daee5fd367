package main

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// submit takes what one of the pages sent.
func (a *authorization) submit(w http.ResponseWriter, r *http.Request, req *authorizationRequest) {
	signedIn, ok := a.sessions.of(r)
	if !sameBrowser(r, signedIn) {
		showPage(w, http.StatusForbidden, "problem", page{Base: a.base, Title: "That did not work",
			Problem: "The form did not come from a page of ours in this browser, or cookies are off."}, "")
		return
	}
	switch action := r.PostFormValue("action"); {
	case action == "deny", action == "cancel":
		a.back(w, r, req, problem{"access_denied", ""})
	case action == "login":
		a.login(w, r, req)
	case action == "allow" && ok && a.users.bySub(signedIn.sub) != nil && !req.wantsLogin(signedIn):
		a.consents.give(signedIn.sub, req)
		a.finish(w, r, req, signedIn)
	default:
		a.ask(w, r, req)
	}
}

// login signs a user in and shows the page again, by GET.
func (a *authorization) login(w http.ResponseWriter, r *http.Request, req *authorizationRequest) {
	name := r.PostFormValue("username")
	counted := attempt(r, name)
	if a.users.byName(name) == nil {
		counted.ClientID = ""
	}
	wait, err := a.throttle.Blocked(r.Context(), counted)
	switch {
	case err != nil:
		a.showLogin(w, r, req, http.StatusServiceUnavailable, "Signing in does not work at the moment. Please try again.")
		return
	case wait > 0:
		a.showLogin(w, r, req, http.StatusTooManyRequests, "Too many attempts. Please wait a minute.")
		return
	}
	u := a.users.login(name, r.PostFormValue("password"))
	if u == nil {
		if err := a.throttle.Failed(r.Context(), counted); err != nil {
			a.logger.ErrorContext(r.Context(), "a failed sign-in was not counted", "error", err.Error())
		}
		if counted.ClientID != "" { // where made-up names are refused a wrong password is: 429 tells nobody's name
			counted.ClientID = ""
			if wait, err := a.throttle.Blocked(r.Context(), counted); err != nil || wait > 0 {
				a.showLogin(w, r, req, http.StatusTooManyRequests, "Too many attempts. Please wait a minute.")
				return
			}
		}
		a.showLogin(w, r, req, http.StatusUnauthorized, "The user name or the password is not right.")
		return
	}
	a.sessions.begin(w, u.Sub)
	query := r.URL.Query() // the wish for a sign-in is fulfilled
	prompts := slices.DeleteFunc(strings.Fields(query.Get("prompt")), func(p string) bool { return p == "login" || p == "select_account" })
	query.Set("prompt", strings.Join(prompts, " "))
	query.Del("max_age")
	http.Redirect(w, r, a.base+"/connect/authorize?"+query.Encode(), http.StatusSeeOther)
}

func (a *authorization) showLogin(w http.ResponseWriter, r *http.Request, req *authorizationRequest, status int, trouble string) {
	showPage(w, status, "login", page{Base: a.base, Title: "Sign in", Client: req.name(), CSRF: a.sessions.csrf(w, r), Problem: trouble}, req.redirect)
}

func (a *authorization) showConsent(w http.ResponseWriter, r *http.Request, req *authorizationRequest, s session) {
	showPage(w, http.StatusOK, "consent", page{Base: a.base, Title: "Allow access?", Client: req.name(), User: a.users.bySub(s.sub).Username,
		Scopes: req.scopes, CSRF: s.csrf}, req.redirect)
}

// showProblem is for errors that are not sent to the application.
func (a *authorization) showProblem(w http.ResponseWriter, err error) {
	status, text := http.StatusBadRequest, "The application that brought you here is not known."
	var known problem
	switch {
	case errors.As(err, &known):
		text = known.description
	case errors.Is(err, tokenendpoint.TemporarilyUnavailable):
		status, text = http.StatusServiceUnavailable, "This does not work at the moment. Please try again."
	}
	showPage(w, status, "problem", page{Base: a.base, Title: "That did not work", Problem: text}, "")
}

func (req *authorizationRequest) name() string {
	if req.client.Name != "" {
		return req.client.Name
	}
	return req.client.ID
}

// consents remembers what users agreed to, until the shop restarts.
type consents struct {
	mu  sync.Mutex
	all map[string][]string
}

func (c *consents) key(sub string, req *authorizationRequest) string {
	return url.Values{"u": {sub}, "c": {req.client.ID}}.Encode()
}

func (c *consents) given(sub string, req *authorizationRequest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	agreed := c.all[c.key(sub, req)]
	return !slices.ContainsFunc(req.scopes, func(scope string) bool { return !slices.Contains(agreed, scope) })
}

func (c *consents) give(sub string, req *authorizationRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = make(map[string][]string)
	}
	key := c.key(sub, req)
	for _, scope := range req.scopes {
		if !slices.Contains(c.all[key], scope) {
			c.all[key] = append(c.all[key], scope)
		}
	}
}
