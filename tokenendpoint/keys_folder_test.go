package tokenendpoint_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// keysIn returns the files of a folder and what is in them.
func keysIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(content)
	}
	return files
}

// keysKids asks a source for its keys and returns their kids in one string.
func keysKids(t *testing.T, source tokenendpoint.KeySource) string {
	t.Helper()
	keys, err := source.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var kids []string
	for _, key := range keys {
		kids = append(kids, key.ID)
	}
	return strings.Join(kids, " ")
}

func keysWrite(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyTheOwnerReadsAKeyFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	clock := newKeysClock(keysStart)
	source := keysQuick(dir, clock)
	kids := keysKids(t, source)
	info, err := os.Stat(dir)
	if err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("the folder: %v, %v, want mode 0700", info.Mode(), err)
	}
	if files := keysIn(t, dir); len(files) != 1 {
		t.Errorf("%d files, want one", len(files))
	}
	path := filepath.Join(dir, "signing-key-000001.json")
	if info, err = os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Fatalf("the key: %v, want mode 0600", err)
	}
	for _, mode := range []fs.FileMode{0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o660} {
		t.Run(fmt.Sprintf("A key file of mode %04o is refused with the remedy", mode), func(t *testing.T) {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			_, err := keysQuick(dir, clock).Keys(t.Context())
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "chmod 600") {
				t.Errorf("got %v, want an error that names the file and the remedy", err)
			}
		})
	}
	for _, mode := range []fs.FileMode{0o600, 0o400, 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got := keysKids(t, keysQuick(dir, clock)); got != kids {
			t.Errorf("mode %04o: got keys %q, want %q", mode, got, kids)
		}
	}
}

func TestAKeyFileThatIsCorruptIsNamed(t *testing.T) {
	agree, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(agree)
	if err != nil {
		t.Fatal(err)
	}
	cannotSign, err := json.Marshal(map[string]any{"kid": "1", "alg": "ES256", "private_key_pkcs8": pkcs8})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"is empty":                      "",
		"is not JSON":                   "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg",
		"is cut short":                  `{"kid":"1","alg":"ES256","private_key_pkcs8":"MIGHAgEAMBMGByqG`,
		"holds no key":                  "{}",
		"holds a key that is not PKCS8": `{"kid":"1","alg":"ES256","private_key_pkcs8":"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"}`,
		"holds a key that cannot sign":  string(cannotSign),
	} {
		for _, number := range []int{0, 1} { // before and instead of the one that is there
			t.Run(fmt.Sprintf("A key file %d that %s is refused and named", number, name), func(t *testing.T) {
				dir, clock := t.TempDir(), newKeysClock(keysStart)
				keysKids(t, keysQuick(dir, clock))
				file := fmt.Sprintf("signing-key-%06d.json", number)
				keysWrite(t, dir, file, content)
				_, err := keysQuick(dir, clock).Keys(t.Context())
				if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, file)) || !strings.Contains(err.Error(), "remove") {
					t.Fatalf("got %v, want an error that names the file and the remedy", err)
				}
				if strings.Contains(err.Error(), "MIGHAgEA") {
					t.Errorf("the error quotes the key: %v", err)
				}
				if got := keysIn(t, dir)[file]; got != content {
					t.Errorf("the file is now %q", got)
				}
			})
		}
	}
}

func TestOtherFilesInAKeyFolderAreLeftAlone(t *testing.T) {
	dir, clock := t.TempDir(), newKeysClock(keysStart)
	others := map[string]string{
		"draft-123": `{"kid":"half`, "draft-": "", "signing-key-1.json": "x", "signing-key-000001.json.bak": "x", "signing-key-000001": "x",
		"signing-key-0000010.json": "x", "signing-key-00000a.json": "x", "signing-key-+00001.json": "x", "xsigning-key-000001.json": "x", "README": "x",
	}
	for name, content := range others {
		keysWrite(t, dir, name, content)
	}
	source := keysQuick(dir, clock)
	for range 100 {
		keysKids(t, source)
		clock.Advance(time.Hour)
	}
	files := keysIn(t, dir)
	for name, content := range others {
		if got, ok := files[name]; !ok || got != content {
			t.Errorf("%s is now %q", name, got)
		}
		delete(files, name)
	}
	got := slices.Sorted(maps.Keys(files))
	if want := []string{"signing-key-000007.json", "signing-key-000008.json", "signing-key-000009.json", "signing-key-000010.json", "signing-key-000011.json"}; !slices.Equal(got, want) {
		t.Errorf("besides those there are %q, want %q", got, want)
	}
}

