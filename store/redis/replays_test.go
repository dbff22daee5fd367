package redis

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/storetest"
)

func testReplays(t *testing.T, client func() redis.UniversalClient) {
	t.Helper()
	first, second := newStore(t, client(), prefix()), newStore(t, client(), prefix())
	storetest.TestReplayStore(t, func(*testing.T) (a, b store.ReplayStore) {
		empty := prefix()
		return &Store{client: first.client, prefix: empty}, &Store{client: second.client, prefix: empty}
	})
}

func TestReplays(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "redis-server")
	testReplays(t, func() redis.UniversalClient { return e.client() })
	storetest.TestFullReplayStore(t, func(t *testing.T) store.ReplayStore {
		e := newEngine(t, "redis-server")
		s := newStore(t, e.client(), prefix())
		s.client.ConfigSet(t.Context(), "appendfsync", "no")
		used(t, s, "before it is full", true) // the connection is made
		var memory int64
		for line := range strings.Lines(s.client.Info(t.Context(), "memory").Val()) {
			_, _ = fmt.Sscanf(line, "used_memory:%d", &memory)
		}
		if err := s.client.ConfigSet(t.Context(), "maxmemory", fmt.Sprint(memory+150_000)).Err(); err != nil || memory == 0 {
			t.Fatal(memory, err)
		}
		return s
	})
}

func TestReplaysInValkey(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "valkey-server")
	testReplays(t, func() redis.UniversalClient { return e.client() })
}

func TestReplaysInACluster(t *testing.T) {
	t.Parallel()
	addresses := newCluster(t)
	testReplays(t, func() redis.UniversalClient {
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: addresses, ContextTimeoutEnabled: true})
	})
}

func TestReplaysByTheOlderProtocol(t *testing.T) {
	t.Parallel()
	options := newEngine(t, "redis-server").options()
	options.Protocol = 2
	testReplays(t, func() redis.UniversalClient { return redis.NewClient(options) })
}

// used fails the test unless Use says what is wanted.
func used(t *testing.T, s *Store, id string, want bool) {
	t.Helper()
	if first, err := s.Use(t.Context(), id, time.Hour); first != want || err != nil {
		t.Errorf("Use(%q) is %t, %v; want %t", id, first, err, want)
	}
}

// refuses fails the test unless Use is an outage that does not say whether it is the
// first.
func refuses(ctx context.Context, t *testing.T, s *Store, id string) {
	t.Helper()
	first, err := s.Use(ctx, id, time.Hour)
	if outage(t, "Use", err); first {
		t.Error("Use is true beside an error")
	}
}

func TestOutagesOfUse(t *testing.T) {
	t.Run("a connection that is cut between commit and answer is an outage, and no replay", func(t *testing.T) {
		p := newProxy(t, newEngine(t, "redis-server"))
		dial := func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", p.address) }
		s := newStore(t, redis.NewClient(&redis.Options{Dialer: dial, MaxRetries: 5, ContextTimeoutEnabled: true}), prefix())
		p.cutNext()
		refuses(t.Context(), t, s, "id") // sent again it would be answered that somebody was first
		if p.cuts() != 1 {
			t.Errorf("%d cuts", p.cuts())
		}
		used(t, s, "id", false)
	})
	t.Run("an engine that is gone is an outage, and remembers what was used when it is back", func(t *testing.T) {
		e := newEngine(t, "redis-server")
		s := newStore(t, e.client(), prefix())
		used(t, s, "one", true)
		e.kill()
		refuses(t.Context(), t, s, "one")
		refuses(t.Context(), t, s, "two")
		e.start(t)
		used(t, s, "one", false)
		used(t, s, "two", true)
	})
	t.Run("an engine that hangs is an outage", func(t *testing.T) {
		e := newEngine(t, "redis-server")
		s := newStore(t, e.client(), prefix())
		used(t, s, "one", true)
		e.signal(syscall.SIGSTOP)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		refuses(ctx, t, s, "one")
		refuses(ctx, t, s, "two")
		e.signal(syscall.SIGCONT)
		used(t, s, "one", false)
	})
	t.Run("a master that became a replica is an outage", func(t *testing.T) {
		e, other := newEngine(t, "redis-server"), newNode(t)
		s := newStore(t, e.client(), prefix())
		used(t, s, "one", true)
		host, port, _ := net.SplitHostPort(other.address)
		other.kill() // so that the new replica keeps its data
		s.client.Do(t.Context(), "replicaof", host, port)
		refuses(t.Context(), t, s, "one")
		refuses(t.Context(), t, s, "two")
	})
}

func TestOfManyProcessesOneIsFirst(t *testing.T) {
	t.Parallel()
	e, p := newEngine(t, "redis-server"), prefix()
	ids := make([]string, 200)
	for i := range ids {
		ids[i] = random(32)
	}
	var workers []*worker
	for range 5 {
		w := newWorker(t, e, "use", p, "")
		if line := <-w.out; line != "ready" {
			t.Fatal(line)
		}
		workers = append(workers, w)
	}
	for _, w := range workers {
		if _, err := io.WriteString(w.in, strings.Join(ids, "\n")+"\n"); err != nil {
			t.Fatal(err)
		}
		w.in.Close()
	}
	firsts := make(map[string]int)
	for _, w := range workers {
		for _, line := range w.wait() {
			id, ok := strings.CutPrefix(line, "first ")
			if !ok {
				t.Fatal(line)
			}
			firsts[id]++
		}
	}
	for _, id := range ids {
		if firsts[id] != 1 {
			t.Errorf("%d processes were first with one id, want 1", firsts[id])
		}
	}
}

func TestAnEngineThatIsKilledRemembersWhatWasUsed(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "redis-server")
	s := newStore(t, e.client(), prefix())
	var answered []string
	for range 4 {
		var mu sync.Mutex
		var load sync.WaitGroup
		enough, round := make(chan struct{}), 0
		for range 4 {
			load.Go(func() {
				for {
					id := random(32)
					first, err := s.Use(context.Background(), id, time.Hour)
					if err != nil {
						outage(t, "Use", err)
						return
					}
					if !first {
						t.Error("a Use of a new id is false")
					}
					mu.Lock()
					answered = append(answered, id)
					if round++; round == 300 {
						close(enough)
					}
					mu.Unlock()
				}
			})
		}
		<-enough
		e.kill()
		load.Wait()
		e.start(t)
	}
	for _, id := range answered {
		used(t, s, id, false)
	}
}

func TestTheEngineRemovesWhatHasEnded(t *testing.T) {
	e := newEngine(t, "redis-server")
	s := newStore(t, e.client(), prefix())
	for lifetime, want := range map[time.Duration]time.Duration{time.Hour: time.Hour, 90 * time.Minute: 90 * time.Minute, 1: 0} {
		id := random(32)
		if first, err := s.Use(t.Context(), id, lifetime); !first || err != nil {
			t.Fatal(first, err)
		}
		left := s.client.PTTL(t.Context(), s.usedKey(id)).Val() // -1 if it never goes
		if left < 0 && want > 0 || left == -1 || left > want+2*time.Millisecond || left < want-time.Minute {
			t.Errorf("of a lifetime of %v are left %v", lifetime, left)
		}
	}
}
