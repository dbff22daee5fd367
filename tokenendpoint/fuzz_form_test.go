package tokenendpoint

import (
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// checkClientsFault checks that err blames the client, by one code, and says
// nothing of what it sent.
func checkClientsFault(t *testing.T, err error, code ErrorCode) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code || e.Reason == "" || e.Cause != nil {
		t.Fatalf("the error is %v, want %s with a reason", err, code)
	}
	if e.Description == "" || permitted(e.Description) != e.Description {
		t.Errorf("the description is %q", e.Description)
	}
}

// fuzzPlainText is isText in other words.
func fuzzPlainText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x80 && unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
	})
}

func FuzzForm(f *testing.F) {
	for _, body := range []string{
		"", "&", "=", "=x", "a", "a=", "a=&b=1", "a=1&b=2", "a=1&a=1", "a=1&a=", "a=&a=", "A=1&a=2", "a=1&%61=2",
		"resource=https://a&resource=https://b", "resource=&resource=https://a", "resource=", "Resource=1&Resource=2",
		"a=1;b=2", "a=%3B", "a=%zz", "a=%", "a=%4", "%zz=1", "a=%ff%fe", "%ff=1", "a=%00", "%00=1", "a=%7f", "a=\x01", "a=%0d%0a%09",
		"a=+b+", "a=%2B", "a=b=c", "a=%26", "a=\u20ac", "a=%E2%82%AC", "a=%c0%80", "a=%ed%a0%80",
	} {
		f.Add(body, "scope", "a b+c%&=\u20ac")
	}
	f.Add("", "a;b", "c;d")
	f.Add("", "resource", "https://api.example/?x=1#y")
	f.Fuzz(fuzzForm)
}

// Long forms are not among the seeds, where they would keep the fuzzer busy.
func TestLongForms(t *testing.T) {
	bounds := map[string]int{"scope": 4096, "client_id": 512, "client_secret": 512, "grant_type": 256, "resource": 2048, "acr_values": 1024, "code": 50 << 10}
	for name, limit := range bounds {
		t.Run("a "+name+" may have its limit of octets and not one more", func(t *testing.T) {
			for _, value := range []string{strings.Repeat("x", limit), strings.Repeat("x", limit+1)} {
				for _, encoded := range []string{value, strings.ReplaceAll(value, "x", "%78")} {
					_, err := parseForm(name + "=" + encoded)
					if refused := len(value) > limit; (err != nil) != refused {
						t.Errorf("%d octets: %v", len(value), err)
					}
					fuzzForm(t, name+"="+encoded, name, value)
				}
			}
		})
	}
	t.Run("a form may have a hundred parameters and not one more, empty ones included", func(t *testing.T) {
		for body, refused := range map[string]bool{
			strings.Repeat("&", 99): false, strings.Repeat("&", 100): true, "a=1" + strings.Repeat("&", 99): false, strings.Repeat("a&", 100): true,
		} {
			if _, err := parseForm(body); (err != nil) != refused {
				t.Errorf("%q: %v", body, err)
			}
			fuzzForm(t, body, "a", "b")
		}
	})
}

func fuzzForm(t *testing.T, body, name, value string) {
	form, err := parseForm(body)
	if err != nil {
		checkClientsFault(t, err, InvalidRequest)
		if form != nil {
			t.Error("there is a form beside the error")
		}
	} else {
		checkFuzzedForm(t, body, form)
	}

	// What is encoded as RFC 6749 appendix B says comes back.
	limit := maxParameter
	if n, ok := maxLength[name]; ok {
		limit = n
	}
	encoded := url.QueryEscape(name) + "=" + url.QueryEscape(value)
	form, err = parseForm(encoded)
	switch {
	case len(value) > limit || !fuzzPlainText(name) || !fuzzPlainText(value):
		if err == nil {
			t.Errorf("%q was accepted", encoded)
		}
	case err != nil:
		t.Errorf("%q was refused: %v", encoded, err)
	case value == "" && len(form) != 0, value != "" && (len(form) != 1 || !slices.Equal(form[name], []string{value})):
		t.Errorf("%q was read as %q", encoded, form)
	}
	if err == nil && value != "" { // twice is too often
		if _, err := parseForm(encoded + "&" + encoded); (err == nil) != (name == "resource") {
			t.Errorf("%q twice: %v", encoded, err)
		}
	}
}

// checkFuzzedForm holds a form to the body that it was read from: nothing is lost but
// empty values, nothing is made up, and nothing is there twice.
func checkFuzzedForm(t *testing.T, body string, form url.Values) {
	t.Helper()
	if strings.Contains(body, ";") || strings.Count(body, "&") >= 100 {
		t.Errorf("%q was accepted", body)
	}
	said := make(url.Values)
	for pair := range strings.SplitSeq(body, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil || !fuzzPlainText(name) || !fuzzPlainText(value) {
			t.Errorf("%q was accepted", body)
		}
		if value != "" {
			said[name] = append(said[name], value)
		}
	}
	if !reflect.DeepEqual(form, said) {
		t.Errorf("%q was read as %q", body, form)
	}
	for name, values := range form {
		if len(values) == 0 || slices.Contains(values, "") || len(values) > 1 && name != "resource" {
			t.Errorf("%q is %q", name, values)
		}
		for _, value := range values {
			if limit, ok := maxLength[name]; ok && len(value) > limit || len(value) > 50<<10 {
				t.Errorf("%q has %d octets", name, len(value))
			}
		}
	}
	if again, err := parseForm(form.Encode()); err != nil || !reflect.DeepEqual(again, form) {
		t.Errorf("%q was read again as %q: %v", form, again, err)
	}
}
