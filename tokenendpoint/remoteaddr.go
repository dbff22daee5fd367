package tokenendpoint

import (
	"net/http"
	"net/netip"
)

// callerAddr returns the caller's address, invalid if unknown.
func (e *Endpoint) callerAddr(r *http.Request) netip.Addr {
	addr := e.config.RemoteAddr(r)
	if !addr.IsValid() {
		e.lint(LintNoRemoteAddr, "", "the caller's address is unknown, so all callers are throttled as one; set Config.RemoteAddr")
	}
	return addr
}

// connectionAddr is the default of Config.RemoteAddr: the address at the other
// end of the connection.
func (e *Endpoint) connectionAddr(r *http.Request) netip.Addr {
	if r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
		e.lint(LintForwarded, "", "a request had a forwarding header; if a proxy wrote it, all callers are throttled as one, "+
			"by the proxy's address: set Config.RemoteAddr (middleware.Proxies has one)")
	}
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Addr().Unmap()
}
