// Package middleware wraps the token endpoint in what depends on where it is
// deployed: who the caller is behind reverse proxies ([Proxies]) and which
// certificate it has ([ClientCertificates]), that it came over TLS ([RequireTLS]),
// and which browser applications may call ([CORS]).
//
// Each wrapper is a func(http.Handler) http.Handler and fits any router. CORS
// belongs outermost, so that a page can read the refusals of the others, and
// around the token endpoint alone: the key set and the metadata allow every origin
// by themselves. Mount the endpoint on a mux of its own, as the example of the
// package shows.
//
// Nothing a caller can write itself is believed: a forwarding header counts only
// on a connection that comes from a proxy that was named.
package middleware
