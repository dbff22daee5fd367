package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// demoFiles returns what is in the folder demo.
func demoFiles(t *testing.T, data string) map[string]string {
	t.Helper()
	dir := filepath.Join(data, "demo")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := entry.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: mode %v, %v", entry.Name(), info.Mode(), err)
		}
		files[entry.Name()] = string(content)
	}
	return files
}

func TestTheTestKeysAreMadeOnce(t *testing.T) {
	data := t.TempDir()
	_, end, ended := startUntil(t, "-demo", "-data", data)
	end()
	<-ended
	files := demoFiles(t, data)
	for _, name := range []string{"ca", "server", "mtls", "self-signed"} {
		if !strings.HasPrefix(files[name+".pem"], "-----BEGIN CERTIFICATE-----") || !strings.HasPrefix(files[name+"-key.pem"], "-----BEGIN PRIVATE KEY-----") {
			t.Errorf("%s has no certificate or no key", name)
		}
	}
	if !strings.Contains(files["self-signed-jwks.json"], `"x5c":["MI`) || strings.Contains(files["self-signed-jwks.json"]+files["jwt-jwks.json"], `"d"`) {
		t.Errorf("the public keys are %s and %s", files["self-signed-jwks.json"], files["jwt-jwks.json"])
	}
	if err := makeDemoKeys(filepath.Join(data, "demo")); err != nil { // a start that was slower
		t.Error(err)
	}
	if _, end, ended = startUntil(t, "-demo", "-data", data); !maps.Equal(files, demoFiles(t, data)) {
		t.Error("the second start changed the folder")
	}
	end()
	<-ended
	entries, err := os.ReadDir(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "demo-") {
			t.Errorf("%s was left behind", entry.Name())
		}
	}
}

func TestNobodyHoldsTheTestKeysWithoutDemo(t *testing.T) {
	data := t.TempDir()
	issuer := start(t, "-data", data, "-store", "memory:")
	if _, err := os.Stat(filepath.Join(data, "demo")); !os.IsNotExist(err) {
		t.Errorf("there is a folder: %v", err)
	}
	status, members := assertBy(t, http.DefaultClient, issuer, macedBy(t, secretOfJWT, assertionClaims("secret-jwt", issuer)))
	if status != http.StatusUnauthorized || members["error"] != "invalid_client" {
		t.Errorf("status %d, error %v", status, members["error"])
	}
}

func TestAFolderOfTestKeysThatIsOfNoUseIsNamed(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"The CA is gone":         func(dir string) error { return os.Remove(filepath.Join(dir, "ca.pem")) },
		"The CA is not PEM":      func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o600) },
		"The public key is gone": func(dir string) error { return os.Remove(filepath.Join(dir, "jwt-jwks.json")) },
		"All have expired":       func(string) error { time.Sleep(826 * 24 * time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				data := t.TempDir()
				if _, err := parseFlags([]string{"-demo", "-data", data}, io.Discard); err != nil {
					t.Fatal(err)
				}
				if err := spoil(filepath.Join(data, "demo")); err != nil {
					t.Fatal(err)
				}
				_, err := parseFlags([]string{"-demo", "-data", data}, io.Discard)
				if err == nil || !strings.HasPrefix(err.Error(), "-data "+data+": ") || !strings.Contains(err.Error(), "is made again") || strings.Contains(err.Error(), "\n") {
					t.Errorf("err = %v", err)
				}
			})
		})
	}
}

func TestTheGreetingLeadsToTheTestKeys(t *testing.T) {
	data := t.TempDir()
	demo := filepath.Join(data, "demo")
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // it ends at once
	var greeting bytes.Buffer
	err := run(ctx, []string{"-addr", "127.0.0.1:0", "-data", data, "-store", "memory:", "-demo",
		"-tls-cert", filepath.Join(demo, "server.pem"), "-tls-key", filepath.Join(demo, "server-key.pem")}, &greeting, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"issuer    https://127.0.0.1:", "test keys and certificates are in " + demo + "\n", " -data " + data + " -method jwt ",
		"curl -s --cacert " + filepath.Join(demo, "ca.pem") + " https://127.0.0.1:"} {
		if !strings.Contains(greeting.String(), words) {
			t.Errorf("the greeting lacks %q:\n%s", words, &greeting)
		}
	}
}
