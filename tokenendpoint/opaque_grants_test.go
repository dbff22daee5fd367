package tokenendpoint_test

import (
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

var opaqueShape = regexp.MustCompile(`^a[A-Za-z0-9_-]{64}$`) // 128 bits of its family and 256 of its own

// opaqueFlows are those of dpopFlows by a client of a desk, and the refresh token that
// lives on.
func opaqueFlows() []dpopFlow {
	flows := []dpopFlow{{"a refresh token that is kept", "till", dpopRefresh}}
	for _, flow := range dpopFlows {
		if flow.client != "signer" {
			flows = append(flows, flow)
		}
	}
	return flows
}

// begin brings the client of a flow to where a form redeems it, and gives it opaque tokens.
func (d *introspectionDesk) begin(flow dpopFlow) url.Values {
	d.t.Helper()
	form := flow.begin(d.dpopDesk, flow.client)
	d.opaque(flow.client)
	return form
}

// 7662-2.2-05: the token says nothing, and introspection what a JWT of the same grant
// would say.
func TestEveryGrantGivesOpaqueTokens(t *testing.T) {
	for _, flow := range opaqueFlows() {
		t.Run(flow.name+" is answered with a handle, of which introspection says what it says of the JWT", func(t *testing.T) {
			d := newIntrospectionDesk(t)
			given := make(map[store.AccessTokenFormat]map[string]any)
			answers := make(map[store.AccessTokenFormat]map[string]any)
			for _, format := range []store.AccessTokenFormat{store.AccessTokenJWT, store.AccessTokenOpaque} {
				// What is redeemed was begun when the client still had JWTs.
				form := flow.begin(d.dpopDesk, flow.client)
				d.alter(flow.client, func(c *store.Client) { c.AccessTokenFormat = format })
				answer := d.send(flow.client, form)
				d.want(answer.deskAnswer, 200, "")
				if isOpaque := opaqueShape.MatchString(answer.access()); isOpaque != (format == store.AccessTokenOpaque) {
					t.Fatalf("the access token of the format %q is %s", format, answer.access())
				}
				given[format] = d.active("orders", answer.access())
				jti, family := given[format]["jti"], given[format]["grant_id"]
				if answer.event.TokenID != jti || format == store.AccessTokenOpaque && (family == nil || answer.event.GrantID != family) {
					t.Errorf("the event is %+v for %v", answer.event, given[format])
				}
				for _, own := range []string{"jti", "grant_id"} {
					delete(given[format], own)
				}
				for _, own := range []string{"access_token", "refresh_token", "id_token"} {
					if _, ok := answer.members[own]; ok {
						answer.members[own] = "*"
					}
				}
				answers[format] = answer.members
			}
			if !reflect.DeepEqual(given[store.AccessTokenOpaque], given[store.AccessTokenJWT]) {
				t.Errorf("introspection says\n%v, of the JWT\n%v", given[store.AccessTokenOpaque], given[store.AccessTokenJWT])
			}
			if !reflect.DeepEqual(answers[store.AccessTokenOpaque], answers[store.AccessTokenJWT]) {
				t.Errorf("the answer is\n%v, with a JWT\n%v", answers[store.AccessTokenOpaque], answers[store.AccessTokenJWT])
			}
		})
	}
}

// RFC 6749 section 4.4.3: whoever acts for themselves has no refresh token, although an
// opaque token has a family.
func TestAnOpaqueTokenWithoutAUserEarnsNoRefreshToken(t *testing.T) {
	d := newIntrospectionDesk(t).opaque("web")
	answer := d.tokens("web", "client_credentials", "scope", "orders.read")
	want := []string{"access_token", "expires_in", "scope", "token_type"}
	for name := range maps.Keys(answer.members) {
		found := false
		for _, expected := range want {
			found = found || name == expected
		}
		if !found {
			t.Errorf("the answer has %s: %s", name, answer.body)
		}
	}
}

// 7662-4-01: expires_in and exp are the life of the token, to the second.
func TestOpaqueTokensLiveAsLongAsTheyWereGivenFor(t *testing.T) {
	d := newIntrospectionDesk(t).opaque("web", "till")
	d.alter("till", func(c *store.Client) { c.AccessTokenLifetime = 90*time.Second + 700*time.Millisecond })
	for client, lifetime := range map[string]time.Duration{"web": time.Hour, "till": 90 * time.Second} {
		t.Run("of "+client, func(t *testing.T) {
			d.clock.Set(keysStart)
			answer := d.byCode(client)
			d.equal("expires_in", answer.members["expires_in"], lifetime.Seconds())
			claims := d.active("orders", answer.access())
			exp := time.Unix(int64(claims["exp"].(float64)), 0)
			d.equal("iat", claims["iat"], float64(keysStart.Unix()))
			d.equal("exp", exp.Sub(keysStart.Truncate(time.Second)), lifetime)
			d.clock.Set(exp.Add(-time.Nanosecond))
			d.active("orders", answer.access())
			d.clock.Set(exp)
			d.inactive("orders", answer.access(), "expired")
			d.inactive(client, answer.access(), "expired")
		})
	}
}

// The same token is never given twice, also not where an answer is given again.
func TestEveryAnswerHasAnOpaqueTokenOfItsOwn(t *testing.T) {
	d := newIntrospectionDesk(t).opaque("web", "till")
	seen := make(map[string]bool)
	for _, client := range []string{"web", "till"} {
		first := d.byCode(client)
		for range 3 { // web has the answer given again, till a token that is kept
			again := d.send(client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.refresh()}})
			d.want(again.deskAnswer, 200, "")
			d.active("orders", again.access())
			if seen[again.access()] || again.access() == first.access() {
				t.Errorf("%s was given before", again.access())
			}
			seen[again.access()] = true
		}
		d.active("orders", first.access())
	}
}
