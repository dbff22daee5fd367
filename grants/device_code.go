package grants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// DeviceCode is the device authorization grant (RFC 8628), for what has no browser or
// no keyboard. The device gets a user code at the device authorization endpoint, which
// Endpoint.Mount mounts, and polls; its user enters the code on a page of the service,
// which calls Find, and Approve or Deny. How long codes last and how often to poll is
// in the store.Client.
type DeviceCode struct {
	// VerificationURL is the service's page where users enter codes, such as
	// https://shop.example/device: short, because people type it. Required.
	VerificationURL string

	// Path is where devices begin, relative to the issuer. Empty means
	// /connect/deviceauthorization.
	Path string
}

// Visitor is who enters a user code. Wrong codes are counted by both (RFC 8628 section
// 5.1).
type Visitor struct {
	Subject    string     // who is signed in; required
	RemoteAddr netip.Addr // the browser's address, invalid if unknown
}

// GrantType returns urn:ietf:params:oauth:grant-type:device_code.
func (DeviceCode) GrantType() string { return "urn:ietf:params:oauth:grant-type:device_code" }

// Check implements [tokenendpoint.WithCheck].
func (d DeviceCode) Check() error {
	u, err := url.Parse(d.VerificationURL)
	if err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && u.User == nil && u.RawQuery == "" && !strings.Contains(d.VerificationURL, "#") {
		return nil
	}
	return fmt.Errorf(`VerificationURL %q is not an absolute URL without query and fragment; set it to the page where users enter codes, such as "https://shop.example/device"`, d.VerificationURL)
}

// Companion is the device authorization endpoint (RFC 8628 section 3.1).
func (d DeviceCode) Companion() tokenendpoint.Companion {
	path := d.Path
	if path == "" {
		path = "/connect/deviceauthorization"
	}
	return tokenendpoint.Companion{Name: "device_authorization_endpoint", Path: path, Serve: d.authorize}
}

// authorize answers a device authorization request (RFC 8628 section 3.2).
func (d DeviceCode) authorize(ctx context.Context, req *tokenendpoint.Request) (tokenendpoint.Members, error) {
	lifetime := orDefault(req.Client.DeviceCodeLifetime, 10*time.Minute)
	interval := orDefault(req.Client.PollInterval, 5*time.Second)
	data, err := json.Marshal(polled{Interval: int64(interval / time.Second)})
	if err != nil {
		return nil, err
	}
	record := store.Record{Kind: store.KindDevice, Grant: &store.Grant{Scopes: req.Scopes, Resources: req.Resources}, Data: data}
	for range 5 { // a code that is taken is rare, and five are not
		userCode := newUserCode()
		deviceCode, err := req.Defer(ctx, record, userCode, lifetime)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		shown := FormatUserCode(userCode)
		return tokenendpoint.Members{
			"device_code":               deviceCode,
			"user_code":                 shown,
			"verification_uri":          d.VerificationURL,
			"verification_uri_complete": d.VerificationURL + "?user_code=" + url.QueryEscape(shown),
			"expires_in":                int64(lifetime / time.Second),
			"interval":                  int64(interval / time.Second),
		}, nil
	}
	return nil, &tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, Reason: tokenendpoint.ReasonConflict, Cause: errors.New("no user code was free")}
}

// Validate answers a poll (RFC 8628 section 3.4).
func (DeviceCode) Validate(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	return poll(ctx, req, store.KindDevice, "device_code")
}

// Find returns what a user code stands for, for a page that shows the client, the
// scopes and the code, and asks. It approves nothing. The errors are those of
// Endpoint.FindPending, and temporarily_unavailable with ReasonThrottled for a visitor
// who has entered too many wrong codes.
func (d DeviceCode) Find(ctx context.Context, e *tokenendpoint.Endpoint, visitor Visitor, userCode string) (*tokenendpoint.Pending, error) {
	if visitor.Subject == "" {
		return nil, errors.New("grants: a Visitor needs a Subject: a user code is looked up for somebody who is signed in")
	}
	code, ok := parseUserCode(userCode)
	if !ok { // it cannot be one, and says nothing about any
		return nil, refuse(tokenendpoint.InvalidGrant, tokenendpoint.ReasonUnknownHandle, "the user code is eight letters")
	}
	attempts := []tokenendpoint.Attempt{{Secret: tokenendpoint.SecretUserCode, User: visitor.Subject}}
	if visitor.RemoteAddr.IsValid() {
		attempts = append(attempts, tokenendpoint.Attempt{Secret: tokenendpoint.SecretUserCode, Network: tokenendpoint.Network(visitor.RemoteAddr)})
	}
	var pending *tokenendpoint.Pending
	err := e.Guess(ctx, func() (wrong bool, err error) {
		pending, err = e.FindPending(ctx, store.KindDevice, code)
		var refusal *tokenendpoint.Error
		return errors.As(err, &refusal) && refusal.Reason == tokenendpoint.ReasonUnknownHandle, err
	}, attempts...)
	if err != nil {
		return nil, err
	}
	return pending, nil
}

// Approve lets the device in, once its user has said so on a page that showed what
// Find returned. The grant is the visitor's, with AuthTime where the sign-in is known;
// nil scopes mean those that were asked for. The errors are those of Find; of two
// approvals at once one gets ReasonDecided.
func (d DeviceCode) Approve(ctx context.Context, e *tokenendpoint.Endpoint, visitor Visitor, userCode string, grant store.Grant) error {
	if grant.Subject != visitor.Subject {
		return errors.New("grants: the Subject of the grant is not the visitor's")
	}
	pending, err := d.Find(ctx, e, visitor, userCode)
	if err != nil {
		return err
	}
	return e.Decide(ctx, pending, &grant)
}

// Deny sends the device away. The errors are those of Approve.
func (d DeviceCode) Deny(ctx context.Context, e *tokenendpoint.Endpoint, visitor Visitor, userCode string) error {
	pending, err := d.Find(ctx, e, visitor, userCode)
	if err != nil {
		return err
	}
	return e.Decide(ctx, pending, nil)
}
