package postgres_test

import (
	"context"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/postgres"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := postgres.Open(ctx, os.Getenv("DATABASE_URL")) // postgres://app@db/app?search_path=auth&pool_max_conns=16
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	purging, stop := context.WithCancel(context.Background())
	defer stop()
	go store.PurgeEvery(purging, s, 10*time.Minute, slog.Default())

	secret, stored := store.NewSecret()
	err = s.PutClient(ctx, store.Client{
		Metadata: store.Metadata{ID: "reports", GrantTypes: []string{"client_credentials"}, Scope: "invoices.read"},
		Secrets:  []store.Secret{stored},
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = secret // for the client, and nobody else
}
