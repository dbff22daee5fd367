package sqlite

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"
)

func TestANewFileIsReadableByItsOwnerOnly(t *testing.T) {
	path := newPath(t)
	s := openAt(t, path)
	must(t, s.Exchange(t.Context(), begun("alice")))
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		must(t, err)
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %v", filepath.Base(name), mode)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(entries) != 3 {
		t.Errorf("opening left more than the three files: %v", entries)
	}
}

func TestEveryConnectionHasTheSettingsOfDurability(t *testing.T) {
	s := openAt(t, newPath(t))
	for _, db := range []*sql.DB{s.writer, s.reader} {
		must(t, checkSettings(t.Context(), db))
	}
	if _, err := s.reader.Exec("DELETE FROM families"); err == nil {
		t.Error("a connection for lookups can write")
	}
}

func TestASettingThatDoesNotTakeIsNamedWithItsValueAndARemedy(t *testing.T) {
	for _, test := range []struct{ pragma, name, value, remedy string }{
		{"journal_mode=DELETE", "journal_mode", "delete", "local disk"},
		{"synchronous=NORMAL", "synchronous", `"1"`, "FULL"},
	} {
		t.Run(test.pragma, func(t *testing.T) {
			s := openAt(t, newPath(t))
			must(t, s.reader.Close()) // else the journal mode cannot be changed
			if _, err := s.writer.Exec("PRAGMA " + test.pragma); err != nil {
				t.Fatal(err)
			}
			contains(t, checkSettings(t.Context(), s.writer), test.name, test.value, test.remedy)
		})
	}
}

func TestAPathMayHoldAnyCharacter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory#c%20d&é.db")
	s := openAt(t, path)
	must(t, s.Exchange(t.Context(), begun("alice")))
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path + "-wal"); err != nil {
		t.Error("the database is kept elsewhere:", err)
	}
}

func TestWhatCannotBeADatabaseIsOneClearLine(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	must(t, os.WriteFile(text, []byte(fmt.Sprintf("%01000d", 0)), 0o600))
	foreign := filepath.Join(dir, "foreign.db")
	db, err := sql.Open("sqlite", foreign)
	must(t, err)
	_, err = db.Exec("CREATE TABLE families (id INTEGER)")
	must(t, err)
	must(t, db.Close())

	for _, test := range []struct{ name, path, says string }{
		{"no path", "", "path of a file is needed"},
		{"a database in memory", ":memory:", "package store/memory"},
		{"a URI", "file:x.db?mode=memory", "path of a file is needed"},
		{"a folder", dir, "it is a folder"},
		{"a folder that does not exist", filepath.Join(dir, "missing", "x.db"), "missing: no such file or directory"},
		{"a file in place of a folder", filepath.Join(text, "x.db"), "not a directory"},
		{"a file that is no database", text, "not an SQLite database"},
		{"the database of another program", foreign, "another program"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := Open(t.Context(), test.path)
			if err == nil {
				s.Close()
			}
			contains(t, err, "sqlite: cannot open "+test.path, test.says)
		})
	}
	if got := read(t, text); got != fmt.Sprintf("%01000d", 0) {
		t.Error("the file that is no database was altered")
	}
}
