package jose_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/grantor-go/grantor/internal/jose"
)

func nested(depth int) string {
	return `{"a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

// X-JOSE-06
func TestObjectsAreDecodedStrictly(t *testing.T) {
	for _, c := range []struct {
		name  string
		taken bool
		all   []string
	}{
		{"an object is taken", true, []string{`{}`, `{"iss":"a"}`, " \t\r\n{\"iss\":\"a\"}\n", `{"iss":"a","x":[{"y":1},{"y":2}],"z":{"y":3,"iss":4}}`, `{"x":1e999,"y":-0.5E+3}`, `{"x":null,"iss":"\u0041"}`, `{"ſ":1,"t":2}`, `{"x":"\\","iss":"a","y":"\"","z":"{[\",\"iss\":"}`, `{"x":":","y":"iss" , "iss" : "a"}`, `{"x":{"iss":1},"y":[{"z":1}],"z":2,"iss":"a"}`, `{"x":{"A":1},"y":{"A":1}}`, `{"x":[{"A":1},{"A":1}]}`}},
		{"a name that stands twice is refused", false, []string{`{"iss":"a","iss":"a"}`, `{"x":1,"iss":"a","x":2}`, `{"":1,"":2}`, `{"x":"\\","iss":"a","iss":"b"}`, `{"x\"":1,"x\"":2}`, "{\"x\"\r\n\t :1,\"x\":2}"}},
		{"and so it is further in", false, []string{`{"x":{"y":1,"y":2}}`, `{"x":[1,{"z":{"y":1,"y":2}}]}`, `{"iss":{"a":1},"x":[[{"b":1,"c":2,"b":3}]]}`}},
		{"and in another spelling", false, []string{`{"iss":"a","\u0069ss":"b"}`, `{"\ud800":1,"\udbff":2}`}},
		{"and if encoding/json reads both as one", false, []string{`{"iss":"a","ISS":"b"}`, `{"iss":"a","iſs":"b"}`, `{"z":1,"Z":2}`, `{"A":1,"a":2}`, `{"kid":1,"\u212aid":2}`}},
		{"something else is refused", false, []string{``, ` `, `null`, `[]`, `"a"`, `1`, `true`, `{`, `}`, `{"iss"}`, `{"iss":}`, `{"iss":"a",}`, `{iss:"a"}`, `{'iss':'a'}`, `{"x":NaN}`, `{"x":01}`, `/**/{}`, "\ufeff{}"}},
		{"what follows the object is refused", false, []string{`{}{}`, `{} x`, `{}]`, `{"iss":"a"},`, "{}\x00"}},
		{"what is not UTF-8 is refused", false, []string{"{\"iss\":\"\xff\"}", "{\"\xc3\x28\":1}", "{\"x\":\"\xed\xa0\x80\"}"}},
		{"a member of another type is refused", false, []string{`{"iss":1}`, `{"iss":["a"]}`, `{"iss":{}}`, `{"exp":"1"}`}},
		{"32 levels are taken", true, []string{nested(32)}},
		{"more levels are refused", false, []string{nested(33), nested(100_000), strings.Repeat(`{"a":`, 33) + `1` + strings.Repeat(`}`, 33)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, raw := range c.all {
				o, err := jose.ParseObject([]byte(raw))
				issuer, isText := o.Text("iss")
				_, isTime := o.Time("exp")
				if taken := err == nil && isText && isTime; taken != c.taken {
					t.Errorf("%.100q: %v, want it taken: %t", raw, err, c.taken)
				}
				if c.taken && strings.Contains(raw, `"iss":"a"`) && issuer != "a" {
					t.Errorf("%q: iss is %q", raw, issuer)
				}
			}
		})
	}
}

func TestTheErrorQuotesNothing(t *testing.T) {
	for _, raw := range []string{`{"secret":"secret","secret":1}`, `{"iss":"secret",}`, `{"iss":05318008}`, `secret`} {
		if _, err := jose.ParseObject([]byte(raw)); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "5318008") {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// plain reads an object as ParseObject should, slowly: ok is false if it is to be refused.
func plain(raw []byte) (whole map[string]json.RawMessage, ok bool) {
	if !utf8.Valid(raw) || json.Unmarshal(raw, &whole) != nil || whole == nil {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return whole, isStrict(d, 0)
}

// isStrict reads one value.
func isStrict(d *json.Decoder, depth int) bool {
	token, err := d.Token()
	if err != nil {
		return false
	}
	open, ok := token.(json.Delim)
	if !ok {
		return true
	}
	var names []string
	for depth < 32 && d.More() {
		if open == '{' {
			token, _ := d.Token()
			name, _ := token.(string)
			if slices.ContainsFunc(names, func(other string) bool { return strings.EqualFold(other, name) }) {
				return false
			}
			names = append(names, name)
		}
		if !isStrict(d, depth+1) {
			return false
		}
	}
	_, err = d.Token() // its end
	return err == nil && depth < 32
}

// In what is accepted every member is there once: none is lost on the way into maps.
func FuzzParseObject(f *testing.F) {
	for _, raw := range []string{`{"iss":"a","x":[{"y":1},{"y":2}]}`, `{"iss":"a","iss":"b"}`, `{"x":{"y":1,"Y":2}}`, `{}{}`, `{"a":1e999}`, `{"\u0069ss":1,"iss":2}`, ` { "a\u0062" : "\ud800x" , "c":[ {"d" : 1} , 2 ] } `, nested(33), "{\"\xff\":1}"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole, ok := plain(raw)
		object, err := jose.ParseObject(raw)
		if (err == nil) != ok {
			t.Fatalf("%q: ParseObject says %v, want it taken: %t", raw, err, ok)
		}
		if err != nil {
			return
		}
		if len(object) != len(whole) {
			t.Errorf("%q: ParseObject has %d members of %d", raw, len(object), len(whole))
		}
		for name, value := range whole {
			if object.Raw(name) != string(value) {
				t.Errorf("%q: ParseObject has %q for %q, want %q", raw, object.Raw(name), name, value)
			}
			var text string
			if got, ok := object.Text(name); ok && (json.Unmarshal(value, &text) != nil || got != text) {
				t.Errorf("%q: Text(%q) is %q, want %q", raw, name, got, text)
			}
		}
		var v any
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(&v); err != nil {
			t.Fatalf("%q is accepted: %v", raw, err)
		}
		if inMaps, written := count(v), colons(raw); inMaps != written {
			t.Errorf("%q is accepted: %d members of %d", raw, inMaps, written)
		}
	})
}

func count(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		n = len(v)
		for _, value := range v {
			n += count(value)
		}
	case []any:
		for _, value := range v {
			n += count(value)
		}
	}
	return n
}

// colons counts those that are in no string: one for each member.
func colons(raw []byte) (n int) {
	inString := false
	for i := 0; i < len(raw); i++ {
		switch {
		case inString && raw[i] == '\\':
			i++
		case raw[i] == '"':
			inString = !inString
		case raw[i] == ':' && !inString:
			n++
		}
	}
	return n
}

func BenchmarkParseObject(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jose.ParseObject([]byte(assertionClaims)); err != nil {
			b.Fatal(err)
		}
	}
}
