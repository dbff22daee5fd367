package store_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Every field is found by reflection, so that one that is added to a client later, and
// forgotten here, fails.
func TestAnEncodedClientComesBackWhole(t *testing.T) {
	want := &store.Client{
		Metadata: store.Metadata{
			ID: "tv", Name: "Łukasz' <TV>", RedirectURIs: []string{"https://b.example/cb", "https://a.example/cb"},
			GrantTypes: []string{"urn:ietf:params:oauth:grant-type:device_code"}, Scope: "write read",
			TokenEndpointAuthMethod: store.ClientSecretPost, IDTokenAlg: "ES384", DeliveryMode: store.DeliveryPing,
			NotificationEndpoint: "https://b.example/ciba", UserCodeParameter: true,
			TokenEndpointAuthSigningAlg: "PS256", DPoPBoundAccessTokens: true, TLSBoundAccessTokens: true,
			TLSSubjectDN: "CN=a", TLSSANDNS: "a.example", TLSSANURI: "urn:a", TLSSANIP: "192.0.2.1", TLSSANEmail: "a@example", JWKS: json.RawMessage(`{"keys":[]}`), JWKSURI: "https://b.example/jwks",
		},
		Secrets:     []store.Secret{{Hash: store.HashSecret("x"), ExpiresAt: time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC), Label: "this year's"}},
		AuthMethods: []store.AuthMethod{store.ClientSecretPost, store.ClientSecretBasic}, AccessTokenLifetime: time.Hour,
		Claims: map[string]any{"tenant": "acme", "account": json.Number("9007199254740993")}, RefreshTokens: store.RefreshTokensAlways,
		Rotation: store.RotationKeep, RefreshTokenLifetime: 2 * time.Hour, RefreshTokenIdle: 3 * time.Hour, FreshClaims: true,
		DeviceCodeLifetime: 4 * time.Minute, BackchannelLifetime: 5 * time.Minute, PollInterval: 6 * time.Second,
		AccessTokenFormat: store.AccessTokenOpaque, ProtectedResources: []string{"https://api.example", "urn:example:b"},
		IdentityProviders: []string{"staff", "bund-id"}, LegacyNoPKCE: true, LegacyPlainPKCE: true, LegacyAssertionAudience: true, LegacyAssertionWithoutID: true, DPoPNonce: true, Disabled: true,
	}
	for _, v := range []reflect.Value{reflect.ValueOf(*want), reflect.ValueOf(want.Secrets[0])} {
		for _, f := range reflect.VisibleFields(v.Type()) {
			if v.FieldByIndex(f.Index).IsZero() {
				t.Errorf("%s.%s: this test does not use it", v.Type(), f.Name)
			}
		}
	}
	for _, want := range []*store.Client{want, {}} {
		b, err := store.EncodeClient(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := store.DecodeClient(b); err != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("encoded was %+v,\ncame back %+v, %v", want, got, err)
		}
	}
}

func TestAClientThatCannotBeReadIsCorrupt(t *testing.T) {
	whole, err := store.EncodeClient(&store.Client{Metadata: store.Metadata{ID: "CANARY"}, Claims: map[string]any{"n": int64(1)<<60 + 1},
		Secrets: []store.Secret{{Hash: store.HashSecret("x")}}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := store.DecodeClient(whole)
	if err != nil || c.ID != "CANARY" || len(c.Secrets) != 1 {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if again, err := store.EncodeClient(c); err != nil || string(again) != string(whole) {
		t.Errorf("a number lost digits: %s, %v", again, err)
	}
	for name, text := range map[string]string{
		"nothing": "", "half": string(whole[:len(whole)/2]), "two": string(whole) + string(whole), "a brace behind": string(whole) + "}",
		"a list": `["CANARY"]`, "a member of a later time": `{"client_id":"CANARY","only_at_night":true}`, "an id that is a number": `{"client_id":5}`,
	} {
		c, err := store.DecodeClient([]byte(text))
		if !errors.Is(err, store.ErrCorrupt) || c != nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := store.EncodeClient(&store.Client{Claims: map[string]any{"f": func() {}}}); err == nil {
		t.Error("a claim that JSON cannot say is kept")
	}
}
