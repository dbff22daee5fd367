package secret

import (
	"context"
	"errors"
	"runtime"
)

// ErrBusy says that too many slow hashes are being computed already.
var ErrBusy = errors.New("secret: too many slow hashes under way")

// queue is how many callers may wait for each core that hashes.
const queue = 16

// Verifier compares secrets. Slow hashes run at most one a core, with a short
// line behind them, so that a flood of wrong secrets cannot take every core or
// all memory.
type Verifier struct {
	running, waiting chan struct{}
	computed         func(algorithm string) // called for each hash; tests count
}

// NewVerifier returns a Verifier. computed may be nil.
func NewVerifier(computed func(algorithm string)) *Verifier {
	cores := runtime.GOMAXPROCS(0)
	return &Verifier{
		running:  make(chan struct{}, cores),
		waiting:  make(chan struct{}, cores*(queue+1)),
		computed: computed,
	}
}

// Matches reports whether presented is the secret behind h. The error is ErrBusy
// or that of ctx.
func (v *Verifier) Matches(ctx context.Context, h Hash, presented string) (bool, error) {
	if h.Slow() {
		select {
		case v.waiting <- struct{}{}:
			defer func() { <-v.waiting }()
		default:
			return false, ErrBusy
		}
		select {
		case v.running <- struct{}{}:
			defer func() { <-v.running }()
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	if v.computed != nil {
		v.computed(h.algorithm)
	}
	return h.matches(presented), nil
}
