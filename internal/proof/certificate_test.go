package proof

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"
)

// issue makes a certificate for the ES256 key, self-signed or issued by a CA.
func issue(t testing.TB, template x509.Certificate, ca *x509.Certificate) *x509.Certificate {
	t.Helper()
	template.SerialNumber = big.NewInt(1)
	if template.NotBefore.IsZero() {
		template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
	}
	if template.ExtKeyUsage == nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	signer := crypto.Signer(keys()["ES384"]) // of the CAs
	if ca == nil {
		ca, signer = &template, keys()["ES256"]
	}
	public := keys()["ES256"].Public()
	if template.IsCA {
		template.BasicConstraintsValid, template.ExtKeyUsage, signer, public = true, nil, keys()["ES384"], keys()["ES384"].Public()
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, ca, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func authority(t testing.TB, name string, by *x509.Certificate) *x509.Certificate {
	return issue(t, x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte(name)}, by)
}

// 8705-3-01.
func TestTheThumbprintOfACertificateIsOfItsDER(t *testing.T) {
	cert := issue(t, x509.Certificate{}, nil)
	sum := sha256.Sum256(cert.Raw)
	got := Thumbprint(cert)
	if want := strings.TrimRight(base64.URLEncoding.EncodeToString(sum[:]), "="); got != want || len(got) != 43 {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMatchesKey(t *testing.T) {
	cert := issue(t, x509.Certificate{}, nil)
	for name, public := range map[string]crypto.PublicKey{
		"another key": anotherKey(), "a key of another type": keys()["RS256"].Public(), "a key on another curve": keys()["ES384"].Public(),
		"nil": nil, "the private key": keys()["ES256"],
	} {
		t.Run(name+" does not match", func(t *testing.T) {
			if MatchesKey(cert, public) {
				t.Error("it does")
			}
		})
	}
	t.Run("its own matches", func(t *testing.T) {
		if !MatchesKey(cert, keys()["ES256"].Public()) {
			t.Error("it does not")
		}
	})
	t.Run("a certificate with a key that nobody knows matches nothing", func(t *testing.T) {
		if MatchesKey(&x509.Certificate{}, nil) {
			t.Error("it does")
		}
	})
}

func TestValidAt(t *testing.T) {
	cert := issue(t, x509.Certificate{}, nil)
	for _, c := range []struct {
		name string
		at   time.Time
		want bool
	}{
		{"before it begins it is not", cert.NotBefore.Add(-1), false},
		{"when it begins it is", cert.NotBefore, true},
		{"when it ends it is", cert.NotAfter, true},
		{"after it has ended it is not", cert.NotAfter.Add(1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ValidAt(cert, c.at); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// 8705-2.1-01, 8705-7.4-01.
func TestVerify(t *testing.T) {
	root := authority(t, "root", nil)
	between := authority(t, "between", root)
	evil := authority(t, "root", nil)
	evil.SubjectKeyId = nil
	roots := x509.NewCertPool()
	roots.AddCert(root)
	client := x509.Certificate{Subject: pkix.Name{CommonName: "client"}}
	forServers, expired, critical := client, client, client
	forServers.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	expired.NotBefore, expired.NotAfter = now.Add(-time.Hour), now.Add(-time.Minute)
	critical.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
	for _, c := range []struct {
		name          string
		cert          *x509.Certificate
		intermediates []*x509.Certificate
		roots         *x509.CertPool
		want          bool
	}{
		{"issued by a root is verified", issue(t, client, root), nil, roots, true},
		{"issued by an intermediate that is there is verified", issue(t, client, between), []*x509.Certificate{between}, roots, true},
		{"issued by an intermediate that is not there is not", issue(t, client, between), nil, roots, false},
		{"self-signed with the same name is not", issue(t, client, nil), nil, roots, false},
		{"self-signed and sent along as an intermediate is not", issue(t, client, nil), []*x509.Certificate{issue(t, client, nil)}, roots, false},
		{"for servers is not", issue(t, forServers, root), nil, roots, false},
		{"expired is not", issue(t, expired, root), nil, roots, false},
		{"with a critical extension that nobody knows is not", issue(t, critical, root), nil, roots, false},
		{"without roots, those of the system do not count", issue(t, client, root), nil, nil, false},
		{"with no root in the pool is not", issue(t, client, root), nil, x509.NewCertPool(), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Verify(c.cert, c.intermediates, c.roots, now)
			if (err == nil) != c.want {
				t.Errorf("got %v", err)
			}
			if err != nil && (err == errUnverified) != (c.roots != nil) { // that of crypto/x509 quotes names
				t.Errorf("got %v", err)
			}
		})
	}
}
