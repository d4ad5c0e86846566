package main

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"pulang/bot/needed"
)

// browser is a real browser; each tab of it has its own cookies, as two people have.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := needed.Program(t, "chromium", "chromium-browser", "google-chrome")
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("accept-lang", "id"), chromedp.Flag("no-first-run", true), chromedp.UserDataDir(t.TempDir()))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, ctx: ctx}
}

// tab is one person before the browser.
type tab struct {
	t    *testing.T
	who  string
	ctx  context.Context
	home string // the only host that a page may ask for anything

	mu    sync.Mutex
	wrong []string // policy violations, script errors, foreign requests
}

// tab opens a page for somebody. Everything that the page loads later must come from the same host.
func (b *browser) tab(who, address string, script bool) *tab {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.t.Cleanup(cancel)
	ctx, end := context.WithTimeout(ctx, 4*time.Minute)
	b.t.Cleanup(end)
	p := &tab{t: b.t, who: who, ctx: ctx, home: u.Host}
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		b.t.Fatal(err)
	}
	// A click goes to where the button is: nothing glides.
	calm := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, calm); err != nil {
		b.t.Fatal(err)
	}
	if !script {
		off := emulation.SetScriptExecutionDisabledParams{Value: true}
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, off); err != nil {
			b.t.Fatal(err)
		}
	}
	p.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(address))
	return p
}

// hear collects what must not happen on any page.
func (p *tab) hear(ev any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := ev.(type) {
	case *cdplog.EventEntryAdded:
		if t := e.Entry.Text; e.Entry.Source == "security" || strings.Contains(t, "Content Security Policy") || strings.Contains(t, "TrustedHTML") {
			p.wrong = append(p.wrong, "violation: "+t)
		}
	case *runtime.EventExceptionThrown:
		p.wrong = append(p.wrong, "script error: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "assert" {
			p.wrong = append(p.wrong, "script error on the console")
		}
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Host != p.home && u.Scheme != "data" && u.Scheme != "about" {
			p.wrong = append(p.wrong, "foreign request: "+e.Request.URL)
		}
	}
}

// clean fails the test when anything happened that must not.
func (p *tab) clean() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.wrong {
		p.t.Errorf("%s: %s", p.who, s)
	}
	p.wrong = nil
}

// watched is clean, and shows that it would have been noticed: the page is made to break its own policy.
func (p *tab) watched() {
	p.t.Helper()
	p.clean()
	value[bool](p, `(fetch('http://127.0.0.1:9/').catch(() => 0), setTimeout(() => { throw new Error('planted'); }), true)`)
	deadline(p.t, 15*time.Second, p.who+": a planted violation and a planted error are noticed", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		all := strings.Join(p.wrong, "\n")
		if !strings.Contains(all, "violation: ") || !strings.Contains(all, "script error: ") {
			return false
		}
		p.wrong = nil
		return true
	})
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatalf("%s: %v", p.who, err)
	}
}

// press clicks what leads to another page, and waits for that page.
func (p *tab) press(css string) {
	p.t.Helper()
	if _, err := chromedp.RunResponse(p.ctx, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible)); err != nil {
		p.t.Fatalf("%s: press %s: %v\n%s", p.who, css, err, value[string](p, "document.body.innerText"))
	}
}

// write types into a field.
func (p *tab) write(css, text string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS(css), text, chromedp.NodeVisible))
}

// value reads from the page. DevTools may evaluate where the page's policy, or switched-off scripts, forbid it to
// the page itself.
func value[T any](p *tab, js string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.who, js, err)
	}
	return v
}

// until waits for a condition in the page.
func (p *tab) until(js string) {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); !value[bool](p, "!!("+js+")"); wait(p.t.Context(), 50*time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%s: not within 30 s: %s\n%s", p.who, js, value[string](p, "document.body.innerText"))
		}
	}
}

// sees waits for words on the page.
func (p *tab) sees(words string) {
	p.t.Helper()
	p.until("document.body.innerText.includes(" + quoted(words) + ")")
}

// stays marks the page: as long as stayed is true it was not loaded anew.
func (p *tab) stays()       { value[bool](p, `(window.sameAsBefore = true)`) }
func (p *tab) stayed() bool { return value[bool](p, `window.sameAsBefore === true`) }
