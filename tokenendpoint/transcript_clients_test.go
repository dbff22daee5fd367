package tokenendpoint_test

import (
	"slices"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// transcriptUserClients are the clients of the transcripts that have users. Unless
// its line says otherwise a client may use authorization_code and refresh_token,
// has these scopes and one redirect URI, and gets a refresh token for
// offline_access only. Those with a secret may use it by Basic and in the body, the
// others are public.
func transcriptUserClients() []store.Client {
	const scopes = "openid profile email offline_access orders.read orders.write stock.read tills.open"
	client := func(id, secret string, alter func(*store.Client)) store.Client {
		c := store.Client{Metadata: store.Metadata{
			ID: id, Scope: scopes, GrantTypes: []string{"authorization_code", "refresh_token"}, RedirectURIs: []string{"https://app.example/callback"},
		}}
		if secret == "" {
			c.AuthMethods = []store.AuthMethod{store.NoAuth}
		} else {
			c.Secrets = []store.Secret{{Hash: store.HashSecret(secret)}}
		}
		if alter != nil {
			alter(&c)
		}
		return c
	}
	always := func(alter func(*store.Client)) func(*store.Client) {
		return func(c *store.Client) {
			c.RefreshTokens = store.RefreshTokensAlways
			if alter != nil {
				alter(c)
			}
		}
	}
	signs := func(alg tokenendpoint.Alg) func(*store.Client) {
		return func(c *store.Client) { c.IDTokenAlg = string(alg) }
	}
	return []store.Client{
		client("web", "web-sesame", nil),
		client("other-web", "other-sesame", always(nil)),
		client("spa", "", nil),
		client("other-spa", "", always(nil)),
		client("two-pages", "pages-sesame", func(c *store.Client) {
			c.RedirectURIs = []string{"https://app.example/one", "https://app.example/two"}
		}),
		client("native", "", always(func(c *store.Client) { c.RedirectURIs = []string{"http://127.0.0.1/callback", "http://[::1]/callback"} })),
		client("old", "old-sesame", func(c *store.Client) { c.LegacyNoPKCE = true }),
		client("plain", "plain-sesame", func(c *store.Client) { c.LegacyPlainPKCE = true }),

		// Refresh tokens.
		client("keeping", "keeping-sesame", always(nil)),
		client("rotating-web", "rotating-sesame", always(func(c *store.Client) { c.Rotation = store.RotationRotate })),
		client("keeping-spa", "", always(func(c *store.Client) { c.Rotation = store.RotationKeep })), // it proves nothing, so it rotates
		client("code-only", "only-sesame", always(func(c *store.Client) { c.GrantTypes = []string{"authorization_code"} })),
		client("two-hours", "hours-sesame", always(func(c *store.Client) { c.RefreshTokenLifetime = 2 * time.Hour })),
		client("idle", "idle-sesame", always(func(c *store.Client) { c.RefreshTokenIdle = time.Hour })),
		client("idle-spa", "", always(func(c *store.Client) { c.RefreshTokenIdle = time.Hour })),
		client("capped", "capped-sesame", always(func(c *store.Client) { c.RefreshTokenLifetime, c.RefreshTokenIdle = 90*time.Minute, time.Hour })),
		client("capped-spa", "", always(func(c *store.Client) { c.RefreshTokenLifetime, c.RefreshTokenIdle = 90*time.Minute, time.Hour })),
		client("gadget", "gadget-sesame", always(func(c *store.Client) { c.GrantTypes = slices.Concat(c.GrantTypes, []string{"urn:example:user"}) })),

		// Tokens that are looked up, and the APIs that look them up.
		client("handles", "handles-sesame", always(func(c *store.Client) { c.AccessTokenFormat, c.Rotation = store.AccessTokenOpaque, store.RotationRotate })),
		client("handles-spa", "", always(func(c *store.Client) { c.AccessTokenFormat = store.AccessTokenOpaque })),
		client("orders-api", "orders-sesame", func(c *store.Client) { c.GrantTypes, c.ProtectedResources = nil, []string{"https://orders.example"} }),
		client("stock-api", "stock-sesame", func(c *store.Client) {
			c.GrantTypes, c.ProtectedResources = nil, []string{"https://stock.example/v1?zone=eu"}
		}),

		// ID tokens.
		client("wants-es256", "es256-sesame", signs(tokenendpoint.ES256)),
		client("wants-es384", "es384-sesame", signs(tokenendpoint.ES384)),
		client("wants-ps256", "ps256-sesame", signs(tokenendpoint.PS256)),
		client("wants-eddsa", "eddsa-sesame", signs(tokenendpoint.EdDSA)),
	}
}
