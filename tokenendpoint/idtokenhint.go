package tokenendpoint

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

// IDTokenHint returns the subject of an ID token that this issuer gave to a client,
// which sends it back to say whom it means (OpenID Connect Core section 3.1.2.1, CIBA
// section 7.1). It may have expired; a key that is published no longer verifies
// nothing. It proves nothing about who sent it. The error is invalid_request, or an
// outage.
func (e *Endpoint) IDTokenHint(ctx context.Context, clientID, token string) (subject string, err error) {
	refused := reject(InvalidRequest, ReasonMalformedHint, "the id_token_hint is not an ID token for this client")
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	set, err := e.keys.load(ctx)
	if err != nil {
		return "", err
	}
	t, err := jose.Parse(token)
	if err != nil || set.verify(e.config.Now(), t) != nil {
		return "", refused
	}
	var hint struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"` // as idToken writes it
	}
	if t.Typ != "JWT" || json.Unmarshal(t.Payload, &hint) != nil || hint.Issuer != e.config.Issuer || hint.Audience != clientID || hint.Subject == "" {
		return "", refused // an access token is no ID token: its typ is at+jwt
	}
	return hint.Subject, nil
}

// verify returns nil if one of the published keys signed the token.
func (s *keySet) verify(now time.Time, token *jose.Token) error {
	for i := range s.prepared {
		key := &s.prepared[i]
		if key.ID == token.Kid && key.published(now) {
			return key.verifies.Verify(token)
		}
	}
	return errors.New("no published key has this kid")
}
