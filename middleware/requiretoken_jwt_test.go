package middleware_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/middleware"
)

// Proves 9068-4-02.
func TestTheClaimsOfJWTs(t *testing.T) {
	const good, lacks = "204 granted", "401 invalid_token token_claims"
	at := func(d time.Duration) json.Number {
		b, _ := json.Marshal(float64(gateTime.Add(d).UnixMilli()) / 1000)
		return json.Number(b)
	}
	for _, c := range []struct {
		name   string
		claims object
		want   string
	}{
		{"a good token is taken", nil, good},
		{"the API may be one of several audiences", object{"aud": []string{"https://other.example", gateResource}}, good},
		{"a token without nbf, iat, jti and scope is taken", object{"nbf": nil, "iat": nil, "jti": nil, "scope": nil}, good},
		{"claims that are not known are ignored", object{"https://claims.example/x": object{"a": 1}}, good},
		{"another issuer is refused", object{"iss": gateIssuer + "/"}, "401 invalid_token token_issuer"},
		{"no issuer is refused", object{"iss": nil}, "401 invalid_token token_issuer"},
		{"another audience is refused", object{"aud": "https://api.example"}, "401 invalid_token token_audience"},
		{"an audience that begins like the API is refused", object{"aud": gateResource + "/"}, "401 invalid_token token_audience"},
		{"no audience is refused", object{"aud": nil}, "401 invalid_token token_audience"},
		{"an empty list of audiences is refused", object{"aud": []string{}}, "401 invalid_token token_audience"},
		{"an audience that is a number is refused", object{"aud": 7}, lacks},
		{"no sub is refused", object{"sub": nil}, lacks},
		{"no client_id is refused", object{"client_id": nil}, lacks},
		{"no exp is refused", object{"exp": nil}, lacks},
		{"an exp in a string is refused", object{"exp": "1900000300"}, lacks},
		{"a scope that is a list is refused", object{"scope": []string{"orders.read"}}, lacks},
		{"a token at its end is taken within the leeway", object{"exp": at(-29 * time.Second)}, good},
		{"a token beyond its end is refused", object{"exp": at(-30 * time.Second)}, "401 invalid_token token_expired"},
		{"nbf in the future is taken within the leeway", object{"nbf": at(30 * time.Second)}, good},
		{"nbf further in the future is refused", object{"nbf": at(31 * time.Second)}, "401 invalid_token token_too_early"},
		{"iat in the future is taken within the leeway", object{"iat": at(30 * time.Second)}, good},
		{"iat further in the future is refused", object{"iat": at(31 * time.Second)}, "401 invalid_token token_too_early"},
		{"a cnf that is no object is refused", object{"cnf": "x"}, lacks},
		{"a cnf that is null is refused", object{"cnf": json.RawMessage("null")}, lacks},
		{"a cnf whose jkt is empty is refused", object{"cnf": object{"jkt": ""}}, lacks},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t)
			g.expect(g.bearer(g.token(c.claims)), c.want)
		})
	}
}

func TestTheLeewayIsAsConfigured(t *testing.T) {
	g := newGate(t, func(g *gate) { g.guard.Leeway = time.Second })
	g.expect(g.bearer(g.token(object{"exp": gateTime.Unix()})), "204 granted")
	g.expect(g.bearer(g.token(object{"exp": gateTime.Unix() - 1})), "401 invalid_token token_expired")
}

