package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// verify checks a token as an API would, with nothing but the standard library,
// and returns its claims.
func verify(t *testing.T, issuer, token string) map[string]any {
	t.Helper()
	claims, err := verifyToken(issuer, token)
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func verifyToken(issuer, token string) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("a JWT has three parts, not %d", len(parts))
	}
	var header struct{ Alg, Kid, Typ string }
	var claims map[string]any
	if err := decodePart(parts[0], &header); err != nil {
		return nil, err
	}
	if err := decodePart(parts[1], &claims); err != nil {
		return nil, err
	}
	if header.Alg != "ES256" || header.Typ != "at+jwt" {
		return nil, fmt.Errorf("alg %s, typ %s", header.Alg, header.Typ)
	}
	key, err := fetchKey(issuer, header.Kid)
	if err != nil {
		return nil, err
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return nil, fmt.Errorf("a signature of %d octets: %v", len(signature), err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return nil, fmt.Errorf("the signature is not of key %s", header.Kid)
	}
	return claims, nil
}

func decodePart(part string, into any) error {
	decoded, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(decoded, into)
}

// fetchKey finds the issuer's keys by its metadata.
func fetchKey(issuer, kid string) (*ecdsa.PublicKey, error) {
	var metadata struct {
		Issuer  string
		JWKSURI string `json:"jwks_uri"`
	}
	if err := getJSON(issuer+"/.well-known/oauth-authorization-server", &metadata); err != nil {
		return nil, err
	}
	if metadata.Issuer != issuer {
		return nil, fmt.Errorf("the metadata is of %s, not %s", metadata.Issuer, issuer)
	}
	var set struct{ Keys []struct{ Kid, X, Y string } }
	if err := getJSON(metadata.JWKSURI, &set); err != nil {
		return nil, err
	}
	for _, key := range set.Keys {
		if key.Kid == kid {
			x, errX := base64.RawURLEncoding.DecodeString(key.X)
			y, errY := base64.RawURLEncoding.DecodeString(key.Y)
			if errX != nil || errY != nil {
				return nil, fmt.Errorf("key %s is malformed", kid)
			}
			return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		}
	}
	return nil, fmt.Errorf("key %s is not published", kid)
}

func getJSON(url string, into any) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

// apiServer is an API that takes the issuer's tokens and answers with the client.
func apiServer(t *testing.T, issuer string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		claims, err := verifyToken(issuer, token)
		if scheme != "Bearer" || err != nil || claims["aud"] != issuer {
			http.Error(w, fmt.Sprint(scheme, err), http.StatusUnauthorized)
			return
		}
		io.WriteString(w, claims["client_id"].(string))
	}))
	t.Cleanup(server.Close)
	return server.URL
}
