package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grantor-go/grantor/store"
)

// listing is a store that alters what Families returns.
func listing(alter func(b *broken, subject string, families []store.Family) ([]store.Family, error)) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.list = func(ctx context.Context, subject string) ([]store.Family, error) {
			families, err := b.Grants.Families(ctx, subject)
			if err != nil {
				return nil, err
			}
			return alter(b, subject, families)
		}
	})
}

// picking is a store that lists what looks right of all that began.
func picking(fits func(f store.Family, subject string) bool) func(...store.Record) handles {
	return listing(func(b *broken, subject string, _ []store.Family) ([]store.Family, error) {
		families := slices.DeleteFunc(b.families(), func(f store.Family) bool { return !fits(f, subject) })
		slices.SortFunc(families, func(a, b store.Family) int { return b.CreatedAt.Compare(a.CreatedAt) })
		return families, nil
	})
}

// grantFamilyFieldMutants forget each of the fields that a listed family can have.
func grantFamilyFieldMutants() []grantMutant {
	var mutants []grantMutant
	for _, field := range reflect.VisibleFields(reflect.TypeFor[store.Family]()) {
		if field.Name == "RevokedAt" {
			continue
		}
		mutants = append(mutants, grantMutant{
			"the families of a subject are listed whole, newest first", "lists no Family." + field.Name,
			listing(func(_ *broken, _ string, families []store.Family) ([]store.Family, error) {
				for i := range families {
					reflect.ValueOf(&families[i]).Elem().FieldByIndex(field.Index).SetZero()
				}
				return families, nil
			}),
		})
	}
	return mutants
}

