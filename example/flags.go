package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// options is what the flags say.
type options struct {
	addr   string
	issuer string
	data   string
	store  string
	demo   bool
	config registry
	seeded bool // no -config: the clients are those of the documentation

	tlsFiles  tlsFiles
	tls       *tls.Config    // nil: http
	clientCAs *x509.CertPool // nil: no client is asked for a certificate
	demoDir   string         // where the test keys are, with -demo
}

func parseFlags(args []string, usage io.Writer) (options, error) {
	var o options
	var config string
	flags := flag.NewFlagSet("example", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // one line says what is wrong; -h prints the rest
	flags.StringVar(&o.addr, "addr", "127.0.0.1:5001", "listen on `HOST:PORT`")
	flags.StringVar(&o.issuer, "issuer", "", "issuer `URL` (default http:// or https:// and the address)")
	flags.StringVar(&o.data, "data", "", "keep keys and the database in `DIR` (default in the user's cache folder)")
	flags.StringVar(&o.store, "store", "", "keep what users granted in memory:, sqlite:`PATH`, postgres://... or redis://... (default a SQLite file in -data)")
	flags.BoolVar(&o.demo, "demo", false, "let anyone sign in as any user by demo_user, for scripts, and make test keys in -data; on a loopback -addr only")
	flags.StringVar(&o.tlsFiles.cert, "tls-cert", "", "serve https by the certificate in a PEM `FILE`")
	flags.StringVar(&o.tlsFiles.key, "tls-key", "", "the private key of -tls-cert, in a PEM `FILE`")
	flags.StringVar(&o.tlsFiles.clientCA, "client-ca", "", "ask clients for certificates, and believe those that the CAs in a PEM `FILE` issued")
	flags.StringVar(&config, "config", "", "read clients, scopes and users from a JSON `FILE` in place of the seeded ones")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(usage)
		flags.Usage()
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w; -h lists the flags", err)
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; -h lists the flags", flags.Arg(0))
	}
	host, _, err := net.SplitHostPort(o.addr)
	if err != nil {
		return o, fmt.Errorf("-addr %q is not HOST:PORT, such as 127.0.0.1:5001", o.addr)
	}
	if ip := net.ParseIP(host); o.demo && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return o, fmt.Errorf("-demo lets anyone in, and -addr %s is not a loopback address; use 127.0.0.1", o.addr)
	}
	if o.data == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return o, fmt.Errorf("there is no cache folder (%w); set -data DIR", err)
		}
		o.data = filepath.Join(cache, "grantor-example")
	}
	if config == "" {
		o.config, o.seeded = seeds(), true
	} else if o.config, err = loadConfig(config, o.insecureNetworks()); err != nil {
		return o, fmt.Errorf("-config %s: %w", config, err)
	}
	if o.demo { // it makes what the flags of TLS may name
		if err := o.seedKeys(); err != nil {
			return o, err
		}
	}
	return o, o.loadTLS()
}

// addrError says why an address cannot be listened on.
func addrError(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("-addr %s: something listens there already; stop it or choose another", addr)
	}
	return fmt.Errorf("-addr %s: %w", addr, err)
}

// oneLine folds the list of problems that tokenendpoint.New returns.
func oneLine(err error) error {
	return errors.New(strings.ReplaceAll(strings.ReplaceAll(err.Error(), ":\n", ": "), "\n", "; "))
}

// insecureNetworks are where notification endpoints and JWK Sets of clients may be
// although they are not public: with -demo, on this machine.
func (o *options) insecureNetworks() []netip.Prefix {
	if !o.demo {
		return nil
	}
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}