func TestKeysInAFolderSurviveARestart(t *testing.T) {
	dir, clock := t.TempDir(), newKeysClock(keysStart)
	endpoint := keysEndpoint(t, keysQuick(dir, clock), clock)
	for _, away := range []time.Duration{0, 9 * time.Hour, 4 * time.Hour, 9*time.Hour + 30*time.Minute} {
		token, _ := keysToken(t, endpoint)
		if away < time.Hour {
			clock.Advance(away)
		} else {
			clock.Advance(away - 59*time.Minute)
			token, _ = keysToken(t, endpoint) // one that lives on while no process runs
			clock.Advance(59 * time.Minute)
		}
		endpoint = keysEndpoint(t, keysQuick(dir, clock), clock)
		keysVerify(t, keysPublished(t, endpoint), token)
		keysToken(t, endpoint)
	}
	first, err := keysQuick(dir, clock).Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := keysQuick(dir, clock).Keys(t.Context())
	if err != nil || len(second) != len(first) {
		t.Fatal(len(first), len(second), err)
	}
	for i, key := range first {
		again := second[i]
		if key.ID != again.ID || key.Alg != again.Alg || key.SignFrom != again.SignFrom || key.SignUntil != again.SignUntil ||
			key.PublishUntil != again.PublishUntil {
			t.Errorf("key %d was %+v and is %+v", i, key, again)
		}
	}
}

// Keys follow one another without a gap, even if no process ran when it was time.
func TestAKeyThatIsOverWhenAProcessStartsIsFollowed(t *testing.T) {
	dir, clock := t.TempDir(), newKeysClock(keysStart)
	before, _ := keysToken(t, keysEndpoint(t, keysQuick(dir, clock), clock))
	for _, away := range []time.Duration{11 * time.Hour, 1000 * time.Hour} {
		clock.Advance(away)
		endpoint := keysEndpoint(t, keysQuick(dir, clock), clock)
		token, expiresIn := keysToken(t, endpoint)
		if kid := keysVerify(t, keysPublished(t, endpoint), token).Kid; kid == keysRead(t, before).Kid || expiresIn != 3600 {
			t.Errorf("after %v key %q signs a token of %d seconds", away, kid, expiresIn)
		}
		before = token
	}
}

// A number names one key for ever, so that no process takes one file for another.
func TestANumberIsNotUsedAgain(t *testing.T) {
	dir, clock := t.TempDir(), newKeysClock(keysStart)
	kids := map[string]string{}
	newest := ""
	for range 300 {
		keysKids(t, keysQuick(dir, clock))
		files := keysIn(t, dir)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			var stored struct{ Kid string }
			if err := json.Unmarshal([]byte(files[name]), &stored); err != nil || stored.Kid == "" {
				t.Fatalf("%s: %s, %v", name, files[name], err)
			}
			switch kid := kids[name]; {
			case kid == "" && name < newest:
				t.Fatalf("%s came after %s", name, newest)
			case kid == "":
				kids[name], newest = stored.Kid, name
			case kid != stored.Kid:
				t.Fatalf("%s held key %q and now %q", name, kid, stored.Kid)
			}
		}
		if len(files) > 9 {
			t.Fatalf("%d files are kept", len(files))
		}
		clock.Advance(time.Duration(len(kids)%4*7+1) * time.Hour)
	}
	if len(kids) < 100 {
		t.Errorf("%d keys were made, want more: the walk tests nothing", len(kids))
	}
	if err := os.Rename(filepath.Join(dir, newest), filepath.Join(dir, "signing-key-000777.json")); err != nil {
		t.Fatal(err)
	}
	clock.Advance(100 * time.Hour)
	keysKids(t, keysQuick(dir, clock))
	if got := slices.Sorted(maps.Keys(keysIn(t, dir))); !slices.Equal(got, []string{"signing-key-000778.json"}) {
		t.Errorf("after 777 there are %q", got)
	}
}
