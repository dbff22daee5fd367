package tokenendpoint

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

// A key folder holds one file a key, named by a number that only grows. A file
// is written under another name and then linked to its own, which fails if that
// exists: of the processes that make the next key at the same time one wins, and
// the others read the winner's. Nothing is ever changed in place, so no lock is
// needed and a reader never sees half a key.

const keyPattern = "signing-key-%06d.json"

// storedKey is the content of a key file.
type storedKey struct {
	ID           string    `json:"kid"`
	Alg          Alg       `json:"alg"`
	PKCS8        []byte    `json:"private_key_pkcs8"`
	SignFrom     time.Time `json:"sign_from,omitzero"`
	SignUntil    time.Time `json:"sign_until"`
	PublishUntil time.Time `json:"publish_until"`
}

// loadKeys reads the keys of a folder, the newest last, and its number. Those
// whose time is over are left out and, keep later, removed: a node whose clock is
// ahead must not remove what others still sign with. The newest never is, for its
// number tells the next one's.
func loadKeys(dir string, now time.Time, keep time.Duration) (keys []Key, newest int, err error) {
	if err := makeKeyDir(dir); err != nil {
		return nil, 0, err
	}
	numbers, err := keyNumbers(dir)
	if err != nil {
		return nil, 0, err
	}
	for i, number := range numbers {
		path := keyPath(dir, number)
		key, err := loadKey(path)
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile, which the newest never is: look again
			return loadKeys(dir, now, keep)
		}
		if err != nil {
			return nil, 0, err
		}
		newest = number
		switch isNewest := i == len(numbers)-1; {
		case isNewest || now.Before(key.PublishUntil):
			keys = append(keys, key)
		case now.After(key.PublishUntil.Add(keep)):
			os.Remove(path) // if this fails, the next roll tries again
		}
	}
	return keys, newest, nil
}

// makeKeyDir makes sure that nobody else can put a key into the folder.
func makeKeyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the key folder cannot be made: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("the key folder cannot be read: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o022 != 0 {
		return fmt.Errorf("key folder %s has mode %04o: others can add keys to it; chmod 700 it and look at what is in it", dir, mode)
	}
	return nil
}

func keyPath(dir string, number int) string {
	return filepath.Join(dir, fmt.Sprintf(keyPattern, number))
}

func keyNumbers(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("the key folder cannot be read: %w", err)
	}
	var numbers []int
	for _, entry := range entries {
		var number int
		if _, err := fmt.Sscanf(entry.Name(), keyPattern, &number); err == nil && entry.Name() == fmt.Sprintf(keyPattern, number) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func loadKey(path string) (Key, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Key{}, err
	}
	if !info.Mode().IsRegular() {
		return Key{}, fmt.Errorf("key file %s is not a regular file; remove it", path)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return Key{}, fmt.Errorf("key file %s has mode %04o: others can read it; chmod 600 it, or remove it if it was read", path, mode)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("key file %s cannot be read: %w", path, err)
	}
	var stored storedKey
	if err := json.Unmarshal(content, &stored); err != nil {
		return Key{}, fmt.Errorf("key file %s cannot be read as JSON; restore or remove it", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(stored.PKCS8)
	signer, ok := parsed.(crypto.Signer)
	if err != nil || !ok || stored.SignUntil.IsZero() || stored.PublishUntil.IsZero() {
		return Key{}, fmt.Errorf("key file %s holds no usable private key or no times; restore or remove it", path)
	}
	if err := jose.Check(string(stored.Alg), signer.Public()); err != nil || stored.ID == "" {
		return Key{}, fmt.Errorf("key file %s has no kid, or an alg that does not fit its key; restore or remove it", path)
	}
	return Key{ID: stored.ID, Alg: stored.Alg, Signer: signer,
		SignFrom: stored.SignFrom, SignUntil: stored.SignUntil, PublishUntil: stored.PublishUntil}, nil
}

// saveKey adds a key to a folder by a number, unless another process did so
// first.
func saveKey(dir string, number int, key Key) error {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key.Signer)
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(storedKey{key.ID, key.Alg, pkcs8, key.SignFrom, key.SignUntil, key.PublishUntil}, "", "  ")
	if err != nil {
		return err
	}
	draft, err := os.CreateTemp(dir, "draft-*") // mode 0600
	if err != nil {
		return fmt.Errorf("a key cannot be added to %s, which this process must own and be able to write to: %w", dir, err)
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(content)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return fmt.Errorf("writing a key file: %w", err)
	}
	if err := os.Link(draft.Name(), keyPath(dir, number)); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("adding a key file: %w", err)
	}
	return syncDir(dir)
}

// syncDir makes a new name outlive a power cut, where the system can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
