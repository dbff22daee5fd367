package main

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// check holds what every page of the shop promises, in light and in dark.
func (tb *tab) check() {
	tb.t.Helper()
	for _, scheme := range []string{"dark", "light"} {
		call(tb, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		for _, fault := range eval[[]string](tb, checkScript) {
			tb.t.Errorf("%s, in %s: %s", tb.at(), scheme, fault)
		}
	}
}

// WCAG 2.2: 1.3.1 and 3.3.2 (labels), 1.4.3 (contrast), 1.4.10 (no scrolling
// sideways), 2.4.2 (title), 2.5.8 (the size of what is pressed), 3.1.1 (language).
const checkScript = `(() => {
	const faults = [], all = s => [...document.querySelectorAll(s)]
	const name = e => e.outerHTML.split('\n')[0].slice(0, 120)
	if (innerWidth !== 360) faults.push('the page is ' + innerWidth + ' pixels wide, not 360')
	if (document.documentElement.scrollWidth > 360) faults.push('it scrolls sideways: ' + document.documentElement.scrollWidth)
	if (!document.documentElement.lang) faults.push('it has no lang')
	if (!document.title.trim()) faults.push('it has no title')
	if (all('h1').length !== 1) faults.push('it has ' + all('h1').length + ' h1')
	if (all('main').length !== 1) faults.push('it has ' + all('main').length + ' main')
	if (all('script').length) faults.push('it has a script')
	const ids = all('[id]').map(e => e.id)
	if (new Set(ids).size !== ids.length) faults.push('an id is there twice: ' + ids)
	for (const e of all('[aria-describedby], [aria-labelledby]'))
		for (const id of ((e.getAttribute('aria-describedby') || '') + ' ' + (e.getAttribute('aria-labelledby') || '')).trim().split(/\s+/))
			if (!document.getElementById(id)) faults.push('nothing has the id ' + id + ' of ' + name(e))
	const targets = all('button, input:not([type=hidden]), select, textarea, a[href]').map(e => [e, e.getBoundingClientRect()])
	for (const [e, box] of targets) {
		if (box.left < 0 || box.right > 360) faults.push('it is beyond the edge: ' + name(e))
		if (box.height >= 24 && box.width >= 24) continue
		const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2] // a small link may stand apart
		const near = targets.some(([f, b]) => f !== e && Math.hypot(Math.max(b.left - x, 0, x - b.right), Math.max(b.top - y, 0, y - b.bottom)) < 12)
		if (!e.matches('a') || near) faults.push('it is ' + box.width + ' by ' + box.height + ' pixels: ' + name(e))
	}
	for (const e of all('input:not([type=hidden]), select, textarea'))
		if (![...e.labels].some(l => l.innerText.trim())) faults.push('it has no label: ' + name(e))
	for (const e of all('button, a[href]'))
		if (!(e.getAttribute('aria-label') || e.innerText).trim()) faults.push('it has no name: ' + name(e))
	const parse = c => (c.match(/[\d.]+/g) || []).map(Number)
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
	const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c } return [255, 255, 255] }
	for (const e of all('body *')) {
		if (!e.innerText || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue
		const [a, b] = [light(parse(getComputedStyle(e).color).slice(0, 3)), light(ground(e).slice(0, 3))]
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
		if (ratio < 4.5) faults.push('the contrast is ' + ratio.toFixed(2) + ': ' + name(e))
	}
	return faults
})()`

// screen writes what is seen into the folder that SCREENS names, if it does.
func (tb *tab) screen(name string) {
	tb.t.Helper()
	folder := os.Getenv("SCREENS")
	if folder == "" || !tb.way.scripts || tb.way.keyboard {
		return
	}
	picture, err := chromedp.Run(tb.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tb.t.Fatal(err)
	}
	seen, err := png.Decode(bytes.NewReader(picture))
	if err != nil || seen.Bounds().Dx() != 360 || seen.Bounds().Dy() != 740 || len(picture) > 60_000 {
		tb.t.Fatalf("the picture of %s has %d bytes and is not 360 by 740: %v", name, len(picture), err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		tb.t.Fatal(err)
	}
}

func call[P, R any](tb *tab, command cdp.Command[P, R], params P) {
	tb.t.Helper()
	if _, err := chromedp.Call(tb.ctx, command, params); err != nil {
		tb.t.Fatal(err)
	}
}
