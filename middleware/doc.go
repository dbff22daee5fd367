// Package middleware stands around the token endpoint and in front of APIs.
//
// Around the endpoint it takes in what depends on where that is deployed: who the
// caller is behind reverse proxies ([Proxies]) and which certificate it has
// ([ClientCertificates]), that it came over TLS ([RequireTLS]), and which browser
// applications may call ([CORS]). CORS belongs outermost, so that a page can read the
// refusals of the others, and around the token endpoint alone: the key set and the
// metadata allow every origin by themselves. Mount the endpoint on a mux of its own, as
// the example of the package shows.
//
// In front of an API it lets in only requests with a token that the endpoint, or
// another issuer, made for that API ([RequireToken], and [RequireScopes] for a route).
// The handler behind finds the token by [TokenFrom]. Tokens that are not JWTs are asked
// about, at another server by [Introspection].
//
// Each wrapper makes an http.Handler of an http.Handler and fits any router. Nothing a
// caller can write itself is believed: a forwarding header counts only on a connection
// that comes from a proxy that was named, and a DPoP proof is for the URL that was
// configured.
package middleware
