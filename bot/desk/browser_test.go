package desk

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"pulang/bot/needed"
	"pulang/flows"
)

var shots = flag.String("shots", "", "write screenshots of every page to this directory")

// chrome is a real browser on the desk.
type chrome struct {
	t   testing.TB
	ctx context.Context
	w   *world

	mu    sync.Mutex
	wrong []string // violations, errors and foreign requests
}

// startChrome starts a headless browser; without one the test is skipped, on CI it fails.
func startChrome(t *testing.T, w *world) *chrome {
	t.Helper()
	path := needed.Program(t, "chromium", "chromium-browser", "google-chrome")
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("no-first-run", true), chromedp.UserDataDir(t.TempDir()))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, end := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(end)
	c := &chrome{t: t, ctx: ctx, w: w}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, c.hear); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return c
}

// hear collects what must not happen on any page.
func (c *chrome) hear(ev any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := ev.(type) {
	case *cdplog.EventEntryAdded:
		if e.Entry.Source == "security" || strings.Contains(e.Entry.Text, "Content Security Policy") || strings.Contains(e.Entry.Text, "TrustedHTML") {
			c.wrong = append(c.wrong, "log: "+e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		c.wrong = append(c.wrong, "exception: "+e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, c.w.srv.URL) && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "about:") {
			c.wrong = append(c.wrong, "request: "+u)
		}
	}
}

func (c *chrome) clean() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.wrong {
		c.t.Error(s)
	}
}

func (c *chrome) do(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	if err := chromedp.Do(c.ctx, steps...); err != nil {
		c.t.Fatal(err)
	}
}

// page opens an address of the desk.
func (c *chrome) page(path string) { c.t.Helper(); c.do(chromedp.Navigate(c.w.srv.URL + path)) }

// press clicks what leads to another page and waits for it.
func (c *chrome) press(css string) {
	c.t.Helper()
	if _, err := chromedp.RunResponse(c.ctx, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible)); err != nil {
		c.t.Fatalf("press %s: %v", css, err)
	}
}

