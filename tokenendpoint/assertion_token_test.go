package tokenendpoint_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// 10070-4-06, X-JOSE-05: a token that was made for something else is no assertion.
func TestTypesOfAssertions(t *testing.T) {
	s := newAssertionShop(t)
	var cases []assertionCase
	for _, typ := range []string{"JWT", "jwt", "client-authentication+jwt", "Client-Authentication+JWT", "application/jwt", "Application/JWT", "application/client-authentication+jwt"} {
		cases = append(cases, assertionCase{"the typ " + typ + " is accepted", withHeader("typ", typ), ""})
	}
	for _, typ := range []string{
		"at+jwt", "dpop+jwt", "AT+JWT", "application/at+jwt", "secevent+jwt", "logout+jwt", "oauth-authz-req+jwt", "token-introspection+jwt",
		"entity-statement+jwt", "JOSE", "jwt ", " jwt", "text/jwt", "application/", "client-authentication+jwtx",
	} {
		cases = append(cases, assertionCase{"the typ " + typ + " is refused", withHeader("typ", typ), malformedJWT})
	}
	s.try(assertionES256(), append(cases,
		assertionCase{"no typ is accepted", nil, ""},
		assertionCase{"a typ that is a number is refused", withHeader("typ", 1), malformedJWT},
	))
}

// X-JOSE-03, X-JOSE-06, 7523-3-08
func TestHeadersOfAssertions(t *testing.T) {
	s := newAssertionShop(t)
	s.try(assertionES256(), []assertionCase{
		{"an extension that must be understood is refused", func(header, _ jwtObject) { header["crit"], header["x"] = []string{"x"}, 1 }, unsignedJWT},
		{"an extension that must be understood and is not there is refused", withHeader("crit", []string{"exp"}), unsignedJWT},
		{"b64 is refused", func(header, _ jwtObject) { header["crit"], header["b64"] = []string{"b64"}, true }, unsignedJWT},
		{"an empty crit is refused", withHeader("crit", []string{}), unsignedJWT},
		{"a crit that is null is refused", withHeader("crit", jwtNull), unsignedJWT},
		{"an extension that need not be understood is accepted", withHeader("x", 1), ""},
		{"an alg that is a number is refused", withHeader("alg", 1), malformedJWT},
		{"an alg that is an array is refused", withHeader("alg", []string{"ES256"}), malformedJWT},
		{"a kid that is a number is refused", withHeader("kid", 1), malformedJWT},
		{"a header over 4 KiB is refused", withHeader("x", strings.Repeat("x", 4<<10)), malformedJWT},
		{"a header of less than that is accepted", withHeader("x", strings.Repeat("x", 3<<10)), ""},
	})
}

