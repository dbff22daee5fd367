package grants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// Bounds on a notification: a client that cannot be reached polls, so little is lost.
const (
	pingTries   = 3
	pingTimeout = 5 * time.Second // of a try
	pingPause   = 2 * time.Second // before the second try, and twice that before the third
)

func (c *CIBA) guard() fetch.Guard { return fetch.Guard{Inside: c.InsecureNetworks} }

// sealNotification keeps what the notification needs. The token is a secret of the
// client's: only who has the decision can read it, not who reads the store.
func (c *CIBA) sealNotification(data *polled, auth *Authentication) (err error) {
	if auth.Request.Client.DeliveryMode != store.DeliveryPing {
		return nil
	}
	data.Notify = auth.Request.Client.NotificationEndpoint
	data.Notification, err = secret.Seal(auth.Decision, auth.Request.Form.Get("client_notification_token"))
	return err
}

// notify tells the client that there is a decision (section 10.2): nothing but which.
// It does not wait.
func (c *CIBA) notify(asked *Asked, data *polled, decision string) {
	if data.Notify == "" {
		return
	}
	logger := c.Logger
	if logger == nil {
		logger = slog.Default()
	}
	failed := func(err error) {
		logger.Warn("a client of CIBA is not notified", "client_id", asked.Client.ID, "grant_id", asked.GrantID, "error", err.Error())
	}
	token, err := secret.Open(decision, data.Notification)
	if err != nil {
		failed(err)
		return
	}
	body, err := json.Marshal(map[string]string{"auth_req_id": asked.Handle})
	if err != nil {
		failed(err)
		return
	}
	c.pings.start(c.guard())
	err = c.pings.run(asked.Client.ID, func(turn chan struct{}) {
		if err := c.pings.send(turn, data.Notify, token, body); err != nil {
			failed(err)
		}
	})
	if err != nil {
		failed(err)
	}
}

// send posts until it is answered. What will not be different next time is not tried
// again.
func (p *pings) send(turn chan struct{}, url, token string, body []byte) (err error) {
	for try := range pingTries {
		select {
		case <-p.ctx.Done():
			return errors.Join(err, p.ctx.Err())
		case <-time.After(time.Duration(try) * pingPause):
		}
		var status int
		status, err = p.try(turn, url, token, body)
		switch {
		case status/100 == 2: // whatever became of its body
			return nil
		case errors.Is(err, fetch.ErrRefused):
			return err
		case status != 0 && status < 500 && status != 429:
			return fmt.Errorf("its notification endpoint answered %d", status)
		case err == nil:
			err = fmt.Errorf("its notification endpoint answered %d", status)
		}
	}
	return err
}

func (p *pings) try(turn chan struct{}, url, token string, body []byte) (status int, err error) {
	select {
	case turn <- struct{}{}:
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	}
	defer func() { <-turn }()
	ctx, cancel := context.WithTimeout(p.ctx, pingTimeout)
	defer cancel()
	return p.post(ctx, url, token, body)
}
