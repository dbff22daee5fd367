package grants_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

func TestShutdownOfNotifications(t *testing.T) {
	within := func(t *testing.T, s *granttest.Service, d time.Duration) (took time.Duration, err error) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		err = s.CIBA.Shutdown(ctx)
		return time.Since(start), err
	}
	t.Run("waits for one that is under way", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, sent := pinged(t, new(memory.Grants), notified), false
			s.CIBA.OnPost(func(context.Context, string, string, []byte) (int, error) {
				time.Sleep(3 * time.Second)
				sent = true
				return 204, nil
			})
			approved(t, request(t, s, "alice"))
			if took, err := within(t, s, 10*time.Second); err != nil || took != 3*time.Second || !sent {
				t.Errorf("%v after %v, sent: %t", err, took, sent)
			}
		})
	})
	t.Run("gives up those that hang or pause or queue when its context ends, and they are polled for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, tries := pinged(t, new(memory.Grants), notified), make(chan struct{}, 100)
			s.CIBA.OnPost(func(ctx context.Context, _, _ string, body []byte) (int, error) {
				if tries <- struct{}{}; len(tries) < 4 { // the first three are told to come again
					return 500, nil
				}
				<-ctx.Done()
				return 0, ctx.Err()
			})
			var asked []*granttest.Asked
			for i := range 20 {
				asked = append(asked, request(t, s, fmt.Sprint("user-", i)))
				approved(t, asked[i])
			}
			if took, err := within(t, s, time.Second); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
				t.Errorf("%v after %v", err, took)
			}
			before := len(tries)
			time.Sleep(time.Hour)
			if len(tries) != before {
				t.Errorf("%d tries after the shutdown", len(tries)-before)
			}
			for i := range asked {
				polls(t, asked[i], "tokens")
			}
		})
	})
	t.Run("of a service that never notified anybody returns at once, and later decisions count", func(t *testing.T) {
		for _, ctx := range contexts(t) {
			s := pinged(t, new(memory.Grants), notified)
			if err := s.CIBA.Shutdown(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			asked := request(t, s, "alice")
			approved(t, asked)
			polls(t, asked, "tokens")
		}
	})
	t.Run("may come while decisions do", func(t *testing.T) {
		s := pinged(t, new(memory.Grants), notified)
		s.CIBA.OnPost(func(context.Context, string, string, []byte) (int, error) { return 204, nil })
		var all sync.WaitGroup
		for i := range 20 {
			asked := request(t, s, fmt.Sprint("user-", i))
			all.Go(func() { approved(t, asked); polls(t, asked, "tokens") })
			all.Go(func() { _ = s.CIBA.Shutdown(t.Context()) })
		}
		all.Wait()
	})
	t.Run("is the end of notifications, and polling works", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := pinged(t, new(memory.Grants), notified)
			s.CIBA.OnPost(func(context.Context, string, string, []byte) (int, error) {
				t.Error("notified after the shutdown")
				return 204, nil
			})
			if err := s.CIBA.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			asked := request(t, s, "alice")
			approved(t, asked)
			time.Sleep(time.Hour)
			polls(t, asked, "tokens")
		})
	})
}

func contexts(t *testing.T) []context.Context {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	return []context.Context{t.Context(), over}
}

// keeping remembers every byte that it is given to keep.
type keeping struct {
	memory.Grants
	mu   sync.Mutex
	text strings.Builder
}

func (k *keeping) Exchange(ctx context.Context, change *store.Change) error {
	k.mu.Lock()
	fmt.Fprintf(&k.text, "%+v\n", change.Family)
	for i := range change.Issue {
		k.note(&change.Issue[i])
	}
	k.note(change.Spend)
	k.mu.Unlock()
	return k.Grants.Exchange(ctx, change)
}

func (k *keeping) Update(ctx context.Context, record *store.Record) error {
	k.mu.Lock()
	k.note(record)
	k.mu.Unlock()
	return k.Grants.Update(ctx, record)
}

func (k *keeping) note(r *store.Record) {
	if r != nil {
		fmt.Fprintf(&k.text, "%+v %s %s %+v\n", *r, r.Data, r.Sealed, r.Grant)
	}
}

// 8628-5.2-01, CIBA-7.3-02 are of the same kind: what redeems is nowhere but with its holder.
func TestSecretsAreNeitherKeptNorLogged(t *testing.T) {
	for name, answer := range map[string]answered{"is taken": {204, nil}, "is refused": {400, nil}, "fails": {0, errors.New("down")}} {
		t.Run("of a notification that "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				records := new(keeping)
				s := pinged(t, records, notified)
				s.CIBA.OnPost(func(context.Context, string, string, []byte) (int, error) { return answer.status, answer.err })
				first, second := request(t, s, "alice"), request(t, s, "bob")
				polls(t, first, "authorization_pending")
				polls(t, first, "slow_down")
				approved(t, first)
				denied(t, second)
				polls(t, first, "tokens")
				polls(t, first, "invalid_grant")
				polls(t, second, "access_denied")
				if err := s.CIBA.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				kept, logged := records.text.String(), s.Log.String()
				if !strings.Contains(kept, "alice") || !strings.Contains(logged, "slow_down") || (answer.status != 204) != strings.Contains(logged, "not notified") {
					t.Fatalf("this test looks at nothing: kept %s\nlogged %s", kept, logged)
				}
				for what, secret := range map[string]string{
					"the client_notification_token": token, "an auth_req_id": first.Handle, "another auth_req_id": second.Handle,
					"a decision": s.Decision("alice"), "another decision": s.Decision("bob"),
				} {
					if strings.Contains(kept, secret) {
						t.Errorf("%s is in the store", what)
					}
					if strings.Contains(logged, secret) {
						t.Errorf("%s is in the log", what)
					}
				}
			})
		})
	}
}
