package grants_test

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// telephones reaches the service's users wherever they are.
type telephones struct {
	asked map[string]*grants.Authentication
} // by a reference of the service's own

func (t telephones) find(_ context.Context, req *grants.Authentication) (string, error) {
	if req.LoginHint != "alice@shop.example" {
		return "", tokenendpoint.UnknownUserID
	}
	return "alice", nil
}

func (t telephones) ask(_ context.Context, req *grants.Authentication) error {
	t.asked["4711"] = req // a service with several processes keeps Decision in its database, and rings
	return nil
}

// A desk that has a user on the telephone asks the service to have them confirm it.
func ExampleCIBA() {
	phones := telephones{asked: make(map[string]*grants.Authentication)}
	backchannel := &grants.CIBA{Resolve: phones.find, Ask: phones.ask}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "desk", GrantTypes: []string{backchannel.GrantType()}, Scope: "openid orders.read"},
			Secrets:  []store.Secret{{Hash: store.HashSecret("secret")}},
		}),
		Scopes:  memory.NewScopes(store.Scope{Name: "openid", Identity: true}, store.Scope{Name: "orders.read"}),
		Keys:    &tokenendpoint.RollingKeys{Dir: "/var/lib/shop/keys"},
		Grants:  []tokenendpoint.GrantValidator{backchannel},
		Records: new(memory.Grants),
	})
	if err != nil {
		log.Fatal(err)
	}
	endpoint.Mount(http.DefaultServeMux) // POST /connect/ciba too
	http.HandleFunc("POST /answer", func(w http.ResponseWriter, r *http.Request) {
		req := phones.asked[r.PostFormValue("reference")]
		if req == nil || req.Subject != "alice" { // who is signed in answers for themselves
			http.NotFound(w, r)
			return
		}
		var err error
		if r.PostFormValue("answer") == "yes" {
			err = backchannel.Approve(r.Context(), endpoint, req.Decision, store.Grant{Subject: "alice", AuthTime: time.Now(), AMR: []string{"swk"}})
		} else {
			err = backchannel.Deny(r.Context(), endpoint, req.Decision)
		}
		if err != nil {
			http.Error(w, "It is too late, or does not work at the moment.", http.StatusConflict)
		}
	})
	log.Fatal(http.ListenAndServe("localhost:5001", nil))
}
