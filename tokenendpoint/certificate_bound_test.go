package tokenendpoint_test

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// certificateFlows are the ways to a token: each brings a client, that has a certificate
// where it needs one, to where one form redeems it.
var certificateFlows = []struct {
	name  string
	begin func(d *certificateDesk, p presented, client string) url.Values
}{
	{"client_credentials", func(*certificateDesk, presented, string) url.Values { return deskForm("client_credentials", nil) }},
	{"a code", certificateCode},
	{"a refresh token", func(d *certificateDesk, p presented, client string) url.Values {
		first := d.send(p, client, certificateCode(d, p, client))
		return deskForm("refresh_token", []string{"refresh_token", first.refresh()})
	}},
	{"a device code", func(d *certificateDesk, p presented, client string) url.Values {
		answer := d.post(p, "/connect/deviceauthorization", certificateClient(client), nil)
		if err := d.device.Approve(d.t.Context(), d.endpoint, grants.Visitor{Subject: "alice"}, answer.text("user_code"), store.Grant{Subject: "alice"}); err != nil {
			d.t.Fatalf("%s: %v", answer.body, err)
		}
		return deskForm(d.device.GrantType(), []string{"device_code", answer.text("device_code")})
	}},
	{"a backchannel request", func(d *certificateDesk, p presented, client string) url.Values {
		form := certificateClient(client)
		form.Set("login_hint", "alice")
		form.Set("scope", "openid orders.read")
		answer := d.post(p, "/connect/ciba", form, nil)
		if err := d.ciba.Approve(d.t.Context(), d.endpoint, d.decision, store.Grant{Subject: "alice"}); err != nil {
			d.t.Fatalf("%s: %v", answer.body, err)
		}
		return deskForm(d.ciba.GrantType(), []string{"auth_req_id", answer.text("auth_req_id")})
	}},
	{"a password", func(*certificateDesk, presented, string) url.Values {
		return deskForm("password", []string{"username", "alice", "password", "sesame-of-alice"})
	}},
	{"a grant of the host's own", func(*certificateDesk, presented, string) url.Values { return deskForm(redeemOwn, nil) }},
}

func certificateCode(d *certificateDesk, _ presented, client string) url.Values {
	return deskForm("authorization_code", []string{"code", d.code(client), "code_verifier", redeemVerifier})
}

// certificateClient are the credentials of a client that has a secret, unless it is
// public or has a certificate alone.
func certificateClient(id string) url.Values {
	form := url.Values{"client_id": {id}}
	if id == "web" || id == "till" {
		form.Set("client_secret", redeemSecret)
	}
	return form
}

// certificatePublic are the flows of public clients.
func certificatePublic(flow string) bool {
	return flow != "client_credentials" && flow != "a backchannel request"
}

// 8705-3-01, 8705-3.4-01.
func TestEveryGrantIsBoundToTheCertificate(t *testing.T) {
	cert := certificateSelfSigned()
	for _, flow := range certificateFlows {
		for client, method := range map[string]store.AuthMethod{"web": store.ClientSecretPost, "app": store.NoAuth, "kiosk": store.SelfSignedTLSClientAuth} {
			if client == "app" && !certificatePublic(flow.name) {
				continue
			}
			prepare := func(t *testing.T) *certificateDesk {
				d := newCertificateDesk(t)
				d.registerKeys("kiosk", certificateJWKS(t, cert))
				return d
			}
			t.Run("Of "+client+" "+flow.name+" is bound, if its tokens are", func(t *testing.T) {
				d := prepare(t)
				d.bind(client)
				form := flow.begin(d, unverified(cert), client)
				form.Set("cnf", `{"x5t#S256":"made up"}`)
				answer := d.issued(d.send(unverified(cert), client, form), method, cert)
				if _, ok := answer.members["cnf"]; ok {
					t.Errorf("the answer has cnf: %s", answer.body)
				}
			})
			t.Run("Of "+client+" "+flow.name+" is not bound, if its tokens are not", func(t *testing.T) {
				d := prepare(t)
				d.issued(d.send(unverified(cert), client, flow.begin(d, unverified(cert), client)), method, nil)
			})
			if client == "kiosk" {
				continue
			}
			t.Run("Of "+client+" "+flow.name+" is not redeemed without a certificate, and not lost", func(t *testing.T) {
				d := prepare(t)
				d.bind(client)
				form := flow.begin(d, unverified(cert), client)
				d.refused(d.send(noCertificate, client, form), tokenendpoint.ReasonCertificateAbsent)
				d.issued(d.send(unverified(cert), client, form), method, cert)
			})
		}
	}
}

