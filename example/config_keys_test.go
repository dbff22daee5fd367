package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// oneKey is a JWK Set of a public key for ES256.
const oneKey = `{"keys":[{"alg":"ES256","crv":"P-256","kid":"a","kty":"EC","use":"sig","x":"mR72jiIX6hQ126l15hepOZRyFHxpdnvml33OLyjWbn4","y":"XtDRudNnVdXVeTMt8SqRm_yWoKb69y8ROaLOgmmwJf4"}]}`

// Every field that a client needs which holds keys, and every value that is of no use.
func TestABadClientThatHoldsKeysIsOneLineThatNamesTheField(t *testing.T) {
	long := strings.Repeat("canary", 8)[:47]
	secret := func(value string) string { return `"client_secrets":[{"value":"` + value + `"}]` }
	for name, c := range map[string]struct{ client, names string }{
		"keys by neither":                     {`"token_endpoint_auth_method":"private_key_jwt"`, "add jwks, its public keys as a JWK Set, or jwks_uri"},
		"keys by both":                        {`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://a.example/jwks","jwks":` + oneKey, "jwks and jwks_uri are both there; remove one"},
		"a certificate for no key":            {`"token_endpoint_auth_methods":["self_signed_tls_client_auth"]`, "add jwks, its public keys as a JWK Set, or jwks_uri"},
		"keys that are a list":                {`"token_endpoint_auth_method":"private_key_jwt","jwks":[]`, "jwks: not a JWK Set"},
		"keys that are none":                  {`"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[]}`, "jwks has no key of use; give a public one"},
		"a private key":                       {`"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[{"kty":"EC","d":"canary"}]}`, "jwks: the JWK Set has a private or symmetric key"},
		"keys at http":                        {`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"http://a.example/jwks"`, "jwks_uri"},
		"keys on this machine, without -demo": {`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"http://127.0.0.1:1/jwks"`, "with -demo, http on this machine"},
		"keys nobody asks for, but at http":   {secret("s") + `,"jwks_uri":"http://a.example/jwks"`, "jwks_uri"},
		"an algorithm that is none":           {`"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"none","jwks":` + oneKey, `token_endpoint_auth_signing_alg is "none"; write`},
		"an algorithm of another method":      {`"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"HS256","jwks":` + oneKey, `"HS256", which is for client_secret_jwt`},
		"a signature by a secret":             {`"token_endpoint_auth_method":"client_secret_jwt","token_endpoint_auth_signing_alg":"ES256",` + secret(long), `"ES256", which is for private_key_jwt`},
		"an algorithm of nobody's":            {secret("s") + `,"token_endpoint_auth_signing_alg":"RS256"`, `"RS256", which is for private_key_jwt`},
		"an algorithm without its key":        {`"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"RS256","jwks":` + oneKey, `"RS256", and no key of jwks is for it; add one`},
		"no secret to compute with":           {`"token_endpoint_auth_method":"client_secret_jwt"`, "client_secrets has none that client_secret_jwt could use by HS256"},
		"a short secret to compute with":      {`"token_endpoint_auth_method":"client_secret_jwt",` + secret(long[:31]), "of at least 32 octets"},
		"a shorter one than HS384 needs":      {`"token_endpoint_auth_method":"client_secret_jwt","token_endpoint_auth_signing_alg":"HS384",` + secret(long), "by HS384; add one as value, not hash, of at least 48 octets"},
		"a shorter one than HS512 needs":      {`"token_endpoint_auth_method":"client_secret_jwt","token_endpoint_auth_signing_alg":"HS512",` + secret(long), "of at least 64 octets"},
		"a hash to compute with":              {`"token_endpoint_auth_method":"client_secret_jwt","client_secrets":[{"hash":"$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}]`, "as value, not hash"},
		"a certificate of nobody":             {`"token_endpoint_auth_method":"tls_client_auth"`, "exactly one of tls_client_auth_subject_dn, _san_dns, _san_uri, _san_ip and _san_email"},
		"a certificate of two":                {`"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"CN=a","tls_client_auth_san_dns":"a.example"`, "exactly one of"},
		"two names that nobody asks for":      {secret("s") + `,"tls_client_auth_san_ip":"192.0.2.1","tls_client_auth_san_dns":"a.example"`, "exactly one of"},
		"a DN that is none":                   {`"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"a"`, "tls_client_auth_subject_dn is not a name"},
		"an address that is none":             {`"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_ip":"a.example"`, "tls_client_auth_san_ip is not an IP address"},
		"one of two methods without its keys": {secret("s") + `,"token_endpoint_auth_methods":["client_secret_post","private_key_jwt"]`, "add jwks"},
		"a method with a secret, and keys":    {`"token_endpoint_auth_methods":["client_secret_post","private_key_jwt"],"jwks":` + oneKey, "may authenticate by a secret but has none"},
		"a switch of the wrong type":          {secret("s") + `,"dpop_nonce":"yes"`, "dpop_nonce must be true or false"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, c.names, "-config", configFileWith(t, `{"clients":[{"client_id":"a",`+c.client+`}]}`))
		})
	}
}

