package tokenendpoint_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// soundConfig is a Config with what is required, and silent.
func soundConfig() tokenendpoint.Config {
	return tokenendpoint.Config{
		Issuer: trialIssuer, Clients: memory.NewClients(*trialTill("till")), Scopes: memory.NewScopes(),
		Keys:   tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}},
		Grants: []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Logger: slog.New(slog.DiscardHandler),
	}
}

// problemsOf returns the lines of New's error, without its first.
func problemsOf(t *testing.T, config tokenendpoint.Config) []string {
	t.Helper()
	endpoint, err := tokenendpoint.New(config)
	if err == nil {
		return nil
	}
	if endpoint != nil {
		t.Error("there is an endpoint beside the error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) < 2 || lines[0] != "tokenendpoint: the Config has problems:" {
		t.Fatalf("the error is %v", err)
	}
	return lines[1:]
}

func TestNewNamesEveryProblemAtOnce(t *testing.T) {
	t.Run("of an empty Config it names each field that is required, with a remedy", func(t *testing.T) {
		problems := problemsOf(t, tokenendpoint.Config{})
		want := [][]string{
			{"Issuer is empty", `"https://shop.example"`},
			{"Clients is missing", "store.ClientStore", "memory.NewClients"},
			{"Scopes is missing", "store.ScopeStore", "memory.NewScopes"},
			{"Keys is missing", "RollingKeys", "StaticKeys"},
			{"Grants is missing", "grants.ClientCredentials{}"},
		}
		if len(problems) != len(want) {
			t.Fatalf("the problems are %q", problems)
		}
		for i, words := range want {
			for _, word := range words {
				if !strings.Contains(problems[i], word) {
					t.Errorf("%q does not say %s", problems[i], word)
				}
			}
		}
	})
	t.Run("of a Config in which all is wrong it names all", func(t *testing.T) {
		config := soundConfig()
		config.Issuer = "http://shop.example"
		config.AccessTokenLifetime, config.Timeout = -time.Nanosecond, -time.Minute
		config.Grants = append(config.Grants, nil, configGrant(""), grants.ClientCredentials{})
		config.Paths = tokenendpoint.Paths{Token: "token"}
		config.ReferenceHash = "swordfish"
		config.Keys = tokenendpoint.StaticKeys{}
		problems := problemsOf(t, config)
		want := []string{"Issuer ", "AccessTokenLifetime is -1ns", "Timeout is -1m0s", "Grants[1] is nil", "Grants[2]: ", "Grants[3]: ",
			"Paths.Token ", "ReferenceHash: ", "Keys: "}
		if len(problems) != len(want) {
			t.Fatalf("the problems are %q", problems)
		}
		for i, prefix := range want {
			if !strings.HasPrefix(problems[i], prefix) {
				t.Errorf("%q does not begin with %q", problems[i], prefix)
			}
			if strings.Contains(problems[i], "swordfish") {
				t.Errorf("%q quotes the stored secret", problems[i])
			}
		}
	})
	t.Run("of a Config with what is required it names none, and the rest has defaults that work", func(t *testing.T) {
		tr := newTrial(t, func(c *tokenendpoint.Config) {
			*c = tokenendpoint.Config{Issuer: c.Issuer, Clients: c.Clients, Scopes: c.Scopes, Keys: c.Keys, Grants: c.Grants}
		})
		before := time.Now().Unix()
		claims := tr.claims(tr.ask("scope=orders.read"))
		if iat := int64(claims["iat"].(float64)); iat < before || iat > time.Now().Unix() {
			t.Errorf("iat is %d", iat)
		}
	})
}

func TestProblemsOfTheConfig(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	type config = tokenendpoint.Config
	type keys = tokenendpoint.StaticKeys
	good := tokenendpoint.Key{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}
	tests := []struct {
		name   string
		change func(*config)
		want   string // part of the only problem; empty: none
	}{
		{"a grant type that is there twice", func(c *config) { c.Grants = append(c.Grants, configGrant("client_credentials")) },
			`Grants[1]: grant type "client_credentials" is there twice; remove one`},
		{"a grant type with a space", func(c *config) { c.Grants[0] = configGrant("a b") }, `Grants[0]: grant type "a b" is not`},
		{"a grant type that is not ASCII", func(c *config) { c.Grants[0] = configGrant("urn:\u00e9") }, "printable ASCII"},
		{"a grant type of 257 characters", func(c *config) { c.Grants[0] = configGrant(strings.Repeat("x", 257)) }, "1 to 256"},
		{"a grant type of 256 characters is fine", func(c *config) { c.Grants[0] = configGrant(strings.Repeat("x", 256)) }, ""},
		{"a grant type that is a URI is fine", func(c *config) { c.Grants[0] = configGrant("urn:ietf:params:oauth:grant-type:device_code") }, ""},
		{"a reference hash without an algorithm", func(c *config) { c.ReferenceHash = "secret" }, "use a string that store.HashSecret returned"},
		{"a reference hash that is cut off", func(c *config) { c.ReferenceHash = "$sha256$abc" }, "ReferenceHash: "},
		{"a reference hash that costs too much", func(c *config) { c.ReferenceHash = "$2a$31$" + strings.Repeat("x", 53) }, "cost 31, more than 14"},
		{"a lifetime below a second", func(c *config) { c.AccessTokenLifetime = 999 * time.Millisecond },
			"AccessTokenLifetime is 999ms; leave it zero for the default or set it to 1s or more"},
		{"a lifetime of a second is fine", func(c *config) { c.AccessTokenLifetime = time.Second }, ""},
		{"a timeout below a millisecond", func(c *config) { c.Timeout = 999 * time.Microsecond }, "set it to 1ms or more"},
		{"a timeout of a millisecond is fine", func(c *config) { c.Timeout = time.Millisecond }, ""},
		{"a key without an ID", func(c *config) { c.Keys = keys{{Alg: "ES256", Signer: trialKey()}} }, `Keys: key 0: ID ""`},
		{"two keys with one ID", func(c *config) { c.Keys = keys{good, good} }, `Keys: key "k1": two keys have this ID; give each its own`},
		{"a key without a Signer", func(c *config) { c.Keys = keys{{ID: "k1", Alg: "ES256"}} }, `Keys: key "k1": Signer is nil`},
		{"an algorithm that may not sign", func(c *config) { c.Keys = keys{{ID: "k1", Alg: "none", Signer: trialKey()}} },
			`Keys: key "k1": algorithm "none" is not one of ES256, ES384, PS256, RS256, EdDSA`},
		{"a key that does not fit its algorithm", func(c *config) { c.Keys = keys{{ID: "k1", Alg: "RS256", Signer: trialKey()}} }, "not RSA"},
		{"a key that is too small", func(c *config) { c.Keys = keys{{ID: "k1", Alg: "RS256", Signer: small}} }, "1024 bits, fewer than 2048"},
		{"no key that signs now", func(c *config) {
			c.Keys = keys{{ID: "k1", Alg: "ES256", Signer: trialKey(), SignUntil: time.Unix(1, 0)}}
		},
			"Keys: no key of Config.Keys may sign now; check SignFrom, SignUntil and PublishUntil"},
		{"a source of keys that is out of order", func(c *config) {
			c.Keys = configKeys(func() ([]tokenendpoint.Key, error) { return nil, errFaultCanary })
		},
			"Keys: KeySource: " + errFaultCanary.Error()},
		{"two paths that are one", func(c *config) { c.Paths = tokenendpoint.Paths{Token: "/t", JWKS: "/t"} }, `both "/t"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := soundConfig()
			test.change(&config)
			problems := problemsOf(t, config)
			switch {
			case test.want == "" && problems != nil:
				t.Errorf("the problems are %q", problems)
			case test.want != "" && (len(problems) != 1 || !strings.Contains(problems[0], test.want)):
				t.Errorf("the problems are %q, want one that says %s", problems, test.want)
			}
		})
	}
	t.Run("the error of a source of keys can be looked into", func(t *testing.T) {
		config := soundConfig()
		config.Keys = configKeys(func() ([]tokenendpoint.Key, error) { return nil, errFaultCanary })
		if _, err := tokenendpoint.New(config); !errors.Is(err, errFaultCanary) {
			t.Errorf("the error is %v", err)
		}
	})
}

type configKeys func() ([]tokenendpoint.Key, error)

func (f configKeys) Keys(context.Context) ([]tokenendpoint.Key, error) { return f() }

func TestTheConfigIsFrozen(t *testing.T) {
	t.Run("a slice of grants that is changed after New has no effect", func(t *testing.T) {
		list := []tokenendpoint.GrantValidator{grants.ClientCredentials{}, configGrant("urn:example:second")}
		tr := newTrial(t, func(c *tokenendpoint.Config) { c.Grants = list })
		list[0], list[1] = configGrant(trialGrant), nil
		tr.equal("the status of the grant that was there", tr.send(tr.request("grant_type=client_credentials&scope=orders.read")).status, http.StatusOK)
		tr.refusal(tr.ask(""), 400, `{"error":"unsupported_grant_type","error_description":"the grant type is not supported"}`)
	})
	t.Run("the grant type is asked for when the endpoint is made, and not again", func(t *testing.T) {
		grant := &configChangingGrant{name: "urn:example:first"}
		tr := newTrial(t, func(c *tokenendpoint.Config) { c.Grants = []tokenendpoint.GrantValidator{grant} })
		tr.client.GrantTypes = []string{"urn:example:first", "urn:example:second"}
		grant.name = "urn:example:second"
		tr.equal("the status of the first name", tr.send(tr.request("grant_type=urn:example:first&scope=orders.read")).status, http.StatusOK)
		tr.equal("the status of the second", tr.send(tr.request("grant_type=urn:example:second")).status, http.StatusBadRequest)
	})
}

type configChangingGrant struct{ name string }

func (g *configChangingGrant) GrantType() string { return g.name }

func (*configChangingGrant) Validate(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	return &tokenendpoint.Result{}, nil
}

func TestLifetimesOfTheConfig(t *testing.T) {
	tests := []struct {
		name           string
		config, client time.Duration
		want           float64
	}{
		{"an hour if nothing is said", 0, 0, 3600},
		{"the Config's if the client has none", 10 * time.Minute, 0, 600},
		{"the client's, if shorter", 10 * time.Minute, time.Minute, 60},
		{"the client's, if longer", 10 * time.Minute, time.Hour, 3600},
		{"in whole seconds, rounded down, from the Config", 1999 * time.Millisecond, 0, 1},
		{"in whole seconds, rounded down, from the client", 0, 1999 * time.Millisecond, 1},
	}
	for _, test := range tests {
		t.Run("a token lives "+test.name, func(t *testing.T) { // 6749-5.1-04
			tr := newTrial(t, func(c *tokenendpoint.Config) { c.AccessTokenLifetime = test.config })
			tr.client.AccessTokenLifetime = test.client
			answer := tr.ask("scope=orders.read")
			tr.equal("expires_in", answer.members["expires_in"], test.want)
			tr.equal("exp", tr.claims(answer)["exp"], float64(trialNow.Unix())+test.want)
		})
	}
}

func TestLifetimesOfAClientThatAreNone(t *testing.T) {
	for _, lifetime := range []time.Duration{-time.Minute, time.Nanosecond, 999 * time.Millisecond} {
		t.Run("a client's lifetime of "+lifetime.String()+" is a mistake that the log names", func(t *testing.T) {
			tr := newTrial(t)
			tr.client.AccessTokenLifetime = lifetime
			checkMistake(tr, tr.ask("scope=orders.read"), tokenendpoint.ReasonLifetime, "AccessTokenLifetime of client")
		})
	}
}
