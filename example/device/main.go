// Command device is a program without a browser, such as one on a television, that
// signs its user in by the device authorization grant (RFC 8628). The user opens an
// address elsewhere and enters a code there; then the program has an ID token, whose
// claims it prints.
//
//	-issuer URL  whose service it is (http://127.0.0.1:5001, the example's)
//	-client ID   which client it is (device)
//	-scope LIST  what it asks for (openid profile api1 offline_access)
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func main() {
	issuer := flag.String("issuer", "http://127.0.0.1:5001", "the service's issuer `URL`")
	client := flag.String("client", "device", "the `ID` of a public client that the service has registered")
	scope := flag.String("scope", "openid profile api1 offline_access", "the scopes to ask for, separated by spaces")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := signIn(ctx, os.Stdout, *issuer, *client, strings.Fields(*scope))
	switch {
	case err != nil && ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "device: stopped")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "device:", strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
}

// signIn waits until the user has decided, the code has expired or ctx ends.
func signIn(ctx context.Context, out io.Writer, issuer, client string, scopes []string) error {
	provider, err := oidc.NewProvider(ctx, issuer)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing listens at %s; start the service (go run ./example) or set -issuer", issuer)
	} else if err != nil {
		return fmt.Errorf("%s does not describe itself; is -issuer right? %w", issuer, err)
	}
	endpoint := provider.Endpoint()
	if endpoint.DeviceAuthURL == "" {
		return fmt.Errorf("%s does not sign devices in; set -issuer to a service that does", issuer)
	}
	endpoint.AuthStyle = oauth2.AuthStyleInParams // a public client has nothing to authenticate by
	config := oauth2.Config{ClientID: client, Endpoint: endpoint, Scopes: scopes}
	device, err := config.DeviceAuth(ctx)
	if err != nil {
		return explain(err, client)
	}
	fmt.Fprintf(out, "Open       %s\nand enter  %s\n", device.VerificationURI, device.UserCode)
	if device.VerificationURIComplete != "" {
		fmt.Fprintf(out, "or open    %s\n", device.VerificationURIComplete)
	}
	fmt.Fprintln(out, "Waiting. Ctrl-C ends it.")
	token, err := config.DeviceAccessToken(ctx, device)
	if err != nil {
		return explain(err, client)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return errors.New("you are signed in, but there is no ID token; add openid to -scope")
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: client}).Verify(ctx, raw)
	if err != nil {
		return fmt.Errorf("the ID token is not to be trusted: %w", err)
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(claims)
}

// explain says what became of the request, and what to do.
func explain(err error, client string) error {
	var answer *oauth2.RetrieveError
	switch {
	case errors.Is(err, context.DeadlineExceeded): // of the code: oauth2 stops waiting by itself
		return errors.New("the code has expired; run this again")
	case !errors.As(err, &answer):
		return fmt.Errorf("the service does not answer: %w; run this again later", err)
	}
	switch answer.ErrorCode {
	case "access_denied":
		return errors.New("access was denied; run this again if it was a mistake")
	case "expired_token":
		return errors.New("the code has expired; run this again")
	case "invalid_client", "unauthorized_client":
		return fmt.Errorf("the service does not let the client %q ask by a device code; register it or set -client", client)
	case "invalid_scope":
		return fmt.Errorf("the client %q may not have all of these scopes; change -scope", client)
	case "":
		return fmt.Errorf("the service answered %s; run this again later", answer.Response.Status)
	}
	return fmt.Errorf("the service refused: %s %s", answer.ErrorCode, answer.ErrorDescription)
}
