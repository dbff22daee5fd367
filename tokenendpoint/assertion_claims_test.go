package tokenendpoint_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

const (
	malformedJWT  = tokenendpoint.ReasonMalformedAssertion
	unsignedJWT   = tokenendpoint.ReasonAssertionSignature
	otherAudience = tokenendpoint.ReasonAssertionAudience
	untimelyJWT   = tokenendpoint.ReasonAssertionTime
)

// 7521-5.2-01, 7523-3-01, 7523-3-02, OIDC-9-01, X-JOSE-06
func TestClaimsOfAssertions(t *testing.T) {
	s := newAssertionShop(t)
	s.register("other", assertionES256().jwks())
	s.try(assertionES256(), []assertionCase{
		{"an assertion with the claims that are asked for is accepted", nil, ""},
		{"claims that nobody knows change nothing", withClaim("colour", []any{"red", nil, 1.5}), ""},
		{"without iat it is accepted", withClaim("iat", nil), ""},

		{"without iss it is refused", withClaim("iss", nil), malformedJWT},
		{"the iss of another client is refused", withClaim("iss", "other"), malformedJWT},
		{"an iss that differs by case is refused", withClaim("iss", "Reports"), malformedJWT},
		{"an iss that is the issuer is refused", withClaim("iss", assertionIssuer), malformedJWT},
		{"an iss that is a number is refused", withClaim("iss", 1), malformedJWT},
		{"an iss that is an array is refused", withClaim("iss", []string{"reports"}), malformedJWT},
		{"an iss that is null is refused", withClaim("iss", jwtNull), malformedJWT},
		{"without sub it is refused", withClaim("sub", nil), malformedJWT},
		{"an empty sub is refused", withClaim("sub", ""), malformedJWT},
		{"a sub that is a number is refused", withClaim("sub", 1), malformedJWT},
		{"a sub that is an array is refused", withClaim("sub", []string{"reports"}), malformedJWT},
		{"a sub that is null is refused", withClaim("sub", jwtNull), malformedJWT},
		{"a sub of 513 octets is refused", withClaim("sub", strings.Repeat("x", 513)), malformedJWT},
		{"a sub beyond ASCII is refused", withClaim("sub", "r\u00e9ports"), malformedJWT},
		{"the sub of another client, whose iss it is not, is refused", withClaim("sub", "other"), malformedJWT},
		{"a client that nobody knows is refused", withClaim("sub", "nobody"), tokenendpoint.ReasonUnknownClient},
		{"a sub that differs by case is another client", withClaim("sub", "Reports"), tokenendpoint.ReasonUnknownClient},

		{"without jti it is refused", withClaim("jti", nil), malformedJWT},
		{"an empty jti is refused", withClaim("jti", ""), malformedJWT},
		{"a jti that is null is refused", withClaim("jti", jwtNull), malformedJWT},
		{"a jti that is a number is refused", withClaim("jti", 7), malformedJWT},
		{"a jti of 256 octets is accepted", withClaim("jti", strings.Repeat("x", 256)), ""},
		{"a jti of 257 octets is refused", withClaim("jti", strings.Repeat("x", 257)), malformedJWT},
		{"a jti of 129 letters of two octets is refused", withClaim("jti", strings.Repeat("\u00e9", 129)), malformedJWT},
	})
}

