package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// start runs the example on a free port and returns where it listens, which is
// its issuer unless args say otherwise. It ends with the
// test, gracefully.
func start(t *testing.T, args ...string) string {
	t.Helper()
	address, _, _ := startUntil(t, args...)
	return address
}

// startUntil also returns what ends the example, and what is closed when it has ended.
func startUntil(t *testing.T, args ...string) (address string, end func(), ended <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	greeting, stdout := io.Pipe()
	done := make(chan struct{})
	var failure error
	go func() {
		defer close(done)
		failure = run(ctx, append([]string{"-addr", "127.0.0.1:0", "-data", t.TempDir()}, args...), stdout, t.Output())
		stdout.CloseWithError(failure)
	}()
	first := make([]byte, 4096)
	n, err := greeting.Read(first)
	if err != nil {
		t.Fatalf("the example did not start: %v", err)
	}
	go io.Copy(io.Discard, greeting)
	t.Cleanup(func() {
		cancel()
		if <-done; failure != nil {
			t.Errorf("the example did not end gracefully: %v", failure)
		}
	})
	_, address, _ = strings.Cut(strings.SplitN(string(first[:n]), "\n", 3)[1], " ")
	return strings.TrimSpace(address), cancel, done
}

func configFileWith(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestABadFlagOrFileIsOneLineThatNamesIt(t *testing.T) {
	client := func(more string) string {
		return `{"clients":[{"client_id":"a","client_secrets":[{"value":"s"}]` + more + `}]}`
	}
	for name, c := range map[string]struct {
		args   []string
		config string
		names  string
	}{
		"an unknown flag":                    {args: []string{"-nope"}, names: "-nope"},
		"an argument":                        {args: []string{"serve"}, names: `"serve"`},
		"an address without a port":          {args: []string{"-addr", "127.0.0.1"}, names: "-addr"},
		"an address that is not ours":        {args: []string{"-addr", "192.0.2.1:0"}, names: "-addr"},
		"an http issuer elsewhere":           {args: []string{"-issuer", "http://shop.example"}, names: "-issuer"},
		"an issuer with a query":             {args: []string{"-issuer", "https://shop.example?x"}, names: "-issuer"},
		"a data folder that is a file":       {args: []string{"-data", os.Args[0]}, names: "-data " + os.Args[0] + ": "},
		"a file that is not there":           {args: []string{"-config", "/nowhere.json"}, names: "/nowhere.json"},
		"an empty file":                      {config: " \n", names: "empty"},
		"a file that is no object":           {config: `[]`, names: "object"},
		"broken JSON":                        {config: "{\n\n\"clients\": [,]}", names: "line 3"},
		"something after the JSON":           {config: `{} {}`, names: "follows"},
		"a store that is not there":          {args: []string{"-store", "mysql://root:canary@127.0.0.1"}, names: "-store"},
		"a database in no folder":            {args: []string{"-store", "sqlite:/nowhere/grants.db"}, names: "/nowhere/grants.db"},
		"-demo for everybody":                {args: []string{"-demo", "-addr", "0.0.0.0:0"}, names: "-demo"},
		"a redirect URI with a fragment":     {config: client(`,"redirect_uris":["https://a.example/cb#x"]`), names: "redirect_uris[0]"},
		"an http redirect URI":               {config: client(`,"redirect_uris":["http://a.example/cb"]`), names: "redirect_uris[0]"},
		"refresh tokens sometimes":           {config: client(`,"refresh_tokens":"sometimes"`), names: "refresh_tokens"},
		"a rotation that is none":            {config: client(`,"refresh_token_rotation":"yes"`), names: "refresh_token_rotation"},
		"a negative idle time":               {config: client(`,"refresh_token_idle":-1`), names: "refresh_token_idle"},
		"an unknown field":                   {config: `{"clientz":[]}`, names: `"clientz"`},
		"an unknown field of a client":       {config: client(`,"grant_typez":[]`), names: `"grant_typez"`},
		"an unknown field of a secret":       {config: `{"clients":[{"client_id":"a","client_secrets":[{"secret":"s"}]}]}`, names: `"secret"`},
		"an unknown field of a scope":        {config: `{"scopes":[{"name":"a","audience":"b"}]}`, names: `"audience"`},
		"an unknown field of a user":         {config: `{"users":[{"email":"a"}]}`, names: `"email"`},
		"a client without an id":             {config: `{"clients":[{"client_secrets":[{"value":"s"}]}]}`, names: "client_id"},
		"two clients of one id":              {config: `{"clients":[{"client_id":"a","client_secrets":[{"value":"s"}]},{"client_id":"a","client_secrets":[{"value":"s"}]}]}`, names: "twice"},
		"a client without a secret":          {config: `{"clients":[{"client_id":"a"}]}`, names: "client_secrets"},
		"a method without its secret":        {config: `{"clients":[{"client_id":"a","token_endpoint_auth_method":"client_secret_post"}]}`, names: "client_secrets"},
		"a method that is not there":         {config: client(`,"token_endpoint_auth_methods":["client_secret_jws"]`), names: `"client_secret_jws" is not one of`},
		"a secret as value and hash":         {config: `{"clients":[{"client_id":"a","client_secrets":[{"value":"s","hash":"$sha256$x"}]}]}`, names: "client_secrets[0]"},
		"an empty secret":                    {config: `{"clients":[{"client_id":"a","client_secrets":[{"value":""}]}]}`, names: "client_secrets[0]"},
		"a hash that cannot be read":         {config: `{"clients":[{"client_id":"a","client_secrets":[{"hash":"$md5$x"}]}]}`, names: "client_secrets[0]"},
		"an expiry that is not a time":       {config: `{"clients":[{"client_id":"a","client_secrets":[{"value":"s","expires_at":"soon"}]}]}`, names: "expires_at"},
		"a negative lifetime":                {config: client(`,"access_token_lifetime":-1`), names: "access_token_lifetime"},
		"a claim of the endpoint's own":      {config: client(`,"claims":{"iss":"x"}`), names: `"iss"`},
		"a scope with a space":               {config: `{"scopes":[{"name":"a b"}]}`, names: "scopes[0]"},
		"a scope that is there twice":        {config: `{"scopes":[{"name":"a"},{"name":"a"}]}`, names: "scopes[1]"},
		"a user without a password":          {config: `{"users":[{"sub":"1","username":"a"}]}`, names: "users[0]"},
		"two users of one name":              {config: `{"users":[{"sub":"1","username":"a","password":"p"},{"sub":"2","username":"a","password":"p"}]}`, names: "users[1]"},
		"a device code for years":            {config: client(`,"device_code_lifetime":100000000`), names: "device_code_lifetime"},
		"a negative backchannel lifetime":    {config: client(`,"backchannel_lifetime":-1`), names: "backchannel_lifetime"},
		"polls once a day":                   {config: client(`,"poll_interval":86400`), names: "poll_interval"},
		"a delivery mode that is not there":  {config: client(`,"backchannel_token_delivery_mode":"push"`), names: `"push"; write "poll" or "ping"`},
		"ping to nowhere":                    {config: client(`,"backchannel_token_delivery_mode":"ping"`), names: "backchannel_client_notification_endpoint is empty"},
		"ping to http":                       {config: client(`,"backchannel_token_delivery_mode":"ping","backchannel_client_notification_endpoint":"http://127.0.0.1:1/x"`), names: "backchannel_client_notification_endpoint"},
		"ping to another host, with -demo":   {args: []string{"-demo"}, config: client(`,"backchannel_client_notification_endpoint":"http://192.0.2.1/x"`), names: "backchannel_client_notification_endpoint"},
		"codes of users":                     {config: client(`,"backchannel_user_code_parameter":true`), names: "backchannel_user_code_parameter"},
		"tokens of an unknown format":        {config: client(`,"access_token_format":"reference"`), names: `"reference"; write "jwt" or "opaque"`},
		"tokens of an empty format and more": {config: client(`,"access_token_format":"jwtopaque"`), names: "access_token_format"},
		"a resource that is no URI":          {config: client(`,"protected_resources":["urn:a","invoices"]`), names: "protected_resources[1]"},
		"an identity provider of two words":  {config: client(`,"identity_providers":["google","a b"]`), names: "identity_providers[1]"},
		"a value of the wrong type":          {config: `{"clients":[{"client_id":5}]}`, names: "clients.client_id must be a string"},
		"a lifetime that is not whole":       {config: client(`,"access_token_lifetime":1.5`), names: "access_token_lifetime must be a whole number"},
		"a file that ends in the middle":     {config: `{"clients":[`, names: "in the middle"},
		"a hash that asks for too much":      {config: `{"clients":[{"client_id":"a","client_secrets":[{"hash":"$argon2id$v=19$m=9999999,t=1,p=1$c29tZXNhbHQ$c29tZWhhc2hzb21laGFzaA"}]}]}`, names: "client_secrets[0]"},
		"a client_id that cannot be sent":    {config: `{"clients":[{"client_id":"é","client_secrets":[{"value":"s"}]}]}`, names: "client_id"},
		"a secret without value, but label":  {config: `{"clients":[{"client_id":"a","client_secrets":[{"label":"x"}]}]}`, names: "client_secrets[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			args := c.args
			if c.config != "" {
				args = append(args, "-config", configFileWith(t, c.config))
			}
			refused(t, c.names, args...)
		})
	}
}

