package tokenendpoint_test

import (
	"time"

	"github.com/grantor-go/grantor/store"
)

// transcriptAskedClients are the clients of the grants that users decide on elsewhere,
// and of passwords. Unless its line says otherwise a client may use its one grant
// and refresh_token and has these scopes. The secret of one that has it is its name and
// "-sesame", the others are public.
func transcriptAskedClients() []store.Client {
	const scopes = "openid profile offline_access orders.read orders.write stock.read"
	const device, backchannel = "urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba"
	var clients []store.Client
	add := func(grant, id string, isPublic bool, alter func(*store.Client)) {
		c := store.Client{Metadata: store.Metadata{ID: id, Scope: scopes, GrantTypes: []string{grant, "refresh_token"}}}
		if isPublic {
			c.AuthMethods = []store.AuthMethod{store.NoAuth}
		} else {
			c.Secrets = []store.Secret{{Hash: store.HashSecret(id + "-sesame")}}
		}
		if alter != nil {
			alter(&c)
		}
		clients = append(clients, c)
	}

	add(device, "television", false, nil)
	add(device, "other-television", false, nil)
	add(device, "box", true, nil)
	add(device, "other-box", true, nil)
	add(device, "small-box", true, func(c *store.Client) { c.Scope = "openid offline_access" })
	add(device, "patient-box", true, func(c *store.Client) {
		c.DeviceCodeLifetime, c.PollInterval = 90*time.Second+700*time.Millisecond, 20*time.Second
	})

	add(backchannel, "counter", false, nil)
	add(backchannel, "other-counter", false, nil)
	add(backchannel, "brief-counter", false, func(c *store.Client) {
		c.BackchannelLifetime, c.PollInterval = time.Minute, 2*time.Second
	})
	add(backchannel, "code-counter", false, func(c *store.Client) { c.UserCodeParameter = true })
	add(backchannel, "public-counter", true, nil)
	add(backchannel, "bell", false, func(c *store.Client) {
		c.DeliveryMode, c.NotificationEndpoint = store.DeliveryPing, "https://bell.example/notified"
	})
	add(backchannel, "deaf-bell", false, func(c *store.Client) { c.DeliveryMode = store.DeliveryPing })
	add(backchannel, "plain-bell", false, func(c *store.Client) {
		c.DeliveryMode, c.NotificationEndpoint = store.DeliveryPing, "http://bell.example/notified"
	})
	add(backchannel, "inner-bell", false, func(c *store.Client) {
		c.DeliveryMode, c.NotificationEndpoint = store.DeliveryPing, "https://127.0.0.1/notified"
	})
	add(backchannel, "pushed", false, func(c *store.Client) {
		c.DeliveryMode, c.NotificationEndpoint = "push", "https://pushed.example/tokens"
	})

	add("password", "old-till", false, func(c *store.Client) { c.IdentityProviders = []string{"staff"} })
	add("password", "other-till", false, nil)
	add("password", "old-page", true, nil)
	return clients
}
