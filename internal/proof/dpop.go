// Package proof checks that a caller possesses a key: by a DPoP proof (RFC 9449)
// or by the certificate of its TLS connection (RFC 8705). The token endpoint and
// the middleware in front of APIs use it alike.
package proof

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

const (
	// Window is the proposed age up to which a proof is accepted, and for which its
	// jti is remembered (RFC 9449 section 11.1).
	Window = time.Minute
	// Leeway is how far the clock of the client may be proposed to run ahead.
	Leeway = 15 * time.Second

	maxProof = 8 << 10 // bytes; RSA of 4096 bits needs 3 KiB
	maxJTI   = 256     // bytes (RFC 9449 section 11.1: a limit is for the server to set)
)

// DPoP is a proof whose form and signature are right. It proves nothing before
// Check, and the claims are what the client says.
type DPoP struct {
	// Thumbprint is that of the key that signed, jkt: RFC 7638, SHA-256, base64url.
	Thumbprint string
	// JTI identifies the proof, in 1 to 256 bytes. The caller lets each be used
	// once, with the URL and until IssuedAt plus the window.
	JTI      string
	Method   string // htm
	URL      string // htu
	IssuedAt time.Time
	// NotBefore and ExpiresAt are nbf and exp, zero if absent.
	NotBefore, ExpiresAt time.Time
	// Nonce is empty if absent. The caller compares it, see Nonces.
	Nonce string
	// AccessTokenHash is ath, empty if absent. See Covers.
	AccessTokenHash string
}

// ParseHeader reads the proof out of all values of the DPoP header of a request,
// r.Header.Values("DPoP"), of which there must be exactly one (RFC 9449 section
// 4.3 no. 1). The error is a Reason, and Absent if there is none.
func ParseHeader(values []string) (*DPoP, error) {
	switch len(values) {
	case 0:
		return nil, Absent
	case 1:
		return Parse(values[0])
	default:
		return nil, Repeated
	}
}

// Parse reads one proof: a JWS in compact serialisation of at most 8 KiB that is
// signed by the public key in its own header (RFC 9449 section 4.2 and section 4.3
// no. 2 to 7). The error is a Reason.
func Parse(header string) (*DPoP, error) {
	if len(header) > maxProof {
		return nil, TooLong
	}
	parts := strings.Split(header, ".")
	if len(parts) != 3 {
		return nil, Malformed
	}
	h, err := jose.DecodePart(parts[0])
	if err != nil {
		return nil, Malformed
	}
	if typ, _ := h.Text("typ"); typ != "dpop+jwt" {
		return nil, WrongType
	}
	alg, _ := h.Text("alg")
	if !supported(alg) {
		return nil, WrongAlgorithm
	}
	public, ok := publicKey(h.Raw("jwk"), alg)
	if !ok {
		return nil, WrongKey
	}
	claims, err := jose.DecodePart(parts[1])
	if err != nil {
		return nil, Malformed
	}
	proof, err := readClaims(claims)
	if err != nil {
		return nil, err
	}
	if _, err := jose.Verify(alg, public, header); err != nil {
		return nil, WrongSignature
	}
	if proof.Thumbprint, err = jose.Thumbprint(public); err != nil {
		return nil, WrongKey
	}
	return proof, nil
}

func readClaims(claims jose.Object) (*DPoP, error) {
	var p DPoP
	for _, claim := range []struct {
		name     string
		into     *string
		required bool
	}{
		{"jti", &p.JTI, true}, {"htm", &p.Method, true}, {"htu", &p.URL, true},
		{"nonce", &p.Nonce, false}, {"ath", &p.AccessTokenHash, false},
	} {
		value, ok := claims.Text(claim.name)
		if !ok || claim.required && value == "" {
			return nil, WrongClaims
		}
		*claim.into = value
	}
	for _, claim := range []struct {
		name     string
		into     *time.Time
		required bool
	}{{"iat", &p.IssuedAt, true}, {"nbf", &p.NotBefore, false}, {"exp", &p.ExpiresAt, false}} {
		value, ok := claims.Time(claim.name)
		if !ok || claim.required && value.IsZero() {
			return nil, WrongClaims
		}
		*claim.into = value
	}
	if len(p.JTI) > maxJTI {
		return nil, WrongClaims
	}
	return &p, nil
}

// Check returns a Reason unless the proof was made for a request by method to url
// and now (RFC 9449 section 4.3 no. 8, 9 and 11). Method is compared with case,
// url as sameURL says: it is the URL under which callers know the endpoint, never
// one that was built from the request's own Host or forwarding headers. The proof
// is at most window old and at most leeway from the future.
//
// The nonce, the access token and the use of the jti are for the caller to check.
func (p *DPoP) Check(method, url string, now time.Time, window, leeway time.Duration) error {
	switch {
	case p.Method != method:
		return WrongMethod
	case !sameURL(p.URL, url):
		return WrongURL
	case p.IssuedAt.Before(now.Add(-window)):
		return TooOld
	case p.IssuedAt.After(now.Add(leeway)), p.NotBefore.After(now.Add(leeway)):
		return TooEarly
	case !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt.Add(leeway)):
		return TooOld
	}
	return nil
}

// Covers reports whether the proof was made for an access token (RFC 9449 section
// 4.3 no. 12): only a resource server asks. That the token is bound to Thumbprint
// is for the caller to check.
func (p *DPoP) Covers(accessToken string) bool {
	return subtle.ConstantTimeCompare([]byte(p.AccessTokenHash), []byte(AccessTokenHash(accessToken))) == 1
}

// AccessTokenHash returns the ath of an access token: SHA-256, base64url without
// padding (RFC 9449 section 4.2).
func AccessTokenHash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
