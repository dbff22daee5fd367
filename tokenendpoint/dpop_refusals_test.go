package tokenendpoint_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// dpopCanary is in every part of the proofs of which nothing may be seen.
const dpopCanary = "canary-b1946ac9"

// dpopBad is a request whose DPoP headers are not right.
type dpopBad struct {
	name   string
	proofs func(d *dpopDesk) []string
	reason tokenendpoint.Reason
}

// dpopBads has at least one of each reason.
func dpopBads() []dpopBad {
	one := func(name string, reason tokenendpoint.Reason, changes ...assertionChange) dpopBad {
		return dpopBad{name, func(d *dpopDesk) []string { return []string{d.key.proof(changes...)} }, reason}
	}
	raw := func(name string, reason tokenendpoint.Reason, change func(proof string) string) dpopBad {
		return dpopBad{name, func(d *dpopDesk) []string { return []string{change(d.key.proof())} }, reason}
	}
	return []dpopBad{
		{"two headers", func(d *dpopDesk) []string { return []string{d.key.proof(), d.key.proof()} }, "dpop_repeated"},
		{"the same header twice", func(d *dpopDesk) []string { p := d.key.proof(); return []string{p, p} }, "dpop_repeated"},
		{"an empty header beside one", func(d *dpopDesk) []string { return []string{"", d.key.proof()} }, "dpop_repeated"},
		{"two proofs in one header", func(d *dpopDesk) []string { return []string{d.key.proof() + ", " + d.key.proof()} }, "dpop_malformed"},
		raw("an empty header", "dpop_malformed", func(string) string { return "" }),
		raw("two parts", "dpop_malformed", func(p string) string { return p[:strings.LastIndex(p, ".")] }),
		raw("four parts", "dpop_malformed", func(p string) string { return p + ".e30" }),
		raw("five parts, as a JWE has", "dpop_malformed", func(p string) string { return p + ".e30.e30" }),
		raw("garbage", "dpop_malformed", func(string) string { return dpopCanary }),
		raw("a quoted proof", "dpop_malformed", func(p string) string { return `"` + p + `"` }),
		raw("a comma at the end", "dpop_signature", func(p string) string { return p + "," }),
		raw("a tampered signature", "dpop_signature", func(p string) string { return p[:len(p)-8] + "AAAAAAAA" }),
		raw("more than 8 KiB", "dpop_too_long", func(p string) string { return p + strings.Repeat("A", 8<<10) }),
		one("typ of another JWT", "dpop_typ", withHeader("typ", "JWT")),
		one("no typ", "dpop_typ", withHeader("typ", nil)),
		one("alg none", "dpop_alg", withHeader("alg", "none")),
		one("a symmetric alg", "dpop_alg", withHeader("alg", "HS256")),
		one("an alg that is not listed", "dpop_alg", withHeader("alg", "RS512")),
		one("no jwk", "dpop_jwk", withHeader("jwk", nil)),
		one("a symmetric jwk", "dpop_jwk", withHeader("jwk", jwtObject{"kty": "oct", "k": dpopCanary})),
		{"a private jwk", func(d *dpopDesk) []string { return []string{d.key.proof(withHeader("jwk", d.key.private()))} }, "dpop_jwk"},
		{"the signature of another key", func(d *dpopDesk) []string { return []string{d.key.byAnother(d.other.signer)} }, "dpop_signature"},
		one("no jti", "dpop_claims", withClaim("jti", nil)),
		one("an empty jti", "dpop_claims", withClaim("jti", "")),
		one("a jti of 257 bytes", "dpop_claims", withClaim("jti", strings.Repeat("j", 257))),
		one("a jti that is a number", "dpop_claims", withClaim("jti", 5)),
		one("no htm", "dpop_claims", withClaim("htm", nil)),
		one("an htu that is a number", "dpop_claims", withClaim("htu", 5)),
		one("no iat", "dpop_claims", withClaim("iat", nil)),
		one("an iat that is a string", "dpop_claims", withClaim("iat", dpopCanary)),
		one("an exp that is null", "dpop_claims", withClaim("exp", jwtNull)),
		one("a nonce that is a number", "dpop_claims", withClaim("nonce", 5)),
		one("htm of another method", "dpop_htm", withClaim("htm", "GET")),
		one("htm in lower case", "dpop_htm", withClaim("htm", "post")),
		one("htu of another endpoint", "dpop_htu", withClaim("htu", trialIssuer+"/"+dpopCanary)),
		one("an old iat", "dpop_too_old", withClaim("iat", keysStart.Add(-5*time.Minute).Unix())),
		one("an iat that is to come", "dpop_too_early", withClaim("iat", keysStart.Add(5*time.Minute).Unix())),
		one("an exp that is over", "dpop_too_old", withClaim("exp", keysStart.Add(-time.Minute).Unix())),
		one("an nbf that is to come", "dpop_too_early", withClaim("nbf", keysStart.Add(time.Minute).Unix())),
	}
}

