package postgres

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// cut is where a proxy cuts a connection.
type cut int32

const (
	nowhere      cut = iota
	request          // the engine never sees the statement
	answer           // the engine committed, and the caller hears nothing
	lastOfAnswer     // the caller hears all but the message that follows the commit
)

// proxy stands between a pool and the engine.
type proxy struct {
	url   string
	trips atomic.Int64 // how often the engine said that it is ready for the next
	next  atomic.Int32 // the cut that the next traffic meets, once
}

// newProxy returns a proxy in front of the engine that base, a URL, leads to.
func newProxy(t *testing.T, base string) *proxy {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	network, address := "tcp", target.Host
	if socket := target.Query().Get("host"); socket != "" {
		network, address = "unix", socket+"/.s.PGSQL.5432"
	}
	folder, err := os.MkdirTemp("", "grantor-proxy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	listener, err := net.Listen("unix", filepath.Join(folder, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })

	p := &proxy{}
	target.Host = ""
	p.url = with(target.String(), "host", folder)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			go p.requests(client, server)
			go p.answers(client, server)
		}
	}()
	return p
}

func (p *proxy) cutNext(where cut) { p.next.Store(int32(where)) }

func (p *proxy) requests(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	b := make([]byte, 1<<16)
	for {
		n, err := client.Read(b)
		if err != nil || p.next.CompareAndSwap(int32(request), int32(nowhere)) {
			return
		}
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
	}
}

// answers reads message by message: a letter, a length that counts itself, a body.
func (p *proxy) answers(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(server, head); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint32(head[1:])+1)
		copy(message, head)
		if _, err := io.ReadFull(server, message[5:]); err != nil {
			return
		}
		ready := head[0] == 'Z'
		if ready {
			p.trips.Add(1)
		}
		where := cut(p.next.Load())
		if ready && (where == answer || where == lastOfAnswer) {
			p.cutNext(nowhere)
			return
		}
		if where == answer {
			continue
		}
		if _, err := client.Write(message); err != nil {
			return
		}
	}
}

func TestRoundTrips(t *testing.T) {
	p := newProxy(t, newSchema(t))
	s := open(t, with(p.url, "pool_max_conns", "1"))
	f, r := begun(t, s, "alice")
	find(t, s, r.Key)
	if _, err := s.Families(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Use(t.Context(), "another", time.Hour); err != nil { // the connection has prepared all statements by now
		t.Fatal(err)
	}

	count := func(name string, want int64, call func() error) {
		t.Helper()
		before := p.trips.Load()
		if err := call(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := p.trips.Load() - before; got != want {
			t.Errorf("%s takes %d round trips, want %d", name, got, want)
		}
	}
	count("Find", 1, func() error { _, _, err := s.Find(t.Context(), r.Key); return err })
	change, _ := rotation(f, r, "one")
	change.Extend = &store.Extension{Key: r.Key, ExpiresAt: now}
	count("Exchange", 1, func() error { return s.Exchange(t.Context(), change) })
	nobody := aFamily("")
	count("Exchange that begins a family", 1, func() error { return s.Exchange(t.Context(), &store.Change{Family: nobody, Begin: true}) })
	nobody.Subject = "alice"
	count("Exchange that names a user", 1, func() error { return s.Exchange(t.Context(), &store.Change{Family: nobody}) })
	count("Families", 1, func() error { _, err := s.Families(t.Context(), "alice"); return err })
	count("Use", 1, func() error { _, err := s.Use(t.Context(), "id", time.Hour); return err })
	count("Use of what was used", 1, func() error { _, err := s.Use(t.Context(), "id", time.Hour); return err })
}

func TestAConnectionThatIsCut(t *testing.T) {
	p := newProxy(t, newSchema(t))
	s := open(t, p.url)
	for _, where := range []struct {
		name string
		cut  cut
		made bool
	}{
		{"before the statement arrives: an outage, and Find says that nothing was made", request, false},
		{"between commit and answer: an outage, and Find says who spent it", answer, true},
		{"in the answer, before the commit is certain: an outage, and Find says who spent it", lastOfAnswer, true},
	} {
		t.Run(where.name, func(t *testing.T) {
			f, r := begun(t, s, "alice")
			change, next := rotation(f, r, "me")
			p.cutNext(where.cut)
			err := s.Exchange(t.Context(), change)
			if err == nil || isVerdict(err) {
				t.Fatalf("Exchange: %v, want an error that is no verdict", err)
			}
			if strings.Contains(err.Error(), r.Key.Hash) {
				t.Errorf("the error %q holds the hash", err)
			}
			got, _ := find(t, s, r.Key)
			if got == nil || (got.SpentBy == "me") != where.made {
				t.Errorf("the record is %+v; spent is to be %t", got, where.made)
			}
			if issued, _ := find(t, s, next.Key); (issued != nil) != where.made {
				t.Errorf("what it issued is %+v; kept is to be %t", issued, where.made)
			}
		})
	}
}
