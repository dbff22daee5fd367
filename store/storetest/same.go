package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
)

// same returns an error that names the fields in which got is not want, or
// nil. It goes by reflection so that a field added to a record is compared
// without anyone having to think of it.
func same[Record any](want, got Record) error {
	var diffs []string
	compare("", reflect.ValueOf(want), reflect.ValueOf(got), &diffs)
	if len(diffs) == 0 {
		return nil
	}
	return errors.New(strings.Join(diffs, "; "))
}

func compare(path string, want, got reflect.Value, diffs *[]string) {
	differ := func(want, got any) {
		*diffs = append(*diffs, fmt.Sprintf("%s is %s, kept was %s", path, text(got), text(want)))
	}
	switch w := want.Interface().(type) {
	case time.Time:
		if g := got.Interface().(time.Time); !w.Equal(g) {
			differ(w, g)
		}
		return
	case []byte:
		if g := got.Interface().([]byte); !bytes.Equal(w, g) {
			differ(w, g)
		}
		return
	case []store.AuthMethod:
		if g := got.Interface().([]store.AuthMethod); !slices.Equal(set(w), set(g)) {
			differ(w, g)
		}
		return
	case map[string]any:
		g := got.Interface().(map[string]any)
		if len(w) == 0 && len(g) == 0 {
			return
		}
		if !reflect.DeepEqual(decoded(w), decoded(g)) {
			differ(w, g)
		}
		return
	}

	switch want.Kind() {
	case reflect.Pointer:
		if want.IsNil() || got.IsNil() {
			if want.IsNil() != got.IsNil() {
				differ(want.Interface(), got.Interface())
			}
			return
		}
		compare(path, want.Elem(), got.Elem(), diffs)
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(want.Type()) {
			if f.Anonymous || !f.IsExported() {
				continue // an embedded struct's fields are visible themselves
			}
			compare(join(path, f.Name), want.FieldByIndex(f.Index), got.FieldByIndex(f.Index), diffs)
		}
	case reflect.Slice:
		if want.Len() != got.Len() {
			differ(want.Interface(), got.Interface())
			return
		}
		for i := range want.Len() {
			compare(fmt.Sprintf("%s[%d]", path, i), want.Index(i), got.Index(i), diffs)
		}
	default:
		if !reflect.DeepEqual(want.Interface(), got.Interface()) {
			differ(want.Interface(), got.Interface())
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func set(methods []store.AuthMethod) []store.AuthMethod {
	return slices.Compact(slices.Sorted(slices.Values(methods)))
}

// decoded returns what encoding/json reads back of claims: the one form that
// is the same whether or not a store kept them as JSON.
func decoded(claims map[string]any) any {
	data, err := json.Marshal(claims)
	if err != nil {
		return err
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	return v
}

// text shows a field so that no two different values look the same.
func text(v any) string {
	if d, ok := v.(time.Duration); ok {
		return d.String()
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprintf("%+v (%v)", v, err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
