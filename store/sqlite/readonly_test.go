//go:build unix

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func init() { roles["nobody"] = nobodyRole }

func TestWhatCannotBeWrittenIsOneClearLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		file, folder os.FileMode
		says         string
	}{
		{"a file that is read-only", 0o444, 0o777, ": this process must be able to write the file and its folder: "},
		{"a file in a folder that is read-only", 0o666, 0o555, ": this process must be able to write the file and its folder: "},
		{"a new file in a folder that is read-only", 0, 0o555, "permission denied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "grantor-sqlite-") // unlike t.TempDir in no folder that only its owner can enter
			must(t, err)
			t.Cleanup(func() { _ = os.Chmod(dir, 0o700); _ = os.RemoveAll(dir) })
			path := filepath.Join(dir, "x.db")
			if test.file != 0 {
				s, err := Open(t.Context(), path)
				must(t, err)
				must(t, s.Close())
				must(t, os.Chmod(path, test.file))
			}
			must(t, os.Chmod(dir, test.folder))
			p := startRole(t, "nobody", path)
			line := p.line()
			contains(t, errors.New(line), "failed: sqlite: cannot open "+path, test.says)
			if rest := p.line(); rest != "" {
				t.Errorf("a second line: %q", rest)
			}
			t.Log(line)
		})
	}
}

// nobodyRole opens a store without the rights of the superuser.
func nobodyRole(ctx context.Context, args []string) error {
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			return fmt.Errorf("setuid: %w", err)
		}
	}
	_, err := Open(ctx, args[0])
	return err
}
