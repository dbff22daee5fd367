package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// clientProgram builds ./client and returns what runs it.
func clientProgram(t *testing.T) func(args ...string) (stdout, stderr string, status int) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "client")
	if out, err := exec.Command("go", "build", "-o", binary, "./client").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return func(args ...string) (string, string, int) {
		var stdout, stderr bytes.Buffer
		command := exec.CommandContext(t.Context(), binary, args...)
		command.Stdout, command.Stderr = &stdout, &stderr
		command.Run()
		return stdout.String(), stderr.String(), command.ProcessState.ExitCode()
	}
}

func TestTheClientProgram(t *testing.T) {
	client := clientProgram(t)
	shop := startTLS(t, "-store", "memory:")
	plainData := t.TempDir()
	plain := start(t, "-demo", "-store", "memory:", "-data", plainData)
	nonces := startTLS(t, "-store", "memory:", "-config", configFileWith(t, noncesConfig))
	for _, c := range []struct{ name, method, issuer, data, bound string }{
		{"gets a token by a key", "jwt", shop.issuer, shop.data, ""},
		{"gets a token by a secret that it does not send", "secret-jwt", shop.issuer, shop.data, ""},
		{"gets a token by a certificate of a CA", "mtls", shop.issuer, shop.data, "x5t#S256"},
		{"gets a token by a certificate of its own", "self-signed", shop.issuer, shop.data, "x5t#S256"},
		{"gets a token that is bound to a key", "dpop", shop.issuer, shop.data, "jkt"},
		{"does what the service says of nonces", "dpop", nonces.issuer, nonces.data, "jkt"},
		{"gets a token over http", "jwt", plain, plainData, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, status := client("-method", c.method, "-issuer", c.issuer, "-data", c.data)
			if status != 0 || stderr != "" {
				t.Fatalf("status %d, %s", status, stderr)
			}
			var answer, claims, said map[string]any
			decoder := json.NewDecoder(strings.NewReader(stdout))
			if err := decoder.Decode(&answer); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(decoder.Decode(&claims), decoder.Decode(&said)); err != nil || decoder.Decode(new(any)) != io.EOF {
				t.Fatalf("%v\n%s", err, stdout)
			}
			if said["client_id"] != c.method || said["bound"] != (c.bound != "") {
				t.Errorf("the API said %v", said)
			}
			cnf, _ := claims["cnf"].(map[string]any)
			if answer["access_token"] == nil || claims["client_id"] != c.method || claims["scope"] != "api1" || claims["iss"] != c.issuer || (len(cnf) == 1) != (c.bound != "") || c.bound != "" && cnf[c.bound] == nil {
				t.Errorf("printed %s", stdout)
			}
		})
	}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"says which methods there are":         {[]string{"-method", "x", "-issuer", shop.issuer, "-data", shop.data}, "jwt, secret-jwt, mtls, self-signed, dpop"},
		"says that nothing is there":           {[]string{"-issuer", "https://127.0.0.1:1", "-data", shop.data}, "nothing listens at https://127.0.0.1:1; start the service"},
		"says that there are no keys":          {[]string{"-issuer", shop.issuer, "-data", t.TempDir()}, "start the example with -demo"},
		"says that the issuer is another":      {[]string{"-issuer", shop.issuer + "/x", "-data", shop.data}, "is -issuer right?"},
		"says that the service is not trusted": {[]string{"-issuer", shop.issuer, "-data", plainData}, "certificate signed by unknown authority"},
		"says why it was refused":              {[]string{"-method", "mtls", "-issuer", plain, "-data", plainData}, "the service refused: invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, status := client(c.args...)
			if status != 1 || stdout != "" || !strings.HasPrefix(stderr, "client: ") || !strings.Contains(stderr, c.says) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("status %d, %q, printed %q", status, stderr, stdout)
			}
		})
	}
}
