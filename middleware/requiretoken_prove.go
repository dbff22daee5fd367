package middleware

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/proof"
)

// prove checks that the caller possesses what the token is bound to.
func (g *guard) prove(r *http.Request, v *visit) *refusal {
	c := v.claims
	switch {
	case c.Bound && c.JKT == "" && c.X5T == "":
		return refuseToken(AccessConfirmationUnknown, "the access token is bound to something that cannot be proven here")
	case (v.scheme == schemeDPoP) != (c.JKT != ""): // RFC 9449 section 7.2
		return refuseToken(AccessTokenScheme, "the access token is for the other scheme")
	case g.RequireBound && !c.Bound:
		return refuseToken(AccessTokenUnbound, "the access token is not bound to a key or certificate")
	}
	if c.X5T != "" {
		if no := g.proveCertificate(r, c.X5T); no != nil {
			return no
		}
	}
	if c.JKT != "" {
		return g.proveDPoP(r, v)
	}
	return nil
}

// proveCertificate holds RFC 8705 section 3.
func (g *guard) proveCertificate(r *http.Request, thumbprint string) *refusal {
	if g.ClientCertificate == nil {
		return refuseToken(AccessConfirmationUnknown, "the access token is bound to something that cannot be proven here")
	}
	cert, _, err := g.ClientCertificate(r)
	if err != nil || cert == nil || proof.Thumbprint(cert) != thumbprint {
		no := refuseToken(AccessCertificate, "the access token is bound to another client certificate")
		no.cause = err
		return no
	}
	return nil
}

// proveDPoP holds RFC 9449 section 4.3 but for the one use of the proof.
func (g *guard) proveDPoP(r *http.Request, v *visit) *refusal {
	p, err := proof.ParseHeader(r.Header.Values("DPoP"))
	if err == nil {
		err = p.Check(r.Method, g.urlOf(r), g.now(), proof.Window, proof.Leeway)
	}
	if err != nil {
		var reason proof.Reason
		errors.As(err, &reason)
		return refuse(codeProof, AccessReason(reason), "the DPoP proof is not right")
	}
	switch {
	case p.Thumbprint != v.claims.JKT:
		return refuseToken(AccessDPoPKey, "the access token is bound to another key than that of the DPoP proof")
	case !p.Covers(v.raw):
		return refuse(codeProof, AccessDPoPToken, "the DPoP proof is for another access token")
	}
	if g.nonces != nil {
		ok, old := g.nonces.Valid(p.Nonce)
		if !ok || old {
			v.nonce = g.nonces.New()
		}
		if !ok {
			return refuse(codeNonce, AccessDPoPNonce, "the DPoP proof needs the nonce of the DPoP-Nonce header")
		}
	}
	v.proof = p
	return nil
}

// urlOf is the URL of a request as its caller knows it. What is left of a path by
// http.StripPrefix need not begin with a slash.
func (g *guard) urlOf(r *http.Request) string {
	return g.base + "/" + strings.TrimPrefix(r.URL.EscapedPath(), "/")
}

// otherClocks is how far the clock of another process may be behind: it would take a
// proof for longer than it is remembered.
const otherClocks = time.Minute

// useProof uses the proof up, if there is one: that cannot be undone, so it comes last.
func (g *guard) useProof(ctx context.Context, v *visit) *refusal {
	if v.proof == nil {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, v.deadline)
	defer cancel()
	sum := sha256.Sum256([]byte("dpop at\x00" + g.Resource + "\x00" + v.proof.Thumbprint + "\x00" + v.proof.JTI))
	lifetime := max(0, v.proof.IssuedAt.Add(proof.Window).Sub(g.now())) + otherClocks
	first, err := g.Replays.Use(ctx, base64.RawURLEncoding.EncodeToString(sum[:]), lifetime)
	if err != nil {
		return outage(AccessStoreUnavailable, err)
	}
	if !first {
		return refuse(codeProof, AccessDPoPReplayed, "the DPoP proof was used already")
	}
	return nil
}
