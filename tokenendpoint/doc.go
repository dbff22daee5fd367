// Package tokenendpoint is an OAuth 2.0 token endpoint that is mounted in a
// service's own mux.
//
// The service brings two one-method interfaces, [store.ClientStore] and
// [store.ScopeStore], a [KeySource] and the grant types that it wants: those of
// package grants, or its own. [New] checks them and returns an [Endpoint], which
// is an [http.Handler]; [Endpoint.Mount] adds it to a mux together with its key
// set and metadata, and with endpoints that say what a token is good for (RFC 7662) and
// take one back (RFC 7009). The service's own APIs are guarded by
// middleware.RequireToken, which uses [Endpoint.JWKS] and [Endpoint.Introspect].
//
// # The way of a request
//
//  1. parse: a POST of a form, every parameter once, all of it bounded.
//  2. authenticate: one method, that the client may use, proven. Then prove: a DPoP
//     proof or a certificate is what tokens will be bound to. An assertion is used up
//     last.
//  3. permit: the grant type is the client's; what is asked for is well formed
//     and not beyond what the client may ever have.
//  4. [GrantValidator]: the grant itself decides.
//  5. settle: what was granted and what was asked for make the token to be;
//     Config.Users and Config.Policy may narrow it, add to it, or refuse.
//  6. issue: mint, use the proof up, commit, answer. What is redeemed is spent in one change of the
//     [store.GrantStore]; whoever loses a race goes back to 4, once.
//
// A grant type that begins elsewhere, such as on a device, has a [Companion] beside the
// token endpoint; what a user decides on later is a [Pending] until [Endpoint.Decide].
//
// Access tokens are JWTs by RFC 9068 or, if the client is registered for them, opaque.
// Errors are those of RFC 6749 section 5.2.
// Whatever fails in a store or a hook is never a rejection: an outage is 503 with
// Retry-After, and everything else that is not an [Error] or an [ErrorCode] is a
// server_error whose cause is in the log alone.
package tokenendpoint
