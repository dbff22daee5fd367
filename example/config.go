package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// registry is what the shop has registered.
type registry struct {
	clients []store.Client
	scopes  []store.Scope
	users   users
}

// configFile is the JSON of -config.
type configFile struct {
	Clients []configClient `json:"clients"`
	Scopes  []store.Scope  `json:"scopes"`
	Users   users          `json:"users"`
}

// configClient is a client in the names of RFC 7591, with what that does not
// know beside it.
type configClient struct {
	store.Metadata
	Secrets             []configSecret     `json:"client_secrets"`
	AuthMethods         []store.AuthMethod `json:"token_endpoint_auth_methods"`
	AccessTokenLifetime int64              `json:"access_token_lifetime"` // seconds
	Claims              map[string]any     `json:"claims"`
	Disabled            bool               `json:"disabled"`

	RefreshTokens        store.RefreshTokens `json:"refresh_tokens"`         // "always", or with offline_access
	Rotation             store.Rotation      `json:"refresh_token_rotation"` // "rotate", "keep"
	RefreshTokenLifetime int64               `json:"refresh_token_lifetime"` // seconds
	RefreshTokenIdle     int64               `json:"refresh_token_idle"`     // seconds
	FreshClaims          bool                `json:"fresh_claims"`
	LegacyNoPKCE         bool                `json:"legacy_no_pkce"`
	LegacyPlainPKCE      bool                `json:"legacy_plain_pkce"`
}

// configSecret holds a secret or its stored form.
type configSecret struct {
	Value     string `json:"value"`
	Hash      string `json:"hash"`
	ExpiresAt expiry `json:"expires_at"`
	Label     string `json:"label"`
}

// expiry is a time as RFC 3339 writes it or, as in RFC 7591, in seconds since
// 1970 with 0 for never.
type expiry struct{ time.Time }

func (e *expiry) UnmarshalJSON(b []byte) error {
	var seconds int64
	if json.Unmarshal(b, &seconds) == nil {
		if seconds != 0 {
			e.Time = time.Unix(seconds, 0)
		}
		return nil
	}
	if err := json.Unmarshal(b, &e.Time); err != nil {
		return errors.New(`expires_at is neither seconds since 1970 nor a time such as "2030-01-31T00:00:00Z"`)
	}
	return nil
}

func (f *configFile) registry() (registry, error) {
	r := registry{scopes: f.Scopes, users: f.Users}
	var ids, scopes, subs, names []string
	for i, c := range f.Clients {
		client, err := c.client()
		if err == nil && slices.Contains(ids, c.ID) {
			err = errors.New("this client_id is there twice")
		}
		if err != nil {
			return r, fmt.Errorf("clients[%d] %q: %w", i, c.ID, err)
		}
		ids, r.clients = append(ids, c.ID), append(r.clients, client)
	}
	for i, s := range f.Scopes {
		if s.Name == "" || !printable(s.Name) || strings.ContainsAny(s.Name, " \"\\") || slices.Contains(scopes, s.Name) {
			return r, fmt.Errorf("scopes[%d]: name %q is empty, there twice, or holds a character that no scope may have", i, s.Name)
		}
		scopes = append(scopes, s.Name)
	}
	for _, name := range []string{"openid", "offline_access"} { // always known
		if !slices.Contains(scopes, name) {
			r.scopes = append(r.scopes, store.Scope{Name: name, Identity: true})
		}
	}
	for i, u := range f.Users {
		if u.Sub == "" || u.Username == "" || u.Password == "" || slices.Contains(subs, u.Sub) || slices.Contains(names, u.Username) {
			return r, fmt.Errorf("users[%d]: sub, username and password are required, the first two unique", i)
		}
		subs, names = append(subs, u.Sub), append(names, u.Username)
	}
	return r, nil
}

func (c *configClient) client() (store.Client, error) {
	client := store.Client{
		Metadata:            c.Metadata,
		AuthMethods:         c.AuthMethods,
		AccessTokenLifetime: time.Duration(c.AccessTokenLifetime) * time.Second,
		Claims:              c.Claims,
		Disabled:            c.Disabled,

		RefreshTokens:        c.RefreshTokens,
		Rotation:             c.Rotation,
		RefreshTokenLifetime: time.Duration(c.RefreshTokenLifetime) * time.Second,
		RefreshTokenIdle:     time.Duration(c.RefreshTokenIdle) * time.Second,
		FreshClaims:          c.FreshClaims,
		LegacyNoPKCE:         c.LegacyNoPKCE,
		LegacyPlainPKCE:      c.LegacyPlainPKCE,
	}
	for i, s := range c.Secrets {
		stored := store.Secret{Hash: s.Hash, ExpiresAt: s.ExpiresAt.Time, Label: s.Label}
		if (s.Value == "") == (s.Hash == "") {
			return client, fmt.Errorf("client_secrets[%d] has neither or both of value and hash; give one", i)
		}
		if s.Value != "" && !printable(s.Value) {
			return client, fmt.Errorf("client_secrets[%d]: value holds more than printable ASCII; no client could send it", i)
		}
		if s.Value != "" { // it stands in the file: a slow hash in memory would protect nothing
			stored.Hash = store.HashSecret(s.Value)
		}
		if _, err := secret.Parse(stored.Hash); err != nil {
			return client, fmt.Errorf("client_secrets[%d]: %w", i, err)
		}
		client.Secrets = append(client.Secrets, stored)
	}
	return client, c.check(&client)
}

const longestLifetime = 10 * 365 * 24 * 60 * 60 // seconds

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

func (c *configClient) check(client *store.Client) error {
	methods := c.AuthMethods
	if c.TokenEndpointAuthMethod != "" {
		methods = append([]store.AuthMethod{c.TokenEndpointAuthMethod}, methods...)
	}
	for _, m := range methods {
		if m != store.ClientSecretBasic && m != store.ClientSecretPost && m != store.NoAuth {
			return fmt.Errorf("authentication method %q is not one of client_secret_basic, client_secret_post, none", m)
		}
	}
	public := client.Allows(store.NoAuth)
	withSecret := client.Allows(store.ClientSecretBasic) || client.Allows(store.ClientSecretPost)
	switch {
	case c.ID == "" || len(c.ID) > 512 || !printable(c.ID):
		return errors.New("client_id is not 1 to 512 printable ASCII characters")
	case !public && len(client.Secrets) == 0:
		return errors.New(`the client has no secret; add client_secrets, or make it public by "token_endpoint_auth_method": "none"`)
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
		if seconds < 0 || seconds > longestLifetime {
			return fmt.Errorf("%s is %d; give seconds from 1 to %d, or leave it out", name, seconds, longestLifetime)
		}
	}
	switch {
	case c.RefreshTokens != "" && c.RefreshTokens != store.RefreshTokensAlways:
		return fmt.Errorf(`refresh_tokens is %q; write "always", or leave it out to give them with offline_access`, c.RefreshTokens)
	case c.Rotation != "" && c.Rotation != store.RotationRotate && c.Rotation != store.RotationKeep:
		return fmt.Errorf(`refresh_token_rotation is %q; write "rotate" or "keep", or leave it out`, c.Rotation)
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
