package redis

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// checked returns the error of New and what it logs.
func checked(t *testing.T, client redis.UniversalClient) (string, string) {
	t.Helper()
	t.Cleanup(func() { client.Close() })
	var log bytes.Buffer
	s, err := New(t.Context(), client, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err == nil {
		return "", log.String()
	}
	if s != nil {
		t.Error("New returned a store beside the error")
	}
	return err.Error(), log.String()
}

func TestNew(t *testing.T) {
	e := newEngine(t, "redis-server")

	t.Run("an engine that keeps all promises is not worth a word", func(t *testing.T) {
		if err, log := checked(t, e.client()); err != "" || log != "" {
			t.Errorf("error %q, log %q", err, log)
		}
	})
	t.Run("a setting that breaks a promise is warned of with its value", func(t *testing.T) {
		lax := newEngine(t, "redis-server", "--appendonly", "no", "--appendfsync", "everysec", "--maxmemory-policy", "allkeys-lru")
		err, log := checked(t, lax.client())
		for _, want := range []string{
			"setting=appendonly value=no want=yes", "setting=appendfsync value=everysec want=always",
			"setting=maxmemory-policy value=allkeys-lru want=noeviction",
		} {
			if err != "" || strings.Count(log, want) != 1 {
				t.Errorf("error %q; %q is not in\n%s", err, want, log)
			}
		}
	})
	t.Run("settings that may not be read are reported as unknown", func(t *testing.T) {
		admin := e.client()
		defer admin.Close()
		if err := admin.Do(t.Context(), "acl", "setuser", "guest", "on", "nopass", "~*", "+@all", "-config", "-info").Err(); err != nil {
			t.Fatal(err)
		}
		options := e.options()
		options.Username, options.Password = "guest", "x"
		err, log := checked(t, redis.NewClient(options))
		if err != "" || strings.Count(log, "unknown") != 5 {
			t.Errorf("error %q, log\n%s", err, log)
		}
	})
	t.Run("a client that does not obey deadlines is refused", func(t *testing.T) {
		options := e.options()
		options.ContextTimeoutEnabled = false
		if err, _ := checked(t, redis.NewClient(options)); !strings.Contains(err, "set ContextTimeoutEnabled") {
			t.Errorf("error %q", err)
		}
		if err, _ := checked(t, redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"localhost:1"}})); !strings.Contains(err, "set ContextTimeoutEnabled") {
			t.Errorf("error %q", err)
		}
	})
	t.Run("a client that reads from replicas, and one that is none, are refused", func(t *testing.T) {
		for _, options := range []redis.ClusterOptions{{ReadOnly: true}, {RouteByLatency: true}, {RouteRandomly: true}} {
			options.Addrs, options.ContextTimeoutEnabled = []string{"localhost:1"}, true
			if err, _ := checked(t, redis.NewClusterClient(&options)); !strings.Contains(err, "unset ReadOnly") {
				t.Errorf("error %q", err)
			}
		}
		if err, _ := checked(t, redis.NewRing(&redis.RingOptions{})); !strings.Contains(err, "use a Cluster") {
			t.Errorf("error %q", err)
		}
		if _, err := New(t.Context(), nil, Config{}); err == nil {
			t.Error("no client is accepted")
		}
	})
	t.Run("an engine that does not answer is an error", func(t *testing.T) {
		if err, _ := checked(t, redis.NewClient(&redis.Options{Network: "unix", Addr: e.dir + "/nothing", ContextTimeoutEnabled: true, DialerRetries: 1})); !strings.Contains(err, "reading INFO") {
			t.Errorf("error %q", err)
		}
	})
	t.Run("a version that lacks commands, and a replica, are refused", func(t *testing.T) {
		for info, want := range map[string]string{
			"redis_version:6.0.16\r\nrole:master\r\n": "6.2 or later is needed",
			"redis_version:5.9.9\r\nrole:master\r\n":  "6.2 or later is needed",
			"redis_version:6.2.0\r\nrole:slave\r\n":   "connect to its master",
			"redis_version:6.2.0\r\nrole:master\r\n":  "",
			"redis_version:10.0.1\r\nrole:master\r\n": "",
		} {
			err := checkInfo(t.Context(), info, slog.New(slog.DiscardHandler))
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %v", info, err)
			}
		}
	})
}
