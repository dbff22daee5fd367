package tokenendpoint_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 8705-2.1.2-01: exactly one of the five is registered.
func TestACertificateSaysOneThing(t *testing.T) {
	cert := certificateIssued()
	t.Run("A client that registered nothing is refused", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.register("billing", func(*store.Metadata) {})
		d.refused(d.ask(verified(cert), "billing", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
		lints := d.endpoint.Lints()
		if last := lints[len(lints)-1]; last.Code != tokenendpoint.LintTLSSubject || !strings.Contains(last.Message, `"billing"`) {
			t.Errorf("the lints are %v", lints)
		}
	})
	for i, first := range certificateSubjects {
		for _, second := range certificateSubjects[i+1:] {
			both := store.Metadata{}
			*first.member(&both), *second.member(&both) = first.right, second.right
			if first.member(&both) == second.member(&both) {
				continue
			}
			t.Run("A client that registered "+first.name+" and "+second.name+" is refused although both are right", func(t *testing.T) {
				d := newCertificateDesk(t)
				d.register("billing", func(m *store.Metadata) { *first.member(m) = first.right })
				d.issued(d.ask(verified(cert), "billing", "client_credentials"), store.TLSClientAuth, nil)
				d.register("billing", func(m *store.Metadata) { *second.member(m) = second.right })
				d.refused(d.ask(verified(cert), "billing", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
			})
		}
	}
}

// The ends of the validity are within it (RFC 5280 section 4.1.2.5).
func TestACertificateIsValidNow(t *testing.T) {
	issued, own := certificateIssued(), certificateSelfSigned()
	for _, c := range []struct {
		name  string
		at    time.Time
		valid bool
	}{
		{"A second before its validity it is refused", issued.Leaf.NotBefore.Add(-time.Second), false},
		{"At its first second it authenticates", issued.Leaf.NotBefore, true},
		{"At its last second it authenticates", issued.Leaf.NotAfter, true},
		{"A second after its validity it is refused", issued.Leaf.NotAfter.Add(time.Second), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newCertificateDesk(t)
			d.register("billing", saysDN(certificateDN))
			d.register("kiosk", func(m *store.Metadata) {
				m.TokenEndpointAuthMethod, m.JWKS = store.SelfSignedTLSClientAuth, certificateJWKS(t, own)
			})
			d.clock.Set(c.at)
			if c.valid {
				d.issued(d.ask(verified(issued), "billing", "client_credentials"), store.TLSClientAuth, nil)
				d.issued(d.ask(unverified(own), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
				return
			}
			d.refused(d.ask(verified(issued), "billing", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
			d.refused(d.ask(unverified(own), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
		})
	}
}

// 8705-2-01: whose certificate it is, is never guessed.
func TestARequestWithACertificateNamesItsClient(t *testing.T) {
	d := newCertificateDesk(t)
	d.register("billing", saysDN(certificateDN))
	d.refused(d.post(verified(certificateIssued()), "/connect/token", url.Values{"grant_type": {"client_credentials"}}, nil), tokenendpoint.ReasonMissingClientID)
	d.refused(d.ask(verified(certificateIssued()), "", "client_credentials"), tokenendpoint.ReasonMissingClientID)
	header := make(http.Header)
	r := http.Request{Header: header}
	r.SetBasicAuth("billing", "") // how some clients say that they have no secret
	d.issued(d.post(verified(certificateIssued()), "/connect/token", url.Values{"grant_type": {"client_credentials"}}, header), store.TLSClientAuth, nil)
}

// A secret is the method of the request; the certificate then is that of its connection.
func TestASecretBesideACertificate(t *testing.T) {
	cert := certificateIssued()
	secret := func(id, secret string) url.Values {
		return deskForm("client_credentials", []string{"client_id", id, "client_secret", secret})
	}
	t.Run("The secret authenticates a client that has one, and nothing is bound", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.issued(d.post(unverified(cert), "/connect/token", secret("web", redeemSecret), nil), store.ClientSecretPost, nil)
	})
	t.Run("The secret authenticates a client that has one, and the certificate binds", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.bind("web")
		d.issued(d.post(unverified(cert), "/connect/token", secret("web", redeemSecret), nil), store.ClientSecretPost, cert)
	})
	t.Run("A wrong secret is not made good by a certificate", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.alter("web", func(c *store.Client) {
			c.AuthMethods, c.TLSSubjectDN = []store.AuthMethod{store.ClientSecretPost, store.TLSClientAuth}, certificateDN
		})
		d.refused(d.post(verified(cert), "/connect/token", secret("web", "wrong"), nil), tokenendpoint.ReasonSecretMismatch)
		d.issued(d.post(verified(cert), "/connect/token", deskForm("client_credentials", []string{"client_id", "web"}), nil), store.TLSClientAuth, nil)
		d.issued(d.post(noCertificate, "/connect/token", secret("web", redeemSecret), nil), store.ClientSecretPost, nil)
	})
	t.Run("A client of certificates alone may not use a secret", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.register("billing", saysDN(certificateDN))
		d.refused(d.post(verified(cert), "/connect/token", secret("billing", redeemSecret), nil), tokenendpoint.ReasonAuthMethodNotAllowed)
	})
	t.Run("A client of secrets alone may not use a certificate", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.alter("web", func(c *store.Client) { c.TLSSubjectDN = certificateDN })
		d.refused(d.post(verified(cert), "/connect/token", deskForm("client_credentials", []string{"client_id", "web"}), nil), tokenendpoint.ReasonAuthMethodNotAllowed)
	})
	t.Run("A public client is not authenticated by a certificate", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.alter("app", func(c *store.Client) { c.TLSSubjectDN = certificateDN })
		answer := d.ask(verified(cert), "app", "client_credentials")
		if answer.status != 400 || answer.event.Reason != tokenendpoint.ReasonUnauthenticated || answer.event.Authenticated {
			t.Errorf("answered %d %s for %q", answer.status, answer.body, answer.event.Reason)
		}
	})
	t.Run("A client of both methods uses the one that its certificate is for", func(t *testing.T) {
		d := newCertificateDesk(t)
		own := certificateSelfSigned()
		d.registerKeys("kiosk", certificateJWKS(t, own))
		d.alter("kiosk", func(c *store.Client) {
			c.AuthMethods, c.TLSSubjectDN = []store.AuthMethod{store.TLSClientAuth, store.SelfSignedTLSClientAuth}, certificateDN
		})
		d.issued(d.ask(verified(cert), "kiosk", "client_credentials"), store.TLSClientAuth, nil)
		d.issued(d.ask(unverified(own), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		d.refused(d.ask(unverified(cert), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	})
	t.Run("A client of one method may not use the other", func(t *testing.T) {
		d := newCertificateDesk(t)
		own := certificateSelfSigned()
		d.register("billing", func(m *store.Metadata) { m.TLSSubjectDN, m.JWKS = "CN=other", certificateJWKS(t, own) })
		d.refused(d.ask(verified(own), "billing", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
		d.register("kiosk", func(m *store.Metadata) {
			m.TokenEndpointAuthMethod, m.TLSSubjectDN, m.JWKS = store.SelfSignedTLSClientAuth, certificateDN, certificateJWKS(t, own)
		})
		d.refused(d.ask(verified(cert), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	})
}

// Nobody learns by a certificate which clients there are.
func TestTheAnswerToACertificateNeverTellsWhetherAClientExists(t *testing.T) {
	cert := certificateIssued()
	d := newCertificateDesk(t)
	d.register("billing", saysDN("CN=other"))
	d.register("former", saysDN(certificateDN))
	d.alter("former", func(c *store.Client) { c.Disabled = true })
	d.bind("former", "billing")
	for client, reason := range map[string]tokenendpoint.Reason{
		"nobody": tokenendpoint.ReasonUnknownClient, "former": tokenendpoint.ReasonClientDisabled, "billing": tokenendpoint.ReasonCertificateMismatch,
	} {
		answer := d.ask(verified(cert), client, "client_credentials")
		d.refused(answer, reason)
		if answer.event.Authenticated || answer.event.ClientID == "nobody" {
			t.Errorf("%s: the event is %+v", client, answer.event)
		}
	}
	for client, reason := range map[string]tokenendpoint.Reason{
		"nobody": tokenendpoint.ReasonUnknownClient, "former": tokenendpoint.ReasonClientDisabled, "billing": tokenendpoint.ReasonAuthMethodNotAllowed,
	} {
		d.refused(d.ask(noCertificate, client, "client_credentials"), reason)
	}
}

func TestCertificatesThatFailAreThrottled(t *testing.T) {
	cert, other := verified(certificateIssued()), unverified(certificateSelfSigned())
	d := newCertificateDesk(t, func(c *tokenendpoint.Config) { c.Throttle = &tokenendpoint.MemoryThrottle{Limit: 3, Now: c.Now} })
	d.register("billing", saysDN(certificateDN))
	d.register("reports", saysDN(certificateDN))
	for range 4 { // what succeeds is not counted
		d.issued(d.ask(cert, "billing", "client_credentials"), store.TLSClientAuth, nil)
	}
	for range 3 {
		d.refused(d.ask(other, "billing", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	}
	d.refused(d.ask(cert, "billing", "client_credentials"), tokenendpoint.ReasonThrottled)
	d.issued(d.ask(cert, "reports", "client_credentials"), store.TLSClientAuth, nil)
	d.clock.Advance(time.Minute)
	d.issued(d.ask(cert, "billing", "client_credentials"), store.TLSClientAuth, nil)
}

// Without Config.ClientCertificate nobody knows of certificates.
func TestWithoutClientCertificateTheMethodsAreNotSupported(t *testing.T) {
	cert, own := verified(certificateIssued()), certificateSelfSigned()
	d := newCertificateDesk(t, func(c *tokenendpoint.Config) { c.ClientCertificate = nil })
	d.register("billing", saysDN(certificateDN))
	d.register("kiosk", func(m *store.Metadata) {
		m.TokenEndpointAuthMethod, m.JWKS = store.SelfSignedTLSClientAuth, certificateJWKS(t, own)
	})
	d.bind("web", "app")
	for _, p := range []presented{cert, unverified(own), noCertificate} {
		d.refused(d.ask(p, "billing", "client_credentials"), tokenendpoint.ReasonAuthMethodNotAllowed)
		d.refused(d.ask(p, "kiosk", "client_credentials"), tokenendpoint.ReasonAuthMethodNotAllowed)
		d.refused(d.ask(p, "web", "client_credentials"), tokenendpoint.ReasonCertificateAbsent)
		d.refused(d.ask(p, "app", "password", "username", "alice", "password", "sesame-of-alice"), tokenendpoint.ReasonCertificateAbsent)
	}
	d.issued(d.ask(cert, "till", "client_credentials"), store.ClientSecretPost, nil)
}
