package tokenendpoint

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/store"
)

const (
	assertionType     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 section 2.2
	longestAssertion  = time.Hour                                                // until exp, and since iat
	assertionLeeway   = 30 * time.Second                                         // between two clocks
	maxAssertionID    = 256                                                      // octets of jti
	mostAssertionKeys = 4                                                        // that one assertion is tried with
)

// assertionAlgs are the algorithms that clients may sign their assertions by;
// secretAlgs those that authenticate them by the client's secret.
var (
	assertionAlgs = []string{"ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256"}
	secretAlgs    = []string{"HS256", "HS384", "HS512"}
)

// parseAssertion reads of a client assertion who it is said to be of and how to verify
// it. Nothing of it is believed yet.
func parseAssertion(assertionTypeParam, token, clientID string) (credentials, error) {
	if assertionTypeParam != assertionType {
		return credentials{}, reject(InvalidClient, ReasonUnsupportedAuthMethod, authenticationFailed)
	}
	malformed := reject(InvalidClient, ReasonMalformedAssertion, authenticationFailed)
	header, err := jose.ParseHeader(token)
	parts := strings.Split(token, ".")
	if err != nil || len(parts) != 3 {
		return credentials{}, malformed
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Subject string `json:"sub"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil { // read with care once it is verified
		return credentials{}, malformed
	}
	c := credentials{clientID: claims.Subject, assertion: token, alg: header.Alg, kid: header.Kid, typ: header.Typ, method: store.PrivateKeyJWT}
	if slices.Contains(secretAlgs, header.Alg) {
		c.method = store.ClientSecretJWT
	}
	switch {
	case c.clientID == "" || len(c.clientID) > maxLength["client_id"] || !isVSCHAR(c.clientID):
		return credentials{}, malformed
	case clientID != "" && clientID != c.clientID: // RFC 7521 section 4.2
		return credentials{}, reject(InvalidClient, ReasonClientIDMismatch, authenticationFailed)
	}
	return c, nil
}

// checkAssertion holds RFC 7523 section 3 and RFC 10070. The assertion is used up later:
// see useAssertion.
func (e *Endpoint) checkAssertion(ctx context.Context, client *store.Client, req *Request) (refusal *Error, err error) {
	c := req.credentials
	claims, refusal, err := e.verifyAssertion(ctx, client, c)
	if refusal != nil || err != nil {
		return refusal, err
	}
	var a assertion
	if jose.DecodeObject(claims, &a) != nil {
		return reject(InvalidClient, ReasonMalformedAssertion, authenticationFailed), nil
	}
	now := e.config.Now()
	expires, ok := a.ExpiresAt.time()
	switch {
	case !isAssertionType(c.typ), a.Issuer != client.ID, a.Subject != client.ID, a.ID == "", len(a.ID) > maxAssertionID:
		return reject(InvalidClient, ReasonMalformedAssertion, authenticationFailed), nil
	case !e.isAudience(client, a.Audience):
		return reject(InvalidClient, ReasonAssertionAudience, authenticationFailed), nil
	case !ok || !a.isCurrent(now, expires):
		return reject(InvalidClient, ReasonAssertionTime, authenticationFailed), nil
	}
	req.assertion = &onceID{kind: "assertion", of: client.ID, id: a.ID, until: expires.Add(assertionLeeway)}
	return nil, nil
}

// useAssertion uses the request's assertion up, if it has one: the last act of
// authentication, when nothing else is wrong with it and no nonce is missing.
func (e *Endpoint) useAssertion(ctx context.Context, req *Request) error {
	if req.assertion == nil {
		return nil
	}
	first, err := e.use(ctx, req.assertion)
	if first && err == nil {
		return nil
	}
	req.Authenticated = false
	if err != nil {
		return err
	}
	attempt := Attempt{ClientID: req.Client.ID, Network: Network(req.RemoteAddr)}
	return e.countFailure(ctx, attempt, reject(InvalidClient, ReasonReplayed, authenticationFailed))
}

// verifyAssertion returns the claims of an assertion that the client made.
func (e *Endpoint) verifyAssertion(ctx context.Context, client *store.Client, c credentials) (claims []byte, refusal *Error, err error) {
	refused := func(format string, args ...any) ([]byte, *Error, error) {
		refusal := reject(InvalidClient, ReasonAssertionSignature, authenticationFailed)
		refusal.Cause = fmt.Errorf(format, args...)
		return nil, refusal, nil
	}
	alg, pinned := c.alg, client.TokenEndpointAuthSigningAlg
	if pinned != "" && pinned != alg && !(isEdDSA(pinned) && isEdDSA(alg)) {
		return refused("client %q signs by another algorithm than it registered", client.ID)
	}
	if c.method == store.ClientSecretJWT {
		secrets, err := e.config.ClientSecrets(ctx, client)
		if err != nil {
			return nil, nil, storeFailed("Config.ClientSecrets", err)
		}
		for _, secret := range secrets[:min(len(secrets), mostAssertionKeys)] {
			if claims, err = jose.VerifyHMAC(alg, []byte(secret), c.assertion); err == nil {
				return claims, nil, nil
			}
		}
		return refused("no secret of client %q verifies the assertion", client.ID)
	}
	if !slices.Contains(assertionAlgs, alg) {
		return refused("client %q signs by an algorithm that is not supported", client.ID)
	}
	keys, err := e.clientKeys(ctx, client, c.alg, c.kid)
	if err != nil {
		return nil, nil, err
	}
	for _, key := range keys[:min(len(keys), mostAssertionKeys)] {
		if claims, err = jose.Verify(alg, key.Public, c.assertion); err == nil {
			return claims, nil, nil
		}
	}
	return refused("no key of client %q verifies the assertion", client.ID)
}

func isEdDSA(alg string) bool { return alg == "EdDSA" || alg == "Ed25519" } // RFC 9864

// assertion has the claims of RFC 7523 section 3.
type assertion struct {
	Issuer    string          `json:"iss"`
	Subject   string          `json:"sub"`
	Audience  json.RawMessage `json:"aud"`
	ID        string          `json:"jti"`
	ExpiresAt *numericDate    `json:"exp"`
	NotBefore *numericDate    `json:"nbf"`
	IssuedAt  *numericDate    `json:"iat"`
}

// numericDate is seconds since 1970, with or without a fraction (RFC 7519 section 2).
type numericDate float64

func (d *numericDate) time() (time.Time, bool) {
	if d == nil || !(*d >= 0 && *d < 1<<40) {
		return time.Time{}, false
	}
	seconds, fraction := math.Modf(float64(*d))
	return time.Unix(int64(seconds), int64(fraction*1e9)), true
}

// isCurrent: it has not ended, has begun, and was not made for long.
func (a *assertion) isCurrent(now, expires time.Time) bool {
	if !now.Before(expires.Add(assertionLeeway)) || expires.After(now.Add(longestAssertion+assertionLeeway)) {
		return false
	}
	if a.NotBefore != nil {
		if from, ok := a.NotBefore.time(); !ok || from.After(now.Add(assertionLeeway)) {
			return false
		}
	}
	if a.IssuedAt != nil {
		at, ok := a.IssuedAt.time()
		return ok && !at.After(now.Add(assertionLeeway)) && !at.Before(now.Add(-longestAssertion-assertionLeeway))
	}
	return true
}

// isAudience holds RFC 10070 section 4: the issuer and nothing else, as a string or an
// array of one.
func (e *Endpoint) isAudience(client *store.Client, audience json.RawMessage) bool {
	var one string
	var several []string
	if json.Unmarshal(audience, &one) == nil {
		several = []string{one}
	} else if json.Unmarshal(audience, &several) != nil {
		return false
	}
	if client.LegacyAssertionAudience {
		e.lint(LintLegacyAudience, client.ID, "client %q may send assertions that another server could have been sent (RFC 10070); "+
			"have it use the issuer as the only audience, and take the switch away", client.ID)
		return slices.Contains(several, e.config.Issuer) || slices.Contains(several, e.tokenURL())
	}
	return len(several) == 1 && several[0] == e.config.Issuer
}

// isAssertionType: a token of another kind is no assertion (RFC 10070 section 4).
func isAssertionType(typ string) bool {
	name := strings.TrimPrefix(strings.ToLower(typ), "application/") // RFC 7515 section 4.1.9
	return typ == "" || name == "jwt" || name == "client-authentication+jwt"
}
