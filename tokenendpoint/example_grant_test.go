package tokenendpoint_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// voucherGrant lets whoever holds a printed voucher act as the customer that it
// was given to.
type voucherGrant struct {
	customers map[string]string // by voucher
}

func (voucherGrant) GrantType() string { return "urn:example:voucher" }

func (g voucherGrant) Validate(_ context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	customer, ok := g.customers[req.Form.Get("voucher")]
	if !ok {
		return nil, tokenendpoint.InvalidGrant
	}
	return &tokenendpoint.Result{
		Grant:   store.Grant{Subject: customer},
		Members: tokenendpoint.Members{"customer": customer},
	}, nil
}

// A grant type of one's own is two methods. The client, its permission to use
// the grant and the scopes that it asks for were checked before they are called.
func ExampleGrantValidator() {
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "till", GrantTypes: []string{"urn:example:voucher"}, Scope: "orders.read"},
			Secrets:  []store.Secret{{Hash: store.HashSecret("secret")}},
		}),
		Scopes: memory.NewScopes(store.Scope{Name: "orders.read"}),
		Keys:   &tokenendpoint.RollingKeys{},
		Grants: []tokenendpoint.GrantValidator{voucherGrant{customers: map[string]string{"4711": "alice"}}},
	})
	if err != nil {
		log.Fatal(err)
	}

	form := "grant_type=urn:example:voucher&voucher=4711&client_id=till&client_secret=secret"
	r := httptest.NewRequest("POST", "/connect/token", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)

	var answer struct{ Customer, Scope string }
	err = json.Unmarshal(w.Body.Bytes(), &answer)
	fmt.Println(w.Code, answer.Customer, answer.Scope, err)
	// Output:
	// 200 alice orders.read <nil>
}
