package tokenendpoint_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// opaqueChanges notes every change that the store is asked for.
type opaqueChanges struct {
	store.GrantStore
	mu   sync.Mutex
	made []store.Change
}

func (s *opaqueChanges) Exchange(ctx context.Context, change *store.Change) error {
	s.mu.Lock()
	s.made = append(s.made, *change)
	s.mu.Unlock()
	return s.GrantStore.Exchange(ctx, change)
}

// A stolen store opens no API: of a token it has the hash.
func TestTheStoreHasOnlyTheHashOfAnOpaqueToken(t *testing.T) {
	for _, flow := range opaqueFlows() {
		t.Run(flow.name, func(t *testing.T) {
			noted := new(opaqueChanges)
			d := newIntrospectionDesk(t, func(c *tokenendpoint.Config) { noted.GrantStore = c.Records; c.Records = noted })
			answer := d.send(flow.client, d.begin(flow))
			d.want(answer.deskAnswer, 200, "")
			kept, err := json.Marshal(noted.made)
			if err != nil {
				t.Fatal(err)
			}
			random := answer.access()[23:] // all that its family does not tell
			if text := fmt.Sprintf("%s %+v", kept, noted.made); strings.Contains(text, random) || strings.Contains(text, answer.access()[1:]) {
				t.Errorf("the store has the token: %s", text)
			}
			family, hash, ok := secret.KeyOf("a", answer.access())
			if !ok {
				t.Fatalf("the token is %s", answer.access())
			}
			record, owner, err := d.records.Grants.Find(t.Context(), store.Key{Family: family, Hash: hash})
			if err != nil {
				t.Fatal(err)
			}
			end := keysStart.Truncate(time.Second).Add(time.Hour)
			if record.Kind != store.KindAccess || !record.ExpiresAt.Equal(end) || record.KeepUntil.Before(end) || !record.CreatedAt.Equal(keysStart) || record.Grant.ClientID != flow.client || record.Grant.Subject != owner.Subject || record.Sealed != nil {
				t.Errorf("the record is %+v", record)
			}
			if answer.refresh() != "" && owner.KeepUntil.Before(keysStart.Add(30*24*time.Hour)) {
				t.Errorf("the family is kept until %v, and the refresh token ends later", owner.KeepUntil)
			}
			if owner.ClientID != flow.client || owner.KeepUntil.Before(end) || flow.name != "client_credentials" && owner.Subject != "alice" || flow.name == "client_credentials" && owner.Subject != "" {
				t.Errorf("the family is %+v", owner)
			}
		})
	}
}

// The family is kept as long as the token, however soon the refresh token ends, and all of
// it is collected then.
func TestAnOpaqueTokenIsKeptToItsEnd(t *testing.T) {
	for name, ask := range map[string]func(*introspectionDesk) dpopAnswer{
		"of a client": func(d *introspectionDesk) dpopAnswer {
			return d.tokens("web", "client_credentials", "scope", "orders.read")
		},
		"of a code":            func(d *introspectionDesk) dpopAnswer { return d.byCode("web") },
		"of a refresh token":   func(d *introspectionDesk) dpopAnswer { return d.send("web", d.refreshing(d.byCode("web"))) },
		"of one that was kept": func(d *introspectionDesk) dpopAnswer { return d.send("till", d.refreshing(d.byCode("till"))) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newIntrospectionDesk(t).opaque("web", "till")
			for _, id := range []string{"web", "till"} {
				d.alter(id, func(c *store.Client) { c.RefreshTokenLifetime = time.Minute })
			}
			answer := ask(d)
			d.want(answer.deskAnswer, 200, "")
			d.clock.Set(keysStart.Truncate(time.Second).Add(time.Hour - time.Nanosecond))
			d.purge()
			d.active("orders", answer.access())
			d.clock.Set(keysStart.Add(2 * time.Hour))
			d.purge()
			d.inactive("orders", answer.access(), "unknown_handle")
			if live, err := d.records.Grants.FamilyLive(t.Context(), answer.event.GrantID); live || err != nil || answer.event.GrantID == "" {
				t.Errorf("the family is there still: %v, %v", live, err)
			}
		})
	}
}

// What the client is to have and cannot is a fault of the host's, and spends nothing.
func TestAFormatThatCannotBeIsAFault(t *testing.T) {
	t.Run("one that nobody knows", func(t *testing.T) {
		d := newIntrospectionDesk(t)
		for _, flow := range opaqueFlows() {
			form := d.begin(flow)
			for _, format := range []store.AccessTokenFormat{"jwt", "Opaque", " "} {
				d.alter(flow.client, func(c *store.Client) { c.AccessTokenFormat = format })
				answer := d.send(flow.client, form)
				d.want(answer.deskAnswer, 500, "access_token_format")
				if answer.changes != 0 || !strings.Contains(fmt.Sprint(answer.event.Err), fmt.Sprintf("%q", format)) {
					t.Errorf("%d changes for %s: %v", answer.changes, flow.name, answer.event.Err)
				}
			}
			d.alter(flow.client, func(c *store.Client) { c.AccessTokenFormat = "" })
			if flow.name != "client_credentials" {
				d.want(d.send(flow.client, form).deskAnswer, 200, "")
			}
		}
	})
	t.Run("one that needs Records", func(t *testing.T) {
		config := keysConfig(tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}}, newKeysClock(keysStart))
		var events []tokenendpoint.Event
		config.Observe = func(_ context.Context, event tokenendpoint.Event) { events = append(events, event) }
		config.Grants = append(config.Grants, grants.Password{Verify: func(context.Context, *tokenendpoint.Request, string, string) (*store.Grant, error) {
			return &store.Grant{Subject: "alice"}, nil
		}})
		config.Clients = memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "reports", GrantTypes: []string{"client_credentials", "password"}, Scope: "read"}, AccessTokenFormat: store.AccessTokenOpaque,
			Secrets: []store.Secret{{Hash: store.HashSecret("secret")}},
		})
		endpoint, err := tokenendpoint.New(config)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{"grant_type=client_credentials", "grant_type=password&username=a&password=b"} {
			r := httptest.NewRequest(http.MethodPost, "/connect/token", strings.NewReader(form+"&client_id=reports&client_secret=secret"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			endpoint.ServeHTTP(w, r)
			event := events[len(events)-1]
			if w.Code != 500 || w.Body.String() != faultServerError || event.Reason != "access_token_format" || !strings.Contains(fmt.Sprint(event.Err), "Config.Records") {
				t.Errorf("answered %d %s for %q (%v)", w.Code, w.Body, event.Reason, event.Err)
			}
		}
	})
}

// A claim of the host's that is one of the endpoint's is a fault, also where it is not
// signed.
func TestAnOpaqueTokenHasNoClaimsOfOthers(t *testing.T) {
	d := newIntrospectionDesk(t).opaque("web")
	for _, name := range []string{"sub", "exp", "grant_id", "cnf"} {
		d.alter("web", func(c *store.Client) { c.Claims = map[string]any{name: "mallory"} })
		answer := d.send("web", deskForm("client_credentials", nil))
		d.want(answer.deskAnswer, 500, "reserved_name")
		d.equal("changes", answer.changes, int64(0))
	}
}
