package tokenendpoint_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// bannedNetworks refuses whoever the operators banned, and counts as the default
// does.
type bannedNetworks struct {
	tokenendpoint.MemoryThrottle
	banned netip.Prefix
}

func (b *bannedNetworks) Blocked(ctx context.Context, attempt tokenendpoint.Attempt) (time.Duration, error) {
	if b.banned.Overlaps(attempt.Network) {
		return time.Hour, nil
	}
	return b.MemoryThrottle.Blocked(ctx, attempt)
}

// A throttle of one's own adds to the default or, over a database that all nodes
// share, replaces it.
func ExampleThrottle() {
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:   "https://shop.example",
		Clients:  memory.NewClients(),
		Scopes:   memory.NewScopes(),
		Keys:     &tokenendpoint.RollingKeys{Logger: slog.New(slog.DiscardHandler)},
		Grants:   []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Throttle: &bannedNetworks{banned: netip.MustParsePrefix("198.51.100.0/24")},
		Logger:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, from := range []string{"198.51.100.7:40312", "192.0.2.1:40312"} {
		r := httptest.NewRequest("POST", "/connect/token", strings.NewReader("grant_type=client_credentials"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("nobody", "a guess")
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	// Output:
	// 429 3600 {"error":"temporarily_unavailable","error_description":"too many failed attempts"}
	// 401  {"error":"invalid_client","error_description":"client authentication failed"}
}
