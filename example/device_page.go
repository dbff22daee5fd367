package main

import (
	"net/http"

	"github.com/grantor-go/grantor/grants"
)

// showDevice shows the form for a user code. One that is in the address is filled in
// (verification_uri_complete) and no more: nothing is looked up or allowed without a
// click.
func (s *site) showDevice(w http.ResponseWriter, r *http.Request, v visitor) {
	switch done := r.URL.Query().Get("done"); done {
	case "allow":
		s.showFor(w, http.StatusOK, "notice", v, page{Title: "Your device is connected", Here: "/device",
			Notice: "Go back to your device: it goes on by itself. You can close this page."})
	case "deny":
		s.showFor(w, http.StatusOK, "notice", v, page{Title: "The device was sent away", Here: "/device",
			Notice: "It has no access. You can close this page."})
	default:
		s.showDeviceForm(w, http.StatusOK, v, r.URL.Query().Get("user_code"), "")
	}
}

func (s *site) showDeviceForm(w http.ResponseWriter, status int, v visitor, typed, problem string) {
	if len(typed) > 64 {
		typed = ""
	}
	s.showFor(w, status, "device", v, page{Title: "Connect a device", Here: "/device", Code: typed, Problem: problem})
}

// submitDevice looks a user code up and, on the page that shows what it stands for,
// takes the answer.
func (s *site) submitDevice(w http.ResponseWriter, r *http.Request, v visitor) {
	typed, action := r.PostFormValue("user_code"), r.PostFormValue("action")
	code := grants.FormatUserCode(typed)
	if code == "" {
		s.showDeviceForm(w, http.StatusBadRequest, v, typed, "This is not a code. A code is eight letters, such as WDJB-MJHT.")
		return
	}
	var err error
	switch action {
	case "allow":
		err = s.device.Approve(r.Context(), s.endpoint, v.enters(r), code, v.grant())
	case "deny":
		err = s.device.Deny(r.Context(), s.endpoint, v.enters(r), code)
	default:
		s.confirmDevice(w, r, v, code)
		return
	}
	if err != nil {
		told := s.explain(w, r, err)
		s.showDeviceForm(w, told.status, v, typed, told.text)
		return
	}
	http.Redirect(w, r, s.base+"/device?done="+action, http.StatusSeeOther)
}

// confirmDevice shows what a code stands for and asks.
func (s *site) confirmDevice(w http.ResponseWriter, r *http.Request, v visitor, code string) {
	pending, err := s.device.Find(r.Context(), s.endpoint, v.enters(r), code)
	if err != nil {
		told := s.explain(w, r, err)
		s.showDeviceForm(w, told.status, v, code, told.text)
		return
	}
	s.showFor(w, http.StatusOK, "device_confirm", v, page{Title: "Connect this device?", Here: "/device",
		Client: nameOf(pending.Client), Scopes: pending.Grant.Scopes, Code: code})
}
