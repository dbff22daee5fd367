package grants

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// CIBA is client-initiated backchannel authentication (OpenID Connect CIBA Core 1.0),
// for a client that knows its user by other means: a desk on the telephone, a till. The
// client asks at the backchannel authentication endpoint, which Endpoint.Mount mounts;
// the service asks the user, wherever it reaches them, and calls Approve or Deny; the
// client polls, and with the delivery mode ping is told when to. It is for clients that
// authenticate. Use a pointer; the fields are not changed later.
type CIBA struct {
	// Resolve finds the user whom a hint means and returns their subject. It refuses
	// by an error such as UnknownUserID, ExpiredLoginHintToken, MissingUserCode,
	// InvalidUserCode (with the subject, so that wrong ones are counted by user),
	// AccessDenied or, for a user who is asked too often, an Error with
	// TemporarilyUnavailable and ReasonThrottled. Required.
	Resolve func(ctx context.Context, req *Authentication) (subject string, err error)

	// Ask has the user asked: by a notification on a telephone, in a list on a page. It
	// does not wait for the answer. Whoever has the Decision can decide: the service
	// keeps it, and never hands it to the client. If it returns an error the client gets
	// that, as of GrantValidator.Validate, and nothing can be decided any more. Required.
	Ask func(ctx context.Context, req *Authentication) error

	// Path is where clients ask, relative to the issuer. Empty means /connect/ciba.
	Path string

	// UserCodes says in the metadata that Resolve looks at UserCode.
	UserCodes bool

	// InsecureNetworks are networks in which notification endpoints may be although they
	// are not public, such as that of a company: whoever registers a client can then
	// have requests sent there.
	InsecureNetworks []netip.Prefix

	// Logger is told of clients that could not be notified. Nil means slog.Default().
	Logger *slog.Logger

	pings pings
}

// Authentication is an authentication request (CIBA section 7.1).
type Authentication struct {
	// Request has the client and what it asks for: Client, Scopes, Resources, ACRValues,
	// Tenant, IdP.
	Request *tokenendpoint.Request

	// One of the three is set. HintSubject is that of an ID token of this issuer for
	// this client; the other two are what the client sent: LoginHint 1 to 1024 bytes
	// without control characters.
	LoginHint      string
	LoginHintToken string
	HintSubject    string

	// BindingMessage is shown to the user, who compares it with what the client shows:
	// at most 100 characters, letters, digits, punctuation and spaces. Empty if there is
	// none.
	BindingMessage string

	// UserCode is what the user told the client, so that strangers cannot have them
	// asked; empty if the client did not send one, or is not registered to.
	UserCode string

	// For Ask: who is to be asked, by what it is decided, until when, and the family of
	// all that comes of it.
	Subject   string
	Decision  string
	ExpiresAt time.Time
	GrantID   string
}

// Asked is what a user is to decide on.
type Asked struct {
	*tokenendpoint.Pending
	BindingMessage string
	ACRValues      []string // wished for by the client
}

// authReqIDClaim is the ID token's claim of section 10.3.1, which binds it to the
// request.
const authReqIDClaim = "urn:openid:params:jwt:claim:auth_req_id"

// GrantType returns urn:openid:params:grant-type:ciba.
func (*CIBA) GrantType() string { return "urn:openid:params:grant-type:ciba" }

// Check implements [tokenendpoint.WithCheck].
func (c *CIBA) Check() error {
	switch {
	case c.Resolve == nil:
		return errors.New("the field Resolve is missing; set the function that finds the user whom a hint means")
	case c.Ask == nil:
		return errors.New("the field Ask is missing; set the function that has the user asked")
	}
	return nil
}

// Companion is the backchannel authentication endpoint (section 7).
func (c *CIBA) Companion() tokenendpoint.Companion {
	path := c.Path
	if path == "" {
		path = "/connect/ciba"
	}
	return tokenendpoint.Companion{
		Name: "backchannel_authentication_endpoint", Path: path, Serve: c.authenticate,
		Metadata: tokenendpoint.Members{
			"backchannel_token_delivery_modes_supported": []store.DeliveryMode{store.DeliveryPoll, store.DeliveryPing},
			"backchannel_user_code_parameter_supported":  c.UserCodes,
		},
	}
}

