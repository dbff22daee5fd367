package store_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

func encoded() store.Record {
	at := func(micros int64) time.Time { return time.UnixMicro(1_893_553_445_000_000 + micros).UTC() }
	return store.Record{
		State: "spent", CreatedAt: at(1), SpentAt: at(2), SpentBy: "an exchange", Sealed: []byte{0, 0xff}, Data: []byte("\x00data\xfe"),
		Grant: &store.Grant{
			Issuer: "https://issuer.example.com", ClientID: "reports", Subject: "alice", Scopes: []string{"read", "a b"},
			Resources: []string{"urn:a"}, AuthTime: at(-3), ACR: "gold", AMR: []string{"pwd"}, Session: "s", Nonce: "n",
			Claims:       map[string]any{"account": json.Number("9007199254740993"), "list": []any{"<&>\u2028", nil, true}},
			UserClaims:   map[string]any{"name": "Łukasz", "share": json.Number("0.10")},
			Confirmation: store.Confirmation{JKT: "thumbprint", X5T: "certificate"},
		},
	}
}

// Every field is found by reflection, so that one that is added to a record
// later, and forgotten here, fails.
func TestAnEncodedRecordComesBackWhole(t *testing.T) {
	own := map[string]bool{"Key": true, "Kind": true, "ExpiresAt": true, "KeepUntil": true, "Version": true}
	want := encoded()
	for _, v := range []reflect.Value{reflect.ValueOf(want), reflect.ValueOf(*want.Grant)} {
		for _, f := range reflect.VisibleFields(v.Type()) {
			if v.FieldByIndex(f.Index).IsZero() != own[f.Name] {
				t.Errorf("%s.%s: this test does not use it", v.Type(), f.Name)
			}
		}
	}
	got := decode(t, encode(t, want))
	if !reflect.DeepEqual(want, got) {
		t.Errorf("encoded was %+v with %+v,\ncame back %+v with %+v", want, want.Grant, got, got.Grant)
	}
}

func TestWhatARecordLeavesOutIsNotEncoded(t *testing.T) {
	if got := string(encode(t, store.Record{})); got != `{"v":1}` {
		t.Errorf("got %s", got)
	}
	polled := store.Record{State: store.StatePending, SpentBy: "a poll"} // written, and not spent
	for _, want := range []store.Record{{}, polled, {Grant: &store.Grant{}}, {Grant: &store.Grant{Scopes: []string{}}}} {
		if got := decode(t, encode(t, want)); !reflect.DeepEqual(want, got) {
			t.Errorf("encoded was %+v with %+v, came back %+v with %+v", want, want.Grant, got, got.Grant)
		}
	}
}

func TestDecodingReplacesWhatARecordHad(t *testing.T) {
	r := encoded()
	r.Key, r.Kind, r.Version, r.ExpiresAt, r.KeepUntil = store.Key{Family: "f", Hash: "h"}, "c", 7, time.Unix(1, 0), time.Unix(2, 0)
	want := store.Record{Key: r.Key, Kind: r.Kind, Version: r.Version, ExpiresAt: r.ExpiresAt, KeepUntil: r.KeepUntil}
	if err := store.DecodeRecord([]byte(`{"v":1}`), &r); err != nil || !reflect.DeepEqual(want, r) {
		t.Errorf("got %+v, %v, want what has a column of its own and no more", r, err)
	}
}

func TestNumbersInClaimsKeepTheirDigits(t *testing.T) {
	for _, number := range []string{"9007199254740993", "-1", "0.10", "1e400", "123456789012345678901234567890"} {
		r := store.Record{Grant: &store.Grant{Claims: map[string]any{"n": json.Number(number), "in": map[string]any{"list": []any{json.Number(number)}}}}}
		if got := decode(t, encode(t, r)); !reflect.DeepEqual(r, got) {
			t.Errorf("%s came back as %v", number, got.Grant.Claims)
		}
	}
}