func TestAClientThatHoldsKeysIsRead(t *testing.T) {
	for name, client := range map[string]string{
		"a key of jwks":             `"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"ES256","jwks":` + oneKey,
		"keys elsewhere":            `"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"PS256","jwks_uri":"https://a.example/jwks"`,
		"a secret of 32 octets":     `"token_endpoint_auth_method":"client_secret_jwt","client_secrets":[{"value":"` + strings.Repeat("s", 32) + `"}]`,
		"a certificate of a CA":     `"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"a.example","tls_client_certificate_bound_access_tokens":true`,
		"a certificate of its own":  `"token_endpoint_auth_method":"self_signed_tls_client_auth","jwks":` + oneKey,
		"a key or a certificate":    `"token_endpoint_auth_methods":["private_key_jwt","tls_client_auth"],"tls_client_auth_subject_dn":"CN=a","jwks":` + oneKey,
		"nothing, but it is public": `"token_endpoint_auth_method":"none","dpop_bound_access_tokens":true,"dpop_nonce":true`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := loadConfig(configFileWith(t, `{"clients":[{"client_id":"a",`+client+`}]}`), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// What the file says of keys counts: where they are, for whom an assertion is, and
// until when a secret is good.
func TestConfigSaysWhatKeysAClientHolds(t *testing.T) {
	key := newKey(t)
	set := `{"keys":[` + jwkOf(t, key) + `]}`
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		io.WriteString(w, set)
	}))
	defer keys.Close()
	old, current := strings.Repeat("o", 32), strings.Repeat("c", 32)
	more := `,"grant_types":["client_credentials"],"scope":"api1"}`
	issuer := start(t, "-demo", "-store", "memory:", "-config", configFileWith(t, `{"scopes":[{"name":"api1"}],"clients":[
		{"client_id":"remote","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"`+keys.URL+`"`+more+`,
		{"client_id":"legacy","token_endpoint_auth_method":"private_key_jwt","legacy_assertion_audience":true,"jwks":`+set+more+`,
		{"client_id":"old","token_endpoint_auth_method":"private_key_jwt","legacy_assertion_without_id":true,"jwks":`+set+more+`,
		{"client_id":"pinned","token_endpoint_auth_methods":["private_key_jwt","client_secret_jwt"],"token_endpoint_auth_signing_alg":"ES256","jwks":`+set+`,
		 "client_secrets":[{"value":"`+current+`"}]`+more+`,
		{"client_id":"secret","token_endpoint_auth_method":"client_secret_jwt",
		 "client_secrets":[{"value":"`+old+`","expires_at":1000000000},{"value":"`+current+`","expires_at":"2999-01-01T00:00:00Z"}]`+more+`]}`))
	for name, c := range map[string]struct {
		assertion string
		status    int
	}{
		"a key at the jwks_uri is the client's":   {signedBy(t, key, map[string]any{}, assertionClaims("remote", issuer)), http.StatusOK},
		"another key is not":                      {signedBy(t, newKey(t), map[string]any{}, assertionClaims("remote", issuer)), http.StatusUnauthorized},
		"the URL is no audience":                  {signedBy(t, key, map[string]any{}, assertionClaims("remote", issuer+"/connect/token")), http.StatusUnauthorized},
		"the URL is one for a client of old":      {signedBy(t, key, map[string]any{}, assertionClaims("legacy", issuer+"/connect/token")), http.StatusOK},
		"a client of old may send no jti":         {signedBy(t, key, map[string]any{}, withoutID(assertionClaims("old", issuer))), http.StatusOK},
		"another may not":                         {signedBy(t, key, map[string]any{}, withoutID(assertionClaims("remote", issuer))), http.StatusUnauthorized},
		"the algorithm that is registered counts": {signedBy(t, key, map[string]any{}, assertionClaims("pinned", issuer)), http.StatusOK},
		"another algorithm does not":              {macedBy(t, current, assertionClaims("pinned", issuer)), http.StatusUnauthorized},
		"a secret that is good counts":            {macedBy(t, current, assertionClaims("secret", issuer)), http.StatusOK},
		"a secret that has ended does not":        {macedBy(t, old, assertionClaims("secret", issuer)), http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			status, members := assertBy(t, http.DefaultClient, issuer, c.assertion)
			if status != c.status || status != http.StatusOK && members["error"] != "invalid_client" {
				t.Errorf("status %d, error %v", status, members["error"])
			}
		})
	}
}

// Which secrets are kept as they were given: those that are computed with.
func TestSecretsAreKeptForWhoComputesWithThem(t *testing.T) {
	read, err := loadConfig(configFileWith(t, `{"clients":[
		{"client_id":"sends","client_secrets":[{"value":"`+strings.Repeat("s", 32)+`"}]},
		{"client_id":"computes","token_endpoint_auth_method":"client_secret_jwt","client_secrets":[{"value":"`+strings.Repeat("s", 32)+`"}]}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.secrets) != 1 || len(read.secrets["computes"]) != 1 {
		t.Errorf("those of %d clients are kept", len(read.secrets))
	}
}

func withoutID(claims map[string]any) map[string]any {
	delete(claims, "jti")
	return claims
}
