package tokenendpoint_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const certificateRefused = `{"error":"invalid_client","error_description":"client authentication failed"}`

// certificateDesk is a desk where each request says which certificate it has. No log of
// it may quote one.
type certificateDesk struct {
	*desk
	mux      *http.ServeMux
	device   grants.DeviceCode
	ciba     *grants.CIBA
	decision string       // of the last backchannel request
	changes  atomic.Int64 // of the store
}

// presented is what Config.ClientCertificate says of a request. It is its context's.
type presented struct {
	cert     *x509.Certificate
	verified bool
	err      error
}

type presentedKey struct{}

func certificateOf(r *http.Request) (*x509.Certificate, bool, error) {
	p, _ := r.Context().Value(presentedKey{}).(presented)
	return p.cert, p.verified, p.err
}

// verified and unverified are certificates as crypto/tls would hand them on.
func verified(cert *tls.Certificate) presented   { return presented{cert: cert.Leaf, verified: true} }
func unverified(cert *tls.Certificate) presented { return presented{cert: cert.Leaf} }

var noCertificate presented

func newCertificateDesk(t *testing.T, configure ...func(*tokenendpoint.Config)) *certificateDesk {
	t.Helper()
	d := &certificateDesk{mux: http.NewServeMux(), device: grants.DeviceCode{VerificationURL: trialIssuer + "/device"}}
	d.ciba = &grants.CIBA{
		Resolve: func(_ context.Context, a *grants.Authentication) (string, error) { return a.LoginHint, nil },
		Ask:     func(_ context.Context, a *grants.Authentication) error { d.decision = a.Decision; return nil },
	}
	password := grants.Password{Verify: func(context.Context, *tokenendpoint.Request, string, string) (*store.Grant, error) {
		return &store.Grant{Subject: "alice"}, nil
	}}
	d.desk = newDesk(t, append([]func(*tokenendpoint.Config){func(c *tokenendpoint.Config) {
		c.Grants = append(c.Grants, grants.ClientCredentials{}, d.device, d.ciba, password)
		c.Replays, c.ClientCertificate = new(memory.Replays), certificateOf
		observe := c.Observe
		c.Observe = func(ctx context.Context, event tokenendpoint.Event) {
			observe(ctx, event)
			tokenendpoint.LogEvents(c.Logger)(ctx, event)
		}
	}}, configure...)...)
	d.endpoint.Mount(d.mux)
	d.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
		return &tokenendpoint.Result{Grant: store.Grant{Subject: "alice"}}, nil
	}
	d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
		if method == "Exchange" || method == "Revoke" {
			d.changes.Add(1)
		}
		return call(ctx)
	}
	for _, id := range []string{"web", "till", "app"} {
		d.alter(id, func(*store.Client) {})
	}
	t.Cleanup(func() {
		if strings.Contains(d.log.String(), certificateName) {
			t.Errorf("the log quotes a name of a certificate: %s", d.log)
		}
	})
	return d
}

// alter changes a client, which may use any grant, or adds one that has no way yet to
// authenticate.
func (d *certificateDesk) alter(id string, change func(*store.Client)) {
	d.t.Helper()
	client := store.Client{Metadata: store.Metadata{
		ID: id, Scope: "openid profile offline_access orders.read orders.write", RedirectURIs: []string{"https://app.example/callback"},
	}, RefreshTokens: store.RefreshTokensAlways}
	if known, err := d.clients.Client(d.t.Context(), id); err == nil {
		client = *known
	}
	client.GrantTypes = []string{"client_credentials", "authorization_code", "refresh_token", "password", redeemOwn, d.device.GrantType(), d.ciba.GrantType()}
	change(&client)
	d.clients.Put(client)
}

// bind has the tokens of clients bound to certificates.
func (d *certificateDesk) bind(ids ...string) {
	for _, id := range ids {
		d.alter(id, func(c *store.Client) { c.TLSBoundAccessTokens = true })
	}
}

// certificateAnswer is an answer, the event of its request and how often the store was
// changed.
type certificateAnswer struct {
	deskAnswer
	header  http.Header
	event   tokenendpoint.Event
	changes int64
}

func (a certificateAnswer) text(member string) string { s, _ := a.members[member].(string); return s }

// ask sends a token request of a client that has this certificate; web and till have
// their secret beside it. Parameters come in pairs.
func (d *certificateDesk) ask(p presented, client, grantType string, parameters ...string) certificateAnswer {
	return d.send(p, client, deskForm(grantType, parameters))
}

func (d *certificateDesk) send(p presented, client string, form url.Values) certificateAnswer {
	sent := url.Values{"client_id": {client}}
	for name, values := range form {
		sent[name] = values
	}
	if client == "web" || client == "till" {
		sent.Set("client_secret", redeemSecret)
	}
	return d.post(p, "/connect/token", sent, nil)
}

