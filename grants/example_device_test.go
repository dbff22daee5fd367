package grants_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/netip"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

var devices = grants.DeviceCode{VerificationURL: "https://shop.example/device"}

// devicePage is the service's own page, for a user who is signed in. Its form holds
// the user code and, on the page that asks, two buttons; it is guarded against forms of
// other sites as every form of the service is.
func devicePage(endpoint *tokenendpoint.Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		addr, _ := netip.ParseAddrPort(r.RemoteAddr)
		visitor := grants.Visitor{Subject: "alice", RemoteAddr: addr.Addr()} // from the service's session
		code, err := r.FormValue("user_code"), error(nil)
		switch r.PostFormValue("action") {
		case "allow":
			err = devices.Approve(r.Context(), endpoint, visitor, code, store.Grant{Subject: visitor.Subject})
		case "deny":
			err = devices.Deny(r.Context(), endpoint, visitor, code)
		default: // also of the complete address: nothing is approved without a click
			var pending *tokenendpoint.Pending
			if pending, err = devices.Find(r.Context(), endpoint, visitor, code); err == nil {
				fmt.Fprintf(w, "Allow %s to use %v? Only if your device shows this code too.", pending.Client.Name, pending.Grant.Scopes)
				return
			}
		}
		var refusal *tokenendpoint.Error
		switch {
		case err == nil:
			fmt.Fprint(w, "Go back to your device.")
		case !errors.As(err, &refusal) || refusal.Code == tokenendpoint.ServerError:
			http.Error(w, "This does not work at the moment.", http.StatusInternalServerError)
		case refusal.Reason == tokenendpoint.ReasonThrottled:
			http.Error(w, "Too many codes were wrong. Come back later.", http.StatusTooManyRequests)
		case refusal.Code == tokenendpoint.TemporarilyUnavailable:
			http.Error(w, "This does not work at the moment.", http.StatusServiceUnavailable)
		default: // unknown, expired, decided already
			http.Error(w, "This code does not work. Have your device show a new one.", http.StatusNotFound)
		}
	}
}

// A device gets a code, its user enters it on a page of the service.
func ExampleDeviceCode() {
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "tv", Name: "The television", GrantTypes: []string{devices.GrantType()}, Scope: "films.watch", TokenEndpointAuthMethod: store.NoAuth},
		}),
		Scopes:  memory.NewScopes(store.Scope{Name: "films.watch"}),
		Keys:    &tokenendpoint.RollingKeys{Dir: "/var/lib/shop/keys"},
		Grants:  []tokenendpoint.GrantValidator{devices},
		Records: new(memory.Grants), // or a database: store/sqlite, store/postgres, store/redis
	})
	if err != nil {
		log.Fatal(err)
	}
	endpoint.Mount(http.DefaultServeMux) // POST /connect/deviceauthorization too
	http.HandleFunc("/device", devicePage(endpoint))
	log.Fatal(http.ListenAndServe("localhost:5001", nil))
}
