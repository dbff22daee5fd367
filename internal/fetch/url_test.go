package fetch

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

var (
	loopback4 = Guard{Inside: prefixes("127.0.0.0/8")}
	loopback6 = Guard{Inside: prefixes("::1/128")}
)

func TestURLsAreJudged(t *testing.T) {
	for _, c := range []struct {
		name    string
		guard   Guard
		allowed bool
		urls    []string
	}{
		{"https with a name is allowed", Guard{}, true, []string{
			"https://client.example.com", "https://client.example.com/", "HTTPS://Client.Example.COM/cb?a=b&c=%20d",
			"https://client.example.com.:8443/cb", "https://a_b-c.example:1", "https://x:65535/", "https://xn--bcher-kva.example/",
			"https://client.example.com/a@b", "https://4f3a2b1c9d0e/", "https://1.2.3.example/",
			"https://x/" + strings.Repeat("a", maxURL-len("https://x/")),
		}},
		{"https with a public address is allowed", Guard{}, true, []string{"https://8.8.8.8/cb", "https://[2606:4700::1111]:8443/cb"}},
		{"https with another address is refused", Guard{}, false, []string{
			"https://127.0.0.1/", "https://10.0.0.1:8443/", "https://169.254.169.254/latest", "https://[::1]/", "https://[fd00::1]/",
			"https://[::ffff:8.8.8.8]/", "https://[fe80::1%25eth0]/", "https://[2606:4700::1111%25eth0]/",
		}},
		{"https with an address Inside is allowed", loopback4, true, []string{"https://127.0.0.1:8443/"}},
		{"an address in a form of its own is refused", Guard{}, false, []string{
			"https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0X7f.1/", "https://0x7f.0x1/", "https://0177.0.0.1/",
			"https://127.0.0.1./", "https://1.2.3.4.5/", "https://127.0.0.0x1/", "https://127.0.0.0X1/", "https://./", "https://../",
			"https://%31%32%37.0.0.1/", "https://①②⑦.0.0.1/", "https://%E2%91%A0%E2%91%A1%E2%91%A6.0.0.1/", "https://[127.0.0.1]/", "https://[::1/",
		}},
		{"http is refused", Guard{}, false, []string{"http://client.example.com/", "http://8.8.8.8/", "http://localhost/", "http://127.0.0.1/", "http://[::1]/"}},
		{"http to an IPv4 loopback host Inside is allowed", loopback4, true, []string{"http://127.0.0.1:8080/cb", "http://localhost:8080/cb"}},
		{"http to an IPv6 loopback host Inside is allowed", loopback6, true, []string{"http://[::1]:8080/cb", "http://localhost:8080/cb"}},
		{"http to another host is refused whatever is Inside", Guard{Inside: prefixes("0.0.0.0/0", "::/0")}, false, []string{
			"http://client.example.com/", "http://10.0.0.1/", "http://127.0.0.2/", "http://localhost.example.com/", "http://localhost./",
		}},
		{"http to the loopback address that is not Inside is refused", loopback4, false, []string{"http://[::1]/"}},
		{"http to the other loopback address that is not Inside is refused", loopback6, false, []string{"http://127.0.0.1/"}},
		{"another scheme is refused", Guard{}, false, []string{"ftp://x/", "file:///etc/passwd", "gopher://x/", "javascript:alert(1)", "//x/", "x", "", "/cb", "?"}},
		{"a URL without a host is refused", Guard{}, false, []string{"https:", "https://", "https:///cb", "https:cb", "https://:443/", "https:/x", "https://?x"}},
		{"user information is refused", Guard{}, false, []string{"https://user@x/", "https://user:pw@x/", "https://@x/", "https://8.8.8.8@127.0.0.1/"}},
		{"a fragment is refused", Guard{}, false, []string{"https://x/#a", "https://x/#", "https://x#"}},
		{"a port that is none is refused", Guard{}, false, []string{"https://x:0/", "https://x:65536/", "https://x:99999999999999999999/", "https://x:a/", "https://x:-1/"}},
		{"what is not printable ASCII is refused", Guard{}, false, []string{
			"https://x/ a", " https://x/", "https://x/\n", "https://x/\x00", "https://x/\x7f", "https://x/ü", "https://bücher.example/", "https://x/\xff",
		}},
		{"a host with other characters is refused", Guard{}, false, []string{`https://a\b/`, "https://a!b/", "https://a,b/", "https://a*b/", `https://x\@y/`, "https://a%00b/"}},
		{"a URL that is too long is refused", Guard{}, false, []string{"https://x/" + strings.Repeat("a", maxURL-len("https://x/")+1)}},
		{"a URL that cannot be parsed is refused", Guard{}, false, []string{"https://x/%zz", "https://[x/", "https://[::1]x/", ":"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, raw := range c.urls {
				err := c.guard.CheckURL(raw)
				if (err == nil) != c.allowed {
					t.Errorf("%q: %v, want it allowed: %t", raw, err, c.allowed)
				}
				if err != nil && !errors.Is(err, ErrRefused) {
					t.Errorf("%q: %v does not wrap ErrRefused", raw, err)
				}
			}
		})
	}
}

func TestARefusedURLIsNotQuoted(t *testing.T) {
	for _, raw := range []string{
		"http://x/cb?query-secret", "https://x/%zz?query-secret", "https://x:a/?query-secret", "https://pw-secret@x/", "https://x/#hash-secret",
		"https://127.0.0.1/?query-secret", "https://x/?query-secret\n", "ftp-secret://x", "https://127.1/?query-secret",
	} {
		if err := (Guard{}).CheckURL(raw); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

// Whatever is accepted can be requested, and its host is a name or an address that
// may be reached, however it is read.
func FuzzCheckURL(f *testing.F) {
	for _, raw := range []string{
		"https://client.example.com/cb?a=b", "https://8.8.8.8:1/", "https://[2606:4700::1111]/", "http://localhost:8080/", "http://127.0.0.1/",
		"https://user:pw@x/", "https://x/#", "https://127.1/", "https://[::ffff:8.8.8.8]/", "https://%31.example/", "https:x", "https://x:65536/",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		err := loopback4.CheckURL(raw)
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Errorf("%q: %v does not wrap ErrRefused", raw, err)
			}
			return
		}
		req, err := http.NewRequest(http.MethodPost, raw, nil)
		if err != nil {
			t.Fatalf("%q is accepted and cannot be requested: %v", raw, err)
		}
		if err := loopback4.check(req.URL); err != nil {
			t.Errorf("%q is accepted, and refused when it is requested: %v", raw, err)
		}
		host := req.URL.Hostname()
		if _, err := url.Parse(raw); err != nil || host == "" || len(raw) > maxURL || strings.Contains(raw, "#") || req.URL.User != nil {
			t.Errorf("%q is accepted", raw)
		}
		if req.URL.Scheme != "https" && !(req.URL.Scheme == "http" && (host == "localhost" || host == "127.0.0.1")) {
			t.Errorf("%q is accepted, with the scheme %s", raw, req.URL.Scheme)
		}
		if addr, err := netip.ParseAddr(host); err == nil && loopback4.checkAddr(addr) != nil {
			t.Errorf("%q is accepted, and its address is refused", raw)
		}
	})
}
