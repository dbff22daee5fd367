package tokenendpoint_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// What grant types of a host's own use in the place of AuthorizationCode.Issue.
func TestAuthorize(t *testing.T) {
	const kind store.Kind = "h"
	record := func(grant *store.Grant) store.Record {
		return store.Record{Kind: kind, Grant: grant, Data: []byte("own")}
	}
	t.Run("a record of a kind of one's own is found by its handle until its end", func(t *testing.T) {
		d := newDesk(t)
		client, err := d.endpoint.Client(t.Context(), "web")
		if err != nil {
			t.Fatal(err)
		}
		grant := &store.Grant{Subject: "alice", Scopes: []string{"orders.read"}}
		handle, err := d.endpoint.Authorize(t.Context(), client, record(grant), time.Minute)
		if err != nil || handle[:1] != "h" {
			t.Fatalf("got %q, %v", handle, err)
		}
		d.equal("the caller's grant", *grant, store.Grant{Subject: "alice", Scopes: []string{"orders.read"}})
		var found *store.Record
		d.validating(kind, func(r *store.Record) *tokenendpoint.Result {
			found = r
			return &tokenendpoint.Result{Spend: r}
		})
		answer := d.own("web", handle)
		d.want(answer, 200, "")
		d.equal("the data", string(found.Data), "own")
		d.equal("the issuer", found.Grant.Issuer, trialIssuer)
		d.want(d.refresh("web", answer.refresh()), 200, "")

		handle, err = d.endpoint.Authorize(t.Context(), client, record(grant), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		d.clock.Advance(time.Minute)
		d.want(d.own("web", handle), 400, tokenendpoint.ReasonExpired)
	})
	t.Run("without a store, a grant or a user it is a mistake of the host", func(t *testing.T) {
		d, tr := newDesk(t), newTrial(t)
		client, _ := d.endpoint.Client(t.Context(), "web")
		for name, call := range map[string]func() (string, error){
			"no Records": func() (string, error) {
				return tr.endpoint.Authorize(t.Context(), tr.client, record(&store.Grant{Subject: "alice"}), time.Minute)
			},
			"no grant": func() (string, error) { return d.endpoint.Authorize(t.Context(), client, record(nil), time.Minute) },
			"no user": func() (string, error) {
				return d.endpoint.Authorize(t.Context(), client, record(&store.Grant{}), time.Minute)
			},
			"a kind of two letters": func() (string, error) {
				return d.endpoint.Authorize(t.Context(), client, store.Record{Kind: "hh", Grant: &store.Grant{Subject: "alice"}}, time.Minute)
			},
		} {
			if handle, err := call(); handle != "" || !errors.Is(err, tokenendpoint.ServerError) {
				t.Errorf("%s: %q, %v", name, handle, err)
			}
		}
	})
	t.Run("a client that is unknown or disabled is invalid_client, and an outage is none", func(t *testing.T) {
		tr := newTrial(t)
		if client, err := tr.endpoint.Client(t.Context(), "stranger"); client != nil || !errors.Is(err, tokenendpoint.InvalidClient) {
			t.Errorf("unknown: %v, %v", client, err)
		}
		tr.client.Disabled = true
		if client, err := tr.endpoint.Client(t.Context(), "till"); client != nil || !errors.Is(err, tokenendpoint.InvalidClient) {
			t.Errorf("disabled: %v, %v", client, err)
		}
		tr.clients = func(context.Context, string) (*store.Client, error) { return nil, errFaultCanary }
		if client, err := tr.endpoint.Client(t.Context(), "till"); client != nil || !errors.Is(err, tokenendpoint.TemporarilyUnavailable) || errors.Is(err, tokenendpoint.InvalidClient) {
			t.Errorf("out of order: %v, %v", client, err)
		}
	})
}

// signerFunc is the trial's key in a device that may be out of order.
type signerFunc func() error

func (signerFunc) Public() crypto.PublicKey { return trialKey().Public() }

func (f signerFunc) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := f(); err != nil {
		return nil, err
	}
	return trialKey().Sign(r, digest, opts)
}

func TestATokenThatCannotBeSignedSpendsNothing(t *testing.T) {
	t.Run("the ID token's algorithm has no key", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		c, _ := d.clients.Client(t.Context(), "web")
		for _, alg := range []string{"RS256", "none", "HS256"} {
			wants := *c
			wants.IDTokenAlg = alg
			d.clients.Put(wants)
			d.want(d.redeem("web", code), 500, tokenendpoint.ReasonNoSigningKey)
		}
		d.clients.Put(*c)
		d.want(d.redeem("web", code), 200, "")
	})
	t.Run("the key is out of order, for either token", func(t *testing.T) {
		for signatures := range 2 {
			broken := false
			made := 0
			d := newDesk(t, func(c *tokenendpoint.Config) {
				c.Keys = tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: signerFunc(func() error {
					if made++; broken && made > signatures {
						return errFaultCanary
					}
					return nil
				})}}
			})
			first := d.signIn("web").refresh()
			broken, made = true, 0
			d.want(d.refresh("web", first), 503, tokenendpoint.ReasonKeysUnavailable)
			broken = false
			d.equal("the status", d.refresh("web", first).status, 200)
		}
	})
	t.Run("an RS256 key that does not sign yet is not waited for", func(t *testing.T) {
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		d := newDesk(t, func(c *tokenendpoint.Config) {
			c.Keys = tokenendpoint.StaticKeys{
				{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()},
				{ID: "k2", Alg: tokenendpoint.RS256, Signer: transcriptKeys[tokenendpoint.RS256]().Signer, SignFrom: keysStart.Add(time.Hour)},
				{ID: "k3", Alg: tokenendpoint.ES256, Signer: other, SignFrom: keysStart.Add(-time.Hour), PublishUntil: keysStart.Add(2 * time.Minute)},
			}
		})
		id := d.claims(d.signIn("web"), "id_token")
		d.equal("the life of the ID token, whose key is published no longer", id["exp"].(float64)-id["iat"].(float64), 120.0)
	})
}
