package jose_test

import (
	"reflect"
	"sync"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

// Whatever a Parser has seen before, it says what one says that has seen nothing.
func TestAParserKeepsNoMoreThanAHeader(t *testing.T) {
	var tokens []string
	for _, header := range []string{`{"alg":"ES256"}`, `{"alg":"none"}`, `{"alg":"ES256","kid":"a"}`, `{"alg":"ES256","kid":"b"}`, `{"alg":"ES256","crit":[]}`, `{"alg":1}`, `{`} {
		for _, claims := range []string{`{"sub":"alice"}`, `{"sub":"bob"}`, ``} {
			tokens = append(tokens, signedBy(t, "ES256", header, claims))
		}
	}
	tokens = append(tokens, "", ".", "..", "e30", "e30.", "eyJhbGciOiJFUzI1NiJ9", "eyJhbGciOiJFUzI1NiJ9.", "eyJhbGciOiJFUzI1NiJ9..", "eyJhbGciOiJFUzI1NiJ9\n..", "eyJhbGciOiJFUzI1NiJ9.e30.AA.AA")
	var parser jose.Parser
	var all sync.WaitGroup
	for range 2 { // with -race this shows that two may use it
		all.Go(func() {
			for _, before := range tokens {
				for _, token := range tokens {
					_, _ = parser.Parse(before)
					got, errGot := parser.Parse(token)
					want, errWant := jose.Parse(token)
					if !reflect.DeepEqual(got, want) || (errGot == nil) != (errWant == nil) {
						t.Errorf("%q after %q: %+v, %v, want %+v, %v", token, before, got, errGot, want, errWant)
					}
				}
			}
		})
	}
	all.Wait()
}

func TestAParserReadsAHeaderOnce(t *testing.T) {
	var parser jose.Parser
	token := signedBy(t, "ES256", `{"alg":"ES256","typ":"at+jwt","kid":"k1"}`, someClaims)
	parse := func(p *jose.Parser) float64 {
		return testing.AllocsPerRun(100, func() {
			if _, err := p.Parse(token); err != nil {
				t.Fatal(err)
			}
		})
	}
	if kept, read := parse(&parser), parse(nil); kept > 3 || kept >= read {
		t.Errorf("%v allocations with a header that is kept, %v without", kept, read)
	}
}
