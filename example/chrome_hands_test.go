package main

import (
	"fmt"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// fill types into a field.
func (tb *tab) fill(selector, text string) {
	tb.t.Helper()
	if tb.way.keyboard {
		tb.tabTo(selector)
	} else {
		tb.do(chromedp.Click(chromedp.CSS(selector)))
	}
	tb.do(chromedp.KeyEvent(text))
}

// press uses a button, and another page comes.
func (tb *tab) press(selector string) { tb.t.Helper(); tb.use(selector, " ") }

// follow uses a link.
func (tb *tab) follow(selector string) { tb.t.Helper(); tb.use(selector, kb.Enter) }

func (tb *tab) use(selector, key string) {
	tb.t.Helper()
	if tb.way.keyboard {
		tb.tabTo(selector)
		tb.load(chromedp.KeyEvent(key))
		return
	}
	tb.load(chromedp.Click(chromedp.CSS(selector)))
}

// enter sends the form of the field that was filled last.
func (tb *tab) enter() { tb.t.Helper(); tb.load(chromedp.KeyEvent(kb.Enter)) }

// tabTo goes to an element as a keyboard does, and sees on the way where it is.
func (tb *tab) tabTo(selector string) {
	tb.t.Helper()
	for range 50 {
		focus := eval[struct{ Element, Problem string }](tb, focusScript)
		if focus.Problem != "" {
			tb.t.Errorf("at %s nobody sees that the keyboard is at %s: %s", tb.at(), focus.Element, focus.Problem)
		}
		if eval[bool](tb, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			return
		}
		tb.do(chromedp.KeyEvent(kb.Tab))
	}
	tb.t.Fatalf("the keyboard does not reach %s at %s", selector, tb.at())
}

// Between the last element and the first the keyboard is at the browser's own.
const focusScript = `(() => {
	const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect(), problems = []
	if (e !== document.body) {
		if (!e.matches(':focus-visible')) problems.push('it is not :focus-visible')
		if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) problems.push('its outline is ' + style.outline)
		if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) problems.push('it is out of sight')
	}
	return {Element: e.outerHTML.split('\n')[0].slice(0, 120), Problem: problems.join(', ')}
})()`
