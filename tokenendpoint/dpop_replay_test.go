package tokenendpoint_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 9449-11.1-02: a proof is good for one token.
func TestAProofIsUsedOnce(t *testing.T) {
	for _, flow := range dpopFlows {
		if flow.name == "client_credentials with an assertion" { // which is refused before
			continue
		}
		t.Run(flow.name+" with the proof of another request is refused", func(t *testing.T) {
			d := newDPoPDesk(t)
			proof := d.key.proof()
			d.issued(d.send("till", deskForm("client_credentials", nil), proof), d.key.jkt())
			form := flow.begin(d, flow.client)
			for range 2 {
				d.refused(d.send(flow.client, form, proof), "invalid_dpop_proof", tokenendpoint.ReasonReplayed)
			}
			d.issued(d.send(flow.client, form, d.key.proof()), d.key.jkt())
		})
	}
	form := deskForm("client_credentials", nil)
	t.Run("the same jti by another key is another proof", func(t *testing.T) {
		d := newDPoPDesk(t)
		jti := withClaim("jti", "the-same")
		d.issued(d.send("web", form, d.key.proof(jti)), d.key.jkt())
		d.issued(d.send("web", form, d.other.proof(jti)), d.other.jkt())
	})
	t.Run("the same jti in another proof of the key is used already", func(t *testing.T) {
		d := newDPoPDesk(t)
		jti := withClaim("jti", "the-same")
		d.issued(d.send("web", form, d.key.proof(jti)), d.key.jkt())
		d.refused(d.send("web", form, d.key.proof(jti, d.key.at("iat", -time.Second))), "invalid_dpop_proof", tokenendpoint.ReasonReplayed)
	})
	t.Run("a jti of 256 bytes is used once too", func(t *testing.T) {
		d := newDPoPDesk(t)
		long := make([]byte, 256)
		for i := range long {
			long[i] = 'j'
		}
		proof := d.key.proof(withClaim("jti", string(long)))
		d.issued(d.send("web", form, proof), d.key.jkt())
		d.refused(d.send("web", form, proof), "invalid_dpop_proof", tokenendpoint.ReasonReplayed)
	})
	t.Run("two endpoints that share a ReplayStore see one use", func(t *testing.T) {
		here := newDPoPDesk(t)
		there := newDPoPDesk(t, func(c *tokenendpoint.Config) { c.Replays = here.replays })
		proof := here.key.proof()
		here.issued(here.send("web", form, proof), here.key.jkt())
		there.refused(there.send("web", form, proof), "invalid_dpop_proof", tokenendpoint.ReasonReplayed)
	})
}

// 9449-11.1-02: of twenty at once one gets a token.
func TestAProofIsUsedOnceByManyAtOnce(t *testing.T) {
	for _, flow := range []dpopFlow{dpopFlows[0], {"a refresh token that is kept", "till", dpopRefresh}, {"a refresh token that is rotated", "web", dpopRefresh}} {
		t.Run(flow.name+" is answered once by one proof", func(t *testing.T) {
			d := newDPoPDesk(t)
			form, proof := flow.begin(d, flow.client), d.key.proof()
			answers, begin := make([]dpopAnswer, 20), make(chan struct{})
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() {
					<-begin
					answers[i] = d.send(flow.client, form, proof)
				})
			}
			close(begin)
			all.Wait()
			codes := make(map[string]int)
			for _, answer := range answers {
				codes[answer.text("token_type")+answer.text("error")]++
			}
			d.equal("the answers", codes, map[string]int{"DPoP": 1, "invalid_dpop_proof": 19})
		})
	}
}

// A ReplayStore that fails is an outage: nothing is granted, and nothing changes.
func TestAReplayStoreThatFailsIsAnOutage(t *testing.T) {
	for _, flow := range dpopFlows {
		t.Run(flow.name+" is 503, and good once the store is back", func(t *testing.T) {
			d := newDPoPDesk(t)
			form, proof := flow.begin(d, flow.client), d.key.proof()
			d.replays.fail = errDPoPReplays
			for range 2 {
				answer := d.send(flow.client, form, proof)
				d.want(answer.deskAnswer, 503, tokenendpoint.ReasonStoreUnavailable)
				d.equal("the changes of the store", answer.changes, int64(0))
			}
			d.replays.fail = nil
			d.issued(d.send(flow.client, form, proof), d.key.jkt())
		})
	}
}

