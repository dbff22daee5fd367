package main

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// browser is somebody at a browser, who goes where forms and redirects lead as
// long as that is the shop.
type browser struct {
	t      *testing.T
	client *http.Client
	at     string // the address of the page
	page   string
	status int
	left   *url.URL // where the shop sent the browser away to
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Hostname() != "127.0.0.1" {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

func (b *browser) read(response *http.Response, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at, b.page, b.status, b.left = response.Request.URL.String(), string(body), response.StatusCode, nil
	if location, err := response.Location(); err == nil {
		b.left = location
	}
}

func (b *browser) open(address string) { b.t.Helper(); b.read(b.client.Get(address)) }

// submit sends the form of the page, with what its hidden fields hold.
func (b *browser) submit(fields ...string) {
	b.t.Helper()
	form := url.Values{}
	for _, field := range regexp.MustCompile(`name="(\w+)" value="([^"]*)"`).FindAllStringSubmatch(b.page, -1) {
		if field[1] == "csrf" {
			form.Set(field[1], html.UnescapeString(field[2]))
		}
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	b.read(b.client.PostForm(b.at, form))
}

func (b *browser) shows(status int, words string) {
	b.t.Helper()
	if b.status != status || !strings.Contains(b.page, words) {
		b.t.Fatalf("status %d, and the page does not show %q:\n%s", b.status, words, b.page)
	}
}

// came returns the parameters that the browser brought to the application.
func (b *browser) came(to string) url.Values {
	b.t.Helper()
	if b.left == nil || b.left.Scheme+"://"+b.left.Host+b.left.Path != to {
		b.t.Fatalf("the browser is at %v, status %d, and not on its way to %s:\n%s", b.left, b.status, to, b.page)
	}
	return b.left.Query()
}
