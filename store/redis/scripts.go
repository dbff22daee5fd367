package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
)

var (
	//go:embed lua/common.lua
	commonLua string
	//go:embed lua/exchange.lua
	exchangeLua string
	//go:embed lua/index.lua
	indexLua string
	//go:embed lua/revoke.lua
	revokeLua string
)

// Each script touches one key, so that on a Cluster it runs where that is kept.
var (
	exchangeScript = newScript(exchangeLua)
	indexScript    = newScript(indexLua)
	revokeScript   = newScript(revokeLua)
)

type script struct{ text, hash string }

func newScript(text string) script {
	text = commonLua + text
	return script{text, redis.NewScript(text).Hash()}
}

// once is a command that is sent once. The client repeats others when a connection
// breaks: an exchange that was made and is then repeated would be answered
// ErrConflict, as if somebody else had been first. Nor is it ever answered from a
// cache of the client's.
type once struct{ *redis.Cmd }

// NoRetry tells the client.
func (once) NoRetry() bool { return true }

func command(ctx context.Context, args ...any) once {
	return once{redis.NewCmd(ctx, args...)}
}

// call is a script on its key.
type call struct {
	script script
	key    string
	args   []any
}

func (c call) command(ctx context.Context, name, text string) once {
	cmd := command(ctx, append([]any{name, text, 1, c.key}, c.args...)...)
	cmd.SetFirstKeyPos(3)
	return cmd
}

// do sends a command to the master that keeps its key.
func (s *Store) do(ctx context.Context, cmd once) (any, error) {
	_ = s.client.Process(ctx, cmd) // cmd has the error
	return reply(cmd)
}

// run runs a script, and sends its text to an engine that does not have it.
func (s *Store) run(ctx context.Context, c call) (any, error) {
	answer, err := s.do(ctx, c.command(ctx, "evalsha", c.script.hash))
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		answer, err = s.do(ctx, c.command(ctx, "eval", c.script.text))
	}
	return answer, err
}

// runAll runs scripts in one round trip, each on its own. The answers stand in the
// order of the calls. If one fails others may have been run.
func (s *Store) runAll(ctx context.Context, calls []call) ([]any, error) {
	if len(calls) == 1 {
		answer, err := s.run(ctx, calls[0])
		return []any{answer}, err
	}
	cmds, pipe := make([]once, len(calls)), s.client.Pipeline()
	for i, c := range calls {
		cmds[i] = c.command(ctx, "evalsha", c.script.hash)
		_ = pipe.Process(ctx, cmds[i]) // only queues it
	}
	_, _ = pipe.Exec(ctx) // each of cmds has its own error
	answers := make([]any, len(calls))
	for i, cmd := range cmds {
		var err error
		if answers[i], err = reply(cmd); redis.HasErrorPrefix(err, "NOSCRIPT") {
			answers[i], err = s.run(ctx, calls[i])
		}
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// reply returns the answer to a command. A key of another type is a fault of what
// is kept, everything else an outage.
func reply(cmd once) (any, error) {
	answer, err := cmd.Result()
	var answered redis.Error
	switch {
	case err == nil:
		return answer, nil
	case errors.As(err, &answered) && strings.Contains(err.Error(), "WRONGTYPE"):
		return nil, fmt.Errorf("%w: a key of the store has another type", store.ErrCorrupt)
	}
	return nil, fmt.Errorf("redis: %w", err)
}
