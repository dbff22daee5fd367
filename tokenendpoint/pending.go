package tokenendpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// Pending is what a client has asked for and a user has not decided on: by a device
// code (RFC 8628), by backchannel authentication (CIBA).
type Pending struct {
	Client    *store.Client
	Grant     store.Grant // what was asked for; it has no Subject yet
	Subject   string      // who alone can decide; empty: whoever enters the user code
	Data      []byte      // the grant type's own
	ExpiresAt time.Time
	GrantID   string // the family of all that comes of it
	Handle    string // what the client polls with; empty if it was found by a user code

	decision string
	record   *store.Record
}

// keepDecided is for how long after its end a client still learns that what it asked
// for has ended, or was redeemed or denied.
const keepDecided = time.Hour

// Defer keeps what the client asks for until a user has decided, and returns the
// handle that the client polls with. Of the record Kind, Grant and Data are read; a
// Subject in the Grant is who alone can decide, and no scopes mean all API scopes that
// the client is allowed.
// decision is what FindPending finds it by: a decision id that NewDecision made or, for
// people to type, a user code; an error that is store.ErrConflict says that the code is
// in use. A Companion calls it.
func (r *Request) Defer(ctx context.Context, record store.Record, decision string, lifetime time.Duration) (string, error) {
	grant := *record.Grant
	decider := &store.Grant{Subject: grant.Subject}
	grant.Subject, grant.Session = "", "" // until it is approved
	if err := r.Endpoint.fillGrant(r.Client, r.allowed, &grant); err != nil {
		return "", err
	}
	at, isHandle := keyOfDecision(decision)
	handle, key, err := newHandle(record.Kind, at.Family)
	if err != nil {
		return "", err
	}
	var sealed []byte
	if isHandle { // for whoever decides; a user code is too short to be a key
		if sealed, err = secret.Seal(decision, handle); err != nil {
			return "", fault(ReasonInternal, err)
		}
	}
	now := r.Endpoint.config.Now()
	end, keep := now.Add(lifetime), now.Add(lifetime+keepDecided)
	family := newFamily(&grant, now)
	family.ID, family.KeepUntil = at.Family, keep
	err = r.Endpoint.commit(ctx, &store.Change{Begin: true, Family: family, Issue: []store.Record{
		{Key: key, Kind: record.Kind, State: store.StatePending, CreatedAt: now, ExpiresAt: end, KeepUntil: keep, Grant: &grant, Data: record.Data},
		{Key: at, Kind: store.KindDecision, CreatedAt: now, ExpiresAt: end, KeepUntil: keep, Data: []byte(key.Hash), Sealed: sealed, Grant: decider},
	}})
	if errors.Is(err, InvalidGrant) { // of a family that was to begin: it exists and is revoked
		err = errLost
	}
	if err != nil {
		return "", err
	}
	if isHandle { // a user code can be found from its family
		r.begun = family.ID
	}
	return handle, nil
}

// NewDecision returns a new decision id: 256 random bits in 65 characters. Who has it
// can decide, so it is for the service alone and never for the client.
func NewDecision() string {
	id, _ := secret.NewHandle(string(store.KindDecision), secret.NewID()) // well-formed: cannot fail
	return id
}

func keyOfDecision(decision string) (key store.Key, isHandle bool) {
	family, hash, isHandle := secret.KeyOf(string(store.KindDecision), decision)
	if !isHandle {
		family, hash = secret.KeyOfUserCode(decision)
	}
	return store.Key{Family: family, Hash: hash}, isHandle
}

// FindPending returns what of a kind is to be decided: KindDevice by a user code, all
// others by a decision id. User codes are short, so look them up within Guess. The error
// is invalid_grant if there is nothing, with ReasonUnknownHandle, ReasonExpired,
// ReasonDecided or ReasonRevoked; invalid_client if its client is there no longer; else
// an outage.
func (e *Endpoint) FindPending(ctx context.Context, kind store.Kind, decision string) (*Pending, error) {
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	at, isHandle := keyOfDecision(decision)
	pointer, _, err := e.findRecord(ctx, at)
	if err != nil {
		return nil, err
	}
	if pointer.Kind != store.KindDecision || isHandle == (kind == store.KindDevice) {
		return nil, reject(InvalidGrant, ReasonUnknownHandle, notRedeemable)
	}
	record, family, err := e.findRecord(ctx, store.Key{Family: at.Family, Hash: string(pointer.Data)})
	switch {
	case err != nil:
		return nil, err
	case record.Kind != kind, record.Grant != nil && record.Grant.Issuer != e.config.Issuer:
		return nil, reject(InvalidGrant, ReasonUnknownHandle, notRedeemable)
	case !family.RevokedAt.IsZero():
		return nil, reject(InvalidGrant, ReasonRevoked, notRedeemable)
	case record.State != store.StatePending, !record.SpentAt.IsZero():
		return nil, reject(InvalidGrant, ReasonDecided, "it was decided already")
	case !e.config.Now().Before(record.ExpiresAt):
		return nil, reject(InvalidGrant, ReasonExpired, notRedeemable)
	case pointer.Grant == nil, record.Grant == nil, record.Grant.ClientID != family.ClientID, record.Grant.Subject != "" || family.Subject != "":
		return nil, fault(ReasonCorrupt, fmt.Errorf("the record %s of family %s is not whole", record.Key.Hash, record.Key.Family))
	}
	client, err := e.findActive(ctx, family.ClientID)
	if err != nil {
		return nil, err
	}
	p := &Pending{Client: client, Subject: pointer.Grant.Subject, Grant: cloneGrant(*record.Grant), Data: record.Data, ExpiresAt: record.ExpiresAt, GrantID: family.ID, decision: decision, record: record}
	if isHandle {
		if p.Handle, err = secret.Open(decision, pointer.Sealed); err != nil {
			return nil, fault(ReasonCorrupt, fmt.Errorf("the record %s of family %s: %w", at.Hash, at.Family, err))
		}
	}
	return p, nil
}

