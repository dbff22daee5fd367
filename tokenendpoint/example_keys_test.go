package tokenendpoint_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// vaultKeys are keys that live elsewhere. Whatever watches the vault calls
// replace when they change; until then Keys returns the same slice.
type vaultKeys struct {
	current atomic.Pointer[[]tokenendpoint.Key]
}

func (v *vaultKeys) Keys(context.Context) ([]tokenendpoint.Key, error) { return *v.current.Load(), nil }

func (v *vaultKeys) replace(keys ...tokenendpoint.Key) { v.current.Store(&keys) }

// connectVault stands for what opens a key in a KMS or an HSM: its client
// libraries have a crypto.Signer, and the private key never leaves them.
func connectVault() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	return key
}

// Keys may come from anywhere that has a crypto.Signer.
func ExampleKeySource() {
	old := tokenendpoint.Key{ID: "2026-01", Alg: tokenendpoint.ES256, Signer: connectVault()}
	keys := new(vaultKeys)
	keys.replace(old)

	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:  "https://shop.example",
		Clients: memory.NewClients(),
		Scopes:  memory.NewScopes(),
		Keys:    keys,
		Grants:  []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	endpoint.Mount(mux)

	keys.replace(old, tokenendpoint.Key{ID: "2026-02", Alg: tokenendpoint.ES256, Signer: connectVault()})

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/.well-known/openid-configuration/jwks", nil))
	fmt.Println(w.Code, regexp.MustCompile(`"kid":"[^"]*"`).FindAllString(w.Body.String(), -1))
	// Output:
	// 200 ["kid":"2026-01" "kid":"2026-02"]
}