// Proves 9068-4-02.
func TestTheSignatureOfJWTs(t *testing.T) {
	const kind, signature = "401 invalid_token token_kind", "401 invalid_token token_signature"
	header := object{"alg": "ES256", "kid": "k1", "typ": "at+jwt"}
	signed := func(changes object) func(g *gate) string {
		return func(g *gate) string { return g.issuer.sign(header.with(changes), g.claims(nil)) }
	}
	for _, c := range []struct {
		name  string
		token func(g *gate) string
		want  string
	}{
		{"a good one is taken", signed(nil), "204 granted"},
		{"the whole media type is taken", signed(object{"typ": "application/at+jwt"}), "204 granted"},
		{"the case of the type does not matter", signed(object{"typ": "AT+JWT"}), "204 granted"},
		{"a token that names no key is taken", signed(object{"kid": nil}), "204 granted"},
		{"a token without a type is refused", signed(object{"typ": nil}), kind},
		{"an ID token or assertion is refused", signed(object{"typ": "JWT"}), kind},
		{"a DPoP proof is refused", signed(object{"typ": "dpop+jwt"}), kind},
		{"a logout token is refused", signed(object{"typ": "logout+jwt"}), kind},
		{"extensions that must be understood are refused", signed(object{"crit": []string{"exp"}}), kind},
		{"two dots and no JSON are refused", func(*gate) string { return "a.b.c" }, kind},
		{"a key that the issuer does not have is refused", func(g *gate) string {
			return newKeyholder(t).sign(header, g.claims(nil))
		}, signature},
		{"a key in the header is refused", func(g *gate) string {
			other := newKeyholder(t)
			return other.sign(header.with(object{"kid": nil, "jwk": other.jwk(nil)}), g.claims(nil))
		}, signature},
		{"another kid is refused", signed(object{"kid": "k2"}), signature},
		{"another algorithm than that of the key is refused", signed(object{"alg": "ES384"}), signature},
		{"no algorithm is refused", signed(object{"alg": nil}), signature},
		{"none is refused", signed(object{"alg": "none"}), signature},
		{"none without a signature is refused", func(g *gate) string {
			return encodeJSON(header.with(object{"alg": "none"})) + "." + encodeJSON(g.claims(nil)) + "."
		}, signature},
		{"HS256 with the public key for a secret is refused", func(g *gate) string {
			public, _ := g.issuer.key.PublicKey.Bytes()
			input := encodeJSON(header.with(object{"alg": "HS256"})) + "." + encodeJSON(g.claims(nil))
			mac := hmac.New(sha256.New, public)
			mac.Write([]byte(input))
			return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		}, signature},
		{"claims that were altered are refused", func(g *gate) string {
			parts := strings.Split(g.token(nil), ".")
			parts[1] = encodeJSON(g.claims(object{"sub": "mallory"}))
			return strings.Join(parts, ".")
		}, signature},
		{"a signature of zeros is refused", func(g *gate) string {
			token := g.token(nil)
			return token[:strings.LastIndex(token, ".")+1] + base64.RawURLEncoding.EncodeToString(make([]byte, 64))
		}, signature},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t)
			g.expect(g.bearer(c.token(g)), c.want)
		})
	}
}

func TestEachAlgorithmOfTheIssuerIsTaken(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{"RS256", "PS256", "EdDSA"} {
		t.Run(alg+" is taken", func(t *testing.T) {
			var signer *jose.Signer
			var jwk json.RawMessage
			var errKey error
			if alg == "EdDSA" {
				signer, err = jose.NewSigner(alg, "k2", "at+jwt", edKey)
				jwk, errKey = jose.PublicJWK(alg, "k2", edKey.Public())
			} else {
				signer, err = jose.NewSigner(alg, "k2", "at+jwt", rsaKey)
				jwk, errKey = jose.PublicJWK(alg, "k2", rsaKey.Public())
			}
			if err != nil || errKey != nil {
				t.Fatal(err, errKey)
			}
			g := newGate(t)
			var key object
			if err := json.Unmarshal(jwk, &key); err != nil {
				t.Fatal(err)
			}
			g.keySet = append(g.keySet, key)
			claims, _ := json.Marshal(g.claims(nil))
			token, err := signer.Sign(claims)
			if err != nil {
				t.Fatal(err)
			}
			g.expect(g.bearer(token), "204 granted")
		})
	}
}

func TestTheHandlerFindsTheToken(t *testing.T) {
	g := newGate(t)
	g.bearer(g.token(object{"tenant": "acme"}))
	token, ok := middleware.TokenFrom(g.seen.Context())
	if !ok {
		t.Fatal("there is none")
	}
	if token.Issuer != gateIssuer || token.Subject != "alice" || token.ClientID != "app" || token.ID != "t1" || token.GrantID != "f1" ||
		!slices.Equal(token.Audience, []string{gateResource}) || !slices.Equal(token.Scopes, []string{"orders.read", "orders.write"}) ||
		!token.ExpiresAt.Equal(gateTime.Add(5*time.Minute)) || !token.IssuedAt.Equal(gateTime) || token.Bound {
		t.Errorf("got %+v", token)
	}
	var claims struct{ Tenant string }
	if err := json.Unmarshal(token.Claims, &claims); err != nil || claims.Tenant != "acme" {
		t.Errorf("the claims are %s: %v", token.Claims, err)
	}
	if !token.Has("orders.read") || token.Has("orders") || token.Has("Orders.read") || token.Has("") {
		t.Error("Has compares otherwise than byte by byte")
	}
	if _, ok := middleware.TokenFrom(t.Context()); ok {
		t.Error("there is a token in a context that has none")
	}
}
