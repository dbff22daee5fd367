package tokenendpoint

import (
	"fmt"
	"testing"
)

func TestInlineKeysAreBounded(t *testing.T) {
	var k inlineKeys
	for i := range 2*mostInline + 1 {
		if _, err := k.parse(fmt.Appendf(nil, `{"keys":[],"x":%d}`, i)); err != nil {
			t.Fatal(err)
		}
		if _, err := k.parse(fmt.Appendf(nil, `{"keys":%d}`, i)); err == nil {
			t.Fatal("what is no set is read")
		}
		if len(k.sets) > mostInline {
			t.Fatalf("%d sets are kept, more than %d", len(k.sets), mostInline)
		}
	}
}
