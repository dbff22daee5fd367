package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const (
	longestLifetime = 10 * 365 * 24 * 60 * 60 // seconds
	longestWait     = 24 * 60 * 60            // for a user to decide
	longestInterval = 5 * 60                  // between two polls
)

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

func checkSeconds(name string, seconds, most int64) error {
	if seconds < 0 || seconds > most {
		return fmt.Errorf("%s is %d; give seconds from 1 to %d, or leave it out", name, seconds, most)
	}
	return nil
}

func (c *configClient) check(client *store.Client) error {
	if err := c.checkMethods(); err != nil {
		return err
	}
	named := c.TokenEndpointAuthMethod != "" || len(c.AuthMethods) > 0
	withSecret := client.Allows(store.ClientSecretBasic) || client.Allows(store.ClientSecretPost)
	switch {
	case c.ID == "" || len(c.ID) > 512 || !printable(c.ID):
		return errors.New("client_id is not 1 to 512 printable ASCII characters")
	case !named && len(client.Secrets) == 0:
		return errors.New(`the client has no secret; add client_secrets, or name another token_endpoint_auth_method, such as "private_key_jwt" or, if it is public, "none"`)
	case withSecret && len(client.Secrets) == 0:
		return errors.New("the client may authenticate by a secret but has none; add client_secrets")
	case c.AccessTokenLifetime < 0 || c.AccessTokenLifetime > longestLifetime:
		return fmt.Errorf("access_token_lifetime is %d; give seconds from 1 to %d, or leave it out for an hour", c.AccessTokenLifetime, longestLifetime)
	}
	return c.checkUse()
}

// checkUse holds what the grants of users need.
func (c *configClient) checkUse() error {
	for name, seconds := range map[string]int64{"refresh_token_lifetime": c.RefreshTokenLifetime, "refresh_token_idle": c.RefreshTokenIdle} {
		if err := checkSeconds(name, seconds, longestLifetime); err != nil {
			return err
		}
	}
	switch {
	case c.RefreshTokens != "" && c.RefreshTokens != store.RefreshTokensAlways:
		return fmt.Errorf(`refresh_tokens is %q; write "always", or leave it out to give them with offline_access`, c.RefreshTokens)
	case c.Rotation != "" && c.Rotation != store.RotationRotate && c.Rotation != store.RotationKeep:
		return fmt.Errorf(`refresh_token_rotation is %q; write "rotate" or "keep", or leave it out`, c.Rotation)
	}
	if f := c.AccessTokenFormat; f != "" && f != "jwt" && f != string(store.AccessTokenOpaque) {
		return fmt.Errorf(`access_token_format is %q; write "jwt" or "opaque", or leave it out for "jwt"`, f)
	}
	for i, uri := range c.ProtectedResources {
		if u, err := url.Parse(uri); err != nil || !u.IsAbs() || strings.Contains(uri, "#") || !printable(uri) {
			return fmt.Errorf("protected_resources[%d] is not an absolute URI without a fragment, as scopes have them in resources", i)
		}
	}
	for i, uri := range c.RedirectURIs {
		u, err := url.Parse(uri)
		if err != nil || !u.IsAbs() || strings.Contains(uri, "#") || !printable(uri) || u.Scheme == "javascript" || u.Scheme == "data" ||
			u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
			return fmt.Errorf("redirect_uris[%d] is not an absolute https URI, a loopback one or an application's own, without a fragment", i)
		}
	}
	for name := range c.Claims {
		if tokenendpoint.IsReservedClaim(name) {
			return fmt.Errorf("claim %q is the endpoint's own; remove it", name)
		}
	}
	return nil
}

// checkPolled holds what the grants need whose clients poll.
func (c *configClient) checkPolled(guard fetch.Guard) error {
	if err := errors.Join(checkSeconds("device_code_lifetime", c.DeviceCodeLifetime, longestWait),
		checkSeconds("backchannel_lifetime", c.BackchannelLifetime, longestWait),
		checkSeconds("poll_interval", c.PollInterval, longestInterval)); err != nil {
		return oneLine(err)
	}
	switch mode := c.DeliveryMode; {
	case mode != "" && mode != store.DeliveryPoll && mode != store.DeliveryPing:
		return fmt.Errorf(`backchannel_token_delivery_mode is %q; write "poll" or "ping", or leave it out to poll`, mode)
	case mode == store.DeliveryPing && c.NotificationEndpoint == "":
		return errors.New(`backchannel_client_notification_endpoint is empty, and the delivery mode is "ping"; give an https URL`)
	case c.UserCodeParameter:
		return errors.New("backchannel_user_code_parameter is true, and the users here have no codes; leave it out")
	}
	if c.NotificationEndpoint != "" {
		if err := guard.CheckURL(c.NotificationEndpoint); err != nil {
			return fmt.Errorf("backchannel_client_notification_endpoint %q: %w; give an https URL on the internet or, with -demo, http on this machine", c.NotificationEndpoint, err)
		}
	}
	for i, name := range c.IdentityProviders {
		if name == "" || !printable(name) || strings.Contains(name, " ") {
			return fmt.Errorf("identity_providers[%d]: %q is not a name without spaces, such as the one in acr_values idp:NAME", i, name)
		}
	}
	return nil
}
