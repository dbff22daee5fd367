package issuerkeys

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

func TestASignatureIsJudgedByTheIssuersKeys(t *testing.T) {
	a, b, stranger := newKey("a"), newKey("b"), newKey("a")
	s, i := connect(a, b)
	verdict(t, s, a.token("a"), true)
	verdict(t, s, b.token("b"), true)
	verdict(t, s, stranger.token("a"), false)
	verdict(t, s, a.token("b"), false)
	verdict(t, s, a.token("unknown"), false)
	verdict(t, s, a.token("A"), false)
	i.have(t, 2, "for all, of which one was for what was not there")

	t.Run("and not by an algorithm that the key is not for", func(t *testing.T) {
		for _, change := range []func(*jose.Token){
			func(t *jose.Token) { t.Alg = "RS256" },
			func(t *jose.Token) { t.Alg = "none" },
			func(t *jose.Token) { t.Alg = "HS256" },
			func(t *jose.Token) { t.Alg = "" },
			func(t *jose.Token) { t.Crit = true },
			func(t *jose.Token) { t.Signed += "x" },
		} {
			token := a.token("a")
			change(token)
			verdict(t, s, token, false)
		}
	})
}

func TestFourKeysAreTriedAtMost(t *testing.T) {
	var keys, twins []key
	for i := range 5 {
		keys = append(keys, newKey(fmt.Sprint(i)))
		twins = append(twins, newKey("twin"))
	}
	t.Run("for a token without a kid", func(t *testing.T) {
		s, _ := connect(keys...)
		for i, k := range keys {
			for range 2 { // from the first fetch, and from what is kept
				verdict(t, s, k.token(""), i < 4)
			}
			verdict(t, s, k.token(k.kid), true)
		}
	})
	t.Run("for a kid that several have", func(t *testing.T) {
		s, _ := connect(twins...)
		for i, k := range twins {
			for range 2 {
				verdict(t, s, k.token("twin"), i < 4)
			}
		}
	})
	t.Run("and keys for another algorithm do not count", func(t *testing.T) {
		s, i := connect(keys[0])
		other, err := jose.PublicJWK("EdDSA", "", make(ed25519.PublicKey, ed25519.PublicKeySize))
		if err != nil {
			t.Fatal(err)
		}
		i.jwks = strings.Replace(i.jwks, "[", "["+strings.Repeat(string(other)+",", 4), 1)
		verdict(t, s, keys[0].token(""), true)
	})
}

func TestKnownKeysCostNoLockAndNoAllocationEach(t *testing.T) {
	keys := make([]key, 50)
	for i := range keys {
		keys[i] = newKey(fmt.Sprint(i))
	}
	allocations := func(keys []key) float64 {
		s, _ := connect(keys...)
		token := keys[len(keys)-1].token(keys[len(keys)-1].kid)
		verdict(t, s, token, true)
		verdict(t, s, token, true)
		s.remote = nil // that has the lock, and is asked no more
		return testing.AllocsPerRun(100, func() { verdict(t, s, token, true) })
	}
	if one, fifty := allocations(keys[:1]), allocations(keys); fifty > one+1 { // those of the curve vary
		t.Errorf("%v allocations with one key, and %v with fifty", one, fifty)
	}
}

// OIDC-10.1-01
func TestTheIssuersKeysRoll(t *testing.T) {
	old, next, last := newKey("old"), newKey("new"), newKey("last")
	synctest.Test(t, func(t *testing.T) {
		s, i := connect(old)
		verdict(t, s, old.token("old"), true)
		i.publish(old, next)
		verdict(t, s, next.token("new"), true) // it was sought
		verdict(t, s, old.token("old"), true)
		i.have(t, 2, "while both are good")

		i.publish(next)
		verdict(t, s, old.token("old"), true)
		time.Sleep(2 * time.Minute)
		verdict(t, s, next.token("new"), true) // that asks in the background
		synctest.Wait()
		verdict(t, s, old.token("old"), false)
		verdict(t, s, next.token("new"), true)

		i.publish(last)
		time.Sleep(10 * time.Hour) // nobody comes
		verdict(t, s, next.token("new"), false)
		verdict(t, s, last.token("last"), true)
	})
}

func TestAKeyThatIsReplacedUnderItsKidIsFound(t *testing.T) {
	before, after := newKey("a"), newKey("a")
	synctest.Test(t, func(t *testing.T) {
		s, i := connect(before)
		verdict(t, s, before.token("a"), true)
		verdict(t, s, before.token("a"), true)
		i.publish(after)
		verdict(t, s, after.token("a"), true)
		verdict(t, s, before.token("a"), false)
	})
}

func TestWhatIsKeptIsGoodForAMinute(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		s, i := connect(a)
		s.Now = func() time.Time { return now }
		verdict(t, s, a.token("a"), true)
		verdict(t, s, a.token("a"), true) // what was there before a fetch is not kept
		i.publish(b)
		now = now.Add(time.Minute - 1)
		verdict(t, s, a.token("a"), true)
		synctest.Wait()
		i.have(t, 1, "before the minute is over")
		now = now.Add(1)
		verdict(t, s, a.token("a"), true) // it asks Remote, which asks the issuer
		synctest.Wait()
		i.have(t, 2, "when it is over")
		verdict(t, s, a.token("a"), false)
		verdict(t, s, b.token("b"), true)

		i.publish(a)
		now = now.Add(-24 * time.Hour) // a clock that is set back makes nothing younger
		if s.kept.Load().good(now, s.fetches.Load()) {
			t.Error("what is from the future is good")
		}
	})
}

func TestKeysThatTakeSecondsAreWaitedFor(t *testing.T) {
	a := newKey("a")
	synctest.Test(t, func(t *testing.T) {
		s, i := connect(a)
		s.JWKS = func(ctx context.Context) ([]byte, error) {
			time.Sleep(4 * time.Second)
			return i.JWKS(ctx)
		}
		verdict(t, s, a.token("a"), true)
	})
}

func TestManyUnknownKidsCostFewFetches(t *testing.T) {
	a := newKey("a")
	token := a.token("a")
	synctest.Test(t, func(t *testing.T) {
		s, i := connect(a)
		verdict(t, s, token, true)
		for round := range 3 {
			for n := range 10_000 {
				unknown := *token
				unknown.Kid = fmt.Sprint("unknown", n)
				verdict(t, s, &unknown, false)
			}
			verdict(t, s, token, true)
			i.have(t, 2+round, "after ten thousand")
			time.Sleep(10 * time.Second)
		}
	})
}
