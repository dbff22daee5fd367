package tokenendpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// forger makes access tokens as the endpoint would, altered in some way.
type forger struct {
	*introspectionDesk
	key            *ecdsa.PrivateKey
	header, claims jwtObject
}

func (d *introspectionDesk) forger() forger {
	now := d.clock.Now().Unix()
	return forger{d, trialKey(), jwtObject{"alg": "ES256", "kid": "k1", "typ": "at+jwt"}, jwtObject{
		"iss": trialIssuer, "sub": "alice", "aud": ordersAPI, "client_id": "web", "exp": now + 3600, "iat": now, "nbf": now, "jti": "canary-of-a-stranger", "scope": "orders.read",
	}}
}

// token is signed by the key that the issuer has, unless that is altered.
func (f forger) token(alter func(*forger)) string {
	f.header, f.claims = maps.Clone(f.header), maps.Clone(f.claims)
	if alter != nil {
		alter(&f)
	}
	return hintSigned(f.t, f.key, string(assertionJSON(f.header)), string(assertionJSON(f.claims)))
}

func (f forger) set(name string, value any) string {
	return f.token(func(f *forger) {
		f.claims[name] = value
		if value == nil {
			delete(f.claims, name)
		}
	})
}

// stranger checks that a token is inactive, and that nothing of it was believed or written
// down.
func (d *introspectionDesk) stranger(token string) {
	d.t.Helper()
	before := len(d.log.String())
	answer := d.inactive("orders", token, "unknown_handle")
	if answer.event.TokenID != "" || answer.event.GrantID != "" || strings.Contains(d.log.String()[before:], "canary-of-a-stranger") {
		d.t.Errorf("the event is %+v", answer.event)
	}
	if n := answer.calls["Find"] + answer.calls["FamilyLive"] + answer.calls["Client web"]; n != 0 {
		d.t.Errorf("the stores were asked for what a stranger made up: %v", answer.calls)
	}
	d.revoked("web", token, "unknown_handle")
}

