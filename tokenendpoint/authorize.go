package tokenendpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Client returns the client with this ID. The error is invalid_client if there is
// none or it is disabled, else an outage.
func (e *Endpoint) Client(ctx context.Context, id string) (*store.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	return e.findActive(ctx, id)
}

func (e *Endpoint) findActive(ctx context.Context, id string) (*store.Client, error) {
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
func (e *Endpoint) Authorize(ctx context.Context, client *store.Client, record store.Record, lifetime time.Duration) (string, error) {
	if e.config.Records == nil || record.Grant == nil || record.Grant.Subject == "" {
		return "", fault(ReasonInternal, errors.New("Authorize needs Config.Records and a Grant with a Subject"))
	}
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	grant := *record.Grant
	if err := checkSubject(client, grant.Subject); err != nil {
		return "", err
	}
	if err := e.permitGrant(ctx, client, &grant); err != nil {
		return "", err
	}
	if client.LegacyNoPKCE || client.LegacyPlainPKCE {
		e.lint(LintLegacyPKCE, client.ID, "client %q may do without PKCE with S256; have it send a code_challenge and take the switch away", client.ID)
	}
	now := e.config.Now()
	family := newFamily(&grant, now)
	family.KeepUntil = now.Add(lifetime)
	handle, key, err := newHandle(record.Kind, family.ID)
	if err != nil {
		return "", err
	}
	kept := store.Record{Key: key, Kind: record.Kind, CreatedAt: now, ExpiresAt: family.KeepUntil, Grant: &grant, Data: record.Data}
	if err := e.commit(ctx, &store.Change{Family: family, Begin: true, Issue: []store.Record{kept}}); err != nil {
		return "", err
	}
	return handle, nil
}

// checkSubject holds OpenID Connect Core section 2 and, as far as it can be seen
// here, RFC 9068 section 5: no user is called as a client is.
func checkSubject(client *store.Client, subject string) error {
	if len(subject) > 255 || !isVSCHAR(subject) || subject == client.ID {
		return fault(ReasonMalformedSubject, errors.New("the Subject of a grant is the client's ID, or not at most 255 printable ASCII characters"))
	}
	return nil
}

// permitGrant holds a grant to what the client may have and fills in what it does
// not say.
func (e *Endpoint) permitGrant(ctx context.Context, client *store.Client, grant *store.Grant) error {
	allowed, err := e.allowedScopes(ctx, client, grant.Scopes)
	if err != nil {
		return err
	}
	return e.fillGrant(client, allowed, grant)
}

func (e *Endpoint) fillGrant(client *store.Client, allowed []store.Scope, grant *store.Grant) error {
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
	if grant.Resources != nil && (!within(grant.Resources, resourcesOfAll(allowed, grant.Scopes, e.config.Issuer)) ||
		!within(grant.Resources, resourcesOfAll(allowed, apiScopes(allowed), e.config.Issuer))) {
		return reject(InvalidTarget, ReasonResourceNotAllowed, "a resource belongs to none of the scopes")
	}
	grant.Issuer, grant.ClientID = e.config.Issuer, client.ID
	return nil
}

// Families returns what a user has granted and what still lives of it, newest first:
// one for each sign-in at each application. For a page that shows which applications
// have access; Revoke with Subject and ClientID takes it away.
func (e *Endpoint) Families(ctx context.Context, subject string) ([]store.Family, error) {
	if e.config.Records == nil {
		return nil, errors.New("tokenendpoint: Config.Records is missing; there is nothing to show")
	}
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	families, err := e.config.Records.Families(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("tokenendpoint: %w", err)
	}
	now := e.config.Now()
	return slices.DeleteFunc(families, func(f store.Family) bool { return !now.Before(f.KeepUntil) }), nil
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
