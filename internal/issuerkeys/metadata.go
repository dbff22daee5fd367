package issuerkeys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/jose"
)

const (
	serverPath    = "/.well-known/oauth-authorization-server" // inserted: RFC 8414 section 3
	discoveryPath = "/.well-known/openid-configuration"       // appended: Discovery section 4
)

// fetch returns the issuer's JWK Set by way of its metadata.
func (s *Set) fetch(ctx context.Context, client *http.Client) ([]byte, time.Duration, error) {
	uri, err := s.jwksURI(ctx, client)
	if err != nil {
		return nil, 0, err
	}
	if err := s.Guard.CheckURL(uri); err != nil {
		return nil, 0, fmt.Errorf("its jwks_uri: %w", err)
	}
	jwks, age, err := fetch.Get(ctx, client, uri, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("its JWK Set: %w", err)
	}
	return jwks, age, nil
}

// jwksURI reads the issuer's metadata, which is not kept: the jwks_uri may change. The
// second place is looked at if the first has something else than a document, because
// not every server says that by a 404.
func (s *Set) jwksURI(ctx context.Context, client *http.Client) (string, error) {
	server, discovery, err := s.places()
	if err != nil {
		return "", err
	}
	document, _, err := fetch.Get(ctx, client, server, 0)
	if errors.Is(err, fetch.ErrAnswer) {
		first := err // in words alone: it would make an outage of the second place a mistake
		if document, _, err = fetch.Get(ctx, client, discovery, 0); err != nil {
			err = fmt.Errorf("%v, and at OpenID Connect's place: %w", first, err)
		}
	}
	if err != nil {
		return "", fmt.Errorf("its metadata: %w", err)
	}
	return readJWKSURI(document, s.Issuer)
}

// places returns the URLs of the metadata, by RFC 8414 and by OpenID Connect Discovery.
func (s *Set) places() (server, discovery string, err error) {
	if err := s.Guard.CheckURL(s.Issuer); err != nil {
		return "", "", err
	}
	u, err := url.Parse(s.Issuer)
	if err != nil || u.RawQuery != "" || u.ForceQuery {
		return "", "", fmt.Errorf("%w: an issuer has no query", fetch.ErrRefused) // RFC 8414 section 2
	}
	base, path := u.Scheme+"://"+u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	return base + serverPath + path, base + path + discoveryPath, nil
}

// readJWKSURI refuses metadata that another issuer wrote (RFC 8414 section 3.3).
func readJWKSURI(document []byte, issuer string) (string, error) {
	metadata, err := jose.ParseObject(document)
	if err != nil {
		return "", fmt.Errorf("%w: the metadata is not a JSON object", fetch.ErrAnswer)
	}
	if said, ok := metadata.Text("issuer"); !ok || said != issuer {
		return "", fmt.Errorf("%w: the issuer in the metadata is another one", fetch.ErrAnswer)
	}
	uri, ok := metadata.Text("jwks_uri")
	if !ok || uri == "" {
		return "", fmt.Errorf("%w: the metadata has no jwks_uri", fetch.ErrAnswer)
	}
	return uri, nil
}
