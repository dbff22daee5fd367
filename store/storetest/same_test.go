package storetest

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// What wholeClient and wholeScopes leave out is compared with nothing.
func TestTheWholeRecordsUseEveryField(t *testing.T) {
	c := wholeClient()
	c.Disabled = true // has a check of its own
	used(t, reflect.ValueOf(c))
	used(t, reflect.ValueOf(c.Secrets[0]))

	fields := reflect.VisibleFields(reflect.TypeFor[store.Scope]())
	for _, f := range fields {
		if !slices.ContainsFunc(wholeScopes(), func(s store.Scope) bool {
			return !reflect.ValueOf(s).FieldByIndex(f.Index).IsZero()
		}) {
			t.Errorf("no whole scope has a %s", f.Name)
		}
	}
}

func used(t *testing.T, record reflect.Value) {
	t.Helper()
	for _, f := range reflect.VisibleFields(record.Type()) {
		if record.FieldByIndex(f.Index).IsZero() {
			t.Errorf("the whole %s has no %s", record.Type(), f.Name)
		}
	}
}

func TestSameNamesTheFieldThatDiffers(t *testing.T) {
	for field, alter := range map[string]func(*store.Client){
		"ID":                       func(c *store.Client) { c.ID = "other" },
		"Name":                     func(c *store.Client) { c.Name += " " },
		"RedirectURIs[0]":          func(c *store.Client) { slices.Reverse(c.RedirectURIs) },
		"GrantTypes":               func(c *store.Client) { c.GrantTypes = append(c.GrantTypes, "password") },
		"Scope":                    func(c *store.Client) { c.Scope = "read write" },
		"TokenEndpointAuthMethod":  func(c *store.Client) { c.TokenEndpointAuthMethod = store.NoAuth },
		"Secrets":                  func(c *store.Client) { c.Secrets = c.Secrets[1:] },
		"Secrets[0].Hash":          func(c *store.Client) { c.Secrets[0].Hash = "" },
		"Secrets[1].ExpiresAt":     func(c *store.Client) { c.Secrets[1].ExpiresAt = time.Time{} },
		"Secrets[2].Label":         func(c *store.Client) { c.Secrets[2].Label = "new" },
		"AuthMethods":              func(c *store.Client) { c.AuthMethods = append(c.AuthMethods, store.NoAuth) },
		"AccessTokenLifetime":      func(c *store.Client) { c.AccessTokenLifetime++ },
		"IDTokenAlg":               func(c *store.Client) { c.IDTokenAlg = "ES256" },
		"DeliveryMode":             func(c *store.Client) { c.DeliveryMode = store.DeliveryPoll },
		"NotificationEndpoint":     func(c *store.Client) { c.NotificationEndpoint = "" },
		"UserCodeParameter":        func(c *store.Client) { c.UserCodeParameter = false },
		"RefreshTokens":            func(c *store.Client) { c.RefreshTokens = "" },
		"Rotation":                 func(c *store.Client) { c.Rotation = "" },
		"RefreshTokenLifetime":     func(c *store.Client) { c.RefreshTokenLifetime = 0 },
		"RefreshTokenIdle":         func(c *store.Client) { c.RefreshTokenIdle = c.RefreshTokenLifetime },
		"FreshClaims":              func(c *store.Client) { c.FreshClaims = false },
		"DeviceCodeLifetime":       func(c *store.Client) { c.DeviceCodeLifetime = 0 },
		"BackchannelLifetime":      func(c *store.Client) { c.BackchannelLifetime = c.DeviceCodeLifetime },
		"PollInterval":             func(c *store.Client) { c.PollInterval++ },
		"AccessTokenFormat":        func(c *store.Client) { c.AccessTokenFormat = "" },
		"ProtectedResources[0]":    func(c *store.Client) { slices.Reverse(c.ProtectedResources) },
		"IdentityProviders[0]":     func(c *store.Client) { slices.Reverse(c.IdentityProviders) },
		"LegacyNoPKCE":             func(c *store.Client) { c.LegacyNoPKCE = false },
		"JWKSURI":                  func(c *store.Client) { c.JWKSURI = "" },
		"JWKS":                     func(c *store.Client) { c.JWKS = []byte(`{"keys":[]}`) },
		"LegacyAssertionAudience":  func(c *store.Client) { c.LegacyAssertionAudience = false },
		"LegacyAssertionWithoutID": func(c *store.Client) { c.LegacyAssertionWithoutID = false },
		"LegacyPlainPKCE":          func(c *store.Client) { c.LegacyPlainPKCE = false },
		"Claims":                   func(c *store.Client) { c.Claims["plan"].(map[string]any)["seats"] = 26 },
		"Disabled":                 func(c *store.Client) { c.Disabled = true },
	} {
		t.Run(field, func(t *testing.T) {
			c := wholeClient()
			alter(&c)
			err := same(wholeClient(), c)
			if err == nil || !strings.HasPrefix(err.Error(), field+" is ") {
				t.Errorf("got %v, want an error that begins with %q", err, field)
			}
		})
	}
}

func TestSameToleratesWhatAnEngineMayChange(t *testing.T) {
	for name, alter := range map[string]func(*store.Client){
		"claims kept as JSON": func(c *store.Client) {
			data, _ := json.Marshal(c.Claims)
			clear(c.Claims)
			_ = json.Unmarshal(data, &c.Claims)
		},
		"claims kept as JSON and read with UseNumber": func(c *store.Client) {
			data, _ := json.Marshal(c.Claims)
			c.Claims = nil
			d := json.NewDecoder(strings.NewReader(string(data)))
			d.UseNumber()
			_ = d.Decode(&c.Claims)
		},
		"numbers written at greater length": func(c *store.Client) { c.Claims["share"] = json.Number("0.250") },
		"instants in another zone": func(c *store.Client) {
			c.Secrets[0].ExpiresAt = c.Secrets[0].ExpiresAt.In(time.FixedZone("", -7*60*60))
		},
		"methods in another order": func(c *store.Client) { slices.Reverse(c.AuthMethods) },
	} {
		t.Run(name, func(t *testing.T) {
			c := wholeClient()
			alter(&c)
			if err := same(wholeClient(), c); err != nil {
				t.Error(err)
			}
		})
	}
	empty := store.Client{Claims: map[string]any{}, Secrets: []store.Secret{}, AuthMethods: []store.AuthMethod{}}
	if err := same(store.Client{}, empty); err != nil {
		t.Errorf("empty instead of nil: %v", err)
	}
}
