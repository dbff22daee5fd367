package main

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// app is an application that a user let in.
type app struct {
	ID    string
	Name  string
	Since time.Time // the oldest sign-in that still lives
}

func (s *site) showApps(w http.ResponseWriter, r *http.Request, v visitor) {
	p := page{Title: "Apps that have access", Here: "/apps"}
	if r.URL.Query().Get("done") == "revoke" {
		p.Notice = "The application has no access any more."
	}
	apps, err := s.appsOf(r, v.Sub)
	if err != nil {
		s.showAppsTrouble(w, r, v, err)
		return
	}
	p.Apps = apps
	s.showFor(w, http.StatusOK, "apps", v, p)
}

// appsOf puts together what each application has.
func (s *site) appsOf(r *http.Request, sub string) ([]app, error) {
	families, err := s.endpoint.Families(r.Context(), sub) // newest first
	if err != nil {
		return nil, err
	}
	var apps []app
	for _, family := range families {
		i := slices.IndexFunc(apps, func(a app) bool { return a.ID == family.ClientID })
		if i >= 0 {
			apps[i].Since = family.CreatedAt
			continue
		}
		name := family.ClientID
		client, err := s.endpoint.Client(r.Context(), family.ClientID)
		switch {
		case err == nil:
			name = nameOf(client)
		case !errors.Is(err, tokenendpoint.InvalidClient): // one that is gone has no name
			return nil, err
		}
		apps = append(apps, app{ID: family.ClientID, Name: name, Since: family.CreatedAt})
	}
	return apps, nil
}

// submitApps takes an application's access away.
func (s *site) submitApps(w http.ResponseWriter, r *http.Request, v visitor) {
	clientID := r.PostFormValue("client_id")
	if clientID == "" || r.PostFormValue("action") != "revoke" { // an empty one would match them all
		http.Redirect(w, r, s.base+"/apps", http.StatusSeeOther)
		return
	}
	s.consents.forget(v.Sub, clientID)
	if _, err := s.endpoint.Revoke(r.Context(), store.Match{Subject: v.Sub, ClientID: clientID}); err != nil {
		s.showAppsTrouble(w, r, v, err)
		return
	}
	http.Redirect(w, r, s.base+"/apps?done=revoke", http.StatusSeeOther)
}

// showAppsTrouble: no list may look like an empty one.
func (s *site) showAppsTrouble(w http.ResponseWriter, r *http.Request, v visitor, err error) {
	s.logger.ErrorContext(r.Context(), "the page of applications does not work", "error", err.Error())
	w.Header().Set("Retry-After", "5")
	s.showFor(w, http.StatusServiceUnavailable, "notice", v, page{Title: "That did not work", Here: "/apps",
		Problem: "This does not work at the moment. Please try again."})
}
