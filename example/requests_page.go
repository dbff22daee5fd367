package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/grantor-go/grantor/tokenendpoint"
)

func (s *site) showRequests(w http.ResponseWriter, r *http.Request, v visitor) {
	s.showRequestsWith(w, http.StatusOK, v, page{Notice: doneNotice[r.URL.Query().Get("done")]})
}

const notThere = "This request is not there any more."

// doneNotice is what is said after a decision.
var doneNotice = map[string]string{
	"allow": "You allowed it. The application goes on by itself.",
	"deny":  "You denied it. The application has no access.",
}

func (s *site) showRequestsWith(w http.ResponseWriter, status int, v visitor, p page) {
	p.Title, p.Here, p.Requests = "Requests to sign in", "/requests", s.requests.undecided(v.Sub)
	s.showFor(w, status, "requests", v, p)
}

// submitRequests takes a decision.
func (s *site) submitRequests(w http.ResponseWriter, r *http.Request, v visitor) {
	ref, action := r.PostFormValue("decision_ref"), r.PostFormValue("action")
	asked, ok := s.requests.find(v.Sub, func(other request) bool { return other.Ref == ref })
	if !ok || action != "allow" && action != "deny" {
		s.showRequestsWith(w, http.StatusNotFound, v, page{Problem: notThere})
		return
	}
	if err := s.decideRequest(r.Context(), asked, v.session, action == "allow"); err != nil {
		told := s.explain(w, r, err)
		if told.status == http.StatusNotFound { // no word of codes
			told.text = notThere
		}
		s.showRequestsWith(w, told.status, v, page{Problem: told.text})
		return
	}
	http.Redirect(w, r, s.base+"/requests?done="+action, http.StatusSeeOther)
}

// decideRequest keeps the answer of the user whom the request is for.
func (s *site) decideRequest(ctx context.Context, asked request, by session, allow bool) error {
	var err error
	if allow {
		err = s.ciba.Approve(ctx, s.endpoint, asked.decision, by.grant())
	} else {
		err = s.ciba.Deny(ctx, s.endpoint, asked.decision)
	}
	if err == nil || errors.Is(err, tokenendpoint.InvalidGrant) || errors.Is(err, tokenendpoint.InvalidClient) { // it is decided, or never will be
		s.requests.done(by.sub, asked.Ref)
	}
	return err
}
