package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed pages
var pageFiles embed.FS

var pageTemplates = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// page is what the templates show.
type page struct {
	Base    string // of the issuer's path
	Title   string
	Nav     bool   // with links to the shop's pages
	Here    string // which of them it is
	Client  string
	Purpose string // of signing in, if there is no client
	User    string // who is signed in
	Scopes  []string
	CSRF    string
	Problem string
	Notice  string

	Code     string // a user code
	Requests []request
	Apps     []app
}

// showFor shows a page to whom it is about.
func (s *site) showFor(w http.ResponseWriter, status int, name string, v visitor, p page) {
	p.Nav, p.User, p.CSRF = true, v.Username, v.csrf
	s.showPage(w, status, name, p, "")
}

// showPage writes a page that no other site frames, learns of or keeps. target is
// where its form may lead in the end.
func (s *site) showPage(w http.ResponseWriter, status int, name string, p page, target string) {
	p.Base = s.base
	formAction := "'self'"
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		formAction += " " + u.Scheme + "://" + u.Host
	} else if err == nil && u.Scheme != "" { // an application on the device
		formAction += " " + u.Scheme + ":"
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+formAction)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	var body bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&body, name, p); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	body.WriteTo(w)
}