// findRecord returns a record that must be there, in whatever state it is.
func (e *Endpoint) findRecord(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
	if e == nil || e.config.Records == nil {
		return nil, nil, fault(ReasonInternal, errors.New("Config.Records is missing; the grant type needs it"))
	}
	record, family, err := e.config.Records.Find(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil, reject(InvalidGrant, ReasonUnknownHandle, notRedeemable)
	case err != nil:
		return nil, nil, storeFailed("GrantStore", err)
	case record == nil || family == nil:
		return nil, nil, fault(ReasonInternal, errors.New("GrantStore.Find returned neither a record nor an error"))
	}
	return record, family, nil
}

// Decide keeps the decision of a user. The grant is what they allowed, with their
// Subject; its Scopes and Resources are within what was asked for, nil means all of
// it. A nil grant: they refused. Of several decisions one counts; the others get the
// errors of FindPending.
func (e *Endpoint) Decide(ctx context.Context, p *Pending, grant *store.Grant) error {
	for range 5 {
		if !e.config.Now().Before(p.ExpiresAt) {
			return reject(InvalidGrant, ReasonExpired, notRedeemable)
		}
		change, err := e.decision(p, grant)
		if err != nil {
			return err
		}
		if err := e.commit(ctx, change); !errors.Is(err, store.ErrConflict) {
			if err == nil {
				e.observeDecision(ctx, p, change)
			}
			return err
		}
		if p, err = e.FindPending(ctx, p.record.Kind, p.decision); err != nil { // a poll was first, or another decision
			return err
		}
	}
	return errLost
}

// decision is the change that a decision makes.
func (e *Endpoint) decision(p *Pending, grant *store.Grant) (*store.Change, error) {
	record := *p.record
	record.SpentBy, record.State = secret.NewID(), store.StateDenied
	change := &store.Change{Family: store.Family{ID: record.Key.Family}, Spend: &record}
	if grant == nil {
		return change, nil
	}
	approved := cloneGrant(*grant)
	if approved.Subject == "" || p.Subject != "" && approved.Subject != p.Subject {
		return nil, fault(ReasonMalformedSubject, errors.New("a grant that is approved has no Subject, or not that of the user who was asked"))
	}
	if err := checkSubject(p.Client, approved.Subject); err != nil {
		return nil, err
	}
	if approved.Scopes == nil {
		approved.Scopes = p.Grant.Scopes
	}
	if approved.Resources == nil {
		approved.Resources = p.Grant.Resources
	}
	approved.Scopes, approved.Resources = unique(approved.Scopes), unique(approved.Resources)
	if len(approved.Scopes) == 0 || !within(approved.Scopes, p.Grant.Scopes) {
		return nil, reject(InvalidScope, ReasonScopeNotAllowed, "a scope was not asked for")
	}
	if approved.Resources != nil && (len(approved.Resources) == 0 || !within(approved.Resources, p.Grant.Resources)) {
		return nil, reject(InvalidTarget, ReasonResourceNotAllowed, "a resource was not asked for")
	}
	approved.Issuer, approved.ClientID, approved.Confirmation = p.Grant.Issuer, p.Grant.ClientID, p.Grant.Confirmation
	record.State, record.Grant = store.StateApproved, &approved
	change.Family.Subject, change.Family.Session = approved.Subject, approved.Session
	return change, nil
}

// observeDecision reports what a user decided, outside of a request.
func (e *Endpoint) observeDecision(ctx context.Context, p *Pending, change *store.Change) {
	event := Event{Endpoint: "decision", Time: e.config.Now(), Reason: ReasonApproved, GrantID: p.GrantID}
	if change.Family.Subject == "" {
		event.Reason = ReasonDenied
	}
	e.observe(context.WithoutCancel(ctx), &Request{Client: p.Client}, event)
}
