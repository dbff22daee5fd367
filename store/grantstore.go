package store

import (
	"context"
	"time"
)

// GrantStore keeps records and families. Implementations are safe for concurrent
// use, by any number of processes that share an engine.
//
// Every method sees what was answered before it began, on whichever node (read
// your writes). What was answered without an error is kept, whatever fails
// afterwards, as far as the engine is set up for that; an adapter says how. An
// error that is no verdict (see the package comment) leaves open whether the
// change was made: the caller finds out by Find, as far as that can be: an engine
// that stood still may make a change when its caller has long given up.
type GrantStore interface {
	// Find returns the record with this key, in whatever state it is (expired and
	// spent included), and its family, revoked or not, as both are at one moment. If there is no such record,
	// or it is past its KeepUntil and was collected: ErrNotFound. A record that
	// cannot be read: ErrCorrupt.
	Find(ctx context.Context, key Key) (*Record, *Family, error)

	// Update writes the record in place of the one with its key, if that has the
	// same Version; the Version kept is then one more. All but Key, Kind and
	// CreatedAt is written. Of several callers that read the same Version exactly
	// one succeeds, the others get ErrConflict. The verdicts are those of Exchange,
	// in its order.
	Update(ctx context.Context, record *Record) error

	// Exchange makes a change wholly or not at all: no caller ever sees, and no
	// crash ever leaves, a part of it.
	//
	// The verdicts, the first that applies: the family is revoked, ErrRevoked, also
	// if Begin is set;
	// Begin is set and the family exists, ErrConflict; Begin is not set and it
	// does not exist, ErrNotFound; what is to be spent or extended does not exist,
	// ErrNotFound; what is to be spent has another Version, ErrConflict; what is
	// to be issued exists already, ErrConflict.
	//
	// The family's life is part of the change: once Revoke has answered, no
	// Exchange adds to the family, not even one that had begun before.
	Exchange(ctx context.Context, change *Change) error

	// Revoke revokes the families that match, at once and for good, and returns
	// how many it was that lived. Those that are revoked already keep their
	// RevokedAt. The zero Match, and an at that is zero, are errors and revoke
	// nothing.
	Revoke(ctx context.Context, match Match, at time.Time) (int, error)

	// FamilyLive reports whether the family exists and is not revoked.
	FamilyLive(ctx context.Context, id string) (bool, error)

	// Families returns the families of a subject that are not revoked, newest first;
	// those past their KeepUntil may be among them. An empty subject is an error.
	Families(ctx context.Context, subject string) ([]Family, error)

	// Purge removes records that are past their KeepUntil (now is not before it)
	// and families that are past theirs with all their records, at most limit of
	// both together, and returns how many. Fewer than limit means that there are
	// no more that nobody else is changing. What is extended at the same moment
	// stays. A store whose engine collects by itself may do nothing. One that is a
	// ReplayStore too removes the ids that have ended by its own clock, within the limit.
	Purge(ctx context.Context, now time.Time, limit int) (int, error)
}

// Change is what Exchange makes of one family. Its zero value but for Family
// changes nothing and finds out whether the family lives.
type Change struct {
	// Family is the family that every record of the change belongs to. If Begin
	// is set it is new and kept as it is here. Otherwise its ID tells which, its
	// KeepUntil is kept if it is later than the one kept, its Subject and Session
	// are kept if it has a Subject and the family none, and the rest does not
	// count.
	Family Family
	Begin  bool

	// Spend, if set, is written as Update would, and with the same verdicts: of
	// N callers that spend one record exactly one succeeds.
	Spend *Record

	// Extend, if set, lengthens a record's life. It never conflicts with another
	// change.
	Extend *Extension

	// Issue are new records, of Version zero and of different keys.
	Issue []Record
}

// Extension raises the ends of a record. One that is earlier than what is kept
// does not count, and KeepUntil of a record that has none stays none. The Version
// stays as it is.
type Extension struct {
	Key       Key
	ExpiresAt time.Time
	KeepUntil time.Time
}

// Match tells which families to revoke: those where every field that is not
// empty is the same.
type Match struct {
	Family   string
	ClientID string
	Subject  string
	Session  string
}
