package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
)

// The test binary runs itself as the processes of a service.
func TestMain(m *testing.M) {
	switch job := os.Getenv("GRANTOR_TEST_WORKER"); job {
	case "":
		os.Exit(m.Run())
	case "spend", "load", "use":
		client := redis.NewClient(&redis.Options{Network: "unix", Addr: os.Getenv("GRANTOR_TEST_SOCKET"), ContextTimeoutEnabled: true})
		s, err := New(context.Background(), client, Config{Prefix: os.Getenv("GRANTOR_TEST_PREFIX")})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		map[string]func(*Store, string){"spend": spendAll, "load": load, "use": useAll}[job](s, os.Getenv("GRANTOR_TEST_NAME"))
	}
}

// worker is such a process.
type worker struct {
	*exec.Cmd
	in  io.WriteCloser
	out chan string // a line each; closed when the process has ended
}

func newWorker(t *testing.T, e *engine, job, prefix, name string) *worker {
	t.Helper()
	w := &worker{Cmd: exec.Command(os.Args[0]), out: make(chan string, 1<<20)}
	w.Env = append(os.Environ(), "GRANTOR_TEST_WORKER="+job, "GRANTOR_TEST_SOCKET="+e.address,
		"GRANTOR_TEST_PREFIX="+prefix, "GRANTOR_TEST_NAME="+name)
	w.Stderr = os.Stderr
	in, err := w.StdinPipe()
	out, outs := w.StdoutPipe()
	if err := errors.Join(err, outs, w.Start()); err != nil {
		t.Fatal(err)
	}
	w.in = in
	t.Cleanup(w.kill)
	go func() {
		defer close(w.out)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			w.out <- lines.Text()
		}
	}()
	return w
}

// kill ends the process as kill -9 does.
func (w *worker) kill() { _ = w.Process.Kill() }

// wait returns the lines that the process wrote until it ended.
func (w *worker) wait() []string {
	var lines []string
	for line := range w.out {
		lines = append(lines, line)
	}
	_ = w.Cmd.Wait()
	return lines
}

// spendAll spends each record that it reads and says whether it was the one.
func spendAll(s *Store, name string) {
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		family, hash, _ := strings.Cut(lines.Text(), " ")
		f := store.Family{ID: family}
		r := store.Record{Key: store.Key{Family: family, Hash: hash}}
		err := s.Exchange(context.Background(), rotation(r, newRecord(f), name))
		switch {
		case err == nil:
			fmt.Println("won", hash)
		case !errors.Is(err, store.ErrConflict):
			fmt.Println("failed", err)
		}
	}
}

// useAll uses each id that it reads and says with which it was first.
func useAll(s *Store, _ string) {
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		switch first, err := s.Use(context.Background(), lines.Text(), time.Hour); {
		case err != nil:
			fmt.Println("failed", err)
		case first:
			fmt.Println("first", lines.Text())
		}
	}
}

// load begins families, rotates their records and revokes some by their session,
// and writes down what it tries and what was answered, until it is killed.
func load(s *Store, name string) {
	ctx := context.Background()
	for turn := 0; ; turn++ {
		session := fmt.Sprint(name, " ", turn)
		for range 2 {
			f := newFamily(time.Hour)
			f.Session = session
			r := newRecord(f)
			if s.Exchange(ctx, &store.Change{Family: f, Begin: true, Issue: []store.Record{r}}) != nil {
				time.Sleep(5 * time.Millisecond) // the engine is away
				continue
			}
			fmt.Println("began", f.ID, r.Key.Hash, session)
			for range 4 {
				next, by := newRecord(f), random(16)
				fmt.Println("tries", f.ID, r.Key.Hash, next.Key.Hash, by)
				if s.Exchange(ctx, rotation(r, next, by)) != nil {
					break
				}
				fmt.Println("spent", f.ID, r.Key.Hash, next.Key.Hash, by)
				r = next
			}
		}
		if turn%3 == 0 {
			if _, err := s.Revoke(ctx, store.Match{Session: session}, time.Now()); err == nil {
				fmt.Println("revoked", session)
			}
		}
	}
}
