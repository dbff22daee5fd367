package grantor_test

import (
	"os"
	"strings"
	"testing"
)

// The first block of the README is the code that the documentation shows and
// the compiler checks.
func TestTheReadmeBeginsWithTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("tokenendpoint/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(readme), "```")
	block, _, _ = strings.Cut(block, "```")
	block, isGo := strings.CutPrefix(block, "go\n")
	if !found || !isGo || !strings.HasPrefix(block, "func Example() {\n") {
		t.Fatalf("the first block of README.md is not Example():\n%s", block)
	}
	if !strings.HasSuffix(string(source), block) {
		t.Errorf("the first block of README.md is not Example() of tokenendpoint, byte for byte:\n%s", block)
	}
	if lines := strings.Count(string(readme), "\n"); lines >= 200 {
		t.Errorf("README.md has %d lines; 200 is too many to read", lines)
	}
}
