package tokenendpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// Companion is an endpoint that a grant type needs beside the token endpoint, such
// as the device authorization endpoint (RFC 8628 section 3.1). Mount mounts it.
type Companion struct {
	// Name is that of the endpoint in the metadata (RFC 8414 section 2), such as
	// device_authorization_endpoint.
	Name string

	// Path is where it is, relative to the issuer, such as
	// /connect/deviceauthorization.
	Path string

	// Serve answers a request by the members of a JSON object, or by an error, as
	// GrantValidator.Validate does; access_denied is 403. When it is called the
	// client is known and may use the grant type, and what it asks for is well formed
	// and allowed to it: see GrantValidator.
	Serve func(ctx context.Context, req *Request) (Members, error)

	// Metadata are further members of the metadata.
	Metadata Members
}

// WithCompanion is a [GrantValidator] that has a [Companion].
type WithCompanion interface {
	GrantValidator

	// Companion is called once, by New.
	Companion() Companion
}

// WithCheck is a [GrantValidator] whose settings can be wrong.
type WithCheck interface {
	GrantValidator

	// Check is called once, by New. Its error names the field, its value and the
	// remedy.
	Check() error
}

type companion struct {
	Companion
	grantType string
}

// Form returns a handler of POST requests with a form, for an endpoint beside the
// token endpoint: it reads the form, authenticates the client, has the request
// served, and answers and reports it, in the way of the token endpoint. The name is
// for Event.Endpoint. Members are the answer's, as JSON; of the Request, Scopes and
// Resources are nil.
func (e *Endpoint) Form(name string, serve func(ctx context.Context, req *Request) (Members, error)) http.Handler {
	return e.form(name, "", func(ctx context.Context, req *Request) (*response, error) {
		members, err := serve(ctx, req)
		if err != nil {
			return nil, err
		}
		return encode(name, members)
	})
}

func encode(name string, members Members) (*response, error) {
	body, err := json.Marshal(members)
	if err != nil || members == nil {
		return nil, fault(ReasonUnencodable, errors.Join(err, fmt.Errorf("the answer of %s cannot be written", name)))
	}
	return &response{body: body}, nil
}

func (e *Endpoint) form(name, grantType string, serve func(ctx context.Context, req *Request) (*response, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.answer(w, r, name, func(ctx context.Context, r *http.Request, req *Request) (*response, error) {
			if err := e.parse(r, req); err != nil {
				return nil, err
			}
			req.GrantType = grantType
			if err := e.authenticate(ctx, req); err != nil {
				return nil, err
			}
			if err := e.useAssertion(ctx, req); err != nil {
				return nil, err
			}
			return serve(ctx, req)
		})
	})
}

// handler is that of a companion: what its client may do and have is looked at
// before it is asked.
func (e *Endpoint) handler(c companion) http.Handler {
	return e.form(c.Name, c.grantType, func(ctx context.Context, req *Request) (*response, error) {
		if _, err := e.permit(ctx, req, c.grantType); err != nil {
			return nil, err
		}
		members, err := c.Serve(ctx, req)
		if err != nil {
			return nil, err
		}
		return encode(c.Name, members)
	})
}

// addCompanions collects the companions of the grants, and what the grants say of
// their own settings.
func (e *Endpoint) addCompanions() error {
	var problems []error
	names := make(map[string]bool) // in the metadata
	taken := make(map[string]string)
	for _, own := range e.config.Paths.fields() {
		taken[own.path] = "Paths." + own.name
	}
	for i, grant := range e.config.Grants {
		if checked, ok := grant.(WithCheck); ok {
			if err := checked.Check(); err != nil {
				problems = append(problems, fieldError("Grants", "[%d]: %w", i, err))
			}
		}
		with, ok := grant.(WithCompanion)
		if !ok {
			continue
		}
		c := companion{with.Companion(), grant.GrantType()}
		field := fmt.Sprintf("Grants[%d].Path", i)
		if err := checkPath(field, c.Path); err != nil {
			problems = append(problems, err)
		} else if other := taken[c.Path]; other != "" {
			problems = append(problems, fieldError(field, " and %s are both %q; choose two", other, c.Path))
		}
		taken[c.Path] = field
		if _, err := json.Marshal(c.Metadata); err != nil || c.Name == "" || c.Serve == nil {
			problems = append(problems, fieldError("Grants", "[%d]: its Companion has no Name, no Serve or Metadata that JSON cannot say", i))
		}
		for _, name := range append(slices.Sorted(maps.Keys(c.Metadata)), c.Name) {
			if names[name] || isOwnMetadata(name) {
				problems = append(problems, fieldError("Grants", "[%d]: the metadata has %q already; choose another name", i, name))
			}
			names[name] = true
		}
		e.companions = append(e.companions, c)
	}
	return errors.Join(problems...)
}
