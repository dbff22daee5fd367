package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

var algorithms = []string{"ES256", "ES384", "PS256", "RS256", "EdDSA"}

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
	return map[string]crypto.Signer{"ES256": p256, "ES384": p384, "PS256": rsa2048, "RS256": rsa2048, "EdDSA": ed}
})

// remote is a key that only its interface is known of, as one in a KMS is.
type remote struct {
	key     crypto.Signer
	publics atomic.Int64
	sign    func(digest []byte) ([]byte, error) // instead of the key, if set
}

func (r *remote) Public() crypto.PublicKey {
	r.publics.Add(1)
	return r.key.Public()
}

func (r *remote) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if r.sign != nil {
		return r.sign(digest)
	}
	return r.key.Sign(random, digest, opts)
}

// bare is a signer of which nothing but the public key is used.
type bare struct {
	crypto.Signer
	public crypto.PublicKey
}

func (b bare) Public() crypto.PublicKey { return b.public }

// parts takes a token in compact serialisation apart, by hand.
func parts(t *testing.T, token string) (signed string, header map[string]any, claims, signature []byte) {
	t.Helper()
	three := strings.Split(token, ".")
	if len(three) != 3 {
		t.Fatalf("the token has %d parts, want 3: %q", len(three), token)
	}
	var decoded [3][]byte
	for i, part := range three {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			t.Fatalf("part %d is not unpadded base64url: %v", i, err)
		}
	}
	if err := json.Unmarshal(decoded[0], &header); err != nil {
		t.Fatalf("the header is not JSON: %v", err)
	}
	return three[0] + "." + three[1], header, decoded[1], decoded[2]
}

// valid verifies a signature with the standard library alone.
func valid(t *testing.T, alg string, public crypto.PublicKey, signed string, signature []byte) bool {
	t.Helper()
	sum := sha256.Sum256([]byte(signed))
	switch alg {
	case "ES256":
		return validEC(t, public, sum[:], signature, 32)
	case "ES384":
		sum := sha512.Sum384([]byte(signed))
		return validEC(t, public, sum[:], signature, 48)
	case "PS256": // RFC 7518 section 3.5: the salt is as long as the hash
		opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return rsa.VerifyPSS(public.(*rsa.PublicKey), crypto.SHA256, sum[:], signature, opts) == nil
	case "RS256":
		return rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, sum[:], signature) == nil
	case "EdDSA":
		return ed25519.Verify(public.(ed25519.PublicKey), []byte(signed), signature)
	}
	t.Fatalf("no such algorithm: %s", alg)
	return false
}

