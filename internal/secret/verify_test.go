package secret

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// arrival is a context that tells when somebody begins to wait for it.
type arrival struct {
	context.Context
	once    sync.Once
	arrived chan struct{}
}

func arrivalOf(ctx context.Context) *arrival {
	return &arrival{Context: ctx, arrived: make(chan struct{})}
}

func (a *arrival) Done() <-chan struct{} {
	a.once.Do(func() { close(a.arrived) })
	return a.Context.Done()
}

// outcome is what Slot returned.
type outcome struct {
	release func()
	err     error
}

// queued asks for a slot and returns once the caller stands in line.
func queued(ctx context.Context, v *Verifier) <-chan outcome {
	done, waiting := make(chan outcome, 1), arrivalOf(ctx)
	go func() {
		release, err := v.Slot(waiting)
		done <- outcome{release, err}
	}()
	<-waiting.arrived
	return done
}

func slot(t *testing.T, v *Verifier) (release func()) {
	t.Helper()
	release, err := v.Slot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// narrow has one slot and room for one more to wait.
func narrow() *Verifier {
	return &Verifier{running: make(chan struct{}, 1), waiting: make(chan struct{}, 2)}
}

func parsed(t *testing.T, stored string) Hash {
	t.Helper()
	h, err := Parse(stored)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestOneHasTheSlotOneWaitsTheThirdIsSentAway(t *testing.T) {
	v := narrow()
	release := slot(t, v)
	second := queued(t.Context(), v)
	if _, err := v.Slot(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("the third: got %v, want ErrBusy", err)
	}
	select {
	case got := <-second:
		t.Fatalf("the second did not wait: %v", got.err)
	default:
	}
	release()
	got := <-second
	if got.err != nil {
		t.Fatalf("the second: got %v, want the slot", got.err)
	}
	got.release()
	if len(v.running) != 0 || len(v.waiting) != 0 {
		t.Errorf("%d run and %d wait when all are done", len(v.running), len(v.waiting))
	}
}

func TestWhoStopsWaitingLeavesTheLine(t *testing.T) {
	v := narrow()
	defer slot(t, v)()
	for range 3 { // each takes the only place in the line, and gives it back
		ctx, cancel := context.WithCancel(t.Context())
		waiting := queued(ctx, v)
		cancel()
		if got := <-waiting; !errors.Is(got.err, context.Canceled) {
			t.Fatalf("got %v, want the error of the context", got.err)
		}
	}
}

func TestTheDefaultIsASlotForEveryOtherProcessor(t *testing.T) {
	v := NewVerifier(nil)
	slots := max(1, runtime.GOMAXPROCS(0)/2)
	for range slots {
		defer slot(t, v)()
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all []<-chan outcome
	for range slots * 16 {
		all = append(all, queued(ctx, v))
	}
	if _, err := v.Slot(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("behind 16 for each slot: got %v, want ErrBusy", err)
	}
	cancel()
	for _, one := range all {
		if got := <-one; !errors.Is(got.err, context.Canceled) {
			t.Errorf("got %v: more than %d have a slot at once", got.err, slots)
		}
	}
}

func TestEachHashIsCountedOnce(t *testing.T) {
	var got, want []string
	v := NewVerifier(func(algorithm string) { got = append(got, algorithm) })
	for _, vector := range vectors {
		h := parsed(t, vector.stored)
		if !v.Matches(h, passphrase) || v.Matches(h, "wrong") {
			t.Errorf("%s: the right secret does not match, or a wrong one does", vector.name)
		}
		want = append(want, vector.algorithm, vector.algorithm)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !NewVerifier(nil).Matches(parsed(t, vectors[0].stored), passphrase) {
		t.Error("with nobody to count, the right secret does not match")
	}
}
