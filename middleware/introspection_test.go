package middleware

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errNobody = errors.New("nobody answers")

// oracle answers instead of an issuer.
type oracle struct {
	mu     sync.Mutex
	answer string
	err    error
	hangs  bool
	asked  map[string]int // by token
	atOnce int
	most   int // of atOnce
}

func (o *oracle) ask(ctx context.Context, token string) ([]byte, error) {
	o.mu.Lock()
	o.asked[token]++
	o.atOnce++
	o.most = max(o.most, o.atOnce)
	answer, err, hangs := o.answer, o.err, o.hangs
	o.mu.Unlock()
	if hangs {
		<-ctx.Done()
		err = ctx.Err()
	}
	o.mu.Lock()
	o.atOnce--
	o.mu.Unlock()
	return []byte(answer), err
}

func (o *oracle) says(answer string, err error, hangs bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer, o.err, o.hangs = answer, err, hangs
}

func (o *oracle) have(t *testing.T, token string, want int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if got := o.asked[token]; got != want {
		t.Errorf("the issuer was asked %d times about %q, want %d", got, token, want)
	}
}

func consult(answer string, cacheFor time.Duration) (*Introspection, *oracle) {
	o := &oracle{answer: answer, asked: make(map[string]int)}
	return &Introspection{
		URL: "https://issuer.example/introspect", ClientID: "api", ClientSecret: "x", CacheFor: cacheFor, ask: o.ask,
	}, o
}

func answered(t *testing.T, i *Introspection, token, want string) {
	t.Helper()
	if got, err := i.Introspect(t.Context(), token); string(got) != want || err != nil {
		t.Errorf("%q: %q, %v, want %q", token, got, err, want)
	}
}

func unanswered(t *testing.T, i *Introspection, token string) error {
	t.Helper()
	got, err := i.Introspect(t.Context(), token)
	if got != nil || err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%q: %q, %v, want an outage", token, got, err)
	}
	return err
}

const active, inactive = `{"active":true,"sub":"s"}`, `{"active":false}`

func TestAnAnswerIsBelievedForItsTime(t *testing.T) {
	for cacheFor, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Second: time.Second, time.Minute: time.Minute} {
		t.Run(fmt.Sprintf("CacheFor %v means %v", cacheFor, want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, o := consult(active, cacheFor)
				answered(t, i, "a", active)
				o.says(inactive, nil, false)
				time.Sleep(want - 1)
				answered(t, i, "a", active)
				answered(t, i, "b", inactive) // each token is its own
				o.have(t, "a", 1)
				time.Sleep(time.Nanosecond)
				answered(t, i, "a", inactive)
				o.have(t, "a", 2)
			})
		})
	}
}

// 7662-4-05, from the side of who asks.
func TestAnAnswerIsNotBelievedBeyondExp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exp := time.Now().Add(3 * time.Second).Unix() // a bubble begins at a whole second
		answer := fmt.Sprintf(`{"active":true,"exp":%d}`, exp)
		i, o := consult(answer, 0)
		answered(t, i, "a", answer)
		time.Sleep(3*time.Second - 1)
		answered(t, i, "a", answer)
		o.have(t, "a", 1)
		time.Sleep(time.Nanosecond)
		answered(t, i, "a", answer)
		o.have(t, "a", 2)
	})
}

func TestAnAnswerIsNotKept(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		cacheFor     time.Duration
	}{
		{"if CacheFor is negative", active, -1},
		{"if the token is not active", inactive, 0},
		{"if the token has expired", `{"active":true,"exp":1}`, 0},
		{"if exp is none", `{"active":true,"exp":"4102444800"}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, o := consult(c.answer, c.cacheFor)
				for range 3 {
					answered(t, i, "a", c.answer)
				}
				o.have(t, "a", 3)
				if i.answers.order.Len() != 0 {
					t.Error("it is kept")
				}
			})
		})
	}
}

func TestTheClockOfAnswersIsTheCallers(t *testing.T) {
	i, o := consult(active, 0)
	now := time.Unix(1e9, 0)
	i.Now = func() time.Time { return now }
	answered(t, i, "a", active)
	now = now.Add(10*time.Second - 1)
	answered(t, i, "a", active)
	o.have(t, "a", 1)
	now = now.Add(-time.Hour) // a clock that is set back makes nothing younger
	answered(t, i, "a", active)
	o.have(t, "a", 2)
}

func TestAnOutageIsNotAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, o := consult(active, 0)
		answered(t, i, "a", active)
		o.says("", errNobody, false)
		answered(t, i, "a", active)
		time.Sleep(10 * time.Second)
		for range 2 {
			if err := unanswered(t, i, "a"); !errors.Is(err, errNobody) {
				t.Errorf("%v does not wrap its cause", err)
			}
		}
		o.have(t, "a", 3)
		o.says(active, nil, false)
		answered(t, i, "a", active)
	})
}

// 7662-2.2-01, from the side of who asks.
func TestWhatSaysNotWhetherATokenIsActiveIsAnOutage(t *testing.T) {
	for _, answer := range []string{
		"", "null", "true", "secret", `"secret"`, "[]", `[{"active":true}]`, "{}", `{"active":null}`, `{"active":1}`, `{"active":"true"}`, `{"active":[true]}`,
		`{"Active":true}`, `{"active":true,"active":true}`, `{"active":false,"ACTIVE":true}`, `{"active":true}{}`, `{"active":true} secret`, `{"active":true`,
		"{\"active\":true,\"x\":\"\xff\"}", `{"active":true,"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
	} {
		i, o := consult(answer, 0)
		for range 2 {
			unanswered(t, i, "token-secret")
		}
		o.have(t, "token-secret", 2)
	}
}

func TestNobodyIsAskedAboutWhatIsNoToken(t *testing.T) {
	i, o := consult(active, 0)
	long := strings.Repeat("x", 16<<10)
	answered(t, i, "", inactive)
	answered(t, i, long+"x", inactive)
	answered(t, i, long, active)
	if len(o.asked) != 1 {
		t.Errorf("the issuer was asked about %d tokens, want 1", len(o.asked))
	}
}

func TestNobodySeesWhatACallerDoesToAnAnswer(t *testing.T) {
	i, _ := consult(active, 0)
	for range 3 {
		answer, err := i.Introspect(t.Context(), "a")
		if err != nil || string(answer) != active {
			t.Errorf("%q, %v", answer, err)
		}
		clear(answer)
	}
}