func TestAClaimThatJSONCannotWriteIsAnError(t *testing.T) {
	for _, claim := range []any{math.NaN(), func() {}, make(chan int)} {
		if _, err := store.EncodeRecord(&store.Record{Grant: &store.Grant{Claims: map[string]any{"a": claim}}}); err == nil {
			t.Errorf("%T was encoded", claim)
		}
	}
}

func TestWhatCannotBeReadIsErrCorruptAndNotQuoted(t *testing.T) {
	whole := string(encode(t, encoded()))
	for name, text := range map[string]string{
		"nothing":                    "",
		"spaces":                     "  \n",
		"no JSON":                    "CANARY",
		"a string":                   `"CANARY"`,
		"a list":                     `["CANARY"]`,
		"a number":                   "1",
		"null":                       "null",
		"an empty object":            "{}",
		"no format":                  `{"st":"CANARY"}`,
		"the format of a later time": `{"v":2,"st":"CANARY"}`,
		"format 0":                   `{"v":0,"st":"CANARY"}`,
		"a format that is text":      `{"v":"CANARY"}`,
		"half of a record":           whole[:len(whole)/2],
		"all but the end":            whole[:len(whole)-1],
		"one and a half":             whole + whole[:len(whole)/2],
		"two":                        whole + whole,
		"text behind":                whole + "CANARY",
		"a bracket behind":           whole + "]",
		"a brace behind":             whole + "}",
		"bytes that are no base64":   `{"v":1,"d":"CANARY!"}`,
		"a time that is text":        `{"v":1,"c":"CANARY"}`,
		"a time that is too large":   `{"v":1,"c":99999999999999999999}`,
		"a time with a fraction":     `{"v":1,"c":1.5}`,
		"a grant that is text":       `{"v":1,"g":"CANARY"}`,
		"scopes that are text":       `{"v":1,"g":{"sc":"CANARY"}}`,
		"claims that are a list":     `{"v":1,"g":{"cl":["CANARY"]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			var r store.Record
			err := store.DecodeRecord([]byte(text), &r)
			if !errors.Is(err, store.ErrCorrupt) {
				t.Fatalf("got %v, want ErrCorrupt", err)
			}
			for _, part := range []string{"CANARY", "alice", "reports", "gold"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("the error quotes what is kept: %v", err)
				}
			}
			if !reflect.DeepEqual(r, store.Record{}) {
				t.Errorf("the record was altered: %+v", r)
			}
		})
	}
}

func TestMicrosAndBack(t *testing.T) {
	for _, want := range []time.Time{{}, time.UnixMicro(1), time.UnixMicro(-1), time.UnixMicro(1_893_553_445_123_456), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)} {
		got := store.FromMicros(store.Micros(want))
		if !got.Equal(want) || got.Location() != time.UTC || got.IsZero() != want.IsZero() {
			t.Errorf("%s came back as %s", want, got)
		}
	}
	if got := store.Micros(time.Unix(1, 999).In(time.FixedZone("", 3600))); got != 1_000_000 {
		t.Errorf("got %d", got)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	whole := encoded()
	b, err := store.EncodeRecord(&whole)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	for _, seed := range []string{"", "null", "{}", `{"v":1}`, `{"v":1,"g":null}`, `{"v":1,"g":{"sc":null,"cl":{"a":[1e400,{}]}}}`,
		`{"v":1,"c":-1,"sa":9223372036854775807}`, `{"v":1}]`, `{"V":1,"v":2}`, `{"v":1,"d":"AA=="}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r store.Record
		if err := store.DecodeRecord(b, &r); err != nil {
			if !errors.Is(err, store.ErrCorrupt) {
				t.Fatalf("%v is not ErrCorrupt", err)
			}
			return
		}
		again := encode(t, r)
		if second := encode(t, decode(t, again)); string(second) != string(again) {
			t.Fatalf("encoded is %s, and after decoding %s", again, second)
		}
	})
}

func encode(t *testing.T, r store.Record) []byte {
	t.Helper()
	b, err := store.EncodeRecord(&r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t *testing.T, b []byte) (r store.Record) {
	t.Helper()
	if err := store.DecodeRecord(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}
