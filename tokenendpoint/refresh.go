package tokenendpoint

import (
	"slices"
	"time"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

const defaultRefreshTokenLifetime = 30 * 24 * time.Hour

// refreshToken returns the refresh token of the response, empty if there is none,
// and adds to the change what makes it one.
func (e *Endpoint) refreshToken(req *Request, token *Token, change *store.Change, now time.Time) (string, error) {
	created := now
	switch {
	case token.keep != nil:
		created = token.keep.CreatedAt
	case token.isRefresh():
		created = token.spend.CreatedAt
	case change == nil || !e.earnsRefreshToken(req.Client, &token.Grant):
		return "", nil
	}
	end := refreshEnd(req.Client, created, now)
	if !now.Before(end) { // the client's lifetimes were shortened
		return "", reject(InvalidGrant, ReasonExpired, notRedeemable)
	}
	if token.keep != nil {
		change.Extend = &store.Extension{Key: token.keep.Key, ExpiresAt: end, KeepUntil: end}
		change.Family.KeepUntil = latest(token.keep.ExpiresAt, end)
		return req.redeemable(token.keep).handle, nil
	}
	handle, key, err := newHandle(store.KindRefresh, change.Family.ID)
	if err != nil {
		return "", err
	}
	change.Family.KeepUntil = end
	grant := token.whole // of its own, so that a store in memory keeps nothing else of the token
	change.Issue = append(change.Issue, store.Record{
		Key: key, Kind: store.KindRefresh, CreatedAt: created, ExpiresAt: end, KeepUntil: end, Grant: &grant,
	})
	if token.isRefresh() { // whoever lost the answer gets the same again
		if change.Spend.Sealed, err = secret.Seal(req.redeemable(token.spend).handle, handle); err != nil {
			return "", fault(ReasonInternal, err)
		}
	}
	return handle, nil
}

// earnsRefreshToken reports whether a user's grant comes with a refresh token.
func (e *Endpoint) earnsRefreshToken(client *store.Client, grant *store.Grant) bool {
	return grant.Subject != "" && e.grants["refresh_token"] != nil && slices.Contains(client.GrantTypes, "refresh_token") &&
		(client.RefreshTokens == store.RefreshTokensAlways || slices.Contains(grant.Scopes, offlineAccess))
}

// refreshEnd is when a refresh token ends that was first issued at created and is
// used now.
func refreshEnd(client *store.Client, created, now time.Time) time.Time {
	lifetime, idle := client.RefreshTokenLifetime, client.RefreshTokenIdle
	if lifetime <= 0 && idle <= 0 {
		lifetime = defaultRefreshTokenLifetime
	}
	end := created.Add(lifetime)
	if idle > 0 && (lifetime <= 0 || now.Add(idle).Before(end)) {
		end = now.Add(idle)
	}
	return end
}

// spent is the record as it is once it was redeemed. It needs its grant no longer,
// which its successor has, but for the key that whoever comes again must possess; a code
// needs all of it, to judge them.
func spent(record *store.Record, now time.Time) *store.Record {
	spent := *record
	spent.SpentAt, spent.SpentBy = now, secret.NewID()
	if spent.Kind != store.KindCode {
		spent.Grant, spent.Data = nil, nil
		if bound := record.Grant.Confirmation; bound != (store.Confirmation{}) {
			spent.Grant = &store.Grant{Confirmation: bound}
		}
	}
	return &spent
}
