package middleware

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/grantor-go/grantor/internal/accesstoken"
	"github.com/grantor-go/grantor/internal/fetch"
)

const (
	defaultCacheFor = 10 * time.Second
	mostCacheFor    = time.Minute
)

// Introspection asks the introspection endpoint of an issuer elsewhere about tokens
// (RFC 7662). It is safe for concurrent use. Its fields are not altered once it is in
// use, and it is not copied.
//
// At most 16 requests are under way at once, each for at most 5 seconds, the time that
// it waits for its turn included; no more than 1024 wait. Redirects are not followed.
// Whoever sends made-up tokens takes turns from others: limit how often strangers may
// call in front of the guard, or have JWTs, whose signature is looked at first.
type Introspection struct {
	// URL is the introspection_endpoint: https, or http on a loopback host that is in
	// InsecureNetworks.
	URL string
	// ClientID and ClientSecret are those that the issuer knows this API by. They are
	// sent by client_secret_basic (RFC 6749 section 2.3.1). An issuer that uses grantor
	// shows a client the tokens for its store.Client.ProtectedResources, which must have
	// RequireToken.Resource: of all others it says that they are not active.
	ClientID, ClientSecret string
	// CacheFor is for how long an answer is believed that a token is active: a token
	// that is revoked is good for so long. It is never longer than until the token's exp
	// (RFC 7662 section 4). Zero means 10 seconds, negative not at all: every call asks.
	// A minute is the most.
	//
	// That a token is not active is not kept. Who sends such tokens can make up as many
	// as it likes, which would push out the answers that are worth keeping, and a token
	// that the issuer's other nodes do not know yet is good a moment later.
	CacheFor time.Duration
	// InsecureNetworks are networks in which the issuer may be although they are not
	// public, such as a company's own. Nil means none.
	InsecureNetworks []netip.Prefix
	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	start    sync.Once
	fault    error  // of Check
	host     string // of URL
	cacheFor time.Duration
	now      func() time.Time
	ask      func(ctx context.Context, token string) ([]byte, error)
	slots    chan struct{} // one in it for each request that is under way

	mu      sync.Mutex // of all below; never held while something is waited for
	answers answers
	shared  map[digest]*question // those that others may join
	asking  int                  // questions without an answer
}

// digest is what tokens are told apart by, so that none is kept.
type digest [sha256.Size]byte

// Check returns every problem of the fields at once; it makes no request. Introspect
// fails with the same error. It quotes no secret, and of the URL no more than the host.
func (i *Introspection) Check() error {
	var problems []error
	if err := i.guard().CheckURL(i.URL); err != nil {
		problems = append(problems, fmt.Errorf("middleware: Introspection.URL: %w; set it to the issuer's introspection_endpoint, and InsecureNetworks if that is not on the internet", err))
	}
	if i.ClientID == "" || i.ClientSecret == "" {
		problems = append(problems, errors.New("middleware: Introspection.ClientID or ClientSecret is empty; set both to what the issuer gave this API"))
	}
	if i.CacheFor > mostCacheFor {
		problems = append(problems, fmt.Errorf("middleware: Introspection.CacheFor %v is longer than %v, in which a revoked token stays good; shorten it", i.CacheFor, mostCacheFor))
	}
	for _, network := range i.InsecureNetworks {
		if !network.IsValid() || network.Addr().Is4In6() {
			problems = append(problems, fmt.Errorf(`middleware: Introspection.InsecureNetworks: %v matches nothing; write a network like "10.0.0.0/8"`, network))
		}
	}
	return errors.Join(problems...)
}

func (i *Introspection) guard() fetch.Guard { return fetch.Guard{Inside: i.InsecureNetworks} }

// Introspect returns what the endpoint says of a token: a JSON object with a boolean
// member active (RFC 7662 section 2.2), of which nothing else is checked, not even exp.
// It fits RequireToken.Introspect. A token that is empty or longer than 16 KiB is not
// active, and nobody is asked.
//
// Calls that ask about one token at once share a request, which goes on when the caller
// that began it leaves. The error is an outage: the endpoint cannot be reached, answers
// with something else, or does not take the credentials; too many requests wait; the
// fields are wrong; or ctx has ended, whose error it then wraps. It contains nothing of
// the token, the credentials, the path and query of the URL, and the answer but for its
// status.
func (i *Introspection) Introspect(ctx context.Context, token string) ([]byte, error) {
	i.start.Do(i.prepare)
	if i.fault != nil {
		return nil, i.fault
	}
	if token == "" || len(token) > accesstoken.MaxToken {
		return []byte(`{"active":false}`), nil
	}
	key, now := digest(sha256.Sum256([]byte(token))), i.now()
	i.mu.Lock()
	answer, kept := i.answers.get(key, now)
	var q *question
	if !kept {
		q = i.join(key, token, now)
	}
	i.mu.Unlock()
	var err error
	switch {
	case kept:
	case q == nil:
		err = errTooManyQuestions
	default:
		answer, err = q.wait(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("middleware: introspection at %s: %w", i.host, err)
	}
	return bytes.Clone(answer), nil // others have it too
}

func (i *Introspection) prepare() {
	i.fault, i.cacheFor, i.now = i.Check(), i.CacheFor, i.Now
	if i.cacheFor == 0 {
		i.cacheFor = defaultCacheFor
	}
	if u, err := url.Parse(i.URL); err == nil {
		i.host = u.Host
	}
	if i.now == nil {
		i.now = time.Now
	}
	if i.ask == nil {
		client := i.guard().Client()
		i.ask = func(ctx context.Context, token string) ([]byte, error) {
			form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
			return fetch.PostForm(ctx, client, i.URL, i.ClientID, i.ClientSecret, form, maxAnswer)
		}
	}
	i.slots = make(chan struct{}, maxAsked)
	i.shared = make(map[digest]*question)
}
