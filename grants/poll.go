package grants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// polled is what is kept with a record that a client polls for.
type polled struct {
	Interval int64 `json:"i"`           // seconds that the client is to wait between two polls
	Polled   int64 `json:"p,omitempty"` // the last poll that was not early, in store.Micros
	Early    bool  `json:"e,omitempty"` // one was, since

	// Of backchannel authentication.
	Notify       string   `json:"n,omitempty"` // the client's notification endpoint, if it is to be notified
	Notification []byte   `json:"t,omitempty"` // and its client_notification_token, sealed by the decision id
	Message      string   `json:"m,omitempty"` // binding_message
	ACR          []string `json:"a,omitempty"` // acr_values
}

func (p *polled) read(data []byte) error {
	if err := json.Unmarshal(data, p); err != nil || p.Interval <= 0 {
		return &tokenendpoint.Error{Code: tokenendpoint.ServerError, Reason: tokenendpoint.ReasonCorrupt, Cause: errors.New("the data of a record that is polled for cannot be read")}
	}
	return nil
}

// poll is the token request of a client that waits for its user (RFC 8628 section
// 3.5, CIBA section 11). What was decided is answered whenever it is asked for; only
// who polls in vain can be too early.
func poll(ctx context.Context, req *tokenendpoint.Request, kind store.Kind, parameter string) (*tokenendpoint.Result, error) {
	handle := req.Form.Get(parameter)
	if handle == "" {
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMissingParameter, parameter+" is missing")
	}
	record, err := req.Find(ctx, kind, handle)
	var refusal *tokenendpoint.Error
	switch {
	case errors.As(err, &refusal) && refusal.Reason == tokenendpoint.ReasonExpired:
		return nil, refuse(tokenendpoint.ExpiredToken, tokenendpoint.ReasonExpired, "the "+parameter+" has expired")
	case err != nil:
		return nil, err
	case !record.SpentAt.IsZero():
		return nil, refuse(tokenendpoint.InvalidGrant, tokenendpoint.ReasonReused, "the "+parameter+" was redeemed already")
	case record.State == store.StateApproved:
		return &tokenendpoint.Result{Spend: record}, nil
	case record.State == store.StateDenied:
		return nil, refuse(tokenendpoint.AccessDenied, tokenendpoint.ReasonDenied, "the user refused")
	case record.State != store.StatePending:
		return nil, &tokenendpoint.Error{Code: tokenendpoint.ServerError, Reason: tokenendpoint.ReasonCorrupt, Cause: fmt.Errorf("a record has the state %q", record.State)}
	}
	return nil, wait(ctx, req, record)
}

// wait tells a client that nobody has decided. A poll is early within the interval
// since the last that was not. The first early one of an interval makes it five seconds
// longer, as the client does (RFC 8628 section 3.5); more of them change nothing, so the
// next poll in time is always near, and storms write nothing.
func wait(ctx context.Context, req *tokenendpoint.Request, record *store.Record) error {
	var data polled
	if err := data.read(record.Data); err != nil {
		return err
	}
	pending := refuse(tokenendpoint.AuthorizationPending, tokenendpoint.ReasonPending, "nobody has decided yet")
	early := refuse(tokenendpoint.SlowDown, tokenendpoint.ReasonEarly, "wait longer between two polls")
	interval := time.Duration(data.Interval) * time.Second
	last := store.FromMicros(data.Polled)
	isEarly := data.Polled != 0 && !req.Time.Before(last) && // a clock that was set back makes nobody early
		req.Time.Before(last.Add(interval-jitter(interval)))
	answer := pending
	switch {
	case isEarly && data.Early:
		return early
	case isEarly:
		answer, data.Early, data.Interval = early, true, data.Interval+5
	default:
		data.Polled, data.Early = store.Micros(req.Time), false
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		return err
	}
	changed := *record
	changed.Data = encoded
	if err := req.Update(ctx, &changed); errors.Is(err, store.ErrConflict) {
		return pending // another poll, or the decision: the next poll sees it
	} else if err != nil {
		return err
	}
	return answer
}

// jitter is how much too early a poll may come: networks delay one and not the next.
func jitter(interval time.Duration) time.Duration { return min(time.Second, interval/5) }

// orDefault is a client's setting, in whole seconds.
func orDefault(setting, otherwise time.Duration) time.Duration {
	if setting < time.Second {
		return otherwise
	}
	return setting.Truncate(time.Second)
}
