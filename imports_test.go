package grantor_test

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/grantor-go/grantor"
	jwx    = "github.com/lestrrat-go/jwx/v2"
	uuid   = "github.com/google/uuid"
	crypto = "golang.org/x/crypto"
)

// rooms says what each package of the core may import besides the standard
// library: a path, or everything below one that ends in "/...". A package that is
// not here has no job yet: say what it is, and what it needs, by a line.
var rooms = map[string][]string{
	"store":                {},
	"store/memory":         {module + "/store"},
	"store/storetest":      {module + "/store"},
	"tokenendpoint":        {module + "/store", module + "/internal/...", uuid},
	"grants":               {module + "/store", module + "/tokenendpoint", module + "/internal/..."},
	"middleware":           {module + "/internal/..."},
	"internal/accesstoken": {module + "/internal/jose"},
	"internal/issuerkeys":  {module + "/internal/keysets", module + "/internal/fetch", module + "/internal/jose"},
	"internal/keysets":     {module + "/internal/fetch", module + "/internal/jose"},
	"internal/fetch":       {},
	"internal/granttest":   {module + "/store/...", module + "/tokenendpoint", module + "/grants"},
	"internal/jose":        {jwx + "/..."},
	"internal/proof":       {crypto + "/...", module + "/internal/jose"},
	"internal/secret":      {crypto + "/..."},
}

// forbidden says what a package may not import of the standard library.
// testing registers flags in every program that imports it.
func forbidden(room, path string) bool {
	return path == "testing" && room != "store/storetest" && room != "internal/granttest" ||
		room == "grants" && under(path, "net/http") // the endpoint speaks HTTP, and a grant is only told
}

func under(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func allowed(room, path string) bool {
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return !forbidden(room, path)
	}
	return slices.ContainsFunc(rooms[room], func(rule string) bool {
		root, below := strings.CutSuffix(rule, "/...")
		return path == root || below && under(path, root)
	})
}

// The files are parsed here and now: a go list would be answered from the test
// cache when only a file's imports changed.
func TestEachPackageImportsWhatItMay(t *testing.T) {
	seen := make(map[string]bool)
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != "." && notOfTheCore(file, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(file) != ".go":
			return nil
		}
		room, test := filepath.ToSlash(filepath.Dir(file)), strings.HasSuffix(file, "_test.go")
		if _, known := rooms[room]; !known && !test {
			t.Errorf("%s: package %s is not in the table of rooms", file, room)
			return nil
		}
		seen[room] = true
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			switch {
			case err != nil:
				return err
			case under(path, jwx) && room != "internal/jose":
				t.Errorf("%s imports %s: only internal/jose may, so that another major is a change in one room", file, path)
			case !test && !allowed(room, path):
				t.Errorf("%s imports %s, which %s may not", file, path, room)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		if !seen[room] {
			t.Errorf("there is no package %s; remove its line", room)
		}
	}
}

// notOfTheCore reports whether a folder is a module of its own, or none of Go's.
func notOfTheCore(folder, name string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return !errors.Is(err, fs.ErrNotExist) || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// Whoever imports the core pays for what it requires.
func TestTheCoreRequiresThreeModules(t *testing.T) {
	content, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var direct []string
	block := ""
	for line := range strings.Lines(string(content)) {
		code, comment, _ := strings.Cut(line, "//")
		words := strings.Fields(code)
		switch {
		case len(words) == 0:
			continue
		case words[0] == ")":
			block = ""
			continue
		case words[len(words)-1] == "(":
			block = words[0]
			continue
		}
		verb := block
		if verb == "" { // a directive on a line of its own
			verb, words = words[0], words[1:]
		}
		if verb == "require" && strings.TrimSpace(comment) != "indirect" {
			direct = append(direct, words[0])
		}
	}
	slices.Sort(direct)
	if want := []string{uuid, jwx, crypto}; !slices.Equal(direct, want) {
		t.Errorf("go.mod requires %q, want %q", direct, want)
	}
}

// A store that somebody else writes can do what these do.
func TestAdaptersImportOnlyTheContract(t *testing.T) {
	for _, adapter := range []string{"store/sqlite", "store/postgres", "store/redis"} {
		files, err := filepath.Glob(filepath.Join(adapter, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", adapter, err)
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range parsed.Imports {
				path, _ := strconv.Unquote(spec.Path.Value)
				isKit := strings.HasSuffix(file, "_test.go") && (!under(path, module+"/internal") || path == module+"/internal/granttest")
				if under(path, module) && path != module+"/store" && !isKit {
					t.Errorf("%s imports %s", file, path)
				}
			}
		}
	}
}
