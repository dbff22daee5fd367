package tokenendpoint

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
)

var fuzzPrintable = regexp.MustCompile(`\A[\x20-\x7e]{1,512}\z`)

// fuzzBasicHeader encodes credentials as RFC 6749 section 2.3.1 says.
func fuzzBasicHeader(scheme, id, secret string) string {
	return scheme + " " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

func FuzzBasic(f *testing.F) {
	raw := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, header := range []string{
		"", "Basic", "Basic ", "Basic  ", "Basic Zm9v!", "Basic Zm9v", "Basic Zm9vOmJhcg", "Basic Zm9vOmJhcg==", "Basic  Zm9vOmJhcg==",
		"Basic Zm9vOmJhcg== ", "Basic Zm9vOmJhcg==,", "Basic\tZm9vOmJhcg==", "bAsIc Zm9vOmJhcg==", "Basic Zm9vOmJhch==", "Basic Zm9v\nOmJhcg==",
		"Bearer Zm9vOmJhcg==", "Basi Zm9vOmJhcg==", "Basic=Zm9vOmJhcg==", "Basic -_-_", "DPoP x", "\u017fasic x", "Ba\u017fic Zm9vOmJhcg==",
		raw(":"), raw("id:"), raw(":secret"), raw("id:a:b:c"), raw("a%3Ab:c"), raw("a+b:c+d"), raw("id:%zz"), raw("%zz:x"), raw("id:%"),
		raw("id:\x00"), raw("id:%00"), raw("id:%ff"), raw("id:\xff"), raw("\u00e9:x"), raw("id:%0d%0aX"),
	} {
		f.Add(header, "client", "secret")
	}
	f.Add("", "a b:c", "p+%&=~")
	f.Add("", ":", ":::")
	f.Add("", " ", `"\`)
	f.Add("", "100%", "%41")
	f.Fuzz(fuzzBasic)
}

// Long credentials are not among the seeds, where they would keep the fuzzer
// busy.
func TestLongCredentials(t *testing.T) {
	longest, tooLong := strings.Repeat("x", 512), strings.Repeat("x", 513)
	escaped := strings.Repeat("%", 511) // 1533 octets on the wire
	for _, c := range []struct {
		name, id, secret string
		accepted         bool
	}{
		{"512 characters each are read", longest, longest, true},
		{"a longer client_id is not", tooLong, "x", false},
		{"a longer secret is not", "x", tooLong, false},
		{"escaped characters count once", escaped, escaped, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseBasic(fuzzBasicHeader("Basic", c.id, c.secret)); (err == nil) != c.accepted {
				t.Error(err)
			}
			fuzzBasic(t, "Basic "+strings.Repeat("A", 4100), c.id, c.secret)
		})
	}
}

func fuzzBasic(t *testing.T, header, id, secret string) {
	got, err := parseBasic(header)
	if err != nil {
		checkClientsFault(t, err, InvalidClient)
		if got != (credentials{}) {
			t.Error("there are credentials beside the error")
		}
	} else {
		checkFuzzedBasic(t, header, got)
	}

	// Whatever RFC 6749 appendix A allows comes back, by a scheme of any case.
	for _, scheme := range []string{"Basic", "bAsIc", "BASIC"} {
		got, err = parseBasic(fuzzBasicHeader(scheme, id, secret))
		switch {
		case len(url.QueryEscape(id)+url.QueryEscape(secret)) > 3071: // more than a header may hold
		case !fuzzPrintable.MatchString(id) || secret != "" && !fuzzPrintable.MatchString(secret):
			if err == nil {
				t.Errorf("%q and %q were accepted", id, secret)
			}
		case err != nil:
			t.Errorf("%q and %q were refused: %v", id, secret, err)
		case got.clientID != id || got.secret != secret:
			t.Errorf("%q and %q were read as %+v", id, secret, got)
		}
	}
}

func checkFuzzedBasic(t *testing.T, header string, got credentials) {
	t.Helper()
	if len(header) < 6 || !strings.EqualFold(header[:5], "basic") || header[5] != ' ' {
		t.Errorf("the scheme of %q was accepted", header)
	}
	want := store.ClientSecretBasic
	if got.secret == "" {
		want = store.NoAuth
	}
	if !fuzzPrintable.MatchString(got.clientID) || got.secret != "" && !fuzzPrintable.MatchString(got.secret) || got.method != want {
		t.Errorf("%q was read as %+v", header, got)
	}
	if again, err := parseBasic(fuzzBasicHeader("Basic", got.clientID, got.secret)); err != nil || again != got {
		t.Errorf("%+v was read again as %+v: %v", got, again, err)
	}
}
