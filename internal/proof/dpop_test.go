package proof

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

// The proofs and hashes that RFC 9449 prints in sections 4.1, 4.2, 6.1 and 7.1.
const (
	rfcProof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	rfcJKT   = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	rfcToken = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
	rfcATH   = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
)

// 9449-6.1-01.
func TestTheProofOfTheRFCIsRight(t *testing.T) {
	p, err := Parse(rfcProof)
	if err != nil {
		t.Fatal(err)
	}
	want := DPoP{Thumbprint: rfcJKT, JTI: "-BwC3ESc6acc2lTc", Method: "POST", URL: "https://server.example.com/token", IssuedAt: time.Unix(1562262616, 0)}
	if *p != want {
		t.Errorf("got %+v, want %+v", *p, want)
	}
	if err := p.Check("POST", tokenURL, time.Unix(1562262616, 0), Window, Leeway); err != nil {
		t.Error(err)
	}
	if got := AccessTokenHash(rfcToken); got != rfcATH {
		t.Errorf("ath is %q, want %q", got, rfcATH)
	}
}

// 9449-4.2-01.
func TestAProofOfEachAlgorithmIsRight(t *testing.T) {
	for _, alg := range Algorithms() {
		t.Run(alg, func(t *testing.T) {
			p, err := Parse(sign(t, alg, headerOf(alg, nil), claimsOf(change{"nonce": "n", "ath": rfcATH, "other": []int{1}})))
			if err != nil {
				t.Fatal(err)
			}
			thumbprint, err := jose.Thumbprint(keys()[alg].Public())
			want := DPoP{Thumbprint: thumbprint, JTI: "-BwC3ESc6acc2lTc", Method: "POST", URL: tokenURL, IssuedAt: now, Nonce: "n", AccessTokenHash: rfcATH}
			if err != nil || *p != want {
				t.Errorf("got %+v, want %+v", *p, want)
			}
		})
	}
}

// 9449-4.3-01: no. 1.
func TestThereIsOneHeader(t *testing.T) {
	good := proofOf(t, nil, nil)
	for _, c := range []struct {
		name   string
		values []string
		want   error
	}{
		{"one is read", []string{good}, nil},
		{"none is absent", nil, Absent},
		{"two are refused", []string{good, good}, Repeated},
		{"two in one line are refused", []string{good + ", " + good}, Malformed},
		{"an empty one is not absent", []string{""}, Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if p, err := ParseHeader(c.values); err != c.want || (p == nil) != (err != nil) {
				t.Errorf("got %v, %v, want %v", p, err, c.want)
			}
		})
	}
}

