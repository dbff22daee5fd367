package redis

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// engine is a server of the tests' own, on a unix socket or a loopback port.
type engine struct {
	binary, dir string
	network     string
	address     string
	args        []string
	process     *exec.Cmd
}

// binary returns the path of a server, or skips the test loudly; with CI=true a
// missing redis-server is a failure.
func binary(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case name == "redis-server" && os.Getenv("CI") == "true":
		t.Fatal("redis-server is missing: nothing was tested")
	}
	t.Skipf("%s IS NOT INSTALLED: this was not tested", name)
	return ""
}

func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gr") // short: the path of a socket may have a hundred bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// newEngine starts a server on a unix socket that keeps what it answered.
func newEngine(t testing.TB, name string, args ...string) *engine {
	t.Helper()
	e := &engine{binary: binary(t, name), dir: folder(t), network: "unix"}
	e.address = filepath.Join(e.dir, "s")
	e.args = append([]string{"--port", "0", "--unixsocket", e.address, "--dir", e.dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "always"}, args...)
	e.start(t)
	t.Cleanup(e.kill)
	return e
}

// newNode starts a server of a Cluster on a loopback port.
func newNode(t testing.TB) *engine {
	t.Helper()
	e := &engine{binary: binary(t, "redis-server"), dir: folder(t), network: "tcp", address: freeAddress(t)}
	_, port, _ := net.SplitHostPort(e.address)
	e.args = []string{"--bind", "127.0.0.1", "--port", port, "--dir", e.dir, "--save", "", "--cluster-enabled", "yes",
		"--cluster-port", strconv.Itoa(freeAddressPort(t)), "--appendonly", "yes", "--appendfsync", "always"}
	e.start(t)
	t.Cleanup(e.kill)
	return e
}

func freeAddress(t testing.TB) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(freeAddressPort(t)))
}

func freeAddressPort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start starts the server, again after kill, and returns when it answers.
func (e *engine) start(t testing.TB) {
	t.Helper()
	e.process = exec.Command(e.binary, e.args...)
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	e.process.Stdout, e.process.Stderr = log, log
	if err := e.process.Start(); err != nil {
		t.Fatal(err)
	}
	client := e.client()
	defer client.Close()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		err := client.Ping(context.Background()).Err()
		if err == nil {
			return
		}
		if time.Since(began) > 20*time.Second {
			text, _ := os.ReadFile(filepath.Join(e.dir, "log"))
			t.Fatalf("the engine does not answer: %v\n%s", err, text)
		}
	}
}

// kill ends the server as kill -9 does.
func (e *engine) kill() {
	_ = e.process.Process.Kill()
	_ = e.process.Wait()
}

func (e *engine) signal(s syscall.Signal) { _ = e.process.Process.Signal(s) }

func (e *engine) options() *redis.Options {
	return &redis.Options{Network: e.network, Addr: e.address, ContextTimeoutEnabled: true, DialerRetries: 1}
}

func (e *engine) client() *redis.Client { return redis.NewClient(e.options()) }

// newStore returns a store with a client of its own.
func newStore(t testing.TB, client redis.UniversalClient, prefix string) *Store {
	t.Helper()
	t.Cleanup(func() { client.Close() })
	s, err := New(context.Background(), client, Config{Prefix: prefix, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newCluster starts three masters and returns their addresses.
func newCluster(t testing.TB) []string {
	t.Helper()
	ctx := context.Background()
	nodes := []*engine{newNode(t), newNode(t), newNode(t)}
	var addresses []string
	for i, node := range nodes {
		client := node.client()
		defer client.Close()
		first, last := i*16384/3, (i+1)*16384/3-1
		if err := client.ClusterAddSlotsRange(ctx, first, last).Err(); err != nil {
			t.Fatal(err)
		}
		host, port, _ := net.SplitHostPort(nodes[0].address)
		bus := nodes[0].args[len(nodes[0].args)-5]
		if err := client.Do(ctx, "cluster", "meet", host, port, bus).Err(); err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, node.address)
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		ready := 0
		for _, node := range nodes {
			client := node.client()
			info, _ := client.ClusterInfo(ctx).Result()
			client.Close()
			if strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_slots_assigned:16384") {
				ready++
			}
		}
		if ready == len(nodes) {
			return addresses
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal("the Cluster does not come up")
		}
	}
}

var prefixes atomic.Int64

// prefix returns one that nobody used before.
func prefix() string {
	return fmt.Sprintf("test %d of %d:", prefixes.Add(1), time.Now().UnixNano())
}
