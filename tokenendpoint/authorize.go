package tokenendpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Client returns the client with this ID. The error is invalid_client if there is
// none or it is disabled, else an outage.
func (e *Endpoint) Client(ctx context.Context, id string) (*store.Client, error) {
	client, refusal, err := e.findClient(ctx, id)
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return nil, refusal
	}
	return client, nil
}

// Authorize keeps a record of what a user has granted to a client, outside of a
// token request, and returns the handle by which the client redeems it. Grant
// types use it; see grants.AuthorizationCode.Issue for codes.
//
// Of the record Kind, Grant and Data are read; it can be redeemed for as long as
// lifetime. The grant needs a Subject. No scopes mean all API scopes that the client is allowed.
// The error is unauthorized_client, invalid_scope or invalid_target, as an
// authorization endpoint answers it (RFC 6749 section 4.1.2.1), or an outage.
func (e *Endpoint) Authorize(ctx context.Context, client *store.Client, record store.Record, lifetime time.Duration) (handle string, err error) {
	if e.config.Records == nil || record.Grant == nil || record.Grant.Subject == "" {
		return "", fault(ReasonInternal, errors.New("Authorize needs Config.Records and a Grant with a Subject"))
	}
	grant := *record.Grant
	if err := e.permitGrant(ctx, client, &grant); err != nil {
		return "", err
	}
	if client.LegacyNoPKCE || client.LegacyPlainPKCE {
		e.lint(LintLegacyPKCE, client.ID, "client %q may do without PKCE with S256; have it send a code_challenge and take the switch away", client.ID)
	}
	now := e.config.Now()
	record.CreatedAt, record.ExpiresAt, record.Grant = now, now.Add(lifetime), &grant
	family := newFamily(&grant, now)
	family.KeepUntil = record.ExpiresAt
	if handle, record.Key, err = newHandle(record.Kind, family.ID); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	if err := e.commit(ctx, &store.Change{Family: family, Begin: true, Issue: []store.Record{record}}); err != nil {
		return "", err
	}
	return handle, nil
}

// permitGrant holds a grant to what the client may have and fills in what it does
// not say.
func (e *Endpoint) permitGrant(ctx context.Context, client *store.Client, grant *store.Grant) error {
	allowed, err := e.allowedScopes(ctx, client, grant.Scopes)
	if err != nil {
		return err
	}
	if len(grant.Scopes) == 0 {
		grant.Scopes = apiScopes(allowed)
	}
	if len(grant.Resources) == 0 {
		grant.Resources = nil
	}
	grant.Scopes, grant.Resources = unique(grant.Scopes), unique(grant.Resources)
	if len(grant.Scopes) == 0 {
		return reject(InvalidScope, ReasonNoScope, "no scope was asked for and the client has none by default")
	}
	if grant.Resources != nil && !within(grant.Resources, resourcesOfAll(allowed, grant.Scopes, e.config.Issuer)) {
		return reject(InvalidTarget, ReasonResourceNotAllowed, "a resource belongs to none of the scopes")
	}
	grant.Issuer, grant.ClientID = e.config.Issuer, client.ID
	return nil
}

// Revoke revokes what was granted: codes and refresh tokens no longer work, and
// whoever asks about an access token is told so. It returns how many grants there
// were. For a button that signs a user out everywhere match by Subject; for one
// that takes an application's access away by Subject and ClientID.
func (e *Endpoint) Revoke(ctx context.Context, match store.Match) (int, error) {
	if e.config.Records == nil {
		return 0, errors.New("tokenendpoint: Config.Records is missing; there is nothing to revoke")
	}
	if match == (store.Match{}) {
		return 0, errors.New("tokenendpoint: an empty store.Match would revoke everything; set one of its fields")
	}
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	n, err := e.config.Records.Revoke(ctx, match, e.config.Now())
	if err != nil {
		return n, fmt.Errorf("tokenendpoint: %w", err)
	}
	return n, nil
}