var grantFamiliesMutants = []grantMutant{
	{"the families of a subject are listed whole, newest first", "lists the oldest first", listing(func(_ *broken, _ string, families []store.Family) ([]store.Family, error) {
		slices.Reverse(families)
		return families, nil
	})},
	{"the families of a subject are listed whole, newest first", "lists them as they came", listing(func(b *broken, _ string, _ []store.Family) ([]store.Family, error) {
		return b.families(), nil
	})},
	{"the families of a subject are listed whole, newest first", "sorts by the second", listing(func(_ *broken, _ string, families []store.Family) ([]store.Family, error) {
		slices.Reverse(families)
		slices.SortStableFunc(families, func(a, b store.Family) int {
			return b.CreatedAt.Truncate(time.Second).Compare(a.CreatedAt.Truncate(time.Second))
		})
		return families, nil
	})},
	{"the families of a subject are listed whole, newest first", "lists a family as it began", picking(func(f store.Family, subject string) bool { return f.Subject == subject })},
	{"the families of a subject are listed whole, newest first", "leaves out what has no session", listing(func(_ *broken, _ string, families []store.Family) ([]store.Family, error) {
		return slices.DeleteFunc(families, func(f store.Family) bool { return f.Session == "" }), nil
	})},
	{"what is not the subject's own is not listed", "folds case", picking(func(f store.Family, subject string) bool { return strings.EqualFold(f.Subject, subject) })},
	{"what is not the subject's own is not listed", "compares by LIKE", picking(func(f store.Family, subject string) bool { return f.Subject != "" && like(subject, f.Subject) })},
	{"what is not the subject's own is not listed", "compares beginnings", picking(func(f store.Family, subject string) bool { return strings.HasPrefix(f.Subject, subject) })},
	{"what is not the subject's own is not listed", "ignores spaces at the end", picking(func(f store.Family, subject string) bool {
		return f.Subject != "" && strings.TrimRight(f.Subject, " ") == strings.TrimRight(subject, " ")
	})},
	{"what is not the subject's own is not listed", "has one index for all names", picking(func(f store.Family, subject string) bool {
		return f.Subject == subject || f.Session == subject || f.ClientID == subject
	})},
	{"what is not the subject's own is not listed", "lists machines along", picking(func(f store.Family, subject string) bool {
		return f.Subject == subject || f.Subject == "" && f.ClientID == subject
	})},
	{"revoked families are not listed", "lists what was revoked", picking(func(f store.Family, subject string) bool { return f.Subject == subject })},
	{"revoked families are not listed", "lists none once one was revoked", listing(func(b *broken, subject string, families []store.Family) ([]store.Family, error) {
		for _, f := range b.families() {
			if live, _ := b.Grants.FamilyLive(context.Background(), f.ID); f.Subject == subject && !live {
				return nil, nil
			}
		}
		return families, nil
	})},
	{"a family is listed from when it got its user", "lists by the subject that a family began with", picking(func(f store.Family, subject string) bool { return f.Subject == subject })},
	{"a family is listed from when it got its user", "reads from a replica that lags", func(...store.Record) handles {
		p := breaking(func(*broken) {})()
		seen := make(map[string][]store.Family)
		replica := &broken{Grants: p.a.(*broken).Grants}
		replica.list = func(ctx context.Context, subject string) ([]store.Family, error) {
			families, err := replica.Grants.Families(ctx, subject)
			if seen[subject] == nil {
				seen[subject] = families
			}
			return seen[subject], err
		}
		return handles{p.a, replica}
	}},
	{"a family is listed from when it got its user", "lists it for whoever was named", breaking(func(b *broken) {
		named := make(map[string][]store.Family)
		b.exchange = func(ctx context.Context, c *store.Change) error {
			err := b.Grants.Exchange(ctx, c)
			if bindingChange(c) && err == nil && c.Family.Subject == "mallory" {
				named[c.Family.Subject] = append(named[c.Family.Subject], c.Family)
			}
			return err
		}
		b.list = func(ctx context.Context, subject string) ([]store.Family, error) {
			families, err := b.Grants.Families(ctx, subject)
			return append(families, named[subject]...), err
		}
	})},
	{"all of many families are listed, each once, whatever is done to them meanwhile", "lists a page", listing(func(_ *broken, _ string, families []store.Family) ([]store.Family, error) {
		return families[:min(100, len(families))], nil
	})},
	{"all of many families are listed, each once, whatever is done to them meanwhile", "meets again what moved in its index", raising(func(families []store.Family, raised store.Family) []store.Family {
		return append(families, raised)
	})},
	{"all of many families are listed, each once, whatever is done to them meanwhile", "misses what moved in its index", raising(func(families []store.Family, raised store.Family) []store.Family {
		return slices.DeleteFunc(families, func(f store.Family) bool { return f.ID == raised.ID })
	})},
	{"a subject without families is no error", "returns ErrNotFound", listing(func(_ *broken, _ string, families []store.Family) ([]store.Family, error) {
		if len(families) == 0 {
			return nil, store.ErrNotFound
		}
		return families, nil
	})},
	{"a subject without families is no error", "lists everything instead", listing(func(b *broken, _ string, families []store.Family) ([]store.Family, error) {
		if len(families) == 0 {
			return b.families(), nil
		}
		return families, nil
	})},
	{"an empty subject is an error", "lists those who have none", breaking(func(b *broken) {
		b.list = func(ctx context.Context, subject string) ([]store.Family, error) {
			if subject == "" {
				return b.families(), nil
			}
			return b.Grants.Families(ctx, subject)
		}
	})},
	{"an empty subject is an error", "takes it for a subject without families", breaking(func(b *broken) {
		b.list = func(ctx context.Context, subject string) ([]store.Family, error) {
			families, err := b.Grants.Families(ctx, subject)
			if subject == "" {
				err = nil
			}
			return families, err
		}
	})},
	{"an empty subject is an error", "says so only if there are families without one", breaking(func(b *broken) {
		b.list = func(ctx context.Context, subject string) ([]store.Family, error) {
			if subject == "" && len(b.families()) > 0 {
				return nil, errors.New("empty")
			}
			return nil, nil
		}
	})},
}

// raising is a store whose first list goes wrong about the family whose end was
// raised last.
func raising(wrong func(families []store.Family, raised store.Family) []store.Family) func(...store.Record) handles {
	return func(...store.Record) handles {
		var mu sync.Mutex
		var last *store.Family
		raised := newOrder()
		return breaking(func(b *broken) {
			b.exchange = func(ctx context.Context, c *store.Change) error {
				err := b.Grants.Exchange(ctx, c)
				if !c.Begin {
					mu.Lock()
					defer mu.Unlock()
					f := c.Family
					last = &f
					raised.happened()
				}
				return err
			}
			b.list = func(ctx context.Context, subject string) ([]store.Family, error) {
				raised.await()
				families, err := b.Grants.Families(ctx, subject)
				mu.Lock()
				defer mu.Unlock()
				return wrong(families, *last), err
			}
		})()
	}
}
