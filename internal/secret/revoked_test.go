package secret

import (
	"encoding/base64"
	"testing"
)

// What is kept of a revocation is found by every node, is shaped as every other key, and is
// that of no other token, of no handle and of no user code.
func TestKeyOfRevoked(t *testing.T) {
	const issuer, id = "https://shop.example", "7c9e6679-7425-40de-944b-e07fc1f90ae7"
	family, hash := KeyOfRevoked(issuer, id)
	t.Run("has the shape of a key", func(t *testing.T) {
		if f, err := base64.RawURLEncoding.Strict().DecodeString(family); err != nil || len(f) != 16 {
			t.Errorf("the family is %q", family)
		}
		if h, err := base64.RawURLEncoding.Strict().DecodeString(hash); err != nil || len(h) != 32 || base64.RawURLEncoding.EncodeToString(h[:16]) == family {
			t.Errorf("the hash is %q", hash)
		}
		if _, err := NewHandle("a", family); err != nil {
			t.Errorf("the family %q is none that a handle may have: %v", family, err)
		}
	})
	t.Run("is the same each time, and in each version", func(t *testing.T) {
		f, h := KeyOfRevoked(issuer, id)
		if f != family || h != hash {
			t.Errorf("%q %q, then %q %q", family, hash, f, h)
		}
		if family != wantRevokedFamily || hash != wantRevokedHash {
			t.Errorf("what was kept by an earlier version is not found: %q %q", family, hash)
		}
	})
	t.Run("is that of one token of one issuer", func(t *testing.T) {
		seen := map[string]bool{family: true, hash: true}
		for _, other := range [][2]string{{issuer, id + "x"}, {issuer + "/", id}, {"https://other.example", id}, {"", id}, {issuer, ""}} {
			f, h := KeyOfRevoked(other[0], other[1])
			if seen[f] || seen[h] {
				t.Errorf("%q has the key of another: %q %q", other, f, h)
			}
			seen[f], seen[h] = true, true
		}
		if f, h := KeyOfUserCode(id); seen[f] || seen[h] {
			t.Errorf("a user code has the key of a token: %q %q", f, h)
		}
	})
}

// Computed from the texts that they are derived from, by another implementation of SHA-256.
const (
	wantRevokedFamily = "MVHIKbeB6_DMksfOXSrHgA"
	wantRevokedHash   = "O7tmh-Ptt3zRTDfV51K1l8dN3Sbeu-GmWXfHUdCF3TU"
)
