package tokenendpoint

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/proof"
)

// prove is the step between authenticate and permit: what the caller proved to possess,
// by a DPoP proof (RFC 9449) or a certificate (RFC 8705), makes Request.Confirmation.
func (e *Endpoint) prove(r *http.Request, req *Request) error {
	if req.Client.TLSBoundAccessTokens {
		if req.certificate.Certificate == nil || !proof.ValidAt(req.certificate.Certificate, req.Time) {
			return reject(InvalidRequest, ReasonCertificateAbsent, "the client must use a certificate")
		}
		req.proven.X5T = proof.Thumbprint(req.certificate.Certificate)
	}
	err := e.proveDPoP(r, req)
	req.Confirmation = req.proven
	return err
}

// proveDPoP looks at the nonce before anything is used up, so that use_dpop_nonce costs
// the client nothing.
func (e *Endpoint) proveDPoP(r *http.Request, req *Request) error {
	values := r.Header.Values("DPoP")
	if len(values) == 0 || e.config.Replays == nil {
		if req.Client.DPoPBoundAccessTokens {
			return reject(InvalidDPoPProof, Reason(proof.Absent), "the client must send a DPoP proof")
		}
		return nil
	}
	p, err := proof.ParseHeader(values)
	if err == nil {
		err = e.checkProof(p, r.Method, req.Time)
	}
	if err != nil {
		var reason proof.Reason
		errors.As(err, &reason)
		return reject(InvalidDPoPProof, Reason(reason), "the DPoP proof is not right")
	}
	if err := e.checkNonce(req, p.Nonce); err != nil {
		return err
	}
	req.proven.JKT = p.Thumbprint
	req.proof = &onceID{kind: "dpop", of: p.Thumbprint, id: p.JTI, until: p.IssuedAt.Add(proof.Window)}
	return nil
}

// checkProof compares with the URLs under which clients know the token endpoint, never
// with one that the request's own headers say.
func (e *Endpoint) checkProof(p *proof.DPoP, method string, now time.Time) error {
	err := p.Check(method, e.tokenURL(), now, proof.Window, proof.Leeway)
	if err == proof.WrongURL && e.config.MTLSURL != "" {
		err = p.Check(method, strings.TrimSuffix(e.config.MTLSURL, "/")+e.config.Paths.Token, now, proof.Window, proof.Leeway)
	}
	return err
}

// checkNonce holds RFC 9449 section 8, for those proofs that need a nonce.
func (e *Endpoint) checkNonce(req *Request, nonce string) error {
	if !e.config.DPoPNonce && !req.Client.DPoPNonce {
		return nil
	}
	ok, old := e.nonces.Valid(nonce)
	if !ok || old {
		req.nonce = e.nonces.New()
	}
	if !ok {
		return reject(UseDPoPNonce, ReasonDPoPNonce, "the DPoP proof needs the nonce of the DPoP-Nonce header")
	}
	return nil
}

func newNonces(key []byte, now func() time.Time) (*proof.Nonces, error) {
	if key == nil {
		key = make([]byte, 32)
		rand.Read(key)
	}
	nonces, err := proof.NewNonces(key, proof.NoncePeriod, now)
	if err != nil {
		return nil, fieldError("DPoPNonceKey", " has %d bytes; set 32 random ones, or leave it nil", len(key))
	}
	return nonces, nil
}

func (e *Endpoint) tokenURL() string {
	return strings.TrimSuffix(e.config.Issuer, "/") + e.config.Paths.Token
}
