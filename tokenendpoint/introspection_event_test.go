package tokenendpoint_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// What the operator reads: of a token that was issued its jti and family, of a stranger's
// nothing.
func TestEventsOfTokensThatAreLookedUp(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		issued := d.byCode("web")
		jti, _ := d.active("web", issued.access())["jti"].(string)
		family := issued.event.GrantID
		if jti == "" || family == "" {
			t.Fatalf("the event is %+v", issued.event)
		}
		tells := func(answer introspectionAnswer, reason tokenendpoint.Reason, tokenID, grantID string) {
			d.t.Helper()
			e := answer.event
			if e.Reason != reason || e.TokenID != tokenID || e.GrantID != grantID || e.Status != answer.status || e.GrantType != "" || !e.Time.Equal(d.clock.Now()) {
				d.t.Errorf("the event is %+v, want %q of %q in %q", e, reason, tokenID, grantID)
			}
		}
		d.run("active", func() {
			answer := d.introspect("orders", issued.access())
			tells(answer, "active", jti, family)
			if e := answer.event; e.ClientID != "orders" || !e.Authenticated || e.AuthMethod != store.ClientSecretPost || strings.Join(e.Scopes, " ") != "orders.read orders.write" {
				d.t.Errorf("the event is %+v", e)
			}
			tells(d.introspect("web", issued.refresh()), "active", "", family)
		})
		d.run("another client's", func() {
			tells(d.introspect("till", issued.access()), "other_client", jti, family)
			tells(d.introspect("orders", issued.refresh()), "other_client", "", family)
			tells(d.revoke("till", issued.access()), "other_client", "", "")
		})
		d.run("unknown", func() {
			for _, look := range []func(string, string, ...string) introspectionAnswer{d.introspect, d.revoke} {
				tells(look("web", "garbage"), "unknown_handle", "", "")
				tells(look("web", issued.access()[:20]+strings.Repeat("A", 45)), "unknown_handle", "", "")
				tells(look("web", d.forger().set("iss", "https://other.example")), "unknown_handle", "", "")
			}
		})
		d.run("revoked", func() {
			tells(d.revoke("web", issued.access()), "revoked", jti, family)
			id := jti
			if opaqueShape.MatchString(issued.access()) {
				id = "" // its claims are not read any more
			}
			tells(d.introspect("web", issued.access()), "revoked", id, family)
			tells(d.revoke("web", issued.refresh()), "revoked", "", family)
			tells(d.introspect("web", issued.refresh()), "revoked", "", family)
		})
		d.run("expired", func() {
			late := d.byCode("web")
			lateID := late.event.TokenID
			d.clock.Advance(time.Hour)
			tells(d.introspect("orders", late.access()), "expired", lateID, late.event.GrantID)
			d.clock.Advance(time.Minute)
			d.revoked("web", late.access(), "expired")
		})
	})
}

// LogEvents: what was taken back at Info, what was only asked for at Debug.
func TestLogEventsOfTokensThatAreLookedUp(t *testing.T) {
	tests := []struct {
		name  string
		event tokenendpoint.Event
		want  string
	}{
		{"an introspection", tokenendpoint.Event{Endpoint: "introspection_endpoint", Status: 200, Reason: "active", ClientID: "orders", TokenID: "j1", GrantID: "g1"},
			`level=DEBUG msg="token introspected" reason=active status=200 client_id=orders duration=0s endpoint=introspection_endpoint jti=j1 grant_id=g1`},
		{"an introspection of what is none of the client's business", tokenendpoint.Event{Endpoint: "introspection_endpoint", Status: 200, Reason: "other_client", ClientID: "orders"},
			`level=INFO msg="token not shown: it is of another client, and for none of this one's ProtectedResources" reason=other_client status=200 client_id=orders duration=0s endpoint=introspection_endpoint`},
		{"an inactive token in the same process", tokenendpoint.Event{Endpoint: "introspection", Reason: "expired", ClientID: "web"},
			`level=DEBUG msg="token introspected" reason=expired status=0 client_id=web duration=0s endpoint=introspection`},
		{"an introspection of a token that is revoked", tokenendpoint.Event{Endpoint: "introspection_endpoint", Status: 200, Reason: "revoked", ClientID: "orders"},
			`level=DEBUG msg="token introspected" reason=revoked status=200 client_id=orders duration=0s endpoint=introspection_endpoint`},
		{"a revocation", tokenendpoint.Event{Endpoint: "revocation_endpoint", Status: 200, Reason: "revoked", ClientID: "web", GrantID: "g1"},
			`level=INFO msg="token revoked" reason=revoked status=200 client_id=web duration=0s endpoint=revocation_endpoint grant_id=g1`},
		{"a revocation of nothing", tokenendpoint.Event{Endpoint: "revocation_endpoint", Status: 200, Reason: "unknown_handle", ClientID: "web"},
			`level=DEBUG msg="no token to revoke" reason=unknown_handle status=200 client_id=web duration=0s endpoint=revocation_endpoint`},
		{"a refused revocation", tokenendpoint.Event{Endpoint: "revocation_endpoint", Status: 400, Code: "invalid_grant", Reason: "other_client", ClientID: "web"},
			`level=INFO msg="request refused" reason=other_client status=400 client_id=web duration=0s endpoint=revocation_endpoint`},
		{"an outage", tokenendpoint.Event{Endpoint: "introspection_endpoint", Status: 503, Code: "temporarily_unavailable", Reason: "store_unavailable"},
			`level=ERROR msg="request failed" reason=store_unavailable status=503 client_id="" duration=0s endpoint=introspection_endpoint`},
	}
	for _, test := range tests {
		t.Run("writes "+test.name, func(t *testing.T) {
			var log bytes.Buffer
			tokenendpoint.LogEvents(eventLogger(&log, slog.LevelDebug))(t.Context(), test.event)
			if got := strings.TrimSuffix(log.String(), "\n"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