// eval reads a value from the page. DevTools may evaluate although the page's own policy forbids it to the page.
func eval[T any](c *chrome, js string) T {
	c.t.Helper()
	v, err := chromedp.Run(c.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		c.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// until waits for a condition in the page.
func (c *chrome) until(js string) {
	c.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !eval[bool](c, "!!("+js+")") {
		if time.Now().After(deadline) {
			c.t.Fatalf("not within 15 s: %s\n%s", js, eval[string](c, "document.body.innerText"))
		}
		if err := chromedp.Do(c.ctx, chromedp.Sleep(50*time.Millisecond)); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *chrome) signIn(name string) {
	c.t.Helper()
	c.page("/signin")
	c.do(chromedp.SendKeys(chromedp.ID("name"), name), chromedp.SendKeys(chromedp.ID("password"), password))
	c.press("form[action='/signin'] button")
}

// An officer sees a case appear without a reload, takes it, replies, closes it; nothing breaks the page's policy and
// no other host is asked for anything.
func TestInTheBrowser(t *testing.T) {
	w := newWorld(t)
	c := startChrome(t, w)
	c.signIn("officer")
	c.until(`document.querySelector('#list .empty')`)
	c.until(`document.querySelector('[data-live-mark]').textContent.includes('LANGSUNG')`)
	eval[bool](c, `window.same = true`)

	w.f.make(person{n: 1, ago: time.Minute, safety: "danger", says: []string{"tolong saya <img src=x onerror=alert(1)>"}, place: "Poipet", pref: ""})
	code := caseCode(1)
	c.until(`document.querySelector('[data-code="` + code + `"]')`)
	if !eval[bool](c, `window.same === true`) {
		t.Fatal("the page was loaded anew")
	}
	c.until(`document.body.classList.contains('alarm-on') && document.querySelector('[data-p1-unread]')`)

	// With somebody at work in the list nothing moves: the bar says that there is more.
	eval[bool](c, `document.querySelector('#list').dispatchEvent(new PointerEvent('pointermove', {bubbles: true}))`)
	w.f.make(person{n: 2, ago: time.Minute, safety: "safe", says: []string{"halo"}, pref: "call_anytime", number: "+85512345678"})
	c.until(`!document.querySelector('#newbar').hidden && document.querySelector('#newbar').textContent.includes('1 permintaan baru')`)
	if eval[bool](c, `!!document.querySelector('[data-code="`+caseCode(2)+`"]')`) {
		t.Error("a row moved under the hand")
	}
	c.do(chromedp.Click(chromedp.CSS("#newbar button"), chromedp.NodeVisible))
	c.until(`document.querySelector('[data-code="` + caseCode(2) + `"]')`)

	c.press("form[action='/next'] button")
	c.until(`document.querySelector('h1 .code').textContent === '` + code + `'`)
	c.until(`!document.querySelector('[data-p1-unread]')`)
	if n := eval[int](c, `document.querySelectorAll('.timeline img').length`); n != 0 {
		t.Errorf("%d elements out of a citizen's words", n)
	}

	// What the person writes appears below the eyes of the officer, and what is being typed stays.
	c.do(chromedp.SendKeys(chromedp.ID("replytext"), "KBRI sudah tahu"))
	c.until(`!document.querySelector('#replypeek [data-bad]').hidden`)
	w.f.hear(code, "saya di lantai tiga")
	c.until(`document.querySelector('#timeline').textContent.includes('lantai tiga')`)
	if v := eval[string](c, `document.querySelector('#replytext').value`); v != "KBRI sudah tahu" {
		t.Errorf("the draft became %q", v)
	}
	eval[bool](c, `(document.querySelector('#replytext').value = '', true)`)
	c.do(chromedp.SendKeys(chromedp.ID("replytext"), "Ok. Pesan sudah dibaca."))
	c.press("#reply form[action$='/reply'] button.go")
	c.until(`document.querySelector('#timeline').textContent.includes('Pesan sudah dibaca')`)

	eval[bool](c, `(document.querySelector('details[data-key=close]').open = true)`)
	eval[bool](c, `(document.querySelector('#as').value = 'referred', true)`)
	c.do(chromedp.SendKeys(chromedp.ID("csum"), "dirujuk"))
	c.press("#close button")
	c.until(`document.querySelector('.casehead').textContent.includes('DITUTUP')`)
	if w.f.cases[code].open().ClosedAs != "referred" {
		t.Error("not closed")
	}
	c.press("form[action='/signout'] button")
	c.until(`location.pathname === '/signin'`)
	if n := eval[int](c, `localStorage.length + sessionStorage.length`); n != 0 {
		t.Errorf("%d things left in the browser", n)
	}
	c.clean()
}

// A one-time link fills its form from the fragment, which never leaves the browser.
func TestLinkInTheBrowser(t *testing.T) {
	w := newWorld(t)
	a := w.f.accounts["sri"]
	a.Hash = ""
	w.f.accounts["sri"] = a
	token := NewToken()
	_ = w.f.NewLink(context.Background(), "sri", token, w.clock().Add(time.Hour))
	c := startChrome(t, w)
	c.do(chromedp.Navigate(Link(w.srv.URL, token)))
	c.until(`document.querySelector('#token').value === '` + token + `' && location.hash === ''`)
	c.do(chromedp.SendKeys(chromedp.ID("password"), "empat gajah putih"), chromedp.SendKeys(chromedp.ID("again"), "empat gajah putih"))
	c.press("form[action='/welcome'] button")
	c.until(`location.pathname === '/queue'`)
	c.clean()
}

// Every page, in both languages, on a telephone and on a desk: nothing is wider than the screen, every target is at
// least 24 px high (WCAG 2.2, 2.5.8; 1.4.10), and with -shots there are pictures to look at.
func TestPagesFit(t *testing.T) {
	w := newPair(t)
	w.f.seed()
	long, offered := caseCode(3), caseCode(2)
	w.f.make(person{n: 90, ago: time.Hour, safety: "watched", needs: []flows.Value{"sick"}, place: "Poipet", says: []string{"kami dipindah ke seberang sungai tadi malam"}})
	w.f.offer(offered, "kh", "mm", "Orangnya menulis bahwa ia sudah menyeberang ke Myawaddy; keluarganya menunggu di sana.")
	w.f.offer(caseCode(90), "mm", "kh", "Orangnya sudah di Poipet, di pihak Kamboja.")
	c := startChrome(t, w)
	pages := map[string][]string{
		"supervisor": {"/queue", "/case/" + caseCode(1), "/case/" + offered, "/offers", "/offers/" + caseCode(90), "/case/" + long, "/case/" + long + "?edit=urgent_needs", "/case/" + long + "/print", "/mine", "/scheduled", "/registered", "/new", "/letters", "/asides", "/board", "/account"},
		"admin":      {"/channels", "/staff"},
		"auditor":    {"/audit"},
	}
	for _, who := range []string{"supervisor", "admin", "auditor"} {
		c.signIn(who)
		if who == "supervisor" {
			c.page("/case/" + long)
			c.press("form[action$='/claim'] button")
			c.press("form[action$='/call'] button")
		}
		for _, lang := range []string{"id", "en"} {
			c.press("form[action='/lang'] button[value=" + lang + "]")
			for _, path := range pages[who] {
				for _, width := range []int64{320, 1440} {
					c.do(chromedp.EmulateViewport(width, 900))
					c.page(path)
					name := fmt.Sprintf("%s-%s-%d", strings.Trim(strings.NewReplacer("/", "_", "?", "_", "=", "_").Replace(path), "_"), lang, width)
					if over := eval[int](c, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 1 {
						wide := eval[string](c, `Array.from(document.querySelectorAll('body *')).filter(n => n.getBoundingClientRect().right > innerWidth + 1 && !n.closest('.scroll')).slice(0, 4).map(n => n.tagName + '.' + n.className + ' ' + n.textContent.slice(0, 40)).join(' | ')`)
						t.Errorf("%s is %d px too wide: %s", name, over, wide)
					}
					small := eval[string](c, `Array.from(document.querySelectorAll('button, select, input:not([type=hidden]):not([type=checkbox]):not([type=radio]), .button, nav a, summary')).filter(n => n.checkVisibility() && !n.closest('.sr') && !n.classList.contains('sr')).filter(n => { const r = n.getBoundingClientRect(); return r.height < 24 || r.width < 24; }).slice(0, 4).map(n => n.outerHTML.slice(0, 90)).join(' | ')`)
					if small != "" {
						t.Errorf("%s: small targets: %s", name, small)
					}
					unnamed := eval[string](c, `Array.from(document.querySelectorAll('input:not([type=hidden]):not([hidden]), select, textarea')).filter(n => !n.labels.length && !n.getAttribute('aria-label')).map(n => n.outerHTML.slice(0, 90)).join(' | ')`)
					if unnamed != "" {
						t.Errorf("%s: fields without a label: %s", name, unnamed)
					}
					double := eval[string](c, `(() => { const seen = {}; return Array.from(document.querySelectorAll('[id]')).map(n => n.id).filter(i => seen[i] || !(seen[i] = 1)).join(' '); })()`)
					if double != "" {
						t.Errorf("%s: ids used twice: %s", name, double)
					}
					if *shots != "" {
						png, err := chromedp.Run(c.ctx, chromedp.FullScreenshot(100))
						if err == nil {
							err = os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o600)
						}
						if err != nil {
							t.Error(err)
						}
					}
				}
			}
		}
		c.do(chromedp.EmulateViewport(1440, 900))
		c.press("form[action='/signout'] button")
	}
	c.clean()
}
