package tokenendpoint_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const dpopPeriod = 5 * time.Minute // that of a nonce

// nqchar is that of RFC 6749 appendix A, of which a nonce is one or more.
var nqchar = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)

// challenged checks that a nonce is asked for, that nothing was changed and no id used up,
// and returns it.
func (d *dpopDesk) challenged(answer dpopAnswer) string {
	d.t.Helper()
	d.refused(answer, "use_dpop_nonce", tokenendpoint.ReasonDPoPNonce)
	return d.given(answer)
}

// given returns the one nonce of an answer.
func (d *dpopDesk) given(answer dpopAnswer) string {
	d.t.Helper()
	nonces := answer.header.Values("DPoP-Nonce")
	if len(nonces) != 1 || !nqchar.MatchString(nonces[0]) || !strings.Contains(answer.header.Get("Cache-Control"), "no-store") {
		d.t.Fatalf("a %d with the headers %q", answer.status, answer.header)
	}
	return nonces[0]
}

func (d *dpopDesk) none(answer dpopAnswer) {
	d.t.Helper()
	if _, there := answer.header["Dpop-Nonce"]; there {
		d.t.Errorf("a %d has a nonce", answer.status)
	}
}

func withNonce(nonce string) assertionChange { return withClaim("nonce", nonce) }

func dpopNonces(c *tokenendpoint.Config) { c.DPoPNonce = true }

// 9449-8-01, 9449-8-03, 9449-8-04, 9449-8.1-01: a nonce is asked for before anything is
// used up: the code, the assertion and the jti are still good with it.
func TestANonceIsAskedForBeforeAnythingIsUsedUp(t *testing.T) {
	for _, flow := range dpopFlows {
		t.Run(flow.name+" is still good with the nonce", func(t *testing.T) {
			d := newDPoPDesk(t)
			form := flow.begin(d, flow.client)
			d.alter(flow.client, func(c *store.Client) { c.DPoPNonce = true })
			jti := withClaim("jti", "the-same")
			nonce := d.challenged(d.send(flow.client, form, d.key.proof(jti)))
			d.challenged(d.send(flow.client, form, d.key.proof(jti, withNonce(""))))
			d.challenged(d.send(flow.client, form, d.key.proof(jti, withNonce(nonce+"A"))))
			d.equal("the ids that were used up", d.replays.used(), 0)
			d.none(d.issued(d.send(flow.client, form, d.key.proof(jti, withNonce(nonce))), d.key.jkt()))
		})
	}
}

// 9449-8-01, 9449-11.3-01: who needs nonces, and that without one nothing goes.
func TestWhoNeedsNonces(t *testing.T) {
	form := deskForm("client_credentials", nil)
	t.Run("nobody needs one unless it is asked for", func(t *testing.T) {
		d := newDPoPDesk(t)
		d.none(d.issued(d.send("web", form, d.key.proof()), d.key.jkt()))
		d.none(d.issued(d.send("web", form, d.key.proof(withNonce("made up"))), d.key.jkt()))
		bad := d.send("web", form, d.key.proof(withClaim("htm", "GET")))
		d.refused(bad, "invalid_dpop_proof", "dpop_htm")
		d.none(bad)
	})
	t.Run("everybody needs one if the Config says so", func(t *testing.T) {
		d := newDPoPDesk(t, dpopNonces)
		for _, client := range []string{"web", "till", "app"} {
			d.challenged(d.send(client, d.redeeming(client), d.key.proof()))
		}
	})
	t.Run("one client needs one if it says so", func(t *testing.T) {
		d := newDPoPDesk(t)
		d.alter("till", func(c *store.Client) { c.DPoPNonce = true })
		d.challenged(d.send("till", form, d.key.proof()))
		d.none(d.issued(d.send("web", form, d.key.proof()), d.key.jkt()))
	})
	t.Run("a request without a proof needs none", func(t *testing.T) {
		d := newDPoPDesk(t, dpopNonces)
		d.none(d.issued(d.send("web", form), ""))
	})
	t.Run("one is needed also after one was given", func(t *testing.T) {
		d := newDPoPDesk(t, dpopNonces)
		nonce := d.challenged(d.send("web", form, d.key.proof()))
		d.issued(d.send("web", form, d.key.proof(withNonce(nonce))), d.key.jkt())
		d.challenged(d.send("web", form, d.key.proof()))
	})
	t.Run("a nonce makes no bad proof good", func(t *testing.T) {
		d := newDPoPDesk(t, dpopNonces)
		nonce := withNonce(d.challenged(d.send("web", form, d.key.proof())))
		d.refused(d.send("web", form, d.key.proof(nonce, d.key.at("iat", -5*time.Minute))), "invalid_dpop_proof", "dpop_too_old")
		d.refused(d.send("web", form, d.key.proof(nonce), d.key.proof(nonce)), "invalid_dpop_proof", "dpop_repeated")
	})
	t.Run("a client that does not authenticate is given none", func(t *testing.T) {
		d := newDPoPDesk(t, dpopNonces)
		answer := d.send("nobody", form, d.key.proof())
		d.equal("the code", answer.text("error"), "invalid_client")
		d.none(answer)
	})
}

