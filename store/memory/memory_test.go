package memory_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/store/storetest"
)

func TestClientsKeepThePromises(t *testing.T) {
	storetest.TestClientStore(t, func(_ *testing.T, clients ...store.Client) store.ClientStore {
		return memory.NewClients(clients...)
	})
}

func TestScopesKeepThePromises(t *testing.T) {
	storetest.TestScopeStore(t, func(_ *testing.T, scopes ...store.Scope) store.ScopeStore {
		return memory.NewScopes(scopes...)
	})
}

func TestTheZeroValuesAreEmptyStores(t *testing.T) {
	var clients memory.Clients
	clients.Delete("a")
	if _, err := clients.Client(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Client: got %v, want ErrNotFound", err)
	}
	clients.Put(client("a", "first"))
	if c, err := clients.Client(t.Context(), "a"); err != nil || c.Name != "first" {
		t.Errorf("Client after Put: got %v, %v", c, err)
	}

	var scopes memory.Scopes
	scopes.Delete("a")
	if found, err := scopes.Scopes(t.Context(), []string{"a"}); err != nil || len(found) != 0 {
		t.Errorf("Scopes: got %v, %v", found, err)
	}
	scopes.Put(store.Scope{Name: "a"})
	if found, err := scopes.Scopes(t.Context(), []string{"a"}); err != nil || len(found) != 1 {
		t.Errorf("Scopes after Put: got %v, %v", found, err)
	}
}

func TestPutReplacesAndDeleteForgets(t *testing.T) {
	clients := memory.NewClients(client("a", "first"), client("a", "second"), client("b", "other"))
	before, err := clients.Client(t.Context(), "a")
	if err != nil || before.Name != "second" {
		t.Fatalf("of two with the same ID: got %v, %v, want the last", before, err)
	}
	clients.Put(client("a", "third"))
	if after, err := clients.Client(t.Context(), "a"); err != nil || after.Name != "third" {
		t.Errorf("after Put: got %v, %v", after, err)
	}
	if before.Name != "second" {
		t.Errorf("Put altered the client returned before: %v", before)
	}
	clients.Delete("a")
	if _, err := clients.Client(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after Delete: got %v, want ErrNotFound", err)
	}
	if _, err := clients.Client(t.Context(), "b"); err != nil {
		t.Errorf("Delete of another: %v", err)
	}

	scopes := memory.NewScopes(store.Scope{Name: "a"}, store.Scope{Name: "a", Identity: true}, store.Scope{Name: "b"})
	found, err := scopes.Scopes(t.Context(), []string{"a"})
	if err != nil || len(found) != 1 || !found[0].Identity {
		t.Errorf("of two with the same Name: got %v, %v, want the last", found, err)
	}
	scopes.Put(store.Scope{Name: "a", Claims: []string{"email"}})
	if after, err := scopes.Scopes(t.Context(), []string{"a"}); err != nil || after[0].Identity || len(after[0].Claims) != 1 {
		t.Errorf("after Put: got %v, %v", after, err)
	}
	if !found[0].Identity {
		t.Errorf("Put altered the scope returned before: %v", found)
	}
	scopes.Delete("a")
	if found, err := scopes.Scopes(t.Context(), []string{"a", "b"}); err != nil || len(found) != 1 || found[0].Name != "b" {
		t.Errorf("after Delete: got %v, %v, want b alone", found, err)
	}
}

