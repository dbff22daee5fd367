package fetch

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	token       = "token-secret"
	secretQuery = "/path-secret?query-secret"
	secretBody  = `{"auth_req_id":"body-secret"}`
)

// viaProxy counts what comes to the proxy that the environment names. net/http reads
// the environment only once.
var viaProxy atomic.Int64

func TestMain(m *testing.M) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		viaProxy.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		os.Setenv(name, proxy.URL)
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		os.Unsetenv(name)
	}
	code := m.Run()
	proxy.Close()
	os.Exit(code)
}

// endpoint is a client's, with TLS, on 127.0.0.1. It counts connections and requests.
type endpoint struct {
	*httptest.Server
	connections, requests atomic.Int64
}

func listen(t *testing.T, handle http.HandlerFunc, setUp ...func(*httptest.Server)) *endpoint {
	t.Helper()
	e := new(endpoint)
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.requests.Add(1)
		handle(w, r)
	}))
	e.Config.ErrorLog = log.New(io.Discard, "", 0)
	e.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			e.connections.Add(1)
		}
	}
	for _, f := range setUp {
		f(e.Server)
	}
	e.StartTLS()
	t.Cleanup(e.Close)
	return e
}

// at returns the endpoint's URL with another host: example.com and names below are
// in its certificate.
func (e *endpoint) at(host string) string {
	u, err := url.Parse(e.URL)
	if err != nil {
		panic(err)
	}
	return "https://" + host + ":" + u.Port() + secretQuery
}

// trusting returns a guard's client that also trusts the endpoint's certificate.
func (e *endpoint) trusting(t *testing.T, guard Guard) *http.Client {
	t.Helper()
	client := guard.Client()
	pool := x509.NewCertPool()
	pool.AddCert(e.Certificate())
	client.Transport.(*transport).TLSClientConfig.RootCAs = pool
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func answer(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// soon waits for what must happen, long enough for a slow machine.
func soon(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal(what)
	}
}

// names is a DNS in which every name has the same addresses.
type names struct {
	mu        sync.Mutex
	addresses []netip.Addr
}

// resolve makes names the DNS of the test.
func resolve(t *testing.T, addresses ...string) *names {
	t.Helper()
	n := new(names)
	n.are(addresses...)
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go n.serve(far)
		return near, nil
	}}
	t.Cleanup(func() { net.DefaultResolver = before })
	return n
}

func (n *names) are(addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addresses = nil
	for _, address := range addresses {
		n.addresses = append(n.addresses, netip.MustParseAddr(address))
	}
}

// serve answers queries as over TCP (RFC 1035 section 4.2.2), until the other end closes.
func (n *names) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		reply := n.reply(query)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

// reply answers a query for A or AAAA records (RFC 1035 section 4.1).
func (n *names) reply(query []byte) []byte {
	end := 12
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	question := query[12 : end+5]
	const typeA, typeAAAA = 1, 28
	asked := binary.BigEndian.Uint16(query[end+1:])

	n.mu.Lock()
	defer n.mu.Unlock()
	var records []byte
	count := 0
	for _, address := range n.addresses {
		kind := uint16(typeAAAA)
		if address.Is4() {
			kind = typeA
		}
		if kind != asked {
			continue
		}
		count++
		records = append(records, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(address.BitLen()/8))
		records = append(records, address.AsSlice()...)
	}
	reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, byte(count), 0, 0, 0, 0}, question...)
	return append(reply, records...)
}
