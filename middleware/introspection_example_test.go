package middleware_test

import (
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
	api := &middleware.RequireToken{Issuer: "https://shop.example", Resource: "https://api.example", Introspect: introspection.Introspect}
	handler := api.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := middleware.TokenFrom(r.Context())
		fmt.Fprintf(w, "hello %s", token.Subject)
	}))
	for _, token := range []string{"good", "bad"} {
		r := httptest.NewRequest(http.MethodGet, "https://api.example/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 hello alice
	// 401 {"error":"invalid_token","error_description":"the access token has expired, was revoked or is unknown"}
}