func TestScopesComeInTheOrderOfTheirNames(t *testing.T) {
	scopes := memory.NewScopes(store.Scope{Name: "a"}, store.Scope{Name: "b"}, store.Scope{Name: "c"})
	found, err := scopes.Scopes(t.Context(), []string{"c", "x", "a", "c", "b", "a"})
	var names []string
	for _, s := range found {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); err != nil || got != "c a b" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Every list and map of a record is found by reflection, so that one that is
// added to it later, and forgotten in Put, fails here.
func TestWhatTheCallerAltersLaterIsNotSeen(t *testing.T) {
	var c store.Client
	c.ID = "a"
	fill(t, reflect.ValueOf(&c).Elem())
	clients := memory.NewClients(c)
	spoil(reflect.ValueOf(c))
	got, err := clients.Client(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	unspoiled(t, reflect.ValueOf(*got))

	s := store.Scope{Name: "a"}
	fill(t, reflect.ValueOf(&s).Elem())
	scopes := memory.NewScopes(s)
	spoil(reflect.ValueOf(s))
	found, err := scopes.Scopes(t.Context(), []string{"a"})
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	unspoiled(t, reflect.ValueOf(found[0]))
}

// fill gives every list of record one zero element and room for more, and every
// map no entry.
func fill(t *testing.T, record reflect.Value) {
	for _, f := range reflect.VisibleFields(record.Type()) {
		switch v := record.FieldByIndex(f.Index); f.Type.Kind() {
		case reflect.Slice:
			v.Set(reflect.MakeSlice(f.Type, 1, 8))
		case reflect.Map:
			v.Set(reflect.MakeMap(f.Type))
		case reflect.Pointer, reflect.Interface:
			t.Fatalf("this test does not know what Put should do with %s", f.Name)
		}
	}
}

func spoil(record reflect.Value) {
	for _, f := range reflect.VisibleFields(record.Type()) {
		switch v := record.FieldByIndex(f.Index); f.Type.Kind() {
		case reflect.Slice:
			e := v.Index(0)
			if e.Kind() == reflect.Struct {
				e = e.Field(0)
			}
			if e.Kind() == reflect.Uint8 {
				e.SetUint(1)
				continue
			}
			e.SetString("spoiled")
		case reflect.Map:
			v.SetMapIndex(reflect.ValueOf("spoiled"), reflect.Zero(f.Type.Elem()))
		}
	}
}

func unspoiled(t *testing.T, record reflect.Value) {
	t.Helper()
	for _, f := range reflect.VisibleFields(record.Type()) {
		switch v := record.FieldByIndex(f.Index); f.Type.Kind() {
		case reflect.Slice:
			if v.Len() != 1 || !v.Index(0).IsZero() {
				t.Errorf("%s is shared with the caller of Put: %v", f.Name, v)
			}
			if v.Cap() != v.Len() {
				t.Errorf("%s has room for %d more: two callers of append would write to the same place", f.Name, v.Cap()-v.Len())
			}
		case reflect.Map:
			if v.IsNil() || v.Len() != 0 {
				t.Errorf("%s is shared with the caller of Put: %v", f.Name, v)
			}
		}
	}
}

func TestALookupOfAClientDoesNotAllocate(t *testing.T) {
	clients := memory.NewClients(client("a", "first"))
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		_, _ = clients.Client(ctx, "a")
		_, _ = clients.Client(ctx, "unknown")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A lookup that runs beside Put and Delete finds one version whole, or none.
func TestLookupsBesideChanges(t *testing.T) {
	clients, scopes := memory.NewClients(), memory.NewScopes()
	ctx := t.Context()
	const turns = 200
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for turn := range turns {
				version := fmt.Sprint(i, turn)
				clients.Put(client("a", version))
				scopes.Put(store.Scope{Name: "a", Resources: []string{version}, Claims: []string{version}})
				if turn%10 == 0 {
					clients.Delete("a")
					scopes.Delete("a")
				}
			}
		})
		all.Go(func() {
			for range turns {
				c, err := clients.Client(ctx, "a")
				switch {
				case errors.Is(err, store.ErrNotFound):
				case err != nil:
					t.Error(err)
				case c.Name != c.GrantTypes[0] || c.Name != c.Claims["version"]:
					t.Errorf("a client of several versions: %+v", c)
				}
				found, err := scopes.Scopes(ctx, []string{"a"})
				if err != nil {
					t.Error(err)
				}
				for _, s := range found {
					if s.Resources[0] != s.Claims[0] {
						t.Errorf("a scope of several versions: %+v", s)
					}
				}
			}
		})
	}
	all.Wait()
}

func client(id, version string) store.Client {
	return store.Client{
		Metadata: store.Metadata{ID: id, Name: version, GrantTypes: []string{version}},
		Claims:   map[string]any{"version": version},
	}
}
