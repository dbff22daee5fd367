package tokenendpoint_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// asserter is a client that makes assertions with the standard library alone.
type asserter struct {
	id, alg, kid string
	signer       crypto.Signer
	secret       string // of HS256, HS384 and HS512, instead of a signer
}

// assertionES256 is the client "reports" as newAssertionShop registers it.
func assertionES256() asserter { return assertionBy("reports", tokenendpoint.ES256) }

func assertionBy(id string, alg tokenendpoint.Alg) asserter {
	key := transcriptKeys[alg]()
	return asserter{id: id, alg: string(alg), kid: key.ID, signer: key.Signer}
}

// assertionStranger is a key that no client registered.
var assertionStranger = sync.OnceValue(func() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

type jwtObject map[string]any

// assertionChange alters an assertion before it is signed.
type assertionChange func(header, claims jwtObject)

var assertionCount atomic.Int64

// parts are those of an assertion that nothing is wrong with, a minute long.
func (a asserter) parts() (header, claims jwtObject) {
	header = jwtObject{"alg": a.alg}
	if a.kid != "" {
		header["kid"] = a.kid
	}
	return header, jwtObject{
		"iss": a.id, "sub": a.id, "aud": assertionIssuer, "jti": fmt.Sprintf("id-%d", assertionCount.Add(1)),
		"exp": keysStart.Add(time.Minute).Unix(), "iat": keysStart.Unix(),
	}
}

// token makes an assertion, altered in some way.
func (a asserter) token(changes ...assertionChange) string {
	header, claims := a.parts()
	for _, change := range changes {
		if change != nil {
			change(header, claims)
		}
	}
	return a.sign(assertionJSON(header), assertionJSON(claims))
}

// sign makes a token of any header and claims.
func (a asserter) sign(header, claims string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return signed + "." + base64.RawURLEncoding.EncodeToString(a.signature(signed))
}

func (a asserter) signature(signed string) []byte {
	hash := map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512, "ES384": crypto.SHA384}[a.alg]
	if hash == 0 {
		hash = crypto.SHA256
	}
	if a.signer == nil {
		mac := hmac.New(hash.New, []byte(a.secret))
		mac.Write([]byte(signed))
		return mac.Sum(nil)
	}
	h := hash.New()
	h.Write([]byte(signed))
	digest, opts := h.Sum(nil), crypto.SignerOpts(hash)
	switch {
	case a.alg == "PS256":
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	case a.alg == "EdDSA" || a.alg == "Ed25519":
		digest, opts = []byte(signed), crypto.Hash(0)
	}
	signature, err := a.signer.Sign(rand.Reader, digest, opts)
	if err != nil {
		panic(err)
	}
	key, isEC := a.signer.Public().(*ecdsa.PublicKey)
	if !isEC {
		return signature
	}
	var point struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &point); err != nil {
		panic(err)
	}
	size := (key.Params().BitSize + 7) / 8
	fixed := make([]byte, 2*size)
	point.R.FillBytes(fixed[:size])
	point.S.FillBytes(fixed[size:])
	return fixed
}

// jwk is the public key with its kid, and members that are changed or, by nil, left out.
func (a asserter) jwk(changes ...jwtObject) jwtObject {
	b64 := base64.RawURLEncoding.EncodeToString
	key := jwtObject{"kid": a.kid}
	switch public := a.signer.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		size := len(point) / 2
		maps.Copy(key, jwtObject{"kty": "EC", "crv": public.Params().Name, "x": b64(point[1 : 1+size]), "y": b64(point[1+size:])})
	case *rsa.PublicKey:
		maps.Copy(key, jwtObject{"kty": "RSA", "n": b64(public.N.Bytes()), "e": b64(big.NewInt(int64(public.E)).Bytes())})
	case ed25519.PublicKey:
		maps.Copy(key, jwtObject{"kty": "OKP", "crv": "Ed25519", "x": b64(public)})
	}
	for _, change := range changes {
		maps.Copy(key, change)
	}
	maps.DeleteFunc(key, func(_ string, value any) bool { return value == nil })
	return key
}

// jwks is a JWK Set of the one key.
func (a asserter) jwks(changes ...jwtObject) string { return assertionSet(a.jwk(changes...)) }

func assertionSet(keys ...jwtObject) string { return assertionJSON(jwtObject{"keys": keys}) }

func assertionJSON(v any) string {
	b := new(strings.Builder)
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// withClaim and withHeader set a member; nil takes it away, jwtNull writes it as null.
func withClaim(name string, value any) assertionChange {
	return func(_, claims jwtObject) { setMember(claims, name, value) }
}

func withHeader(name string, value any) assertionChange {
	return func(header, _ jwtObject) { setMember(header, name, value) }
}

var jwtNull = json.RawMessage("null")

func setMember(members jwtObject, name string, value any) {
	if value == nil {
		delete(members, name)
		return
	}
	members[name] = value
}

// secondsAfter is a time relative to the clock's start, in seconds and fractions.
func secondsAfter(d time.Duration) json.Number {
	return json.Number(fmt.Sprintf("%.3f", float64(keysStart.Add(d).UnixMilli())/1000))
}
