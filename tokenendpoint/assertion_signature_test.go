package tokenendpoint_test

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// pin registers the one algorithm of a client.
func pin(alg string) func(*store.Client) {
	return func(c *store.Client) { c.TokenEndpointAuthSigningAlg = alg }
}

func TestAlgorithmsOfAssertions(t *testing.T) {
	all := []tokenendpoint.Alg{tokenendpoint.ES256, tokenendpoint.ES384, tokenendpoint.EdDSA, tokenendpoint.PS256, tokenendpoint.RS256}
	s := newAssertionShop(t)
	for _, alg := range all {
		a := assertionBy("by-"+string(alg), alg)
		s.register(a.id, a.jwks())
		pinned := assertionBy("pinned-"+string(alg), alg)
		s.register(pinned.id, pinned.jwks(), pin(string(alg)))
		s.try(a, []assertionCase{{string(alg) + " is accepted", nil, ""}})
		s.try(pinned, []assertionCase{{string(alg) + " is accepted of a client that registered it", nil, ""}})
		for _, other := range all {
			if other != alg {
				a := assertionBy("pinned-"+string(alg), other)
				both := assertionSet(assertionBy(a.id, alg).jwk(), a.jwk())
				s.register(a.id, both, pin(string(alg)))
				s.try(a, []assertionCase{{string(other) + " is refused of a client that registered " + string(alg) + ", although it has a key for it", nil, unsignedJWT}})
			}
		}
	}
	t.Run("Ed25519 and EdDSA are one algorithm, whichever is registered", func(t *testing.T) {
		s.t = t
		for _, registered := range []string{"", "EdDSA", "Ed25519"} {
			for _, alg := range []string{"EdDSA", "Ed25519"} {
				a := assertionBy("edwards", tokenendpoint.EdDSA)
				a.alg = alg
				s.register(a.id, a.jwks(), pin(registered))
				s.want(s.assert(a.token()), tokenendpoint.ReasonIssued)
			}
		}
	})
	t.Run("a client that registered Ed25519 is refused by another", func(t *testing.T) {
		s.t = t
		s.register("reports", assertionES256().jwks(), pin("Ed25519"))
		s.want(s.assert(assertionES256().token()), unsignedJWT)
	})
}

