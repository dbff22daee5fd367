package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// proofOf is a DPoP proof (RFC 9449 section 4.2).
func (s *tlsShop) proofOf(key *ecdsa.PrivateKey, nonce string) string {
	s.t.Helper()
	claims := map[string]any{"htm": "POST", "htu": s.issuer + "/connect/token", "iat": time.Now().Unix(), "jti": rand.Text()}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	return signedBy(s.t, key, map[string]any{"typ": "dpop+jwt", "jwk": json.RawMessage(jwkOf(s.t, key))}, claims)
}

// askDPoP asks for a token of the client dpop.
func (s *tlsShop) askDPoP(proof string) (status int, members map[string]any, nonce string) {
	s.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"dpop"}, "client_secret": {"secret"}, "scope": {"api1"}}
	r, err := http.NewRequest(http.MethodPost, s.issuer+"/connect/token", strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	response, err := s.client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&members); err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, members, response.Header.Get("DPoP-Nonce")
}

// 9449-5-03, 9449-11.1-02
func TestADPoPProofBindsTheTokenOnce(t *testing.T) {
	shop := startTLS(t, "-store", "memory:")
	if status, members, _ := shop.askDPoP(""); status != http.StatusBadRequest || members["error"] != "invalid_dpop_proof" {
		t.Errorf("without a proof: status %d, error %v", status, members["error"])
	}
	key := newKey(t)
	proof := shop.proofOf(key, "")
	status, members, _ := shop.askDPoP(proof)
	sum := sha256.Sum256([]byte(jwkOf(t, key))) // in the order of RFC 7638
	if bound := cnf(t, members); status != http.StatusOK || members["token_type"] != "DPoP" || bound["jkt"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
		t.Errorf("status %d, token_type %v, cnf %v", status, members["token_type"], bound)
	}
	if status, members, _ := shop.askDPoP(proof); status != http.StatusBadRequest || members["error"] != "invalid_dpop_proof" {
		t.Errorf("the second time: status %d, error %v", status, members["error"])
	}
}

// 9449-8-01: which client needs a nonce is in the file.
func TestADPoPProofNeedsANonceIfTheClientDoes(t *testing.T) {
	shop := startTLS(t, "-store", "memory:", "-config", configFileWith(t, noncesConfig))
	key := newKey(t)
	status, members, nonce := shop.askDPoP(shop.proofOf(key, ""))
	if status != http.StatusBadRequest || members["error"] != "use_dpop_nonce" || nonce == "" {
		t.Fatalf("without: status %d, error %v", status, members["error"])
	}
	status, members, _ = shop.askDPoP(shop.proofOf(key, nonce))
	if bound := cnf(t, members); status != http.StatusOK || bound["jkt"] == nil {
		t.Errorf("with: status %d, cnf %v", status, bound)
	}
}

const noncesConfig = `{"clients": [{"client_id": "dpop", "grant_types": ["client_credentials"], "scope": "api1", "client_secrets": [{"value": "secret"}],
	"dpop_bound_access_tokens": true, "dpop_nonce": true}], "scopes": [{"name": "api1"}]}`
