package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/grantor-go/grantor/store"
)

// Client implements [store.ClientStore].
func (s *Store) Client(ctx context.Context, id string) (*store.Client, error) {
	var body []byte
	err := s.pool.QueryRow(ctx, `SELECT body FROM grantor_clients WHERE id = $1`, id).Scan(&body)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, outage(ctx, "look up a client", err)
	}
	return decodeClient(body)
}

// PutClient keeps c in place of any client with the same ID. The error may be that
// of encoding/json about a claim.
func (s *Store) PutClient(ctx context.Context, c *store.Client) error {
	body, err := encodeClient(c)
	if err != nil {
		return fmt.Errorf("postgres: encode a client: %w", err)
	}
	_, err = s.pool.Exec(ctx, `
		INSERT INTO grantor_clients (id, body) VALUES ($1, $2)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body`, c.ID, body)
	if err != nil {
		return outage(ctx, "keep a client", err)
	}
	return nil
}

// DeleteClient forgets the client with this ID, if there is one. What was granted
// to it stays: see Revoke.
func (s *Store) DeleteClient(ctx context.Context, id string) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM grantor_clients WHERE id = $1`, id); err != nil {
		return outage(ctx, "delete a client", err)
	}
	return nil
}

// clientBody is the JSON of a client, with what store.Client keeps out of its own.
// Its names are never given another meaning.
type clientBody struct {
	store.Metadata
	Secrets              []secretBody        `json:"secrets,omitempty"`
	AuthMethods          []store.AuthMethod  `json:"auth_methods,omitempty"`
	AccessTokenLifetime  time.Duration       `json:"access_token_lifetime_ns,omitempty"`
	Claims               map[string]any      `json:"claims,omitempty"`
	RefreshTokens        store.RefreshTokens `json:"refresh_tokens,omitempty"`
	Rotation             store.Rotation      `json:"rotation,omitempty"`
	RefreshTokenLifetime time.Duration       `json:"refresh_token_lifetime_ns,omitempty"`
	RefreshTokenIdle     time.Duration       `json:"refresh_token_idle_ns,omitempty"`
	FreshClaims          bool                `json:"fresh_claims,omitempty"`
	LegacyNoPKCE         bool                `json:"legacy_no_pkce,omitempty"`
	LegacyPlainPKCE      bool                `json:"legacy_plain_pkce,omitempty"`
	Disabled             bool                `json:"disabled,omitempty"`
}

type secretBody struct {
	Hash      string    `json:"hash"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Label     string    `json:"label,omitempty"`
}

func encodeClient(c *store.Client) ([]byte, error) {
	body := clientBody{
		c.Metadata, nil, c.AuthMethods, c.AccessTokenLifetime, c.Claims, c.RefreshTokens, c.Rotation,
		c.RefreshTokenLifetime, c.RefreshTokenIdle, c.FreshClaims, c.LegacyNoPKCE, c.LegacyPlainPKCE, c.Disabled,
	}
	for _, s := range c.Secrets {
		body.Secrets = append(body.Secrets, secretBody(s))
	}
	return json.Marshal(body)
}

func decodeClient(encoded []byte) (*store.Client, error) {
	var b clientBody
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber() // a claim keeps all its digits
	if err := decoder.Decode(&b); err != nil {
		return nil, fmt.Errorf("%w: not the JSON of a client", store.ErrCorrupt) // the text of err could quote it
	}
	c := &store.Client{
		Metadata: b.Metadata, AuthMethods: b.AuthMethods, AccessTokenLifetime: b.AccessTokenLifetime, Claims: b.Claims,
		RefreshTokens: b.RefreshTokens, Rotation: b.Rotation,
		RefreshTokenLifetime: b.RefreshTokenLifetime, RefreshTokenIdle: b.RefreshTokenIdle, FreshClaims: b.FreshClaims,
		LegacyNoPKCE: b.LegacyNoPKCE, LegacyPlainPKCE: b.LegacyPlainPKCE, Disabled: b.Disabled,
	}
	for _, s := range b.Secrets {
		c.Secrets = append(c.Secrets, store.Secret(s))
	}
	return c, nil
}
