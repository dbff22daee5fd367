package memory_test

import (
	"context"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/store/memory"
)

func ExampleReplays() {
	replays := new(memory.Replays)
	ctx := context.Background()
	first, err := replays.Use(ctx, "fOmKfWRvCGh3wvfG_Kb7cu5rvbhqpb4nQ1rPI8Ud9m4", 5*time.Minute)
	fmt.Println(first, err)
	first, err = replays.Use(ctx, "fOmKfWRvCGh3wvfG_Kb7cu5rvbhqpb4nQ1rPI8Ud9m4", 5*time.Minute)
	fmt.Println(first, err)
	// Output:
	// true <nil>
	// false <nil>
}
