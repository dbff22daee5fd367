package grants

import (
	"context"
	"errors"
	"sync"

	"github.com/grantor-go/grantor/internal/fetch"
)

// Bounds on all notifications: a client whose endpoint hangs takes nothing from the
// others.
const (
	mostPings       = 512 // under way, queued ones among them
	mostPingsOfOne  = 32  // of one client
	mostAtOnceOfOne = 2   // of these on the network
)

// pings are the notifications under way. No request waits for one.
type pings struct {
	once sync.Once
	post func(ctx context.Context, url, bearer string, body []byte) (status int, err error)
	ctx  context.Context // of all of them
	stop context.CancelFunc
	all  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	total  int
	of     map[string]*pingsOfOne // by client
}

type pingsOfOne struct {
	underWay int
	turn     chan struct{} // held while on the network
}

func (p *pings) start(guard fetch.Guard) {
	p.once.Do(func() {
		client := guard.Client()
		p.post = func(ctx context.Context, url, bearer string, body []byte) (int, error) {
			return fetch.Post(ctx, client, url, bearer, body)
		}
		p.ctx, p.stop = context.WithCancel(context.Background())
		p.of = make(map[string]*pingsOfOne)
	})
}

// run has a client notified, unless there is too much to do.
func (p *pings) run(client string, notify func(turn chan struct{})) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.of[client]
	switch {
	case p.closed:
		return errors.New("the service is shutting down")
	case p.total >= mostPings, one != nil && one.underWay >= mostPingsOfOne:
		return errors.New("too many notifications are under way")
	case one == nil:
		one = &pingsOfOne{turn: make(chan struct{}, mostAtOnceOfOne)}
		p.of[client] = one
	}
	p.total++
	one.underWay++
	p.all.Go(func() {
		defer p.done(client, one)
		notify(one.turn)
	})
	return nil
}

func (p *pings) done(client string, one *pingsOfOne) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total--
	if one.underWay--; one.underWay == 0 {
		delete(p.of, client)
	}
}

// shutdown lets nothing new begin and waits for the rest until ctx ends.
func (p *pings) shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	done := make(chan struct{})
	go func() { p.all.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	p.stop()
	<-done
	return ctx.Err()
}
