package jose

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jws"
)

// Signer signs claims with one key, as JWS compact serialisation (RFC 7515
// section 7.1). Everything that does not change from token to token is prepared
// once.
type Signer struct {
	header []byte // the encoded protected header and its dot
	jws    jws.Signer
	key    crypto.Signer
}

// opaque hides the type of a key from jwx, which signs faster through
// crypto.Signer, and keeps the public key, which a remote signer may be slow to
// return.
type opaque struct {
	crypto.Signer
	public crypto.PublicKey
}

func (o opaque) Public() crypto.PublicKey { return o.public }

// NewSigner prepares a signer whose tokens carry alg, kid and typ in their
// header. It fails where Check does, and for Ed25519, which is signed under the name
// EdDSA.
func NewSigner(alg, kid, typ string, key crypto.Signer) (*Signer, error) {
	public := key.Public()
	if err := checkSigning(alg, public); err != nil {
		return nil, err
	}
	signer, err := jws.NewSigner(algorithms[alg].jwa)
	if err != nil {
		return nil, err
	}
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}{alg, kid, typ})
	if err != nil {
		return nil, err
	}
	encoded := base64.RawURLEncoding.AppendEncode(nil, header)
	return &Signer{header: append(encoded, '.'), jws: signer, key: opaque{key, public}}, nil
}

// Sign returns the signed token. claims is a JSON object.
func (s *Signer) Sign(claims []byte) (string, error) {
	const longestSignature = 512 // octets: RSA of 4096 bits
	size := len(s.header) + base64.RawURLEncoding.EncodedLen(len(claims)) + 1 +
		base64.RawURLEncoding.EncodedLen(longestSignature)
	token := append(make([]byte, 0, size), s.header...)
	token = base64.RawURLEncoding.AppendEncode(token, claims)
	signature, err := s.jws.Sign(token, s.key)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	token = append(token, '.')
	return string(base64.RawURLEncoding.AppendEncode(token, signature)), nil
}
