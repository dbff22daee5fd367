package tokenendpoint

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// response is an answer, ready to be written.
type response struct {
	body    []byte
	scopes  []string
	tokenID string
	grantID string
}

// issue is step 6: mint, commit, answer. What is minted before the commit is
// dropped if that fails, and nobody has seen it.
func (e *Endpoint) issue(ctx context.Context, req *Request, token *Token) (*response, error) {
	now := e.config.Now()
	key, err := e.keys.signing(ctx, now, "")
	if err != nil {
		return nil, err
	}
	lifetime := key.limit(now, token.Lifetime)
	if lifetime < token.Lifetime {
		e.lint(LintLifetimeCut, req.Client.ID, "tokens of client %q live %v instead of %v, because key %q is published no longer; "+
			"lengthen RollingKeys.PublishAfter or Key.PublishUntil", req.Client.ID, lifetime, token.Lifetime, key.ID)
	}
	change := e.begin(req, token, now)
	answer := answer{token: token, lifetime: lifetime, id: uuid.NewString(), tokenType: "Bearer"}
	if req.proven.JKT != "" {
		answer.tokenType = "DPoP" // RFC 9449 section 5
	}
	if answer.accessToken, err = e.accessToken(req, key, &answer, change, now); err != nil {
		return nil, err
	}
	if answer.idToken, err = e.idToken(ctx, req, &answer, now); err != nil {
		return nil, err
	}
	if answer.refreshToken, err = e.refreshToken(req, token, change, now); err != nil {
		return nil, err
	}
	body, err := answer.append(make([]byte, 0, len(answer.accessToken)+len(answer.idToken)+256))
	if err != nil {
		return nil, err
	}
	if err := e.useProof(ctx, req); err != nil {
		return nil, err
	}
	if change != nil {
		change.Family.KeepUntil = latest(change.Family.KeepUntil, now.Add(lifetime))
		if err := e.commit(ctx, change); err != nil {
			return nil, err
		}
	}
	minted := &response{body: body, scopes: token.Scopes, tokenID: answer.id}
	if change != nil {
		minted.grantID = change.Family.ID
	}
	return minted, nil
}

// begin returns the change of the family that the token belongs to: that of what
// is redeemed, else a new one if there is a user. Nil if nothing is kept.
func (e *Endpoint) begin(req *Request, token *Token, now time.Time) *store.Change {
	switch {
	case token.spend != nil:
		return &store.Change{Family: store.Family{ID: token.spend.Key.Family}, Spend: spent(token.spend, now)}
	case token.keep != nil:
		return &store.Change{Family: store.Family{ID: token.keep.Key.Family}}
	case token.Grant.Subject == "" || e.config.Records == nil:
		return nil
	}
	return &store.Change{Begin: true, Family: newFamily(&token.whole, now)}
}

func newFamily(grant *store.Grant, now time.Time) store.Family {
	return store.Family{ID: secret.NewID(), ClientID: grant.ClientID, Subject: grant.Subject, Session: grant.Session, CreatedAt: now}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
