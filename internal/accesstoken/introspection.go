package accesstoken

import (
	"errors"
	"strings"

	"github.com/grantor-go/grantor/internal/jose"
)

var errIntrospection = errors.New("accesstoken: not an introspection response: a JSON object whose member active is a boolean")

// ReadIntrospection reads an introspection response (RFC 7662 section 2.2). Of a token
// that is not active nothing is said, and claims is nil. An error says that the answer
// is none, so that nothing is known of the token.
func ReadIntrospection(body []byte) (claims *Claims, active bool, err error) {
	all, err := jose.ParseObject(body)
	if err != nil {
		return nil, false, errIntrospection
	}
	switch all.Raw("active") {
	case "true":
		claims, err = read(all, body)
		if err != nil {
			return nil, false, err
		}
		tokenType, _ := all.Text("token_type")
		if strings.EqualFold(tokenType, "DPoP") && claims.JKT == "" { // RFC 9449 section 6.2: bound, and not to what
			claims.Bound, claims.X5T = true, ""
		}
		return claims, true, nil
	case "false":
		return nil, false, nil
	}
	return nil, false, errIntrospection
}
