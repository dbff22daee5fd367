package secret

import (
	"context"
	"errors"
	"runtime"
)

// ErrBusy says that too many callers wait to compute slow hashes already.
var ErrBusy = errors.New("secret: too many slow hashes under way")

// queue is how many callers may wait for each slot.
const queue = 16

// Verifier compares secrets. Slow hashes are computed in a bounded number of
// slots, half as many as there are processors and at least one, with a short
// line behind them: a flood of wrong secrets waits or is turned away. Memory is
// bounded by that too, at 256 MiB a slot.
type Verifier struct {
	running, waiting chan struct{}
	computed         func(algorithm string)
}

// NewVerifier returns a Verifier. computed, if not nil, is called for each hash
// that is computed.
func NewVerifier(computed func(algorithm string)) *Verifier {
	slots := max(1, runtime.GOMAXPROCS(0)/2)
	return &Verifier{
		running:  make(chan struct{}, slots),
		waiting:  make(chan struct{}, slots*(queue+1)),
		computed: computed,
	}
}

// Slot waits for a slot, which one request holds for all its slow comparisons:
// one that began is then never left half done. The caller calls release. The
// error is ErrBusy or that of ctx.
func (v *Verifier) Slot(ctx context.Context) (release func(), err error) {
	select {
	case v.waiting <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case v.running <- struct{}{}:
		return func() { <-v.running; <-v.waiting }, nil
	case <-ctx.Done():
		<-v.waiting
		return nil, ctx.Err()
	}
}

// Matches reports whether presented is the secret behind h. If h is slow the
// caller holds a slot.
func (v *Verifier) Matches(h Hash, presented string) bool {
	if v.computed != nil {
		v.computed(h.algorithm)
	}
	return h.matches(presented)
}