// A request that loses a race is done again with the one proof that it has.
func TestALostRaceCostsNoProof(t *testing.T) {
	d := newDPoPDesk(t)
	form := dpopRefresh(d, "web")
	var winner dpopAnswer
	d.before("Exchange", func() { winner = d.send("web", form, d.other.proof()) })
	proof := d.key.proof()
	loser := d.issued(d.send("web", form, proof), d.key.jkt())
	d.issued(dpopAnswer{deskAnswer: winner.deskAnswer}, d.other.jkt())
	d.equal("the refresh token", loser.refresh(), winner.refresh())
	d.equal("the ids that were used up", d.replays.used(), 2)
	d.refused(d.send("web", form, proof), "invalid_dpop_proof", tokenendpoint.ReasonReplayed)
}

// before calls a function before the next call of a method of the store.
func (d *dpopDesk) before(method string, call func()) {
	around, done := d.records.around, false
	d.records.around = func(ctx context.Context, name string, next func(context.Context) error) error {
		if name == method && !done {
			done = true
			call()
		}
		return around(ctx, name, next)
	}
}

// A request that is refused after its proof was looked at does not use it up; one whose
// change could not be made does, because it was minted for.
func TestAProofOfARequestThatFailed(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  func(d *dpopDesk, proof string) dpopAnswer
		status int
		reason tokenendpoint.Reason
	}{
		{"for its scope", func(d *dpopDesk, proof string) dpopAnswer {
			return d.send("web", deskForm("client_credentials", []string{"scope", "unknown"}), proof)
		}, 400, tokenendpoint.ReasonScopeNotAllowed},
		{"for its grant type", func(d *dpopDesk, proof string) dpopAnswer {
			return d.send("web", deskForm("unknown", nil), proof)
		}, 400, tokenendpoint.ReasonUnsupportedGrantType},
		{"for its code", func(d *dpopDesk, proof string) dpopAnswer {
			return d.send("web", deskForm("authorization_code", []string{"code", "unknown", "code_verifier", redeemVerifier}), proof)
		}, 400, tokenendpoint.ReasonUnknownHandle},
		{"by the hook of users", func(d *dpopDesk, proof string) dpopAnswer {
			d.users = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error {
				return tokenendpoint.InvalidGrant
			}
			return d.send("web", d.redeeming("web"), proof)
		}, 400, "invalid_grant"},
		{"while its user has not decided", func(d *dpopDesk, proof string) dpopAnswer {
			answer := d.post("/connect/deviceauthorization", "web", nil, nil)
			return d.send("web", deskForm(d.device.GrantType(), []string{"device_code", answer.text("device_code")}), proof)
		}, 400, tokenendpoint.ReasonPending},
		{"by an outage before anything was minted", func(d *dpopDesk, proof string) dpopAnswer {
			form := d.redeeming("web")
			d.records.around = func(context.Context, string, func(context.Context) error) error { return errDPoPReplays }
			return d.send("web", form, proof)
		}, 503, tokenendpoint.ReasonStoreUnavailable},
	} {
		t.Run("a proof whose request failed "+c.name+" is good", func(t *testing.T) {
			d := newDPoPDesk(t)
			proof := d.key.proof()
			answer := c.first(d, proof)
			if answer.status != c.status || answer.event.Reason != c.reason {
				t.Fatalf("answered %d %s for %q, want %q", answer.status, answer.body, answer.event.Reason, c.reason)
			}
			d.issued(d.send("web", deskForm("client_credentials", nil), proof), d.key.jkt())
		})
	}
	t.Run("a proof whose request could not be committed is used up", func(t *testing.T) {
		d := newDPoPDesk(t)
		form, proof, around := d.redeeming("web"), d.key.proof(), d.records.around
		d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
			if method == "Exchange" {
				return errDPoPReplays
			}
			return call(ctx)
		}
		d.want(d.send("web", form, proof).deskAnswer, 503, tokenendpoint.ReasonStoreUnavailable)
		d.records.around = around
		d.refused(d.send("web", form, proof), "invalid_dpop_proof", tokenendpoint.ReasonReplayed)
		d.issued(d.send("web", form, d.key.proof()), d.key.jkt())
	})
	t.Run("a proof without a ReplayStore proves nothing", func(t *testing.T) {
		d := newDPoPDesk(t, func(c *tokenendpoint.Config) { c.Replays = nil })
		d.issued(d.send("web", deskForm("client_credentials", nil), d.key.proof()), "")
		d.alter("web", func(c *store.Client) { c.DPoPBoundAccessTokens = true })
		if answer := d.send("web", deskForm("client_credentials", nil), d.key.proof()); answer.status == 200 {
			t.Errorf("a client that always sends proofs got %s", answer.body)
		}
	})
}
