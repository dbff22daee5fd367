package accesstoken_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/internal/accesstoken"
)

const whole = `{"iss":"https://shop.example","sub":"alice","aud":["a","b"],"client_id":"app","jti":"t1","grant_id":"f1",
	"exp":1900000300,"nbf":1900000000.5,"iat":1900000000,"scope":"read  write","cnf":{"jkt":"k","x5t#S256":"c","kid":"ignored"},"tenant":{"id":7}}`

func TestRead(t *testing.T) {
	c, err := accesstoken.Read([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	if c.Issuer != "https://shop.example" || c.Subject != "alice" || c.ClientID != "app" || c.ID != "t1" || c.GrantID != "f1" ||
		!slices.Equal(c.Audience, []string{"a", "b"}) || !slices.Equal(c.Scopes, []string{"read", "write"}) ||
		!c.ExpiresAt.Equal(time.Unix(1900000300, 0)) || !c.NotBefore.Equal(time.UnixMilli(1900000000500)) || !c.IssuedAt.Equal(time.Unix(1900000000, 0)) ||
		!c.Bound || c.JKT != "k" || c.X5T != "c" || c.All.Raw("tenant") != `{"id":7}` || string(c.Raw) != whole {
		t.Errorf("got %+v", c)
	}
	if c, err := accesstoken.Read([]byte(`{}`)); err != nil || c.Audience != nil || c.Bound || !c.ExpiresAt.IsZero() || len(c.Scopes) > 0 {
		t.Errorf("of nothing: %+v %v", c, err)
	}
	if c, err := accesstoken.Read([]byte(`{"scope":" a\tb\u00a0c  d "}`)); err != nil || !slices.Equal(c.Scopes, []string{"a\tb\u00a0c", "d"}) {
		t.Errorf("only spaces stand between scopes: %q %v", c.Scopes, err)
	}
	if c, err := accesstoken.Read([]byte(`{"cnf":{"kid":"x"}}`)); err != nil || !c.Bound || c.JKT != "" || c.X5T != "" {
		t.Errorf("a token with a cnf of another kind is bound, by nothing that is known: %+v %v", c, err)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, payload := range []string{
		``, `null`, `[]`, `"x"`, `{`, `{} {}`, "{\"a\":\"\xff\"}", `{"aud":"a","aud":"b"}`,
		`{"iss":1}`, `{"sub":null}`, `{"client_id":[]}`, `{"jti":1}`, `{"grant_id":{}}`, `{"aud":1}`, `{"aud":[1]}`, `{"aud":null}`,
		`{"exp":"1"}`, `{"exp":-1}`, `{"exp":null}`, `{"exp":1e300}`, `{"nbf":true}`, `{"iat":[]}`, `{"scope":["a"]}`, `{"scope":null}`,
		`{"cnf":null}`, `{"cnf":"x"}`, `{"cnf":{"jkt":1}}`, `{"cnf":{"jkt":""}}`, `{"cnf":{"jkt":null}}`, `{"cnf":{"jkt":"a","x5t#S256":""}}`, `{"cnf":{"jkt":"a","jkt":"b"}}`,
	} {
		if c, err := accesstoken.Read([]byte(payload)); err == nil || c != nil {
			t.Errorf("%q was read: %+v", payload, c)
		}
	}
}

// Proves 9068-4-02 of the type.
func TestParse(t *testing.T) {
	token := func(header string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.AA"
	}
	for _, c := range []struct {
		name, token string
		good        bool
	}{
		{"an access token", token(`{"alg":"ES256","typ":"at+jwt"}`), true},
		{"its media type", token(`{"alg":"ES256","typ":"application/at+jwt"}`), true},
		{"in another case", token(`{"alg":"ES256","typ":"AT+jwt"}`), true},
		{"another type", token(`{"alg":"ES256","typ":"JWT"}`), false},
		{"no type", token(`{"alg":"ES256"}`), false},
		{"a type that goes on", token(`{"alg":"ES256","typ":"at+jwtx"}`), false},
		{"critical extensions", token(`{"alg":"ES256","typ":"at+jwt","crit":["exp"]}`), false},
		{"an empty list of them", token(`{"alg":"ES256","typ":"at+jwt","crit":[]}`), false},
		{"a header that is none", "e30", false},
		{"nothing", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := accesstoken.Parse(nil, c.token)
			if (err == nil) != c.good || (parsed != nil) != c.good {
				t.Errorf("got %v %v", parsed, err)
			}
		})
	}
	long := token(`{"alg":"ES256","typ":"at+jwt"}`)
	long += strings.Repeat("A", (accesstoken.MaxToken-len(long))/4*4)
	if _, err := accesstoken.Parse(nil, long); err != nil {
		t.Errorf("a token of %d octets: %v", len(long), err)
	}
	if _, err := accesstoken.Parse(nil, long+strings.Repeat("A", 8)); err == nil {
		t.Error("a longer one was parsed")
	}
}

func TestReadIntrospection(t *testing.T) {
	for _, c := range []struct {
		body         string
		active, good bool
	}{
		{`{"active":true}`, true, true},
		{`{"active": true ,"sub":"alice"}`, true, true},
		{`{"active":false}`, false, true},
		{`{"active":false,"sub":7}`, false, true},
		{`{"active":true,"sub":7}`, false, false},
		{`{"active":"true"}`, false, false},
		{`{"active":1}`, false, false},
		{`{"active":null}`, false, false},
		{`{"Active":true}`, false, false},
		{`{"active":false,"Active":true}`, false, false},
		{`{}`, false, false},
		{`true`, false, false},
		{``, false, false},
	} {
		claims, active, err := accesstoken.ReadIntrospection([]byte(c.body))
		if active != c.active || (err == nil) != c.good || (claims != nil) != c.active {
			t.Errorf("%s: got %+v %v %v", c.body, claims, active, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{whole, `{}`, `{"active":true}`, `{"aud":"a"}`, `{"cnf":{"jkt":""}}`, `{"exp":1e9}`, `[`, "{\"sub\":\"\xff\"}", `{"sub":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := accesstoken.Read(payload)
		if (c == nil) != (err != nil) {
			t.Fatalf("got %v and %v", c, err)
		}
		if c == nil {
			return
		}
		if bound := c.All.Has("cnf"); bound != c.Bound || !bound && c.JKT+c.X5T != "" {
			t.Errorf("bound: %v, with %q and %q", c.Bound, c.JKT, c.X5T)
		}
		for _, raw := range []struct{ name, read string }{{"sub", c.Subject}, {"iss", c.Issuer}, {"client_id", c.ClientID}, {"jti", c.ID}} {
			if !c.All.Has(raw.name) && raw.read != "" {
				t.Errorf("%s was made up: %q", raw.name, raw.read)
			}
		}
		for _, scope := range c.Scopes {
			if scope == "" || strings.Contains(scope, " ") {
				t.Errorf("the scope %q", scope)
			}
		}
		claims, active, err := accesstoken.ReadIntrospection(payload)
		if active != (c.All.Raw("active") == "true") || active && (err != nil || claims.Subject != c.Subject) {
			t.Errorf("as an introspection response: %v %v %v", claims, active, err)
		}
	})
}
