package tokenendpoint

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// Guess runs try, which compares what somebody sent with a secret that can be
// guessed: a user's password, a user code. It is not run if one of the attempts has
// failed too often; the error is then temporarily_unavailable with ReasonThrottled,
// which is answered by 429. If try reports that the guess was wrong, each attempt is
// counted as failed. The error of try is returned as it is.
//
// In one process guesses that are counted by user are tried one after the other, and
// of those that are counted for all users a few at a time, so that a thousand at once
// are not a thousand that nobody counted. A try that guesses again, by an attempt of a
// user, would wait for those that wait for it.
func (e *Endpoint) Guess(ctx context.Context, try func() (wrong bool, err error), attempts ...Attempt) error {
	waiting, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	attempts = slices.Compact(slices.SortedFunc(slices.Values(attempts), compareAttempts))
	for _, attempt := range attempts { // one order for all, so that no two wait for each other
		leave, err := e.guesses.enter(waiting, attempt)
		if err != nil {
			return outage(ReasonTimeout, err)
		}
		defer leave()
	}
	for _, attempt := range attempts {
		if err := e.checkThrottle(ctx, attempt); err != nil {
			return err
		}
	}
	wrong, err := try()
	if !wrong {
		return err
	}
	for _, attempt := range attempts {
		if failed := e.failed(ctx, attempt); failed != nil {
			return failed
		}
	}
	return err
}

// compareAttempts puts those of a user first: whoever waits for one user's turn must
// not hold what others need.
func compareAttempts(a, b Attempt) int {
	ofAll := func(attempt Attempt) int {
		if attempt.User == "" {
			return 1
		}
		return 0
	}
	return cmp.Or(ofAll(a)-ofAll(b), cmp.Compare(a.Secret, b.Secret), cmp.Compare(a.ClientID, b.ClientID), cmp.Compare(a.User, b.User),
		cmp.Compare(a.Network.String(), b.Network.String()))
}

// fewAtOnce is how many guesses of one network are under way, whoever their users are:
// an office has one address.
const fewAtOnce = 8

// guesses are those under way.
type guesses struct {
	mu     sync.Mutex
	queues map[Attempt]*guessQueue
}

type guessQueue struct {
	turn    chan struct{}
	waiting int // those whose turn it is among them
}

func (g *guesses) enter(ctx context.Context, attempt Attempt) (leave func(), err error) {
	g.mu.Lock()
	queue := g.queues[attempt]
	if queue == nil {
		if g.queues == nil {
			g.queues = make(map[Attempt]*guessQueue)
		}
		queue = &guessQueue{turn: make(chan struct{}, 1)}
		if attempt.User == "" {
			queue.turn = make(chan struct{}, fewAtOnce)
		}
		g.queues[attempt] = queue
	}
	queue.waiting++
	g.mu.Unlock()

	left := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if queue.waiting--; queue.waiting == 0 {
			delete(g.queues, attempt)
		}
	}
	select {
	case queue.turn <- struct{}{}:
		return func() { <-queue.turn; left() }, nil
	case <-ctx.Done():
		left()
		return nil, ctx.Err()
	}
}

func (e *Endpoint) checkThrottle(ctx context.Context, attempt Attempt) error {
	wait, err := e.config.Throttle.Blocked(ctx, attempt)
	if err != nil {
		return outage(ReasonThrottleUnavailable, err)
	}
	if wait > 0 {
		return &Error{Code: TemporarilyUnavailable, Reason: ReasonThrottled, Description: "too many failed attempts", RetryAfter: max(wait, time.Second)}
	}
	return nil
}

// failed counts an attempt, also if the caller has hung up meanwhile.
func (e *Endpoint) failed(ctx context.Context, attempt Attempt) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.Timeout)
	defer cancel()
	if err := e.config.Throttle.Failed(ctx, attempt); err != nil {
		return outage(ReasonThrottleUnavailable, err)
	}
	return nil
}
