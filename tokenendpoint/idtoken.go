package tokenendpoint

import (
	"context"
	"crypto"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"time"
)

// idTokenLifetime is short: an ID token tells of a sign-in, and is not presented
// again.
const idTokenLifetime = 5 * time.Minute

var reservedIDClaims = []string{
	"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "nbf", "jti", "sid", "cnf",
}

// idToken signs the claims of OpenID Connect Core section 2, if openid is among
// the scopes. One that is refreshed has no nonce (section 12.2).
func (e *Endpoint) idToken(ctx context.Context, req *Request, a *answer, now time.Time) (string, error) {
	grant := &a.token.Grant
	if grant.Subject == "" || !slices.Contains(a.token.Scopes, openID) {
		return "", nil
	}
	key, err := e.idKey(ctx, req, now)
	if err != nil {
		return "", err
	}
	b := appendString(append(make([]byte, 0, 512), `{"iss":`...), req.Issuer)
	b = appendString(append(b, `,"sub":`...), grant.Subject)
	b = appendString(append(b, `,"aud":`...), req.Client.ID)
	b = strconv.AppendInt(append(b, `,"exp":`...), now.Unix()+int64(key.limit(now, idTokenLifetime)/time.Second), 10)
	b = strconv.AppendInt(append(b, `,"iat":`...), now.Unix(), 10)
	b = appendSignIn(b, grant)
	if grant.Nonce != "" && !a.token.isRefresh() {
		b = appendString(append(b, `,"nonce":`...), grant.Nonce)
	}
	b = appendString(append(b, `,"at_hash":`...), leftHalf(key.Alg, a.accessToken))
	if grant.Session != "" {
		b = appendString(append(b, `,"sid":`...), grant.Session)
	}
	extra := userClaims(req, a.token, true)
	if len(a.token.idClaims) > 0 {
		extra = merged(extra, a.token.idClaims)
	}
	if b, err = appendExtra(b, "claim", extra, reservedIDClaims); err != nil {
		return "", err
	}
	jwt, err := key.idSigner.Sign(b)
	if err != nil {
		return "", outage(ReasonKeysUnavailable, err)
	}
	return jwt, nil
}

// merged returns both, of which the second wins.
func merged(first, second map[string]any) map[string]any {
	both := make(map[string]any, len(first)+len(second))
	maps.Copy(both, first)
	maps.Copy(both, second)
	return both
}

// idKey is the key of the algorithm that the client registered, else RS256, which
// every client knows (section 15.1), else the one that signs access tokens.
func (e *Endpoint) idKey(ctx context.Context, req *Request, now time.Time) (*preparedKey, error) {
	if alg := req.Client.IDTokenAlg; alg != "" {
		return e.keys.signing(ctx, now, Alg(alg))
	}
	if key, err := e.keys.signing(ctx, now, RS256); err == nil {
		return key, nil
	}
	return e.keys.signing(ctx, now, "")
}

// leftHalf is at_hash: the left half of the hash that the algorithm uses
// (section 3.1.3.6).
func leftHalf(alg Alg, s string) string {
	hash := crypto.SHA256
	switch alg {
	case ES384:
		hash = crypto.SHA384
	case EdDSA:
		hash = crypto.SHA512
	}
	h := hash.New()
	h.Write([]byte(s))
	sum := h.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
