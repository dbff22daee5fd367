package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/sqlite"
)

func Example() {
	dir, err := os.MkdirTemp("", "example") // a service has a folder that lasts
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, err := sqlite.Open(ctx, filepath.Join(dir, "grants.db"))
	if err != nil {
		panic(err)
	}
	defer s.Close()
	go store.PurgeEvery(ctx, s, time.Hour, slog.Default())

	_, stored := store.NewSecret()
	err = s.PutClient(ctx, store.Client{
		Metadata: store.Metadata{ID: "reports", GrantTypes: []string{"client_credentials"}, Scope: "invoices.read"},
		Secrets:  []store.Secret{stored},
	})
	fmt.Println(err)

	client, err := s.Client(ctx, "reports")
	fmt.Println(client.ID, client.Scope, err)

	_, err = s.Client(ctx, "Reports")
	fmt.Println(errors.Is(err, store.ErrNotFound))

	revoked, err := s.Revoke(ctx, store.Match{Subject: "alice"}, time.Now())
	fmt.Println(revoked, err)
	// Output:
	// <nil>
	// reports invoices.read <nil>
	// true
	// 0 <nil>
}
