package secret

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// base64Of returns n octets in base64.
func base64Of(n int) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }

func argonOf(parameters string, salt, sum int) string {
	return fmt.Sprintf("$argon2id$v=19$%s$%s$%s", parameters, base64Of(salt), base64Of(sum))
}

const bcryptRest = "$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"

// The cost of a hash is that of the server, whoever wrote the hash.
func TestWhatAHashMayAskForIsBounded(t *testing.T) {
	for _, c := range []struct {
		name, within, beyond string
	}{
		{"The memory of argon2id is at most 256 MiB", argonOf("m=262144,t=1,p=1", 16, 32), argonOf("m=262145,t=1,p=1", 16, 32)},
		{"The passes of argon2id are at most ten", argonOf("m=64,t=10,p=1", 16, 32), argonOf("m=64,t=11,p=1", 16, 32)},
		{"The lanes of argon2id are at most sixteen", argonOf("m=128,t=1,p=16", 16, 32), argonOf("m=136,t=1,p=17", 16, 32)},
		{"All three may be at their most together", argonOf("m=262144,t=10,p=16", 16, 32), argonOf("m=4294967295,t=4294967295,p=255", 16, 32)},
		{"Memory that overflows is refused", argonOf("m=64,t=1,p=1", 16, 32), argonOf("m=4294967304,t=1,p=1", 16, 32)},
		{"Passes that overflow are refused", argonOf("m=64,t=1,p=1", 16, 32), argonOf("m=64,t=4294967297,p=1", 16, 32)},
		{"Lanes that overflow are refused", argonOf("m=64,t=1,p=1", 16, 32), argonOf("m=64,t=1,p=257", 16, 32)},
		{"The memory of argon2id is at least 8 KiB", argonOf("m=8,t=1,p=1", 16, 32), argonOf("m=7,t=1,p=1", 16, 32)},
		{"The memory of argon2id is at least 8 KiB a lane", argonOf("m=24,t=1,p=3", 16, 32), argonOf("m=23,t=1,p=3", 16, 32)},
		{"No memory at all is refused", argonOf("m=8,t=1,p=1", 16, 32), argonOf("m=0,t=1,p=1", 16, 32)},
		{"No passes are refused", argonOf("m=8,t=1,p=1", 16, 32), argonOf("m=8,t=0,p=1", 16, 32)},
		{"No lanes are refused", argonOf("m=8,t=1,p=1", 16, 32), argonOf("m=8,t=1,p=0", 16, 32)},
		{"The salt of argon2id is at least 8 octets", argonOf("m=8,t=1,p=1", 8, 32), argonOf("m=8,t=1,p=1", 7, 32)},
		{"The salt of argon2id is at most 64 octets", argonOf("m=8,t=1,p=1", 64, 32), argonOf("m=8,t=1,p=1", 65, 32)},
		{"The hash of argon2id is at least 16 octets", argonOf("m=8,t=1,p=1", 16, 16), argonOf("m=8,t=1,p=1", 16, 15)},
		{"The hash of argon2id is at most 64 octets", argonOf("m=8,t=1,p=1", 16, 64), argonOf("m=8,t=1,p=1", 16, 65)},
		{"The cost of bcrypt is at most 14", "$2b$14" + bcryptRest, "$2b$15" + bcryptRest},
		{"The most that bcrypt itself knows is refused", "$2a$14" + bcryptRest, "$2a$31" + bcryptRest},
		{"The cost of bcrypt is at least 4", "$2y$04" + bcryptRest, "$2y$03" + bcryptRest},
		{"The hash of sha256 is 32 octets", "$sha256$" + base64Of(32), "$sha256$" + base64Of(31)},
		{"The hash of sha256 is not longer", "$sha256$" + base64Of(32), "$sha256$" + base64Of(33)},
		{"The hash of sha512 is 64 octets", "$sha512$" + base64Of(64), "$sha512$" + base64Of(63)},
		{"The hash of sha512 is not longer", "$sha512$" + base64Of(64), "$sha512$" + base64Of(65)},
		{"The hash of sha512 is not that of sha256", "$sha512$" + base64Of(64), "$sha512$" + base64Of(32)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Parse(c.within); err != nil {
				t.Errorf("%s: %v", c.within, err)
			}
			if h, err := Parse(c.beyond); err == nil {
				t.Errorf("%s: no error", c.beyond)
			} else if h.matches("") || h.algorithm != "" {
				t.Errorf("%s: a Hash beside the error: %v", c.beyond, h)
			}
			checkSilent(t, c.beyond)
		})
	}
}

