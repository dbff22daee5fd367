package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a page of the browser as on a telephone, with cookies of its own.
type tab struct {
	t    *testing.T
	ctx  context.Context
	way  way
	shop string // whose pages are checked

	mu        sync.Mutex
	asked     []string // the origins that were sent something
	pages     []string // their addresses
	complains []string // of the console
}

// newTab opens a tab that may send requests to these origins and to no other.
func newTab(t *testing.T, chrome context.Context, way way, shop string, others ...string) *tab {
	t.Helper()
	tb := &tab{t: t, way: way, shop: shop}
	ctx, closeTab := chromedp.NewContext(chrome, chromedp.WithNewBrowserContext(), chromedp.WithListener(tb.hear))
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	var cancel context.CancelFunc
	tb.ctx, cancel = context.WithTimeout(ctx, time.Minute) // a page that does not come is a failure, not a hang
	t.Cleanup(cancel)
	tb.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	call(tb, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	call(tb, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !way.scripts})
	t.Cleanup(func() { tb.kept(append(others, shop)) })
	return tb
}

// hear collects what the browser tells.
func (tb *tab) hear(event any) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		tb.asked = append(tb.asked, origin(e.Request.URL))
		if e.Type == network.ResourceTypeDocument {
			tb.pages = append(tb.pages, e.Request.URL)
		}
	case *network.EventWebSocketCreated:
		tb.asked = append(tb.asked, origin(e.URL))
	case *runtime.EventExceptionThrown:
		tb.complains = append(tb.complains, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		tb.complains = append(tb.complains, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		// That a page itself came with the status 401 is said too, and is as it should be.
		if e.Entry.Source != log.EntrySourceNetwork || !slices.Contains(tb.pages, e.Entry.URL) || !strings.Contains(e.Entry.Text, "status of 4") {
			tb.complains = append(tb.complains, fmt.Sprintf("%s %s: %s (%s)", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	}
}

// kept: a page asks nobody but its own shop, and breaks no policy.
func (tb *tab) kept(origins []string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, asked := range tb.asked {
		if !slices.Contains(origins, asked) {
			tb.t.Errorf("a page sent a request to %s", asked)
		}
	}
	if !tb.t.Failed() && !slices.Contains(tb.asked, tb.shop) {
		tb.t.Error("no request was seen, not even to the shop")
	}
	for _, complaint := range tb.complains {
		tb.t.Errorf("the console has: %s", complaint)
	}
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}

func (tb *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	if err := chromedp.Do(tb.ctx, steps...); err != nil {
		tb.t.Fatalf("%v, at %s", err, tb.at())
	}
}

// load does what leads to another page, and checks that.
func (tb *tab) load(steps ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	if _, err := chromedp.RunResponse(tb.ctx, steps...); err != nil {
		tb.t.Fatalf("no page came: %v, at %s", err, tb.at())
	}
	if origin(tb.address()) == tb.shop {
		tb.check()
	}
}

func (tb *tab) open(address string) { tb.t.Helper(); tb.load(chromedp.Navigate(address)) }

// at is the path of the page, for messages: the rest of an address may be secret.
func (tb *tab) at() string {
	u, err := url.Parse(tb.address())
	if err != nil {
		return err.Error()
	}
	return u.Path
}

func (tb *tab) address() string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.ctx), 5*time.Second)
	defer cancel()
	address, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return address
}

// came returns the parameters that were brought to the application.
func (tb *tab) came(to string) url.Values {
	tb.t.Helper()
	u, err := url.Parse(tb.address())
	if err != nil || u.Scheme+"://"+u.Host+u.Path != to {
		tb.t.Fatalf("the browser is at %s and not at the application:\n%s", tb.at(), tb.text())
	}
	return u.Query()
}

func (tb *tab) text() string { tb.t.Helper(); return eval[string](tb, "document.body.innerText") }

func (tb *tab) shows(words ...string) {
	tb.t.Helper()
	text := tb.text()
	for _, word := range words {
		if !strings.Contains(text, word) {
			tb.t.Fatalf("the page %s does not show %q:\n%s", tb.at(), word, text)
		}
	}
}

func (tb *tab) has(selector string) bool {
	tb.t.Helper()
	return eval[bool](tb, fmt.Sprintf("document.querySelector(%q) !== null", selector))
}

func eval[T any](tb *tab, expression string) T {
	tb.t.Helper()
	value, err := chromedp.Run(tb.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		tb.t.Fatalf("%v, at %s", err, tb.at())
	}
	return value
}
