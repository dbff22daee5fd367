package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// members are those of a JSON object.
type members map[string]any

// assertion says who the client is, for this issuer and a minute, once (RFC 7523
// section 3, RFC 10070).
func (c *client) assertion(clientID string) (string, error) {
	now := time.Now()
	claims := members{"iss": clientID, "sub": clientID, "aud": c.issuer, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	if clientID == "secret-jwt" {
		signed := encode(members{"alg": "HS256", "typ": "JWT"}) + "." + encode(claims)
		mac := hmac.New(sha256.New, []byte("a-secret-of-at-least-32-characters"))
		mac.Write([]byte(signed))
		return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
	}
	content, err := os.ReadFile(filepath.Join(c.dir, clientID+"-key.pem"))
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return "", errors.New("the key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	ecKey, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return "", fmt.Errorf("the key is a %T, not ECDSA", key)
	}
	return sign(members{"alg": "ES256", "typ": "client-authentication+jwt"}, claims, ecKey)
}

// postDPoP asks for a token that is bound to a key, which is made here (RFC 9449). The
// server may want its nonce in the proof, and gives it with a refusal (section 8).
func (c *client) postDPoP(ctx context.Context, form url.Values) (answer []byte, err error) {
	if c.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	claims := members{"htm": http.MethodPost, "htu": c.tokenURL}
	proof, err := c.proof(claims)
	if err != nil {
		return nil, err
	}
	answer, nonce, err := c.post(ctx, form, proof)
	var refusal struct{ Error string }
	if err != nil || json.Unmarshal(answer, &refusal) != nil || refusal.Error != "use_dpop_nonce" {
		return answer, err
	}
	claims["nonce"] = nonce
	if proof, err = c.proof(claims); err != nil {
		return nil, err
	}
	answer, _, err = c.post(ctx, form, proof)
	return answer, err
}

// proof is for one request, which the claims tell (RFC 9449 section 4.2).
func (c *client) proof(claims members) (string, error) {
	point, err := c.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return "", err
	}
	jwk := members{"kty": "EC", "crv": "P-256", "x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:])}
	claims["iat"], claims["jti"] = time.Now().Unix(), rand.Text()
	return sign(members{"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk}, claims, c.key)
}

// hash is that of an access token in a proof (RFC 9449 section 4.2).
func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sign makes a JWT by ES256 (RFC 7518 section 3.4).
func sign(header, claims members, key *ecdsa.PrivateKey) (string, error) {
	signed := encode(header) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// encode writes a part of a JWT.
func encode(m members) string {
	b, _ := json.Marshal(m) // of strings and numbers: it cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}
