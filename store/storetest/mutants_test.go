package storetest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

// mutant is a store that breaks one promise.
type mutant[Store, Record any] struct {
	breaks string // the name of the check that must notice
	how    string
	open   func(...Record) Store
}

// hunt runs every mutant through the check that it must fail, and holds that
// no check is without a mutant.
func hunt[Store, Record any](t *testing.T, checks []check[Store, Record], mutants []mutant[Store, Record]) {
	hunted := make(map[string]int)
	for _, m := range mutants {
		hunted[m.breaks]++
	}
	for _, c := range checks {
		if hunted[c.name] == 0 {
			t.Errorf("no mutant breaks %q: nothing shows that the check can fail", c.name)
		}
		if c.why == "" {
			t.Errorf("%q does not say why it matters", c.name)
		}
		delete(hunted, c.name)
		for _, m := range mutants {
			if m.breaks != c.name {
				continue
			}
			t.Run(m.how, func(t *testing.T) {
				err := c.run(t.Context(), m.open)
				if err == nil {
					t.Fatalf("the mutant survived: %q did not notice a store that %s", c.name, m.how)
				}
				t.Logf("%s: %v", c.name, err)
			})
		}
	}
	for name := range hunted {
		t.Errorf("a mutant breaks %q, and there is no such check", name)
	}
}

func TestEveryBrokenClientStoreFailsItsCheck(t *testing.T) { hunt(t, clientChecks, clientMutants) }

func TestEveryBrokenScopeStoreFailsItsCheck(t *testing.T) { hunt(t, scopeChecks, scopeMutants) }

func TestTheReferencePassesEveryCheck(t *testing.T) {
	TestClientStore(t, func(_ *testing.T, clients ...store.Client) store.ClientStore {
		return memory.NewClients(clients...)
	})
	TestScopeStore(t, func(_ *testing.T, scopes ...store.Scope) store.ScopeStore {
		return memory.NewScopes(scopes...)
	})
}

// child tells this test binary, run by itself, which kit to run over a store
// that breaks every promise.
const child = "STORETEST_BROKEN"

func TestABrokenStoreFailsTheTestOfItsAuthor(t *testing.T) {
	switch os.Getenv(child) {
	case "clients":
		TestClientStore(t, func(*testing.T, ...store.Client) store.ClientStore {
			return clientFunc(func(context.Context, string) (*store.Client, error) { return nil, nil })
		})
		return
	case "scopes":
		TestScopeStore(t, func(*testing.T, ...store.Scope) store.ScopeStore {
			return scopeFunc(func(_ context.Context, names []string) ([]store.Scope, error) {
				clear(names)
				return []store.Scope{{Name: "everything"}}, nil
			})
		})
		return
	}
	failsAll(t, "clients", clientChecks)
	failsAll(t, "scopes", scopeChecks)
}

func failsAll[Store, Record any](t *testing.T, which string, checks []check[Store, Record]) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), child+"="+which)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("a store that breaks every promise about %s passed", which)
	}
	for _, c := range checks {
		if !strings.Contains(string(out), "promise broken: "+c.name+"\n") {
			t.Errorf("the output does not say that this is broken: %s", c.name)
		}
		if !strings.Contains(string(out), "why it matters: "+c.why+"\n") {
			t.Errorf("the output does not say why this matters: %s", c.name)
		}
	}
	if t.Failed() {
		t.Logf("%s\n%v", out, err)
	}
}
