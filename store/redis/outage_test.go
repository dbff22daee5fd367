package redis

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
)

// each calls every method but Purge, which asks nothing of the engine.
func each(ctx context.Context, s *Store, r store.Record, f store.Family) map[string]error {
	_, _, found := s.Find(ctx, r.Key)
	_, lived := s.FamilyLive(ctx, f.ID)
	_, listed := s.Families(ctx, f.Subject)
	_, bySubject := s.Revoke(ctx, store.Match{Subject: f.Subject}, in(0))
	_, byFamily := s.Revoke(ctx, store.Match{Family: f.ID}, in(0))
	return map[string]error{
		"Find": found, "FamilyLive": lived, "Families": listed, "Revoke by subject": bySubject, "Revoke by family": byFamily,
		"Update":   s.Update(ctx, &r),
		"Exchange": s.Exchange(ctx, rotation(r, newRecord(f), "me")),
		"Begin":    s.Exchange(ctx, &store.Change{Family: newFamily(time.Hour), Begin: true}),
	}
}

func TestOutages(t *testing.T) {
	t.Run("a connection that is cut between commit and answer is an outage, and Find tells who spent it", func(t *testing.T) {
		single, node := newEngine(t, "redis-server"), newNode(t)
		alone := node.client()
		defer alone.Close()
		if err := alone.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
			t.Fatal(err)
		}
		for !strings.Contains(alone.ClusterInfo(t.Context()).Val(), "cluster_state:ok") {
			time.Sleep(10 * time.Millisecond)
		}
		for _, e := range []*engine{single, node} {
			p := newProxy(t, e)
			dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return net.Dial("unix", p.address) }
			var client redis.UniversalClient = redis.NewClient(&redis.Options{Dialer: dial, MaxRetries: 5, ContextTimeoutEnabled: true})
			if e == node {
				client = redis.NewClusterClient(&redis.ClusterOptions{
					Addrs: []string{e.address}, Dialer: dial, MaxRetries: 5, ContextTimeoutEnabled: true,
				})
			}
			s := newStore(t, client, prefix())
			f, other := newFamily(time.Hour), newFamily(time.Hour)
			r, next := newRecord(f), newRecord(f)
			begin(t, s, f, r)
			begin(t, s, other)
			p.cutNext()
			outage(t, "Exchange", s.Exchange(t.Context(), rotation(r, next, "me")))
			if r := find(t, s, r.Key); r.SpentBy != "me" || r.Version != 1 || p.cuts() != 1 {
				t.Errorf("spent by %q, version %d, %d cuts", r.SpentBy, r.Version, p.cuts())
			}
			find(t, s, next.Key)

			p.cutNext()
			_, err := s.Revoke(t.Context(), store.Match{Subject: f.Subject}, in(0))
			if outage(t, "Revoke", err); p.cuts() != 2 {
				t.Errorf("%d cuts", p.cuts())
			}
			if _, err = s.Revoke(t.Context(), store.Match{Subject: f.Subject}, in(0)); err != nil || live(t, s, f.ID) || live(t, s, other.ID) {
				t.Errorf("the second Revoke returned %v, or a family lives", err)
			}
		}
	})

	t.Run("an engine that is gone is an outage, and works again when it is back", func(t *testing.T) {
		e := newEngine(t, "redis-server")
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		r := newRecord(f)
		begin(t, s, f, r)
		e.kill()
		for what, err := range each(t.Context(), s, r, f) {
			outage(t, what, err)
		}
		e.start(t)
		find(t, s, r.Key)
	})

	t.Run("an engine that hangs is an outage within the deadline, and works again when it goes on", func(t *testing.T) {
		e := newEngine(t, "redis-server")
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		r := newRecord(f)
		begin(t, s, f, r)
		e.signal(syscall.SIGSTOP)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		answered := make(chan map[string]error)
		go func() { answered <- each(ctx, s, r, f) }()
		select {
		case errs := <-answered:
			for what, err := range errs {
				outage(t, what, err)
			}
		case <-time.After(2500 * time.Millisecond): // before the client's own ReadTimeout of three seconds
			t.Error("the deadline passed, and there is no answer")
		}
		e.signal(syscall.SIGCONT)
		if _, _, err := s.Find(t.Context(), r.Key); err != nil {
			t.Error(err)
		}
	})

	t.Run("a full engine is an outage, changes nothing and keeps what it has", func(t *testing.T) {
		e := newEngine(t, "redis-server")
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		r, next, fresh := newRecord(f), newRecord(f), newFamily(time.Hour)
		begin(t, s, f, r)
		named := beginUndecided(t, s)
		s.client.ConfigSet(t.Context(), "maxmemory", "1")
		outage(t, "Exchange", s.Exchange(t.Context(), rotation(r, next, "me")))
		outage(t, "Begin", s.Exchange(t.Context(), &store.Change{Family: fresh, Begin: true}))
		outage(t, "naming a user", s.Exchange(t.Context(), binding(named, time.Hour)))
		_, err := s.Revoke(t.Context(), store.Match{Family: f.ID}, in(0))
		outage(t, "Revoke", err)
		if families, err := s.Families(t.Context(), f.Subject); err != nil || len(families) != 1 {
			t.Errorf("%d families are listed, %v", len(families), err)
		}
		if find(t, s, r.Key).Version != 0 || !live(t, s, f.ID) || live(t, s, fresh.ID) {
			t.Error("something was changed")
		}
		if _, _, err := s.Find(t.Context(), next.Key); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Find of what was not issued: %v", err)
		}
		s.client.ConfigSet(t.Context(), "maxmemory", "0")
		if err := s.Exchange(t.Context(), rotation(r, next, "me")); err != nil {
			t.Error(err)
		}
	})

	t.Run("a master that becomes a replica refuses to change anything", func(t *testing.T) {
		e, other := newEngine(t, "redis-server"), newNode(t)
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		r := newRecord(f)
		begin(t, s, f, r)
		host, port, _ := net.SplitHostPort(other.address)
		other.kill() // so that the new replica keeps its data
		s.client.Do(t.Context(), "replicaof", host, port)
		outage(t, "Exchange", s.Exchange(t.Context(), rotation(r, newRecord(f), "me")))
		if _, err := New(t.Context(), s.client, Config{}); err == nil {
			t.Error("New accepts a replica")
		}
	})
}

func TestScriptsAreForgottenWhileServing(t *testing.T) {
	e := newEngine(t, "redis-server")
	s := newStore(t, e.client(), prefix())
	stop := make(chan struct{})
	var flushing, serving sync.WaitGroup
	flushing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				s.client.ScriptFlush(t.Context())
			}
		}
	})
	for worker := range 4 {
		serving.Go(func() {
			for i := range 50 {
				f := newFamily(time.Hour)
				f.Subject = strconv.Itoa(worker)
				r := newRecord(f)
				err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: []store.Record{r}})
				err = errors.Join(err, s.Exchange(t.Context(), rotation(r, newRecord(f), "me")))
				n := 1
				if i%10 == 9 {
					var revokes error
					n, revokes = s.Revoke(t.Context(), store.Match{Subject: f.Subject}, in(0))
					err, n = errors.Join(err, revokes), n/10
				}
				if err != nil || n != 1 {
					t.Errorf("%v; %d", err, n)
				}
			}
		})
	}
	serving.Wait()
	close(stop)
	flushing.Wait()
}
