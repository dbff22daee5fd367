package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestABadFlagOfTLSIsOneLineThatNamesIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	if err := makeDemoKeys(dir); err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(in("empty.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cert, key, ca, empty := in("server.pem"), in("server-key.pem"), in("ca.pem"), in("empty.pem")
	for name, c := range map[string]struct {
		args  []string
		names string
	}{
		"a certificate without a key":     {[]string{"-tls-cert", cert}, "-tls-cert is of no use without its key; add -tls-key"},
		"a key without a certificate":     {[]string{"-tls-key", key}, "-tls-key is of no use without its certificate; add -tls-cert"},
		"CAs without https":               {[]string{"-client-ca", ca}, "-client-ca is of no use without https; add -tls-cert and -tls-key"},
		"CAs with half of it":             {[]string{"-client-ca", ca, "-tls-key", key}, "add -tls-cert"},
		"a certificate that is not there": {[]string{"-tls-cert", in("x.pem"), "-tls-key", key}, "-tls-cert " + in("x.pem") + ": no such file or directory; give"},
		"a key that is not there":         {[]string{"-tls-cert", cert, "-tls-key", in("x.pem")}, "-tls-key " + in("x.pem") + ": no such file or directory; give"},
		"CAs that are not there":          {[]string{"-tls-cert", cert, "-tls-key", key, "-client-ca", in("x.pem")}, "-client-ca " + in("x.pem") + ": no such file or directory; give"},
		"an empty certificate":            {[]string{"-tls-cert", empty, "-tls-key", key}, "-tls-cert " + empty},
		"an empty key":                    {[]string{"-tls-cert", cert, "-tls-key", empty}, "-tls-key " + empty},
		"the key of another certificate":  {[]string{"-tls-cert", cert, "-tls-key", in("mtls-key.pem")}, "private key does not match public key; give a certificate and its key"},
		"one that is swapped":             {[]string{"-tls-cert", key, "-tls-key", cert}, "give a certificate and its key as PEM"},
		"CAs that are none":               {[]string{"-tls-cert", cert, "-tls-key", key, "-client-ca", in("mtls-key.pem")}, "-client-ca " + in("mtls-key.pem") + ": there is no certificate in it; give"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.names, c.args...) })
	}
}
