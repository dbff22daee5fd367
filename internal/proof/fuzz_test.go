package proof

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever is in the header, there is a Reason or a proof whose members are within
// their bounds.
func FuzzParse(f *testing.F) {
	f.Add(string(headerOf("ES256", nil)), string(claimsOf(nil)), "")
	f.Add(string(headerOf("ES256", nil)), string(claimsOf(change{"iat": "x"})), "")
	f.Add(`{"typ":"dpop+jwt","alg":"none"}`, `{}`, rfcProof)
	f.Add("", "", "a.b.c")
	f.Fuzz(func(t *testing.T, header, claims, raw string) {
		for _, proof := range []string{raw, sign(t, "ES256", []byte(header), []byte(claims))} {
			p, err := Parse(proof)
			if err != nil {
				if _, ok := err.(Reason); !ok || p != nil {
					t.Errorf("%T beside %v", err, p)
				}
				continue
			}
			if p.JTI == "" || len(p.JTI) > maxJTI || p.Method == "" || p.URL == "" || p.IssuedAt.IsZero() || len(p.Thumbprint) != 43 {
				t.Errorf("%+v", p)
			}
			_ = p.Check("POST", tokenURL, now, Window, Leeway)
		}
	})
}

// The comparison is one of equivalence, and what it says is the same has the same
// scheme and port, and the same host and path when net/url has undone the escapes.
func FuzzSameURL(f *testing.F) {
	f.Add("https://a.example/%7Eb?c#d", "HTTPS://A.EXAMPLE:443/~b")
	f.Add("http://[::1]:80", "http://[::1]/")
	f.Add("https://a/../b/%2e/c", "https://a/b/c")
	f.Add("https://a/%2F", "https://a//")
	f.Add("http://::", "vttp://[::1]/")
	f.Add("http://:]:", "http://[::1%251]/")
	f.Add("http://a:80:", "http://a:80:80")
	f.Fuzz(func(t *testing.T, a, b string) {
		normal, ok := normalise(a)
		if again, stillOK := normalise(normal); ok && (!stillOK || again != normal) {
			t.Errorf("%q becomes %q and then %q", a, normal, again)
		}
		if sameURL(a, b) != sameURL(b, a) || ok != sameURL(a, a) {
			t.Errorf("%q and %q", a, b)
		}
		if !sameURL(a, b) {
			return
		}
		u, err := url.Parse(strings.ToLower(normal))
		v, errB := url.Parse(strings.ToLower(b))
		if err != nil || errB != nil || u.Host != strings.TrimSuffix(strings.TrimSuffix(v.Host, ":"), map[string]string{"https": ":443", "http": ":80"}[v.Scheme]) || u.Scheme != v.Scheme {
			t.Errorf("%q and %q", a, b)
		}
	})
}

// A name that is read has a value for each type, and splits nowhere else.
func FuzzParseDN(f *testing.F) {
	f.Add(`CN=a\,b+O=\23c,2.5.4.6=#13024445`)
	f.Add(`CN=\ a\ ,O= `)
	f.Add("=")
	cert := clientCert(f)
	f.Fuzz(func(t *testing.T, dn string) {
		names := parseDN(dn)
		for _, name := range names {
			if len(name) == 0 {
				t.Errorf("%q has an empty relative name", dn)
			}
			for _, a := range name {
				if !isOID(a.oid) || a.value.text != "" && a.value.der != nil {
					t.Errorf("%q has %+v", dn, a)
				}
			}
		}
		if MatchesSubject(cert, dn) && (len(names) != 3 || !strings.Contains(dn, "=")) {
			t.Errorf("%q matches", dn)
		}
	})
}