// 9449-4.2-01, 9449-4.3-01 to 9449-4.3-07, 9449-5-01, 9449-11.6-01, and 47 of what is
// commonly got wrong: a bad proof is told apart and uses nothing up. What was to be
// redeemed is redeemed by the next request, assertion and all.
func TestABadProofBurnsNothing(t *testing.T) {
	for _, flow := range dpopFlows {
		t.Run(flow.name+" is still good after bad proofs", func(t *testing.T) {
			d := newDPoPDesk(t)
			form := flow.begin(d, flow.client)
			for _, bad := range dpopBads() {
				t.Run(bad.name+" is refused", func(t *testing.T) {
					d.t = t
					d.refused(d.send(flow.client, form, bad.proofs(d)...), "invalid_dpop_proof", bad.reason)
					if used := d.replays.used(); used != 0 {
						t.Errorf("%d ids were used up", used)
					}
				})
			}
			d.t = t
			d.issued(d.send(flow.client, form, d.key.proof()), d.key.jkt())
		})
	}
}

// 9449-4.1-01: a proof is read under whatever spelling of the header, which HTTP/2
// writes in lower case.
func TestTheHeaderIsReadInAnyCase(t *testing.T) {
	for _, name := range []string{"DPoP", "dpop", "DPOP"} {
		t.Run(name+" is the header", func(t *testing.T) {
			d := newDPoPDesk(t)
			request := "POST /connect/token HTTP/1.1\r\nHost: shop.example\r\n" + name + ": " + d.key.proof() + "\r\n"
			d.issued(d.sendRaw(request, "web", deskForm("client_credentials", nil)), d.key.jkt())
		})
	}
	t.Run("two spellings are two headers", func(t *testing.T) {
		d := newDPoPDesk(t)
		request := "POST /connect/token HTTP/1.1\r\nHost: shop.example\r\nDPoP: " + d.key.proof() + "\r\ndpop: " + d.key.proof() + "\r\n"
		d.refused(d.sendRaw(request, "web", deskForm("client_credentials", nil)), "invalid_dpop_proof", "dpop_repeated")
	})
}

// Nothing of a proof is in an answer, a log or an event: neither of those that are
// refused for whatever reason, nor of one that is right, or used again, or in need of a
// nonce.
func TestNothingOfAProofIsLogged(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d := newDPoPDesk(t, func(c *tokenendpoint.Config) {
		keep := c.Observe
		c.Logger, c.Observe = logger, func(ctx context.Context, event tokenendpoint.Event) {
			tokenendpoint.LogEvents(logger)(ctx, event)
			keep(ctx, event)
		}
	})
	canaries := []assertionChange{withClaim("jti", dpopCanary), withClaim("nonce", dpopCanary+"-nonce"), withClaim("ath", dpopCanary+"-ath")}
	good, form := d.key.proof(canaries...), deskForm("client_credentials", nil)
	answers := []dpopAnswer{d.send("web", form, good), d.send("web", form, good)}
	proofs := []string{good}
	for _, bad := range dpopBads() {
		sent := bad.proofs(d)
		proofs = append(proofs, sent...)
		answers = append(answers, d.send("web", form, sent...))
	}
	for _, name := range []string{"htm", "htu", "iat", "typ"} {
		proofs = append(proofs, d.key.proof(append(canaries, withClaim(name, dpopCanary))...), d.key.proof(append(canaries, withHeader(name, dpopCanary))...))
		answers = append(answers, d.send("web", form, proofs[len(proofs)-2]), d.send("web", form, proofs[len(proofs)-1]))
	}
	d.alter("web", func(c *store.Client) { c.DPoPNonce = true })
	answers = append(answers, d.send("web", form, d.key.proof(canaries...)))
	nonce := answers[len(answers)-1].header.Get("DPoP-Nonce")
	answers = append(answers, d.send("web", form, d.key.proof(withClaim("nonce", nonce))))
	d.replays.fail = errDPoPReplays
	answers = append(answers, d.send("web", form, d.key.proof(append(canaries, withClaim("nonce", nonce))...)))

	seen := logged.String()
	for _, answer := range answers {
		event, err := json.Marshal(answer.event)
		if err != nil {
			t.Fatal(err)
		}
		seen += answer.body + string(event)
		if answer.event.Err != nil {
			seen += answer.event.Err.Error()
		}
	}
	secrets := []string{dpopCanary, base64.RawURLEncoding.EncodeToString([]byte(dpopCanary)), nonce}
	for _, proof := range proofs {
		secrets = append(secrets, strings.Split(proof, ".")...)
	}
	for _, secret := range secrets {
		if len(secret) > 8 && strings.Contains(seen, secret) {
			t.Errorf("%.40q can be seen", secret)
		}
	}
	for _, reason := range []string{"dpop_htm", "dpop_htu", "replayed", "dpop_nonce", "issued", "store_unavailable"} {
		if !strings.Contains(logged.String(), `"`+reason+`"`) {
			t.Errorf("nothing was logged for %s", reason)
		}
	}
}
