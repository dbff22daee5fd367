package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// registry is what the shop has registered.
type registry struct {
	clients []store.Client
	scopes  []store.Scope
	users   users
	secrets map[string][]configSecret // by client_id, for client_secret_jwt, which a hash is not enough for
}

// secretsOf returns a client's secrets as they were given to it.
func (r registry) secretsOf(_ context.Context, client *store.Client) ([]string, error) {
	var values []string
	for _, s := range r.secrets[client.ID] {
		if s.ExpiresAt.IsZero() || time.Now().Before(s.ExpiresAt.Time) {
			values = append(values, s.Value)
		}
	}
	return values, nil
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
	AccessTokenFormat   string             `json:"access_token_format"`   // "jwt" or "opaque"
	AccessTokenLifetime int64              `json:"access_token_lifetime"` // seconds
	ProtectedResources  []string           `json:"protected_resources"`
	Claims              map[string]any     `json:"claims"`
	Disabled            bool               `json:"disabled"`

	RefreshTokens        store.RefreshTokens `json:"refresh_tokens"`         // "always", or with offline_access
	Rotation             store.Rotation      `json:"refresh_token_rotation"` // "rotate", "keep"
	RefreshTokenLifetime int64               `json:"refresh_token_lifetime"` // seconds
	RefreshTokenIdle     int64               `json:"refresh_token_idle"`     // seconds
	FreshClaims          bool                `json:"fresh_claims"`
	LegacyNoPKCE         bool                `json:"legacy_no_pkce"`
	LegacyPlainPKCE      bool                `json:"legacy_plain_pkce"`

	DeviceCodeLifetime  int64    `json:"device_code_lifetime"` // seconds
	BackchannelLifetime int64    `json:"backchannel_lifetime"` // seconds
	PollInterval        int64    `json:"poll_interval"`        // seconds
	IdentityProviders   []string `json:"identity_providers"`

	DPoPNonce                bool `json:"dpop_nonce"`
	LegacyAssertionAudience  bool `json:"legacy_assertion_audience"`
	LegacyAssertionWithoutID bool `json:"legacy_assertion_without_id"`
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

// registry checks the file. inside are the networks where notification endpoints and
// JWK Sets may be although they are not public.
func (f *configFile) registry(inside []netip.Prefix) (registry, error) {
	r := registry{scopes: f.Scopes, users: f.Users, secrets: make(map[string][]configSecret)}
	guard := fetch.Guard{Inside: inside}
	var ids, scopes, subs, names []string
	for i, c := range f.Clients {
		client, err := c.client()
		if err == nil {
			err = c.checkPolled(guard)
		}
		if err == nil {
			err = c.checkProofs(&client, guard)
		}
		if err == nil && slices.Contains(ids, c.ID) {
			err = errors.New("this client_id is there twice")
		}
		if err != nil {
			return r, fmt.Errorf("clients[%d] %q: %w", i, c.ID, err)
		}
		if client.Allows(store.ClientSecretJWT) {
			r.secrets[c.ID] = slices.DeleteFunc(c.Secrets, func(s configSecret) bool { return s.Value == "" })
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
		AccessTokenFormat:   store.AccessTokenFormat(strings.TrimPrefix(c.AccessTokenFormat, "jwt")),
		AccessTokenLifetime: time.Duration(c.AccessTokenLifetime) * time.Second,
		ProtectedResources:  c.ProtectedResources,
		Claims:              c.Claims,
		Disabled:            c.Disabled,

		RefreshTokens:        c.RefreshTokens,
		Rotation:             c.Rotation,
		RefreshTokenLifetime: time.Duration(c.RefreshTokenLifetime) * time.Second,
		RefreshTokenIdle:     time.Duration(c.RefreshTokenIdle) * time.Second,
		FreshClaims:          c.FreshClaims,
		LegacyNoPKCE:         c.LegacyNoPKCE,
		LegacyPlainPKCE:      c.LegacyPlainPKCE,

		DeviceCodeLifetime:  time.Duration(c.DeviceCodeLifetime) * time.Second,
		BackchannelLifetime: time.Duration(c.BackchannelLifetime) * time.Second,
		PollInterval:        time.Duration(c.PollInterval) * time.Second,
		IdentityProviders:   c.IdentityProviders,

		DPoPNonce:               c.DPoPNonce,
		LegacyAssertionAudience: c.LegacyAssertionAudience, LegacyAssertionWithoutID: c.LegacyAssertionWithoutID,
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
