package tokenendpoint

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/store"
)

// credentials is what a request says about its client, not yet believed.
type credentials struct {
	clientID string
	secret   string
	method   store.AuthMethod

	assertion *jose.Token // of private_key_jwt and client_secret_jwt
	claims    *assertion  // of it
}

const maxBasic = 4096 // octets of an Authorization header: two escaped halves of 512

// takeCredentials finds the client's credentials in the Authorization header
// lines and the form, and takes the secret ones out of the form. A request uses
// one method of authentication (RFC 6749 section 2.3). assertions says whether any are
// verified here.
func takeCredentials(authorization []string, form url.Values, assertions bool) (credentials, error) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	assertion, assertionType := form.Get("client_assertion"), form.Get("client_assertion_type")
	asserts := assertion != "" || assertionType != ""
	form.Del("client_secret")
	form.Del("client_assertion")
	form.Del("client_assertion_type")

	methods := len(authorization)
	if secret != "" {
		methods++
	}
	if asserts {
		methods++
	}
	if methods > 1 || len(authorization) == 1 && strings.Contains(authorization[0], ",") { // a joined list
		return credentials{}, reject(InvalidRequest, ReasonSeveralMethods, "the request has more than one client authentication")
	}
	if !isVSCHAR(id) || !isVSCHAR(secret) {
		return credentials{}, reject(InvalidRequest, ReasonMalformedForm, "a parameter holds invalid characters")
	}

	switch {
	case len(authorization) == 1:
		basic, err := parseBasic(authorization[0])
		if err != nil {
			return credentials{}, err
		}
		if id != "" && id != basic.clientID {
			return credentials{}, reject(InvalidRequest, ReasonClientIDMismatch, "header and body name different clients")
		}
		return basic, nil
	case asserts && !assertions:
		return credentials{}, reject(InvalidClient, ReasonUnsupportedAuthMethod, authenticationFailed)
	case asserts:
		return parseAssertion(assertionType, assertion, id)
	case id == "":
		return credentials{}, reject(InvalidClient, ReasonMissingClientID, "client_id is missing")
	case secret != "":
		return credentials{clientID: id, secret: secret, method: store.ClientSecretPost}, nil
	default:
		return credentials{clientID: id, method: store.NoAuth}, nil
	}
}

var errMalformedBasic = reject(InvalidClient, ReasonMalformedCredentials, "the Authorization header is malformed")

// parseBasic reads an Authorization header: base64, split at the first colon
// (RFC 7617 section 2), each half form-decoded (RFC 6749 section 2.3.1). A
// secret that was not form-encoded is therefore read wrongly if it holds a plus
// or percent sign. An empty secret is how some clients say that they have none.
func parseBasic(header string) (credentials, error) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if strings.ToLower(scheme) != "basic" { // EqualFold would fold other letters into s
		return credentials{}, reject(InvalidClient, ReasonUnsupportedAuthMethod, authenticationFailed)
	}
	if len(encoded) > maxBasic {
		return credentials{}, errMalformedBasic
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(strings.TrimLeft(encoded, " "))
	if err != nil {
		return credentials{}, errMalformedBasic
	}
	user, password, found := strings.Cut(string(decoded), ":")
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	if !found || errID != nil || errSecret != nil || id == "" || !isVSCHAR(id) || !isVSCHAR(secret) ||
		len(id) > maxLength["client_id"] || len(secret) > maxLength["client_secret"] {
		return credentials{}, errMalformedBasic
	}
	if secret == "" {
		return credentials{clientID: id, method: store.NoAuth}, nil
	}
	return credentials{clientID: id, secret: secret, method: store.ClientSecretBasic}, nil
}
