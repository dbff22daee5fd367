package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const maxDocument = 256 << 10 // octets

// ErrAnswer says that the server is there and answers, but not with a document as
// Get wants it. It is not an outage.
var ErrAnswer = errors.New("fetch: not the document that was asked for")

// Get returns a JSON document: the body of an answer with status 200 and the media type
// application/json or one that ends in +json, of at most limit octets, 256 KiB if limit
// is 0. That it is JSON is not checked.
//
// maxAge is what the answer's Cache-Control says of how long it may be used (RFC 9111
// section 5.2.2), 0 if it may not without asking again, negative if it says nothing. It
// may be any number of years: the caller bounds it.
//
// client is one of Guard.Client. The error wraps ErrRefused if the request may not be
// made, and ErrAnswer if the answer is something else; the statuses 408, 425, 429 and
// from 500 on are outages, and so is every other error, which wraps that of ctx if ctx
// has ended. None contains the path or query of the URL, or what the server sent but
// for the status.
func Get(ctx context.Context, client *http.Client, url string, limit int64) (body []byte, maxAge time.Duration, err error) {
	if limit == 0 {
		limit = maxDocument
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, 0, refuseURL("cannot be parsed") // err quotes it
	}
	req.Header.Set("Accept", "application/json, application/*+json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, 0, describe(ctx, err)
	}
	defer resp.Body.Close()
	switch {
	case passing(resp.StatusCode):
		return nil, 0, fmt.Errorf("fetch: the server answered with status %d", resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, 0, fmt.Errorf("%w: the status is %d", ErrAnswer, resp.StatusCode)
	case !isJSON(resp.Header.Get("Content-Type")):
		return nil, 0, fmt.Errorf("%w: the media type is not JSON", ErrAnswer)
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, 0, describe(ctx, err)
	}
	if int64(len(body)) > limit {
		return nil, 0, fmt.Errorf("%w: the body has more than %d octets", ErrAnswer, limit)
	}
	return body, maxAgeOf(resp.Header), nil
}

// passing reports whether a status says that another time might be better.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

func isJSON(contentType string) bool {
	name, _, err := mime.ParseMediaType(contentType) // in lower case
	return err == nil && (name == "application/json" || strings.HasSuffix(name, "+json"))
}

// maxAgeOf returns the least that is said.
func maxAgeOf(header http.Header) time.Duration {
	const most = 1 << 31 // seconds (RFC 9111 section 1.2.2)
	age := time.Duration(-1)
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		var seconds uint64
		switch strings.ToLower(name) {
		default:
			continue
		case "no-store", "no-cache": // for the latter, some servers name header fields as its value
		case "max-age":
			n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 64)
			if err != nil && !errors.Is(err, strconv.ErrRange) {
				n = 0 // not to be read: it is stale
			}
			seconds = min(n, most)
		}
		if said := time.Duration(seconds) * time.Second; age < 0 || said < age {
			age = said
		}
	}
	return age
}
