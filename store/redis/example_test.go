package redis_test

import (
	"context"
	"log"

	goredis "github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/redis"
)

func Example() {
	client := goredis.NewUniversalClient(&goredis.UniversalOptions{
		Addrs:                 []string{"localhost:6379"}, // several make it a Cluster
		ContextTimeoutEnabled: true,
	})
	defer client.Close()

	grants, err := redis.New(context.Background(), client, redis.Config{Prefix: "signin:"})
	if err != nil {
		log.Fatal(err)
	}
	var _ store.GrantStore = grants // what the endpoint takes
}