// 7523-2.2-01, X-JOSE-06: JSON and base64url that two readers could read in two ways.
func TestFormOfAssertions(t *testing.T) {
	a := assertionES256()
	headerObject, claimsObject := a.parts()
	h, c := assertionJSON(headerObject), assertionJSON(claimsObject)
	good := a.sign(h, c)
	parts := strings.Split(good, ".")
	nested := func(depth int) string {
		return c[:len(c)-1] + `,"deep":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}"
	}
	tests := map[string]struct {
		token  string
		reason tokenendpoint.Reason
	}{
		"two JWTs are":                          {good + " " + good, malformedJWT},
		"two JWTs with a comma are":             {good + "," + good, malformedJWT},
		"an array of JWTs is":                   {`["` + good + `"]`, malformedJWT},
		"a space before it is":                  {" " + good, malformedJWT},
		"a space behind it is":                  {good + " ", malformedJWT},
		"a line break before it is":             {"\n" + good, malformedJWT},
		"a line break behind it is":             {good + "\n", malformedJWT},
		"a line break within the claims is":     {parts[0] + "." + parts[1][:8] + "\r\n" + parts[1][8:] + "." + parts[2], malformedJWT},
		"a line break within the header is":     {parts[0][:8] + "\n" + parts[0][8:] + "." + parts[1] + "." + parts[2], malformedJWT},
		"padding of the claims is":              {parts[0] + "." + parts[1] + "=." + parts[2], malformedJWT},
		"padding of the signature is":           {good + "==", malformedJWT},
		"base64 that is not base64url is":       {parts[0] + "." + base64.RawStdEncoding.EncodeToString([]byte(c+`   ???`)) + "." + parts[2], malformedJWT},
		"two parts are":                         {parts[0] + "." + parts[1], malformedJWT},
		"four parts are":                        {good + "." + parts[2], malformedJWT},
		"five parts, as of JWE, are":            {good + ".a.b", malformedJWT},
		"only dots are":                         {"..", malformedJWT},
		"a word is":                             {"hello", malformedJWT},
		"JWS JSON is":                           {`{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`, malformedJWT},
		"a header that stands for two is":       {a.sign(`{"alg":"ES256","alg":"ES256"}`, c), malformedJWT},
		"a header with alg and ALG is":          {a.sign(`{"alg":"ES256","ALG":"none"}`, c), malformedJWT},
		"a sub that stands there twice is":      {a.sign(h, `{"sub":"other",`+c[1:]), malformedJWT},
		"an aud that stands there twice is":     {a.sign(h, `{"aud":"https://other.example",`+c[1:]), malformedJWT},
		"a name that stands twice deep down is": {a.sign(h, c[:len(c)-1]+`,"x":[{"a":1,"a":2}]}`), malformedJWT},
		"claims with text behind them are":      {a.sign(h, c+"x"), malformedJWT},
		"claims with others behind them are":    {a.sign(h, c+c), malformedJWT},
		"claims that are an array are":          {a.sign(h, "["+c+"]"), malformedJWT},
		"claims that are a string are":          {a.sign(h, `"`+parts[1]+`"`), malformedJWT},
		"claims that are null are":              {a.sign(h, "null"), malformedJWT},
		"claims that are nothing are":           {a.sign(h, ""), malformedJWT},
		"claims that are cut are":               {a.sign(h, c[:len(c)-1]), malformedJWT},
		"claims with a byte order mark are":     {a.sign(h, "\ufeff"+c), malformedJWT},
		"claims that are not UTF-8 are":         {a.sign(h, c[:len(c)-1]+",\"x\":\"\xff\"}"), malformedJWT},
		"claims that are a JWT are":             {a.sign(h, good), malformedJWT},
		"claims with NaN are":                   {a.sign(h, c[:len(c)-1]+`,"nbf":NaN}`), malformedJWT},
		"claims 32 deep are":                    {a.sign(h, nested(32)), malformedJWT},
		"claims of 5,000 depths are":            {a.sign(h, nested(5_000)), malformedJWT},
		"claims cut 2,000 deep are":             {a.sign(h, strings.Repeat(`{"a":`, 2_000)), malformedJWT},
		"a header of 500 depths is":             {a.sign(h[:len(h)-1]+`,"x":`+strings.Repeat("[", 500)+strings.Repeat("]", 500)+"}", c), malformedJWT},
	}
	for name, test := range tests {
		t.Run(name+" refused", func(t *testing.T) {
			s := newAssertionShop(t)
			s.want(s.assert(test.token), test.reason)
			if s.replays.used() != 0 {
				t.Error("a jti was used up")
			}
		})
	}
	t.Run("claims 31 deep are accepted", func(t *testing.T) {
		s := newAssertionShop(t)
		s.want(s.assert(a.sign(h, nested(31))), tokenendpoint.ReasonIssued)
	})
	t.Run("claims between spaces are accepted", func(t *testing.T) {
		s := newAssertionShop(t)
		s.want(s.assert(a.sign(h, " \r\n\t"+c+"\n")), tokenendpoint.ReasonIssued)
	})
	t.Run("16 KiB are accepted, and one octet more is not read", func(t *testing.T) {
		s := newAssertionShop(t)
		const limit = 16 << 10
		filler := (limit - len(good)) / 4 * 3
		longest := a.sign(h, c[:len(c)-1]+`,"x":"`+strings.Repeat("x", filler-9)+`"}`)
		if len(longest) > limit || len(longest) < limit-16 {
			t.Fatalf("%d octets", len(longest))
		}
		s.want(s.assert(longest), tokenendpoint.ReasonIssued)
		answer := s.assert(longest + strings.Repeat("x", limit+1-len(longest)))
		if answer.status != 400 || answer.event.Reason != tokenendpoint.ReasonParameterTooLong {
			t.Errorf("answered %v for %q", answer, answer.event.Reason)
		}
	})
}

// 7521-4.2-01, 7521-4.2-02, 10070-3-01
func TestParametersOfAssertions(t *testing.T) {
	s := newAssertionShop(t)
	a := assertionES256()
	s.register("other", a.jwks())
	for _, c := range []struct {
		name       string
		parameters []string
		reason     tokenendpoint.Reason
	}{
		{"the client_id beside it may be there", []string{"client_id", "reports"}, tokenendpoint.ReasonIssued},
		{"an empty client_id is none", []string{"client_id", ""}, tokenendpoint.ReasonIssued},
		{"the client_id of another client is refused", []string{"client_id", "other"}, tokenendpoint.ReasonClientIDMismatch},
		{"a client_id that differs by case is refused", []string{"client_id", "Reports"}, tokenendpoint.ReasonClientIDMismatch},
		{"without its type it is refused", []string{"client_assertion_type", ""}, tokenendpoint.ReasonUnsupportedAuthMethod},
		{"a SAML assertion is refused", []string{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, tokenendpoint.ReasonUnsupportedAuthMethod},
		{"the type in capitals is refused", []string{"client_assertion_type", strings.ToUpper(assertionType)}, tokenendpoint.ReasonUnsupportedAuthMethod},
		{"a type with a slash is refused", []string{"client_assertion_type", assertionType + "/"}, tokenendpoint.ReasonUnsupportedAuthMethod},
		{"the type alone is refused", []string{"client_assertion", ""}, malformedJWT},
		{"the type alone with a client_id is refused", []string{"client_assertion", "", "client_id", "reports"}, malformedJWT},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			s.want(s.assert(a.token(), c.parameters...), c.reason)
		})
	}
	t.Run("an assertion twice is refused", func(t *testing.T) {
		form := deskForm("client_credentials", []string{"client_assertion_type", assertionType})
		form["client_assertion"] = []string{a.token(), a.token()}
		if answer := s.post("/connect/token", form); answer.status != 400 || answer.event.Reason != tokenendpoint.ReasonRepeatedParameter {
			t.Errorf("answered %v for %q", answer, answer.event.Reason)
		}
	})
	t.Run("an assertion in the query is refused", func(t *testing.T) {
		for _, query := range []string{"client_assertion=" + a.token(), "client_assertion_type=" + assertionType} {
			answer := s.post("/connect/token?"+query, deskForm("client_credentials", []string{"client_assertion_type", assertionType, "client_assertion", a.token()}))
			if answer.status != 400 || answer.event.Reason != tokenendpoint.ReasonQueryParameter {
				t.Errorf("answered %v for %q", answer, answer.event.Reason)
			}
		}
	})
}