// validEC reads r and s, each as long as the curve's order (RFC 7518 section 3.4).
func validEC(t *testing.T, public crypto.PublicKey, sum, signature []byte, size int) bool {
	t.Helper()
	if len(signature) != 2*size {
		t.Errorf("the signature has %d octets, want r and s of %d each", len(signature), size)
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
	return ecdsa.Verify(public.(*ecdsa.PublicKey), sum, r, s)
}

func members(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	var m map[string]string
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if err := decoder.Decode(&m); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return m
}

// signedBy is a token of each algorithm, made by hand from a header.
func signedBy(t testing.TB, alg, header, claims string) string {
	t.Helper()
	signer, err := jose.NewSigner(alg, "k1", "JWT", keys()[alg])
	if err != nil {
		t.Fatal(err)
	}
	if header == "" {
		token, err := signer.Sign([]byte(claims))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	var digest []byte
	opts := crypto.SignerOpts(crypto.SHA256)
	switch sum, sum384 := sha256.Sum256([]byte(signed)), sha512.Sum384([]byte(signed)); alg {
	case "EdDSA":
		digest, opts = []byte(signed), crypto.Hash(0)
	case "ES384":
		digest, opts = sum384[:], crypto.SHA384
	case "PS256":
		digest, opts = sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	default:
		digest = sum[:]
	}
	var signature []byte
	if key, ok := keys()[alg].(*ecdsa.PrivateKey); ok {
		r, s, errSign := ecdsa.Sign(rand.Reader, key, digest)
		size := (key.Curve.Params().BitSize + 7) / 8
		err, signature = errSign, append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	} else {
		signature, err = keys()[alg].Sign(rand.Reader, digest, opts)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

const someClaims = `{"sub":"alice"}`

func TestVerifyAcceptsWhatWasSigned(t *testing.T) {
	for _, alg := range algorithms {
		for name, header := range map[string]string{"by Sign": "", "with other members in the header": `{"typ":"JWT","x":[1],"kid":"k1","alg":"` + alg + `"}`} {
			t.Run(alg+" "+name, func(t *testing.T) {
				claims, err := jose.Verify(alg, keys()[alg].Public(), signedBy(t, alg, header, someClaims))
				if err != nil || string(claims) != someClaims {
					t.Errorf("%s, %v", claims, err)
				}
			})
		}
	}
}

// RFC 8725 section 3.1, RFC 7515 section 4.1.11: the caller chooses the algorithm, and
// what must be understood is not.
func TestVerifyRefuses(t *testing.T) {
	refused := func(t *testing.T, alg string, public crypto.PublicKey, token string) {
		t.Helper()
		claims, err := jose.Verify(alg, public, token)
		if err == nil || claims != nil {
			t.Errorf("%s accepts %q: %s", alg, token, claims)
		} else if len(token) > 30 && strings.Contains(err.Error(), token) {
			t.Errorf("the token is in the error %v", err)
		}
	}
	for _, alg := range algorithms {
		public := keys()[alg].Public()
		t.Run(alg+" of a key that does not fit it", func(t *testing.T) {
			token := signedBy(t, alg, "", someClaims)
			for _, other := range algorithms {
				if _, same := keys()[other].Public().(*rsa.PublicKey); other != alg && !(same && strings.HasSuffix(alg, "S256") && alg != "ES256") {
					refused(t, alg, keys()[other].Public(), token)
				}
				if other != alg {
					refused(t, other, keys()[other].Public(), token)
					refused(t, other, public, token)
				}
			}
		})
		t.Run(alg+" of a header that says another", func(t *testing.T) {
			for _, header := range []string{`{"alg":"none"}`, `{"alg":"HS256"}`, `{"alg":""}`, `{}`, `{"alg":"` + strings.ToLower(alg) + `"}`, `{"alg":null}`, `null`, `[]`, `{"alg":["` + alg + `"]}`} {
				refused(t, alg, public, signedBy(t, alg, header, someClaims))
			}
		})
		t.Run(alg+" with an extension that must be understood", func(t *testing.T) {
			for _, crit := range []string{`["b64"]`, `["exp"]`, `[]`, `"b64"`, `{}`, `false`} {
				refused(t, alg, public, signedBy(t, alg, `{"alg":"`+alg+`","b64":true,"exp":1,"crit":`+crit+`}`, someClaims))
			}
		})
		t.Run(alg+" of something altered, cut or added to", func(t *testing.T) {
			token := signedBy(t, alg, "", someClaims)
			parts := strings.Split(token, ".")
			for _, other := range []string{
				"", ".", "..", parts[0], parts[0] + "." + parts[1], parts[0] + "." + parts[1] + ".", parts[0] + ".." + parts[2], "." + parts[1] + "." + parts[2],
				token + ".", token + ".e30", token + "=", token + "A", token + "\n", "\n" + token, " " + token, parts[0] + "\n." + parts[1] + "." + parts[2], parts[0] + "." + parts[1] + "\r." + parts[2],
				parts[0] + "." + parts[1] + "." + parts[2][:len(parts[2])-1], parts[0] + "." + parts[1] + "=." + parts[2], parts[0] + "." + parts[1] + ".." + parts[2],
				`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
			} {
				refused(t, alg, public, other)
			}
			for _, last := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" { // also in bits that mean nothing
				if other := token[:len(token)-1] + string(last); other != token {
					refused(t, alg, public, other)
				}
			}
			for i := range token {
				altered := []byte(token)
				if altered[i] = 'A'; token[i] == 'A' {
					altered[i] = 'Q'
				}
				refused(t, alg, public, string(altered))
			}
		})
	}
	t.Run("RS256 of a key that is too short", func(t *testing.T) {
		short, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		token := signedBy(t, "RS256", "", someClaims)
		signed := token[:strings.LastIndex(token, ".")]
		sum := sha256.Sum256([]byte(signed))
		signature, err := short.Sign(rand.Reader, sum[:], crypto.SHA256)
		if err != nil || rsa.VerifyPKCS1v15(&short.PublicKey, crypto.SHA256, sum[:], signature) != nil {
			t.Fatalf("it is not signed: %v", err)
		}
		refused(t, "RS256", &short.PublicKey, signed+"."+base64.RawURLEncoding.EncodeToString(signature))
	})
	t.Run("an algorithm that is none", func(t *testing.T) {
		token := signedBy(t, "ES256", `{"alg":"none"}`, someClaims)
		for _, alg := range []string{"none", "", "HS256", "es256", "ES512"} {
			refused(t, alg, keys()["ES256"].Public(), token)
			refused(t, alg, []byte("a shared secret"), token)
		}
	})
	t.Run("PS256 with a salt of another length", func(t *testing.T) { // RFC 7518 section 3.5
		token := signedBy(t, "PS256", "", someClaims)
		signed := token[:strings.LastIndex(token, ".")]
		sum := sha256.Sum256([]byte(signed))
		for _, length := range []int{1, 20, sha256.Size - 1, sha256.Size + 1, rsa.PSSSaltLengthAuto} {
			signature, err := keys()["PS256"].Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: length, Hash: crypto.SHA256})
			if err != nil {
				t.Fatal(err)
			}
			refused(t, "PS256", keys()["PS256"].Public(), signed+"."+base64.RawURLEncoding.EncodeToString(signature))
		}
	})
	t.Run("a signature of ECDSA in another form", func(t *testing.T) {
		token := signedBy(t, "ES256", "", someClaims)
		signed := token[:strings.LastIndex(token, ".")]
		sum := sha256.Sum256([]byte(signed))
		der, err := keys()["ES256"].Sign(rand.Reader, sum[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(token[len(signed)+1:])
		if err != nil {
			t.Fatal(err)
		}
		for _, signature := range [][]byte{der, slices.Insert(raw, 32, 0), make([]byte, 64), make([]byte, 63), nil} {
			refused(t, "ES256", keys()["ES256"].Public(), signed+"."+base64.RawURLEncoding.EncodeToString(signature))
		}
	})
}
