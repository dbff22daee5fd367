package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"math/big"
	"slices"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

// required returns the members of a public key that RFC 7518 section 6 and RFC
// 8037 section 2 require, computed here.
func required(t *testing.T, public crypto.PublicKey) map[string]string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, x, y
		if err != nil {
			t.Fatal(err)
		}
		half := len(point) / 2
		return map[string]string{"kty": "EC", "crv": key.Curve.Params().Name,
			"x": encode(point[1 : 1+half]), "y": encode(point[1+half:])}
	case *rsa.PublicKey:
		return map[string]string{"kty": "RSA", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes())}
	case ed25519.PublicKey:
		return map[string]string{"kty": "OKP", "crv": "Ed25519", "x": encode(key)}
	}
	t.Fatalf("no such key: %T", public)
	return nil
}

// JWKS-1-01, JWKS-1-03: no private or symmetric member (d, p, q, dp, dq, qi,
// oth, k) can stand in a published key, because exactly the public ones do, with
// use, alg and kid.
func TestAPublishedKeyHasOnlyPublicMembers(t *testing.T) {
	for _, alg := range algorithms {
		for name, key := range map[string]crypto.Signer{"in memory": keys()[alg], "that is remote": &remote{key: keys()[alg]}} {
			t.Run("The members of a key for "+alg+" "+name+" are those required", func(t *testing.T) {
				jwk, err := jose.PublicJWK(alg, `the "first" <key>`, key.Public())
				if err != nil {
					t.Fatal(err)
				}
				want := required(t, key.Public())
				want["use"], want["alg"], want["kid"] = "sig", alg, `the "first" <key>`
				if got := members(t, jwk); !maps.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		}
	}
}

// One key in 128 has a coordinate that begins with a zero octet, which must not
// be left out (RFC 7518 section 6.2.1.2). This takes the first such key.
func TestACoordinateIsAsLongAsTheCurve(t *testing.T) {
	for x := uint64(1); ; x++ {
		scalar := make([]byte, 32)
		binary.BigEndian.PutUint64(scalar[24:], x)
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if point[1] != 0 {
			continue
		}
		jwk, err := jose.PublicJWK("ES256", "1", key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := members(t, jwk)["x"], base64.RawURLEncoding.EncodeToString(point[1:33]); got != want {
			t.Errorf("x: got %q, want %q", got, want)
		}
		return
	}
}

// X-JOSE-09: SHA-256 over the required members in the order of their names, in
// base64url without padding (RFC 7638 section 3).
func TestAThumbprintIsThatOfRFC7638(t *testing.T) {
	for _, alg := range algorithms {
		public := keys()[alg].Public()
		var input string
		all := required(t, public)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			input += `,"` + name + `":"` + all[name] + `"`
		}
		sum := sha256.Sum256([]byte("{" + input[1:] + "}"))
		want := base64.RawURLEncoding.EncodeToString(sum[:])
		if got, err := jose.Thumbprint(public); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", alg, got, err, want)
		}
	}
}

// X-JOSE-09: the examples of RFC 7638 section 3.1 and RFC 8037 appendix A.3.
func TestTheThumbprintsOfTheExamples(t *testing.T) {
	decode := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	modulus := decode("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3" +
		"oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ" +
		"vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw")
	seed := decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
	for _, c := range []struct {
		name   string
		public crypto.PublicKey
		want   string
	}{
		{"RFC 7638", &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: 65537}, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		{"RFC 8037", ed25519.NewKeyFromSeed(seed).Public(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
	} {
		if got, err := jose.Thumbprint(c.public); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}
