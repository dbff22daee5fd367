package tokenendpoint_test

import (
	"strings"
	"testing"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// 8414-2-01, with the door for development that the checklist's conflict no. 22
// decides on.
func TestIssuers(t *testing.T) {
	const (
		empty    = "is empty"
		noURL    = "is not a URL of scheme, host and a path"
		query    = "has a query or a fragment; remove it"
		noHTTPS  = "is not https"
		notHTTPS = "is not https; use https, a loopback host, or set InsecureIssuer"
	)
	tests := []struct {
		issuer string
		want   string // what the problem says; empty: there is none
	}{
		{"https://shop.example", ""},
		{"https://shop.example/", ""},
		{"https://shop.example:8443/tenants/north", ""},
		{"https://127.0.0.1", ""},
		{"https://[2001:db8::1]/x", ""},
		{"http://127.0.0.1", ""},
		{"http://127.8.9.1:5001/path", ""},
		{"http://[::1]:5001", ""},
		{"http://localhost:5001", ""},

		{"http://shop.example", notHTTPS},
		{"http://localhost.example", notHTTPS},
		{"http://127.0.0.1.example", notHTTPS},
		{"http://10.0.0.1", notHTTPS},
		{"http://0.0.0.0", notHTTPS},
		{"http://[::]", notHTTPS},
		{"ftp://shop.example", noHTTPS},
		{"ws://localhost", noHTTPS},

		{"https://shop.example?", query},
		{"https://shop.example/?tenant=north", query},
		{"https://shop.example#x", query},
		{"https://shop.example/?a#b", query},
		{"https://shop.example#", noURL},
		{"https://shop.example/#", noURL},

		{"", empty},
		{"https://user@shop.example", noURL},
		{"https://user:secret@shop.example", noURL},
		{"https://shop.example/a b", noURL},
		{" https://shop.example", noURL},
		{"https://shop.example ", noURL},
		{`https://shop.example/"`, noURL},
		{`https://shop.example/\`, noURL},
		{"https://shop.example/{tenant}", noURL},
		{"https://shop.example/\u00e9", noURL},
		{"https://shop.example/\n", noURL},
		{"https://shop.example/%zz", noURL},
		{"https://shop.example/%7Bx", noURL},
		{"https://shop.example/a%20b", noURL},
		{"https://shop.example/a//b", noURL},
		{"https://shop.example/a/../b", noURL},
		{"https://shop.example/.", noURL},
		{"HTTPS://shop.example", noURL},
		{"https:shop.example", noURL},
		{"https:///path", noURL},
		{"https://Shop.example", noURL},
		{"https://:443", noURL},
		{"https://", noURL},
		{"//shop.example", noHTTPS},
		{"shop.example", noURL},
		{"/path", noURL},
	}
	for _, test := range tests {
		name := "refused: it " + test.want
		if test.want == "" {
			name = "accepted"
		}
		t.Run("the issuer "+test.issuer+" is "+name, func(t *testing.T) {
			config := soundConfig()
			config.Issuer = test.issuer
			problems := problemsOf(t, config)
			switch {
			case test.want == "" && problems != nil:
				t.Errorf("the problems are %q", problems)
			case test.want != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0], "Issuer ") || !strings.Contains(problems[0], test.want)):
				t.Errorf("the problems are %q", problems)
			}
		})
	}
}

func TestInsecureIssuer(t *testing.T) {
	accepted := map[string]bool{
		"http://shop.example": true, "https://shop.example": true,
		"ftp://shop.example": false, "http://shop.example?x": false, "http://user@shop.example": false, "": false,
	}
	for issuer, want := range accepted {
		t.Run("InsecureIssuer opens the door to http and to nothing else: "+issuer, func(t *testing.T) {
			config := soundConfig()
			config.Issuer, config.InsecureIssuer = issuer, true
			if problems := problemsOf(t, config); (problems == nil) != want {
				t.Errorf("the problems are %q", problems)
			}
		})
	}
	t.Run("the issuer is in the token and in the challenge byte for byte", func(t *testing.T) {
		for _, issuer := range []string{"https://shop.example/", "https://shop.example/t/", "http://[::1]:5001"} {
			tr := newTrial(t, func(c *tokenendpoint.Config) { c.Issuer = issuer })
			tr.equal("iss", tr.claims(tr.ask("scope=orders.read"))["iss"], issuer)
			tr.secret = "wrong"
			tr.equal("the challenge", tr.ask("").header.Get("WWW-Authenticate"), `Basic realm="`+issuer+`"`)
		}
	})
}
