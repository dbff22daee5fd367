package postgres

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestManyNodesMigrateAtOnce(t *testing.T) {
	url := newSchema(t)
	var nodes sync.WaitGroup
	errs := make(chan error, 8)
	for range 8 {
		nodes.Go(func() {
			s, err := Open(context.Background(), with(url, "pool_max_conns", "1"))
			if err == nil {
				s.Close()
			}
			errs <- err
		})
	}
	nodes.Wait()
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	versions, err := pgx.CollectRows(rows(t, url, "SELECT version::bigint FROM grantor_schema ORDER BY version"), pgx.RowTo[int64])
	if err != nil || len(versions) != 6 || versions[0] != 1 || versions[5] != 6 {
		t.Errorf("the versions are %v (%v), want 1 to 6, each once", versions, err)
	}
}

func rows(t *testing.T, url, sql string) pgx.Rows {
	t.Helper()
	rows, err := connect(t, url).Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestOpenKeepsWhatIsThere(t *testing.T) {
	url := newSchema(t)
	s := open(t, url)
	_, r := begun(t, s, "alice")
	s.Close()
	if got, _ := find(t, open(t, url), r.Key); got == nil {
		t.Error("the record is gone after another Open")
	}
}

func TestTablesAreInTheFirstSchemaOfTheSearchPath(t *testing.T) {
	first, second := newSchema(t), newSchema(t)
	a := open(t, first)
	_, r := begun(t, a, "alice")
	if got, _ := find(t, open(t, second), r.Key); got != nil {
		t.Error("a store in another schema finds the record")
	}
	// Tables of ours in a schema further back are somebody else's.
	path := strings.Join([]string{pathOf(t, newSchema(t)), pathOf(t, first)}, ",")
	if got, _ := find(t, open(t, with(first, "search_path", path)), r.Key); got != nil {
		t.Error("a store with that schema second in its search_path finds the record")
	}
}

func pathOf(t *testing.T, url string) string {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	return config.RuntimeParams["search_path"]
}

func TestWhatOpenRefuses(t *testing.T) {
	url := newSchema(t)
	newer := newSchema(t)
	open(t, newer).Close()
	do(t, connect(t, newer), "INSERT INTO grantor_schema (version) VALUES (77)")

	for name, refused := range map[string]struct{ url, words string }{
		"a schema that a newer release altered":      {newer, "the schema has version 77 and this release knows 6: a newer release altered it"},
		"a search_path that leads nowhere":           {with(url, "search_path", "nowhere"), "names no schema that exists"},
		"commits that are answered before they last": {with(url, "synchronous_commit", "off"), `synchronous_commit is "off"`},
		"a level at which a loser sees old rows":     {with(url, "default_transaction_isolation", "repeatable read"), `transaction_isolation is "repeatable read"`},
		"a role that may not write":                  {with(url, "default_transaction_read_only", "on"), `transaction_read_only is "on"`},
		"an engine that is not there":                {"postgres://u:canary-password@127.0.0.1:1/x", "connect"},
		"a URL that is none":                         {"postgres://u:canary-password@h:port/x", "parse"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), refused.url)
			if err == nil {
				s.Close()
				t.Fatal("Open returned no error")
			}
			if !strings.Contains(err.Error(), refused.words) || strings.Contains(err.Error(), "canary") || isVerdict(err) {
				t.Errorf("the error is %q, want one that says %q", err, refused.words)
			}
		})
	}
}

func TestARoleThatMayNotCreateUsesASchemaThatIsUpToDate(t *testing.T) {
	url := newSchema(t)
	open(t, url).Close()
	admin := connect(t, url)
	role := "grantor_test_" + strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(random(9)))
	schema := pathOf(t, url)
	do(t, admin, "CREATE ROLE "+role+" LOGIN")
	t.Cleanup(func() { do(t, admin, "DROP OWNED BY "+role+"; DROP ROLE "+role) })
	do(t, admin, "GRANT USAGE ON SCHEMA "+schema+" TO "+role+"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "+schema+" TO "+role)

	config := with(url, "user", role)
	s, err := Open(t.Context(), config)
	if err != nil {
		t.Fatalf("a role that may not create opens a schema that is up to date: %v", err)
	}
	f, r := begun(t, s, "alice")
	change, _ := rotation(f, r, "me")
	if err := s.Exchange(t.Context(), change); err != nil {
		t.Error(err)
	}
	purged(t, s, now.AddDate(1, 0, 0), 100, 3)
	s.Close()
}

func TestAStandbyIsRefused(t *testing.T) {
	e := newEngine(t)
	if err := e.server.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = e.server.Wait()
	if err := os.WriteFile(e.folder+"/data/standby.signal", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := e.start(); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), e.url()); err == nil {
		s.Close()
		t.Error("Open connects to it")
	}
	pool, err := pgxpool.New(t.Context(), e.url())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := New(t.Context(), pool); err == nil || !strings.Contains(err.Error(), `pg_is_in_recovery is "true": connect to the primary`) {
		t.Errorf("New: %v, want an error that says what to connect to", err)
	}
}

func TestSettingsThatAnOperatorMayMeanAreLogged(t *testing.T) {
	e := newEngine(t)
	admin := connect(t, e.url())
	do(t, admin, "ALTER SYSTEM SET fsync = off")
	do(t, admin, "ALTER SYSTEM SET full_page_writes = off")
	do(t, admin, "SELECT pg_reload_conf()")

	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	for i, unknown := range settings {
		if unknown.name == "full_page_writes" {
			settings[i].query = "current_setting('no_such_setting', true)"
			defer func() { settings[i] = unknown }()
		}
	}
	// Who connects after a reload has seen it only once its postmaster has.
	for deadline := 0; ; deadline++ {
		var fsync string
		if err := connect(t, e.url()).QueryRow(t.Context(), "SHOW fsync").Scan(&fsync); err != nil || deadline > 1000 {
			t.Fatalf("fsync is %q, %v", fsync, err)
		}
		if fsync == "off" {
			break
		}
	}
	open(t, with(e.url(), "synchronous_commit", "local"))
	for _, words := range []string{
		"setting=synchronous_commit value=local remedy=", "setting=fsync value=off remedy=\"fsync = on in postgresql.conf",
		"setting=full_page_writes value=unknown remedy=",
	} {
		if !strings.Contains(log.String(), words) {
			t.Errorf("the log lacks %q:\n%s", words, log.String())
		}
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 3 {
		t.Errorf("%d warnings, want 3:\n%s", got, log.String())
	}
}
