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
	header, err := jose.ParseHeader(token)
	if err != nil {
		return "", refused
	}
	claims, err := set.verify(e.config.Now(), header, token)
	if err != nil {
		return "", refused
	}
	var hint struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"` // as idToken writes it
	}
	if header.Typ != "JWT" || json.Unmarshal(claims, &hint) != nil || hint.Issuer != e.config.Issuer || hint.Audience != clientID || hint.Subject == "" {
		return "", refused // an access token is no ID token: its typ is at+jwt
	}
	return hint.Subject, nil
}

// verify returns the claims of a token that one of the published keys signed.
func (s *keySet) verify(now time.Time, header jose.Header, token string) ([]byte, error) {
	for i := range s.prepared {
		key := &s.prepared[i]
		if key.ID == header.Kid && key.published(now) {
			return jose.Verify(string(key.Alg), key.verifies, token)
		}
	}
	return nil, errors.New("no published key has this kid")
}
