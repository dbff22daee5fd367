package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/grantor-go/grantor/tokenendpoint"
)

var errWrongPassword = errors.New("the user name or the password is not right")

// signIn begins a session if the user name and password of the form are right.
// Otherwise it returns a status and what to tell the user.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) (status int, problem string) {
	u, err := s.login(r)
	var refusal *tokenendpoint.Error
	switch {
	case err == nil:
		s.sessions.begin(w, u.Sub)
		return http.StatusOK, ""
	case errors.Is(err, errWrongPassword):
		return http.StatusUnauthorized, "The user name or the password is not right."
	case errors.As(err, &refusal) && refusal.Reason == tokenendpoint.ReasonThrottled:
		return http.StatusTooManyRequests, "Too many attempts. Please wait some minutes."
	}
	s.logger.ErrorContext(r.Context(), "nobody can sign in", "error", err.Error())
	return http.StatusServiceUnavailable, "Signing in does not work at the moment. Please try again."
}

// login compares the password. Wrong ones are counted for the name and the network,
// together with those of the password grant, whether there is such a user or not: 429
// tells nobody's name.
func (s *site) login(r *http.Request) (u *user, err error) {
	name := r.PostFormValue("username")
	counted := tokenendpoint.Attempt{Secret: tokenendpoint.SecretPassword, User: strings.ToLower(strings.TrimSpace(name)), Network: tokenendpoint.Network(callerAddr(r))}
	err = s.endpoint.Guess(r.Context(), func() (wrong bool, err error) {
		if u = s.users.login(name, r.PostFormValue("password")); u == nil {
			return true, errWrongPassword
		}
		return false, nil
	}, counted)
	return u, err
}

func (s *site) showLogin(w http.ResponseWriter, r *http.Request, status int, p page, target string) {
	p.Title, p.CSRF = "Sign in", s.sessions.csrf(w, r)
	s.showPage(w, status, "login", p, target)
}

// showForeignForm refuses a form that another site, or another browser, has made up.
func (s *site) showForeignForm(w http.ResponseWriter) {
	s.showPage(w, http.StatusForbidden, "problem", page{Title: "That did not work",
		Problem: "The form did not come from a page of ours in this browser, or cookies are off."}, "")
}

// showSignOut asks, or says that it is done.
func (s *site) showSignOut(w http.ResponseWriter, r *http.Request) {
	v, ok := s.visitor(r)
	if !ok {
		s.showPage(w, http.StatusOK, "signout", page{Title: "You are signed out", Nav: true}, "")
		return
	}
	s.showFor(w, http.StatusOK, "signout", v, page{Title: "Sign out?"})
}

func (s *site) signOut(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if v, ok := s.visitor(r); ok && (r.PostFormValue("action") != "signout" || !sameBrowser(r, v.session)) {
		s.showForeignForm(w)
		return
	}
	s.sessions.end(w, r)
	http.Redirect(w, r, s.base+"/signout", http.StatusSeeOther)
}

// front is the shop's page.
func (s *site) front(w http.ResponseWriter, r *http.Request) {
	p := page{Title: "Welcome"}
	if v, ok := s.visitor(r); ok {
		s.showFor(w, http.StatusOK, "front", v, p)
		return
	}
	p.Nav = true
	s.showPage(w, http.StatusOK, "front", p, "")
}