// authenticate answers an authentication request (section 7.3). Everything is checked
// before the user is looked for.
func (c *CIBA) authenticate(ctx context.Context, req *tokenendpoint.Request) (tokenendpoint.Members, error) {
	if err := c.permit(req); err != nil {
		return nil, err
	}
	auth, err := c.parse(ctx, req)
	if err != nil {
		return nil, err
	}
	lifetime, err := parseExpiry(req)
	if err != nil {
		return nil, err
	}
	if err := c.resolve(ctx, auth); err != nil {
		return nil, err
	}
	interval := orDefault(req.Client.PollInterval, 5*time.Second)
	data := polled{Interval: int64(interval / time.Second), Message: auth.BindingMessage, ACR: req.ACRValues}
	auth.Decision = tokenendpoint.NewDecision()
	if err := c.sealNotification(&data, auth); err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	record := store.Record{Kind: store.KindBackchannel, Grant: &store.Grant{Subject: auth.Subject, Scopes: req.Scopes, Resources: req.Resources}, Data: encoded}
	id, err := req.Defer(ctx, record, auth.Decision, lifetime)
	if err != nil {
		return nil, err
	}
	auth.ExpiresAt = req.Time.Add(lifetime)
	auth.GrantID, _, _ = secret.KeyOf(string(store.KindDecision), auth.Decision)
	if err := c.Ask(ctx, auth); err != nil { // nobody is asked, so nobody must decide
		_, failed := req.Endpoint.Revoke(context.WithoutCancel(ctx), store.Match{Family: auth.GrantID})
		return nil, errors.Join(err, failed)
	}
	return tokenendpoint.Members{"auth_req_id": id, "expires_in": int64(lifetime / time.Second), "interval": int64(interval / time.Second)}, nil
}

// permit: a public client cannot be told from others, and this service pushes no
// tokens (section 10.1).
func (c *CIBA) permit(req *tokenendpoint.Request) error {
	switch mode := req.Client.DeliveryMode; {
	case !req.Authenticated:
		return refuse(tokenendpoint.UnauthorizedClient, tokenendpoint.ReasonUnauthenticated, "the client must authenticate")
	case mode != "" && mode != store.DeliveryPoll && mode != store.DeliveryPing:
		return refuse(tokenendpoint.UnauthorizedClient, tokenendpoint.ReasonGrantTypeNotAllowed, "the client's delivery mode is not supported")
	}
	return nil
}

// resolve finds the user. Wrong user codes are counted by user, if Resolve says whose
// they are, since a hint can be written in many ways; after too many a right one is not
// told from a wrong one.
func (c *CIBA) resolve(ctx context.Context, auth *Authentication) (err error) {
	auth.Subject, err = c.Resolve(ctx, auth)
	if err == nil && auth.Subject == "" {
		return errors.New("grants: CIBA.Resolve returned neither a subject nor an error")
	}
	wrong := errors.Is(err, tokenendpoint.InvalidUserCode)
	if err != nil && !wrong {
		return err
	}
	attempt := tokenendpoint.Attempt{Secret: tokenendpoint.SecretBackchannel, ClientID: auth.Request.Client.ID, User: auth.Subject}
	if auth.Subject == "" {
		attempt.User = auth.hint()
	}
	return auth.Request.Endpoint.Guess(ctx, func() (bool, error) { return wrong, err }, attempt)
}

// Validate answers a poll (section 10.1).
func (c *CIBA) Validate(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	if err := c.permit(req); err != nil {
		return nil, err
	}
	result, err := poll(ctx, req, store.KindBackchannel, "auth_req_id")
	if err != nil {
		return nil, err
	}
	result.IDTokenClaims = map[string]any{authReqIDClaim: req.Form.Get("auth_req_id")}
	return result, nil
}

// Find returns what is to be decided. The errors are those of Endpoint.FindPending.
func (c *CIBA) Find(ctx context.Context, e *tokenendpoint.Endpoint, decision string) (*Asked, error) {
	pending, _, err := c.find(ctx, e, decision)
	return pending, err
}

func (c *CIBA) find(ctx context.Context, e *tokenendpoint.Endpoint, decision string) (*Asked, *polled, error) {
	pending, err := e.FindPending(ctx, store.KindBackchannel, decision)
	if err != nil {
		return nil, nil, err
	}
	var data polled
	if err := data.read(pending.Data); err != nil {
		return nil, nil, err
	}
	return &Asked{Pending: pending, BindingMessage: data.Message, ACRValues: data.ACR}, &data, nil
}

// Approve lets the client in, once its user has said so. The grant is that of the user
// who was asked, with AuthTime and, where it is known, ACR and AMR of how they did; nil
// scopes mean those that were asked for. The errors are those of Find; of two decisions
// at once one gets ReasonDecided. A client that is to be notified is, later.
func (c *CIBA) Approve(ctx context.Context, e *tokenendpoint.Endpoint, decision string, grant store.Grant) error {
	return c.decide(ctx, e, decision, &grant)
}

// Deny sends the client away. The errors are those of Approve.
func (c *CIBA) Deny(ctx context.Context, e *tokenendpoint.Endpoint, decision string) error {
	return c.decide(ctx, e, decision, nil)
}

func (c *CIBA) decide(ctx context.Context, e *tokenendpoint.Endpoint, decision string, grant *store.Grant) error {
	asked, data, err := c.find(ctx, e, decision)
	if err != nil {
		return err
	}
	if err := e.Decide(ctx, asked.Pending, grant); err != nil {
		return err
	}
	c.notify(asked, data, decision)
	return nil
}

// Shutdown waits for notifications under way, at most until ctx ends: the error is then
// that of ctx. Those that are given up, and those of later decisions, are not sent, and
// the clients poll.
func (c *CIBA) Shutdown(ctx context.Context) error {
	c.pings.start(c.guard())
	return c.pings.shutdown(ctx)
}