func TestACertificateThatIsNotValidBindsNothing(t *testing.T) {
	d := newCertificateDesk(t)
	d.bind("web", "app")
	own := certificateSelfSigned()
	code := certificateCode(d, noCertificate, "app")
	for _, at := range []time.Time{own.Leaf.NotBefore.Add(-time.Second), own.Leaf.NotAfter.Add(time.Second)} {
		d.clock.Set(at)
		d.refused(d.ask(unverified(own), "web", "client_credentials"), tokenendpoint.ReasonCertificateAbsent)
		d.refused(d.send(unverified(own), "app", code), tokenendpoint.ReasonCertificateAbsent)
	}
	d.clock.Set(keysStart)
	d.issued(d.send(unverified(own), "app", code), store.NoAuth, own)
}

// 8705-4-01: what is kept for a client that does not authenticate is good for its
// certificate alone.
func TestTheRefreshTokensOfPublicClientsAreBound(t *testing.T) {
	own, other := certificateSelfSigned(), certificateIssued()
	for _, rotation := range []store.Rotation{store.RotationDefault, store.RotationRotate, store.RotationKeep} {
		t.Run("Another certificate, or none, is refused and the family lives, with the rotation "+string(cmp.Or(rotation, "default")), func(t *testing.T) {
			d := newCertificateDesk(t)
			d.bind("app")
			d.alter("app", func(c *store.Client) { c.Rotation = rotation })
			answer := d.issued(d.send(unverified(own), "app", certificateCode(d, noCertificate, "app")), store.NoAuth, own)
			for range 3 {
				token := answer.refresh()
				d.refused(d.ask(verified(other), "app", "refresh_token", "refresh_token", token), tokenendpoint.ReasonWrongKey)
				d.refused(d.ask(noCertificate, "app", "refresh_token", "refresh_token", token), tokenendpoint.ReasonCertificateAbsent)
				answer = d.issued(d.ask(unverified(own), "app", "refresh_token", "refresh_token", token), store.NoAuth, own)
			}
		})
	}
	t.Run("None is refused also when the client's tokens are bound no longer", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.bind("app")
		first := d.issued(d.send(unverified(own), "app", certificateCode(d, noCertificate, "app")), store.NoAuth, own)
		d.alter("app", func(c *store.Client) { c.TLSBoundAccessTokens = false })
		d.refused(d.ask(noCertificate, "app", "refresh_token", "refresh_token", first.refresh()), tokenendpoint.ReasonWrongKey)
		d.bind("app")
		d.issued(d.ask(unverified(own), "app", "refresh_token", "refresh_token", first.refresh()), store.NoAuth, own)
	})
	t.Run("One from before the client's tokens were bound is good once, and its successor is bound", func(t *testing.T) {
		d := newCertificateDesk(t)
		first := d.issued(d.send(unverified(own), "app", certificateCode(d, noCertificate, "app")), store.NoAuth, nil)
		d.bind("app")
		second := d.issued(d.ask(unverified(own), "app", "refresh_token", "refresh_token", first.refresh()), store.NoAuth, own)
		d.refused(d.ask(unverified(other), "app", "refresh_token", "refresh_token", second.refresh()), tokenendpoint.ReasonWrongKey)
		d.issued(d.ask(unverified(own), "app", "refresh_token", "refresh_token", second.refresh()), store.NoAuth, own)
	})
}

// RFC 8705 section 4: those of clients that authenticate are bound to the client.
func TestTheRefreshTokensOfClientsThatAuthenticateAreNotBound(t *testing.T) {
	own, other := certificateSelfSigned(), certificateSelfSigned()
	t.Run("A client with a secret may have another certificate, which binds", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.bind("web")
		first := d.issued(d.send(unverified(own), "web", certificateCode(d, noCertificate, "web")), store.ClientSecretPost, own)
		d.refused(d.ask(noCertificate, "web", "refresh_token", "refresh_token", first.refresh()), tokenendpoint.ReasonCertificateAbsent)
		d.issued(d.ask(unverified(other), "web", "refresh_token", "refresh_token", first.refresh()), store.ClientSecretPost, other)
	})
	t.Run("A client that authenticates by certificates may have a new one", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.registerKeys("kiosk", certificateJWKS(t, own, other))
		d.bind("kiosk")
		first := d.issued(d.send(unverified(own), "kiosk", certificateCode(d, noCertificate, "kiosk")), store.SelfSignedTLSClientAuth, own)
		d.issued(d.ask(unverified(other), "kiosk", "refresh_token", "refresh_token", first.refresh()), store.SelfSignedTLSClientAuth, other)
	})
}

