package middleware_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/grantor-go/grantor/middleware"
)

// An API whose tokens come from an issuer elsewhere, and mean nothing but to it.
func ExampleIntrospection() {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := `{"active":false}`
		if r.FormValue("token") == "good" {
			answer = `{"active":true,"sub":"alice","client_id":"app","aud":"https://api.example"}`
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answer)
	}))
	defer issuer.Close()

	introspection := &middleware.Introspection{
		URL:              issuer.URL, // the introspection_endpoint in its metadata
		ClientID:         "api",
		ClientSecret:     "the secret that the issuer knows the API by",
		InsecureNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, // it is on this machine
	}
	if err := introspection.Check(); err != nil {
		fmt.Println(err)
		return
	}
	// RequireToken calls it: its field Introspect is introspection.Introspect.
	for _, token := range []string{"good", "bad"} {
		answer, err := introspection.Introspect(context.Background(), token)
		fmt.Println(string(answer), err)
	}
	// Output:
	// {"active":true,"sub":"alice","client_id":"app","aud":"https://api.example"} <nil>
	// {"active":false} <nil>
}
