package tokenendpoint

import (
	"context"
	"errors"
	"time"

	"github.com/grantor-go/grantor/internal/accesstoken"
	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// nodeLeeway is how far the clocks of the nodes that share keys may be apart when a token
// is judged; what is to be remembered is kept for otherClocks longer.
const nodeLeeway = 30 * time.Second

// issued is a token that this issuer gave out and that is good now.
type issued struct {
	kind    store.Kind // KindAccess or KindRefresh
	claims  *accesstoken.Claims
	record  *store.Record // of a handle
	payload []byte        // all claims of an access token as JSON
}

// lookUp returns what is known of a token, if it is one of ours and good. The error
// is invalid_grant, with the reason why it is not, or an outage.
func (e *Endpoint) lookUp(ctx context.Context, token string) (*issued, error) {
	for _, kind := range []store.Kind{store.KindAccess, store.KindRefresh} {
		if family, hash, ok := secret.KeyOf(string(kind), token); ok && e.config.Records != nil {
			return e.lookUpHandle(ctx, kind, store.Key{Family: family, Hash: hash})
		}
	}
	return e.lookUpJWT(ctx, token)
}

func (e *Endpoint) lookUpHandle(ctx context.Context, kind store.Kind, key store.Key) (*issued, error) {
	record, family, err := e.findRecord(ctx, key)
	if err != nil {
		return nil, err
	}
	found := &issued{kind: kind, record: record, payload: record.Data}
	switch {
	case !family.RevokedAt.IsZero(), !record.SpentAt.IsZero():
		found.claims = &accesstoken.Claims{ClientID: family.ClientID, GrantID: family.ID}
		return found, reject(InvalidGrant, ReasonRevoked, notRedeemable)
	case !isWhole(record, kind, family):
		return nil, notWhole(key)
	case record.Grant.Issuer != e.config.Issuer:
		return nil, reject(InvalidGrant, ReasonUnknownHandle, notRedeemable)
	}
	found.claims = claimsOf(record)
	if !e.config.Now().Before(record.ExpiresAt) {
		return found, reject(InvalidGrant, ReasonExpired, notRedeemable)
	}
	return found, nil
}

// claimsOf returns those of a record that are judged. Of an access token all are in Data.
func claimsOf(record *store.Record) *accesstoken.Claims {
	grant := record.Grant
	claims := &accesstoken.Claims{
		Issuer: grant.Issuer, Subject: grant.Subject, ClientID: grant.ClientID, GrantID: record.Key.Family, Scopes: grant.Scopes,
		ExpiresAt: record.ExpiresAt, IssuedAt: record.CreatedAt, JKT: grant.Confirmation.JKT, X5T: grant.Confirmation.X5T,
	}
	if record.Kind == store.KindAccess {
		claims.ID, claims.Audience = record.Key.Hash, grant.Resources
	}
	return claims
}

// lookUpJWT holds RFC 9068 section 4 for access tokens that this issuer signed, of
// whatever audience, and looks whether one was taken back.
func (e *Endpoint) lookUpJWT(ctx context.Context, token string) (*issued, error) {
	unknown := reject(InvalidGrant, ReasonUnknownHandle, notRedeemable)
	t, err := accesstoken.Parse(&e.accessTokens, token)
	if err != nil {
		return nil, unknown
	}
	now := e.config.Now()
	set, err := e.keys.load(ctx)
	if err != nil {
		return nil, err
	}
	if set.verify(now, t) != nil {
		return nil, unknown
	}
	claims, err := accesstoken.Read(t.Payload)
	if err != nil || claims.Issuer != e.config.Issuer || claims.ClientID == "" || claims.ID == "" {
		return nil, unknown
	}
	found := &issued{kind: store.KindAccess, claims: claims, payload: t.Payload}
	switch {
	case !now.Before(claims.ExpiresAt):
		return found, reject(InvalidGrant, ReasonExpired, notRedeemable)
	case claims.NotBefore.After(now.Add(nodeLeeway)):
		return nil, unknown
	}
	return found, e.checkLiving(ctx, claims)
}

// checkLiving asks whether a JWT was revoked, or everything of its family.
func (e *Endpoint) checkLiving(ctx context.Context, claims *accesstoken.Claims) error {
	revoked := reject(InvalidGrant, ReasonRevoked, notRedeemable)
	if e.config.Records == nil {
		return nil
	}
	if claims.GrantID != "" {
		live, err := e.config.Records.FamilyLive(ctx, claims.GrantID)
		if err != nil {
			return storeFailed("GrantStore", err)
		}
		if !live {
			return revoked
		}
	}
	_, _, err := e.config.Records.Find(ctx, revocationKey(claims))
	switch {
	case err == nil:
		return revoked
	case errors.Is(err, store.ErrNotFound):
		return nil
	}
	return storeFailed("GrantStore", err)
}

// revocationKey is where it is kept that a JWT was revoked: in its family, if it has one.
func revocationKey(claims *accesstoken.Claims) store.Key {
	family, hash := secret.KeyOfRevoked(claims.Issuer, claims.ID)
	if claims.GrantID != "" {
		family = claims.GrantID
	}
	return store.Key{Family: family, Hash: hash}
}

// checkHolders asks whether the client and the user of a token are still there.
func (e *Endpoint) checkHolders(ctx context.Context, req *Request, found *issued) error {
	client := req.Client
	if client == nil || client.ID != found.claims.ClientID {
		var refusal *Error
		var err error
		if client, refusal, err = e.findClient(ctx, found.claims.ClientID); err != nil {
			return err
		}
		if refusal != nil {
			return refusal
		}
	}
	claims := found.claims
	if e.config.Users == nil || claims.Subject == "" || claims.Subject == claims.ClientID {
		return nil
	}
	about := &Request{Endpoint: e, Issuer: req.Issuer, Time: req.Time, Client: client, RemoteAddr: req.RemoteAddr}
	grant := store.Grant{Issuer: claims.Issuer, ClientID: claims.ClientID, Subject: claims.Subject, Scopes: claims.Scopes}
	if found.record != nil {
		grant = *found.record.Grant
	}
	token := (&Token{Grant: grant, Scopes: claims.Scopes, Lifetime: claims.ExpiresAt.Sub(req.Time)}).clone()
	err := e.config.Users(ctx, about, token)
	if err == nil {
		return nil
	}
	failure := asError(err)
	if failure.Code == ServerError || failure.Code == TemporarilyUnavailable {
		return failure
	}
	if failure.Revoke && claims.GrantID != "" && e.config.Records != nil {
		if err := e.revokeFamily(ctx, claims.GrantID); err != nil {
			return storeFailed("GrantStore", err)
		}
	}
	return &Error{Code: InvalidGrant, Reason: ReasonUserRefused, Cause: err}
}
