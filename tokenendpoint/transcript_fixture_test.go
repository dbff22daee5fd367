package tokenendpoint_test

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const transcriptIssuer = "https://shop.example"

// transcriptStart is the clock at the first exchange of a file. Its fraction of
// a second must not be seen in any answer.
var transcriptStart = time.Date(2026, 5, 4, 12, 0, 0, 987654321, time.UTC)

// transcriptScopes: orders.* belong to one API, stock.read to another,
// reports.read to both, status.read to the issuer itself. openid, profile, email
// and offline_access are about a user; tills.open gives an API a claim about one.
var transcriptScopes = []store.Scope{
	{Name: "orders.read", Resources: []string{"https://orders.example"}},
	{Name: "orders.write", Resources: []string{"https://orders.example"}},
	{Name: "stock.read", Resources: []string{"https://stock.example/v1?zone=eu"}},
	{Name: "reports.read", Resources: []string{"urn:example:reports", "https://orders.example"}},
	{Name: "status.read"},
	{Name: "openid", Identity: true},
	{Name: "profile", Identity: true, Claims: []string{"name", "locale"}},
	{Name: "email", Identity: true, Claims: []string{"email", "email_verified"}},
	{Name: "tills.open", Resources: []string{"https://tills.example"}, Claims: []string{"branch"}},
	{Name: "offline_access"},
	{Name: "secret.read", Resources: []string{"https://orders.example"}}, // no client has it
}

// transcriptClients are the clients that the transcripts speak of. Unless its
// line says otherwise a client may use all grant types but urn:example:forbidden
// and has the scopes orders.read and orders.write.
func transcriptClients() []store.Client {
	client := func(id, secret string, alter func(*store.Client)) store.Client {
		c := store.Client{Metadata: store.Metadata{ID: id, Scope: "orders.read orders.write"}}
		for _, grant := range transcriptGrants() {
			if grant.GrantType() != "urn:example:forbidden" {
				c.GrantTypes = append(c.GrantTypes, grant.GrantType())
			}
		}
		if secret != "" {
			c.Secrets = []store.Secret{{Hash: store.HashSecret(secret)}}
		}
		if alter != nil {
			alter(&c)
		}
		return c
	}
	methods := func(methods ...store.AuthMethod) func(*store.Client) {
		return func(c *store.Client) { c.AuthMethods = methods }
	}
	scope := func(scope string) func(*store.Client) {
		return func(c *store.Client) { c.Scope = scope }
	}
	return []store.Client{
		// How clients authenticate.
		client("worker", "open-sesame-7", func(c *store.Client) { c.IdentityProviders = []string{"github", "google"} }), // no method named: Basic and body
		client("basic-only", "basic-sesame", methods(store.ClientSecretBasic)),
		client("post-only", "post-sesame", methods(store.ClientSecretPost)),
		client("registered-post", "registered-sesame", func(c *store.Client) { c.TokenEndpointAuthMethod = store.ClientSecretPost }),
		client("overruled", "overruled-sesame", func(c *store.Client) {
			c.TokenEndpointAuthMethod, c.AuthMethods = store.ClientSecretPost, []store.AuthMethod{store.ClientSecretBasic}
		}),
		client("asserting", "asserting-sesame", func(c *store.Client) { c.TokenEndpointAuthMethod = "private_key_jwt" }),
		client("public", "", methods(store.NoAuth)),
		client("public-with-secret", "stray-sesame", methods(store.NoAuth)), // the secret is of no use
		client("either", "either-sesame", methods(store.ClientSecretBasic, store.NoAuth)),
		client("unset", "", nil), // neither method nor secret
		client("dormant", "dormant-sesame", func(c *store.Client) { c.Disabled = true }),

		// Secrets.
		client("a b:c", "p+%&=~:", nil),
		client("colons", "a:b:c", nil),
		client("long", strings.Repeat("0123456789abcdef", 16), nil),
		client("longest", strings.Repeat("x", 512), nil),
		client("rotating", "", func(c *store.Client) { c.Secrets = transcriptSecrets() }),

		// What clients may have.
		client("several", "several-sesame", scope("orders.read stock.read reports.read status.read")),
		client("reversed", "reversed-sesame", scope("orders.write orders.read")),
		client("status", "status-sesame", scope("status.read")),
		client("people", "people-sesame", scope("openid profile offline_access orders.read")),
		client("only-people", "people-sesame", scope("openid profile offline_access")),
		client("ghost", "ghost-sesame", scope("orders.read ghost.read")), // nobody knows ghost.read
		client("nothing", "nothing-sesame", scope("")),
		client("no-grants", "idle-sesame", func(c *store.Client) { c.GrantTypes = nil }),
		client("one-grant", "lonely-sesame", func(c *store.Client) { c.GrantTypes = []string{"client_credentials"} }),
		client("trimmed", "trimmed-sesame", nil), // see transcriptPolicy
		client("brief", "brief-sesame", func(c *store.Client) { c.AccessTokenLifetime = 90*time.Second + 700*time.Millisecond }),
		client("tenanted", "tenanted-sesame", func(c *store.Client) {
			c.Claims = map[string]any{"tenant": "acme", "level": 3, "regions": []string{"north", "south"}, "unset": nil}
		}),
	}
}

