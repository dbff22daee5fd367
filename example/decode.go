package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"reflect"
	"strings"
)

// loadConfig reads the file of -config. Its errors name the field and not the
// path, which the caller knows.
func loadConfig(path string, inside []netip.Prefix) (registry, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return registry{}, errors.Unwrap(err)
	}
	if len(bytes.TrimSpace(content)) == 0 {
		return registry{}, errors.New(`the file is empty; {"clients":[],"scopes":[],"users":[]} is the least`)
	}
	var file configFile
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return registry{}, explain(content, decoder.InputOffset(), err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return registry{}, errors.New("something follows the JSON object; remove it")
	}
	return file.registry(inside)
}

// explain says in the words of JSON, not of Go, what cannot be read and where.
func explain(content []byte, offset int64, err error) error {
	what := strings.TrimPrefix(err.Error(), "json: ")
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.Is(err, io.ErrUnexpectedEOF):
		what = "the file ends in the middle"
	case errors.As(err, &kind) && kind.Field == "":
		offset, what = kind.Offset, "the file must hold a JSON object"
	case errors.As(err, &kind):
		field := strings.ReplaceAll(kind.Field, "Metadata.", "") // encoding/json counts embedding as a step
		offset, what = kind.Offset, fmt.Sprintf("%s must be %s, not %s", field, kindOf(kind.Type), kind.Value)
	}
	line := 1 + bytes.Count(content[:min(int(offset), len(content))], []byte("\n"))
	return fmt.Errorf("near line %d: %s", line, what)
}

func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Int64:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}
