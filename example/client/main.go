// Command client is a service that gets a token for itself by what it holds: a key, a
// certificate or a secret, and calls the service's API with it. It uses the test keys that
// the example makes with -demo, and prints the answer, the claims of the token and what
// the API said.
//
//	-method NAME  jwt, secret-jwt, mtls, self-signed or dpop
//	-issuer URL   whose service it is (https://127.0.0.1:5001)
//	-data DIR     the example's -data, where the folder demo is (a folder in the user's cache)
//
// A certificate needs https, and the example -client-ca; the others work over http as
// well, which is for this machine alone.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	cache, _ := os.UserCacheDir()
	method := flag.String("method", "jwt", "the `NAME` of a way to authenticate: jwt, secret-jwt, mtls, self-signed or dpop")
	issuer := flag.String("issuer", "https://127.0.0.1:5001", "the service's issuer `URL`")
	data := flag.String("data", filepath.Join(cache, "grantor-example"), "the example's -data `DIR`")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx, os.Stdout, *method, *issuer, filepath.Join(*data, "demo")); err != nil {
		fmt.Fprintln(os.Stderr, "client:", strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
}

// client asks at a token endpoint.
type client struct {
	http     *http.Client
	issuer   string
	tokenURL string
	dir      string            // of keys and certificates
	key      *ecdsa.PrivateKey // that the token is bound to by DPoP; nil if it is not
}

func run(ctx context.Context, out io.Writer, method, issuer, dir string) error {
	c := &client{issuer: issuer, dir: dir}
	if err := c.connect(ctx, method); err != nil {
		return err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {method}, "scope": {"api1"}}
	var answer []byte
	var err error
	switch method {
	case "jwt", "secret-jwt":
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		var assertion string
		if assertion, err = c.assertion(method); err != nil {
			return err
		}
		form.Set("client_assertion", assertion)
		answer, _, err = c.post(ctx, form, "")
	case "mtls", "self-signed": // the certificate says it all
		answer, _, err = c.post(ctx, form, "")
	case "dpop":
		form.Set("client_secret", "secret")
		answer, err = c.postDPoP(ctx, form)
	default:
		return fmt.Errorf("-method %q is not one of jwt, secret-jwt, mtls, self-signed, dpop", method)
	}
	if err != nil {
		return err
	}
	return c.show(ctx, out, answer)
}

// connect finds the token endpoint. A client shows its certificate, if it has one, when
// the connection begins.
func (c *client) connect(ctx context.Context, method string) error {
	cas, err := os.ReadFile(filepath.Join(c.dir, "ca.pem"))
	if err != nil {
		return fmt.Errorf("%w; start the example with -demo, and give both the same -data", err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(cas)
	if method == "mtls" || method == "self-signed" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(c.dir, method+".pem"), filepath.Join(c.dir, method+"-key.pem"))
		if err != nil {
			return err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	c.http = &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return fmt.Errorf("-issuer %q is not a URL", c.issuer)
	}
	body, _, err := c.do(request)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing listens at %s; start the service (go run ./example) or set -issuer", c.issuer)
	}
	var metadata struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s does not describe itself; is -issuer right? %w", c.issuer, err)
	case json.Unmarshal(body, &metadata) != nil || metadata.Issuer != c.issuer: // RFC 8414 section 3.3
		return fmt.Errorf("%s describes another issuer; is -issuer right?", c.issuer)
	}
	c.tokenURL = metadata.TokenEndpoint
	return nil
}

// post returns the answer, also if it is an error, and the server's nonce.
func (c *client) post(ctx context.Context, form url.Values, proof string) (answer []byte, nonce string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if proof != "" {
		request.Header.Set("DPoP", proof)
	}
	answer, header, err := c.do(request)
	return answer, header.Get("DPoP-Nonce"), err
}

func (c *client) do(request *http.Request) ([]byte, http.Header, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return body, response.Header, err
}

// show prints the answer, what the token says and what the API says to it, or returns why
// there is none.
func (c *client) show(ctx context.Context, out io.Writer, answer []byte) error {
	var members struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	switch err := json.Unmarshal(answer, &members); {
	case err != nil:
		return errors.New("the service does not answer in JSON; is -issuer right?")
	case members.AccessToken == "":
		return fmt.Errorf("the service refused: %s %s", members.Error, members.Description)
	}
	parts := strings.Split(members.AccessToken, ".")
	if len(parts) != 3 {
		return errors.New("the access token is no JWT")
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return errors.New("the access token is no JWT")
	}
	said, err := c.call(ctx, members.TokenType, members.AccessToken)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return errors.Join(encoder.Encode(json.RawMessage(answer)), encoder.Encode(json.RawMessage(claims)), encoder.Encode(json.RawMessage(said)))
}

// call asks the API with the token, by the scheme that it is for (RFC 9449 section 7.1).
func (c *client) call(ctx context.Context, scheme, token string) ([]byte, error) {
	url := strings.TrimSuffix(c.issuer, "/") + "/resource"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", scheme+" "+token)
	if c.key != nil {
		proof, err := c.proof(members{"htm": http.MethodGet, "htu": url, "ath": hash(token)})
		if err != nil {
			return nil, err
		}
		request.Header.Set("DPoP", proof)
	}
	said, _, err := c.do(request)
	if err == nil && !json.Valid(said) {
		err = errors.New("the API does not answer in JSON")
	}
	return said, err
}
