// Package fetch makes requests to URLs that strangers registered, and reaches
// only what a stranger may make this service reach: not its host, not its
// network, not the metadata service of its cloud.
package fetch

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"
)

const (
	wholeTimeout   = 5 * time.Second // from the look-up of the name to the end of the body
	connectTimeout = 3 * time.Second // look-up included
	tlsTimeout     = 3 * time.Second
	headerTimeout  = 4 * time.Second // from the end of the request

	maxHeader = 16 << 10 // octets
	userAgent = "grantor"
)

// ErrRefused says that the request may not be made: because of its URL, its
// token, or the address that the name in the URL has. It is not an outage.
var ErrRefused = errors.New("fetch: refused")

// Guard says what strangers may make us reach: public addresses and those Inside.
type Guard struct {
	// Inside are networks that may be reached although they are not public, such as
	// a company's own. An IPv4 network is written as one: one that is written as
	// ::ffff:0:0/96 and below matches nothing. Not altered once it is in use.
	Inside []netip.Prefix
}

// Client returns a new client whose every connection goes to a public address or
// Inside, and whose every request obeys CheckURL but for the bound on its length. It is safe for concurrent use and
// keeps a few idle connections: make one and keep it.
//
// It speaks HTTP/1.1 and TLS 1.2 or later, without a proxy, cookies, compression
// and protocol upgrades, and gives up after 5 seconds, the reading of the body
// included. A redirect is an answer like any other and is not followed. Response
// headers are at most 16 KiB; how much of a body is read is up to the caller.
//
// Its errors are those of net/http and quote the URL and what the server sent; those
// of Post do not.
func (g Guard) Client() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Client{
		Timeout:       wholeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &transport{guard: g, Transport: &http.Transport{
			Proxy:                  nil, // the proxy would choose the address, and could reach what we may not
			DialContext:            g.dialer().DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    tlsTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			MaxResponseHeaderBytes: maxHeader,
			DisableCompression:     true,
			Protocols:              protocols,
			MaxConnsPerHost:        16,
			MaxIdleConns:           32,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
		}},
	}
}

// dialer judges the address that is about to be connected to. Whatever a name was
// looked up as before, or is next time, does not matter.
func (g Guard) dialer() *net.Dialer {
	return &net.Dialer{Timeout: connectTimeout, Control: g.control}
}

// transport holds every request to what the guard says of its URL.
type transport struct {
	guard Guard
	*http.Transport
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.guard.check(req.URL); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", userAgent)
	resp, err := t.Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		resp.Body.Close() // it is the bare connection, and reading it would outlast the context
		return nil, errUpgrade
	}
	return resp, nil
}

var errUpgrade = errors.New("fetch: the server switched protocols unasked")