// 7523-3-04, 7523-3-05, X-JOSE-07
func TestTimesOfAssertions(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	s := newAssertionShop(t)
	s.try(assertionES256(), []assertionCase{
		{"without exp it is refused", withClaim("exp", nil), untimelyJWT},
		{"an exp that is null is refused", withClaim("exp", jwtNull), untimelyJWT},
		{"an exp with a fraction is accepted", withClaim("exp", secondsAfter(1500*time.Millisecond)), ""},
		{"an exp that passed 29 seconds ago is accepted", withClaim("exp", secondsAfter(-29*time.Second)), ""},
		{"an exp that passed a fraction less than 30 seconds ago is accepted", withClaim("exp", secondsAfter(-29900*time.Millisecond)), ""},
		{"an exp that passed a fraction more than 30 seconds ago is refused", withClaim("exp", secondsAfter(-30100*time.Millisecond)), untimelyJWT},
		{"an exp that passed 5 minutes ago is refused", withClaim("exp", secondsAfter(-5*time.Minute)), untimelyJWT},
		{"an exp in an hour is accepted", withClaim("exp", secondsAfter(hour)), ""},
		{"an exp in an hour and 29 seconds is accepted", withClaim("exp", secondsAfter(hour+29*time.Second)), ""},
		{"an exp in an hour and 31 seconds is refused", withClaim("exp", secondsAfter(hour+31*time.Second)), untimelyJWT},
		{"an exp in ten years is refused", withClaim("exp", secondsAfter(3650*day)), untimelyJWT},
		{"an exp in milliseconds is refused", withClaim("exp", keysStart.Add(time.Minute).UnixMilli()), untimelyJWT},
		{"an exp that is a string is refused", withClaim("exp", "1772366460"), untimelyJWT},
		{"an exp that is an array is refused", withClaim("exp", []int64{keysStart.Unix() + 60}), untimelyJWT},
		{"an exp that is true is refused", withClaim("exp", true), untimelyJWT},
		{"a negative exp is refused", withClaim("exp", -1), untimelyJWT},
		{"an exp of zero is refused", withClaim("exp", 0), untimelyJWT},
		{"an exp of 1e300 is refused", withClaim("exp", json.RawMessage("1e300")), untimelyJWT},
		{"an exp of -1e300 is refused", withClaim("exp", json.RawMessage("-1e300")), untimelyJWT},
		{"an exp that no number holds is refused", withClaim("exp", json.RawMessage("1e400")), untimelyJWT},
		{"an exp beyond 64 bits that would wrap is refused", withClaim("exp", json.RawMessage("18446744075482033069")), untimelyJWT},
		{"an exp that is NaN by name is refused", withClaim("exp", "NaN"), untimelyJWT},

		{"an nbf in 29 seconds is accepted", withClaim("nbf", secondsAfter(29*time.Second)), ""},
		{"an nbf in 31 seconds is refused", withClaim("nbf", secondsAfter(31*time.Second)), untimelyJWT},
		{"an nbf in 5 minutes is refused", withClaim("nbf", secondsAfter(5*time.Minute)), untimelyJWT},
		{"an nbf a day ago is accepted", withClaim("nbf", secondsAfter(-day)), ""},
		{"a negative nbf is refused", withClaim("nbf", -1), untimelyJWT},
		{"an nbf of 1e300 is refused", withClaim("nbf", json.RawMessage("1e300")), untimelyJWT},
		{"an nbf that is a string is refused", withClaim("nbf", "0"), untimelyJWT},

		{"an iat in 29 seconds is accepted", withClaim("iat", secondsAfter(29*time.Second)), ""},
		{"an iat in 31 seconds is refused", withClaim("iat", secondsAfter(31*time.Second)), untimelyJWT},
		{"an iat an hour ago is accepted", withClaim("iat", secondsAfter(-hour)), ""},
		{"an iat an hour and 31 seconds ago is refused", withClaim("iat", secondsAfter(-hour-31*time.Second)), untimelyJWT},
		{"an iat a day ago is refused", withClaim("iat", secondsAfter(-day)), untimelyJWT},
		{"a negative iat is refused", withClaim("iat", -1), untimelyJWT},
		{"an iat of 1e300 is refused", withClaim("iat", json.RawMessage("1e300")), untimelyJWT},
		{"an iat that is a string is refused", withClaim("iat", "1772366400"), untimelyJWT},
	})
}

