package tokenendpoint_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// A role that was taken away must not come back with the next refresh, whatever
// kind of hook says so: most only set what is there.
func TestFreshClaimsForgetWhatUsersSaidBefore(t *testing.T) {
	for _, id := range []string{"web", "till"} {
		d := newDesk(t)
		c, _ := d.clients.Client(t.Context(), id)
		fresh := *c
		fresh.FreshClaims = true
		d.clients.Put(fresh)
		branch := "head office"
		d.users = func(_ context.Context, _ *tokenendpoint.Request, token *tokenendpoint.Token) error {
			if branch != "" {
				token.UserClaims["branch"] = branch
			}
			return nil
		}
		answer := d.signIn(id, func(g *store.Grant) { g.UserClaims = map[string]any{"name": "Alice"} })
		d.equal("branch", d.claims(answer, "access_token")["branch"], "head office")
		branch = ""
		answer = d.refresh(id, answer.refresh())
		d.want(answer, 200, "")
		d.equal("branch once it was taken away", d.claims(answer, "access_token")["branch"], nil)
		d.equal("name, which the grant was made with", d.claims(answer, "id_token")["name"], "Alice")
	}
}

// OIDC-2-01, 9068-5-02: a subject is one that every token can carry, and no user is
// taken for the client.
func TestSubjectsThatNoTokenCanCarry(t *testing.T) {
	for _, subject := range []string{strings.Repeat("x", 256), "zoë", "a\nb", "web"} {
		d := newDesk(t)
		_, err := grants.AuthorizationCode{}.Issue(t.Context(), d.endpoint, grants.Code{
			Grant: store.Grant{ClientID: "web", Subject: subject}, CodeChallenge: redeemChallenge, CodeChallengeMethod: "S256",
		})
		var fault *tokenendpoint.Error
		if !errors.As(err, &fault) || fault.Reason != tokenendpoint.ReasonMalformedSubject || strings.Contains(err.Error(), subject+" ") {
			t.Errorf("Issue for a subject of %d octets: %v", len(subject), err)
		}
		d.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Grant: store.Grant{Subject: subject}}, nil
		}
		d.want(d.own("web", ""), 500, tokenendpoint.ReasonMalformedSubject)
	}
	newDesk(t).signIn("web", func(g *store.Grant) { g.Subject = strings.Repeat("x", 255) })
}

func TestATokenForTheUserAloneIsForTheIssuer(t *testing.T) {
	d := newDesk(t)
	answer := d.signIn("web", func(g *store.Grant) { g.Resources = []string{ordersAPI} })
	d.equal("aud", d.claims(answer, "access_token")["aud"], ordersAPI)
	answer = d.refresh("web", answer.refresh(), "scope", "openid")
	d.want(answer, 200, "")
	d.equal("aud", d.claims(answer, "access_token")["aud"], trialIssuer)
	d.equal("scope", d.claims(answer, "access_token")["scope"], "openid")
	answer = d.refresh("web", answer.refresh())
	d.equal("aud of all again", d.claims(answer, "access_token")["aud"], ordersAPI)
}

// What a page writes that nobody named scopes or resources to.
func TestEmptyListsOfAGrantSayNothing(t *testing.T) {
	d := newDesk(t)
	answer := d.signIn("web", func(g *store.Grant) { g.Scopes, g.Resources = []string{}, []string{} })
	d.equal("scope", answer.members["scope"], "orders.read orders.write")
}

// A page of the host must not hang longer than the endpoint would.
func TestCallsOfPagesAreBounded(t *testing.T) {
	d := newDesk(t, func(c *tokenendpoint.Config) {
		c.Timeout = time.Millisecond
		c.Clients = hangingClients{}
	})
	if _, err := d.endpoint.Client(t.Context(), "web"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

type hangingClients struct{}

func (hangingClients) Client(ctx context.Context, _ string) (*store.Client, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		return nil, errors.New("this would hang for ever")
	}
	<-ctx.Done()
	return nil, ctx.Err()
}
