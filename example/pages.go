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
	Client  string
	User    string
	Scopes  []string
	CSRF    string
	Problem string
}

// showPage writes a page that no other site frames, learns of or keeps. target is
// where its form may lead in the end.
func showPage(w http.ResponseWriter, status int, name string, p page, target string) {
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
