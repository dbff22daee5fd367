package tokenendpoint_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// lintSlowHash is the stored form of another secret, by bcrypt.
var lintSlowHash = sync.OnceValue(func() string {
	hash, err := bcrypt.GenerateFromPassword([]byte("another secret"), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(hash)
})

// lintsNoted returns the lints with a code, and checks that each one is in the log,
// once and at Warn.
func lintsNoted(tr *trial, code string) []tokenendpoint.Lint {
	tr.t.Helper()
	var found []tokenendpoint.Lint
	for _, lint := range tr.endpoint.Lints() {
		if lint.Code != code {
			continue
		}
		found = append(found, lint)
		line := fmt.Sprintf("level=WARN msg=%q lint=%s\n", lint.Message, code)
		if n := strings.Count(tr.log.String(), line); n != 1 {
			tr.t.Errorf("%s is %d times in the log: %s", strings.TrimSpace(line), n, tr.log)
		}
	}
	if n := strings.Count(tr.log.String(), " lint="+code+"\n"); n != len(found) {
		tr.t.Errorf("%d lints %s and %d in the log: %s", len(found), code, n, tr.log)
	}
	return found
}

// lintIs checks that there is exactly one lint with a code, whose message holds
// every one of words.
func lintIs(tr *trial, code string, words ...string) {
	tr.t.Helper()
	found := lintsNoted(tr, code)
	if len(found) != 1 {
		tr.t.Fatalf("%d lints %s, want one: %v", len(found), code, tr.endpoint.Lints())
	}
	for _, word := range words {
		if !strings.Contains(found[0].Message, word) {
			tr.t.Errorf("the lint does not say %s: %s", word, found[0].Message)
		}
	}
}

func TestLintsOfTheConfig(t *testing.T) {
	t.Run("a Config without fault has no lint, before and after a request", func(t *testing.T) {
		tr := newTrial(t)
		tr.ask("scope=orders.read")
		tr.equal("the number of lints", len(tr.endpoint.Lints()), 0)
	})
	t.Run("an insecure issuer is noted", func(t *testing.T) {
		tr := newTrial(t, func(c *tokenendpoint.Config) { c.Issuer, c.InsecureIssuer = "http://shop.example", true })
		lintIs(tr, "insecure_issuer", "https")
	})
	t.Run("an issuer on the loopback interface is not", func(t *testing.T) {
		tr := newTrial(t, func(c *tokenendpoint.Config) { c.Issuer = "http://localhost:5001" })
		tr.equal("the number of lints", len(tr.endpoint.Lints()), 0)
	})
	t.Run("a short name of an extension grant type is noted, with a better one", func(t *testing.T) {
		tr := newTrial(t, func(c *tokenendpoint.Config) {
			c.Records = new(memory.Grants)
			for _, name := range []string{"custom", "authorization_code", "refresh_token", "password"} {
				c.Grants = append(c.Grants, configGrant(name))
			}
		})
		lintIs(tr, "short_grant_type", `"custom"`, "urn:example:custom")
	})
}

// configGrant is a grant type that refuses.
type configGrant string

func (g configGrant) GrantType() string { return string(g) }

func (configGrant) Validate(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	return nil, tokenendpoint.AccessDenied
}

func TestLintsOfRequests(t *testing.T) {
	t.Run("several audiences by default are noted once for each client", func(t *testing.T) {
		tr := newTrial(t)
		for range 3 {
			tr.ask("scope=orders.read+stock.read")
		}
		lintIs(tr, "several_audiences", `"till"`, "2 resources", "resource parameter")
		tr.client.ID = "counter"
		r := tr.request("grant_type=" + trialGrant)
		r.SetBasicAuth("counter", trialSecret)
		tr.send(r)
		tr.equal("the number of lints for two clients", len(lintsNoted(tr, "several_audiences")), 2)
	})
	t.Run("several audiences that were asked for are not noted", func(t *testing.T) {
		tr := newTrial(t)
		answer := tr.ask("resource=" + ordersAPI + "&resource=" + stockAPI)
		tr.equal("the status", answer.status, http.StatusOK)
		tr.equal("the number of lints", len(tr.endpoint.Lints()), 0)
	})
	t.Run("a stored secret that cannot be read is noted once by client and label, and the others work", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Secrets = append([]store.Secret{{Hash: "$plain$9a0364b9e99b", Label: "of 2019"}}, tr.client.Secrets...)
		for range 2 {
			tr.equal("the status", tr.ask("scope=orders.read").status, http.StatusOK)
		}
		lintIs(tr, "secret_unusable", `"of 2019"`, `"till"`, "ignored")
		if strings.Contains(tr.log.String(), "9a0364b9e99b") {
			t.Errorf("the hash is in the log: %s", tr.log)
		}
	})
	t.Run("two stored secrets that cannot be read are noted by themselves", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Secrets = []store.Secret{{Hash: "x", Label: "a"}, {Hash: "$sha256$x", Label: "b"}}
		tr.ask("")
		tr.equal("the number of lints", len(lintsNoted(tr, "secret_unusable")), 2)
	})
	t.Run("a fourth slow secret is noted and ignored", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Secrets = append([]store.Secret{
			{Hash: lintSlowHash(), Label: "1"}, {Hash: lintSlowHash(), Label: "2"}, {Hash: lintSlowHash(), Label: "3"}, {Hash: lintSlowHash(), Label: "4"},
		}, tr.client.Secrets...)
		tr.equal("the status", tr.ask("scope=orders.read").status, http.StatusOK)
		lintIs(tr, "secret_unusable", `"4"`, `"till"`, "more than 3 slow secrets")
	})
	t.Run("three slow secrets are not noted", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Secrets = append([]store.Secret{{Hash: lintSlowHash()}, {Hash: lintSlowHash()}, {Hash: lintSlowHash()}}, tr.client.Secrets...)
		tr.equal("the status", tr.ask("scope=orders.read").status, http.StatusOK)
		tr.equal("the number of lints", len(lintsNoted(tr, "secret_unusable")), 0)
	})
	t.Run("slow secrets of clients beside a fast ReferenceHash are noted once", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Secrets = append([]store.Secret{{Hash: lintSlowHash()}}, tr.client.Secrets...)
		tr.ask("")
		tr.ask("")
		lintIs(tr, "reference_hash", "Config.ReferenceHash")
	})
	t.Run("slow secrets beside a slow ReferenceHash are not, nor fast ones", func(t *testing.T) {
		tr := newTrial(t, func(c *tokenendpoint.Config) { c.ReferenceHash = lintSlowHash() })
		tr.ask("scope=orders.read")
		tr.client.Secrets = append([]store.Secret{{Hash: lintSlowHash()}}, tr.client.Secrets...)
		tr.ask("scope=orders.read")
		tr.equal("the number of lints", len(tr.endpoint.Lints()), 0)
	})
	t.Run("a client's scope that is no scope-token is noted once, and not given", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Scope = "orders.read \"quoted\" back\\slash"
		scopes := tr.scopes
		tr.scopes = func(ctx context.Context, names []string) ([]store.Scope, error) {
			found, err := scopes(ctx, names)
			return append(found, store.Scope{Name: `"quoted"`}, store.Scope{Name: `back\slash`}), err
		}
		tr.equal("scope", tr.ask("").members["scope"], "orders.read")
		tr.ask("")
		lintIs(tr, "scope_unusable", `"till"`)
	})
	t.Run("a lifetime that is cut by the life of the key is noted once for the client", func(t *testing.T) {
		tr := newTrial(t)
		keys := []tokenendpoint.Key{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialSigner{tr}, PublishUntil: trialNow.Add(time.Minute)}}
		tr.keys = func(context.Context) ([]tokenendpoint.Key, error) { return keys, nil }
		tr.equal("expires_in", tr.ask("scope=orders.read").members["expires_in"], 60.0)
		tr.ask("scope=orders.read")
		lintIs(tr, "lifetime_cut", `"till"`, "1m0s instead of 1h0m0s", `"k1"`)
	})
	t.Run("a proxy that the Config does not know is noted once", func(t *testing.T) {
		for _, name := range []string{"X-Forwarded-For", "Forwarded"} {
			tr := newTrial(t, func(c *tokenendpoint.Config) { c.RemoteAddr = nil })
			for range 2 {
				r := tr.request("grant_type=" + trialGrant)
				r.Header.Set(name, "for=198.51.100.1")
				tr.send(r)
			}
			lintIs(tr, "forwarded_header", "Config.RemoteAddr")
		}
	})
	t.Run("a proxy that the Config knows is not noted", func(t *testing.T) {
		tr := newTrial(t)
		r := tr.request("scope=orders.read&grant_type=" + trialGrant)
		r.Header.Set("X-Forwarded-For", "198.51.100.1")
		tr.send(r)
		tr.equal("the number of lints", len(tr.endpoint.Lints()), 0)
	})
	t.Run("callers whose address is unknown are noted once", func(t *testing.T) {
		tr := newTrial(t)
		tr.remoteAddr = func(*http.Request) netip.Addr { return netip.Addr{} }
		tr.ask("")
		tr.ask("")
		lintIs(tr, "no_remote_addr", "Config.RemoteAddr")
	})
}

func TestLintsAreBounded(t *testing.T) {
	tr := newTrial(t)
	for i := range 120 {
		tr.client = &store.Client{
			Metadata: store.Metadata{ID: fmt.Sprintf("till%d", i), GrantTypes: []string{trialGrant}, Scope: "orders.read stock.read"},
			Secrets:  []store.Secret{{Hash: store.HashSecret(trialSecret)}},
		}
		r := tr.request("grant_type=" + trialGrant)
		r.SetBasicAuth(tr.client.ID, trialSecret)
		tr.send(r)
	}
	t.Run("a hundred lints are kept and logged, whatever comes up", func(t *testing.T) {
		tr.equal("the number of lints", len(lintsNoted(tr, "several_audiences")), 100)
	})
	t.Run("what Lints returns is the caller's own", func(t *testing.T) {
		clear(tr.endpoint.Lints())
		if tr.endpoint.Lints()[0].Code == "" {
			t.Error("a caller's change is seen by the next")
		}
	})
}
