package tokenendpoint_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// FuzzDPoP sends any two headers, of which the second is left out if it is empty: the
// answer is that of RFC 9449 section 5, never a failure, and only one header binds a
// token.
func FuzzDPoP(f *testing.F) {
	proofs := newProver(f, dpopTokenURL, newKeysClock(keysStart).Now)
	for _, header := range []string{
		"", ".", "..", "...", "a.b", "e30.e30.", "e30.e30.e30", proofs.proof(), proofs.proof() + ", " + proofs.proof(), proofs.proof(withClaim("iat", 1e300)),
		proofs.proof(withClaim("htu", "https://[::1%25]/%")), proofs.proof(withHeader("jwk", nil)), proofs.proof(withHeader("jwk", jwtObject{"kty": "EC"})),
		proofs.proof(withHeader("jwk", jwtObject{"kty": "RSA", "n": "AQ", "e": "AQ"}), withHeader("alg", "RS256")), proofs.proof(withHeader("jwk", jwtNull)),
		proofs.proof(withClaim("jti", []string{"a"})), proofs.proof(withHeader("crit", []string{"b64"}), withHeader("b64", false)), strings.Repeat("A", 9000),
		fuzzPart(`{"typ":"dpop+jwt","alg":"ES256","jwk":{}}`) + "." + fuzzPart(`{"jti":"a","htm":"POST","htu":"x","iat":-1e400}`) + ".AA",
		fuzzPart(`{"typ":"dpop+jwt","typ":"JWT","alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":""}}`) + ".e30.AA", fuzzPart(`[]`) + "." + fuzzPart("\xff") + ".A",
	} {
		f.Add(header, "", false)
		f.Add(header, "a.b.c", true)
	}
	config := keysConfig(tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}}, newKeysClock(keysStart))
	config.Replays = &dpopReplays{now: config.Now, ends: make(map[string]time.Time)}
	endpoints := make(map[bool]*tokenendpoint.Endpoint)
	for _, needsNonce := range []bool{false, true} {
		config.DPoPNonce = needsNonce
		endpoint, err := tokenendpoint.New(config)
		if err != nil {
			f.Fatal(err)
		}
		endpoints[needsNonce] = endpoint
	}
	f.Fuzz(func(t *testing.T, first, second string, needsNonce bool) {
		r := httptest.NewRequest(http.MethodPost, "/connect/token", strings.NewReader("grant_type=client_credentials"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("reports", "secret")
		r.Header["Dpop"] = []string{first}
		if second != "" {
			r.Header.Add("DPoP", second)
		}
		w := httptest.NewRecorder()
		endpoints[needsNonce].ServeHTTP(w, r)
		var answer struct {
			Error string `json:"error"`
			Type  string `json:"token_type"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%q: %v", w.Body, err)
		}
		nonces := len(w.Header().Values("DPoP-Nonce"))
		switch {
		case w.Code == 200 && answer.Type == "DPoP" && second == "" && !needsNonce:
		case w.Code == 400 && answer.Error == "invalid_dpop_proof" && nonces == 0:
		case w.Code == 400 && answer.Error == "use_dpop_nonce" && nonces == 1 && needsNonce && second == "":
		default:
			t.Errorf("%q and %q were answered %d %s with %d nonces", first, second, w.Code, w.Body, nonces)
		}
	})
}

func fuzzPart(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
