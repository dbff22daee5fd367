package grants

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// AuthorizationCode is the authorization code grant (RFC 6749 section 4.1) with
// PKCE (RFC 7636). The service's own pages sign the user in and call Issue; the
// client redeems the code at the token endpoint, once.
type AuthorizationCode struct {
	// Lifetime is how long a code can be redeemed. Zero means a minute; more than
	// ten are cut to ten (RFC 6749 section 4.1.2).
	Lifetime time.Duration
}

// Code is what a code is issued for.
type Code struct {
	// Grant is what the user granted. ClientID and Subject are required, and
	// AuthTime wherever the user's sign-in is known. Scopes must be the client's;
	// none mean all its API scopes.
	Grant store.Grant

	// RedirectURI is where the code is sent, one that store.Client.AllowsRedirect.
	// Empty means that the request named none, and the client has registered one.
	RedirectURI string

	// CodeChallenge and CodeChallengeMethod are those of the request (RFC 7636
	// section 4.3).
	CodeChallenge       string
	CodeChallengeMethod string
}

// codeData is what is kept with a code beside its grant.
type codeData struct {
	RedirectURI string `json:"r"`
	Named       bool   `json:"n,omitempty"` // the request named the redirect URI, so the redemption must
	Challenge   string `json:"c,omitempty"`
	Method      string `json:"m,omitempty"`
}

const plain, s256 = "plain", "S256"

// GrantType returns authorization_code.
func (AuthorizationCode) GrantType() string { return "authorization_code" }

// Issue issues a code for the service's own pages, once the user has signed in and
// agreed. An error with the code invalid_request, unauthorized_client,
// invalid_scope or invalid_target is sent to the client by a redirect (RFC 6749
// section 4.1.2.1), unless its Reason is ReasonRedirectURI. That one, invalid_client
// and every other error are shown to the user: nobody has checked whose address
// RedirectURI is.
func (a AuthorizationCode) Issue(ctx context.Context, e *tokenendpoint.Endpoint, code Code) (string, error) {
	client, err := e.Client(ctx, code.Grant.ClientID)
	if err != nil {
		return "", err
	}
	data := codeData{RedirectURI: code.RedirectURI, Named: code.RedirectURI != "", Challenge: code.CodeChallenge, Method: code.CodeChallengeMethod}
	if !data.Named && len(client.RedirectURIs) == 1 {
		data.RedirectURI = client.RedirectURIs[0]
	}
	if !client.AllowsRedirect(data.RedirectURI) {
		return "", refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonRedirectURI, "the redirect_uri is not one of the client's")
	}
	if !slices.Contains(client.GrantTypes, a.GrantType()) {
		return "", refuse(tokenendpoint.UnauthorizedClient, tokenendpoint.ReasonGrantTypeNotAllowed, "the client may not use this grant type")
	}
	if err := checkChallenge(client, &data); err != nil {
		return "", err
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		return "", err
	}
	return e.Authorize(ctx, client, store.Record{Kind: store.KindCode, Grant: &code.Grant, Data: encoded}, a.lifetime())
}

func (a AuthorizationCode) lifetime() time.Duration {
	if a.Lifetime <= 0 {
		return time.Minute
	}
	return min(a.Lifetime, 10*time.Minute)
}

// Validate redeems a code. Everything is checked before it is spent, so a request
// that is wrong changes nothing. One that would have been right, had the code not
// been spent, revokes what came of it (section 4.1.2).
func (a AuthorizationCode) Validate(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	code, verifier := req.Form.Get("code"), req.Form.Get("code_verifier")
	if code == "" {
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMissingParameter, "code is missing")
	}
	if verifier != "" && !isVerifier(verifier) {
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonVerifierSyntax, "the code_verifier is malformed")
	}
	record, err := req.Find(ctx, store.KindCode, code)
	if err != nil {
		return nil, err
	}
	var data codeData
	if err := json.Unmarshal(record.Data, &data); err != nil {
		return nil, &tokenendpoint.Error{Code: tokenendpoint.ServerError, Reason: tokenendpoint.ReasonCorrupt,
			Cause: fmt.Errorf("the data of the code %s of family %s are not JSON", record.Key.Hash, record.Key.Family)}
	}
	if redirect := req.Form.Get("redirect_uri"); redirect != data.RedirectURI && (redirect != "" || data.Named) {
		return nil, refuse(tokenendpoint.InvalidGrant, tokenendpoint.ReasonRedirectURI, "the redirect_uri is not that of the authorization request")
	}
	if err := checkVerifier(req.Client, &data, verifier); err != nil {
		return nil, err
	}
	if !record.SpentAt.IsZero() {
		return nil, reused()
	}
	return &tokenendpoint.Result{Spend: record}, nil
}

// checkChallenge holds RFC 7636 section 4.4.1: S256, unless the client has a
// legacy switch.
func checkChallenge(client *store.Client, data *codeData) error {
	switch {
	case data.Challenge == "" && data.Method != "":
		return refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonVerifier, "code_challenge is missing")
	case data.Challenge == "" && client.LegacyNoPKCE && !client.Allows(store.NoAuth):
		return nil
	case data.Challenge == "":
		return refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonVerifier, "code_challenge is missing")
	case data.Method == s256 && len(data.Challenge) == 43 && isVerifier(data.Challenge):
		return nil
	case data.Method == s256:
		return refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonVerifierSyntax, "the code_challenge is malformed")
	case !client.LegacyPlainPKCE || data.Method != "" && data.Method != plain:
		return refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonVerifier, "code_challenge_method must be S256")
	case !isVerifier(data.Challenge):
		return refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonVerifierSyntax, "the code_challenge is malformed")
	}
	data.Method = plain // what a request means that names none (section 4.3)
	return nil
}

// checkVerifier holds RFC 7636 section 4.6, by the method that was kept.
func checkVerifier(client *store.Client, data *codeData, verifier string) error {
	if data.Challenge == "" {
		if verifier != "" { // OAuth 2.1 section 3.2.4: against a downgrade
			return refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonVerifierSyntax, "there was no code_challenge for the code_verifier")
		}
		if !client.LegacyNoPKCE {
			return refuse(tokenendpoint.InvalidGrant, tokenendpoint.ReasonVerifier, "the code has no code_challenge")
		}
		return nil
	}
	answer := verifier
	if data.Method == s256 {
		sum := sha256.Sum256([]byte(verifier))
		answer = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if verifier == "" || subtle.ConstantTimeCompare([]byte(answer), []byte(data.Challenge)) != 1 {
		return refuse(tokenendpoint.InvalidGrant, tokenendpoint.ReasonVerifier, "the code_verifier is not that of the code_challenge")
	}
	return nil
}

// isVerifier holds the grammar of RFC 7636 section 4.1.
func isVerifier(s string) bool {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	return len(s) >= 43 && len(s) <= 128 && strings.Trim(s, unreserved) == ""
}

// reused is the answer to whoever redeems what was redeemed already: one of the
// two is not the client.
func reused() error {
	return &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Reason: tokenendpoint.ReasonReused,
		Description: "the grant was redeemed already", Revoke: true}
}

func refuse(code tokenendpoint.ErrorCode, reason tokenendpoint.Reason, description string) error {
	return &tokenendpoint.Error{Code: code, Reason: reason, Description: description}
}
