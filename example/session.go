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
	sessionCookie = "shop_session"
	csrfCookie    = "shop_csrf"
	mostSessions  = 10_000
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
func (s *sessions) begin(w http.ResponseWriter, sub string) session {
	begun := session{id: rand.Text(), sub: sub, authTime: time.Now()}
	value := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byCookie == nil || len(s.byCookie) >= mostSessions {
		s.byCookie = make(map[string]session)
	}
	s.byCookie[value] = begun
	s.set(w, sessionCookie, value)
	return begun
}

func (s *sessions) set(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
}

// csrf returns the token that the forms of this browser carry.
func (s *sessions) csrf(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(csrfCookie); err == nil && len(cookie.Value) == 26 {
		return cookie.Value
	}
	value := rand.Text()
	s.set(w, csrfCookie, value)
	return value
}

// sameBrowser reports whether a form came from a page of ours in this browser.
func (s *sessions) sameBrowser(r *http.Request) bool {
	cookie, err := r.Cookie(csrfCookie)
	return err == nil && len(cookie.Value) == 26 && subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(r.PostFormValue("csrf"))) == 1
}
