package proof

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"sync"
	"testing"
	"time"
)

var now = time.Unix(1_800_000_000, 0)

const tokenURL = "https://server.example.com/token"

// keys holds a key for each algorithm, made once: RSA takes its time.
var keys = sync.OnceValue(func() map[string]crypto.Signer {
	p256, err256 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err384 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsa2048, errRSA := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, errEd := ed25519.GenerateKey(rand.Reader)
	for _, err := range []error{err256, err384, errRSA, errEd} {
		if err != nil {
			panic(err)
		}
	}
	return map[string]crypto.Signer{"ES256": p256, "ES384": p384, "PS256": rsa2048, "RS256": rsa2048, "EdDSA": ed, "Ed25519": ed}
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwkOf writes a public key by hand.
func jwkOf(public crypto.PublicKey) map[string]any {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			panic(err)
		}
		size := len(point) / 2
		return map[string]any{"kty": "EC", "crv": key.Curve.Params().Name, "x": b64(point[1 : 1+size]), "y": b64(point[1+size:])}
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(key)}
	}
	panic(fmt.Sprintf("%T", public))
}

// changes of a header or of claims. absent takes a member away.
type change map[string]any

const absent = "\x00absent"

func (c change) of(members map[string]any) []byte {
	members = maps.Clone(members)
	for name, value := range c {
		if members[name] = value; value == absent {
			delete(members, name)
		}
	}
	raw, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return raw
}

func headerOf(alg string, c change) []byte {
	return c.of(map[string]any{"typ": "dpop+jwt", "alg": alg, "jwk": jwkOf(keys()[alg].Public())})
}

func claimsOf(c change) []byte {
	return c.of(map[string]any{"jti": "-BwC3ESc6acc2lTc", "htm": "POST", "htu": tokenURL, "iat": now.Unix()})
}

// sign makes a token by the standard library alone.
func sign(t testing.TB, alg string, header, claims []byte) string {
	t.Helper()
	signed := b64(header) + "." + b64(claims)
	digest, opts := []byte(signed), crypto.SignerOpts(crypto.Hash(0))
	switch sum, sum384 := sha256.Sum256([]byte(signed)), sha512.Sum384([]byte(signed)); alg {
	case "EdDSA", "Ed25519":
	case "ES384":
		digest, opts = sum384[:], crypto.SHA384
	case "PS256":
		digest, opts = sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	default:
		digest, opts = sum[:], crypto.SHA256
	}
	signature, err := keys()[alg].Sign(rand.Reader, digest, opts)
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := keys()[alg].(*ecdsa.PrivateKey); ok { // r and s instead of ASN.1 (RFC 7518 section 3.4)
		var rs struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(signature, &rs); err != nil {
			t.Fatal(err)
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		signature = append(rs.R.FillBytes(make([]byte, size)), rs.S.FillBytes(make([]byte, size))...)
	}
	return signed + "." + b64(signature)
}

// proofOf makes an ES256 proof that is right but for the changes.
func proofOf(t testing.TB, header, claims change) string {
	t.Helper()
	return sign(t, "ES256", headerOf("ES256", header), claimsOf(claims))
}
