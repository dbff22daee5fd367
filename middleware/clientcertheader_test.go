package middleware_test

import (
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/middleware"
)

func TestAHeaderThatIsNotOneCertificateIsRefused(t *testing.T) {
	cert := selfSigned(t, "canary")
	good := rfc9440(cert)
	inner := strings.Trim(good, ":")
	escape := url.PathEscape
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: cert.Raw}))
	headed := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Headers: map[string]string{"a": "b"}, Bytes: cert.Raw}))
	from := middleware.ClientCertificates{Proxies: mustParseProxies(t, "10.0.0.0/8"), Header: "Client-Cert", ProxiesVerify: true}
	for _, c := range []struct {
		name  string
		lines []string
		word  string // of the error
	}{
		{"it is there twice", []string{good, good}, "more than once"},
		{"it is there twice, once empty", []string{"", good}, "more than once"},
		{"two in one line", []string{good + ", " + good}, "not one"},
		{"it is a byte too long", []string{strings.Repeat("A", 16<<10+1)}, "16 KiB"},
		{"it is as long as it may be", []string{strings.Repeat("A", 16<<10)}, "not one"},
		{"space alone", []string{" "}, "not one"},
		{"a word", []string{"canary"}, "not one"},
		{"RFC 9440 without colons", []string{inner}, "not one"},
		{"RFC 9440 without the first colon", []string{inner + ":"}, "not one"},
		{"RFC 9440 without the last colon", []string{":" + inner}, "not one"},
		{"RFC 9440 with one colon", []string{":"}, "not one"},
		{"RFC 9440 that is empty", []string{"::"}, "not one"},
		{"RFC 9440 with parameters", []string{good + ";a=b"}, "not one"},
		{"RFC 9440 in base64url", []string{":" + base64.URLEncoding.EncodeToString([]byte{0xff, 0xff, 0xfe}) + ":"}, "not one"},
		{"RFC 9440 of no certificate", []string{":" + base64.StdEncoding.EncodeToString([]byte("canary")) + ":"}, "not one"},
		{"RFC 9440 of a certificate and more", []string{":" + base64.StdEncoding.EncodeToString(append(cert.Raw[:len(cert.Raw):len(cert.Raw)], 5, 0)) + ":"}, "not one"},
		{"RFC 9440 of half a certificate", []string{":" + base64.StdEncoding.EncodeToString(cert.Raw[:len(cert.Raw)/2]) + ":"}, "not one"},
		{"RFC 9440 of PEM", []string{":" + base64.StdEncoding.EncodeToString([]byte(pemOf(cert))) + ":"}, "not one"},
		{"PEM with an escape that is none", []string{nginx(cert) + "%"}, "not one"},
		{"PEM twice", []string{nginx(cert) + nginx(cert)}, "not one"},
		{"PEM with something before it", []string{"a" + nginx(cert)}, "not one"},
		{"PEM with a line before it", []string{escape("a\n" + pemOf(cert))}, "not one"},
		{"PEM with something behind it", []string{nginx(cert) + "a"}, "not one"},
		{"PEM that begins twice", []string{escape("-----BEGIN CERTIFICATE-----\n" + pemOf(cert))}, "not one"},
		{"PEM of a key", []string{escape(key)}, "not one"},
		{"PEM with headers", []string{escape(headed)}, "not one"},
		{"PEM without an end", []string{escape("-----BEGIN CERTIFICATE-----\n" + inner)}, "not one"},
		{"PEM of no certificate", []string{escape("-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n")}, "not one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := connected(proxy, selfSigned(t, "proxy"), true)
			r.Header["Client-Cert"] = c.lines
			got, verified, err := from.Of(r)
			if got != nil || verified || err == nil || !strings.Contains(err.Error(), c.word) {
				t.Fatalf("got %v, %v, %v", got, verified, err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error quotes the header: %v", err)
			}
		})
	}
}

func TestTheFormsOfTheHeader(t *testing.T) {
	cert := selfSigned(t, "client")
	from := middleware.ClientCertificates{Proxies: mustParseProxies(t, "10.0.0.0/8"), Header: "Client-Cert"}
	for name, header := range map[string]string{
		"PEM with nothing but line breaks escaped": strings.ReplaceAll(pemOf(cert), "\n", "%0A"),
		"PEM with other line breaks":               strings.ReplaceAll(pemOf(cert), "\n", "%0D%0A"),
		"PEM without a line break at its end":      strings.TrimSuffix(nginx(cert), "%0A"),
		"PEM with escapes in lower case":           strings.NewReplacer("%0A", "%0a", "%2B", "%2b", "%2F", "%2f", "%3D", "%3d").Replace(nginx(cert)),
		"RFC 9440":                                 rfc9440(cert),
		"RFC 9440, nearly as long as it may be":    rfc9440(selfSigned(t, strings.Repeat("a", 5500))),
	} {
		t.Run(name, func(t *testing.T) {
			r := connected(proxy, nil, false)
			r.Header.Set("Client-Cert", header)
			if got, _, err := from.Of(r); err != nil || got == nil || len(header) < 10000 && !got.Equal(cert) {
				t.Errorf("%d bytes: got %v, %v", len(header), got, err)
			}
		})
	}
	t.Run("an empty header is no certificate", func(t *testing.T) {
		r := connected(proxy, nil, false)
		r.Header["Client-Cert"] = []string{""}
		if got, _, err := from.Of(r); got != nil || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

// Whatever a proxy writes is one certificate, nothing or an error, and what is read
// is what both forms write.
func FuzzClientCertificate(f *testing.F) {
	cert := selfSigned(f, "client")
	f.Add(rfc9440(cert))
	f.Add(nginx(cert))
	f.Add("::")
	f.Add("-----BEGIN%20CERTIFICATE-----")
	f.Add("")
	from := middleware.ClientCertificates{Proxies: mustParseProxies(f, "10.0.0.0/8"), Header: "Client-Cert", ProxiesVerify: true}
	of := func(t *testing.T, header string) (raw string, err error) {
		t.Helper()
		r := connected(proxy, nil, false)
		r.Header = http.Header{"Client-Cert": {header}}
		cert, verified, err := from.Of(r)
		if cert == nil {
			if verified {
				t.Error("verified without a certificate")
			}
			return "", err
		}
		return string(cert.Raw), err
	}
	f.Fuzz(func(t *testing.T, header string) {
		raw, err := of(t, header)
		switch {
		case err != nil && raw != "":
			t.Errorf("%q: a certificate beside %v", header, err)
		case err == nil && raw == "" && header != "":
			t.Errorf("%q is no certificate and no error", header)
		case raw != "":
			if again, err := of(t, ":"+base64.StdEncoding.EncodeToString([]byte(raw))+":"); err != nil || again != raw {
				t.Errorf("%q is read differently in the other form: %v", header, err)
			}
		}
	})
}
