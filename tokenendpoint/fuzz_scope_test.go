package tokenendpoint

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	fuzzScopeToken  = regexp.MustCompile(`\A[\x21\x23-\x5b\x5d-\x7e]+\z`)                    // RFC 6749 section 3.3
	fuzzAbsoluteURI = regexp.MustCompile(`\A[A-Za-z][A-Za-z0-9+.-]*:[\x21\x22\x24-\x7e]*\z`) // RFC 8707 section 2
)

func FuzzScope(f *testing.F) {
	for _, scope := range []string{
		"", " ", "  ", "a", " a", "a ", "a b", "a  b", "a b a", "a a", "Read read", "a\tb", "a\nb", `a"b`, `a\b`, "a\x7fb", "a\u00e9b",
		"a\u00a0b", "openid profile", "https://api.example/read", "!#[]~", "a\x00", "a,b",
	} {
		f.Add(scope, "https://api.example", "v1/x y")
	}
	for _, resource := range []string{
		"", "https://api.example", "https://api.example#", "https://api.example/#x", "https://api.example?x=1", "urn:example:api", "mailto:x",
		"//api.example", "/api", "api", "api.example", "https://api.example\nhttps://api.example", "https://api.example\nhttps://API.example",
		"https://a b", "https://a/%zz", "https://a/\u00e9", "https://a:x", ":", "1:x", "a:", "https://a/ ", " https://a", "https://a\x7f", "%68ttps://a",
	} {
		f.Add("a", resource, "\u20ac#?%")
	}
	f.Fuzz(func(t *testing.T, scope, resource, path string) {
		names, err := parseScope(scope)
		wellFormed := scope == "" || strings.Trim(scope, " ") != ""
		var want []string
		for word := range strings.SplitSeq(scope, " ") {
			wellFormed = wellFormed && (word == "" || fuzzScopeToken.MatchString(word))
			if word != "" && !slices.Contains(want, word) {
				want = append(want, word)
			}
		}
		switch {
		case !wellFormed:
			checkClientsFault(t, err, InvalidScope)
		case err != nil || !slices.Equal(names, want) || (names == nil) != (scope == ""):
			t.Errorf("%q was read as %q: %v", scope, names, err)
		default:
			if again, err := parseScope(strings.Join(names, " ")); err != nil || !slices.Equal(again, names) {
				t.Errorf("%q was read again as %q: %v", names, again, err)
			}
			if got := string(appendScope(nil, names)); got != `"`+strings.Join(want, " ")+`"` {
				t.Errorf("%q was written as %s", names, got)
			}
		}
		fuzzResources(t, resource, path)
	})
}

func fuzzResources(t *testing.T, resource, path string) {
	t.Helper()
	said := strings.Split(resource, "\n")
	resources, err := parseResources(said)
	if err != nil {
		checkClientsFault(t, err, InvalidTarget)
	} else {
		for i, value := range said {
			if !fuzzAbsoluteURI.MatchString(value) {
				t.Errorf("%q was accepted", value)
			}
			if !slices.Contains(resources, value) {
				t.Errorf("%q is missing in %q", said[i], resources)
			}
		}
		unique := slices.Compact(slices.Sorted(slices.Values(said)))
		if !slices.Equal(slices.Sorted(slices.Values(resources)), unique) {
			t.Errorf("%q was read as %q", said, resources)
		}
	}
	// A URI of any path is one resource, however often it is said.
	uri := "https://api.example/" + url.PathEscape(path)
	if got, err := parseResources([]string{uri, uri}); err != nil || !slices.Equal(got, []string{uri}) {
		t.Errorf("%q was read as %q: %v", uri, got, err)
	}
	if _, err := parseResources([]string{uri, uri + "#"}); err == nil {
		t.Errorf("%q with a fragment was accepted", uri)
	}
}
