package main

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
)

// way is how somebody uses the pages.
type way struct {
	how      string
	scripts  bool
	keyboard bool // and nothing else
}

// People meet the pages as they are, with JavaScript switched off, and without a
// mouse.
func TestChrome(t *testing.T) {
	chrome := startChrome(t)
	for _, walk := range []struct {
		name string
		walk func(*walker)
	}{
		{"an application gets a code from bob", allowTheApplication},
		{"a wrong password is said and nobody is in", mistakeThePassword},
		{"an application that bob refuses learns it", refuseTheApplication},
		{"an application that nobody knows gets nowhere", cameFromNowhere},
		{"bob lets a television in by its code", letTheTelevisionIn},
		{"a link with the code lets no television in", followTheLink},
		{"a television that bob refuses learns it", keepTheTelevisionOut},
		{"a code that bob mistypes is said", mistypeTheCode},
		{"bob allows what a till asks", answerTheTill},
		{"a till that bob refuses learns it", refuseTheTill},
		{"bob takes the access of an application away", takeAccessAway},
		{"who signs out is asked for the password again", signOut},
	} {
		for _, way := range []way{
			{how: "as the pages are", scripts: true},
			{how: "without JavaScript"},
			{how: "with the keyboard alone", scripts: true, keyboard: true},
		} {
			t.Run(walk.name+", "+way.how, func(t *testing.T) { walk.walk(newWalker(t, chrome, way)) })
		}
	}
}

// startChrome starts one browser, which ends with the test.
func startChrome(t *testing.T) context.Context {
	t.Helper()
	path := findChrome(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox) // nothing but pages of this test's own
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	chrome, _ := chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	if err := chromedp.Do(chrome); err != nil {
		t.Fatalf("%s does not start: %v", path, err)
	}
	t.Cleanup(func() {
		if err := chromedp.Cancel(chrome); err != nil {
			t.Errorf("%s does not end: %v", path, err)
		}
	})
	return chrome
}

func findChrome(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "NO BROWSER: neither chromium nor google-chrome is in PATH, so no page is tested in one; make engines installs it or says how"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}
