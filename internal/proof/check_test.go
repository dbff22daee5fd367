package proof

import (
	"testing"
	"time"
)

// 9449-4.3-07, 9449-4.3-11, 9449-4.3-12, 9449-11.1-01: no. 8, 9 and 11.
func TestCheck(t *testing.T) {
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, c := range []struct {
		name   string
		claims change
		want   error
	}{
		{"a fresh proof is right", nil, nil},
		{"no. 8: htm of another method", change{"htm": "GET"}, WrongMethod},
		{"no. 8: htm in lower case", change{"htm": "post"}, WrongMethod},
		{"no. 9: htu of another endpoint", change{"htu": "https://server.example.com/par"}, WrongURL},
		{"no. 9: htu with query and fragment", change{"htu": tokenURL + "?x#y"}, nil},
		{"no. 11: ten seconds old", change{"iat": at(-10 * time.Second)}, nil},
		{"no. 11: as old as the window", change{"iat": at(-Window)}, nil},
		{"no. 11: a second older", change{"iat": at(-Window - time.Second)}, TooOld},
		{"no. 11: half a second older", change{"iat": float64(at(-Window)) - 0.5}, TooOld},
		{"no. 11: half a second further", change{"iat": float64(at(Leeway)) + 0.5}, TooEarly},
		{"no. 11: five minutes old", change{"iat": at(-5 * time.Minute)}, TooOld},
		{"no. 11: of 1970", change{"iat": 0}, TooOld},
		{"no. 11: ten seconds ahead", change{"iat": at(10 * time.Second)}, nil},
		{"no. 11: as far ahead as the leeway", change{"iat": at(Leeway)}, nil},
		{"no. 11: a second further", change{"iat": at(Leeway + time.Second)}, TooEarly},
		{"no. 11: five minutes ahead", change{"iat": at(5 * time.Minute)}, TooEarly},
		{"exp in the future", change{"exp": at(time.Second)}, nil},
		{"exp in the past, within the leeway", change{"exp": at(time.Second - Leeway)}, nil},
		{"exp in the past", change{"exp": at(-Leeway)}, TooOld},
		{"exp of 1970", change{"exp": 0}, TooOld},
		{"nbf in the past", change{"nbf": at(-time.Second)}, nil},
		{"nbf in the future, within the leeway", change{"nbf": at(Leeway)}, nil},
		{"nbf in the future", change{"nbf": at(Leeway + time.Second)}, TooEarly},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse(proofOf(t, nil, c.claims))
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check("POST", tokenURL, now, Window, Leeway); err != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// 9449-4.3-13: no. 12.
func TestCovers(t *testing.T) {
	for _, c := range []struct {
		name string
		ath  string
		want bool
	}{
		{"the hash of the token", rfcATH, true},
		{"no hash", "", false},
		{"the hash of another token", AccessTokenHash("other"), false},
		{"the token itself", rfcToken, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (&DPoP{AccessTokenHash: c.ath}).Covers(rfcToken); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// 9449-4.3-08, 9449-4.3-09, 47 of what is commonly got wrong.
func TestSameURL(t *testing.T) {
	const here = "https://server.example.com/connect/~a%3Ab/token"
	for _, c := range []struct {
		name string
		htu  string
		want bool
	}{
		{"the same", here, true},
		{"with a query", here + "?a=b", true},
		{"with a fragment", here + "#a", true},
		{"with both", here + "?a#b", true},
		{"with a query that has a host in it", here + "?https://evil.example", true},
		{"with a query that may not stand in a URL", here + `?a|b\c`, true},
		{"with a fragment that may not stand in a URL", here + `#a|b\c`, true},
		{"with scheme and host in capitals", "HTTPS://SERVER.EXAMPLE.COM/connect/~a%3Ab/token", true},
		{"with the default port", "https://server.example.com:443/connect/~a%3Ab/token", true},
		{"with an empty port", "https://server.example.com:/connect/~a%3Ab/token", true},
		{"with the tilde escaped", "https://server.example.com/connect/%7Ea%3Ab/token", true},
		{"with letters escaped", "https://server.example.com/%63onnect/~%61%3Ab/token", true},
		{"with a letter of the host escaped", "https://%73erver.example.com/connect/~a%3Ab/token", true},
		{"with an escape in lower case", "https://server.example.com/connect/~a%3ab/token", true},
		{"with dot segments", "https://server.example.com/x/../connect/./~a%3Ab/token", true},
		{"with escaped dot segments", "https://server.example.com/x/%2e%2e/connect/~a%3Ab/token", true},

		{"with a reserved character that is not escaped", "https://server.example.com/connect/~a:b/token", false},
		{"with a slash escaped", "https://server.example.com/connect/~a%3Ab%2Ftoken", false},
		{"with the path in capitals", "https://server.example.com/CONNECT/~a%3Ab/token", false},
		{"with a slash at the end", here + "/", false},
		{"with two slashes", "https://server.example.com//connect/~a%3Ab/token", false},
		{"of another path", "https://server.example.com/connect/par", false},
		{"of another host", "https://evil.example/connect/~a%3Ab/token", false},
		{"of a host above", "https://server.example.com.evil.example/connect/~a%3Ab/token", false},
		{"of another port", "https://server.example.com:8443/connect/~a%3Ab/token", false},
		{"of the default port of http", "https://server.example.com:80/connect/~a%3Ab/token", false},
		{"of another scheme", "http://server.example.com/connect/~a%3Ab/token", false},
		{"of a scheme that is not HTTP", "ftp://server.example.com/connect/~a%3Ab/token", false},
		{"with a user", "https://a@server.example.com/connect/~a%3Ab/token", false},
		{"with an escape that is none", "https://server.example.com/connect/~a%3Ab/token%2", false},
		{"with an escape that is not hexadecimal", "https://server.example.com/connect/~a%3Ab/token%zz", false},
		{"with a backslash", `https://server.example.com/connect\~a%3Ab/token`, false},
		{"with space around", " " + here, false},
		{"with a host that only folds to the same", "https://\u017ferver.example.com/connect/~a%3Ab/token", false},
		{"with a host that only folds to the same, escaped", "https://%C5%BFerver.example.com/connect/~a%3Ab/token", false},
		{"a path alone", "/connect/~a%3Ab/token", false},
		{"without scheme", "//server.example.com/connect/~a%3Ab/token", false},
		{"opaque", "https:server.example.com/connect/~a%3Ab/token", false},
		{"empty", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := sameURL(c.htu, here); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if got := sameURL(here, c.htu); got != c.want {
				t.Errorf("the other way round: got %v, want %v", got, c.want)
			}
		})
	}
	for _, pair := range [][2]string{
		{"https://a.example", "https://a.example/"},
		{"https://a.example?x", "https://a.example/"},
		{"http://a.example:80/t", "http://a.example/t"},
		{"https://[2001:DB8::1]:443/t", "https://[2001:db8::1]/t"},
		{"https://[::443]/t", "https://[::443]:443/t"},
	} {
		if !sameURL(pair[0], pair[1]) {
			t.Errorf("%s and %s are the same", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{
		{"https://%E2%84%AA.example/t", "https://k.example/t"}, // the Kelvin sign
		{`https://a.example/x%2Fy"`, `https://a.example/x/y"`}, // net/url would undo the escape
	} {
		if sameURL(pair[0], pair[1]) {
			t.Errorf("%s and %s are not the same", pair[0], pair[1])
		}
	}
	for _, bad := range []string{"", "https://", "https:///t", "https://:443/t", "https://a@/t", "/t", "https://[fe80::1%25eth0]/t", "https://a\u212A/", "https://%E2%84%AA/", "ftp://a.example/t"} {
		if sameURL(bad, bad) {
			t.Errorf("%q is the same as something", bad)
		}
	}
}