// 9449-4.3-02 to 9449-4.3-06, 9449-4.2-01: no. 2 to 7.
func TestParseRefuses(t *testing.T) {
	good := proofOf(t, nil, nil)
	ec := jwkOf(keys()["ES256"].Public())
	with := func(c change) change { // the jwk, changed
		return change{"jwk": json.RawMessage(c.of(ec))}
	}
	type row struct {
		name  string
		proof string
		want  Reason
	}
	rows := []row{
		{"no. 2: two parts", good[:strings.LastIndex(good, ".")], Malformed},
		{"no. 2: four parts", good + ".e30", Malformed},
		{"no. 2: five parts, as a JWE has", "e30.e30.e30.e30.e30", Malformed},
		{"no. 2: space around", " " + good, Malformed},
		{"no. 2: a line break within", good[:9] + "\n" + good[9:], Malformed},
		{"no. 2: a line break in the signature", good + "\n", WrongSignature},
		{"no. 2: padding", good + "=", WrongSignature},
		{"no. 2: a header that is no object", sign(t, "ES256", []byte(`[]`), claimsOf(nil)), Malformed},
		{"no. 2: a header that is null", sign(t, "ES256", []byte(`null`), claimsOf(nil)), Malformed},
		{"no. 2: a header and more", sign(t, "ES256", append(headerOf("ES256", nil), `{}`...), claimsOf(nil)), Malformed},
		{"no. 2: claims that are no object", sign(t, "ES256", headerOf("ES256", nil), []byte(`"a"`)), Malformed},
		{"no. 2: claims that end early", sign(t, "ES256", headerOf("ES256", nil), []byte(`{"jti":"a"`)), Malformed},
		{"no. 2: claims that are not UTF-8", sign(t, "ES256", headerOf("ES256", nil), []byte("{\"jti\":\"\xff\"}")), Malformed},
		{"no. 2: a member of the header twice", sign(t, "ES256", append([]byte(`{"typ":"JWT",`), headerOf("ES256", nil)[1:]...), claimsOf(nil)), Malformed},
		{"no. 2: a claim twice", sign(t, "ES256", headerOf("ES256", nil), append([]byte(`{"htm":"GET",`), claimsOf(nil)[1:]...)), Malformed},
		{"no. 2: over 8 KiB", proofOf(t, nil, change{"other": strings.Repeat("a", 8<<10)}), TooLong},
		{"no. 4: no typ", proofOf(t, change{"typ": absent}, nil), WrongType},
		{"no. 4: typ JWT", proofOf(t, change{"typ": "JWT"}, nil), WrongType},
		{"no. 4: typ in capitals", proofOf(t, change{"typ": "DPOP+JWT"}, nil), WrongType},
		{"no. 4: typ and more", proofOf(t, change{"typ": "dpop+jwt+x"}, nil), WrongType},
		{"no. 4: typ with its tree", proofOf(t, change{"typ": "application/dpop+jwt"}, nil), WrongType},
		{"no. 4: TYP is another member", proofOf(t, change{"typ": absent, "TYP": "dpop+jwt"}, nil), WrongType},
		{"no. 4: typ is a list", proofOf(t, change{"typ": []string{"dpop+jwt"}}, nil), WrongType},
		{"no. 5: no alg", proofOf(t, change{"alg": absent}, nil), WrongAlgorithm},
		{"no. 5: alg none", proofOf(t, change{"alg": "none"}, nil), WrongAlgorithm},
		{"no. 5: alg HS256", proofOf(t, change{"alg": "HS256"}, nil), WrongAlgorithm},
		{"no. 5: an alg that is not on the list", proofOf(t, change{"alg": "RS512"}, nil), WrongAlgorithm},
		{"no. 5: alg is a number", proofOf(t, change{"alg": 5}, nil), WrongAlgorithm},
		{"no. 5: an alg that is not the key's", proofOf(t, change{"alg": "ES384"}, nil), WrongKey},
		{"no. 6: a signature by another key", proofOf(t, change{"jwk": jwkOf(anotherKey())}, nil), WrongSignature},
		{"no. 6: claims that were not signed", altered(good, 1, b64(claimsOf(change{"htm": "GET"}))), WrongSignature},
		{"no. 6: a signature of something else", altered(good, 2, proofOf(t, nil, change{"jti": "2"})[strings.LastIndex(good, ".")+1:]), WrongSignature},
		{"no. 6: no signature", good[:strings.LastIndex(good, ".")+1], WrongSignature},
		{"no. 6: an extension that must be understood", proofOf(t, change{"crit": []string{"exp"}}, nil), WrongSignature},
		{"no. 7: no jwk", proofOf(t, change{"jwk": absent}, nil), WrongKey},
		{"no. 7: jwk is null", proofOf(t, change{"jwk": nil}, nil), WrongKey},
		{"no. 7: jwk is a string", proofOf(t, change{"jwk": "a"}, nil), WrongKey},
		{"no. 7: kty oct", proofOf(t, change{"jwk": map[string]string{"kty": "oct"}}, nil), WrongKey},
		{"jwk with a coordinate off the curve", proofOf(t, with(change{"x": b64(make([]byte, 32))}), nil), WrongKey},
		{"jwk with a short coordinate", proofOf(t, with(change{"x": "AQ"}), nil), WrongKey},
		{"jwk with a coordinate that is a number", proofOf(t, with(change{"x": 1}), nil), WrongKey},
		{"jwk with a coordinate broken by a line", proofOf(t, with(change{"x": ec["x"].(string) + "\n"}), nil), WrongKey},
		{"jwk on another curve", proofOf(t, with(change{"crv": "P-521"}), nil), WrongKey},
		{"jwk with a member twice", sign(t, "ES256", []byte(strings.Replace(string(headerOf("ES256", nil)), `{"crv"`, `{"kty":"EC","crv"`, 1)), claimsOf(nil)), Malformed},
		{"jwk for another algorithm", proofOf(t, with(change{"alg": "ES384"}), nil), WrongKey},
		{"jwk for encryption", proofOf(t, with(change{"use": "enc"}), nil), WrongKey},
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		rows = append(rows,
			row{"no. 7: jwk with " + private + ", which is private", proofOf(t, with(change{private: "AQAB"}), nil), WrongKey},
			row{"no. 7: jwk with " + private + " null", proofOf(t, with(change{private: nil}), nil), WrongKey})
	}
	for _, claim := range []string{"jti", "htm", "htu", "iat"} {
		rows = append(rows, row{"no. 3: no " + claim, proofOf(t, nil, change{claim: absent}), WrongClaims})
	}
	for _, claim := range []string{"jti", "htm", "htu", "nonce", "ath"} { // 47 of what is commonly got wrong
		for name, wrong := range map[string]any{"a number": 5, "null": nil, "a list": []string{"a"}, "an object": change{}, "true": true} {
			rows = append(rows, row{claim + " is " + name, proofOf(t, nil, change{claim: wrong}), WrongClaims})
		}
	}
	for _, claim := range []string{"iat", "nbf", "exp"} {
		for name, wrong := range map[string]any{"a string": "1800000000", "null": nil, "negative": -1, "a list": []int{1}, "in the year 10000": 253402300801, "beyond any clock": 1e300} {
			rows = append(rows, row{claim + " is " + name, proofOf(t, nil, change{claim: wrong}), WrongClaims})
		}
	}
	rows = append(rows, // 9449-11.1-02
		row{"no. 3: jti is empty", proofOf(t, nil, change{"jti": ""}), WrongClaims},
		row{"no. 3: htm is empty", proofOf(t, nil, change{"htm": ""}), WrongClaims},
		row{"no. 3: htu is empty", proofOf(t, nil, change{"htu": ""}), WrongClaims},
		row{"jti of 257 bytes", proofOf(t, nil, change{"jti": strings.Repeat("a", 257)}), WrongClaims},
	)
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			if p, err := Parse(c.proof); err != c.want || p != nil {
				t.Errorf("got %+v, %v, want %v", p, err, c.want)
			}
		})
	}
}

func TestParseTakesWhatIsAllowed(t *testing.T) {
	for name, proof := range map[string]string{
		"jti of 256 bytes":            proofOf(t, nil, change{"jti": strings.Repeat("a", 256)}),
		"a time with a fraction":      proofOf(t, nil, change{"iat": 1800000000.5}),
		"a time with an exponent":     sign(t, "ES256", headerOf("ES256", nil), []byte(`{"jti":"a","htm":"POST","htu":"https://a","iat":1.8e9}`)),
		"space in the JSON":           sign(t, "ES256", headerOf("ES256", nil), []byte(` { "jti" : "a" , "htm" : "POST" , "htu" : "https://a" , "iat" : 1800000000 } `)),
		"other members of the header": proofOf(t, change{"kid": "1", "jku": "https://evil.example"}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse(proof)
			if err != nil || p.IssuedAt.Unix() != now.Unix() {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
}

// altered replaces a part of a token.
func altered(token string, part int, by string) string {
	parts := strings.Split(token, ".")
	parts[part] = by
	return strings.Join(parts, ".")
}

func anotherKey() crypto.PublicKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key.Public()
}
