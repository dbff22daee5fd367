package jose_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

// retained is how many octets of the heap what make returns holds.
func retained[T any](make func() T) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := make()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// Sets and texts are kept for long, and what else a stranger wrote beside them is not.
func TestWhatIsKeptDoesNotKeepTheRest(t *testing.T) {
	const n = 40
	padding := strings.Repeat("x", 100<<10)
	set := []byte(`{"keys":[` + jwk(t, keys()["ES256"].Public(), "kid", `"k1"`, "alg", `"ES256"`, "use", `"sig"`, "key_ops", `["verify"]`, "x5c", `["`+padding+`"]`) + `]}`)
	members := []byte(`{"text":"a","texts":["a","b"],"aud":"a","x":"` + padding + `"}`)
	for name, make := range map[string]func() any{
		"keys": func() any {
			var all [][]jose.JWK
			for range n {
				keys, err := jose.ParseJWKS(set)
				if err != nil || len(keys) != 1 {
					t.Fatal(len(keys), err)
				}
				all = append(all, keys)
			}
			return all
		},
		"texts": func() any {
			var all []any
			for range n {
				o, err := jose.ParseObject(members)
				if err != nil {
					t.Fatal(err)
				}
				text, _ := o.Text("text")
				texts, _ := o.Texts("texts")
				aud, _ := o.Texts("aud")
				all = append(all, text, texts, aud)
			}
			return all
		},
	} {
		if size := retained(make); size > n*int64(len(padding))/10 {
			t.Errorf("%s: %d octets each", name, size/n)
		}
	}
}