// post sends any form.
func (d *certificateDesk) post(p presented, path string, form url.Values, headers http.Header) certificateAnswer {
	r := httptest.NewRequestWithContext(context.WithValue(d.t.Context(), presentedKey{}, p), http.MethodPost, path, strings.NewReader(form.Encode()))
	if headers != nil {
		r.Header = headers.Clone()
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	before := d.changes.Load()
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	answer := d.read(w.Result())
	answer.changes = d.changes.Load() - before
	if p.cert != nil {
		d.unlogged(p.cert)
	}
	return answer
}

func (d *certificateDesk) read(response *http.Response) certificateAnswer {
	d.t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	answer := certificateAnswer{deskAnswer: deskAnswer{status: response.StatusCode, body: string(body)}, header: response.Header}
	if err := json.Unmarshal(body, &answer.members); err != nil {
		d.t.Errorf("the body %q is no JSON object", answer.body)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.events) > 0 {
		answer.event = d.events[len(d.events)-1]
	}
	return answer
}

// unlogged checks that the log has neither the certificate nor its key, however encoded.
func (d *certificateDesk) unlogged(cert *x509.Certificate) {
	d.t.Helper()
	text := d.log.String()
	key := cert.RawSubjectPublicKeyInfo[len(cert.RawSubjectPublicKeyInfo)-32:]
	for _, secret := range []string{
		base64.StdEncoding.EncodeToString(cert.Raw)[:64], base64.RawURLEncoding.EncodeToString(cert.Raw)[:64], hex.EncodeToString(cert.Raw)[:64],
		strings.Split(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})), "\n")[1],
		base64.RawURLEncoding.EncodeToString(key), hex.EncodeToString(key), cert.SerialNumber.String(),
	} {
		if strings.Contains(text, secret) {
			d.t.Errorf("the log quotes the certificate: %s", text)
		}
	}
}

// certificateAnswers are the status and the body of each reason; the others are those of
// a client that is not authenticated.
var certificateAnswers = map[tokenendpoint.Reason]struct {
	status int
	body   string
}{
	tokenendpoint.ReasonCertificate:           {400, `{"error":"invalid_request","error_description":"the client certificate cannot be read"}`},
	tokenendpoint.ReasonCertificateAbsent:     {400, `{"error":"invalid_request","error_description":"the client must use a certificate"}`},
	tokenendpoint.ReasonWrongKey:              {400, `{"error":"invalid_grant","error_description":"the grant is invalid, expired, revoked or was issued to another client"}`},
	tokenendpoint.ReasonMissingClientID:       {401, `{"error":"invalid_client","error_description":"client_id is missing"}`},
	tokenendpoint.ReasonClientKeys:            {500, faultServerError},
	tokenendpoint.ReasonPanic:                 {500, faultServerError},
	tokenendpoint.ReasonClientKeysUnavailable: {503, faultUnavailable},
	tokenendpoint.ReasonThrottled:             {429, `{"error":"temporarily_unavailable","error_description":"too many failed attempts"}`},
}

// refused checks that a request was refused for a reason, with its one answer, and that
// nothing was changed for it.
func (d *certificateDesk) refused(answer certificateAnswer, reason tokenendpoint.Reason) {
	d.t.Helper()
	want, ok := certificateAnswers[reason]
	if !ok {
		want.status, want.body = 401, certificateRefused
	}
	if answer.status != want.status || answer.body != want.body || answer.event.Reason != reason || answer.changes != 0 {
		d.t.Errorf("answered %d %s for %q (%v) with %d changes, want %d %s for %q", answer.status, answer.body, answer.event.Reason, answer.event.Err, answer.changes, want.status, want.body, reason)
	}
	if challenge := answer.header.Get("WWW-Authenticate"); (challenge != "") != (want.status == 401) {
		d.t.Errorf("a %d has the challenge %q", answer.status, challenge)
	}
}

// issued checks that tokens were issued to a client that authenticated in this way, bound
// to a certificate or, by nil, to none.
func (d *certificateDesk) issued(answer certificateAnswer, method store.AuthMethod, bound *tls.Certificate) certificateAnswer {
	d.t.Helper()
	d.want(answer.deskAnswer, 200, "")
	want := any(nil)
	if bound != nil {
		want = map[string]any{"x5t#S256": certificateThumbprint(bound)}
	}
	d.equal("cnf", d.claims(answer.deskAnswer, "access_token")["cnf"], want)
	d.equal("token_type", answer.text("token_type"), "Bearer")
	if answer.event.AuthMethod != method || answer.event.Authenticated != (method != store.NoAuth) {
		d.t.Errorf("authenticated by %s, %v, want %s", answer.event.AuthMethod, answer.event.Authenticated, method)
	}
	return answer
}
