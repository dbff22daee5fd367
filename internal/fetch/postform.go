package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// PostForm sends a form with a client's credentials (RFC 6749 section 2.3.1: each
// encoded as in a form, then Basic) and returns the body of the answer: JSON as Get
// takes it, with status 200 and of at most limit octets. That it is JSON is not checked.
//
// The request must be one that may arrive twice: it is sent again if the server closed
// an idle connection at that moment.
//
// client is one of Guard.Client. The error wraps ErrRefused if the request may not be
// made; every other error is an outage, whatever the status, and wraps that of ctx if ctx
// has ended. None contains the credentials, the form, the path or query of the URL, or
// what the server sent but for the status.
func PostForm(ctx context.Context, client *http.Client, address, id, secret string, form url.Values, limit int64) (body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, refuseURL("cannot be parsed") // err quotes it
	}
	req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header["Idempotency-Key"] = []string{} // for net/http, which sends no such line
	resp, err := client.Do(req)
	if err != nil {
		return nil, describe(ctx, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return nil, errors.New("fetch: the server does not take the credentials (status 401)")
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("fetch: the server answered with status %d", resp.StatusCode)
	case !isJSON(resp.Header.Get("Content-Type")):
		return nil, fmt.Errorf("fetch: the media type of the answer is not JSON")
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, describe(ctx, err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("fetch: the body of the answer has more than %d octets", limit)
	}
	return body, nil
}
