package grants_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

func asPublic(c *store.Client) { c.Secrets, c.AuthMethods = nil, []store.AuthMethod{store.NoAuth} }

// 8628-3.1-01, 8628-3.1-02, 8628-3.1-03, 8628-3.2-03.
func TestDeviceAuthorizationRequests(t *testing.T) {
	for name, c := range map[string]struct {
		form   url.Values
		client func(*store.Client)
		want   string
	}{
		"with a scope":                         {url.Values{"scope": {"orders.read"}}, nil, "200 "},
		"without a scope":                      {nil, nil, "200 "},
		"with an empty scope":                  {url.Values{"scope": {""}}, nil, "200 "},
		"with what nobody knows":               {url.Values{"tv": {"55 inches"}}, nil, "200 "},
		"of a public client":                   {url.Values{"client_id": {"app"}}, asPublic, "200 "},
		"of a public client without a name":    {url.Values{"client_id": {""}}, asPublic, "401 invalid_client"},
		"of a client that keeps back a secret": {url.Values{"client_id": {"app"}}, nil, "401 invalid_client"},
		"of nobody":                            {url.Values{"client_id": {"stranger"}}, nil, "401 invalid_client"},
		"with two scopes":                      {url.Values{"scope": {"orders.read", "openid"}}, nil, "invalid_request"},
		"for what is not the client's":         {url.Values{"scope": {"orders.write"}}, nil, "invalid_scope"},
		"of a client without the grant type":   {nil, func(c *store.Client) { c.GrantTypes = []string{"refresh_token"} }, "unauthorized_client"},
	} {
		t.Run("a request "+name+" is answered "+c.want, func(t *testing.T) {
			s := granttest.New(t, new(memory.Grants))
			alter(t, s, c.client)
			if got := s.Post(t.Context(), "/connect/deviceauthorization", "app", c.form); got.String() != c.want {
				t.Errorf("answered %v", got)
			}
		})
	}
}

// 8628-3.2-01, 8628-3.2-02, 8628-5.1-02, 8628-5.2-01, 8628-6.1-01.
func TestAnswersToDeviceAuthorizationRequests(t *testing.T) {
	for name, c := range map[string]struct {
		client            func(*store.Client)
		expires, interval float64
	}{
		"by default":              {nil, 600, 5},
		"as the client is set up": {func(c *store.Client) { c.DeviceCodeLifetime, c.PollInterval = 90*time.Second, 7*time.Second }, 90, 7},
	} {
		t.Run("last and are polled for "+name, func(t *testing.T) {
			s := granttest.New(t, new(memory.Grants))
			alter(t, s, c.client)
			m := s.Post(t.Context(), "/connect/deviceauthorization", "app", nil)
			code := m.Text("user_code")
			if m.Members["expires_in"] != c.expires || m.Members["interval"] != c.interval || len(m.Members) != 6 {
				t.Errorf("answered %v", m.Members)
			}
			if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(code) {
				t.Errorf("the user_code is %q", code)
			}
			if len(m.Text("device_code")) < 43 || strings.Contains(m.Text("device_code"), strings.ReplaceAll(code, "-", "")) {
				t.Errorf("the device_code is %q", m.Text("device_code"))
			}
			if m.Text("verification_uri") != "https://shop.example/device" || m.Text("verification_uri_complete") != "https://shop.example/device?user_code="+code {
				t.Errorf("the page is at %q and %q", m.Text("verification_uri"), m.Text("verification_uri_complete"))
			}
		})
	}
}

// 8628-3.4-01, 8628-3.4-02, 8628-3.5-06, CIBA-10.1-01.
func TestPollsThatAreNone(t *testing.T) {
	s := granttest.New(t, new(memory.Grants))
	device, ciba := granttest.Flows[0].Must(t, s, "alice"), granttest.Flows[1].Must(t, s, "alice")
	code := s.Post(t.Context(), "/connect/deviceauthorization", "app", nil).Text("user_code")
	deviceType, cibaType := s.Device.GrantType(), s.CIBA.GrantType()
	for name, c := range map[string]struct{ grantType, parameter, handle, want string }{
		"without a device_code":                          {deviceType, "device_code", "", "invalid_request"},
		"with the parameter of the other grant":          {deviceType, "auth_req_id", device.Handle, "invalid_request"},
		"for a device with an auth_req_id":               {deviceType, "device_code", ciba.Handle, "invalid_grant"},
		"for a device with a decision":                   {deviceType, "device_code", s.Decision("alice"), "invalid_grant"},
		"for a device with a user code":                  {deviceType, "device_code", code, "invalid_grant"},
		"for a device with one of nobody's":              {deviceType, "device_code", "d" + strings.Repeat("A", 64), "invalid_grant"},
		"for a device with a code in another case":       {deviceType, "device_code", strings.ToUpper(device.Handle), "invalid_grant"},
		"for a device with a code and a space":           {deviceType, "device_code", device.Handle + " ", "invalid_grant"},
		"without an auth_req_id":                         {cibaType, "auth_req_id", "", "invalid_request"},
		"for an authentication with a device_code":       {cibaType, "auth_req_id", device.Handle, "invalid_grant"},
		"for an authentication with its decision":        {cibaType, "auth_req_id", s.Decision("alice"), "invalid_grant"},
		"for an authentication with its letter replaced": {cibaType, "auth_req_id", "b" + s.Decision("alice")[1:], "invalid_grant"},
		"for an authentication with one of nobody's":     {cibaType, "auth_req_id", "b" + strings.Repeat("A", 64), "invalid_grant"},
	} {
		t.Run("a poll "+name+" is answered "+c.want, func(t *testing.T) {
			form := url.Values{"grant_type": {c.grantType}, c.parameter: {c.handle}}
			if got := s.Post(t.Context(), "/connect/token", "app", form); got.String() != c.want {
				t.Errorf("answered %v", got)
			}
		})
	}
	t.Run("a client keeps its secret back in vain", func(t *testing.T) {
		form := url.Values{"grant_type": {deviceType}, "device_code": {device.Handle}, "client_id": {"app"}}
		if got := s.Post(t.Context(), "/connect/token", "app", form); got.String() != "401 invalid_client" {
			t.Errorf("answered %v", got)
		}
	})
	t.Run("what decides on one decides nothing of the other", func(t *testing.T) {
		for _, decision := range []string{code, strings.ReplaceAll(code, "-", ""), device.Handle, ciba.Handle, "", "q" + strings.Repeat("A", 64)} {
			if err := s.CIBA.Approve(t.Context(), s.Endpoint, decision, store.Grant{Subject: "alice"}); why(err) != "unknown_handle" {
				t.Errorf("%q: %v", decision, err)
			}
		}
		for _, typed := range []string{device.Handle, ciba.Handle, s.Decision("alice")} {
			if _, err := s.Device.Find(t.Context(), s.Endpoint, grants.Visitor{Subject: "alice"}, typed); why(err) != "unknown_handle" {
				t.Errorf("%q: %v", typed, err)
			}
		}
		if err := s.CIBA.Approve(t.Context(), s.Endpoint, s.Decision("alice"), store.Grant{Subject: "mallory"}); err == nil {
			t.Error("somebody else than the one who was asked approved")
		}
		polls(t, ciba, "authorization_pending")
		polls(t, device, "authorization_pending")
	})
}
