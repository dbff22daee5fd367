package store_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
)

func redirecting(uris ...string) *store.Client {
	return &store.Client{Metadata: store.Metadata{ID: "app", RedirectURIs: uris}}
}

// 6749-3.1.2.3-01, 9700-2.1-01, 2.1-4.1.1-02, 2.1-8.4.2-01, NATIVE-7.3-01,
// 9700u-2.2-01.
func TestAllowsRedirect(t *testing.T) {
	const web, v4, v6 = "https://app.example/callback", "http://127.0.0.1/callback", "http://[::1]/callback"
	for _, test := range []struct {
		name       string
		registered []string
		allowed    []string
		refused    []string
	}{
		{"a URI is compared as a string", []string{web}, []string{web}, []string{
			"", web + "/", web + "?", web + "?a=b", web + "#", web + "%20", " " + web, web + " ", "HTTPS://app.example/callback", "https://APP.example/callback",
			"https://app.example:443/callback", "https://app.example/Callback", "https://app.example/%63allback", "https://app.example//callback",
			"https://app.example/x/../callback", "https://app.example", "https://user@app.example/callback", "https://app.example.evil.example/callback",
			"http://app.example/callback", "app.example/callback", "/callback", "https://evil.example/?" + web, web + "\x00", web + "\n",
		}},
		{"a query is a part of it", []string{web + "?a=b"}, []string{web + "?a=b"}, []string{web, web + "?a=b&c=d", web + "?a=%62"}},
		{"a scheme of an application's own is compared as a string", []string{"com.example.app:/callback"}, []string{"com.example.app:/callback"},
			[]string{"com.example.app:/", "com.example.app:/callback/", "com.example.app://callback"}},
		{"on a loopback address any port will do", []string{v4, v6},
			[]string{v4, "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback", v6, "http://[::1]:51004/callback"}, []string{
				"http://127.0.0.1:/callback", "http://127.0.0.1:x/callback", "http://127.0.0.1:-1/callback", "http://127.0.0.1:100000/callback", "http://127.0.0.1:80:80/callback",
				"http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/callback/", "http://127.0.0.1:8080/callback?a=b", "http://127.0.0.1:8080/callback#", "http://127.0.0.1:8080/other",
				"https://127.0.0.1:8080/callback", "HTTP://127.0.0.1:8080/callback", "http://127.0.0.2:8080/callback", "http://127.1:8080/callback", "http://2130706433:8080/callback",
				"http://localhost:8080/callback", "http://localhost/callback", "http://[::2]:8080/callback", "http://[0:0:0:0:0:0:0:1]:8080/callback", "http://::1:8080/callback", "http://[::1]8080/callback",
				"http://127.0.0.1.evil.example/callback", "http://127.0.0.1:8080.evil.example/callback", "http://127.0.0.1:80@evil.example/callback", "http://127.0.0.1@evil.example/callback",
				"http://user@127.0.0.1:8080/callback", "http://127.0.0.1:8080\\@evil.example/callback", "http://127.0.0.1:\uff11/callback", "http://127.0.0.1:+1/callback",
			}},
		{"a port that is registered may be another", []string{"http://127.0.0.1:9000/callback"}, []string{"http://127.0.0.1:9000/callback", "http://127.0.0.1:9001/callback", v4}, []string{v6}},
		{"a loopback address without a path", []string{"http://127.0.0.1"}, []string{"http://127.0.0.1", "http://127.0.0.1:8080"}, []string{"http://127.0.0.1:8080/", "http://127.0.0.12"}},
		{"a loopback query is a part of it", []string{v4 + "?a=b"}, []string{"http://127.0.0.1:8080/callback?a=b"}, []string{"http://127.0.0.1:8080/callback", v4}},
		{"a name that begins like a loopback address is a name like any other", []string{"http://127.0.0.1.app.example/callback", "http://127.0.0.1@app.example/callback"},
			[]string{"http://127.0.0.1.app.example/callback"}, []string{"http://127.0.0.1:80.app.example/callback", "http://127.0.0.1:80@app.example/callback"}},
		{"localhost is a name like any other", []string{"http://localhost/callback"}, []string{"http://localhost/callback"}, []string{"http://localhost:8080/callback", v4}},
		{"an https loopback address is one like any other", []string{"https://127.0.0.1/callback"}, []string{"https://127.0.0.1/callback"}, []string{"https://127.0.0.1:8080/callback", v4}},
		{"without any nothing is allowed", nil, nil, []string{"", web, v4}},
		{"an empty one allows nothing", []string{""}, nil, []string{"", web, v4, "http://127.0.0.1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := redirecting(test.registered...)
			for _, uri := range test.allowed {
				if !client.AllowsRedirect(uri) {
					t.Errorf("%q is refused", uri)
				}
			}
			for _, uri := range test.refused {
				if client.AllowsRedirect(uri) {
					t.Errorf("%q is allowed", uri)
				}
			}
		})
	}
	t.Run("each of fifty is allowed", func(t *testing.T) {
		var uris []string
		for i := range 50 {
			uris = append(uris, "https://app.example/callback/"+strconv.Itoa(i))
		}
		for _, uri := range uris {
			if !redirecting(uris...).AllowsRedirect(uri) {
				t.Errorf("%q is refused", uri)
			}
		}
	})
}

// FuzzAllowsRedirect holds what is allowed against a parser: either it is what was
// registered, or both are http at the same loopback address and differ in nothing
// but the port.
func FuzzAllowsRedirect(f *testing.F) {
	for _, registered := range []string{"http://127.0.0.1/callback", "http://[::1]:80/callback?a=b", "https://app.example/callback", "http://127.0.0.1", ""} {
		for _, uri := range []string{registered, "http://127.0.0.1:8080/callback", "http://[::1]:1/callback?a=b", "http://127.0.0.1:80@evil.example/", "http://127.0.0.1:080", "http://[::1]:/",
			"http://127.0.0.1:99999/callback", "http://127.0.0.1:8080\t/callback", "http://127.0.0.1:8080/callback#x"} {
			f.Add(registered, uri)
		}
	}
	f.Fuzz(func(t *testing.T, registered, uri string) {
		if !redirecting(registered).AllowsRedirect(uri) {
			if registered == uri && uri != "" {
				t.Errorf("%q is refused", uri)
			}
			return
		}
		if registered == uri {
			return
		}
		one, errOne := url.Parse(registered)
		other, errOther := url.Parse(uri)
		if errOne != nil || errOther != nil { // a path that cannot be read is compared as it is
			if _, path, _ := strings.Cut(strings.TrimPrefix(uri, "http://"), "/"); !strings.HasSuffix(registered, path) {
				t.Errorf("%q is allowed for %q", uri, registered)
			}
			return
		}
		if host := other.Hostname(); host != "127.0.0.1" && host != "::1" || host != one.Hostname() || other.Scheme != "http" || other.User != nil {
			t.Errorf("%q is allowed for %q", uri, registered)
		}
		one.Host, other.Host = "", ""
		if one.String() != other.String() {
			t.Errorf("%q is allowed for %q: more than the port differs", uri, registered)
		}
	})
}
