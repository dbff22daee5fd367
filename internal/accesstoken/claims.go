// Package accesstoken reads access tokens that are JWTs (RFC 9068) and the answers of
// introspection endpoints (RFC 7662), which have the same claims. The token endpoint and
// the middleware in front of APIs use it alike.
package accesstoken

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

// Claims are those of an access token that mean something to whoever takes it. Those
// that are not there are zero.
type Claims struct {
	Issuer    string
	Subject   string
	ClientID  string
	ID        string // jti
	GrantID   string // of tokens that grantor issues: the family in its store
	Audience  []string
	Scopes    []string
	ExpiresAt time.Time
	NotBefore time.Time
	IssuedAt  time.Time

	Bound bool   // there is a cnf: the token is good with a proof alone
	JKT   string // of the cnf (RFC 9449 section 6.1)
	X5T   string // of the cnf, x5t#S256 (RFC 8705 section 3.1)

	All jose.Object     // every claim
	Raw json.RawMessage // the object as it was written
}

// MaxToken is how long a token may be, in octets: header fields have little more room.
const MaxToken = 16 << 10

var errClaims = errors.New("accesstoken: a claim has the wrong type")

// Parse takes a token apart that says it is an access token: a JWT whose typ is at+jwt
// (RFC 9068 section 4), so that no ID token or assertion is taken for one. Extensions
// that must be understood (RFC 7515 section 4.1.11) are not.
func Parse(parser *jose.Parser, token string) (*jose.Token, error) {
	if len(token) > MaxToken {
		return nil, errors.New("accesstoken: the token is longer than 16 KiB")
	}
	t, err := parser.Parse(token)
	if err != nil {
		return nil, err
	}
	if typ := strings.ToLower(t.Typ); typ != "at+jwt" && typ != "application/at+jwt" {
		return nil, errors.New("accesstoken: the typ of the JWT is not at+jwt")
	}
	if t.Crit {
		return nil, errors.New("accesstoken: the JWT has extensions that must be understood")
	}
	return t, nil
}

// Read reads the claims. An error says that one has another type than its
// specification gives it, or that it is not one JSON object.
func Read(payload []byte) (*Claims, error) {
	all, err := jose.ParseObject(payload)
	if err != nil {
		return nil, err
	}
	return read(all, payload)
}

func read(all jose.Object, raw []byte) (*Claims, error) {
	c := &Claims{All: all, Raw: raw}
	good := true
	for _, member := range [...]struct {
		name string
		into *string
	}{{"iss", &c.Issuer}, {"sub", &c.Subject}, {"client_id", &c.ClientID}, {"jti", &c.ID}, {"grant_id", &c.GrantID}} {
		var ok bool
		*member.into, ok = all.Text(member.name)
		good = good && ok
	}
	for _, member := range [...]struct {
		name string
		into *time.Time
	}{{"exp", &c.ExpiresAt}, {"nbf", &c.NotBefore}, {"iat", &c.IssuedAt}} {
		var ok bool
		*member.into, ok = all.Time(member.name)
		good = good && ok
	}
	scope, isText := all.Text("scope")
	c.Scopes = slices.DeleteFunc(strings.Split(scope, " "), func(s string) bool { return s == "" }) // RFC 6749 section 3.3
	var isList bool
	c.Audience, isList = all.Texts("aud")
	if !good || !isText || !isList {
		return nil, errClaims
	}
	if cnf := all.Raw("cnf"); cnf != "" && !c.readConfirmation(cnf) {
		return nil, errClaims
	}
	return c, nil
}

// readConfirmation reads the members of cnf that can be checked; others are ignored (RFC
// 7800 section 3.1). One that is there and no text, or empty, would look like none.
func (c *Claims) readConfirmation(raw string) bool {
	cnf, err := jose.ParseObject([]byte(raw))
	if err != nil {
		return false
	}
	c.Bound = true
	for _, member := range [...]struct {
		name string
		into *string
	}{{"jkt", &c.JKT}, {"x5t#S256", &c.X5T}} {
		value, _ := cnf.Text(member.name)
		if cnf.Has(member.name) && value == "" {
			return false
		}
		*member.into = value
	}
	return true
}
