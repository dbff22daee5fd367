package main

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
)

// visitor is a user who is signed in.
type visitor struct {
	session
	*user
}

func (s *site) visitor(r *http.Request) (visitor, bool) {
	signedIn, ok := s.sessions.of(r)
	if !ok {
		return visitor{}, false
	}
	u := s.users.bySub(signedIn.sub)
	return visitor{signedIn, u}, u != nil
}

// grant is what a user who agrees grants: it says how they signed in.
func (s session) grant() store.Grant {
	return store.Grant{Subject: s.sub, AuthTime: s.authTime, AMR: []string{"pwd"}, Session: s.id}
}

// enters is the visitor as wrong user codes are counted.
func (v visitor) enters(r *http.Request) grants.Visitor {
	return grants.Visitor{Subject: v.Sub, RemoteAddr: callerAddr(r)}
}

// callerAddr is the address of the connection, invalid if unknown.
func callerAddr(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	return addr.Addr()
}

// visit shows a page to a visitor, or takes what its form sent.
type visit func(w http.ResponseWriter, r *http.Request, v visitor)

// mountPage adds a page for users who are signed in. Others sign in in its place, and
// are where they wanted to be.
func (s *site) mountPage(mux *http.ServeMux, path, purpose string, show, submit visit) {
	mux.HandleFunc("GET "+s.base+path, func(w http.ResponseWriter, r *http.Request) {
		if v, ok := s.visitor(r); ok {
			show(w, r, v)
			return
		}
		s.showLogin(w, r, http.StatusOK, page{Purpose: purpose}, "")
	})
	mux.HandleFunc("POST "+s.base+path, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		v, ok := s.visitor(r)
		action := r.PostFormValue("action")
		switch {
		case !ok && !slices.Contains([]string{"login", "cancel"}, action): // the session ended meanwhile
			s.see(w, r, path, r.PostForm)
		case !sameBrowser(r, v.session):
			s.showForeignForm(w)
		case action == "cancel":
			http.Redirect(w, r, "/", http.StatusSeeOther)
		case action != "login":
			submit(w, r, v)
		default:
			if status, problem := s.signIn(w, r); problem != "" {
				s.showLogin(w, r, status, page{Purpose: purpose, Problem: problem}, "")
				return
			}
			s.see(w, r, path, r.URL.Query())
		}
	})
}

// see leads to a page by GET. A user code that was entered stays entered.
func (s *site) see(w http.ResponseWriter, r *http.Request, path string, entered url.Values) {
	if code := entered.Get("user_code"); code != "" {
		path += "?" + url.Values{"user_code": {code}}.Encode()
	}
	http.Redirect(w, r, s.base+path, http.StatusSeeOther)
}
