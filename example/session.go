package main

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"
)

// session is a user who is signed in at the shop.
type session struct {
	id       string // sid of ID tokens; not the cookie
	csrf     string // what the forms of this user carry
	sub      string
	authTime time.Time
}

// sessions are kept in memory: a restart signs people out of the shop, and out of
// no application.
type sessions struct {
	secure bool // cookies travel over TLS alone

	mu       sync.Mutex
	byCookie map[string]session
}

const (
	sessionCookie   = "shop_session"
	csrfCookie      = "shop_csrf"
	mostOfOne       = 20 // sessions of a user
	sessionLifetime = 8 * time.Hour
)

func (s *sessions) of(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.byCookie[cookie.Value]
	return found, ok && time.Since(found.authTime) < sessionLifetime
}

// begin signs a user in, with a cookie that nobody knew before.
func (s *sessions) begin(w http.ResponseWriter, sub string) {
	value := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byCookie == nil {
		s.byCookie = make(map[string]session)
	}
	s.tidy(sub)
	s.byCookie[value] = session{id: rand.Text(), csrf: rand.Text(), sub: sub, authTime: time.Now()}
	s.set(w, sessionCookie, value)
}

// end signs the user of this browser out of the shop, and out of no application.
func (s *sessions) end(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		delete(s.byCookie, cookie.Value)
		s.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
}

// tidy drops sessions that are over, and the user's oldest if there are many: nobody
// signs anybody else out.
func (s *sessions) tidy(sub string) {
	oldest, own := "", 0
	for cookie, other := range s.byCookie {
		switch {
		case time.Since(other.authTime) >= sessionLifetime:
			delete(s.byCookie, cookie)
		case other.sub == sub:
			own++
			if oldest == "" || other.authTime.Before(s.byCookie[oldest].authTime) {
				oldest = cookie
			}
		}
	}
	if own >= mostOfOne {
		delete(s.byCookie, oldest)
	}
}

func (s *sessions) set(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
}

// csrf returns the token that the login form of this browser carries.
func (s *sessions) csrf(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(csrfCookie); err == nil && len(cookie.Value) == 26 {
		return cookie.Value
	}
	value := rand.Text()
	s.set(w, csrfCookie, value)
	return value
}

// sameBrowser reports whether a form came from a page of ours in this browser. Of
// somebody who is signed in it must be one that was shown to that user: a cookie
// alone can be set by a neighbour, such as another port of this host.
func sameBrowser(r *http.Request, signedIn session) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	want := signedIn.csrf
	if action := r.PostFormValue("action"); action == "login" || action == "cancel" { // of the page for whoever is not signed in
		want = ""
		if cookie, err := r.Cookie(csrfCookie); err == nil {
			want = cookie.Value
		}
	}
	return len(want) == 26 && subtle.ConstantTimeCompare([]byte(want), []byte(r.PostFormValue("csrf"))) == 1
}
