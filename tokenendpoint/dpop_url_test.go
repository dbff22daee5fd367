package tokenendpoint_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// 9449-4.3-10: the URL that counts is the configured one. What a caller or a proxy says
// of the host makes no proof good and none bad.
func TestTheConfiguredURLCounts(t *testing.T) {
	evil := http.Header{
		"Host": {"evil.example"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {"8443"},
		"X-Forwarded-Prefix": {"/evil"}, "X-Original-Url": {"/evil"}, "X-Rewrite-Url": {"/evil"}, "X-Forwarded-Server": {"evil.example"},
		"Forwarded": {`host=evil.example;proto=http`}, "X-Url-Scheme": {"http"},
	}
	form := deskForm("client_credentials", nil)
	t.Run("other headers do not spoil a good proof", func(t *testing.T) {
		d := newDPoPDesk(t)
		headers := evil.Clone()
		headers.Set("DPoP", d.key.proof())
		d.issued(d.post("/connect/token", "web", form, headers), d.key.jkt())
	})
	for _, htu := range []string{
		"https://evil.example/connect/token", "http://evil.example/connect/token", "https://evil.example:8443/connect/token",
		"http://shop.example/connect/token", "https://shop.example/evil", "https://shop.example/evil/connect/token", "https://shop.example:8443/connect/token",
	} {
		t.Run("other headers do not make a proof for "+htu+" good", func(t *testing.T) {
			d := newDPoPDesk(t)
			headers := evil.Clone()
			headers.Set("DPoP", d.key.proof(withClaim("htu", htu)))
			d.refused(d.post("/connect/token", "web", form, headers), "invalid_dpop_proof", "dpop_htu")
		})
	}
}

// 9449-4.3-08, 9449-4.3-09, and 47 of what is commonly got wrong: URLs that are the same
// are the same in all their spellings.
func TestTheURLOfAProof(t *testing.T) {
	for _, endpoint := range []struct {
		name, issuer, path string // path is Paths.Token
		good, bad          []string
	}{
		{"at the root", "https://shop.example", "",
			[]string{
				"https://shop.example/connect/token", "HTTPS://SHOP.Example/connect/token", "https://shop.example:443/connect/token", "https://shop.example:/connect/token",
				"https://shop.example/connect/%74oken", "https://shop.example/%63onnect/token", "https://shop.example/connect/./token", "https://shop.example/x/../connect/token",
				"https://shop.example/connect/token?x=y", "https://shop.example/connect/token#y", "https://shop.example/connect/token?x#y", "https://shop.example/connect/token?",
			}, []string{
				"https://shop.example/Connect/token", "https://shop.example/connect/token/", "https://shop.example/connect%2Ftoken", "https://shop.example//connect/token",
				"https://shop.example", "https://shop.example:80/connect/token", "http://shop.example/connect/token", "http://shop.example:443/connect/token",
				"https://shop.example/connect/par", "https://shop.example.evil.example/connect/token", "https://a@shop.example/connect/token",
				"https://evil.example?https://shop.example/connect/token", "https://evil.example#https://shop.example/connect/token",
				"/connect/token", "//shop.example/connect/token", "shop.example/connect/token", "https:///connect/token", "https://shop.example/connect/token ", "https://shop.example\\connect/token",
			}},
		{"of an issuer with a path", "https://shop.example/tenants/a-1", "",
			[]string{"https://shop.example/tenants/a-1/connect/token", "https://SHOP.example:443/%74enants/a%2d1/connect/token?x"},
			[]string{"https://shop.example/connect/token", "https://shop.example/tenants/a-2/connect/token", "https://shop.example/tenants/A-1/connect/token", "https://shop.example/tenants/a-1"}},
		{"of an issuer that ends in a slash", "https://shop.example/", "",
			[]string{"https://shop.example/connect/token"}, []string{"https://shop.example//connect/token"}},
		{"at a path of its own", "https://shop.example", "/oauth/token~1",
			[]string{"https://shop.example/oauth/token~1", "https://shop.example/oauth/token%7E1", "https://shop.example/oauth/token%7e1"},
			[]string{"https://shop.example/connect/token", "https://shop.example/oauth/token1"}},
		{"of an issuer with a port", "https://shop.example:8443", "",
			[]string{"https://shop.example:8443/connect/token"}, []string{"https://shop.example/connect/token", "https://shop.example:443/connect/token"}},
		{"of an issuer on a loopback host", "http://127.0.0.1", "",
			[]string{"http://127.0.0.1:80/connect/token", "http://127.0.0.1/connect/token"}, []string{"https://127.0.0.1/connect/token", "http://localhost/connect/token"}},
	} {
		d := newDPoPDesk(t, func(c *tokenendpoint.Config) { c.Issuer, c.Paths.Token = endpoint.issuer, endpoint.path })
		at, err := url.Parse(endpoint.good[0])
		if err != nil {
			t.Fatal(err)
		}
		send := func(htu string) dpopAnswer {
			return d.post(at.Path, "web", deskForm("client_credentials", nil), http.Header{"Dpop": {d.key.proof(withClaim("htu", htu))}})
		}
		for _, htu := range endpoint.good {
			t.Run("the endpoint "+endpoint.name+" is meant by "+htu, func(t *testing.T) {
				d.t = t
				d.issued(send(htu), d.key.jkt())
			})
		}
		for _, htu := range endpoint.bad {
			t.Run("the endpoint "+endpoint.name+" is not meant by "+htu, func(t *testing.T) {
				d.t = t
				d.refused(send(htu), "invalid_dpop_proof", "dpop_htu")
			})
		}
	}
}

// 9449-4.3-10: where clients use certificates they know the endpoint by another URL.
func TestTheURLForCertificatesIsMeantToo(t *testing.T) {
	d := newDPoPDesk(t, func(c *tokenendpoint.Config) {
		c.MTLSURL, c.ClientCertificate = "https://mtls.shop.example", certificateOf
	})
	for htu, good := range map[string]bool{
		"https://mtls.shop.example/connect/token": true, "https://MTLS.shop.example:443/connect/token": true, dpopTokenURL: true,
		"https://mtls.shop.example/connect/par": false, "https://mtls.shop.example": false, "https://evil.example/connect/token": false,
	} {
		t.Run("a proof for "+htu+" is judged", func(t *testing.T) {
			d.t = t
			answer := d.send("web", deskForm("client_credentials", nil), d.key.proof(withClaim("htu", htu)))
			if good {
				d.issued(answer, d.key.jkt())
				return
			}
			d.refused(answer, "invalid_dpop_proof", "dpop_htu")
		})
	}
	t.Run("a proof for it is judged in every other way", func(t *testing.T) {
		d.t = t
		at := withClaim("htu", "https://mtls.shop.example/connect/token")
		d.refused(d.send("web", deskForm("client_credentials", nil), d.key.proof(at, d.key.at("iat", -time.Hour))), "invalid_dpop_proof", "dpop_too_old")
		d.refused(d.send("web", deskForm("client_credentials", nil), d.key.proof(at, withClaim("htm", "GET"))), "invalid_dpop_proof", "dpop_htm")
	})
}
