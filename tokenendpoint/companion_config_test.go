package tokenendpoint_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// companionGrant is a grant type whose companion, and whose opinion of its own
// settings, a test chooses.
type companionGrant struct {
	name      string
	companion tokenendpoint.Companion
	check     error
}

func (g companionGrant) GrantType() string                  { return g.name }
func (g companionGrant) Check() error                       { return g.check }
func (g companionGrant) Companion() tokenendpoint.Companion { return g.companion }
func (g companionGrant) Validate(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	return new(tokenendpoint.Result), nil
}

// soundCompanion is one that has no problem.
func soundCompanion(name, path string) tokenendpoint.Companion {
	return tokenendpoint.Companion{Name: name, Path: path, Serve: func(context.Context, *tokenendpoint.Request) (tokenendpoint.Members, error) {
		return tokenendpoint.Members{"said": "so"}, nil
	}}
}

func TestNewNamesTheProblemsOfCompanions(t *testing.T) {
	for name, test := range map[string]struct {
		alter func(*companionGrant)
		want  []string // words of the one problem
	}{
		"a Check that fails":           {func(g *companionGrant) { g.check = errors.New(`Colour "blue" is none; choose red`) }, []string{"Grants[1]", `Colour "blue" is none; choose red`}},
		"no Name":                      {func(g *companionGrant) { g.companion.Name = "" }, []string{"Grants[1]", "no Name"}},
		"no Serve":                     {func(g *companionGrant) { g.companion.Serve = nil }, []string{"Grants[1]", "no Serve"}},
		"Metadata that JSON cannot do": {func(g *companionGrant) { g.companion.Metadata = tokenendpoint.Members{"x": func() {}} }, []string{"Grants[1]", "Metadata"}},
		"no Path":                      {func(g *companionGrant) { g.companion.Path = "" }, []string{"Grants[1].Path", `"" is not a path`}},
		"a Path that is none":          {func(g *companionGrant) { g.companion.Path = "connect/ask" }, []string{"Grants[1].Path", `"connect/ask" is not a path`}},
		"a Path with a slash after it": {func(g *companionGrant) { g.companion.Path = "/connect/ask/" }, []string{"Grants[1].Path", `"/connect/ask/" is not a path`}},
		"a Path with a pattern in it":  {func(g *companionGrant) { g.companion.Path = "/connect/{id}" }, []string{"Grants[1].Path", `"/connect/{id}" is not a path`}},
		"the Path of the tokens":       {func(g *companionGrant) { g.companion.Path = "/connect/token" }, []string{"Grants[1].Path", "Paths.Token", `"/connect/token"`, "choose two"}},
		"the Path of the keys":         {func(g *companionGrant) { g.companion.Path = "/.well-known/openid-configuration/jwks" }, []string{"Grants[1].Path", "Paths.JWKS", "choose two"}},
		"the Path of the metadata":     {func(g *companionGrant) { g.companion.Path = "/.well-known/openid-configuration" }, []string{"Grants[1].Path", "choose another"}},
	} {
		t.Run(name+" is one problem, which names the grant", func(t *testing.T) {
			grant := companionGrant{name: "urn:example:one", companion: soundCompanion("one_endpoint", "/connect/one")}
			test.alter(&grant)
			config := soundConfig()
			config.Grants, config.Records = append(config.Grants, grant), new(memory.Grants)
			problems := problemsOf(t, config)
			if len(problems) != 1 {
				t.Fatalf("the problems are %q", problems)
			}
			for _, word := range test.want {
				if !strings.Contains(problems[0], word) {
					t.Errorf("%q does not say %s", problems[0], word)
				}
			}
		})
	}
	t.Run("two companions at one Path are one problem", func(t *testing.T) {
		config := soundConfig()
		config.Records = new(memory.Grants)
		config.Grants = append(config.Grants,
			companionGrant{name: "urn:example:one", companion: soundCompanion("one_endpoint", "/connect/same")},
			companionGrant{name: "urn:example:two", companion: soundCompanion("two_endpoint", "/connect/same")})
		problems := problemsOf(t, config)
		if len(problems) != 1 || !strings.Contains(problems[0], "Grants[2].Path") || !strings.Contains(problems[0], "Grants[1].Path") {
			t.Errorf("the problems are %q", problems)
		}
	})
	t.Run("a companion needs Records", func(t *testing.T) {
		config := soundConfig()
		config.Grants = append(config.Grants, companionGrant{name: "urn:example:one", companion: soundCompanion("one_endpoint", "/connect/one")})
		problems := problemsOf(t, config)
		if len(problems) != 1 || !strings.Contains(problems[0], "Records is missing") {
			t.Errorf("the problems are %q", problems)
		}
	})
	t.Run("a sound one is none", func(t *testing.T) {
		config := soundConfig()
		config.Grants, config.Records = append(config.Grants, companionGrant{name: "urn:example:one", companion: soundCompanion("one_endpoint", "/connect/one")}), new(memory.Grants)
		if problems := problemsOf(t, config); problems != nil {
			t.Errorf("the problems are %q", problems)
		}
	})
}
