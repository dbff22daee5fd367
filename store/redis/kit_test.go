package redis

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/storetest"
)

func testKit(t *testing.T, client func() redis.UniversalClient) {
	t.Helper()
	first, second := newStore(t, client(), prefix()), newStore(t, client(), prefix())
	storetest.TestGrantStore(t, func(*testing.T) (a, b store.GrantStore) {
		empty := prefix()
		return &Store{client: first.client, prefix: empty}, &Store{client: second.client, prefix: empty}
	})
}

func TestRedis(t *testing.T) {
	t.Parallel()
	if url := os.Getenv("GRANTOR_TEST_REDIS"); url != "" {
		options, err := redis.ParseURL(url)
		if err != nil {
			t.Fatal("GRANTOR_TEST_REDIS is not the URL of an engine")
		}
		options.ContextTimeoutEnabled = true
		testKit(t, func() redis.UniversalClient { return redis.NewClient(options) })
		return
	}
	e := newEngine(t, "redis-server")
	testKit(t, func() redis.UniversalClient { return e.client() })
}

// The answers of the older protocol have other shapes.
func TestTheOlderProtocol(t *testing.T) {
	t.Parallel()
	options := newEngine(t, "redis-server").options()
	options.Protocol = 2
	s, f := newStore(t, redis.NewClient(options), prefix()), newFamily(time.Hour)
	r, next := newRecord(f), newRecord(f)
	begin(t, s, f, r)
	if err := s.Exchange(t.Context(), rotation(r, next, "me")); err != nil {
		t.Fatal(err)
	}
	f.KeepUntil = in(30 * 24 * time.Hour)
	if err := s.Exchange(t.Context(), &store.Change{Family: f}); err != nil {
		t.Fatal(err)
	}
	if find(t, s, r.Key).SpentBy != "me" || !live(t, s, f.ID) {
		t.Error("the record is not spent, or its family does not live")
	}
	if _, _, err := s.Find(t.Context(), newRecord(f).Key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Find of nothing returned %v", err)
	}
	entriesOutlast(t, s, f)
	begin(t, s, newFamily(time.Hour))
	if err := s.Exchange(t.Context(), binding(beginUndecided(t, s), time.Hour)); err != nil {
		t.Fatal(err)
	}
	if families, err := s.Families(t.Context(), f.Subject); err != nil || len(families) != 3 {
		t.Errorf("%d families are listed, %v; want 3", len(families), err)
	}
	revoke(t, s, store.Match{Subject: f.Subject, ClientID: "another"}, 0)
	revoke(t, s, store.Match{Subject: f.Subject, ClientID: f.ClientID}, 3)
}

func TestValkey(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "valkey-server")
	testKit(t, func() redis.UniversalClient { return e.client() })
}

func TestCluster(t *testing.T) {
	t.Parallel()
	addresses := newCluster(t)
	testKit(t, func() redis.UniversalClient {
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: addresses, ContextTimeoutEnabled: true})
	})
}
