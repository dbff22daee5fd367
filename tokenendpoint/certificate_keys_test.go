package tokenendpoint_test

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// registerKeys has a client authenticate by certificates of its keys.
func (d *certificateDesk) registerKeys(id string, jwks json.RawMessage) {
	d.register(id, func(m *store.Metadata) {
		m.TokenEndpointAuthMethod, m.JWKS, m.JWKSURI = store.SelfSignedTLSClientAuth, jwks, ""
	})
}

// 8705-2.2-01: the key counts, and nothing else that a certificate says.
func TestASelfSignedCertificateIsKnownByItsKey(t *testing.T) {
	first, second, other := certificateSelfSigned(), certificateSelfSigned(), certificateSelfSigned()
	key := certificateKey()
	t.Run("Each key of the client's set authenticates, and no other", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.registerKeys("kiosk", certificateJWKS(t, first, second))
		d.issued(d.ask(unverified(first), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		d.issued(d.ask(unverified(second), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		d.refused(d.ask(unverified(other), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	})
	for _, alg := range []tokenendpoint.Alg{tokenendpoint.ES256, tokenendpoint.ES384, tokenendpoint.RS256, tokenendpoint.EdDSA} {
		t.Run("A key for "+string(alg)+" authenticates", func(t *testing.T) {
			d := newCertificateDesk(t)
			own := certificateFor(transcriptKeys[alg]().Signer, nil)
			d.registerKeys("kiosk", certificateJWKS(t, other, own))
			d.bind("kiosk")
			d.issued(d.ask(unverified(own), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, own)
		})
	}
	t.Run("A certificate that was renewed for its key authenticates", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.registerKeys("kiosk", certificateJWKS(t, certificateFor(key, nil)))
		renewed := certificateFor(key, nil, func(c *x509.Certificate) { c.NotAfter = keysStart.AddDate(1, 0, 0) })
		d.clock.Advance(24 * time.Hour)
		d.issued(d.ask(unverified(renewed), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
	})
	t.Run("One that a CA issued authenticates by its key too", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.registerKeys("kiosk", certificateJWKS(t, certificateFor(key, nil)))
		d.issued(d.ask(verified(certificateFor(key, certificateCA())), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
	})
	t.Run("A key that was rotated authenticates at once, and the old one no longer", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.registerKeys("kiosk", certificateJWKS(t, first))
		d.issued(d.ask(unverified(first), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		d.registerKeys("kiosk", certificateJWKS(t, second))
		d.issued(d.ask(unverified(second), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		d.refused(d.ask(unverified(first), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	})
	t.Run("The key of another client does not authenticate", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.registerKeys("kiosk", certificateJWKS(t, first))
		d.registerKeys("booth", certificateJWKS(t, second))
		d.refused(d.ask(unverified(first), "booth", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
		d.refused(d.ask(unverified(second), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	})
	t.Run("A client without keys is refused", func(t *testing.T) {
		for _, jwks := range []string{"", `{"keys":[]}`} {
			d := newCertificateDesk(t)
			d.registerKeys("kiosk", json.RawMessage(jwks))
			d.refused(d.ask(unverified(first), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
		}
	})
	t.Run("Keys that cannot be read are a fault of the registration", func(t *testing.T) {
		for _, jwks := range []string{`{}`, `{"keys":{}}`, `[]`, `x`} {
			d := newCertificateDesk(t)
			d.registerKeys("kiosk", json.RawMessage(jwks))
			d.refused(d.ask(unverified(first), "kiosk", "client_credentials"), tokenendpoint.ReasonClientKeys)
		}
	})
}

// certificateSet is a JWK Set at a URL.
type certificateSet struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	body   []byte
}

func newCertificateSet(t *testing.T, body []byte) *certificateSet {
	s := &certificateSet{status: 200, body: body}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.WriteHeader(s.status)
		_, _ = w.Write(s.body)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *certificateSet) serve(status int, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.body = status, body
}

// fetching is a desk with a client whose keys are at a URL.
func (s *certificateSet) fetching(t *testing.T) *certificateDesk {
	d := newCertificateDesk(t, func(c *tokenendpoint.Config) {
		c.InsecureNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	d.registerURI(s.URL + "/jwks")
	return d
}

func (d *certificateDesk) registerURI(uri string) {
	d.register("kiosk", func(m *store.Metadata) {
		m.TokenEndpointAuthMethod, m.JWKSURI = store.SelfSignedTLSClientAuth, uri
	})
}

func TestASelfSignedCertificateByJWKSURI(t *testing.T) {
	first, second := certificateSelfSigned(), certificateSelfSigned()
	t.Run("The keys at the URL authenticate, and no other", func(t *testing.T) {
		d := newCertificateSet(t, certificateJWKS(t, first)).fetching(t)
		d.issued(d.ask(unverified(first), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		d.refused(d.ask(unverified(second), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	})
	t.Run("A key that was rotated authenticates at once, and the next a minute later", func(t *testing.T) {
		set := newCertificateSet(t, certificateJWKS(t, first))
		d := set.fetching(t)
		d.issued(d.ask(unverified(first), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		set.serve(200, certificateJWKS(t, second))
		d.clock.Advance(time.Minute)
		d.issued(d.ask(unverified(second), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		d.refused(d.ask(unverified(first), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
		set.serve(200, certificateJWKS(t, first))
		d.refused(d.ask(unverified(first), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
		d.clock.Advance(time.Minute)
		d.issued(d.ask(unverified(first), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
	})
	t.Run("A key that might be new is no verdict while the set cannot be fetched", func(t *testing.T) {
		set := newCertificateSet(t, certificateJWKS(t, first))
		d := set.fetching(t)
		d.issued(d.ask(unverified(first), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		set.serve(503, nil)
		d.clock.Advance(time.Minute)
		d.refused(d.ask(unverified(second), "kiosk", "client_credentials"), tokenendpoint.ReasonClientKeysUnavailable)
		d.issued(d.ask(unverified(first), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
	})
	t.Run("A set that has got too old is fetched before it is used", func(t *testing.T) {
		set := newCertificateSet(t, certificateJWKS(t, first))
		d := set.fetching(t)
		d.issued(d.ask(unverified(first), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		set.serve(200, certificateJWKS(t, second))
		aged := func(c *x509.Certificate) { c.NotAfter = keysStart.AddDate(1, 0, 0) }
		d.clock.Advance(48 * time.Hour)
		d.issued(d.ask(unverified(certificateFor(certificateKeyOf(second), nil, aged)), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
		d.refused(d.ask(unverified(certificateFor(certificateKeyOf(first), nil, aged)), "kiosk", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	})
	t.Run("An outage is no verdict, and not counted as a failure", func(t *testing.T) {
		set := newCertificateSet(t, nil)
		d := set.fetching(t)
		throttled := 40 // more than the throttle allows
		set.serve(503, nil)
		for range throttled {
			d.refused(d.ask(unverified(first), "kiosk", "client_credentials"), tokenendpoint.ReasonClientKeysUnavailable)
		}
		set.serve(200, certificateJWKS(t, first))
		d.clock.Advance(time.Minute - time.Second) // within the window of the throttle
		d.issued(d.ask(unverified(first), "kiosk", "client_credentials"), store.SelfSignedTLSClientAuth, nil)
	})
	t.Run("A URL where nobody listens is an outage", func(t *testing.T) {
		set := newCertificateSet(t, nil)
		d := set.fetching(t)
		set.Close()
		answer := d.ask(unverified(first), "kiosk", "client_credentials")
		d.refused(answer, tokenendpoint.ReasonClientKeysUnavailable)
		if answer.header.Get("Retry-After") == "" {
			t.Error("without Retry-After")
		}
	})
	t.Run("A set that is of no use is the client's own fault", func(t *testing.T) {
		set := newCertificateSet(t, []byte(certificateName))
		answer := set.fetching(t).ask(unverified(first), "kiosk", "client_credentials")
		if answer.status != 401 || answer.body != certificateRefused || answer.event.Reason != tokenendpoint.ReasonClientKeys {
			t.Errorf("answered %d %s for %q", answer.status, answer.body, answer.event.Reason)
		}
	})
	t.Run("A URL that may not be asked is the client's own fault", func(t *testing.T) {
		set := newCertificateSet(t, certificateJWKS(t, first))
		d := newCertificateDesk(t)
		d.registerURI(set.URL + "/jwks")
		answer := d.ask(unverified(first), "kiosk", "client_credentials")
		if answer.status != 401 || answer.body != certificateRefused || answer.event.Reason != tokenendpoint.ReasonClientKeys {
			t.Errorf("answered %d %s for %q", answer.status, answer.body, answer.event.Reason)
		}
	})
	t.Run("Keys in both places are a fault of the registration", func(t *testing.T) {
		d := newCertificateSet(t, certificateJWKS(t, first)).fetching(t)
		d.alter("kiosk", func(c *store.Client) { c.JWKS = certificateJWKS(t, first) })
		d.refused(d.ask(unverified(first), "kiosk", "client_credentials"), tokenendpoint.ReasonClientKeys)
	})
	t.Run("While the keys cannot be fetched a client with another method gets its tokens", func(t *testing.T) {
		set := newCertificateSet(t, nil)
		set.serve(503, nil)
		d := set.fetching(t)
		d.alter("kiosk", func(c *store.Client) {
			c.AuthMethods, c.TLSSubjectDN = []store.AuthMethod{store.TLSClientAuth}, certificateDN
		})
		d.issued(d.ask(verified(certificateIssued()), "kiosk", "client_credentials"), store.TLSClientAuth, nil)
	})
}
