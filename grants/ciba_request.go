package grants

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const longestExpiry = time.Hour

// parse reads the parameters of an authentication request (section 7.1).
func (c *CIBA) parse(ctx context.Context, req *tokenendpoint.Request) (*Authentication, error) {
	form := req.Form
	auth := &Authentication{Request: req, LoginHint: form.Get("login_hint"), LoginHintToken: form.Get("login_hint_token"), BindingMessage: form.Get("binding_message")}
	hints := 0
	for _, name := range []string{"login_hint", "login_hint_token", "id_token_hint"} {
		if form.Get(name) != "" {
			hints++
		}
	}
	switch {
	case form.Get("request") != "": // it would hold all the others
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMalformedOption, "signed requests are not supported")
	case len(req.Scopes) == 0:
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMissingParameter, "scope is missing")
	case !slices.Contains(req.Scopes, "openid"):
		return nil, refuse(tokenendpoint.InvalidScope, tokenendpoint.ReasonNoScope, "the scope must contain openid")
	case hints != 1:
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMalformedHint, "exactly one of login_hint, login_hint_token and id_token_hint is needed")
	case strings.ContainsFunc(auth.LoginHint+auth.LoginHintToken, unicode.IsControl):
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMalformedHint, "the hint holds control characters")
	case !isBindingMessage(auth.BindingMessage):
		return nil, refuse(tokenendpoint.InvalidBindingMessage, tokenendpoint.ReasonMalformedOption, "the binding_message is more than 100 characters, or not letters, digits, punctuation and spaces")
	case strings.ContainsFunc(form.Get("user_code"), unicode.IsControl):
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMalformedOption, "the user_code holds control characters")
	}
	if req.Client.UserCodeParameter {
		auth.UserCode = form.Get("user_code")
	}
	if hint := form.Get("id_token_hint"); hint != "" {
		var err error
		if auth.HintSubject, err = req.Endpoint.IDTokenHint(ctx, req.Client.ID, hint); err != nil {
			return nil, err
		}
	}
	return auth, c.checkNotification(req)
}

// checkNotification: a client with the mode ping says by what token it knows the
// notification.
func (c *CIBA) checkNotification(req *tokenendpoint.Request) error {
	if req.Client.DeliveryMode != store.DeliveryPing {
		return nil
	}
	token := req.Form.Get("client_notification_token")
	switch {
	case token == "":
		return refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMissingParameter, "client_notification_token is missing")
	case !isBearer(token):
		return refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMalformedOption, "the client_notification_token is no bearer token")
	}
	if err := c.guard().CheckURL(req.Client.NotificationEndpoint); err != nil {
		return &tokenendpoint.Error{Code: tokenendpoint.UnauthorizedClient, Reason: tokenendpoint.ReasonGrantTypeNotAllowed,
			Description: "the client has no notification endpoint that can be used", Cause: err}
	}
	return nil
}

// parseExpiry reads requested_expiry, in seconds.
func parseExpiry(req *tokenendpoint.Request) (time.Duration, error) {
	requested := req.Form.Get("requested_expiry")
	if requested == "" {
		return orDefault(req.Client.BackchannelLifetime, 5*time.Minute), nil
	}
	seconds, err := strconv.ParseInt(requested, 10, 64)
	if err != nil || seconds <= 0 || requested[0] == '+' {
		return 0, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMalformedOption, "requested_expiry is not a positive integer")
	}
	return time.Duration(min(seconds, int64(longestExpiry/time.Second))) * time.Second, nil
}

// isBindingMessage: what people compare must look the same everywhere, so no emoji, no
// control characters, none that reorder the others and none that cannot be seen.
func isBindingMessage(s string) bool {
	return utf8.RuneCountInString(s) <= 100 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != ' ' && !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.Sc, unicode.Sm) ||
			unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
	})
}

// isBearer holds the grammar of b64token (RFC 6750 section 2.1).
func isBearer(s string) bool {
	token := strings.TrimRight(s, "=")
	return token != "" && strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/") == ""
}

// hint is what wrong user codes are counted by.
func (a *Authentication) hint() string {
	switch {
	case a.HintSubject != "":
		return a.HintSubject
	case a.LoginHint != "":
		return strings.ToLower(strings.TrimSpace(a.LoginHint))
	}
	sum := sha256.Sum256([]byte(a.LoginHintToken))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
