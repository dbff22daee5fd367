package tokenendpoint_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// hintSource provides keys that a test changes.
type hintSource struct {
	keys []tokenendpoint.Key
	err  error
}

func (s *hintSource) Keys(context.Context) ([]tokenendpoint.Key, error) { return s.keys, s.err }

// newHintDesk has k1, which signs, and the ID token of alice at web.
func newHintDesk(t *testing.T) (d *desk, source *hintSource, token string) {
	t.Helper()
	source = &hintSource{keys: []tokenendpoint.Key{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}}}
	d = newDesk(t, func(config *tokenendpoint.Config) { config.Keys = source })
	token, _ = d.signIn("web").members["id_token"].(string)
	if token == "" {
		t.Fatal("there is no ID token")
	}
	return d, source, token
}

// hintSigned signs a header and claims by ES256 with k1.
func hintSigned(t *testing.T, key *ecdsa.PrivateKey, header, claims string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

const (
	hintHeader = `{"alg":"ES256","kid":"k1","typ":"JWT"}`
	hintClaims = `{"iss":"https://shop.example","sub":"alice","aud":"web"}`
)

// CIBA-7.2-02
func TestAnIDTokenHintSaysWhomTheClientMeans(t *testing.T) {
	accepted := func(t *testing.T, d *desk, client, token string) {
		t.Helper()
		if subject, err := d.endpoint.IDTokenHint(t.Context(), client, token); subject != "alice" || err != nil {
			t.Errorf("%q, %v", subject, err)
		}
	}
	t.Run("of the client that it was given to", func(t *testing.T) {
		d, _, token := newHintDesk(t)
		accepted(t, d, "web", token)
	})
	t.Run("also when it has expired", func(t *testing.T) {
		d, _, token := newHintDesk(t)
		d.clock.Advance(1000 * time.Hour)
		accepted(t, d, "web", token)
	})
	t.Run("as long as its key is published, whichever key signs now", func(t *testing.T) {
		d, source, token := newHintDesk(t)
		end := d.clock.Now().Add(time.Hour)
		source.keys = []tokenendpoint.Key{
			keysOf("k2", tokenendpoint.ES256, nil, nil, nil),
			{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey(), SignUntil: d.clock.Now(), PublishUntil: end},
		}
		accepted(t, d, "web", token)
		d.clock.Set(end.Add(-time.Nanosecond))
		accepted(t, d, "web", token)
		d.clock.Set(end)
		hintRefused(t, d, "web", token)
	})
	t.Run("as it is written by hand", func(t *testing.T) { // so that what is refused below is refused for its one fault
		d, _, _ := newHintDesk(t)
		accepted(t, d, "web", hintSigned(t, trialKey(), hintHeader, hintClaims))
	})
}

func hintRefused(t *testing.T, d *desk, client, token string) {
	t.Helper()
	subject, err := d.endpoint.IDTokenHint(t.Context(), client, token)
	var refusal *tokenendpoint.Error
	if !errors.As(err, &refusal) || refusal.Code != tokenendpoint.InvalidRequest || refusal.Reason != tokenendpoint.ReasonMalformedHint || subject != "" {
		t.Errorf("%q, %v, want invalid_request", subject, err)
	}
	if len(token) > 8 && err != nil && strings.Contains(err.Error(), token) {
		t.Errorf("the token is in the error %v", err)
	}
}

func TestWhatIsNoIDTokenHint(t *testing.T) {
	t.Run("An ID token of another client is refused", func(t *testing.T) {
		d, _, token := newHintDesk(t)
		hintRefused(t, d, "till", token)
		hintRefused(t, d, "WEB", token)
		hintRefused(t, d, "", token)
	})
	t.Run("An access token of the same client is refused", func(t *testing.T) {
		d, _, _ := newHintDesk(t)
		access, _ := d.signIn("web").members["access_token"].(string)
		hintRefused(t, d, "web", access)
	})
	t.Run("A token of a key that was taken away is refused", func(t *testing.T) {
		d, source, token := newHintDesk(t)
		source.keys = []tokenendpoint.Key{keysOf("k2", tokenendpoint.ES256, nil, nil, nil)}
		hintRefused(t, d, "web", token)
		source.keys = []tokenendpoint.Key{keysOf("k1", tokenendpoint.ES256, nil, nil, nil)} // the same name, another key
		hintRefused(t, d, "web", token)
	})
	t.Run("A token with any octet altered is refused", func(t *testing.T) {
		d, _, token := newHintDesk(t)
		for i := range token {
			altered := []byte(token)
			if altered[i] = 'A'; token[i] == 'A' {
				altered[i] = 'B'
			}
			hintRefused(t, d, "web", string(altered))
		}
	})
	for name, parts := range map[string][2]string{
		"of another issuer":          {hintHeader, `{"iss":"https://other.example","sub":"alice","aud":"web"}`},
		"of the issuer with a slash": {hintHeader, `{"iss":"https://shop.example/","sub":"alice","aud":"web"}`},
		"without an issuer":          {hintHeader, `{"sub":"alice","aud":"web"}`},
		"without a subject":          {hintHeader, `{"iss":"https://shop.example","aud":"web"}`},
		"with an empty subject":      {hintHeader, `{"iss":"https://shop.example","sub":"","aud":"web"}`},
		"without an audience":        {hintHeader, `{"iss":"https://shop.example","sub":"alice"}`},
		"for several":                {hintHeader, `{"iss":"https://shop.example","sub":"alice","aud":["web","till"]}`},
		"with the typ at+jwt":        {`{"alg":"ES256","kid":"k1","typ":"at+jwt"}`, hintClaims},
		"with the typ logout+jwt":    {`{"alg":"ES256","kid":"k1","typ":"logout+jwt"}`, hintClaims},
		"without a typ":              {`{"alg":"ES256","kid":"k1"}`, hintClaims},
		"without a kid":              {`{"alg":"ES256","typ":"JWT"}`, hintClaims},
		"with another kid":           {`{"alg":"ES256","kid":"k2","typ":"JWT"}`, hintClaims},
		"with another alg":           {`{"alg":"ES384","kid":"k1","typ":"JWT"}`, hintClaims},
		"with the alg none":          {`{"alg":"none","kid":"k1","typ":"JWT"}`, hintClaims},
		"with an extension":          {`{"alg":"ES256","kid":"k1","typ":"JWT","crit":["b64"],"b64":false}`, hintClaims},
		"whose claims are a list":    {hintHeader, `["alice"]`},
		"whose claims are no JSON":   {hintHeader, `alice`},
		"whose subject is a number":  {hintHeader, `{"iss":"https://shop.example","sub":7,"aud":"web"}`},
	} {
		t.Run("A token "+name+" is refused, well signed as it is", func(t *testing.T) {
			d, _, _ := newHintDesk(t)
			hintRefused(t, d, "web", hintSigned(t, trialKey(), parts[0], parts[1]))
		})
	}
	t.Run("What is no token is refused", func(t *testing.T) {
		d, _, token := newHintDesk(t)
		parts := strings.Split(token, ".")
		for _, other := range []string{"", ".", "..", "...", "alice", parts[0], parts[0] + "." + parts[1], parts[0] + "." + parts[1] + ".", token + ".", token + "." + parts[2], " " + token, token + "\n", token + "=="} {
			hintRefused(t, d, "web", other)
		}
	})
	t.Run("Keys that cannot be had are an outage", func(t *testing.T) {
		d, source, token := newHintDesk(t)
		source.err = errRecordsCanary
		_, err := d.endpoint.IDTokenHint(t.Context(), "web", token)
		var refusal *tokenendpoint.Error
		if !errors.As(err, &refusal) || refusal.Code != tokenendpoint.TemporarilyUnavailable || refusal.Reason != tokenendpoint.ReasonKeysUnavailable {
			t.Errorf("%v, want an outage", err)
		}
	})
}
