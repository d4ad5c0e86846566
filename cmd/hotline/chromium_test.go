package main

import (
	"testing"

	"pulang/bot/browsertest"
)

// browser is a real browser whose people read Indonesian.
type browser struct {
	t *testing.T
	*browsertest.Browser
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	return &browser{t: t, Browser: browsertest.Start(t, "id")}
}

// tab is a citizen or an officer before the browser.
type tab struct {
	t *testing.T
	*browsertest.Tab
}

func (b *browser) tab(who, address string, script bool) *tab {
	b.t.Helper()
	return &tab{t: b.t, Tab: b.Open(who, address, script)}
}

func value[T any](p *tab, js string) T { p.t.Helper(); return browsertest.Value[T](p.Tab, js) }

// sees waits for words on the page.
func (p *tab) sees(words string) {
	p.t.Helper()
	p.Until("document.body.innerText.includes(" + quoted(words) + ")")
}
