package middleware_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// endpoint stands in for the token endpoint.
var endpoint = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusOK)
})

// A mux of the endpoint's own has what Mount adds, and the service's mux wraps
// the part of it that is to be wrapped.
func Example() {
	proxies, err := middleware.ParseProxies("10.0.0.0/8")
	if err != nil {
		log.Fatal(err)
	}
	cors, err := middleware.CORS("https://app.example")
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:     "https://shop.example",
		Clients:    memory.NewClients(),
		Scopes:     memory.NewScopes(),
		Keys:       &tokenendpoint.RollingKeys{Logger: slog.New(slog.DiscardHandler)},
		Grants:     []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		RemoteAddr: proxies.RemoteAddr, // whom failed attempts are counted by
	})
	if err != nil {
		log.Fatal(err)
	}

	inner := http.NewServeMux()
	endpoint.Mount(inner)
	mux := http.NewServeMux() // the service's
	mux.Handle("/.well-known/", inner)
	mux.Handle("/connect/", cors(middleware.RequireTLS(proxies)(inner)))

	for _, target := range []string{"/connect/token", "/.well-known/openid-configuration/jwks"} {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("Origin", "https://app.example")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(target, w.Code, w.Header().Get("Access-Control-Allow-Origin"))
	}
	// Output:
	// /connect/token 400 https://app.example
	// /.well-known/openid-configuration/jwks 200 *
}

func ExampleProxies_RemoteAddr() {
	proxies, err := middleware.ParseProxies("10.0.0.0/8")
	if err != nil {
		log.Fatal(err)
	}

	r := httptest.NewRequest(http.MethodPost, "/connect/token", nil)
	r.RemoteAddr = "10.0.0.7:40312"
	// The caller made up the first address; the proxies added the others.
	r.Header.Set("X-Forwarded-For", "203.0.113.66, 198.51.100.1, 10.0.0.3")
	fmt.Println(proxies.RemoteAddr(r))

	r.RemoteAddr = "192.0.2.1:40312"
	fmt.Println(proxies.RemoteAddr(r))
	// Output:
	// 198.51.100.1
	// 192.0.2.1
}

func ExampleRequireTLS() {
	proxies, err := middleware.ParseProxies("10.0.0.7")
	if err != nil {
		log.Fatal(err)
	}
	handler := middleware.RequireTLS(proxies)(endpoint)

	r := httptest.NewRequest(http.MethodPost, "/connect/token", nil)
	r.RemoteAddr = "10.0.0.7:40312"
	r.Header.Set("X-Forwarded-Proto", "https")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code)

	r.Header.Set("X-Forwarded-Proto", "http")
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200
	// 400 {"error":"invalid_request","error_description":"TLS is required"}
}

func ExampleCORS() {
	cors, err := middleware.CORS("https://app.example", "http://localhost:3000")
	if err != nil {
		log.Fatal(err)
	}
	handler := cors(endpoint)

	for _, origin := range []string{"https://app.example", "https://evil.example"} {
		r := httptest.NewRequest(http.MethodOptions, "/connect/token", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Printf("%s: %d %q\n", origin, w.Code, w.Header().Get("Access-Control-Allow-Origin"))
	}
	// Output:
	// https://app.example: 204 "https://app.example"
	// https://evil.example: 403 ""
}
