package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// startDevices runs the example with a device that polls each second.
func startDevices(t *testing.T) (issuer string) {
	t.Helper()
	return start(t, "-demo", "-store", "memory:", "-config", configFileWith(t, `{
		"clients": [{"client_id": "device", "grant_types": ["`+deviceType+`", "refresh_token"], "scope": "openid profile api1 offline_access",
		             "token_endpoint_auth_method": "none", "poll_interval": 1, "device_code_lifetime": 120}],
		"scopes": [{"name": "api1"}, {"name": "profile", "identity": true, "claims": ["name"]}],
		"users": [{"sub": "2", "username": "bob", "password": "bob", "claims": {"name": "Bob Smith"}}]}`))
}

func TestOAuth2SignsADeviceIn(t *testing.T) {
	issuer := startDevices(t)
	provider, err := oidc.NewProvider(t.Context(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	config := oauth2.Config{ClientID: "device", Endpoint: provider.Endpoint(), Scopes: []string{"openid", "offline_access"}}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	for action, problem := range map[string]string{"allow": "", "deny": "access_denied"} {
		t.Run("its user says "+action, func(t *testing.T) {
			device, err := config.DeviceAuth(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if device.VerificationURI != issuer+"/device" || device.VerificationURIComplete != issuer+"/device?user_code="+device.UserCode {
				t.Errorf("addresses %q, %q", device.VerificationURI, device.VerificationURIComplete)
			}
			if status, problem := decide(t, http.DefaultClient, issuer, url.Values{"action": {action}, "user": {"bob"}, "user_code": {device.UserCode}}); status != http.StatusNoContent {
				t.Fatalf("status %d, error %q", status, problem)
			}
			token, err := config.DeviceAccessToken(t.Context(), device)
			if problem != "" {
				if err == nil || !strings.Contains(err.Error(), problem) {
					t.Errorf("err = %v, want %s", err, problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := token.Extra("id_token").(string)
			id, err := provider.Verifier(&oidc.Config{ClientID: "device"}).Verify(t.Context(), raw)
			if err != nil || id.Subject != "2" || id.VerifyAccessToken(token.AccessToken) != nil || token.RefreshToken == "" {
				t.Errorf("the tokens are not right: %v", err)
			}
		})
	}
}

// deviceProcess is the program of folder device.
type deviceProcess struct {
	command *exec.Cmd
	out     *bufio.Reader
	trouble *strings.Builder
}

func startDevice(t *testing.T, binary string, args ...string) *deviceProcess {
	t.Helper()
	p := &deviceProcess{command: exec.CommandContext(t.Context(), binary, args...), trouble: new(strings.Builder)}
	p.command.Stderr = p.trouble
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	return p
}

// code reads up to the user code, and the line after it.
func (p *deviceProcess) code(t *testing.T) string {
	t.Helper()
	for {
		line, err := p.out.ReadString('\n')
		if err != nil {
			t.Fatalf("no user code: %v %s", err, p.trouble)
		}
		if code, found := strings.CutPrefix(line, "and enter"); found {
			return strings.TrimSpace(code)
		}
	}
}

// ended returns the exit status, what was printed last and what went to stderr.
func (p *deviceProcess) ended(t *testing.T) (status int, last, trouble string) {
	t.Helper()
	rest, err := io.ReadAll(p.out)
	if err != nil {
		t.Fatal(err)
	}
	p.command.Wait()
	_, last, _ = strings.Cut(string(rest), "Ctrl-C ends it.\n")
	return p.command.ProcessState.ExitCode(), last, p.trouble.String()
}

func TestTheDeviceProgram(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "device")
	if out, err := exec.Command("go", "build", "-o", binary, "./device").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	issuer := startDevices(t)
	t.Run("prints the claims of who signed in", func(t *testing.T) {
		p := startDevice(t, binary, "-issuer", issuer)
		decide(t, http.DefaultClient, issuer, url.Values{"action": {"allow"}, "user": {"bob"}, "user_code": {p.code(t)}})
		status, printed, trouble := p.ended(t)
		var claims map[string]any
		if err := json.Unmarshal([]byte(printed), &claims); err != nil || status != 0 || trouble != "" {
			t.Fatalf("status %d, %v, %q\n%s", status, err, trouble, printed)
		}
		if claims["name"] != "Bob Smith" || claims["iss"] != issuer || !strings.HasPrefix(printed, "{\n  \"") {
			t.Errorf("printed %s", printed)
		}
	})
	t.Run("says that access was denied", func(t *testing.T) {
		p := startDevice(t, binary, "-issuer", issuer)
		decide(t, http.DefaultClient, issuer, url.Values{"action": {"deny"}, "user": {"bob"}, "user_code": {p.code(t)}})
		if status, _, trouble := p.ended(t); status != 1 || trouble != "device: access was denied; run this again if it was a mistake\n" {
			t.Errorf("status %d, %q", status, trouble)
		}
	})
	t.Run("ends by Ctrl-C", func(t *testing.T) {
		p := startDevice(t, binary, "-issuer", issuer)
		p.code(t)
		if err := p.command.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if status, _, trouble := p.ended(t); status != 130 || trouble != "device: stopped\n" {
			t.Errorf("status %d, %q", status, trouble)
		}
	})
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"says that nothing is there":         {[]string{"-issuer", "http://127.0.0.1:1"}, "nothing listens at http://127.0.0.1:1; start the service"},
		"says that the issuer is another":    {[]string{"-issuer", issuer + "/x"}, "is -issuer right?"},
		"says that the client is not known":  {[]string{"-issuer", issuer, "-client", "x"}, `the client "x"`},
		"says that the scopes are too many":  {[]string{"-issuer", issuer, "-scope", "openid admin"}, "change -scope"},
		"says that openid was not asked for": {[]string{"-issuer", issuer, "-scope", "api1"}, "add openid to -scope"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startDevice(t, binary, c.args...)
			if name == "says that openid was not asked for" {
				decide(t, http.DefaultClient, issuer, url.Values{"action": {"allow"}, "user": {"bob"}, "user_code": {p.code(t)}})
			}
			if status, _, trouble := p.ended(t); status != 1 || !strings.HasPrefix(trouble, "device: ") || !strings.Contains(trouble, c.says) || strings.Count(trouble, "\n") != 1 {
				t.Errorf("status %d, %q", status, trouble)
			}
		})
	}
}
