package middleware

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneRequestAnswersAllWhoAskAboutAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, o := consult(inactive, 0) // which is not kept
		release := make(chan struct{})
		i.ask = func(ctx context.Context, token string) ([]byte, error) {
			<-release
			return o.ask(ctx, token)
		}
		for range 100 {
			go answered(t, i, "a", inactive)
			go answered(t, i, "b", inactive)
		}
		synctest.Wait()
		close(release)
		synctest.Wait()
		o.have(t, "a", 1)
		o.have(t, "b", 1)
		if len(i.shared) != 0 || i.asking != 0 {
			t.Errorf("%d questions are left, and %d counted", len(i.shared), i.asking)
		}
	})
}

// An answer that was begun before a call may be older than a revocation.
func TestNobodySharesARequestIfNothingIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, o := consult(active, -1)
		release := make(chan struct{})
		i.ask = func(ctx context.Context, token string) ([]byte, error) {
			<-release
			return o.ask(ctx, token)
		}
		for range 10 {
			go answered(t, i, "a", active)
		}
		synctest.Wait()
		close(release)
		synctest.Wait()
		o.have(t, "a", 10)
	})
}

func TestACallerLeavesWithItsContextAndTheQuestionGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, o := consult(active, 0)
		release := make(chan struct{})
		i.ask = func(ctx context.Context, token string) ([]byte, error) {
			select {
			case <-release:
				return o.ask(ctx, token)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := i.Introspect(ctx, "a")
			left <- err
		}()
		synctest.Wait()
		go answered(t, i, "a", active)
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want an outage that wraps context.Canceled", err)
		}
		close(release)
		synctest.Wait()
		answered(t, i, "a", active)
		o.have(t, "a", 1)
	})
}

func TestAQuestionEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, o := consult(active, 0)
		o.says("", nil, true)
		begun := time.Now()
		if err := unanswered(t, i, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want context.DeadlineExceeded", err)
		}
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("it took %v, want 5s", took)
		}
	})
}

func TestSoManyQuestionsAreAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, o := consult(active, 0)
		o.says("", nil, true)
		for n := range maxQuestions {
			go unanswered(t, i, fmt.Sprint(n))
		}
		synctest.Wait()
		begun := time.Now()
		if err := unanswered(t, i, "one more"); !errors.Is(err, errTooManyQuestions) || time.Since(begun) != 0 {
			t.Errorf("%v after %v, want a refusal at once", err, time.Since(begun))
		}
		o.have(t, "one more", 0)
		time.Sleep(questionTimeout) // the 16 that had a turn end, and so do those that had none
		synctest.Wait()
		if o.most != maxAsked || o.atOnce != 0 || i.asking != 0 || len(i.slots) != 0 {
			t.Errorf("%d requests at once, want %d; %d, %d and %d are left", o.most, maxAsked, o.atOnce, i.asking, len(i.slots))
		}
		o.says(active, nil, false)
		answered(t, i, "one more", active)
	})
}

func TestAnswersThatAreKeptDoNotWaitForAnIssuerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, o := consult(active, 0)
		answered(t, i, "a", active)
		o.says("", nil, true)
		for n := range 100 {
			go unanswered(t, i, fmt.Sprint(n))
		}
		synctest.Wait()
		begun := time.Now()
		for range 200 {
			answered(t, i, "a", active)
		}
		if waited := time.Since(begun); waited != 0 { // no time passes while nobody waits
			t.Errorf("they waited %v", waited)
		}
		time.Sleep(questionTimeout)
	})
}

// The age of an answer counts from when it was asked for: it may be as old as that.
func TestASlowAnswerIsBelievedForLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, o := consult(active, 0)
		i.ask = func(ctx context.Context, token string) ([]byte, error) {
			time.Sleep(4 * time.Second)
			return o.ask(ctx, token)
		}
		answered(t, i, "a", active)
		time.Sleep(6*time.Second - 1)
		answered(t, i, "a", active)
		o.have(t, "a", 1)
		time.Sleep(time.Nanosecond)
		answered(t, i, "a", active)
		o.have(t, "a", 2)
	})
}
