package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

const (
	shopURL    = "http://127.0.0.1:5001"
	deviceType = "urn:ietf:params:oauth:grant-type:device_code"
	cibaType   = "urn:openid:params:grant-type:ciba"
)

// inside is the shop without a listener, so that a bubble of synctest can move its
// clock. Its store can be made to fail.
type inside struct {
	*outage
	t       *testing.T
	handler http.Handler
	client  *http.Client // an application's
}

func newInside(t *testing.T, args ...string) *inside {
	t.Helper()
	o, err := parseFlags(append([]string{"-data", t.TempDir(), "-issuer", shopURL}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	in := &inside{outage: &outage{GrantStore: new(memory.Grants)}, t: t}
	s, err := newSite(t.Context(), o, in.outage, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	in.handler = s.mux(t.Context())
	in.client = &http.Client{Transport: in}
	return in
}

// RoundTrip implements [http.RoundTripper].
func (in *inside) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	served := r.Clone(r.Context())
	served.RemoteAddr = "127.0.0.1:40000"
	if served.Body == nil {
		served.Body = http.NoBody
	}
	in.handler.ServeHTTP(w, served)
	response := w.Result()
	response.Request = r
	return response, nil
}

func (in *inside) browser() *browser {
	b := newBrowser(in.t)
	b.client.Transport = in
	return b
}

// signedIn is a user at a page, who has signed in there.
func (in *inside) signedIn(name, page string) *browser {
	in.t.Helper()
	b := in.browser()
	b.open(shopURL + page)
	b.shows(http.StatusOK, "Sign in")
	b.submit("action", "login", "username", name, "password", name)
	if b.status != http.StatusOK {
		in.t.Fatalf("%s cannot sign in: status %d\n%s", name, b.status, b.page)
	}
	return b
}

// beginDevice is a device that begins.
func (in *inside) beginDevice() (userCode, deviceCode string) {
	in.t.Helper()
	status, members := postBy(in.t, in.client, shopURL+"/connect/deviceauthorization", url.Values{"client_id": {"device"}, "scope": {"openid offline_access api1"}})
	if status != http.StatusOK {
		in.t.Fatalf("the device is refused: %d %v", status, members)
	}
	return members["user_code"].(string), members["device_code"].(string)
}

// pollDevice polls when it is time and returns the error, empty for tokens.
func (in *inside) pollDevice(deviceCode string) (problem string, members map[string]any) {
	in.t.Helper()
	return in.poll(url.Values{"client_id": {"device"}, "grant_type": {deviceType}, "device_code": {deviceCode}})
}

// beginCIBA asks to sign a user in.
func (in *inside) beginCIBA(hint, message string) (id string) {
	in.t.Helper()
	status, members := in.tryCIBA(url.Values{"login_hint": {hint}, "binding_message": {message}})
	if status != http.StatusOK {
		in.t.Fatalf("the application is refused: %d %v", status, members)
	}
	return members["auth_req_id"].(string)
}

func (in *inside) tryCIBA(form url.Values) (int, map[string]any) {
	in.t.Helper()
	form.Set("client_id", "ciba")
	form.Set("client_secret", "secret")
	form.Set("scope", "openid api1")
	return postBy(in.t, in.client, shopURL+"/connect/ciba", form)
}

func (in *inside) pollCIBA(id string) (problem string, members map[string]any) {
	in.t.Helper()
	return in.poll(url.Values{"client_id": {"ciba"}, "client_secret": {"secret"}, "grant_type": {cibaType}, "auth_req_id": {id}})
}

func (in *inside) poll(form url.Values) (problem string, members map[string]any) {
	in.t.Helper()
	time.Sleep(6 * time.Second) // in a bubble
	_, members = postBy(in.t, in.client, shopURL+"/connect/token", form)
	problem, _ = members["error"].(string)
	return problem, members
}

// outage is a store that can be down. It counts what it kept.
type outage struct {
	store.GrantStore
	down atomic.Bool
	kept atomic.Int64
}

func (o *outage) Exchange(ctx context.Context, change *store.Change) error {
	o.kept.Add(1)
	return o.GrantStore.Exchange(ctx, change)
}

func (o *outage) failure() error {
	if o.down.Load() {
		return errors.New("the canary store is down")
	}
	return nil
}

func (o *outage) Find(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
	if err := o.failure(); err != nil {
		return nil, nil, err
	}
	return o.GrantStore.Find(ctx, key)
}

func (o *outage) Families(ctx context.Context, subject string) ([]store.Family, error) {
	if err := o.failure(); err != nil {
		return nil, err
	}
	return o.GrantStore.Families(ctx, subject)
}

func (o *outage) Revoke(ctx context.Context, match store.Match, at time.Time) (int, error) {
	if err := o.failure(); err != nil {
		return 0, err
	}
	return o.GrantStore.Revoke(ctx, match, at)
}
