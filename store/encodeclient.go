package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// clientEncoding is the JSON of a client, with what Client keeps out of its own.
// Its names are never given another meaning. Durations are nanoseconds.
type clientEncoding struct {
	Metadata
	Secrets                  []secretEncoding  `json:"secrets,omitempty"`
	AuthMethods              []AuthMethod      `json:"auth_methods,omitempty"`
	AccessTokenFormat        AccessTokenFormat `json:"access_token_format,omitempty"`
	AccessTokenLifetime      time.Duration     `json:"access_token_lifetime_ns,omitempty"`
	Claims                   map[string]any    `json:"claims,omitempty"`
	RefreshTokens            RefreshTokens     `json:"refresh_tokens,omitempty"`
	Rotation                 Rotation          `json:"rotation,omitempty"`
	RefreshTokenLifetime     time.Duration     `json:"refresh_token_lifetime_ns,omitempty"`
	RefreshTokenIdle         time.Duration     `json:"refresh_token_idle_ns,omitempty"`
	FreshClaims              bool              `json:"fresh_claims,omitempty"`
	DeviceCodeLifetime       time.Duration     `json:"device_code_lifetime_ns,omitempty"`
	BackchannelLifetime      time.Duration     `json:"backchannel_lifetime_ns,omitempty"`
	PollInterval             time.Duration     `json:"poll_interval_ns,omitempty"`
	ProtectedResources       []string          `json:"protected_resources,omitempty"`
	IdentityProviders        []string          `json:"identity_providers,omitempty"`
	LegacyNoPKCE             bool              `json:"legacy_no_pkce,omitempty"`
	LegacyPlainPKCE          bool              `json:"legacy_plain_pkce,omitempty"`
	DPoPNonce                bool              `json:"dpop_nonce,omitempty"`
	LegacyAssertionAudience  bool              `json:"legacy_assertion_audience,omitempty"`
	LegacyAssertionWithoutID bool              `json:"legacy_assertion_without_id,omitempty"`
	Disabled                 bool              `json:"disabled,omitempty"`
}

type secretEncoding struct {
	Hash      string    `json:"hash"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Label     string    `json:"label,omitempty"`
}

// EncodeClient returns a client as one value for an adapter to keep, the hashes of
// its secrets included: encoding/json itself writes only what may be shown. The
// error is that of encoding/json about a claim.
func EncodeClient(c *Client) ([]byte, error) {
	e := clientEncoding{
		c.Metadata, nil, c.AuthMethods, c.AccessTokenFormat, c.AccessTokenLifetime, c.Claims, c.RefreshTokens, c.Rotation,
		c.RefreshTokenLifetime, c.RefreshTokenIdle, c.FreshClaims,
		c.DeviceCodeLifetime, c.BackchannelLifetime, c.PollInterval, c.ProtectedResources, c.IdentityProviders, c.LegacyNoPKCE, c.LegacyPlainPKCE, c.DPoPNonce, c.LegacyAssertionAudience, c.LegacyAssertionWithoutID, c.Disabled,
	}
	for _, s := range c.Secrets {
		e.Secrets = append(e.Secrets, secretEncoding(s))
	}
	return json.Marshal(e)
}

// DecodeClient reads what EncodeClient wrote. Numbers in claims become json.Number,
// so that none is lost. The error wraps ErrCorrupt, also for a member that this
// release does not know: one that a newer release wrote may be a restriction.
func DecodeClient(b []byte) (*Client, error) {
	var e clientEncoding
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&e)
	if _, end := decoder.Token(); err != nil || end != io.EOF {
		return nil, fmt.Errorf("%w: not a client that this release can read", ErrCorrupt) // the text of err could quote it
	}
	c := &Client{
		e.Metadata, nil, e.AuthMethods, e.AccessTokenFormat, e.AccessTokenLifetime, e.Claims, e.RefreshTokens, e.Rotation,
		e.RefreshTokenLifetime, e.RefreshTokenIdle, e.FreshClaims,
		e.DeviceCodeLifetime, e.BackchannelLifetime, e.PollInterval, e.ProtectedResources, e.IdentityProviders, e.LegacyNoPKCE, e.LegacyPlainPKCE, e.DPoPNonce, e.LegacyAssertionAudience, e.LegacyAssertionWithoutID, e.Disabled,
	}
	for _, s := range e.Secrets {
		c.Secrets = append(c.Secrets, Secret(s))
	}
	return c, nil
}
