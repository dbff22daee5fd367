package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/grantor-go/grantor/store"
)

// secretOfJWT is the secret of the seed secret-jwt.
const secretOfJWT = "a-secret-of-at-least-32-characters"

// seedKeys adds the clients that hold keys: -demo, since who runs this has their
// private keys, below -data.
func (o *options) seedKeys() error {
	problem := func(err error) error { return fmt.Errorf("-data %s: %w", o.data, err) }
	o.demoDir = filepath.Join(o.data, "demo")
	if _, err := os.Stat(o.demoDir); errors.Is(err, fs.ErrNotExist) {
		if err := makeDemoKeys(o.demoDir); err != nil {
			return problem(err)
		}
	}
	if err := checkDemoEnd(o.demoDir); err != nil {
		return problem(err)
	}
	if !o.seeded {
		return nil
	}
	jwt, err := readJWKS(o.demoDir, "jwt")
	if err != nil {
		return problem(err)
	}
	selfSigned, err := readJWKS(o.demoDir, "self-signed")
	if err != nil {
		return problem(err)
	}
	client := func(id string, method store.AuthMethod) store.Client {
		return store.Client{Metadata: store.Metadata{ID: id, GrantTypes: []string{"client_credentials"}, Scope: "api1", TokenEndpointAuthMethod: method}}
	}
	ofJWT, ofSecret := client("jwt", store.PrivateKeyJWT), client("secret-jwt", store.ClientSecretJWT)
	ofJWT.JWKS = jwt
	o.config.secrets[ofSecret.ID] = []configSecret{{Value: secretOfJWT}}
	ofCA, ofSelf := client("mtls", store.TLSClientAuth), client("self-signed", store.SelfSignedTLSClientAuth)
	ofCA.TLSSubjectDN, ofCA.TLSBoundAccessTokens = "CN=mtls,O=Demo", true
	ofSelf.JWKS, ofSelf.TLSBoundAccessTokens = selfSigned, true
	ofDPoP := client("dpop", "") // by client_secret_basic or client_secret_post
	ofDPoP.Secrets = []store.Secret{{Hash: store.HashSecret("secret"), Label: "seed"}}
	ofDPoP.DPoPBoundAccessTokens = true
	o.config.clients = append(o.config.clients, ofJWT, ofSecret, ofCA, ofSelf, ofDPoP)
	return nil
}

func readJWKS(dir, name string) (json.RawMessage, error) {
	content, err := os.ReadFile(filepath.Join(dir, name+"-jwks.json"))
	if err != nil {
		return nil, fmt.Errorf("%w; remove the folder demo, and it is made again", err)
	}
	return content, nil
}

// checkDemoEnd: all that is in the folder ends at once.
func checkDemoEnd(dir string) error {
	content, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return fmt.Errorf("%w; remove the folder demo, and it is made again", err)
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return errors.New("demo/ca.pem is not PEM; remove the folder demo, and it is made again")
	}
	ca, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil:
		return errors.New("demo/ca.pem is not a certificate; remove the folder demo, and it is made again")
	case time.Now().After(ca.NotAfter):
		return errors.New("the certificates in the folder demo have expired; remove it, and it is made again")
	}
	return nil
}