// 10070-4-01, 10070-4-03, 10070-4-04, 7521-5.1-01
func TestAudienceOfAssertions(t *testing.T) {
	const issuer, token = assertionIssuer, assertionTokenURL
	s := newAssertionShop(t)
	s.try(assertionES256(), []assertionCase{
		{"the issuer is accepted", withClaim("aud", issuer), ""},
		{"an array of the issuer alone is accepted", withClaim("aud", []string{issuer}), ""},
		{"the issuer and the token endpoint are refused", withClaim("aud", []string{issuer, token}), otherAudience},
		{"the issuer and another server are refused", withClaim("aud", []string{issuer, "https://other.example"}), otherAudience},
		{"another server and the issuer are refused", withClaim("aud", []string{"https://other.example", issuer}), otherAudience},
		{"the issuer twice is refused", withClaim("aud", []string{issuer, issuer}), otherAudience},
		{"the token endpoint is refused", withClaim("aud", token), otherAudience},
		{"an array of the token endpoint is refused", withClaim("aud", []string{token}), otherAudience},
		{"another server is refused", withClaim("aud", "https://other.example"), otherAudience},
		{"no audience is refused", withClaim("aud", nil), otherAudience},
		{"null is refused", withClaim("aud", jwtNull), otherAudience},
		{"an array of null is refused", withClaim("aud", []any{nil}), otherAudience},
		{"an empty string is refused", withClaim("aud", ""), otherAudience},
		{"an empty array is refused", withClaim("aud", []string{}), otherAudience},
		{"a number is refused", withClaim("aud", 1), otherAudience},
		{"true is refused", withClaim("aud", true), otherAudience},
		{"an object is refused", withClaim("aud", jwtObject{"aud": issuer}), otherAudience},
		{"an array in an array is refused", withClaim("aud", []any{[]string{issuer}}), otherAudience},
		{"an array of the issuer and a number is refused", withClaim("aud", []any{issuer, 1}), otherAudience},
		{"the issuer with a slash behind it is refused", withClaim("aud", issuer+"/"), otherAudience},
		{"the issuer with the port is refused", withClaim("aud", issuer+":443"), otherAudience},
		{"the issuer in another case is refused", withClaim("aud", "https://Shop.example"), otherAudience},
		{"the issuer with a space is refused", withClaim("aud", issuer+" "), otherAudience},
		{"the start of the issuer is refused", withClaim("aud", issuer[:len(issuer)-1]), otherAudience},
	})
}

// 10070-6-01
func TestLegacyAudienceOfAssertions(t *testing.T) {
	const issuer, token = assertionIssuer, assertionTokenURL
	s := newAssertionShop(t)
	legacy := assertionBy("legacy", tokenendpoint.ES256)
	s.register("legacy", legacy.jwks(), setLegacyAudience)
	lints := func() (n int) {
		for _, lint := range s.endpoint.Lints() {
			if lint.Code == tokenendpoint.LintLegacyAudience && strings.Contains(lint.Message, `"legacy"`) && !strings.Contains(lint.Message, "reports") {
				n++
			}
		}
		return n
	}
	s.try(assertionES256(), []assertionCase{{"a client without the switch is refused", withClaim("aud", token), otherAudience}})
	forger := legacy
	forger.signer = assertionStranger()
	s.try(forger, []assertionCase{{"a stranger in the name of one with it is refused", withClaim("aud", token), unsignedJWT}})
	if lints() != 0 {
		t.Errorf("the lints are %v, and nobody has used the switch", s.endpoint.Lints())
	}
	s.try(legacy, []assertionCase{
		{"the token endpoint is accepted", withClaim("aud", token), ""},
		{"the issuer is accepted", withClaim("aud", issuer), ""},
		{"the issuer among others is accepted", withClaim("aud", []string{"https://other.example", issuer}), ""},
		{"the token endpoint among others is accepted", withClaim("aud", []string{"https://other.example", token}), ""},
		{"another server is refused", withClaim("aud", "https://other.example"), otherAudience},
		{"a URL that begins with the token endpoint is refused", withClaim("aud", token+"/"), otherAudience},
		{"another endpoint is refused", withClaim("aud", assertionIssuer+assertionFormURL), otherAudience},
		{"no audience is refused", withClaim("aud", nil), otherAudience},
		{"null is refused", withClaim("aud", jwtNull), otherAudience},
		{"an empty array is refused", withClaim("aud", []string{}), otherAudience},
		{"a number is refused", withClaim("aud", 1), otherAudience},
	})
	if lints() != 1 {
		t.Errorf("the lints are %v, want one of the client with the switch", s.endpoint.Lints())
	}
}
