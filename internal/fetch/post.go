package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const maxBody = 4 << 10 // octets of an answer that are read, for the sake of the connection

// Post sends a JSON body with a bearer token (RFC 6750 section 2.1) and returns the
// status of the answer, whichever it is; 0 if there was none. Up to 4 KiB of the
// answer's body are read and thrown away. If it stops before that without an end,
// the result is the status and an error.
//
// client is one of Guard.Client. The error wraps ErrRefused if the request may not be
// made; every other error is an outage, and wraps that of ctx if ctx has ended. None
// contains the token, the body, the path or query of the URL, or what the server sent.
func Post(ctx context.Context, client *http.Client, url, bearer string, body []byte) (status int, err error) {
	if !isToken(bearer) {
		return 0, fmt.Errorf("%w: the bearer token has characters that none has", ErrRefused)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, refuseURL("cannot be parsed") // err quotes it
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, describe(ctx, err)
	}
	defer resp.Body.Close()
	if _, err := io.CopyN(io.Discard, resp.Body, maxBody); err != nil && err != io.EOF {
		return resp.StatusCode, describe(ctx, err)
	}
	return resp.StatusCode, nil
}

// isToken reports whether s is a b64token (RFC 6750 section 2.1).
func isToken(s string) bool {
	s = strings.TrimRight(s, "=")
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~+/", r))
	})
}
