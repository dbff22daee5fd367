package secret

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

const passphrase = "correct horse battery staple"

// vectors are the passphrase, hashed by other implementations: hashlib, libargon2
// and OpenBSD's bcrypt as it is wrapped in Rust.
var vectors = []struct{ name, algorithm, stored string }{
	{"sha256 without padding", "sha256", "$sha256$xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo"},
	{"sha256 with padding", "sha256", "$sha256$xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo="},
	{"sha512 without padding", "sha512", "$sha512$vl73Z52Iq5qQRfYmflX15XhLS4zXZLXNhVpSRPkcYmlTzUbEPXZohz/W7707IhJJMVWAAxljRyoHh4H+BG5irg"},
	{"sha512 with padding", "sha512", "$sha512$vl73Z52Iq5qQRfYmflX15XhLS4zXZLXNhVpSRPkcYmlTzUbEPXZohz/W7707IhJJMVWAAxljRyoHh4H+BG5irg=="},
	{"argon2id without padding", "argon2id", "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$bXdeq3skmiiNJHtjgynxq2+Nfhd02Ek+Vfo/7nqYyiE"},
	{"argon2id with padding", "argon2id", "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHRzb21lc2FsdA==$bXdeq3skmiiNJHtjgynxq2+Nfhd02Ek+Vfo/7nqYyiE="},
	{"argon2id at its least", "argon2id", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$06Wr8U2SAkKoP7GcsG0Rcg"},
	{"bcrypt 2a", "bcrypt", "$2a$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"},
	{"bcrypt 2b", "bcrypt", "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"},
	{"bcrypt 2y", "bcrypt", "$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"},
}

func TestHashesOfOtherImplementationsMatch(t *testing.T) {
	for _, v := range vectors {
		t.Run("The passphrase and no other matches "+v.name, func(t *testing.T) {
			h, err := Parse(v.stored)
			if err != nil {
				t.Fatal(err)
			}
			if h.algorithm != v.algorithm {
				t.Errorf("algorithm: got %s, want %s", h.algorithm, v.algorithm)
			}
			if slow := v.algorithm == "argon2id" || v.algorithm == "bcrypt"; h.Slow() != slow {
				t.Errorf("slow: got %v, want %v", h.Slow(), slow)
			}
			checkMatches(t, h, passphrase)
		})
	}
}

// checkMatches looks at everything near the secret as well.
func checkMatches(t *testing.T, h Hash, presented string) {
	t.Helper()
	if !h.matches(presented) {
		t.Error("the secret does not match")
	}
	for _, wrong := range []string{"", presented[:len(presented)-1], presented + " ", strings.ToUpper(presented), " " + presented} {
		if h.matches(wrong) {
			t.Errorf("%q matches the hash of %q", wrong, presented)
		}
	}
}

func TestHashesMadeHereMatch(t *testing.T) {
	encode := base64.RawStdEncoding.EncodeToString
	const presented = "s3cret-ä+/=%"
	sum256, sum512 := sha256.Sum256([]byte(presented)), sha512.Sum512([]byte(presented))
	salt := []byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
	argon := func(memory, passes uint32, lanes uint8, salt []byte, size uint32) string {
		return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", memory, passes, lanes, encode(salt),
			encode(argon2.IDKey([]byte(presented), salt, passes, memory, lanes, size)))
	}
	cost5, err := bcrypt.GenerateFromPassword([]byte(presented), 5)
	if err != nil {
		t.Fatal(err)
	}
	for name, stored := range map[string]string{
		"sha256": "$sha256$" + encode(sum256[:]),
		"sha512": "$sha512$" + encode(sum512[:]),
		"argon2id with the least that is allowed":           argon(8, 1, 1, salt[:8], 16),
		"argon2id with the longest salt and hash allowed":   argon(16, 1, 2, salt, 64),
		"argon2id with the most passes and lanes allowed":   argon(128, 10, 16, salt[:16], 32),
		"argon2id whose three numbers are all of their own": argon(40, 3, 5, salt[:16], 32),
		"bcrypt": string(cost5),
	} {
		t.Run("The secret and no other matches "+name, func(t *testing.T) {
			h, err := Parse(stored)
			if err != nil {
				t.Fatal(err)
			}
			checkMatches(t, h, presented)
		})
	}
}

// bcrypt itself looks at 72 octets alone, so that whoever knows those of a longer
// secret would know enough.
func TestBcryptRefusesMoreThan72Octets(t *testing.T) {
	long := strings.Repeat("0123456789ab", 6)
	stored, err := bcrypt.GenerateFromPassword([]byte(long), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Parse(string(stored))
	if err != nil {
		t.Fatal(err)
	}
	if !h.matches(long) {
		t.Error("72 octets do not match")
	}
	for _, longer := range []string{long + "c", long + "\x00", long + long} {
		if h.matches(longer) {
			t.Errorf("%d octets match, of which the first 72 are right", len(longer))
		}
	}
	if h.matches(long[:71]) {
		t.Error("71 octets match")
	}
}

// A value that nobody parsed must not let anybody in.
func TestTheZeroHashMatchesNothing(t *testing.T) {
	for _, presented := range []string{"", passphrase} {
		if (Hash{}).matches(presented) {
			t.Errorf("%q matches", presented)
		}
	}
}
