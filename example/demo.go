package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// demoDecide decides as any user, for scripts: -demo. The form has action=allow or
// deny, user=NAME, and user_code or auth_req_id. It answers 204, or an error as JSON.
func (s *site) demoDecide(w http.ResponseWriter, r *http.Request) {
	if !isLocal(r) {
		writeDemo(w, told{http.StatusForbidden, "the Host is not a loopback address"})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	action, code, id := r.PostFormValue("action"), r.PostFormValue("user_code"), r.PostFormValue("auth_req_id")
	if action != "allow" && action != "deny" || (code == "") == (id == "") || r.PostFormValue("user") == "" {
		writeDemo(w, told{http.StatusBadRequest, "the form needs action=allow or action=deny, user, and either user_code or auth_req_id"})
		return
	}
	u := s.users.byName(r.PostFormValue("user"))
	if u == nil {
		writeDemo(w, told{http.StatusNotFound, "there is no such user"})
		return
	}
	by := session{id: "demo", sub: u.Sub, authTime: time.Now()}
	decide := s.demoDevice
	if id != "" {
		code, decide = id, s.demoRequest
	}
	writeDemo(w, decide(w, r, by, code, action == "allow"))
}

func (s *site) demoDevice(w http.ResponseWriter, r *http.Request, by session, code string, allow bool) told {
	var err error
	if visitor := (grants.Visitor{Subject: by.sub}); allow {
		err = s.device.Approve(r.Context(), s.endpoint, visitor, code, by.grant())
	} else {
		err = s.device.Deny(r.Context(), s.endpoint, visitor, code)
	}
	return s.explainDemo(w, r, err)
}

func (s *site) demoRequest(w http.ResponseWriter, r *http.Request, by session, id string, allow bool) told {
	grantID, _, ok := secret.KeyOf(string(store.KindBackchannel), id)
	asked, found := s.requests.find(by.sub, func(other request) bool { return other.grantID == grantID })
	if !ok || !found {
		return told{http.StatusNotFound, "the user is not asked by this auth_req_id, or it has expired"}
	}
	return s.explainDemo(w, r, s.decideRequest(r.Context(), asked, by, allow))
}

// explainDemo: for a script, what has expired is not there.
func (s *site) explainDemo(w http.ResponseWriter, r *http.Request, err error) told {
	if err == nil {
		return told{status: http.StatusNoContent}
	}
	answer := s.explain(w, r, err)
	if answer.status == http.StatusGone {
		answer.status = http.StatusNotFound
	}
	return answer
}

// isLocal reports whether a request was meant for a loopback address. A page of
// elsewhere can have its own name lead here, and then is of the same origin.
func isLocal(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = strings.Trim(r.Host, "[]")
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func writeDemo(w http.ResponseWriter, answer told) {
	w.Header().Set("Cache-Control", "no-store")
	if answer.status == http.StatusNoContent {
		w.WriteHeader(answer.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	json.NewEncoder(w).Encode(map[string]string{"error": answer.text})
}
