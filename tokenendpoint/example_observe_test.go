package tokenendpoint_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// Observe is the place to count, to raise alarms and to log in one's own way. An
// observer that wants the usual log lines as well calls LogEvents.
func ExampleConfig_observe() {
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "duration" {
				return slog.Attr{} // the same in every run
			}
			return a
		},
	})
	logEvent := tokenendpoint.LogEvents(slog.New(handler)) // issued tokens are logged at Debug, so not here
	count := make(map[tokenendpoint.Reason]int)            // a real observer is called by many goroutines and locks

	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "till", GrantTypes: []string{"client_credentials"}, Scope: "orders.read"},
			Secrets:  []store.Secret{{Hash: store.HashSecret("secret")}},
		}),
		Scopes: memory.NewScopes(store.Scope{Name: "orders.read"}),
		Keys:   &tokenendpoint.RollingKeys{},
		Grants: []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Observe: func(ctx context.Context, event tokenendpoint.Event) {
			count[event.Reason]++
			logEvent(ctx, event)
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	for _, secret := range []string{"secret", "guess", "secret"} {
		form := "grant_type=client_credentials&client_id=till&client_secret=" + secret
		r := httptest.NewRequest("POST", "/connect/token", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		endpoint.ServeHTTP(httptest.NewRecorder(), r)
	}
	fmt.Println(count)
	// Output:
	// level=INFO msg="request refused" reason=secret_mismatch status=401 client_id=till grant_type=client_credentials remote_addr=192.0.2.1 error="invalid_client: client authentication failed"
	// map[issued:2 secret_mismatch:1]
}
