package postgres

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience bounds every wait of the tests; none is decided by it.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if job := os.Getenv("GRANTOR_TEST_WORKER"); job != "" {
		os.Exit(work(job))
	}
	code := m.Run()
	if shared.engine != nil {
		shared.engine.remove()
	}
	os.Exit(code)
}

// engine is a PostgreSQL of the tests' own, on a unix socket in its folder.
type engine struct {
	bin, folder string
	server      *exec.Cmd
}

var shared struct {
	once   sync.Once
	engine *engine
	err    error
}

// newEngine starts one that this test may kill.
func newEngine(t testing.TB) *engine {
	t.Helper()
	e, err := makeEngine()
	if err != nil {
		missing(t, err)
	}
	t.Cleanup(e.remove)
	return e
}

// missing ends a test that has no engine.
func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("no PostgreSQL to test with: %v", err)
	}
	t.Skipf("NOT TESTED: no PostgreSQL to test with: %v", err)
}

// newSchema returns the URL of an empty schema, in the engine that
// GRANTOR_TEST_POSTGRES names or in one that all tests share.
func newSchema(t testing.TB) string {
	t.Helper()
	base := os.Getenv("GRANTOR_TEST_POSTGRES")
	if base == "" {
		shared.once.Do(func() { shared.engine, shared.err = makeEngine() })
		if shared.err != nil {
			missing(t, shared.err)
		}
		base = shared.engine.url()
	}
	return schemaIn(t, base)
}

var schemas atomic.Int64

func schemaIn(t testing.TB, base string) string {
	t.Helper()
	name := fmt.Sprintf("grantor test %d-%d", os.Getpid(), schemas.Add(1)) // a name that must be quoted
	quoted := pgx.Identifier{name}.Sanitize()
	conn := connect(t, base)
	do(t, conn, "CREATE SCHEMA "+quoted)
	t.Cleanup(func() {
		// The engine may be gone by now, and the schema with it.
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, _ = conn.Exec(ctx, "DROP SCHEMA "+quoted+" CASCADE")
	})
	return with(base, "search_path", quoted)
}

// with returns a URL with another parameter.
func with(base, key, value string) string {
	u, err := url.Parse(base)
	if err != nil {
		panic(err)
	}
	query := u.Query()
	query.Set(key, value)
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	return u.String()
}

func makeEngine() (*engine, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "grantor-pg")
	if err != nil {
		return nil, err
	}
	e := &engine{bin: bin, folder: folder}
	if as := unprivileged(); as != nil {
		if err := os.Chown(folder, int(as.Uid), int(as.Gid)); err != nil {
			return nil, err
		}
	}
	initdb := e.command("initdb", "-D", folder+"/data", "-N", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return e, e.start()
}

func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	return filepath.Dir(path), err
}

// unprivileged is whom the engine runs as if the tests run as root, which it refuses.
func unprivileged() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

func (e *engine) command(name string, arguments ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(e.bin, name), arguments...)
	c.Dir = e.folder
	c.SysProcAttr = &syscall.SysProcAttr{Credential: unprivileged()}
	return c
}

func (e *engine) url() string { return "postgres:///postgres?user=postgres&host=" + e.folder }

// start starts the engine and waits until it answers.
func (e *engine) start() error {
	e.server = e.command("postgres", "-D", e.folder+"/data", "-k", e.folder, "-h", "", "-c", "deadlock_timeout=10ms", "-c", "max_connections=200")
	if err := e.server.Start(); err != nil {
		return err
	}
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		conn, err := pgx.Connect(ctx, e.url())
		cancel()
		if err == nil {
			return conn.Close(context.Background())
		}
		if time.Now().After(deadline) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// signal sends a signal to every process of the engine. The first is stopped
// before, so that it starts no others meanwhile.
func (e *engine) signal(sig syscall.Signal) {
	first := e.server.Process.Pid
	_ = syscall.Kill(first, syscall.SIGSTOP)
	statuses, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range statuses {
		status, _ := os.ReadFile(file) // pid (name) state parent ...
		fields := strings.Fields(string(status[strings.LastIndexByte(string(status), ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if len(fields) > 1 && fields[1] == strconv.Itoa(first) {
			_ = syscall.Kill(pid, sig)
		}
	}
	_ = syscall.Kill(first, sig)
}

// kill ends the engine as a power cut of the process would.
func (e *engine) kill() {
	e.signal(syscall.SIGKILL)
	_ = e.server.Wait()
}

func (e *engine) remove() {
	if e.server != nil && e.server.ProcessState == nil {
		e.kill()
	}
	_ = os.RemoveAll(e.folder)
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func do(t testing.TB, conn *pgx.Conn, sql string, arguments ...any) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql, arguments...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func open(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
