// Package browsertest gives tests a real browser, and watches what its pages must not do.
package browsertest

import (
	"context"
	"net/url"
	"os"
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

// Browser is a headless Chromium; each tab of it has its own cookies, as two people have.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Start starts a browser that asks for pages in lang; without Chromium the test is skipped, and fails where CI=true.
func Start(t testing.TB, lang string) *Browser {
	t.Helper()
	path := needed.Program(t, "chromium", "chromium-browser", "google-chrome")
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("accept-lang", lang), chromedp.Flag("no-first-run", true))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return &Browser{t: t, ctx: ctx}
}

// Tab is one person before the browser. Its methods end the test when something does not come about.
type Tab struct {
	Context context.Context // of chromedp
	Home    string          // "http://host:port", the only place that a page may ask for anything

	t   testing.TB
	who string

	mu    sync.Mutex
	wrong []string // policy violations, script errors, foreign requests
}

// Open opens a page for somebody, with scripts switched off unless script. Everything that the page loads later must
// come from the same host.
func (b *Browser) Open(who, address string, script bool) *Tab {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.t.Cleanup(cancel)
	ctx, end := context.WithTimeout(ctx, 10*time.Minute)
	b.t.Cleanup(end)
	p := &Tab{t: b.t, who: who, Context: ctx, Home: u.Scheme + "://" + u.Host}
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
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
	p.Do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(address))
	return p
}

// hear collects what must not happen on any page.
func (p *Tab) hear(ev any) {
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
		if err != nil || u.Scheme+"://"+u.Host != p.Home && u.Scheme != "data" && u.Scheme != "about" {
			p.wrong = append(p.wrong, "foreign request: "+e.Request.URL)
		}
	}
}

// Clean fails the test when anything happened that must not.
func (p *Tab) Clean() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.wrong {
		p.t.Errorf("%s: %s", p.who, s)
	}
	p.wrong = nil
}

// Watched is Clean, and shows that it would have been noticed: the page is made to break its own policy.
func (p *Tab) Watched() {
	p.t.Helper()
	p.Clean()
	Value[bool](p, `(fetch('http://127.0.0.1:9/').catch(() => 0), setTimeout(() => { throw new Error('planted'); }), true)`)
	p.poll("a planted violation and a planted error are noticed", time.Minute, func() bool {
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

// Do takes steps, one after the other.
func (p *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.Context, steps...); err != nil {
		p.t.Fatalf("%s: %v", p.who, err)
	}
}

// Page opens a path of the same host.
func (p *Tab) Page(path string) {
	p.t.Helper()
	p.Do(chromedp.Navigate(p.Home + path))
}

// Press clicks what leads to another page, and waits for that page.
func (p *Tab) Press(css string) {
	p.t.Helper()
	if _, err := chromedp.RunResponse(p.Context, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible)); err != nil {
		p.t.Fatalf("%s: press %s: %v\n%s", p.who, css, err, Value[string](p, "document.body?.innerText ?? ''"))
	}
}

// Write types into a field.
func (p *Tab) Write(css, text string) {
	p.t.Helper()
	p.Do(chromedp.SendKeys(chromedp.CSS(css), text, chromedp.NodeVisible))
}

// Value reads from the page. DevTools may evaluate where the page's policy, or switched-off scripts, forbid it to the
// page itself.
func Value[T any](p *Tab, js string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.Context, chromedp.Evaluate[T](js))
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.who, js, err)
	}
	return v
}

// Until waits for a condition in the page.
func (p *Tab) Until(js string) {
	p.t.Helper()
	p.poll(js, time.Minute, func() bool { return Value[bool](p, "!!("+js+")") })
}

// Stays marks the page: as long as Stayed is true it was not loaded anew.
func (p *Tab) Stays() { p.t.Helper(); Value[bool](p, `(window.sameAsBefore = true)`) }

// Stayed reports whether the page is the one that Stays has marked.
func (p *Tab) Stayed() bool { p.t.Helper(); return Value[bool](p, `window.sameAsBefore === true`) }

// Shoot writes a picture of the page to a file: of what is on the screen, or of all of it.
func (p *Tab) Shoot(file string, all bool) {
	p.t.Helper()
	take := chromedp.CaptureScreenshot()
	if all {
		take = chromedp.FullScreenshot(100)
	}
	png, err := chromedp.Run(p.Context, take)
	if err == nil {
		err = os.WriteFile(file, png, 0o644) //nolint:gosec // pictures of made-up people, for the README
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *Tab) poll(what string, within time.Duration, ok func() bool) {
	p.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !ok(); <-tick.C {
		if time.Now().After(end) {
			p.t.Fatalf("%s: not within %v: %s\n%s", p.who, within, what, Value[string](p, "document.body?.innerText ?? ''"))
		}
	}
}
