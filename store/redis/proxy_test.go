package redis

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// proxy stands between a client and an engine. It can swallow the answer to a script,
// or to a use of an id, and cut the connection instead, as a network does that fails between commit and
// answer.
type proxy struct {
	engine  *engine
	address string

	mu        sync.Mutex
	cut       bool // the next such answer
	swallowed int
}

func newProxy(t testing.TB, e *engine) *proxy {
	t.Helper()
	p := &proxy{engine: e, address: filepath.Join(folder(t), "p")}
	l, err := net.Listen("unix", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *proxy) cutNext() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
}

func (p *proxy) cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.swallowed
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial(p.engine.network, p.engine.address)
	if err != nil {
		return
	}
	defer server.Close()
	var mu sync.Mutex
	doomed := false
	go func() {
		defer server.Close()
		buffer := make([]byte, 1<<20)
		for {
			n, err := client.Read(buffer)
			if err != nil {
				return
			}
			p.mu.Lock()
			if p.cut && (bytes.Contains(buffer[:n], []byte("evalsha")) || bytes.Contains(buffer[:n], []byte("\r\nset\r\n"))) {
				p.cut = false
				p.swallowed++
				mu.Lock()
				doomed = true
				mu.Unlock()
			}
			p.mu.Unlock()
			if _, err := server.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 1<<20)
	for {
		n, err := server.Read(buffer)
		mu.Lock()
		over := doomed
		mu.Unlock()
		if err != nil || over {
			return
		}
		if _, err := io.Copy(client, bytes.NewReader(buffer[:n])); err != nil {
			return
		}
	}
}
