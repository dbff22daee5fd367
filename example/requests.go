package main

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// request is an application that asks, without a browser, to sign a user in (CIBA).
type request struct {
	Ref       string // what forms call it by
	Client    string
	Scopes    []string
	Message   string // to be compared with what the application shows
	ExpiresAt time.Time

	decision string // stays here: who has it can decide
	grantID  string
	decided  bool
}

// requests are kept in memory: what is open when the shop restarts expires. A real
// shop would send a notification to a telephone as well.
type requests struct {
	users users

	mu    sync.Mutex
	bySub map[string][]request // oldest first
}

const (
	mostUndecided = 15  // requests of a user: nobody is asked all night
	mostKept      = 100 // of a user, with those that were decided
)

var errAskedTooOften = &tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, Reason: tokenendpoint.ReasonThrottled,
	Description: "the user is asked too often", RetryAfter: time.Minute}

// resolve is CIBA.Resolve.
func (q *requests) resolve(_ context.Context, auth *grants.Authentication) (string, error) {
	var u *user // nobody, of a login_hint_token: the shop issues none
	switch {
	case auth.LoginHint != "":
		u = q.users.hinted(auth.LoginHint)
	case auth.HintSubject != "":
		u = q.users.bySub(auth.HintSubject)
	}
	switch {
	case u == nil:
		return "", tokenendpoint.UnknownUserID
	case len(q.undecided(u.Sub)) >= mostUndecided:
		return "", errAskedTooOften
	}
	return u.Sub, nil
}

// ask is CIBA.Ask.
func (q *requests) ask(_ context.Context, auth *grants.Authentication) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tidy(auth.Subject)
	if len(open(q.bySub[auth.Subject])) >= mostUndecided { // others came since resolve
		return errAskedTooOften
	}
	if q.bySub == nil {
		q.bySub = make(map[string][]request)
	}
	q.bySub[auth.Subject] = append(q.bySub[auth.Subject], request{
		Ref: rand.Text(), Client: nameOf(auth.Request.Client), Scopes: auth.Request.Scopes, Message: auth.BindingMessage,
		ExpiresAt: auth.ExpiresAt, decision: auth.Decision, grantID: auth.GrantID,
	})
	return nil
}

// undecided returns what a user is still to decide on.
func (q *requests) undecided(sub string) []request {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tidy(sub)
	return open(q.bySub[sub])
}

func open(all []request) []request {
	return slices.DeleteFunc(slices.Clone(all), func(r request) bool { return r.decided })
}

// find returns a request of a user that has not expired, decided or not.
func (q *requests) find(sub string, is func(request) bool) (request, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tidy(sub)
	i := slices.IndexFunc(q.bySub[sub], is)
	if i < 0 {
		return request{}, false
	}
	return q.bySub[sub][i], true
}

// done takes a request off the list. It is kept, so that a second decision is told
// that there was a first.
func (q *requests) done(sub, ref string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.bySub[sub] {
		if q.bySub[sub][i].Ref == ref {
			q.bySub[sub][i].decided = true
		}
	}
}

// tidy drops what has expired and, if there is much of it, what was decided.
func (q *requests) tidy(sub string) {
	much := len(q.bySub[sub]) >= mostKept
	kept := slices.DeleteFunc(q.bySub[sub], func(r request) bool { return !time.Now().Before(r.ExpiresAt) || much && r.decided })
	if len(kept) == 0 {
		delete(q.bySub, sub)
		return
	}
	q.bySub[sub] = kept
}
