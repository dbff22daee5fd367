package middleware_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/grantor-go/grantor/middleware"
)

// endpoint stands in for the token endpoint.
var endpoint = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusOK)
})

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
