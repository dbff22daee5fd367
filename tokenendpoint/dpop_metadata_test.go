package tokenendpoint_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// The proof that RFC 9449 section 4.2 prints, and the thumbprint of section 6.1.
const (
	dpopRFCProof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	dpopRFCJKT   = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
)

// 9449-6.1-01: the proof of the RFC is accepted where and when it was made, and its key
// has the thumbprint that the RFC says.
func TestTheProofOfTheRFCBindsToItsThumbprint(t *testing.T) {
	d := newDPoPDesk(t, func(c *tokenendpoint.Config) { c.Issuer, c.Paths.Token = "https://server.example.com", "/token" })
	d.clock.Set(time.Unix(1562262616, 0))
	d.issued(d.post("/token", "web", deskForm("client_credentials", nil), http.Header{"Dpop": {dpopRFCProof}}), dpopRFCJKT)
}

// listed are the algorithms of the metadata.
func (d *dpopDesk) listed() (algs []string, there bool) {
	d.t.Helper()
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-authorization-server", nil))
	var metadata struct {
		Algs *[]string `json:"dpop_signing_alg_values_supported"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &metadata); err != nil {
		d.t.Fatalf("%s: %v", w.Body, err)
	}
	if metadata.Algs == nil {
		return nil, false
	}
	return *metadata.Algs, true
}

// 9449-5.1-01, 9449-4.3-04: every algorithm that is listed works, and no other.
func TestTheMetadataListsTheAlgorithmsOfProofs(t *testing.T) {
	listed, _ := newDPoPDesk(t).listed()
	if len(listed) == 0 {
		t.Fatal("no algorithm is listed")
	}
	works := make(map[string]bool)
	for _, alg := range listed {
		works[alg] = true
		t.Run(alg+" is listed and works", func(t *testing.T) {
			d := newDPoPDesk(t)
			key := proverOf(alg, dpopTokenURL, d.clock.Now)
			d.issued(d.send("web", deskForm("client_credentials", nil), key.proof()), key.jkt())
		})
	}
	for _, alg := range []string{"ES256", "ES384", "PS256", "RS256", "EdDSA"} {
		if !works[alg] {
			t.Errorf("%s is not listed", alg)
		}
	}
	for _, alg := range []string{"none", "HS256", "HS512", "RS1", "RS512", "ES256K", "es256", ""} {
		t.Run(alg+" is not listed and does not work", func(t *testing.T) {
			d := newDPoPDesk(t)
			if works[alg] {
				t.Errorf("%q is listed", alg)
			}
			d.refused(d.send("web", deskForm("client_credentials", nil), d.key.proof(withHeader("alg", alg))), "invalid_dpop_proof", "dpop_alg")
		})
	}
	t.Run("an endpoint that cannot remember proofs lists none", func(t *testing.T) {
		d := newDPoPDesk(t, func(c *tokenendpoint.Config) { c.Replays = nil })
		if listed, there := d.listed(); there {
			t.Errorf("%q are listed", listed)
		}
	})
}
