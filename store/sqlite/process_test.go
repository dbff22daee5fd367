package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// What this binary does instead of testing if it is started as a process of its
// own.
var roles = map[string]func(ctx context.Context, args []string) error{
	"open":  openRole,
	"lock":  lockRole,
	"spend": spendRole,
	"load":  loadRole,
}

const roleVariable = "GRANTOR_SQLITE_TEST_ROLE"

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := role(context.Background(), os.Args[1:]); err != nil {
		fmt.Println("failed:", err)
	}
}

// process is a running role.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Scanner
}

func startRole(t *testing.T, role string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	p := &process{cmd, stdin, bufio.NewScanner(stdout)}
	t.Cleanup(p.end)
	return p
}

// line waits for the next line of output; it is empty at the end.
func (p *process) line() string {
	p.out.Scan()
	return p.out.Text()
}

// proceed lets a role go on that waits.
func (p *process) proceed() { _, _ = fmt.Fprintln(p.stdin) }

func (p *process) kill() { _ = p.cmd.Process.Kill() }

// end waits until the process is gone.
func (p *process) end() {
	p.kill()
	_ = p.cmd.Wait()
}

// waitForParent is the other end of proceed.
func waitForParent() { _, _ = bufio.NewReader(os.Stdin).ReadString('\n') }