// transcriptStore finds clients as a database does whose collation folds case and
// ignores spaces around.
type transcriptStore struct{ *memory.Clients }

func (s transcriptStore) Client(ctx context.Context, id string) (*store.Client, error) {
	return s.Clients.Client(ctx, strings.ToLower(strings.TrimSpace(id)))
}

// transcriptSecrets are those of a client that has been rotating them for years.
// The hashes are those of "argon-sesame", at a cost that only a test may have,
// and of 72 times the letter b.
func transcriptSecrets() []store.Secret {
	sum := sha512.Sum512([]byte("sha512-sesame"))
	return []store.Secret{
		{Hash: "not a hash", Label: "malformed"},
		{Hash: store.HashSecret("last-year-sesame"), ExpiresAt: transcriptStart.Add(-time.Second), Label: "last year"},
		{Hash: store.HashSecret("this-minute-sesame"), ExpiresAt: transcriptStart.Add(time.Minute), Label: "this minute"},
		{Hash: "$sha512$" + base64.RawStdEncoding.EncodeToString(sum[:]), Label: "sha512"},
		{Hash: "$argon2id$v=19$m=64,t=1,p=1$b3JkZXJzLWFuZC1zdG9jaw$LWYWwbWpbRfhvsbkCVLjBA", Label: "argon2id"},
		{Hash: "$2a$04$952i2/lVrlERILvKOhJ6WOZCl3I7XrBT3OkplNWQhOfpjqLpGCq32", Label: "bcrypt"},
	}
}

// transcriptPolicy takes orders.write and most of the time from one client.
func transcriptPolicy(_ context.Context, req *tokenendpoint.Request, token *tokenendpoint.Token) error {
	if req.Client.ID == "trimmed" {
		token.Scopes = slices.DeleteFunc(token.Scopes, func(name string) bool { return name == "orders.write" })
		token.Lifetime = 30 * time.Second
	}
	return nil
}

// transcriptGrant is a grant type made of a function.
type transcriptGrant struct {
	name     string
	validate func(*tokenendpoint.Request) (*tokenendpoint.Result, error)
}

func (g transcriptGrant) GrantType() string { return g.name }

func (g transcriptGrant) Validate(_ context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	return g.validate(req)
}

// transcriptGrants are fresh for each file: a ticket is redeemed once.
func transcriptGrants() []tokenendpoint.GrantValidator {
	tickets := map[string]bool{"ticket-for-one": true}
	all := map[string]func(*tokenendpoint.Request) (*tokenendpoint.Result, error){
		// echo answers with what the request said, to any client.
		"urn:example:echo": func(req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Members: tokenendpoint.Members{
				"authenticated": req.Authenticated,
				"message":       transcriptOrNull(req.Form.Get("message")),
				"wished_tenant": transcriptOrNull(req.Tenant),
				"wished_idp":    transcriptOrNull(req.IdP),
				"wished_acr":    transcriptOrNull(strings.Join(req.ACRValues, " ")),
			}}, nil
		},
		// user acts for a person who signed in five minutes before.
		"urn:example:user": func(*tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Grant: store.Grant{
				Subject:  "alice",
				AuthTime: transcriptStart.Add(-5 * time.Minute),
				ACR:      "urn:example:gold",
				AMR:      []string{"pwd", "otp"},
			}}, nil
		},
		// ticket spends a ticket.
		"urn:example:ticket": func(req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			ticket := req.Form.Get("ticket")
			if !tickets[ticket] {
				return nil, tokenendpoint.InvalidGrant
			}
			delete(tickets, ticket)
			return &tokenendpoint.Result{}, nil
		},
		// part has been granted orders.read at one API and nothing else.
		"urn:example:part": func(*tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Grant: store.Grant{
				Scopes:    []string{"orders.read"},
				Resources: []string{"https://orders.example"},
			}}, nil
		},
		// less gives a token for less than what was granted.
		"urn:example:less": func(*tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Scopes: []string{"reports.read"}, Resources: []string{"https://orders.example"}}, nil
		},
		// bound has been granted whatever is at one API.
		"urn:example:bound": func(*tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Grant: store.Grant{Resources: []string{"https://orders.example"}}}, nil
		},
		// repeat answers with everything that a grant sees of the form.
		"urn:example:repeat": func(req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Members: tokenendpoint.Members{"form": req.Form.Encode()}}, nil
		},
		// careless describes its refusal in characters that are not permitted.
		"urn:example:careless": func(*tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return nil, &tokenendpoint.Error{
				Code:        tokenendpoint.InvalidRequest,
				Description: "the \"caf\u00e9\"\tis\r\nSet-Cookie: closed\\\x00\x7f\xff ~!",
			}
		},
		"urn:example:busy": func(*tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return nil, &tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, RetryAfter: 1500 * time.Millisecond}
		},
		"custom": func(*tokenendpoint.Request) (*tokenendpoint.Result, error) { // no URI, as older servers have them
			return &tokenendpoint.Result{}, nil
		},
		"urn:example:forbidden": func(*tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{}, nil
		},
	}
	list := []tokenendpoint.GrantValidator{grants.ClientCredentials{}}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, transcriptGrant{name, all[name]})
	}
	return list
}

// transcriptOrNull keeps empty members as null, which an answer leaves out.
func transcriptOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
