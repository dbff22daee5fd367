package main

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// submit takes what one of the pages sent.
func (a *authorization) submit(w http.ResponseWriter, r *http.Request, req *authorizationRequest) {
	v, ok := a.visitor(r)
	if !sameBrowser(r, v.session) {
		a.showForeignForm(w)
		return
	}
	switch action := r.PostFormValue("action"); {
	case action == "deny", action == "cancel":
		a.back(w, r, req, problem{"access_denied", ""})
	case action == "login":
		a.login(w, r, req)
	case action == "allow" && ok && !req.wantsLogin(v.session):
		a.consents.give(v.Sub, req)
		a.finish(w, r, req, v.session)
	default:
		a.ask(w, r, req)
	}
}

// login signs a user in and shows the page again, by GET.
func (a *authorization) login(w http.ResponseWriter, r *http.Request, req *authorizationRequest) {
	if status, problem := a.signIn(w, r); problem != "" {
		a.showLogin(w, r, status, page{Client: nameOf(req.client), Problem: problem}, req.redirect)
		return
	}
	query := r.URL.Query() // the wish for a sign-in is fulfilled
	prompts := slices.DeleteFunc(strings.Fields(query.Get("prompt")), func(p string) bool { return p == "login" || p == "select_account" })
	query.Set("prompt", strings.Join(prompts, " "))
	query.Del("max_age")
	http.Redirect(w, r, a.base+"/connect/authorize?"+query.Encode(), http.StatusSeeOther)
}

func (a *authorization) showConsent(w http.ResponseWriter, req *authorizationRequest, v visitor) {
	a.showPage(w, http.StatusOK, "consent", page{Title: "Allow access?", Client: nameOf(req.client), User: v.Username,
		Scopes: req.scopes, CSRF: v.csrf}, req.redirect)
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
	a.showPage(w, status, "problem", page{Title: "That did not work", Problem: text}, "")
}

// nameOf is what people are told of a client.
func nameOf(client *store.Client) string { return cmp.Or(client.Name, client.ID) }
