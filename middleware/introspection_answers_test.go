package middleware

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func digestOf(n int) digest { return sha256.Sum256([]byte(fmt.Sprint(n))) }

func TestTheOldestAnswersGo(t *testing.T) {
	var a answers
	now := time.Unix(1e9, 0)
	keep := func(n, size int) { a.keep(digestOf(n), make([]byte, size), now, now.Add(time.Minute)) }
	kept := func(n int, want bool) {
		t.Helper()
		if _, ok := a.get(digestOf(n), now); ok != want {
			t.Errorf("answer %d is there: %t, want %t", n, ok, want)
		}
	}
	t.Run("when there are more than ten thousand", func(t *testing.T) {
		for n := range maxAnswers {
			keep(n, 1)
		}
		kept(0, true)
		keep(0, 1) // it is the youngest now
		keep(maxAnswers, 1)
		kept(0, true)
		kept(1, false)
		kept(2, true)
		kept(maxAnswers, true)
		if len(a.elements) != maxAnswers || a.order.Len() != maxAnswers || a.size != maxAnswers {
			t.Errorf("%d, %d, %d are kept, want %d", len(a.elements), a.order.Len(), a.size, maxAnswers)
		}
	})
	t.Run("when they are larger than 32 MiB", func(t *testing.T) {
		for n := range maxAnswersSize / maxAnswer {
			keep(-1-n, maxAnswer)
		}
		kept(maxAnswers, false)
		kept(-1, true)
		keep(-1_000_000, maxAnswer)
		kept(-1, false)
		kept(-2, true)
		if a.size != maxAnswersSize || len(a.elements) != maxAnswersSize/maxAnswer {
			t.Errorf("%d octets in %d answers are kept", a.size, len(a.elements))
		}
	})
}

func TestAnswersThatHaveEndedGo(t *testing.T) {
	var a answers
	now := time.Unix(1e9, 0)
	for n := range 100 {
		a.keep(digestOf(n), []byte("x"), now, now.Add(time.Duration(n+1)*time.Second))
	}
	late := now.Add(50 * time.Second)
	a.keep(digestOf(100), []byte("x"), late, late.Add(time.Minute))
	if len(a.elements) != 51 || a.order.Len() != 51 || a.size != 51 {
		t.Errorf("%d, %d, %d are kept, want 51", len(a.elements), a.order.Len(), a.size)
	}
	early := now.Add(-time.Second)
	a.keep(digestOf(101), []byte("x"), early, now.Add(time.Minute)) // a slow one ends nothing that is good
	if len(a.elements) != 52 {
		t.Errorf("%d are kept, want 52", len(a.elements))
	}
	a.keep(digestOf(100), []byte("x"), late, late) // the token is not active any more
	if _, ok := a.get(digestOf(100), late); ok {
		t.Error("what was said before is still there")
	}
}

// Whoever makes tokens up pushes no answer out.
func TestTokensThatAreNotActiveTakeNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, o := consult(active, 0)
		answered(t, i, "a", active)
		o.says(inactive, nil, false)
		for n := range maxAnswers + 1 {
			answered(t, i, fmt.Sprint("made up ", n), inactive)
		}
		answered(t, i, "a", active)
		o.have(t, "a", 1)
	})
}