// A page that issues a code may name the certificate that is to redeem it.
func TestACodeForACertificate(t *testing.T) {
	own, other := certificateSelfSigned(), certificateSelfSigned()
	for _, client := range []string{"web", "app"} {
		t.Run("Of "+client+" only that certificate redeems it", func(t *testing.T) {
			d := newCertificateDesk(t)
			d.bind(client)
			code := d.code(client, func(g *store.Grant) { g.Confirmation.X5T = certificateThumbprint(own) })
			d.refused(d.ask(unverified(other), client, "authorization_code", "code", code, "code_verifier", redeemVerifier), tokenendpoint.ReasonWrongKey)
			answer := d.ask(unverified(own), client, "authorization_code", "code", code, "code_verifier", redeemVerifier)
			d.issued(answer, answer.event.AuthMethod, own)
		})
	}
}

// RFC 7800 section 3.1, RFC 9449 section 6.1: one cnf has both.
func TestACertificateBesideAProof(t *testing.T) {
	own, other := certificateSelfSigned(), certificateSelfSigned()
	d := newCertificateDesk(t)
	d.bind("app")
	key, otherKey := newProver(t, trialIssuer+"/connect/token", d.clock.Now), newProver(t, trialIssuer+"/connect/token", d.clock.Now)
	send := func(cert presented, p prover, form url.Values) certificateAnswer {
		form.Set("client_id", "app")
		return d.post(cert, "/connect/token", form, http.Header{"Dpop": {p.proof()}})
	}
	both := func(answer certificateAnswer) certificateAnswer {
		t.Helper()
		d.want(answer.deskAnswer, 200, "")
		d.equal("cnf", d.claims(answer.deskAnswer, "access_token")["cnf"], map[string]any{"jkt": key.jkt(), "x5t#S256": certificateThumbprint(own)})
		d.equal("token_type", answer.text("token_type"), "DPoP")
		return answer
	}
	first := both(send(unverified(own), key, certificateCode(d, noCertificate, "app")))
	refresh := func() url.Values { return deskForm("refresh_token", []string{"refresh_token", first.refresh()}) }
	d.refused(send(unverified(other), key, refresh()), tokenendpoint.ReasonWrongKey)
	d.refused(send(unverified(own), otherKey, refresh()), tokenendpoint.ReasonWrongKey)
	d.refused(d.ask(unverified(own), "app", "refresh_token", "refresh_token", first.refresh()), tokenendpoint.ReasonWrongKey)
	d.refused(send(noCertificate, key, refresh()), tokenendpoint.ReasonCertificateAbsent)
	both(send(unverified(own), key, refresh()))
}

// What the endpoint says of the certificate is for hooks to read and not to write.
func TestHooksSeeTheCertificateOnlyByItsThumbprint(t *testing.T) {
	own := certificateSelfSigned()
	var seen store.Confirmation
	var claims map[string]any
	d := newCertificateDesk(t, func(c *tokenendpoint.Config) {
		c.Policy = func(_ context.Context, req *tokenendpoint.Request, token *tokenendpoint.Token) error {
			seen, token.Claims = req.Confirmation, claims
			return nil
		}
	})
	d.bind("web")
	d.issued(d.ask(unverified(own), "web", "client_credentials"), store.ClientSecretPost, own)
	d.equal("Request.Confirmation", seen, store.Confirmation{X5T: certificateThumbprint(own)})
	claims = map[string]any{"cnf": map[string]any{"x5t#S256": "another"}}
	if answer := d.ask(unverified(own), "web", "client_credentials"); answer.status != 500 || answer.event.Reason != tokenendpoint.ReasonReservedName {
		t.Errorf("answered %d %s for %q", answer.status, answer.body, answer.event.Reason)
	}
}
