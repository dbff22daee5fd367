package tokenendpoint_test

import (
	"errors"
	"testing"
	"time"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// kept is what the store has of the revocation of a JWT.
func (d *introspectionDesk) kept(said map[string]any) (*store.Record, *store.Family) {
	d.t.Helper()
	id, _ := said["jti"].(string)
	family, hash := secret.KeyOfRevoked(trialIssuer, id)
	if own, ok := said["grant_id"].(string); ok {
		family = own
	}
	record, owner, err := d.records.Grants.Find(d.t.Context(), store.Key{Family: family, Hash: hash})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		d.t.Fatal(err)
	}
	return record, owner
}

// purge collects everything that is due.
func (d *introspectionDesk) purge() {
	d.t.Helper()
	if _, err := d.records.Purge(d.t.Context(), d.clock.Now(), 1000); err != nil {
		d.t.Fatal(err)
	}
}

// That a JWT was revoked is remembered until it has ended for every node, in its family or
// in one of its own, and no longer.
func TestARevokedJWTIsRememberedUntilItHasEnded(t *testing.T) {
	for name, ask := range map[string]func(*introspectionDesk) dpopAnswer{
		"of a user": func(d *introspectionDesk) dpopAnswer { return d.byCode("web") },
		"of a client": func(d *introspectionDesk) dpopAnswer {
			return d.tokens("web", "client_credentials", "scope", "orders.read")
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newIntrospectionDesk(t)
			answer := ask(d)
			said := d.active("web", answer.access())
			if record, _ := d.kept(said); record != nil {
				t.Fatalf("kept before: %+v", record)
			}
			d.clock.Advance(20 * time.Minute)
			d.revoked("web", answer.access(), "revoked")
			record, family := d.kept(said)
			if record == nil {
				t.Fatal("nothing is kept")
			}
			exp := keysStart.Truncate(time.Second).Add(time.Hour)
			if record.Kind != store.KindRevoked || !record.CreatedAt.Equal(d.clock.Now()) || !record.ExpiresAt.Equal(exp) || !record.KeepUntil.Equal(exp.Add(time.Minute)) ||
				record.Grant != nil || record.Data != nil || !record.SpentAt.IsZero() {
				t.Errorf("the record is %+v", record)
			}
			if family.ClientID != "web" || !family.RevokedAt.IsZero() || family.KeepUntil.Before(record.KeepUntil) {
				t.Errorf("the family is %+v", family)
			}
			if name == "of a client" && (family.Subject != "" || family.Session != "" || !family.CreatedAt.Equal(d.clock.Now()) || !family.KeepUntil.Equal(record.KeepUntil)) {
				t.Errorf("the family is %+v", family)
			}
			for _, at := range []time.Time{exp.Add(-time.Nanosecond), exp.Add(time.Minute - time.Nanosecond)} {
				d.clock.Set(at)
				d.purge()
				if record, _ := d.kept(said); record == nil {
					t.Errorf("it was forgotten by %v", at)
				}
			}
			d.clock.Set(exp.Add(-time.Nanosecond))
			d.inactive("web", answer.access(), "revoked")
			d.clock.Set(exp.Add(time.Minute))
			d.purge()
			if record, _ := d.kept(said); record != nil {
				t.Errorf("it is remembered still: %+v", record)
			}
			d.inactive("web", answer.access(), "expired")
		})
	}
}

// A token of a family that is collected too early would be active again; that of a family
// that a refresh token no longer keeps is kept for the revocation.
func TestTheFamilyOutlivesTheRevocation(t *testing.T) {
	d := newIntrospectionDesk(t)
	d.alter("till", func(c *store.Client) {
		c.RefreshTokenLifetime, c.AccessTokenLifetime, c.GrantTypes = time.Minute, 2*time.Hour, append(c.GrantTypes, "x")
	})
	answer := d.byCode("till")
	said := d.active("till", answer.access())
	d.revoked("till", answer.access(), "revoked")
	d.clock.Set(keysStart.Add(2*time.Hour - time.Second - 900*time.Millisecond))
	d.purge()
	d.inactive("till", answer.access(), "revoked")
	if _, family := d.kept(said); family == nil || !family.KeepUntil.Equal(keysStart.Truncate(time.Second).Add(2*time.Hour+time.Minute)) {
		t.Errorf("the family is %+v", family)
	}
}

// What the service takes back afterwards does not bring a token back that was revoked by
// itself, in whatever order.
func TestARevokedTokenStaysRevoked(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		for name, match := range map[string]store.Match{"client": {ClientID: "web"}, "subject": {Subject: "alice"}, "session": {Session: "s1"}} {
			d.run("when the service then revokes by "+name, func() {
				own := d.tokens("web", "client_credentials", "scope", "orders.read").access()
				users := d.byCode("web").access()
				for _, token := range []string{own, users} {
					d.revoked("web", token, "revoked")
				}
				d.takeBack(match)
				for _, token := range []string{own, users} {
					d.inactive("orders", token, "revoked")
					d.revoked("web", token, "revoked")
					d.inactive("orders", token, "revoked")
				}
			})
		}
	})
}

// Two requests that revoke one token at once both say so, whoever was first.
func TestWhoComesSecondFindsTheTokenRevoked(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		for name, verdict := range map[string]error{"it changed": store.ErrConflict, "its family ended": store.ErrRevoked, "it was collected": store.ErrNotFound} {
			d.run("because "+name, func() {
				answer := d.byCode("web")
				d.parts.fails("Exchange", verdict)
				d.revoked("web", answer.access(), "revoked")
				d.parts.fails("Exchange", nil)
			})
		}
	})
}

// An opaque token that was revoked is kept as spent, by whom, until its end.
func TestARevokedOpaqueTokenIsKeptAsSpent(t *testing.T) {
	d := newIntrospectionDesk(t).opaque("web")
	token := d.byCode("web").access()
	d.clock.Advance(time.Minute)
	d.revoked("web", token, "revoked")
	family, hash, _ := secret.KeyOf("a", token)
	record, _, err := d.records.Grants.Find(t.Context(), store.Key{Family: family, Hash: hash})
	if err != nil || !record.SpentAt.Equal(d.clock.Now()) || len(record.SpentBy) != 22 || record.Kind != store.KindAccess {
		t.Errorf("the record is %+v, %v", record, err)
	}
}
