package grants_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

const (
	notified = "https://client.example.com/ciba"
	token    = "notification-token-canary.~+/="
)

// pinged is a service whose client app has the mode ping.
func pinged(t *testing.T, records store.GrantStore, endpoint string) *granttest.Service {
	t.Helper()
	s := granttest.New(t, records)
	deliver(t, s, store.DeliveryPing, endpoint)
	return s
}

func deliver(t *testing.T, s *granttest.Service, mode store.DeliveryMode, endpoint string) {
	t.Helper()
	app, err := s.Clients.Client(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	changed := *app
	changed.DeliveryMode, changed.NotificationEndpoint = mode, endpoint
	s.Clients.Put(changed)
}

// request asks for somebody, with the notification token.
func request(t *testing.T, s *granttest.Service, subject string) *granttest.Asked {
	t.Helper()
	asked, answer := granttest.BeginCIBA(t.Context(), s, subject, "client_notification_token", token)
	if asked == nil {
		t.Fatalf("the authentication request was answered %v", answer)
	}
	return asked
}

func approved(t *testing.T, asked *granttest.Asked) {
	t.Helper()
	if err := asked.Approve(t.Context(), asked.Subject); err != nil {
		t.Fatal(err)
	}
}

func polls(t *testing.T, asked *granttest.Asked, want string) {
	t.Helper()
	if got := asked.Poll(t.Context(), "app").String(); got != want {
		t.Errorf("the poll was answered %s, want %s", got, want)
	}
}

// answered is what a notification endpoint does with a try.
type answered struct {
	status int
	err    error
}

// CIBA-10.2-02, CIBA-10.2-03.
func TestTriesOfANotification(t *testing.T) {
	var (
		down      = answered{err: errors.New("connection refused")}
		inner     = answered{err: fmt.Errorf("%w: 10.0.0.1 is not a public address", fetch.ErrRefused)}
		broken    = answered{500, nil}
		cut       = answered{200, errors.New("the body ended early")}
		cutBroken = answered{502, errors.New("the body ended early")}
	)
	for name, c := range map[string]struct {
		answers []answered
		at      []time.Duration // of each try
		warned  bool
	}{
		"200 is sent once": {[]answered{{200, nil}}, []time.Duration{0}, false},
		"204 is sent once": {[]answered{{204, nil}}, []time.Duration{0}, false},
		"200 with a body that is cut off is sent once": {[]answered{cut}, []time.Duration{0}, false},
		"400 is sent once": {[]answered{{400, nil}}, []time.Duration{0}, true},
		"401 is sent once": {[]answered{{401, nil}}, []time.Duration{0}, true},
		"410 is sent once": {[]answered{{410, nil}}, []time.Duration{0}, true},
		"301 is sent once": {[]answered{{301, nil}}, []time.Duration{0}, true},
		"an address that may not be reached is tried once":      {[]answered{inner}, []time.Duration{0}, true},
		"500 is sent three times":                               {[]answered{broken, broken, broken, broken}, []time.Duration{0, 2 * time.Second, 6 * time.Second}, true},
		"502 with a body that is cut off is sent three times":   {[]answered{cutBroken, cutBroken, cutBroken, cutBroken}, []time.Duration{0, 2 * time.Second, 6 * time.Second}, true},
		"429 is sent three times":                               {[]answered{{429, nil}, {429, nil}, {429, nil}, {429, nil}}, []time.Duration{0, 2 * time.Second, 6 * time.Second}, true},
		"a refused connection is tried three times":             {[]answered{down, down, down, down}, []time.Duration{0, 2 * time.Second, 6 * time.Second}, true},
		"500 and then 204 is sent twice":                        {[]answered{broken, {204, nil}, broken}, []time.Duration{0, 2 * time.Second}, false},
		"a refused connection and then 500 and then 200 is all": {[]answered{down, broken, {200, nil}, broken}, []time.Duration{0, 2 * time.Second, 6 * time.Second}, false},
		"500 and then 404 is sent twice":                        {[]answered{broken, {404, nil}, broken}, []time.Duration{0, 2 * time.Second}, true},
	} {
		t.Run("a notification answered "+name+", and polling works", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, start := pinged(t, new(memory.Grants), notified), time.Now()
				var at []time.Duration
				s.CIBA.OnPost(func(_ context.Context, url, bearer string, _ []byte) (int, error) {
					if url != notified || bearer != token {
						t.Errorf("sent to %q with %q", url, bearer)
					}
					at = append(at, time.Since(start))
					answer := c.answers[len(at)-1]
					return answer.status, answer.err
				})
				asked := request(t, s, "alice")
				approved(t, asked)
				polls(t, asked, "tokens")
				time.Sleep(time.Hour)
				synctest.Wait()
				if !slices.Equal(at, c.at) {
					t.Errorf("tries at %v, want %v", at, c.at)
				}
				if warned := strings.Contains(s.Log.String(), "level=WARN"); warned != c.warned {
					t.Errorf("a warning: %t, want %t: %s", warned, c.warned, s.Log)
				}
			})
		})
	}
}

