package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
)

type (
	clientCheck = check[store.ClientStore, store.Client]
	openClients = func(...store.Client) store.ClientStore
)

// wholeClient returns a client that uses every field but Disabled, anew each
// time so that no store can alter what it is compared with.
func wholeClient() store.Client {
	return store.Client{
		Metadata: store.Metadata{
			ID:                      "whole",
			Name:                    "Łukasz & Söhne <Reports>",
			RedirectURIs:            []string{"https://b.example.com/cb?x=1&y=a,b", "https://a.example.com/cb"},
			GrantTypes:              []string{"client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"},
			Scope:                   "write read",
			TokenEndpointAuthMethod: store.ClientSecretPost,
			IDTokenAlg:              "ES384",
			DeliveryMode:            store.DeliveryPing,
			NotificationEndpoint:    "https://b.example.com/ciba?x=1&y=a,b",
			UserCodeParameter:       true,

			TokenEndpointAuthSigningAlg: "PS256",
			DPoPBoundAccessTokens:       true,
			TLSSubjectDN:                `CN=a\,b,O=Łukasz <& Söhne>`,
			TLSSANDNS:                   "client.example.com",
			TLSSANURI:                   "urn:example:client?a=b&c",
			TLSSANIP:                    "2001:db8::1",
			TLSSANEmail:                 "client@example.com",
			TLSBoundAccessTokens:        true,
			JWKS:                        []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`),
			JWKSURI:                     "https://keys.example.com/jwks?of=a",
		},
		Secrets: []store.Secret{
			{
				Hash:      store.HashSecret("of this year"),
				ExpiresAt: time.Date(2031, 2, 3, 4, 5, 6, 0, time.FixedZone("", 2*60*60)),
				Label:     "this year's",
			},
			{
				// 60 characters: the longest hash that has a fixed length.
				Hash:      "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
				ExpiresAt: time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC),
				Label:     "an old one",
			},
			{Hash: store.HashSecret("another")},
		},
		AuthMethods:         []store.AuthMethod{store.ClientSecretPost, store.ClientSecretBasic},
		AccessTokenFormat:   store.AccessTokenOpaque,
		AccessTokenLifetime: 25 * time.Hour,

		RefreshTokens:        store.RefreshTokensAlways,
		Rotation:             store.RotationKeep,
		RefreshTokenLifetime: 90 * 24 * time.Hour,
		RefreshTokenIdle:     15 * 24 * time.Hour,
		FreshClaims:          true,
		DeviceCodeLifetime:   20 * time.Minute,
		BackchannelLifetime:  3 * time.Minute,
		PollInterval:         7 * time.Second,
		ProtectedResources:   []string{"urn:example:Billing", "https://billing.example/v1, v2"},
		IdentityProviders:    []string{"Staff", "bund-id, eIDAS"},
		LegacyNoPKCE:         true,
		LegacyPlainPKCE:      true,

		LegacyAssertionAudience:  true,
		LegacyAssertionWithoutID: true,
		DPoPNonce:                true,

		Claims: map[string]any{
			"https://example.com/tenant": "acme, inc.",
			"beta":                       true,
			"regions":                    []string{"eu", "us"},
			"share":                      0.25,
			"plan":                       map[string]any{"name": "gold", "seats": 25, "limits": []any{1, "two", nil}},
		},
	}
}

// named returns a client that is told from others by its ID and its name.
func named(id string) store.Client {
	return store.Client{Metadata: store.Metadata{ID: id, Name: "the client <" + id + ">"}}
}

// finds looks up the client that was kept as want and compares the two.
func finds(ctx context.Context, s store.ClientStore, want store.Client) error {
	got, err := s.Client(ctx, want.ID)
	switch {
	case err != nil:
		return fmt.Errorf("Client(%s) of a kept client returned the error %q", quoted(want.ID), err)
	case got == nil:
		return fmt.Errorf("Client(%s) returned neither a client nor an error", quoted(want.ID))
	}
	if err := same(want, *got); err != nil {
		return fmt.Errorf("Client(%s): %w", quoted(want.ID), err)
	}
	return nil
}

// lacks looks up an id that was not kept.
func lacks(ctx context.Context, s store.ClientStore, id string) error {
	got, err := s.Client(ctx, id)
	switch {
	case err == nil && got == nil:
		return fmt.Errorf("Client(%s) returned neither a client nor an error", quoted(id))
	case err == nil:
		return fmt.Errorf("Client(%s), which was not kept, returned the client %s", quoted(id), quoted(got.ID))
	case !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("Client(%s), which was not kept, returned the error %q; errors.Is(err, store.ErrNotFound) is false", quoted(id), err)
	case got != nil:
		return fmt.Errorf("Client(%s) returned a client beside ErrNotFound", quoted(id))
	}
	return nil
}

// findsAll keeps these clients and looks each of them up.
func findsAll(clients func() []store.Client) func(context.Context, openClients) error {
	return func(ctx context.Context, open openClients) error {
		s := open(clients()...)
		for _, want := range clients() {
			if err := finds(ctx, s, want); err != nil {
				return err
			}
		}
		return nil
	}
}

// tellsApart keeps the first of ids, where none of the others may be taken for
// it, and then all of them, where each must be found.
func tellsApart(ids ...string) func(context.Context, openClients) error {
	return func(ctx context.Context, open openClients) error {
		s := open(named(ids[0]))
		if err := finds(ctx, s, named(ids[0])); err != nil {
			return err
		}
		for _, id := range ids[1:] {
			if err := lacks(ctx, s, id); err != nil {
				return err
			}
		}
		return findsAll(func() []store.Client {
			clients := make([]store.Client, len(ids))
			for i, id := range ids {
				clients[i] = named(id)
			}
			return clients
		})(ctx, open)
	}
}

// quoted shows an id, and of a long one the ends.
func quoted(id string) string {
	if len(id) <= 100 {
		return fmt.Sprintf("%q", id)
	}
	return fmt.Sprintf("%q...%q (%d bytes)", id[:30], id[len(id)-10:], len(id))
}

const (
	whyExact = "an id that is taken for another's authenticates the wrong client: its tokens then carry " +
		"another client's rights, and logs and revocations name a client that was not there"
	whyHostile = "the id is whatever a stranger sent: if the engine reads meaning into it, anyone can pick " +
		"a client without knowing its id, or read and change the database"
)

var printable = func() string {
	var b strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}()