func TestMalformedHashesAreRefused(t *testing.T) {
	good := "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$bXdeq3skmiiNJHtjgynxq2+Nfhd02Ek+Vfo/7nqYyiE"
	with := func(old, other string) string { return strings.Replace(good, old, other, 1) }
	for name, stored := range map[string]string{
		"an empty string":                    "",
		"a secret that was not hashed":       "the-secret-in-the-clear",
		"a secret that begins with a dollar": "$the-secret-in-the-clear",
		"a hash without its algorithm":       "xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo",
		"an algorithm alone":                 "$sha256$",
		"an algorithm in capitals":           "$SHA256$xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo",
		"a space before the hash":            " $sha256$xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo",
		"a space after the hash":             "$sha256$xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo ",
		"an algorithm that is unknown":       "$md5$xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo",
		"base64url":                          "$sha256$xLvLH77JnWW_WdhcjLYu4tuWPw_hBvSD2a-nO9Tjmoo",
		"hexadecimal":                        "$sha256$c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a",
		"two hashes":                         "$sha256$xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo$xLvLH77JnWW",
		"bits that are in no octet":          "$sha256$xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmop",
		"padding in the middle":              "$sha256$xLvLH77JnWW/WdhcjLYu4tuWPw/=hBvSD2a+nO9Tjmoo",
		"argon2i":                            with("argon2id", "argon2i"),
		"argon2d":                            with("argon2id", "argon2d"),
		"argon2id of an older version":       with("v=19", "v=16"),
		"argon2id without a version":         with("$v=19", ""),
		"argon2id without parameters":        with("m=64,t=2,p=2", ""),
		"argon2id in another order":          with("m=64,t=2,p=2", "t=2,m=64,p=2"),
		"argon2id without lanes":             with(",p=2", ""),
		"argon2id with a keyid":              with("p=2", "p=2,keyid=eA"),
		"argon2id with a negative number":    with("m=64", "m=-64"),
		"argon2id with a sign":               with("m=64", "m=+64"),
		"argon2id with a hexadecimal number": with("m=64", "m=0x40"),
		"argon2id with letters for lanes":    with("p=2", "p=two"),
		"argon2id with more after the lanes": with("p=2", "p=2x"),
		"argon2id with a bad salt":           with("c29t", "c2*t"),
		"argon2id with a bad hash":           with("bXde", "bX*e"),
		"argon2id without a salt":            with("c29tZXNhbHRzb21lc2FsdA", ""),
		"argon2id without a hash":            with("$bXdeq3skmiiNJHtjgynxq2+Nfhd02Ek+Vfo/7nqYyiE", ""),
		"argon2id with an empty hash":        with("bXdeq3skmiiNJHtjgynxq2+Nfhd02Ek+Vfo/7nqYyiE", ""),
		"argon2id with a part too many":      good + "$",
		"bcrypt cut short":                   "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6C",
		"bcrypt that goes on":                "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CGx",
		"bcrypt without a cost":              "$2b$" + bcryptRest,
		"bcrypt with letters for cost":       "$2b$xx" + bcryptRest,
		"bcrypt of the broken version":       "$2x$04" + bcryptRest,
		"bcrypt of the first version":        "$2$04" + bcryptRest,
		"crypt of SHA-256":                   "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8",
	} {
		t.Run("Parse refuses "+name, func(t *testing.T) {
			if h, err := Parse(stored); err == nil {
				t.Errorf("%q: got %v and no error", stored, h)
			}
			checkSilent(t, stored)
		})
	}
}

// checkSilent sees that the error repeats no part of what is stored: it goes to
// a log, and the stored string may be a secret that somebody forgot to hash.
func checkSilent(t *testing.T, stored string) {
	t.Helper()
	_, err := Parse(stored)
	if err == nil {
		return
	}
	for _, part := range strings.Split(stored, "$") {
		for start := 0; start+9 <= len(part); start++ {
			if quoted := part[start : start+9]; strings.Contains(err.Error(), quoted) {
				t.Errorf("the error quotes %q: %v", quoted, err)
				return
			}
		}
	}
}
