package tokenendpoint

import (
	"context"
	"fmt"
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
	reason  Reason // empty: ReasonIssued or ReasonAnswered
	grantID string
}

// issue is step 6: mint, commit, answer. What is minted before the commit is
// dropped if that fails, and nobody has seen it.
func (e *Endpoint) issue(ctx context.Context, req *Request, token *Token) (*response, error) {
	now := e.config.Now()
	change, err := e.begin(req, token, now)
	if err != nil {
		return nil, err
	}
	answer := answer{token: token, lifetime: token.Lifetime, id: uuid.NewString(), tokenType: "Bearer"}
	if req.proven.JKT != "" {
		answer.tokenType = "DPoP" // RFC 9449 section 5
	}
	if req.Client.AccessTokenFormat == store.AccessTokenOpaque {
		answer.accessToken, err = e.opaqueToken(req, &answer, change, now)
	} else {
		answer.accessToken, err = e.jwtToken(ctx, req, &answer, change, now)
	}
	if err != nil {
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
		change.Family.KeepUntil = latest(change.Family.KeepUntil, now.Add(answer.lifetime))
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
// is redeemed, else a new one if there is a user or the token itself is kept. Nil if
// nothing is kept.
func (e *Endpoint) begin(req *Request, token *Token, now time.Time) (*store.Change, error) {
	format := req.Client.AccessTokenFormat
	switch {
	case format != store.AccessTokenJWT && format != store.AccessTokenOpaque:
		return nil, fault(ReasonTokenFormat, fmt.Errorf("client %q has the AccessTokenFormat %q; leave it empty, or make it %q", req.Client.ID, format, store.AccessTokenOpaque))
	case format == store.AccessTokenOpaque && e.config.Records == nil:
		return nil, fault(ReasonTokenFormat, fmt.Errorf("client %q has opaque access tokens, and Config.Records, which keeps them, is nil", req.Client.ID))
	case token.spend != nil:
		return &store.Change{Family: store.Family{ID: token.spend.Key.Family}, Spend: spent(token.spend, now)}, nil
	case token.keep != nil:
		return &store.Change{Family: store.Family{ID: token.keep.Key.Family}}, nil
	case e.config.Records == nil, token.Grant.Subject == "" && format != store.AccessTokenOpaque:
		return nil, nil
	}
	return &store.Change{Begin: true, Family: newFamily(&token.whole, now)}, nil
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
