package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

// jwk is a public key with further members, "" for one that is left out.
func jwk(t testing.TB, public crypto.PublicKey, changes ...string) string {
	t.Helper()
	alg := map[string]string{"*ecdsa.PublicKey": "ES256", "*rsa.PublicKey": "RS256", "ed25519.PublicKey": "EdDSA"}[fmt.Sprintf("%T", public)]
	if key, ok := public.(*ecdsa.PublicKey); ok && key.Curve.Params().BitSize == 384 {
		alg = "ES384"
	}
	raw, err := jose.PublicJWK(alg, "k1", public)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kid", "alg", "use"} {
		delete(members, name)
	}
	for i := 0; i < len(changes); i += 2 {
		members[changes[i]] = json.RawMessage(changes[i+1])
		if changes[i+1] == "" {
			delete(members, changes[i])
		}
	}
	out, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func parse(t testing.TB, keys ...string) []jose.JWK {
	t.Helper()
	set, err := jose.ParseJWKS([]byte(`{"keys":[` + strings.Join(keys, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func ones(n int) string {
	return `"` + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\x01", n))) + `"`
}

func TestASetIsParsed(t *testing.T) {
	for _, alg := range algorithms {
		public := keys()[alg].Public()
		raw, err := jose.PublicJWK(alg, "the first", public)
		if err != nil {
			t.Fatal(err)
		}
		set := parse(t, string(raw))
		if len(set) != 1 || set[0].Kid != "the first" || set[0].Alg != alg || set[0].Use != "sig" || set[0].KeyOps != nil {
			t.Fatalf("%s: %+v", alg, set)
		}
		if !public.(interface{ Equal(crypto.PublicKey) bool }).Equal(set[0].Public) {
			t.Errorf("%s: it is another key", alg)
		}
		if _, err := jose.Verify(alg, set[0].Public, signedBy(t, alg, "", someClaims)); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

func TestKeysKeepTheirOrderAndTheSameKid(t *testing.T) {
	p256, ed := keys()["ES256"].Public(), keys()["EdDSA"].Public()
	set := parse(t, jwk(t, p256, "kid", `"a"`), jwk(t, ed, "kid", `"a"`, "key_ops", `["verify","x"]`), jwk(t, p256), jwk(t, p256, "kid", `"A"`, "x5c", `[1]`))
	var kids []string
	for _, key := range set {
		kids = append(kids, key.Kid)
	}
	if !slices.Equal(kids, []string{"a", "a", "", "A"}) || !slices.Equal(set[1].KeyOps, []string{"verify", "x"}) {
		t.Errorf("%+v", set)
	}
	for _, empty := range []string{`{"keys":[]}`, `{"keys":[{}],"x":{"d":1}}`} {
		if set, err := jose.ParseJWKS([]byte(empty)); err != nil || len(set) != 0 {
			t.Errorf("%s: %v, %v", empty, set, err)
		}
	}
}

// RFC 7517 section 5; X-JOSE-08.
func TestKeysThatCannotVerifyAreLeftOut(t *testing.T) {
	p256, p384, rsaKey, ed := keys()["ES256"].Public(), keys()["ES384"].Public(), keys()["RS256"].Public(), keys()["EdDSA"].Public()
	encode := func(b []byte) string { return `"` + base64.RawURLEncoding.EncodeToString(b) + `"` }
	number := func(n *big.Int) string { return encode(n.Bytes()) }
	point, err := p256.(*ecdsa.PublicKey).Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	even := new(big.Int).Sub(rsaKey.(*rsa.PublicKey).N, big.NewInt(1))
	for name, key := range map[string]string{
		"A type that is not known":                   jwk(t, p256, "kty", `"AKP"`),
		"No type":                                    jwk(t, p256, "kty", ""),
		"A type that is no string":                   jwk(t, p256, "kty", `["EC"]`),
		"The type of another key":                    jwk(t, ed, "kty", `"EC"`),
		"A curve that is not known":                  jwk(t, p256, "crv", `"P-521"`),
		"The curve secp256k1":                        jwk(t, p256, "crv", `"secp256k1"`),
		"The curve of another type":                  jwk(t, p256, "crv", `"Ed25519"`),
		"No curve":                                   jwk(t, p256, "crv", ""),
		"The other curve":                            jwk(t, p256, "crv", `"P-384"`),
		"A curve for encryption":                     jwk(t, ed, "crv", `"X25519"`),
		"The curve Ed448":                            jwk(t, ed, "crv", `"Ed448"`),
		"An algorithm that is not known":             jwk(t, p384, "alg", `"ES512"`),
		"An algorithm for encryption":                jwk(t, rsaKey, "alg", `"RSA-OAEP"`),
		"The algorithm none":                         jwk(t, rsaKey, "alg", `"none"`),
		"A symmetric algorithm":                      jwk(t, rsaKey, "alg", `"HS256"`),
		"An algorithm of another type":               jwk(t, p256, "alg", `"RS256"`),
		"An algorithm of another curve":              jwk(t, p256, "alg", `"ES384"`),
		"An algorithm that is null":                  jwk(t, p256, "alg", `null`),
		"The use enc":                                jwk(t, p256, "use", `"enc"`),
		"Another use":                                jwk(t, p256, "use", `"Sig"`),
		"Operations without verify":                  jwk(t, p256, "key_ops", `["sign","encrypt"]`),
		"No operations":                              jwk(t, p256, "key_ops", `[]`),
		"Operations that are no list":                jwk(t, p256, "key_ops", `"verify"`),
		"A kid that is no string":                    jwk(t, p256, "kid", `1`),
		"RSA of 2047 bits":                           jwk(t, rsaKey, "n", number(bits(2047).N)),
		"RSA of 8193 bits":                           jwk(t, rsaKey, "n", number(bits(8193).N)),
		"An even modulus":                            jwk(t, rsaKey, "n", number(even)),
		"No modulus":                                 jwk(t, rsaKey, "n", ""),
		"No exponent":                                jwk(t, rsaKey, "e", ""),
		"An exponent of 1":                           jwk(t, rsaKey, "e", `"AQ"`),
		"An even exponent":                           jwk(t, rsaKey, "e", `"AQAC"`),
		"An exponent of 32 bits":                     jwk(t, rsaKey, "e", `"gAAAAQ"`),
		"An exponent of 40 bits":                     jwk(t, rsaKey, "e", `"AQAAAAE"`),
		"An exponent of 65 bits":                     jwk(t, rsaKey, "e", `"AQAAAAAAAQAB"`),
		"A modulus that is padded":                   jwk(t, rsaKey, "n", `"`+strings.Repeat("A", 342)+`=="`),
		"A point off its curve":                      jwk(t, p256, "x", ones(32)),
		"A point off the other curve":                jwk(t, p384, "y", ones(48)),
		"A coordinate that is too short":             jwk(t, p256, "x", ones(31)),
		"An octet in the other coordinate":           jwk(t, p256, "x", encode(point[1:32]), "y", encode(point[32:])),
		"A coordinate that is missing":               jwk(t, p256, "y", ""),
		"A coordinate that is no string":             jwk(t, p256, "y", `1`),
		"An Ed25519 key that is too short":           jwk(t, ed, "x", ones(31)),
		"An Ed25519 key that is too long":            jwk(t, ed, "x", ones(33)),
		"An Ed25519 key that is missing":             jwk(t, ed, "x", ""),
		"An Ed25519 key in the alphabet of base64":   jwk(t, ed, "x", `"`+strings.Repeat("+", 42)+`8"`),
		"An Ed25519 key with a line feed":            jwk(t, ed, "x", `"`+strings.Repeat("A", 42)+`\nA"`),
		"An exponent of 65539":                       jwk(t, rsaKey, "e", `"AQAD"`),
		"An Ed25519 key with bits that mean nothing": jwk(t, ed, "x", `"`+strings.Repeat("A", 42)+`B"`),
	} {
		t.Run(name, func(t *testing.T) {
			if set := parse(t, jwk(t, p256, "kid", `"before"`), key, jwk(t, p256, "kid", `"after"`)); len(set) != 2 || set[0].Kid != "before" || set[1].Kid != "after" {
				t.Errorf("%s: %+v", key, set)
			}
		})
	}
	for name, key := range map[string]string{
		"RSA of 2048 bits":     jwk(t, rsaKey, "n", number(bits(2048).N)),
		"RSA of 8192 bits":     jwk(t, rsaKey, "n", number(bits(8192).N)),
		"An exponent of 3":     jwk(t, rsaKey, "e", `"Aw"`),
		"An exponent of 65537": jwk(t, rsaKey, "e", `"AQAB"`),
	} {
		if set := parse(t, key); len(set) != 1 {
			t.Errorf("%s is left out", name)
		}
	}
}

// What else the set has does not matter: somebody has published a secret.
func TestASetWithASecretIsRefused(t *testing.T) {
	p256 := keys()["ES256"].Public()
	bad := []string{`{"kty":"oct","k":"c2VjcmV0"}`, `{"kty":"oct"}`, `{"kty":"unknown","priv":"c2VjcmV0"}`, `{"d":"c2VjcmV0"}`}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		bad = append(bad, jwk(t, p256, name, `"c2VjcmV0"`), jwk(t, p256, name, `null`), jwk(t, p256, name, `""`), jwk(t, p256, name, `[{"r":1}]`, "use", `"enc"`))
	}
	for _, key := range bad {
		set, err := jose.ParseJWKS([]byte(`{"keys":[` + jwk(t, p256) + "," + key + `]}`))
		if set != nil || err == nil || strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%s: %v, %v", key, set, err)
		}
	}
}

func TestWhatIsNoSetIsRefused(t *testing.T) {
	key := jwk(t, keys()["EdDSA"].Public())
	for _, raw := range []string{
		``, `null`, `{}`, `[]`, `[` + key + `]`, key, `{"keys":null}`, `{"keys":{}}`, `{"keys":` + key + `}`, `{"keys":["secret"]}`, `{"keys":[[]]}`, `{"keys":[1]}`, `{"keys":[null,` + key + `]}`, `{"KEYS":[` + key + `]}`, `{"keyſ":[` + key + `]}`,
		`{"keys":[` + key + `]}x`, `{"keys":[` + key + `]`, `{"keys":[],"keys":[` + key + `]}`, `{"keys":[{"kid":"secret","kid":"b"}]}`, "{\"keys\":[],\"x\":\"\xff\"}",
	} {
		if set, err := jose.ParseJWKS([]byte(raw)); set != nil || err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", raw, set, err)
		}
	}
}

func TestASetHasBounds(t *testing.T) {
	key := jwk(t, keys()["EdDSA"].Public())
	for n, taken := range map[int]bool{100: true, 101: false} {
		for _, key := range []string{key, `{}`} {
			_, err := jose.ParseJWKS([]byte(`{"keys":[` + strings.Repeat(key+",", n-1) + key + `]}`))
			if (err == nil) != taken {
				t.Errorf("%d keys: %v", n, err)
			}
		}
	}
	set := `{"keys":[` + key + `]}`
	for n, taken := range map[int]bool{256 << 10: true, 256<<10 + 1: false} {
		if _, err := jose.ParseJWKS([]byte(set + strings.Repeat(" ", n-len(set)))); (err == nil) != taken {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

// RFC 8725 section 3.1
func TestAKeyFitsItsAlgorithms(t *testing.T) {
	p256, rsaKey, ed := keys()["ES256"].Public(), keys()["RS256"].Public(), keys()["EdDSA"].Public()
	for key, want := range map[string][]string{
		jwk(t, p256): {"ES256"}, jwk(t, rsaKey): {"PS256", "RS256"}, jwk(t, ed): {"Ed25519", "EdDSA"}, jwk(t, keys()["ES384"].Public()): {"ES384"},
		jwk(t, rsaKey, "alg", `"PS256"`): {"PS256"}, jwk(t, ed, "alg", `"EdDSA"`): {"Ed25519", "EdDSA"}, jwk(t, ed, "alg", `"Ed25519"`): {"Ed25519", "EdDSA"},
		jwk(t, p256, "use", `"sig"`): {"ES256"}, jwk(t, p256, "key_ops", `["verify"]`): {"ES256"},
	} {
		var got []string
		for _, alg := range []string{"", "ES256", "ES384", "Ed25519", "EdDSA", "HS256", "PS256", "RS256", "none"} {
			if parse(t, key)[0].Fits(alg) {
				got = append(got, alg)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s fits %q, want %q", key, got, want)
		}
	}
	for _, key := range []jose.JWK{{}, {Public: p256}} { // which nobody read
		if key.Fits("ES256") {
			t.Errorf("%+v fits", key)
		}
	}
}

// X-JOSE-09: what else a JWK says does not change its thumbprint.
func TestTheThumbprintIsOfTheKeyAlone(t *testing.T) {
	for _, alg := range algorithms {
		public := keys()[alg].Public()
		want, err := jose.Thumbprint(public)
		if err != nil {
			t.Fatal(err)
		}
		var got = make(map[string]bool)
		for _, key := range parse(t, jwk(t, public), jwk(t, public, "kid", `"x"`, "use", `"sig"`, "x5t", `"y"`)) {
			thumbprint, err := jose.Thumbprint(key.Public)
			if err != nil {
				t.Fatal(err)
			}
			got[thumbprint] = true
		}
		if !maps.Equal(got, map[string]bool{want: true}) {
			t.Errorf("%s: %v, want %s", alg, got, want)
		}
	}
}