// 7662-4-01, 7662-4-02: a JWT is taken for a token of this issuer by its signature, and for
// an access token by its typ.
func TestAForgedJWTIsInactive(t *testing.T) {
	d := newIntrospectionDesk(t)
	f := d.forger()
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	header := func(name string, value any) string {
		return f.token(func(f *forger) {
			f.header[name] = value
			if value == nil {
				delete(f.header, name)
			}
		})
	}
	spki, err := x509.MarshalPKIXPublicKey(trialKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	hs256 := func(secret []byte) string {
		signed := encode([]byte(`{"alg":"HS256","kid":"k1","typ":"at+jwt"}`)) + "." + strings.Split(f.token(nil), ".")[1]
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		return signed + "." + encode(mac.Sum(nil))
	}
	jwks, err := d.endpoint.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(jwks, &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%s: %v", jwks, err)
	}
	good := f.token(nil)
	parts := strings.Split(good, ".")
	altered := strings.Split(f.set("sub", "mallory"), ".")
	for name, token := range map[string]string{
		"signed by another key":                    f.token(func(f *forger) { f.key = other }),
		"by a key that it brings itself":           f.token(func(f *forger) { f.key = other; f.header["jwk"] = set.Keys[0] }),
		"of an unknown kid":                        header("kid", "k2"),
		"without a kid":                            header("kid", nil),
		"whose kid is a number":                    header("kid", 1),
		"with claims that were altered":            parts[0] + "." + altered[1] + "." + parts[2],
		"with a header that was altered":           altered[0] + "A." + parts[1] + "." + parts[2],
		"with the signature of another":            parts[0] + "." + parts[1] + "." + altered[2],
		"of the alg none":                          encode([]byte(`{"alg":"none","kid":"k1","typ":"at+jwt"}`)) + "." + parts[1] + ".",
		"of the alg none with a signature":         encode([]byte(`{"alg":"none","kid":"k1","typ":"at+jwt"}`)) + "." + parts[1] + "." + parts[2],
		"by HS256 with the public key in PEM":      hs256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})),
		"by HS256 with the public key in DER":      hs256(spki),
		"by HS256 with the published key":          hs256(set.Keys[0]),
		"by HS256 with nothing":                    hs256(nil),
		"of another algorithm than the key's":      header("alg", "ES384"),
		"with a crit that nobody understands":      header("crit", []string{"exp"}),
		"whose typ is that of an ID token":         header("typ", "JWT"),
		"whose typ is that of a logout token":      header("typ", "logout+jwt"),
		"whose typ is that of an introspection":    header("typ", "token-introspection+jwt"),
		"without a typ":                            header("typ", nil),
		"of another issuer":                        f.set("iss", "https://other.example"),
		"of another issuer with a slash":           f.set("iss", trialIssuer+"/"),
		"without an issuer":                        f.set("iss", nil),
		"without a client":                         f.set("client_id", nil),
		"whose client is a number":                 f.set("client_id", 7),
		"without a jti":                            f.set("jti", nil),
		"whose exp is a string":                    f.set("exp", "2099"),
		"whose audience is an object":              f.set("aud", jwtObject{}),
		"with a claim twice":                       hintSigned(t, trialKey(), string(assertionJSON(f.header)), strings.Replace(string(assertionJSON(f.claims)), "{", `{"iss":"https://shop.example",`, 1)),
		"whose claims are no object":               hintSigned(t, trialKey(), string(assertionJSON(f.header)), `["alice"]`),
		"that is not valid for more than a moment": f.set("nbf", keysStart.Add(31*time.Second).Unix()),
	} {
		d.run(name, func() { d.stranger(token) })
	}
	d.run("what is not altered is active", func() {
		d.active("orders", good)
		d.active("orders", header("typ", "application/AT+JWT")) // a media type, whose case does not matter
		d.active("orders", f.set("nbf", nil))
		d.active("orders", f.set("aud", []string{stockAPI, ordersAPI}))
	})
	d.run("the clocks of two nodes may be apart by half a minute", func() {
		d.clock.Set(keysStart.Truncate(time.Second))
		d.active("orders", f.set("nbf", d.clock.Now().Add(30*time.Second).Unix()))
		d.stranger(f.set("nbf", d.clock.Now().Add(31*time.Second).Unix()))
	})
	d.run("without a scope nobody asks for any", func() {
		answer := d.introspect("orders", f.set("scope", nil))
		if _, there := answer.members["scope"]; there || answer.members["active"] != true || answer.calls["Scopes"] != 0 {
			d.t.Errorf("answered %s after %v", answer.body, answer.calls)
		}
	})
	d.run("without an exp it has ended", func() { d.inactive("orders", f.set("exp", nil), "expired") })
}

// 7662-4-01: a key verifies as long as it is published.
func TestATokenOfAKeyThatIsNotPublishedIsInactive(t *testing.T) {
	d := newIntrospectionDesk(t)
	token := d.byCode("web").access()
	until := keysStart.Add(time.Minute)
	old := tokenendpoint.Key{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey(), SignUntil: keysStart, PublishUntil: until}
	next := tokenendpoint.Key{ID: "k2", Alg: tokenendpoint.ES256, Signer: keysAtHand()[tokenendpoint.ES256]}
	d.source.keys = []tokenendpoint.Key{old, next}
	d.active("orders", token)
	d.active("orders", d.byCode("web").access())
	d.clock.Set(until.Add(-time.Nanosecond))
	d.active("orders", token)
	d.clock.Set(until)
	d.inactive("orders", token, "unknown_handle")
	d.source.keys = []tokenendpoint.Key{next}
	d.inactive("orders", token, "unknown_handle")
	d.source.keys = []tokenendpoint.Key{{ID: "k1", Alg: next.Alg, Signer: next.Signer}}
	d.inactive("orders", token, "unknown_handle")

	d.run("while the keys cannot be had nobody knows", func() {
		d.source.err = errors.New("dial keys.internal: refused")
		d.unavailable(d.introspect("orders", token), "keys_unavailable")
		d.unavailable(d.revoke("web", token), "keys_unavailable")
		if _, err := d.endpoint.Introspect(d.t.Context(), token); !errors.Is(err, tokenendpoint.TemporarilyUnavailable) {
			d.t.Errorf("Introspect: %v", err)
		}
	})
}
