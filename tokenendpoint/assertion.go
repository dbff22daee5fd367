package tokenendpoint

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
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
	parsed, err := jose.Parse(token)
	if err != nil {
		return credentials{}, malformed
	}
	claims, ok := readAssertion(parsed.Payload)
	if !ok {
		return credentials{}, malformed
	}
	c := credentials{clientID: claims.subject, assertion: parsed, claims: claims, method: store.PrivateKeyJWT}
	if slices.Contains(secretAlgs, parsed.Alg) {
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
	if refusal, err = e.verifyAssertion(ctx, client, c); refusal != nil || err != nil {
		return refusal, err
	}
	a := c.claims
	if !isAssertionType(c.assertion.Typ) || a.issuer != client.ID || a.subject != client.ID || len(a.id) > maxAssertionID {
		return reject(InvalidClient, ReasonMalformedAssertion, authenticationFailed), nil
	}
	if a.id == "" {
		if !client.LegacyAssertionWithoutID {
			return reject(InvalidClient, ReasonMalformedAssertion, authenticationFailed), nil
		}
		a.id = e.idOf(client, c.assertion)
	}
	switch {
	case !e.isAudience(client, a.audience):
		return reject(InvalidClient, ReasonAssertionAudience, authenticationFailed), nil
	case !a.isCurrent(e.config.Now()):
		return reject(InvalidClient, ReasonAssertionTime, authenticationFailed), nil
	}
	req.assertion = &onceID{kind: "assertion", of: client.ID, id: a.id, until: a.expires.Add(assertionLeeway)}
	return nil, nil
}

// idOf stands for the jti of an assertion that has none. The signature is left out: that
// of ECDSA can be altered by anyone into another one that is right.
func (e *Endpoint) idOf(client *store.Client, assertion *jose.Token) string {
	e.lint(LintLegacyAssertionID, client.ID, "client %q may send assertions without jti, of which two alike are one (OpenID Connect Core section 9); "+
		"have it send one, and take the switch away", client.ID)
	sum := sha256.Sum256([]byte(assertion.Signed))
	return "sha256:" + base64.RawURLEncoding.EncodeToString(sum[:])
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

// verifyAssertion returns why an assertion is not one that the client made, nil if it is.
func (e *Endpoint) verifyAssertion(ctx context.Context, client *store.Client, c credentials) (refusal *Error, err error) {
	refused := func(format string, args ...any) (*Error, error) {
		refusal := reject(InvalidClient, ReasonAssertionSignature, authenticationFailed)
		refusal.Cause = fmt.Errorf(format, args...)
		return refusal, nil
	}
	alg, pinned := c.assertion.Alg, client.TokenEndpointAuthSigningAlg
	if pinned != "" && pinned != alg && !(isEdDSA(pinned) && isEdDSA(alg)) {
		return refused("client %q signs by another algorithm than it registered", client.ID)
	}
	if c.method == store.ClientSecretJWT {
		secrets, err := e.config.ClientSecrets(ctx, client)
		if err != nil {
			return nil, storeFailed("Config.ClientSecrets", err)
		}
		for _, secret := range secrets[:min(len(secrets), mostAssertionKeys)] {
			if c.assertion.VerifyHMAC(alg, []byte(secret)) == nil {
				return nil, nil
			}
		}
		return refused("no secret of client %q verifies the assertion", client.ID)
	}
	if !slices.Contains(assertionAlgs, alg) {
		return refused("client %q signs by an algorithm that is not supported", client.ID)
	}
	ok, err := e.tryKeys(ctx, client, func(keys []jose.JWK) bool {
		for tried, i := 0, 0; i < len(keys) && tried < mostAssertionKeys; i++ {
			key := &keys[i]
			if c.assertion.Kid != "" && key.Kid != c.assertion.Kid || !key.Fits(alg) {
				continue
			}
			if key.Verify(c.assertion) == nil {
				return true
			}
			tried++
		}
		return false
	})
	if ok || err != nil {
		return nil, err
	}
	return refused("no key of client %q verifies the assertion", client.ID)
}

func isEdDSA(alg string) bool { return alg == "EdDSA" || alg == "Ed25519" } // RFC 9864

// assertion has the claims of RFC 7523 section 3.
type assertion struct {
	issuer, subject, id          string
	audience                     []string
	expires, notBefore, issuedAt time.Time // the latter two are zero if absent
}

func readAssertion(payload []byte) (*assertion, bool) {
	members, err := jose.ParseObject(payload)
	if err != nil {
		return nil, false
	}
	var a assertion
	var are [3]bool
	a.issuer, are[0] = members.Text("iss")
	a.subject, are[1] = members.Text("sub")
	a.id, are[2] = members.Text("jti")
	if are != [3]bool{true, true, true} {
		return nil, false
	}
	a.audience, _ = members.Texts("aud") // none is not the right one
	a.expires, are[0] = members.Time("exp")
	a.notBefore, are[1] = members.Time("nbf")
	a.issuedAt, are[2] = members.Time("iat")
	if are != [3]bool{true, true, true} {
		a.expires = time.Time{}
	}
	return &a, true
}

// isCurrent: it has not ended, has begun, and was not made for long.
func (a *assertion) isCurrent(now time.Time) bool {
	early, late := now.Add(-assertionLeeway), now.Add(assertionLeeway)
	return a.expires.After(early) && !a.expires.After(late.Add(longestAssertion)) &&
		!a.notBefore.After(late) && !a.issuedAt.After(late) &&
		(a.issuedAt.IsZero() || !a.issuedAt.Before(early.Add(-longestAssertion)))
}

// isAudience holds RFC 10070 section 4: the issuer and nothing else, as a string or an
// array of one.
func (e *Endpoint) isAudience(client *store.Client, audience []string) bool {
	if client.LegacyAssertionAudience {
		e.lint(LintLegacyAudience, client.ID, "client %q may send assertions that another server could have been sent (RFC 10070); "+
			"have it use the issuer as the only audience, and take the switch away", client.ID)
		return slices.Contains(audience, e.config.Issuer) || slices.Contains(audience, e.tokenURL())
	}
	return len(audience) == 1 && audience[0] == e.config.Issuer
}

// isAssertionType: a token of another kind is no assertion (RFC 10070 section 4).
func isAssertionType(typ string) bool {
	name := strings.TrimPrefix(strings.ToLower(typ), "application/") // RFC 7515 section 4.1.9
	return typ == "" || name == "jwt" || name == "client-authentication+jwt"
}
