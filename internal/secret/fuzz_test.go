package secret

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// What Parse accepts can be computed: within the bounds, and without a panic.
func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.stored)
	}
	f.Add("")
	f.Add("$")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$c29tZXNhbHQ$06Wr8U2SAkKoP7GcsG0Rcg")
	f.Add("$argon2id$v=19$m=0,t=0,p=0$$")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Add("$2b$31" + bcryptRest)
	f.Add("$2b$" + strings.Repeat("$", 56))
	f.Fuzz(func(t *testing.T, stored string) {
		h, err := Parse(stored)
		if err != nil {
			if h.algorithm != "" || h.sum != nil || h.salt != nil {
				t.Errorf("%q: a Hash beside the error %v", stored, err)
			}
			return
		}
		if !strings.HasPrefix(stored, "$"+h.algorithm+"$") && h.algorithm != "bcrypt" {
			t.Errorf("%q is said to be %s", stored, h.algorithm)
		}
		switch h.algorithm {
		case "sha256", "sha512":
			if size := map[string]int{"sha256": 32, "sha512": 64}[h.algorithm]; h.Slow() || len(h.sum) != size {
				t.Errorf("%q: %d octets, want %d", stored, len(h.sum), size)
			}
		case "argon2id":
			if !h.Slow() || h.memory > 256<<10 || h.memory < 8*uint32(h.lanes) || h.time < 1 || h.time > 10 || h.lanes < 1 || h.lanes > 16 ||
				len(h.salt) < 8 || len(h.salt) > 64 || len(h.sum) < 16 || len(h.sum) > 64 {
				t.Errorf("%q: beyond the bounds: %+v", stored, h)
			}
		case "bcrypt":
			if cost, err := bcrypt.Cost([]byte(stored)); !h.Slow() || err != nil || cost < bcrypt.MinCost || cost > 14 || len(stored) != 60 {
				t.Errorf("%q: beyond the bounds: cost %d, %v", stored, cost, err)
			}
		default:
			t.Errorf("%q: algorithm %q", stored, h.algorithm)
		}
	})
}
