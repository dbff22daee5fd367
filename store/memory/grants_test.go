package memory

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/storetest"
)

func TestGrantsKeepThePromises(t *testing.T) {
	storetest.TestGrantStore(t, func(*testing.T) (a, b store.GrantStore) {
		s := new(Grants)
		return s, s
	})
}

var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// numbered returns a family and n records of it, which end after an hour.
func numbered(family, n int) (store.Family, []store.Record) {
	name := func(format string, of ...any) string {
		sum := sha256.Sum256(fmt.Appendf(nil, format, of...))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	f := store.Family{
		ID: name("family %d", family)[:22], ClientID: "reports", Subject: fmt.Sprint("user ", family/10),
		Session: fmt.Sprint("session ", family), CreatedAt: start, KeepUntil: start.Add(2 * time.Hour),
	}
	records := make([]store.Record, n)
	for i := range records {
		records[i] = store.Record{
			Key: store.Key{Family: f.ID, Hash: name("record %d of %d", i, family)}, Kind: store.KindRefresh,
			CreatedAt: start, ExpiresAt: start.Add(time.Hour), KeepUntil: start.Add(time.Hour),
			Grant: &store.Grant{ClientID: f.ClientID, Subject: f.Subject, Scopes: []string{"read"}},
		}
	}
	return f, records
}

func begin(t testing.TB, s *Grants, f store.Family, records ...store.Record) {
	t.Helper()
	if err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: records}); err != nil {
		t.Fatal(err)
	}
}

func rotate(s *Grants, t testing.TB, old, next store.Record) error {
	old.State, old.Grant = "spent", nil
	return s.Exchange(t.Context(), &store.Change{Family: store.Family{ID: old.Key.Family}, Spend: &old, Issue: []store.Record{next}})
}

func TestAFullStoreRefusesWhatAddsToItAndKeepsNothingOfIt(t *testing.T) {
	s := &Grants{Size: 4}
	f, records := numbered(1, 5)
	begin(t, s, f, records[:2]...) // 3 with the family
	before := sizes(s)

	other, others := numbered(2, 1)
	if err := s.Exchange(t.Context(), &store.Change{Family: other, Begin: true, Issue: others}); !errors.Is(err, ErrFull) {
		t.Errorf("beginning a family: got %v, want ErrFull", err)
	}
	if live, _ := s.FamilyLive(t.Context(), other.ID); live {
		t.Error("the family that was refused lives")
	}
	f.KeepUntil = f.KeepUntil.Add(time.Hour)
	spend := records[0]
	err := s.Exchange(t.Context(), &store.Change{
		Family: f, Spend: &spend, Extend: &store.Extension{Key: records[1].Key, KeepUntil: f.KeepUntil}, Issue: records[2:4],
	})
	if !errors.Is(err, ErrFull) {
		t.Errorf("adding two: got %v, want ErrFull", err)
	}
	for _, verdict := range []error{store.ErrNotFound, store.ErrConflict, store.ErrRevoked, store.ErrCorrupt} {
		if errors.Is(err, verdict) {
			t.Errorf("ErrFull is %q", verdict)
		}
	}
	if after := sizes(s); after != before {
		t.Errorf("what was refused left %+v, before it was %+v", after, before)
	}
	for _, want := range records[:2] {
		r, family, err := s.Find(t.Context(), want.Key)
		if err != nil || r.Version != 0 || !r.KeepUntil.Equal(want.KeepUntil) || family.KeepUntil.Equal(f.KeepUntil) {
			t.Errorf("what was refused altered what is kept: %+v, %+v, %v", r, family, err)
		}
	}

	// What adds nothing is not refused, nor is what fits exactly.
	if err := s.Update(t.Context(), &spend); err != nil {
		t.Errorf("Update of a full store: %v", err)
	}
	if err := rotate(s, t, records[1], records[4]); err != nil {
		t.Errorf("adding one where there is room for one: %v", err)
	}
	if err := s.Exchange(t.Context(), &store.Change{Family: f, Extend: &store.Extension{Key: records[4].Key, ExpiresAt: f.KeepUntil}}); err != nil {
		t.Errorf("extending in a full store: %v", err)
	}
	if _, err := s.Purge(t.Context(), f.KeepUntil, 100); err != nil {
		t.Fatal(err)
	}
	begin(t, s, other, others...)
}

func TestAFullStoreNamesNobodyByWhatItRefuses(t *testing.T) {
	s := &Grants{Size: 2}
	named, records := numbered(1, 2)
	f := named
	f.Subject, f.Session = "", ""
	begin(t, s, f, records[0])
	before := sizes(s)
	if err := s.Exchange(t.Context(), &store.Change{Family: named, Issue: records[1:]}); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	_, kept, err := s.Find(t.Context(), records[0].Key)
	if err != nil || *kept != f {
		t.Errorf("kept is %+v, %v, want %+v", kept, err, f)
	}
	families, err := s.Families(t.Context(), named.Subject)
	if after := sizes(s); err != nil || len(families) != 0 || after != before {
		t.Errorf("listed are %+v, %v; counted %+v, before it was %+v", families, err, after, before)
	}
	// An approval adds nothing, so it is not refused.
	if err := s.Exchange(t.Context(), &store.Change{Family: named, Spend: &records[0]}); err != nil {
		t.Errorf("naming the user in a full store: %v", err)
	}
	if families, err := s.Families(t.Context(), named.Subject); err != nil || len(families) != 1 || families[0] != named {
		t.Errorf("listed are %+v, %v, want %+v", families, err, named)
	}
}

func TestAVerdictComesBeforeErrFull(t *testing.T) {
	s := &Grants{Size: 2}
	f, records := numbered(1, 2)
	begin(t, s, f, records[0])
	if err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: records[1:]}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
}

func BenchmarkGrants(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		s := &Grants{Size: 1 << 40}
		for i := range n {
			f, records := numbered(i, 1)
			begin(b, s, f, records...)
		}
		keys := make([]store.Key, min(n, 10_000))
		for i := range keys {
			_, records := numbered(i, 1)
			keys[i] = records[0].Key
		}
		name := fmt.Sprint("records=", n, "/")
		b.Run(name+"Find", func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, _, err := s.Find(b.Context(), keys[i%len(keys)]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"Rotate", func(b *testing.B) {
			b.ReportAllocs()
			f, records := numbered(n+int(s.size.Load()), 1)
			begin(b, s, f, records...)
			old := records[0]
			for i := 0; b.Loop(); i++ {
				next := old
				next.Key.Hash = fmt.Sprintf("%043d", i)
				if err := rotate(s, b, old, next); err != nil {
					b.Fatal(err)
				}
				old = next
			}
		})
		b.Run(name+"Revoke", func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := s.Revoke(b.Context(), store.Match{Subject: fmt.Sprint("user ", i%(n/10))}, start); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"PurgeOfNothing", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Purge(b.Context(), start, 1000); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"PurgeOfAll", func(b *testing.B) {
			removed, began := 0, time.Now()
			for b.Loop() { // only the first time is there anything
				for got := 1000; got == 1000; {
					var err error
					if got, err = s.Purge(b.Context(), start.Add(24*time.Hour), 1000); err != nil {
						b.Fatal(err)
					}
					if removed += got; got > 0 {
						b.ReportMetric(float64(time.Since(began).Nanoseconds())/float64(removed), "ns/removed")
					}
				}
			}
		})
	}
}
