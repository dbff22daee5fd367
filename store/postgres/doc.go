// Package postgres keeps clients, scopes, what was granted and ids that may be used once
// in PostgreSQL, 14 or later, by way of pgx. [Open] makes the tables it needs.
//
// # What is kept
//
// What was answered without an error outlives a crash of the service, of the
// engine and of the machine, because a change is one transaction and the engine
// answers a commit when it is on disk. That rests on the engine's settings:
// synchronous_commit (not off), fsync and full_page_writes. Open reads them:
// synchronous_commit = off is refused, and what an operator may mean is logged as a
// warning (slog.Default) that names setting, value and remedy. What cannot be read
// is logged as unknown.
//
// A standby is refused, since it may lack what was answered already. After a
// failover to a standby that follows asynchronously the last exchanges may be
// undone: a code or refresh token that was spent just before works once more, so
// does a client assertion or a DPoP proof, and a family that was revoked just before
// lives. To rule that out name standbys in synchronous_standby_names and leave
// synchronous_commit on.
//
// client_id, subject and session of a family are UTF-8 without NUL and at most 2600
// bytes each; Exchange returns an error for others, and changes nothing.
//
// # Round trips
//
// Find, Exchange, Families and Use are one statement and one round trip each. A
// connection takes another to prepare each statement when it first uses it, and one
// to see whether it still works when it was idle for more than a second. No
// transaction stays open between a call and the next, so that a process that dies
// holds no lock.
//
// # The pool
//
// A redemption holds a connection for the time of two statements, of which the
// second waits for the disk. Tens of connections serve thousands of redemptions a
// second; keep the sum over all processes below max_connections. The URL says how
// many (pool_max_conns=16); the default of pgxpool is 4 or, if that is more, one for
// each CPU. Who finds none free waits for as long as its context lets it: give every
// call one with a deadline.
//
// # Rubbish
//
// Records that are no longer needed, and ids that are remembered for no longer, stay
// until Purge deletes them. Run
// store.PurgeEvery in each process; those that meet pass each other over. It leaves
// dead rows, which autovacuum collects: leave it on.
//
// # The schema
//
// All names begin with grantor_. The tables are in the schema that comes first in
// the search_path (https://www.postgresql.org/docs/current/ddl-schemas.html), such
// as auth with ?search_path=auth, which has to exist. Whoever makes the tables needs
// the privilege CREATE there; if they are up to date nothing is made, and a role that
// may SELECT, INSERT, UPDATE and DELETE is enough.
package postgres
