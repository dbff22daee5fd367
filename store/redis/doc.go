// Package redis keeps records and families, the [store.GrantStore] of grantor, and ids
// that may be used once, its [store.ReplayStore], in Redis 6.2 or later or in Valkey, on
// one server, behind Sentinel or in a Cluster. Clients and scopes do not live there.
//
// # What is durable
//
// What was answered survives a kill of the service and of the engine, a loss of
// power included, if the engine's settings are
//
//	appendonly yes
//	appendfsync always
//	maxmemory-policy noeviction
//
// [New] reads them and warns of each that is otherwise. A full engine refuses
// exchanges, revocations and uses, which are then outages, and keeps what it has.
//
// Replication is asynchronous: after a failover, by Sentinel or in a Cluster, the last
// exchanges, revocations and uses may be undone, so that what was spent or used can be
// spent or used again. A client that has not heard of a failover may read for a moment
// from what was the master. Where that is too much, use an engine that commits on
// several machines. Never let a replica that is promoted by hand take over while the
// old master lives.
//
// # Running it
//
// Everything goes to masters. Each family is one key, and so is each id that was used
// and the index of each client, subject and session; no script touches two, so in a
// Cluster nothing needs to be told where to go. A client has all its families in one
// index, some hundred bytes each: with millions of them give the engine room, and see
// lazyfree-lazy-expire.
//
// The engine removes what has ended: there is no need for store.PurgeEvery. It does so
// by its own clock, ids at once and all else ten minutes late, so the clocks of the
// engine and of the services must agree to within less.
//
// Nothing is sent twice: where the client would repeat a command because a
// connection broke, the call is an outage instead, and Find tells what became of it.
// A deadline on the context bounds each call. An engine or a network that stands still
// may make a change when its caller has long given up.
package redis