func TestOneOfManyDecisionsIsNotified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := new(faultyStore)
		s := pinged(t, records, notified)
		sent := make(chan string, 100)
		s.CIBA.OnPost(func(_ context.Context, _, _ string, body []byte) (int, error) { sent <- string(body); return 204, nil })
		asked := request(t, s, "alice")
		records.around = func(method string, call func() error) error {
			if method == "Exchange" { // until all have found it undecided
				time.Sleep(time.Second)
			}
			return call()
		}
		for i := range 20 {
			decide := asked.Approve
			if i%2 == 0 {
				decide = asked.Deny
			}
			go func() {
				if got := said(decide(t.Context(), "alice")); got != "" && got != "decided" {
					t.Errorf("answered %q", got)
				}
			}()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(sent) != 1 || <-sent != `{"auth_req_id":"`+asked.Handle+`"}` {
			t.Errorf("%d more notifications", len(sent))
		}
	})
}

func TestANotificationThatHangs(t *testing.T) {
	hang := func(ctx context.Context, _, _ string, _ []byte) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
	t.Run("holds up neither the decision nor a request", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, start := pinged(t, new(memory.Grants), notified), time.Now()
			s.CIBA.OnPost(hang)
			first, second := request(t, s, "alice"), request(t, s, "bob")
			approved(t, first)
			if err := second.Deny(t.Context(), "bob"); err != nil {
				t.Error(err)
			}
			polls(t, first, "tokens")
			polls(t, second, "access_denied")
			if waited := time.Since(start); waited != 0 { // no time passes here unless all wait
				t.Errorf("it took %v", waited)
			}
			if err := s.CIBA.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if waited, want := time.Since(start), 3*grants.PingTimeout+6*time.Second; waited != want {
				t.Errorf("the three tries took %v, want %v", waited, want)
			}
		})
	})
	t.Run("is one of so many that are bounded, and the others are given up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const all = 300
			s := pinged(t, new(memory.Grants), notified)
			posts := make(chan int, all*3)
			active := make(chan struct{}, all)
			s.CIBA.OnPost(func(ctx context.Context, url, bearer string, body []byte) (int, error) {
				active <- struct{}{}
				posts <- len(active)
				status, err := hang(ctx, url, bearer, body)
				<-active
				return status, err
			})
			var asked []*granttest.Asked
			for i := range all {
				asked = append(asked, request(t, s, fmt.Sprint("user-", i)))
				approved(t, asked[i])
			}
			for i := range asked {
				polls(t, asked[i], "tokens")
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			close(posts)
			tries, most := 0, 0
			for n := range posts {
				tries, most = tries+1, max(most, n)
			}
			if tries != 3*grants.MostPings || most != grants.MostAtOnce {
				t.Errorf("%d tries, at most %d at once; want %d and %d", tries, most, 3*grants.MostPings, grants.MostAtOnce)
			}
			if n := strings.Count(s.Log.String(), "too many notifications"); n != all-grants.MostPings {
				t.Errorf("%d warnings that there are too many, want %d", n, all-grants.MostPings)
			}
			s.CIBA.OnPost(func(context.Context, string, string, []byte) (int, error) { tries++; return 204, nil })
			approved(t, request(t, s, "after"))
			synctest.Wait()
			if tries != 3*grants.MostPings+1 {
				t.Error("when the hanging ones were over the next was not sent")
			}
		})
	})
	t.Run("takes nothing from other clients", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, start := pinged(t, new(memory.Grants), notified), time.Now()
			const elsewhere = "https://other.example.com/ciba"
			var at []time.Duration
			s.CIBA.OnPost(func(ctx context.Context, url, bearer string, body []byte) (int, error) {
				if url != elsewhere {
					return hang(ctx, url, bearer, body)
				}
				at = append(at, time.Since(start))
				return 204, nil
			})
			for i := range 300 {
				approved(t, request(t, s, fmt.Sprint("user-", i)))
			}
			other, err := s.Clients.Client(t.Context(), "other")
			if err != nil {
				t.Fatal(err)
			}
			changed := *other
			changed.DeliveryMode, changed.NotificationEndpoint = store.DeliveryPing, elsewhere
			s.Clients.Put(changed)
			form := url.Values{"scope": {"openid"}, "login_hint": {"bob"}, "client_notification_token": {token}}
			if answer := s.Post(t.Context(), "/connect/ciba", "other", form); answer.Status != 200 {
				t.Fatal(answer)
			}
			if err := s.CIBA.Approve(t.Context(), s.Endpoint, s.Decision("bob"), store.Grant{Subject: "bob"}); err != nil {
				t.Fatal(err)
			}
			if err := s.CIBA.Shutdown(t.Context()); err != nil || !slices.Equal(at, []time.Duration{0}) {
				t.Errorf("%v; the other client was notified at %v, want at once", err, at)
			}
		})
	})
}