// 7523-3-07, X-JOSE-01, X-JOSE-02: what is not signed by a key of the client with an
// algorithm that fits it.
func TestSignaturesOfAssertions(t *testing.T) {
	good, rsaKey := assertionES256(), assertionBy("reports", tokenendpoint.RS256)
	header, claims := good.parts()
	h, c := assertionJSON(header), assertionJSON(claims)
	signed := good.sign(h, c)
	parts := strings.Split(signed, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	n := elliptic.P256().Params().N
	reply := func(signature []byte) string { return parts[0] + "." + parts[1] + "." + b64(signature) }
	flipped := append([]byte(nil), decoded...)
	flipped[40] ^= 1
	stranger := good
	stranger.signer = assertionStranger()
	none := func(alg any) string {
		header := jwtObject{"kid": good.kid}
		setMember(header, "alg", alg)
		return b64([]byte(assertionJSON(header))) + "." + parts[1] + "."
	}
	other := assertionJSON(mergedClaims(claims, jwtObject{"scope": "write"}))
	for name, token := range map[string]string{
		"of a key that nobody registered is refused":              stranger.sign(h, c),
		"over other claims is refused":                            parts[0] + "." + b64([]byte(other)) + "." + parts[2],
		"over another header is refused":                          b64([]byte(`{"alg":"ES256"}`)) + "." + parts[1] + "." + parts[2],
		"with one bit changed is refused":                         reply(flipped),
		"of nothing is refused":                                   reply(nil),
		"of 64 zeros is refused":                                  reply(make([]byte, 64)),
		"of r and s beyond the order is refused":                  reply(append(n.FillBytes(make([]byte, 32)), new(big.Int).Add(n, big.NewInt(1)).FillBytes(make([]byte, 32))...)),
		"that is cut is refused":                                  reply(decoded[:63]),
		"with an octet behind it is refused":                      reply(append(append([]byte(nil), decoded...), 0)),
		"by none, without one, is refused":                        none("none"),
		"by None, without one, is refused":                        none("None"),
		"by nOnE, without one, is refused":                        none("nOnE"),
		"by none, with one, is refused":                           none("none") + parts[2],
		"by an algorithm of no name is refused":                   none(""),
		"without an algorithm is refused":                         none(nil),
		"by es256 in small letters is refused":                    good.sign(`{"alg":"es256","kid":"key-1"}`, c),
		"by ES512 is refused":                                     good.sign(`{"alg":"ES512","kid":"key-1"}`, c),
		"by ES256K is refused":                                    good.sign(`{"alg":"ES256K","kid":"key-1"}`, c),
		"by RS512 is refused":                                     good.sign(`{"alg":"RS512","kid":"key-1"}`, c),
		"by an RSA key that says ES256 is refused":                rsaKey.sign(h, c),
		"that says RS256, under the kid of an EC key, is refused": rsaKey.sign(`{"alg":"RS256","kid":"key-1"}`, c),
		"that says PS256 and is of ECDSA is refused":              good.sign(`{"alg":"PS256","kid":"key-1"}`, c),
		"that says EdDSA and is of ECDSA is refused":              good.sign(`{"alg":"EdDSA","kid":"key-1"}`, c),
		"that says ES384 and is of a P-256 key, is refused":       good.sign(`{"alg":"ES384","kid":"key-1"}`, c),
	} {
		t.Run("a signature "+name, func(t *testing.T) {
			s := newAssertionShop(t)
			s.want(s.assert(token), unsignedJWT)
			if s.replays.used() != 0 {
				t.Error("its jti was used up")
			}
			s.want(s.assert(signed), tokenendpoint.ReasonIssued) // the right one is as good as ever
		})
	}
}

func mergedClaims(all ...jwtObject) jwtObject {
	sum := make(jwtObject)
	for _, object := range all {
		for name, value := range object {
			sum[name] = value
		}
	}
	return sum
}

// X-JOSE-02: public keys are known, so they are no secrets.
func TestPublicKeysAreNoSecrets(t *testing.T) {
	for _, alg := range []tokenendpoint.Alg{tokenendpoint.ES256, tokenendpoint.RS256, tokenendpoint.EdDSA} {
		key := assertionBy("reports", alg)
		der, err := x509.MarshalPKIXPublicKey(key.signer.Public())
		if err != nil {
			t.Fatal(err)
		}
		for form, secret := range map[string]string{
			"PEM": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "DER": string(der),
			"a JWK": assertionJSON(key.jwk()), "a JWK Set": key.jwks(), "nothing": "",
		} {
			for _, hmacAlg := range []string{"HS256", "HS384", "HS512"} {
				t.Run(hmacAlg+" with the "+string(alg)+" key as "+form+" is refused", func(t *testing.T) {
					s := newAssertionShop(t, func(c *tokenendpoint.Config) { c.ClientSecrets = assertionSecrets(strings.Repeat("s", 64)) })
					s.register("reports", key.jwks())
					forger := asserter{id: "reports", alg: hmacAlg, kid: key.kid, secret: secret}
					s.want(s.assert(forger.token()), tokenendpoint.ReasonAuthMethodNotAllowed)
					s.register("reports", key.jwks(), assertMethods(store.PrivateKeyJWT, store.ClientSecretJWT))
					s.want(s.assert(forger.token()), unsignedJWT)
				})
			}
		}
	}
}

// X-JOSE-04: who signs says not by which key.
func TestKeysInAssertionsAreIgnored(t *testing.T) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { requests.Add(1) }))
	defer server.Close()
	forger := assertionES256()
	forger.signer = assertionStranger()
	s := newAssertionShop(t, func(c *tokenendpoint.Config) {
		c.InsecureNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	s.try(forger, []assertionCase{
		{"a jwk is ignored", withHeader("jwk", forger.jwk()), unsignedJWT},
		{"a jwk is ignored without a kid too", func(header, _ jwtObject) { header["jwk"] = forger.jwk(); delete(header, "kid") }, unsignedJWT},
		{"a jku is ignored", withHeader("jku", server.URL), unsignedJWT},
		{"an x5u is ignored", withHeader("x5u", server.URL), unsignedJWT},
		{"an x5c is ignored", withHeader("x5c", []string{"MIIB"}), unsignedJWT},
	})
	s.try(assertionES256(), []assertionCase{{"and does not spoil what is right", withHeader("jwk", forger.jwk()), ""}})
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests to where the assertion said", n)
	}
}

// X-JOSE-08
func TestShortKeysAreNone(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	s := newAssertionShop(t)
	short := asserter{id: "short", alg: "RS256", kid: "1", signer: key}
	s.register("short", short.jwks())
	s.try(short, []assertionCase{{"an RSA key of 1024 bits is refused", nil, unsignedJWT}})
	curve := assertionBy("curve", tokenendpoint.ES256)
	s.register("curve", curve.jwks(jwtObject{"y": curve.jwk()["x"]}))
	s.try(curve, []assertionCase{{"a point that is not on its curve is refused", nil, unsignedJWT}})
}
