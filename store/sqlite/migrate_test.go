package sqlite

import (
	"context"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"
)

func userVersion(t *testing.T, s *Store) (version int) {
	t.Helper()
	must(t, s.writer.QueryRow("PRAGMA user_version").Scan(&version))
	return version
}

// next are the migrations of a release to come.
func next(t *testing.T, script string) fs.FS {
	t.Helper()
	files := fstest.MapFS{
		"migrations/0003.sql": {Data: []byte("CREATE TABLE second (n INTEGER); INSERT INTO second VALUES (1);")},
		"migrations/0004.sql": {Data: []byte(script)},
	}
	for _, name := range []string{"migrations/0001.sql", "migrations/0002.sql"} {
		released, err := migrations.ReadFile(name)
		must(t, err)
		files[name] = &fstest.MapFile{Data: released}
	}
	return files
}

func TestMigrationsThatAreMissingAreMadeOnce(t *testing.T) {
	s := openAt(t, newPath(t))
	kept := begun("alice")
	must(t, s.Exchange(t.Context(), kept))
	files := next(t, "INSERT INTO second VALUES (2)")
	for range 2 {
		must(t, s.migrate(t.Context(), files))
		var rows int
		must(t, s.writer.QueryRow("SELECT count(*) FROM second").Scan(&rows))
		if version := userVersion(t, s); version != 4 || rows != 2 {
			t.Fatalf("version %d with %d rows", version, rows)
		}
	}
	_, _, err := s.Find(t.Context(), kept.Issue[0].Key)
	must(t, err)
}

func TestAMigrationThatFailsLeavesEverythingAsItWas(t *testing.T) {
	s := openAt(t, newPath(t))
	contains(t, s.migrate(t.Context(), next(t, "INSERT INTO second VALUES (2); INSERT INTO missing VALUES (1)")), "0004.sql")
	var tables int
	must(t, s.writer.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'second'").Scan(&tables))
	if version := userVersion(t, s); version != 2 || tables != 0 {
		t.Errorf("version %d with %d of the new tables", version, tables)
	}
}

func TestTablesOfANewerReleaseAreRefusedAndLeftAlone(t *testing.T) {
	path := newPath(t)
	s := openAt(t, path)
	must(t, s.migrate(t.Context(), next(t, "")))
	other, err := Open(t.Context(), path)
	if err == nil {
		other.Close()
	}
	contains(t, err, path, "version 4", "knows 2", "run the newer release")
	if version := userVersion(t, s); version != 4 {
		t.Errorf("the version is now %d", version)
	}
}

func TestProcessesThatStartTogetherMigrateOnce(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	processes := make([]*process, 8)
	for i := range processes {
		processes[i] = startRole(t, "open", path)
	}
	for _, p := range processes {
		if line := p.line(); line != "ready" {
			t.Fatal(line)
		}
	}
	for _, p := range processes {
		p.proceed()
	}
	for _, p := range processes {
		if line := p.line(); line != "opened" {
			t.Error(line)
		}
	}
	s := openAt(t, path)
	var families int
	must(t, s.writer.QueryRow("SELECT count(*) FROM families").Scan(&families))
	if version := userVersion(t, s); version != 2 || families != len(processes) {
		t.Errorf("version %d with %d families", version, families)
	}
}

// openRole opens a store that may not be there yet, and uses it.
func openRole(ctx context.Context, args []string) error {
	fmt.Println("ready")
	waitForParent()
	s, err := Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Exchange(ctx, begun("alice")); err != nil {
		return err
	}
	fmt.Println("opened")
	return nil
}
