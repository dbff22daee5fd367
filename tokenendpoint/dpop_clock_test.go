package tokenendpoint_test

import (
	"context"
	"testing"
	"time"

	"github.com/grantor-go/grantor/internal/proof"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 9449-4.3-11, 9449-4.3-12, 9449-11.1-01: when a proof is good, by the clock of the
// endpoint.
func TestWhenAProofIsGood(t *testing.T) {
	const tick = time.Millisecond
	for _, c := range []struct {
		name   string
		claim  string
		at     time.Duration // from now
		reason tokenendpoint.Reason
	}{
		{"ten seconds ago", "iat", -10 * time.Second, ""},
		{"as long ago as the window", "iat", -proof.Window, ""},
		{"a moment longer ago", "iat", -proof.Window - tick, "dpop_too_old"},
		{"five minutes ago", "iat", -5 * time.Minute, "dpop_too_old"},
		{"ten seconds ahead", "iat", 10 * time.Second, ""},
		{"as far ahead as the leeway", "iat", proof.Leeway, ""},
		{"a moment further ahead", "iat", proof.Leeway + tick, "dpop_too_early"},
		{"five minutes ahead", "iat", 5 * time.Minute, "dpop_too_early"},
		{"that is to come", "exp", time.Second, ""},
		{"over for less than the leeway", "exp", tick - proof.Leeway, ""},
		{"over for the leeway", "exp", -proof.Leeway, "dpop_too_old"},
		{"that is past", "nbf", -time.Second, ""},
		{"as far ahead as the leeway", "nbf", proof.Leeway, ""},
		{"a moment further ahead", "nbf", proof.Leeway + tick, "dpop_too_early"},
	} {
		t.Run(c.claim+" "+c.name+" is judged", func(t *testing.T) {
			d := newDPoPDesk(t)
			d.clock.Set(keysStart.Truncate(time.Second))
			answer := d.send("web", deskForm("client_credentials", nil), d.key.proof(d.key.at(c.claim, c.at)))
			if c.reason == "" {
				d.issued(answer, d.key.jkt())
				return
			}
			d.refused(answer, "invalid_dpop_proof", c.reason)
		})
	}
}

// 9449-11.1-02: what was used is remembered until no node accepts it any longer, and not
// for long after.
func TestAProofIsRememberedUntilItIsTooOld(t *testing.T) {
	form := deskForm("client_credentials", nil)
	for _, c := range []struct {
		name string
		iat  time.Duration // from its first use
	}{
		{"made now", 0},
		{"made by a clock that is ahead", proof.Leeway},
		{"half a minute old", -30 * time.Second},
		{"almost too old", -proof.Window + 100*time.Millisecond},
		{"with a fraction", -1234 * time.Millisecond},
	} {
		t.Run("a proof "+c.name+" is refused as long as it is fresh", func(t *testing.T) {
			d := newDPoPDesk(t)
			d.clock.Set(keysStart.Truncate(time.Second))
			token := d.key.proof(d.key.at("iat", c.iat), d.key.at("exp", time.Hour))
			first := d.clock.Now()
			end := first.Add(c.iat + proof.Window)
			last := end
			if c.iat%time.Second != 0 { // fractions of a NumericDate are not exact
				last = end.Add(-time.Millisecond)
			}
			d.issued(d.send("web", form, token), d.key.jkt())
			for _, at := range []time.Time{first, first.Add(end.Sub(first) / 2), last} {
				d.clock.Set(at)
				d.refused(d.send("web", form, token), "invalid_dpop_proof", tokenendpoint.ReasonReplayed)
			}
			d.clock.Set(end.Add(time.Millisecond))
			d.refused(d.send("web", form, token), "invalid_dpop_proof", "dpop_too_old")
			for _, kept := range d.replays.ends {
				if kept.After(end.Add(5 * time.Minute)) {
					t.Errorf("it is remembered for %v after that", kept.Sub(end))
				}
			}
		})
	}
	t.Run("a request that is judged in time and takes its time finds it used", func(t *testing.T) {
		d := newDPoPDesk(t)
		refresh, token := dpopRefresh(d, "till"), d.key.proof()
		d.issued(d.send("till", refresh, token), d.key.jkt())
		d.clock.Advance(proof.Window - time.Second)
		d.users = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error {
			d.clock.Advance(9 * time.Second) // less than Config.Timeout
			return nil
		}
		d.refused(d.send("till", refresh, token), "invalid_dpop_proof", tokenendpoint.ReasonReplayed)
	})
	t.Run("another node whose clock is behind finds it used", func(t *testing.T) {
		here := newDPoPDesk(t)
		there := newDPoPDesk(t, func(c *tokenendpoint.Config) { c.Replays = here.replays })
		token := here.key.proof()
		here.issued(here.send("web", form, token), here.key.jkt())
		here.clock.Advance(proof.Window + 30*time.Second) // the ReplayStore goes by this one
		there.clock.Advance(proof.Window - time.Second)
		there.refused(there.send("web", form, token), "invalid_dpop_proof", tokenendpoint.ReasonReplayed)
	})
}
