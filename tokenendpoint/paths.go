package tokenendpoint

import (
	"errors"
	"strings"
)

// Paths are the paths of the endpoints, relative to the issuer. Empty ones have
// the defaults shown. A Companion has its own.
type Paths struct {
	Token         string // /connect/token
	JWKS          string // /.well-known/openid-configuration/jwks
	Introspection string // /connect/introspect
	Revocation    string // /connect/revocation; it is mounted if there are Config.Records
}

func (p Paths) withDefaults() Paths {
	for _, field := range []struct {
		path     *string
		standard string
	}{
		{&p.Token, "/connect/token"}, {&p.JWKS, "/.well-known/openid-configuration/jwks"},
		{&p.Introspection, "/connect/introspect"}, {&p.Revocation, "/connect/revocation"},
	} {
		if *field.path == "" {
			*field.path = field.standard
		}
	}
	return p
}

type namedPath struct{ name, path string }

func (p Paths) fields() []namedPath {
	return []namedPath{{"Token", p.Token}, {"JWKS", p.JWKS}, {"Introspection", p.Introspection}, {"Revocation", p.Revocation}}
}

func (p Paths) check() error {
	var problems []error
	fields := p.fields()
	for i, field := range fields {
		problems = append(problems, checkPath("Paths."+field.name, field.path))
		for _, other := range fields[i+1:] {
			if field.path == other.path {
				problems = append(problems, fieldError("Paths."+field.name, " and Paths.%s are both %q; choose two", other.name, field.path))
			}
		}
	}
	return errors.Join(problems...)
}

func checkPath(field, path string) error {
	switch {
	case !isPlainPath(path) || strings.HasSuffix(path, "/"):
		return fieldError(field, ` %q is not a path of letters, digits and -._~, such as "/connect/token"`, path)
	case path == discoveryPath || path == serverPath:
		return fieldError(field, " %q is where the metadata is; choose another", path)
	}
	return nil
}

// isPlainPath reports whether a path means the same to every router: segments of
// unreserved characters (RFC 3986 section 2.3), none of them empty or dots.
func isPlainPath(path string) bool {
	if path == "/" {
		return true
	}
	segments, isAbsolute := strings.CutPrefix(strings.TrimSuffix(path, "/"), "/")
	for segment := range strings.SplitSeq(segments, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.Trim(segment, unreserved) != "" {
			return false
		}
	}
	return isAbsolute
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// Where clients look for metadata.
const (
	serverPath    = "/.well-known/oauth-authorization-server" // inserted: RFC 8414 section 3
	discoveryPath = "/.well-known/openid-configuration"       // appended: Discovery section 4
)
