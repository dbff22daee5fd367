package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
)

// That every field survives is what storetest shows of the adapters that use these.
func TestAClientThatCannotBeReadIsCorrupt(t *testing.T) {
	whole, err := store.EncodeClient(&store.Client{Metadata: store.Metadata{ID: "CANARY"}, Claims: map[string]any{"n": int64(1)<<60 + 1},
		Secrets: []store.Secret{{Hash: store.HashSecret("x")}}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := store.DecodeClient(whole)
	if err != nil || c.ID != "CANARY" || len(c.Secrets) != 1 {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if again, err := store.EncodeClient(c); err != nil || string(again) != string(whole) {
		t.Errorf("a number lost digits: %s, %v", again, err)
	}
	for name, text := range map[string]string{
		"nothing": "", "half": string(whole[:len(whole)/2]), "two": string(whole) + string(whole), "a brace behind": string(whole) + "}",
		"a list": `["CANARY"]`, "a member of a later time": `{"client_id":"CANARY","only_at_night":true}`, "an id that is a number": `{"client_id":5}`,
	} {
		c, err := store.DecodeClient([]byte(text))
		if !errors.Is(err, store.ErrCorrupt) || c != nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := store.EncodeClient(&store.Client{Claims: map[string]any{"f": func() {}}}); err == nil {
		t.Error("a claim that JSON cannot say is kept")
	}
}