// 9449-8-02, 9449-8.2-01: a nonce is good for its period and the next, in which a new one
// comes with every answer.
func TestANonceEnds(t *testing.T) {
	form := deskForm("client_credentials", nil)
	begin := func(t *testing.T) (*dpopDesk, string) {
		d := newDPoPDesk(t, dpopNonces)
		d.clock.Set(keysStart.Truncate(dpopPeriod)) // its first instant
		return d, d.challenged(d.send("web", form, d.key.proof()))
	}
	t.Run("within its period it is good and nothing is said", func(t *testing.T) {
		d, nonce := begin(t)
		d.clock.Advance(dpopPeriod - time.Second)
		d.none(d.issued(d.send("web", form, d.key.proof(withNonce(nonce))), d.key.jkt()))
	})
	t.Run("within the next it is good and a new one is given", func(t *testing.T) {
		d, nonce := begin(t)
		d.clock.Advance(dpopPeriod)
		next := d.given(d.issued(d.send("web", form, d.key.proof(withNonce(nonce))), d.key.jkt()))
		if next == nonce {
			t.Error("the nonce is the old one")
		}
		d.none(d.issued(d.send("web", form, d.key.proof(withNonce(next))), d.key.jkt()))
		d.clock.Advance(dpopPeriod - time.Second)
		d.given(d.issued(d.send("web", form, d.key.proof(withNonce(nonce))), d.key.jkt()))
	})
	t.Run("a new one comes with a refusal too", func(t *testing.T) {
		d, nonce := begin(t)
		d.clock.Advance(dpopPeriod)
		answer := d.send("web", deskForm("client_credentials", []string{"scope", "unknown"}), d.key.proof(withNonce(nonce)))
		d.equal("the code", answer.text("error"), "invalid_scope")
		d.given(answer)
	})
	t.Run("after that it is not good", func(t *testing.T) {
		d, nonce := begin(t)
		d.clock.Advance(2 * dpopPeriod)
		next := d.challenged(d.send("web", form, d.key.proof(withNonce(nonce))))
		d.issued(d.send("web", form, d.key.proof(withNonce(next))), d.key.jkt())
	})
	t.Run("one of a period to come is not good", func(t *testing.T) {
		d, _ := begin(t)
		d.clock.Advance(dpopPeriod)
		nonce := d.challenged(d.send("web", form, d.key.proof()))
		d.clock.Advance(-dpopPeriod)
		d.challenged(d.send("web", form, d.key.proof(withNonce(nonce))))
	})
}

// 9449-8-01: a nonce is that of a key, which nodes share or do not.
func TestNodesShareNonces(t *testing.T) {
	form := deskForm("client_credentials", nil)
	keyed := func(key []byte) func(*tokenendpoint.Config) {
		return func(c *tokenendpoint.Config) { c.DPoPNonce, c.DPoPNonceKey = true, key }
	}
	ours := bytes.Repeat([]byte{7}, 32)
	for _, c := range []struct {
		name string
		key  []byte
		good bool
	}{
		{"another node with the same key accepts it", bytes.Clone(ours), true},
		{"one with another key does not", bytes.Repeat([]byte{8}, 32), false},
		{"one with a key of its own does not", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			here, there := newDPoPDesk(t, keyed(ours)), newDPoPDesk(t, keyed(c.key))
			nonce := here.challenged(here.send("web", form, here.key.proof()))
			answer := there.send("web", form, here.key.proof(withNonce(nonce)))
			if c.good {
				there.issued(answer, here.key.jkt())
				return
			}
			there.challenged(answer)
		})
	}
	t.Run("two that have keys of their own differ", func(t *testing.T) {
		a, b := newDPoPDesk(t, dpopNonces), newDPoPDesk(t, dpopNonces)
		if a.challenged(a.send("web", form, a.key.proof())) == b.challenged(b.send("web", form, b.key.proof())) {
			t.Error("the nonces are the same")
		}
	})
	t.Run("the caller's key may change after New", func(t *testing.T) {
		key := bytes.Clone(ours)
		here, there := newDPoPDesk(t, keyed(key)), newDPoPDesk(t, keyed(ours))
		clear(key)
		nonce := here.challenged(here.send("web", form, here.key.proof()))
		there.issued(there.send("web", form, here.key.proof(withNonce(nonce))), here.key.jkt())
	})
}

func TestTheKeyOfNoncesHas32Bytes(t *testing.T) {
	for _, size := range []int{0, 1, 16, 31, 33, 64} {
		t.Run(fmt.Sprintf("a key of %d bytes fails at the start", size), func(t *testing.T) {
			config := keysConfig(tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}}, newKeysClock(keysStart))
			config.DPoPNonceKey = bytes.Repeat([]byte("z"), size)
			_, err := tokenendpoint.New(config)
			if err == nil || !strings.Contains(err.Error(), "DPoPNonceKey") || strings.Contains(err.Error(), "zz") {
				t.Errorf("New with a key of %d bytes: %v", size, err)
			}
		})
	}
}
