package main

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// greet says what is served and what to try from this machine, where base leads.
func greet(w io.Writer, o options, base string) {
	client, secret, scope, people := "CLIENT_ID", "CLIENT_SECRET", "", ""
	if o.seeded {
		client, secret, scope, people = "client1", "secret", " -d scope=scope1", "  (bob/bob, alice/alice)"
	}
	curl := "curl -s"
	if o.demoDir != "" && filepath.Clean(o.tlsFiles.cert) == filepath.Join(o.demoDir, "server.pem") {
		curl += " --cacert " + filepath.Join(o.demoDir, "ca.pem")
	}
	u, _ := url.Parse(o.issuer) // New checked it
	fmt.Fprintf(w, `issuer    %[1]s
listening %[2]s
token     POST %[3]s/connect/token  (client_credentials, authorization_code, refresh_token, device_code, ciba, password, custom)
sign in   %[3]s/connect/authorize%[9]s
devices   POST %[3]s/connect/deviceauthorization, codes are entered at %[3]s/device
ciba      POST %[3]s/connect/ciba, requests are decided at %[3]s/requests
access    %[3]s/apps
api       GET %[3]s/resource (scope api1), GET %[3]s/admin (scopes api1 admin)
tokens    POST %[3]s/connect/introspect, POST %[3]s/connect/revocation
keys      %[3]s/.well-known/openid-configuration/jwks
metadata  %[3]s/.well-known/openid-configuration

%[8]s %[2]s%[4]s/connect/token -d grant_type=client_credentials -d client_id=%[5]s -d client_secret=%[6]s%[7]s
`, o.issuer, base, strings.TrimSuffix(o.issuer, "/"), strings.TrimSuffix(u.Path, "/"), client, secret, scope, curl, people)
	if o.demoDir != "" {
		fmt.Fprintf(w, "\ntest keys and certificates are in %s\n", o.demoDir)
	}
	if o.demoDir != "" && o.seeded {
		fmt.Fprintf(w, "go run ./example/client -issuer %s -data %s -method jwt  (or secret-jwt, mtls, self-signed, dpop)\n", o.issuer, o.data)
	}
}
