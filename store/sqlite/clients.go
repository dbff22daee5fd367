package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Client implements [store.ClientStore].
func (s *Store) Client(ctx context.Context, id string) (*store.Client, error) {
	var body []byte
	err := s.find(ctx, findClient, []any{id}, []any{&body})
	if err != nil {
		return nil, err
	}
	var kept keptClient
	if err := decode(body, &kept); err != nil {
		return nil, failed(err)
	}
	return kept.client(), nil
}

// PutClient keeps c in place of any client with the same ID. The error is that
// of encoding/json about a claim, or an outage.
func (s *Store) PutClient(ctx context.Context, c store.Client) error {
	body, err := json.Marshal(keep(&c))
	if err != nil {
		return failed(err)
	}
	return s.exec(ctx, "INSERT INTO clients (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body", c.ID, body)
}

// DeleteClient forgets the client with this ID, if there is one. What it was
// granted is kept: see Revoke.
func (s *Store) DeleteClient(ctx context.Context, id string) error {
	return s.exec(ctx, "DELETE FROM clients WHERE id = ?", id)
}

func (s *Store) exec(ctx context.Context, query string, args ...any) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// decode refuses what it does not know: a member that a newer release wrote may
// be one that restricts.
func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil || decoder.More() {
		return fmt.Errorf("%w: a client or scope that this release cannot read", store.ErrCorrupt) // the text of err could quote it
	}
	return nil
}

// keptClient is the JSON of a client: of store.Client's own most is public only.
type keptClient struct {
	store.Metadata
	Secrets              []keptSecret        `json:"secrets,omitempty"`
	AuthMethods          []store.AuthMethod  `json:"auth_methods,omitempty"`
	AccessTokenLifetime  time.Duration       `json:"access_token_lifetime,omitempty"` // nanoseconds, as all durations
	Claims               map[string]any      `json:"claims,omitempty"`
	RefreshTokens        store.RefreshTokens `json:"refresh_tokens,omitempty"`
	Rotation             store.Rotation      `json:"rotation,omitempty"`
	RefreshTokenLifetime time.Duration       `json:"refresh_token_lifetime,omitempty"`
	RefreshTokenIdle     time.Duration       `json:"refresh_token_idle,omitempty"`
	FreshClaims          bool                `json:"fresh_claims,omitempty"`
	LegacyNoPKCE         bool                `json:"legacy_no_pkce,omitempty"`
	LegacyPlainPKCE      bool                `json:"legacy_plain_pkce,omitempty"`
	Disabled             bool                `json:"disabled,omitempty"`
}

type keptSecret struct {
	Hash      string    `json:"hash"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Label     string    `json:"label,omitempty"`
}

func keep(c *store.Client) keptClient {
	kept := keptClient{
		Metadata: c.Metadata, AuthMethods: c.AuthMethods, AccessTokenLifetime: c.AccessTokenLifetime, Claims: c.Claims,
		RefreshTokens: c.RefreshTokens, Rotation: c.Rotation,
		RefreshTokenLifetime: c.RefreshTokenLifetime, RefreshTokenIdle: c.RefreshTokenIdle, FreshClaims: c.FreshClaims,
		LegacyNoPKCE: c.LegacyNoPKCE, LegacyPlainPKCE: c.LegacyPlainPKCE, Disabled: c.Disabled,
	}
	for _, secret := range c.Secrets {
		kept.Secrets = append(kept.Secrets, keptSecret(secret))
	}
	return kept
}

func (kept *keptClient) client() *store.Client {
	c := &store.Client{
		Metadata: kept.Metadata, AuthMethods: kept.AuthMethods, AccessTokenLifetime: kept.AccessTokenLifetime, Claims: kept.Claims,
		RefreshTokens: kept.RefreshTokens, Rotation: kept.Rotation,
		RefreshTokenLifetime: kept.RefreshTokenLifetime, RefreshTokenIdle: kept.RefreshTokenIdle, FreshClaims: kept.FreshClaims,
		LegacyNoPKCE: kept.LegacyNoPKCE, LegacyPlainPKCE: kept.LegacyPlainPKCE, Disabled: kept.Disabled,
	}
	for _, secret := range kept.Secrets {
		c.Secrets = append(c.Secrets, store.Secret(secret))
	}
	return c
}
