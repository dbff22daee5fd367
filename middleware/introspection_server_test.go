package middleware

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var loopbackNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// issue is an issuer's introspection endpoint on 127.0.0.1.
func issue(t *testing.T, handle http.HandlerFunc) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/introspect-secret?query-secret", requests
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func asking(url string) *Introspection {
	return &Introspection{URL: url, ClientID: "api id", ClientSecret: "client-secret+", InsecureNetworks: loopbackNetworks}
}

// 7662-2.1-01 and 7662-2.1-02, from the side of who asks.
func TestTheIssuerIsAskedByRFC7662(t *testing.T) {
	url, requests := issue(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id, secret, _ := r.BasicAuth()
		if r.Method != http.MethodPost || r.URL.RawQuery != "query-secret" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" ||
			string(body) != "token=token-secret~%2B%2F%3D&token_type_hint=access_token" || id != "api+id" || secret != "client-secret%2B" {
			t.Errorf("%s %s %v %s, as %q with %q", r.Method, r.RequestURI, r.Header, body, id, secret)
		}
		status(200, active)(w, r)
	})
	i := asking(url)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { answered(t, i, "token-secret~+/=", active) })
	}
	all.Wait()
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestOtherAnswersAreOutages(t *testing.T) {
	inner, innerRequests := issue(t, status(200, active))
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		says   string
	}{
		"credentials that are wrong":      {status(401, "token-secret"), "status 401"},
		"credentials that are not enough": {status(403, "token-secret"), "status 403"},
		"a server in trouble":             {status(503, "token-secret"), "status 503"},
		"a page that is not there":        {http.NotFound, "status 404"},
		"a created answer":                {status(201, active), "status 201"},
		"a redirect":                      {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner, http.StatusTemporaryRedirect) }, "status 307"},
		"another media type":              {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, active) }, "media type"},
		"more than 64 KiB":                {status(200, active+strings.Repeat(" ", 64<<10)), "65536 octets"},
		"no answer to the question":       {status(200, `{"token-secret":true}`), "active"},
		"a connection that is closed":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "closed the connection"},
		"an answer that is too short": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "999")
			status(200, active)(w, r)
		}, "closed the connection"},
		"a challenge that quotes the form": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", r.FormValue("token"))
			w.WriteHeader(401)
		}, "status 401"},
	} {
		t.Run(name+" is an outage", func(t *testing.T) {
			url, requests := issue(t, c.handle)
			i := asking(url)
			for range 2 {
				if err := unanswered(t, i, "token-secret"); !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v does not say %q", err, c.says)
				}
			}
			if n := requests.Load(); n != 2 {
				t.Errorf("%d requests, want 2", n)
			}
		})
	}
	if n := innerRequests.Load(); n != 0 {
		t.Errorf("%d requests to where the redirect leads", n)
	}
}

func TestAnAnswerOf64KiBIsTaken(t *testing.T) {
	large := active + strings.Repeat(" ", 64<<10-len(active))
	url, _ := issue(t, status(200, large))
	answered(t, asking(url), "a", large)
}

// The operator learns of it before the first request, and nobody is let in.
func TestWhatIsConfiguredWrongly(t *testing.T) {
	url, requests := issue(t, status(200, active))
	good := func() *Introspection { return asking(url) }
	if err := good().Check(); err != nil {
		t.Errorf("what is right: %v", err)
	}
	for field, breaks := range map[string]func(*Introspection){
		"URL":                              func(i *Introspection) { i.URL = "" },
		"Introspection.URL":                func(i *Introspection) { i.URL = "http://issuer.example/secret?secret" },
		"not a public address":             func(i *Introspection) { i.InsecureNetworks = nil },
		"has a fragment":                   func(i *Introspection) { i.URL += "#secret" },
		"ClientID or":                      func(i *Introspection) { i.ClientID = "" },
		"ClientSecret is empty":            func(i *Introspection) { i.ClientSecret = "" },
		"CacheFor 1m0.000000001s":          func(i *Introspection) { i.CacheFor = time.Minute + 1 },
		"InsecureNetworks: invalid Prefix": func(i *Introspection) { i.InsecureNetworks = append([]netip.Prefix{{}}, loopbackNetworks...) },
		"::ffff:10.0.0.0/104 matches": func(i *Introspection) {
			i.InsecureNetworks = append([]netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}, loopbackNetworks...)
		},
	} {
		i := good()
		breaks(i)
		err := i.Check()
		if err == nil || !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", field, err)
		}
		unanswered(t, i, "a")
	}
	if err := new(Introspection).Check(); err == nil || strings.Count(err.Error(), "middleware: ") != 2 {
		t.Errorf("not every problem at once: %v", err)
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}
