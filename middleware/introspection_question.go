package middleware

import (
	"context"
	"errors"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

const (
	maxAsked        = 16   // requests at once, as many as there may be connections
	maxQuestions    = 1024 // those that wait for their turn included
	maxAnswer       = 64 << 10
	questionTimeout = 5 * time.Second
)

var (
	errTooManyQuestions = errors.New("too many requests to the issuer are waiting")
	errAnswer           = errors.New("the answer is not one JSON object with a boolean member active")
)

// question is a request that any number of callers wait for.
type question struct {
	done   chan struct{} // closed when the rest is there
	answer []byte
	err    error
}

// wait ends with the question or with ctx.
func (q *question) wait(ctx context.Context) ([]byte, error) {
	select {
	case <-q.done:
		return q.answer, q.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join returns the question about a token, a new one if there is none or if what was
// asked before this call does not count. It is nil if there are too many. i.mu is held.
func (i *Introspection) join(key digest, token string, now time.Time) *question {
	q := i.shared[key]
	if q != nil || i.asking == maxQuestions {
		return q
	}
	q = &question{done: make(chan struct{})}
	if i.cacheFor > 0 {
		i.shared[key] = q
	}
	i.asking++
	go i.put(q, key, token, now)
	return q
}

// put puts the question to the issuer and tells whoever waits. No caller's context ends
// it.
func (i *Introspection) put(q *question, key digest, token string, now time.Time) {
	var until time.Time
	q.answer, until, q.err = i.turn(token, now)
	i.mu.Lock()
	delete(i.shared, key)
	i.asking--
	if q.err == nil {
		i.answers.keep(key, q.answer, now, until)
	}
	i.mu.Unlock()
	close(q.done)
}

// turn waits for a slot and asks. The answer is believed until a time that counts from
// when it was asked for.
func (i *Introspection) turn(token string, now time.Time) (answer []byte, until time.Time, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), questionTimeout)
	defer cancel()
	select {
	case i.slots <- struct{}{}:
		defer func() { <-i.slots }()
	case <-ctx.Done():
		return nil, time.Time{}, errTooManyQuestions
	}
	answer, err = i.ask(ctx, token)
	if err != nil {
		return nil, time.Time{}, err
	}
	members, err := jose.ParseObject(answer)
	if err != nil {
		return nil, time.Time{}, errAnswer
	}
	switch members.Raw("active") {
	case "false":
		return answer, now, nil
	case "true":
		return answer, i.until(members, now), nil
	}
	return nil, time.Time{}, errAnswer
}

// until returns when an active token is to be asked about again. An exp that is none is
// for the caller to judge, each time.
func (i *Introspection) until(members jose.Object, now time.Time) time.Time {
	exp, ok := members.Time("exp")
	end := now.Add(i.cacheFor)
	switch {
	case !ok:
		return now
	case !exp.IsZero() && exp.Before(end):
		return exp
	}
	return end
}
