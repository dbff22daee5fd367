// Command example is a small shop that existed before it had tokens: a mux, a
// few pages, a graceful end. It mounts a token endpoint at /connect/token. Its users
// connect devices at /device, decide on requests to sign them in at /requests, and
// see which applications have access at /apps.
//
// The clients and their secrets are made up: do not run it where others can
// reach it.
//
//	-addr HOST:PORT  where it listens (127.0.0.1:5001)
//	-issuer URL      its issuer (http:// or https://, and the address)
//	-data DIR        where it keeps its keys and database (a folder in the user's cache)
//	-store STORE     where it keeps what users granted: memory:, sqlite:PATH, postgres://... or redis://... (a SQLite file in -data)
//	-config FILE     what it has registered, in place of the seeds
//	-tls-cert FILE   serves https by this certificate, as PEM
//	-tls-key FILE    its private key, as PEM
//	-client-ca FILE  asks clients for a certificate, and believes those of these CAs, as PEM; those that are self-signed prove a key
//	-demo            lets scripts sign in as any user by demo_user=NAME and decide by POST /demo/decide, on a loopback address
//
// With -demo, at the first start, test keys and certificates are made in the folder
// demo of -data: a CA (ca.pem), a server's certificate for localhost and 127.0.0.1
// (server.pem), and what the clients jwt, mtls and self-signed hold. These, secret-jwt
// and dpop are then among the seeds; ./client is a program that uses them.
//
// The file is JSON. Clients have the names of RFC 7591 section 2 and a few more;
// a name that is not known is an error.
//
//	{
//	  "clients": [{
//	    "client_id": "reports",
//	    "grant_types": ["client_credentials"],
//	    "scope": "invoices.read",
//	    "token_endpoint_auth_methods": ["client_secret_basic", "client_secret_post"],
//	    "client_secrets": [{"value": "a secret"},
//	                       {"hash": "$sha256$...", "expires_at": "2030-01-31T00:00:00Z", "label": "old"}],
//	    "access_token_lifetime": 600,
//	    "claims": {"department": "accounts"},
//	    "disabled": false,
//	    "redirect_uris": ["https://reports.example/callback"],
//	    "refresh_tokens": "always", "refresh_token_rotation": "rotate",
//	    "refresh_token_lifetime": 2592000, "refresh_token_idle": 1209600,
//	    "fresh_claims": true, "legacy_no_pkce": false, "legacy_plain_pkce": false,
//	    "device_code_lifetime": 600, "backchannel_lifetime": 300, "poll_interval": 5,
//	    "backchannel_token_delivery_mode": "ping",
//	    "backchannel_client_notification_endpoint": "https://reports.example/decided",
//	    "identity_providers": ["google"],
//	    "access_token_format": "jwt", "protected_resources": ["https://invoices.example"],
//	    "jwks": {"keys": []}, "token_endpoint_auth_signing_alg": "ES256",
//	    "tls_client_auth_subject_dn": "CN=reports,O=Example",
//	    "tls_client_certificate_bound_access_tokens": false,
//	    "dpop_bound_access_tokens": false, "dpop_nonce": false,
//	    "legacy_assertion_audience": false, "legacy_assertion_without_id": false
//	  }],
//	  "scopes": [{"name": "invoices.read", "resources": ["https://invoices.example"], "claims": [], "identity": false}],
//	  "users": [{"sub": "1", "username": "bob", "password": "bob", "claims": {}}]
//	}
//
// expires_at may be seconds since 1970 as well; lifetimes and intervals are seconds.
// openid and offline_access need not be listed among the scopes. With -demo a
// notification endpoint may be http on this machine, and so may a jwks_uri.
//
// A scope without resources is for the shop's own API, GET /resource, whose audience is
// the issuer; the scope admin is for GET /admin. Tokens with access_token_format "opaque"
// are no JWTs. A client may introspect its own tokens and those for its
// protected_resources.
//
// The methods are client_secret_basic, client_secret_post, none, and
//
//	private_key_jwt              needs jwks, which has public keys, or jwks_uri
//	client_secret_jwt            needs a secret as value of at least 32 octets
//	tls_client_auth              needs one of tls_client_auth_subject_dn, _san_dns, _san_uri, _san_ip, _san_email
//	self_signed_tls_client_auth  needs jwks or jwks_uri
//
// POST /demo/decide takes a form: action=allow or deny, user=NAME, and user_code or
// auth_req_id. It answers 204, or an error as JSON: 400 a form that lacks something,
// 404 nothing of that name, or expired, 409 decided already, 429 too many wrong codes,
// 503 an outage.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/grantor-go/grantor/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(2)
	}
}

// run serves until ctx ends. Its error is one line: what is wrong with a flag or
// a file, and what to do.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	options, err := parseFlags(args, stdout)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	listener, err := net.Listen("tcp", options.addr)
	if err != nil {
		return addrError(options.addr, err)
	}
	defer listener.Close()
	if options.issuer == "" {
		options.issuer = options.urlOf(listener.Addr())
	}
	records, closeRecords, err := openRecords(ctx, options, logger)
	if err != nil {
		return err
	}
	defer closeRecords()
	shop, err := newSite(ctx, options, records, logger)
	if err != nil {
		return err
	}
	defer shop.shutdown(ctx)
	go store.PurgeEvery(ctx, records, 10*time.Minute, logger)
	greet(stdout, options, options.urlOf(listener.Addr()))
	return serve(ctx, listener, options.tls, shop.mux(ctx))
}

// urlOf is where this machine reaches the listener, and the default issuer: the
// host as -addr has it, unless that means all, and the port that was really taken.
func (o *options) urlOf(taken net.Addr) string {
	host, _, _ := net.SplitHostPort(o.addr) // parseFlags checked it
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	_, port, _ := net.SplitHostPort(taken.String())
	if o.tls != nil {
		return "https://" + net.JoinHostPort(host, port)
	}
	return "http://" + net.JoinHostPort(host, port)
}

// serve answers requests until ctx ends, and then those under way: by https, unless
// config is nil.
func serve(ctx context.Context, listener net.Listener, config *tls.Config, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		TLSConfig:         config,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	done := make(chan error, 1)
	go func() {
		if config == nil {
			done <- server.Serve(listener)
			return
		}
		done <- server.ServeTLS(listener, "", "")
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return server.Shutdown(ctx)
	}
}
