package issuerkeys

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnIssuerThatIsNotThereIsAnOutage(t *testing.T) {
	a := newKey("a")
	synctest.Test(t, func(t *testing.T) {
		s, i := connect(a)
		i.fail(errDown, false)
		for range 100 {
			if err := outage(t, s, a.token("a")); !errors.Is(err, errDown) {
				t.Errorf("%v does not wrap its cause", err)
			}
		}
		i.have(t, 1, "within five seconds")
		i.publish(a)
		outage(t, s, a.token("a")) // it is not tried again yet
		time.Sleep(5 * time.Second)
		verdict(t, s, a.token("a"), true)
	})
}

func TestWhatIsNoJWKSetIsAnOutage(t *testing.T) {
	for _, jwks := range []string{"", "null", "<secret>", `{"secret":[]}`, `{"keys":[{"kty":"oct","k":"secret"}]}`, `{"keys":[{"kty":"EC","d":"secret"}]}`} {
		s, i := connect()
		i.jwks = jwks
		outage(t, s, newKey("a").token("a"))
	}
}

func TestAnIssuerThatGoesDown(t *testing.T) {
	a, stranger := newKey("a"), newKey("a")
	synctest.Test(t, func(t *testing.T) {
		s, i := connect(a, newKey(""))
		verdict(t, s, a.token("a"), true)
		i.fail(errDown, false)
		for range 24 {
			time.Sleep(time.Hour - time.Second)
			verdict(t, s, a.token("a"), true)
			synctest.Wait()
			outage(t, s, a.token("b"))
			outage(t, s, stranger.token(""))
			verdict(t, s, stranger.token("a"), false) // the key is there, and not its
			none := a.token("a")
			none.Alg = "none"
			verdict(t, s, none, false)
		}
		time.Sleep(time.Hour)
		outage(t, s, a.token("a")) // a day, and not for ever
		outage(t, s, stranger.token("a"))
	})
}

func TestNobodyWithAKnownKidWaitsForAnIssuerThatHangs(t *testing.T) {
	a := newKey("a")
	token := a.token("a")
	synctest.Test(t, func(t *testing.T) {
		s, i := connect(a)
		verdict(t, s, token, true)
		i.fail(nil, true)
		begun := time.Now()
		go outage(t, s, a.token("unknown")) // it waits for five seconds
		synctest.Wait()
		i.have(t, 2, "for the kid that is not known")
		for range 200 {
			go verdict(t, s, token, true)
		}
		synctest.Wait()
		time.Sleep(2 * time.Minute) // what is kept is too old now
		for range 200 {
			go verdict(t, s, token, true)
		}
		synctest.Wait()
		i.have(t, 3, "when two hundred come")
		if waited := time.Since(begun); waited != 2*time.Minute { // no time passes while nobody waits
			t.Errorf("they waited %v", waited-2*time.Minute)
		}
		time.Sleep(5 * time.Second)
	})
}

func TestOneFetchServesAllWhoWait(t *testing.T) {
	a := newKey("a")
	token := a.token("a")
	synctest.Test(t, func(t *testing.T) {
		s, i := connect(a)
		for range 200 {
			go verdict(t, s, token, true)
		}
		synctest.Wait()
		i.have(t, 1, "for two hundred")
	})
}

func TestAContextThatEndsIsAnOutageForItsOwnRequest(t *testing.T) {
	a, stranger := newKey("a"), newKey("a")
	synctest.Test(t, func(t *testing.T) {
		s, i := connect(a)
		verdict(t, s, a.token("a"), true)
		i.fail(nil, true)
		ctx, leave := context.WithCancel(t.Context())
		for _, token := range []string{"a", "unknown"} {
			go func() {
				if ok, err := s.Verify(ctx, stranger.token(token)); ok || !errors.Is(err, context.Canceled) {
					t.Errorf("%t, %v, want an outage that wraps context.Canceled", ok, err)
				}
			}()
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		verdict(t, s, a.token("a"), true)
		time.Sleep(5 * time.Second)
	})
}
