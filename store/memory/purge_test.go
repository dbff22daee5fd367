package memory

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// counts are how many entries there are of everything that could grow.
type counts struct{ size, families, records, names, members, due int }

func sizes(s *Grants) counts {
	c := counts{size: int(s.size.Load())}
	for i := range s.shards {
		shard := &s.shards[i]
		c.families += len(shard.families)
		c.names += len(shard.index)
		c.due += len(shard.due)
		for _, members := range shard.index {
			c.members += len(members)
		}
		for _, f := range shard.families {
			c.records += len(f.records)
		}
	}
	return c
}

func TestNothingIsLeftOfWhatWasPurged(t *testing.T) {
	for _, limit := range []int{1, 2, 7, 1000} {
		t.Run(fmt.Sprint("in batches of ", limit), func(t *testing.T) {
			s := new(Grants)
			added := 0
			for i := range 100 {
				f, records := numbered(i, i%5+1)
				named := f // some families get their user later, others none
				if i%3 == 0 {
					f.Subject, f.Session = "", ""
				}
				if i%2 == 0 {
					records[0].KeepUntil = time.Time{}
				}
				begin(t, s, f, records...)
				added += 1 + len(records)
				if i%2 == 0 {
					if err := s.Exchange(t.Context(), &store.Change{Family: named}); err != nil {
						t.Fatal(err)
					}
					f = named
				}
				_, more := numbered(i, 6)
				if err := rotate(s, t, records[0], more[5]); err != nil {
					t.Fatal(err)
				}
				added++
				sooner := more[5]
				sooner.KeepUntil = start.Add(time.Minute)
				if err := s.Update(t.Context(), &sooner); err != nil {
					t.Fatal(err)
				}
				if i%4 == 0 {
					f.KeepUntil = f.KeepUntil.Add(time.Hour)
					later := &store.Extension{Key: more[5].Key, ExpiresAt: f.KeepUntil, KeepUntil: f.KeepUntil}
					if err := s.Exchange(t.Context(), &store.Change{Family: f, Extend: later}); err != nil {
						t.Fatal(err)
					}
				}
			}
			if c := sizes(s); c.size != added || c.families+c.records != added {
				t.Fatalf("added were %d, counted %+v", added, c)
			}
			removed := 0
			for hour := range 6 {
				for {
					n, err := s.Purge(t.Context(), start.Add(time.Duration(hour)*time.Hour), limit)
					if err != nil || n > limit {
						t.Fatalf("Purge: got %d, %v", n, err)
					}
					if removed += n; n < limit {
						break
					}
				}
				if c := sizes(s); c.size != added-removed || c.families+c.records != c.size {
					t.Fatalf("hour %d: of %d were removed %d, counted %+v", hour, added, removed, c)
				}
			}
			if c := sizes(s); removed != added || c != (counts{}) {
				t.Errorf("added were %d, removed %d, left is %+v", added, removed, c)
			}
		})
	}
}

// The heap holds stale entries where ends were moved; what is removed must be
// what a look at everything would remove.
func TestPurgeRemovesExactlyWhatIsDue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	minute := func() time.Time { return start.Add(time.Duration(random.IntN(100)) * time.Minute) }
	s := new(Grants)
	f, records := numbered(1, 60)
	f.KeepUntil = start.Add(24 * time.Hour)
	for i := range records {
		if records[i].KeepUntil = minute(); i%6 == 0 {
			records[i].KeepUntil = time.Time{}
		}
	}
	begin(t, s, f, records...)
	for now := start; now.Before(start.Add(2 * time.Hour)); now = now.Add(7 * time.Minute) {
		if _, err := s.Purge(t.Context(), now, 1000); err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			kept, _, err := s.Find(t.Context(), r.Key)
			if gone := !r.KeepUntil.IsZero() && !r.KeepUntil.After(now); gone != (err != nil) {
				t.Fatalf("at %s, of a record that is kept until %s: %v", now, r.KeepUntil, err)
			}
			if err != nil {
				continue
			}
			if !kept.KeepUntil.Equal(r.KeepUntil) {
				t.Fatalf("KeepUntil is %s, want %s", kept.KeepUntil, r.KeepUntil)
			}
		}
		for i := range records {
			r, _, err := s.Find(t.Context(), records[i].Key)
			if err != nil || random.IntN(3) > 0 {
				continue
			}
			if random.IntN(2) == 0 {
				later := &store.Extension{Key: r.Key, KeepUntil: minute()}
				err = s.Exchange(t.Context(), &store.Change{Family: f, Extend: later})
			} else {
				if r.KeepUntil = minute(); random.IntN(4) == 0 {
					r.KeepUntil = time.Time{}
				}
				err = s.Update(t.Context(), r)
			}
			if err != nil {
				t.Fatal(err)
			}
			if r, _, err = s.Find(t.Context(), r.Key); err != nil {
				t.Fatal(err)
			}
			records[i].KeepUntil = r.KeepUntil
		}
	}
}

func TestPurgeReachesEveryShard(t *testing.T) {
	s := new(Grants)
	for i := range 1000 {
		f, _ := numbered(i, 0)
		begin(t, s, f)
	}
	for i := range s.shards {
		if len(s.shards[i].families) == 0 {
			t.Fatalf("shard %d is not used", i)
		}
	}
	if n, err := s.Purge(t.Context(), start.Add(3*time.Hour), 2000); err != nil || n != 1000 {
		t.Errorf("got %d, %v, want 1000", n, err)
	}
}
