package tokenendpoint_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// keysProcess, set to a folder, makes the test binary a process that keeps its
// keys there: see TestOneOfSeveralProcesses.
const keysProcess = "GRANTOR_TEST_KEY_FOLDER"

// TestOneOfSeveralProcesses is the process, not a test: it reads times and answers
// each with the kids that it has then.
func TestOneOfSeveralProcesses(t *testing.T) {
	dir := os.Getenv(keysProcess)
	if dir == "" {
		t.Skip("run by TestProcessesAgreeOnTheirKeys")
	}
	clock := newKeysClock(keysStart)
	source := keysQuick(dir, clock)
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		at, err := time.Parse(time.RFC3339Nano, input.Text())
		if err != nil {
			t.Fatal(err)
		}
		clock.Set(at)
		keys, err := source.Keys(t.Context())
		if err != nil {
			fmt.Println("error:", err)
			continue
		}
		var kids []string
		for _, key := range keys {
			kids = append(kids, key.ID+"@"+key.SignUntil.Format(time.RFC3339Nano))
		}
		fmt.Println("kids:", strings.Join(kids, " "))
	}
}

// The processes start on an empty folder and roll nine times, once after a time
// when nobody asked, each time all at once.
func TestProcessesAgreeOnTheirKeys(t *testing.T) {
	const processes = 8
	dir := t.TempDir()
	var inputs []io.Writer
	var outputs []*bufio.Scanner
	var running []func() error
	t.Cleanup(func() {
		for _, input := range inputs {
			input.(io.Closer).Close() // which ends the process
		}
		for _, wait := range running {
			if err := wait(); err != nil {
				t.Errorf("a process: %v", err)
			}
		}
	})
	for range processes {
		cmd := exec.Command(os.Args[0], "-test.run=^TestOneOfSeveralProcesses$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), keysProcess+"="+dir, "GORACE=atexit_sleep_ms=0")
		cmd.Stderr = os.Stderr
		input, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		output, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		inputs, outputs, running = append(inputs, input), append(outputs, bufio.NewScanner(output)), append(running, cmd.Wait)
	}

	everybody := io.MultiWriter(inputs...)
	seen := map[string]bool{}
	for _, hours := range []int{0, 8, 9, 18, 28, 40, 48, 58, 70, 78} {
		fmt.Fprintln(everybody, keysStart.Add(time.Duration(hours)*time.Hour).Format(time.RFC3339Nano))
		var answers []string
		for _, output := range outputs {
			if !output.Scan() {
				t.Fatalf("after %d hours a process ended: %v", hours, output.Err())
			}
			answers = append(answers, output.Text())
			if !strings.HasPrefix(output.Text(), "kids: ") {
				t.Errorf("after %d hours: %s", hours, output.Text())
			}
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(answers))); len(distinct) != 1 {
			t.Fatalf("after %d hours the processes have\n%s", hours, strings.Join(distinct, "\n"))
		}
		for _, kid := range strings.Fields(answers[0])[1:] {
			seen[kid] = true
		}
	}
	if len(seen) < 8 {
		t.Errorf("%d keys in all, want more: nothing rolled", len(seen))
	}
}

// As above within one process, with many more rolls: each removes what is over
// while others still read it.
func TestSeveralRollingKeysOnOneFolderAgree(t *testing.T) {
	dir, clock := t.TempDir(), newKeysClock(keysStart)
	var sources []*tokenendpoint.RollingKeys
	for range 6 {
		sources = append(sources, keysQuick(dir, clock))
	}
	for turn := range 40 {
		got := make([]string, len(sources))
		var all sync.WaitGroup
		for i, source := range sources {
			all.Go(func() {
				keys, err := source.Keys(t.Context())
				if err != nil {
					t.Error(err)
				}
				for _, key := range keys {
					got[i] += fmt.Sprintln(key.ID, key.SignFrom, key.SignUntil, key.PublishUntil)
				}
			})
		}
		all.Wait()
		for i := range got {
			if got[i] != got[0] {
				t.Fatalf("turn %d: two have different keys:\n%sand\n%s", turn, got[0], got[i])
			}
		}
		clock.Advance(time.Duration(turn%3*2+8) * time.Hour)
	}
}