// refused: the example does not start, and says why in one line that has these words.
func refused(t *testing.T, names string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // should it start after all, it ends at once
	var stdout bytes.Buffer
	err := run(ctx, append([]string{"-addr", "127.0.0.1:0", "-data", t.TempDir(), "-store", "memory:"}, args...), &stdout, t.Output())
	if err == nil {
		t.Fatal("the example started")
	}
	if strings.Contains(err.Error(), "canary") {
		t.Error("the message has a secret")
	}
	if message := err.Error(); strings.Contains(message, "\n") || !strings.Contains(message, names) {
		t.Errorf("the message is not one line that names %s:\n%s", names, message)
	}
	if stdout.Len() > 0 {
		t.Errorf("it greeted all the same: %s", &stdout)
	}
}

func TestAnAddressThatIsTakenIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	err = run(context.Background(), []string{"-addr", addr, "-data", t.TempDir()}, io.Discard, t.Output())
	if err == nil || !strings.Contains(err.Error(), "-addr "+addr+": something listens there already") {
		t.Errorf("err = %v", err)
	}
}

// The curl line works on this machine, whatever the issuer is called outside.
func TestTheGreetingLeadsToTheListener(t *testing.T) {
	for addr, want := range map[string]string{
		":0": "http://127.0.0.1:", "0.0.0.0:0": "http://127.0.0.1:", "[::]:0": "http://127.0.0.1:", "localhost:0": "http://localhost:",
	} {
		if issuer := start(t, "-addr", addr); !strings.HasPrefix(issuer, want) {
			t.Errorf("-addr %s: the issuer is %s", addr, issuer)
		}
	}
	var greeting bytes.Buffer
	greet(&greeting, options{issuer: "https://shop.example/auth/"}, "http://127.0.0.1:5001")
	for _, line := range []string{"issuer    https://shop.example/auth/\n", "POST https://shop.example/auth/connect/token ", "curl -s http://127.0.0.1:5001/auth/connect/token ",
		"refresh_token, device_code, ciba, password, custom", "https://shop.example/auth/device\n", "https://shop.example/auth/requests\n", "https://shop.example/auth/apps\n"} {
		if !strings.Contains(greeting.String(), line) {
			t.Errorf("the greeting lacks %q:\n%s", line, &greeting)
		}
	}
}

func TestHelpListsTheFlags(t *testing.T) {
	var stdout bytes.Buffer
	err := run(context.Background(), []string{"-h"}, &stdout, io.Discard)
	if !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("err = %v, want flag.ErrHelp", err)
	}
	for _, name := range []string{"-addr", "-issuer", "-data", "-config"} {
		if !strings.Contains(stdout.String(), name) {
			t.Errorf("the help does not name %s:\n%s", name, &stdout)
		}
	}
}
