package desk

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"pulang/bot"
	"pulang/bot/browsertest"
	"pulang/flows"
	"pulang/flows/casework"
)

var shots = flag.String("shots", "", "write screenshots of every page to this directory")

// chrome is a real browser on the desk.
type chrome struct {
	t testing.TB
	*browsertest.Tab
}

// startChrome opens the desk's sign-in page.
func startChrome(t *testing.T, w *world) *chrome {
	t.Helper()
	return &chrome{t: t, Tab: browsertest.Start(t, "en").Open("officer", w.srv.URL+"/signin", true)}
}

func eval[T any](c *chrome, js string) T { c.t.Helper(); return browsertest.Value[T](c.Tab, js) }

// shoot writes a picture of the whole page where -shots asks for pictures.
func (c *chrome) shoot(name string) {
	c.t.Helper()
	if *shots != "" {
		c.Shoot(filepath.Join(*shots, name+".png"), true)
	}
}

func (c *chrome) signIn(name string) {
	c.t.Helper()
	c.Page("/signin")
	c.Do(chromedp.SendKeys(chromedp.ID("name"), name), chromedp.SendKeys(chromedp.ID("password"), password))
	c.Press("form[action='/signin'] button")
}

// An officer sees a case appear without a reload, takes it, replies, closes it; nothing breaks the page's policy and
// no other host is asked for anything.
func TestInTheBrowser(t *testing.T) {
	w := newWorld(t)
	c := startChrome(t, w)
	c.signIn("officer")
	c.Until(`document.querySelector('#list .empty')`)
	c.Until(`document.querySelector('[data-live-mark]').textContent.includes('LANGSUNG')`)
	eval[bool](c, `window.same = true`)

	w.f.make(person{n: 1, ago: time.Minute, safety: "danger", says: []string{"tolong saya <img src=x onerror=alert(1)>"}, place: "Poipet", pref: ""})
	code := caseCode(1)
	c.Until(`document.querySelector('[data-code="` + code + `"]')`)
	if !eval[bool](c, `window.same === true`) {
		t.Fatal("the page was loaded anew")
	}
	c.Until(`document.body.classList.contains('alarm-on') && document.querySelector('[data-p1-unread]')`)

	// With somebody at work in the list nothing moves: the bar says that there is more.
	eval[bool](c, `document.querySelector('#list').dispatchEvent(new PointerEvent('pointermove', {bubbles: true}))`)
	w.f.make(person{n: 2, ago: time.Minute, safety: "safe", says: []string{"halo"}, pref: "call_anytime", number: "+85512345678"})
	c.Until(`!document.querySelector('#newbar').hidden && document.querySelector('#newbar').textContent.includes('1 permintaan baru')`)
	if eval[bool](c, `!!document.querySelector('[data-code="`+caseCode(2)+`"]')`) {
		t.Error("a row moved under the hand")
	}
	c.Do(chromedp.Click(chromedp.CSS("#newbar button"), chromedp.NodeVisible))
	c.Until(`document.querySelector('[data-code="` + caseCode(2) + `"]')`)

	c.Press("form[action='/next'] button")
	c.Until(`document.querySelector('h1 .code').textContent === '` + code + `'`)
	c.Until(`!document.querySelector('[data-p1-unread]')`)
	if n := eval[int](c, `document.querySelectorAll('.timeline img').length`); n != 0 {
		t.Errorf("%d elements out of a citizen's words", n)
	}

	// What the person writes appears below the eyes of the officer, and what is being typed stays.
	c.Do(chromedp.SendKeys(chromedp.ID("replytext"), "KBRI sudah tahu"))
	c.Until(`!document.querySelector('#replypeek [data-bad]').hidden`)
	w.f.hear(code, "saya di lantai tiga")
	c.Until(`document.querySelector('#timeline').textContent.includes('lantai tiga')`)
	if v := eval[string](c, `document.querySelector('#replytext').value`); v != "KBRI sudah tahu" {
		t.Errorf("the draft became %q", v)
	}
	eval[bool](c, `(document.querySelector('#replytext').value = '', true)`)
	c.Do(chromedp.SendKeys(chromedp.ID("replytext"), "Ok. Pesan sudah dibaca."))
	c.Press("#reply form[action$='/reply'] button.go")
	c.Until(`document.querySelector('#timeline').textContent.includes('Pesan sudah dibaca')`)

	eval[bool](c, `(document.querySelector('details[data-key=close]').open = true)`)
	eval[bool](c, `(document.querySelector('#as').value = 'referred', true)`)
	c.Do(chromedp.SendKeys(chromedp.ID("csum"), "dirujuk"))
	c.Press("#close button")
	c.Until(`document.querySelector('.casehead').textContent.includes('DITUTUP')`)
	if w.f.cases[code].open().ClosedAs != "referred" {
		t.Error("not closed")
	}
	c.Press("form[action='/signout'] button")
	c.Until(`location.pathname === '/signin'`)
	if n := eval[int](c, `localStorage.length + sessionStorage.length`); n != 0 {
		t.Errorf("%d things left in the browser", n)
	}
	c.Clean()
}

// A long note outlives the session: nothing of the case stays on the screen, the words do, and go as soon as the officer
// has signed in again in another window.
func TestDraftOutlivesTheSession(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Minute, safety: "safe", says: []string{"tolong, saya di Poipet"}, pref: "text_only"})
	code := caseCode(1)
	c := startChrome(t, w)
	c.signIn("officer")
	c.Page("/case/" + code)
	c.Until(`document.querySelector('[data-live-mark]').textContent.includes('LANGSUNG')`)
	c.Do(chromedp.SendKeys(chromedp.ID("note"), "Keluarganya di Cilacap sudah tahu."))
	w.advance(25 * time.Minute)
	w.f.hear(code, "halo?")
	c.Until(`document.querySelector('#lost').innerText.includes('BELUM TERSIMPAN')`)
	if s := eval[string](c, `document.title + document.body.innerText`); strings.Contains(s, "Poipet") || strings.Contains(s, code) || !strings.Contains(s, "BELUM TERSIMPAN") {
		t.Errorf("on the screen after the session:\n%s", s)
	}
	if !eval[bool](c, `document.querySelector('#lost a').target === '_blank'`) {
		t.Error("signing in would take the draft away")
	}
	c.shoot("session-over")
	w.advance(-25 * time.Minute) // signed in again in another window
	c.Press("form[action$='/note'] button")
	c.Until(`document.querySelector('#timeline') && document.querySelector('#timeline').textContent.includes('Cilacap')`)

	// With nothing typed the page goes.
	w.advance(25 * time.Minute)
	w.f.hear(code, "halo??")
	c.Until(`location.pathname === '/signin'`)
	c.Clean()
}

// A case that a colleague changed is shown anew around what is being typed.
func TestDraftOutlivesAChange(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Minute, safety: "safe", says: []string{"saya di Poipet"}, pref: "call_anytime", number: "+85512345678"})
	code := caseCode(1)
	c := startChrome(t, w)
	c.signIn("officer")
	c.Page("/case/" + code)
	c.Press("form[action$='/claim'] button")
	c.Until(`document.querySelector('#replytext')`)
	c.Until(`document.querySelector('[data-live-mark]').textContent.includes('LANGSUNG')`)
	c.Do(chromedp.SendKeys(chromedp.ID("note"), "Paman yang menjemput"), chromedp.SendKeys(chromedp.ID("replytext"), "Baik, besok"))
	w.as("supervisor").get("/case/"+code).submit("/case/"+code+"/class", "class", "P2", "reason", "sendirian").want(200)
	c.Until(`!document.querySelector('#newbar').hidden`)
	c.Do(chromedp.Click(chromedp.CSS("#newbar button"), chromedp.NodeVisible))
	c.Until(`document.querySelector('h1 .cls').textContent === 'P2'`)
	if v := eval[string](c, `document.querySelector('#note').value + '|' + document.querySelector('#replytext').value`); v != "Paman yang menjemput|Baik, besok" {
		t.Errorf("the drafts became %q", v)
	}

	// Saving one of them asks first, because the other would be lost; the one alone does not.
	leaves := func(form string) bool {
		return eval[bool](c, `(document.querySelector("form[action$='`+form+`']").dispatchEvent(new SubmitEvent('submit', {bubbles: true, cancelable: true})),
			window.dispatchEvent(new Event('beforeunload', {cancelable: true})))`)
	}
	if leaves("/note") {
		t.Error("the reply would be lost without a word")
	}
	eval[bool](c, `(document.querySelector('#replytext').value = '', true)`)
	if !leaves("/note") {
		t.Error("asked for nothing")
	}
	eval[bool](c, `(document.querySelector('#replytext').value = 'Baik, besok', true)`)

	// What has no form any more, because the case is somebody else's now, stands at the top.
	w.as("supervisor").get("/case/"+code).submit("/case/"+code+"/takeover", "reason", "pergantian").want(200)
	c.Until(`!document.querySelector('#newbar').hidden`)
	c.Do(chromedp.Click(chromedp.CSS("#newbar button"), chromedp.NodeVisible))
	c.Until(`!document.querySelector('#replytext')`)
	if v := eval[string](c, `document.querySelector('#note').value + '|' + document.querySelector('pre.kept').textContent`); v != "Paman yang menjemput|Baik, besok" {
		t.Errorf("the drafts became %q", v)
	}
	c.Clean()
}

// A form that was not done leaves the page of the case: it goes on listening, and what is typed is not sent again by it.
func TestLiveAfterARefusedForm(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Minute, safety: "safe", says: []string{"saya di Poipet"}, pref: "text_only"})
	code := caseCode(1)
	c := startChrome(t, w)
	c.signIn("officer")
	c.Page("/case/" + code)
	c.Do(chromedp.SendKeys(chromedp.ID("note"), " "))
	c.Press("form[action$='/note'] button")
	c.Until(`document.querySelector('#bad')`)
	c.Until(`document.querySelector('[data-live-mark]').textContent.includes('LANGSUNG')`)
	eval[bool](c, `window.same = true`)
	c.Do(chromedp.SendKeys(chromedp.ID("note"), "Paman yang menjemput"))
	w.f.hear(code, "halo dari Bavet")
	c.Until(`document.querySelector('#timeline').textContent.includes('Bavet')`)
	if v := eval[string](c, `document.querySelector('#note').value.trim() + '|' + window.same + '|' + location.pathname`); v != "Paman yang menjemput|true|/case/"+code {
		t.Error(v)
	}
}

// What is typed for one of several forms of a kind stays with that one when the case is drawn anew, and so does a choice.
func TestDraftStaysInItsForm(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Minute, safety: "safe", says: []string{"saya di Poipet"}, pref: "call_anytime", number: "+85512345678"})
	code := caseCode(1)
	w.f.mu.Lock()
	for _, id := range []string{"01HELDA", "01HELDB"} {
		w.f.rows[id] = &bot.Row{ID: id, Line: "kh", CaseID: w.f.cases[code].open().ID, State: bot.RowHeld, Why: "next_message", By: "sri", Kind: "officer",
			Out: bot.Outgoing{Text: "Ok."}, CreatedAt: w.clock()}
	}
	w.f.mu.Unlock()
	c := startChrome(t, w)
	c.signIn("supervisor")
	c.Page("/case/" + code)
	c.Press("form[action$='/claim'] button")
	c.Until(`document.querySelector('#replytext')`)
	c.Until(`document.querySelector('[data-live-mark]').textContent.includes('LANGSUNG')`)
	eval[bool](c, `(document.querySelector('details[data-key=close]').open = true,
		document.querySelector('#as').value = 'referred', document.querySelector('#csum').value = 'dirujuk', document.querySelector('#r01HELDB').value = 'ia menelepon', true)`)
	w.as("supervisor").get("/case/"+code).submit("/case/"+code+"/class", "class", "P2", "reason", "sendirian").want(200)
	c.Until(`!document.querySelector('#newbar').hidden`)
	c.Do(chromedp.Click(chromedp.CSS("#newbar button"), chromedp.NodeVisible))
	c.Until(`document.querySelector('h1 .cls').textContent === 'P2'`)
	if v := eval[string](c, `['as', 'csum', 'r01HELDA', 'r01HELDB'].map((id) => document.getElementById(id).value).join('|')`); v != "referred|dirujuk||ia menelepon" {
		t.Errorf("they became %q", v)
	}
	c.Clean()
}

// Ringing leaves no page, though the browser says so: nobody is asked about what is typed while they dial.
func TestDiallingAsksNothing(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Minute, safety: "safe", says: []string{"saya di Poipet"}, pref: "call_anytime", number: "+85512345678"})
	c := startChrome(t, w)
	c.signIn("officer")
	c.Page("/case/" + caseCode(1))
	c.Press("form[action$='/claim'] button")
	c.Until(`document.querySelector('#call form[action$="/call"]')`)
	c.Press("#call form[action$='/call'] button.big")
	c.Until(`document.querySelector('.dial a')`)
	c.Do(chromedp.SendKeys(chromedp.ID("onote"), "berdering"))
	// The browser's own question would stand in the way of the test: what leads to it is sent by hand.
	const leaves = `!window.dispatchEvent(new Event('beforeunload', {cancelable: true}))`
	if !eval[bool](c, leaves) {
		t.Error("whoever leaves with something typed is not asked")
	}
	const rings = `(document.addEventListener('click', (e) => e.preventDefault(), {once: true}), document.querySelector(".dial a[href^='tel:']").click(), true)`
	if eval[bool](c, rings+" && "+leaves) {
		t.Error("asked before it rings")
	}
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
	c.Do(chromedp.Navigate(Link(w.srv.URL, token)))
	c.Until(`document.querySelector('#token').value === '` + token + `' && location.hash === ''`)
	c.Do(chromedp.SendKeys(chromedp.ID("password"), "empat gajah putih"), chromedp.SendKeys(chromedp.ID("again"), "empat gajah putih"))
	c.Press("form[action='/welcome'] button")
	c.Until(`location.pathname === '/queue'`)
	c.Clean()
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
	w.f.factors["sri"] = bot.Factor{ID: "1", Secret: "KEY", Reset: &bot.FactorReset{By: "budi", Until: w.clock().Add(time.Hour)}}
	_ = w.f.AskErase(context.Background(), "kh", bot.EraseAsk{Code: long, By: "sri", Reason: "Orangnya sendiri yang meminta, lewat telepon kemarin sore.", At: w.clock(), Until: w.clock().Add(bot.EraseAskLife)}, bot.Audit{})
	_ = w.f.AskBroadcast(context.Background(), "kh", bot.Broadcast{ID: "b1", By: "sri", At: w.clock(), Until: w.clock().Add(time.Hour),
		Texts: map[string]string{"id": "Halo. Batas waktu lapor diri diperpanjang sampai akhir bulan.\n" + strings.Repeat("panjangsekali", 20)},
		Reach: bot.Reach{Now: 40, Later: 2, Not: map[string]int{"not_safe": 7, "channel": 3}}, To: casework.Audience{Classes: []casework.Class{casework.P3}}}, bot.Audit{})
	w.f.exports = []bot.ExportAsk{
		{ID: "ABC234", Mission: "kh", Kind: "nominal", From: "2026-11-16", To: "2026-11-20", Reason: "Daftar nominatif untuk pengajuan SPLP gelombang kedua, diserahkan kepada imigrasi.", By: "sri", At: w.clock(), State: bot.ExportAsked, Until: w.clock().Add(bot.ExportLife)},
		{ID: "DEF567", Mission: "kh", Kind: "shelter", Reason: "Pembagian kamar malam ini.", By: "supervisor", At: w.clock(), State: bot.ExportAsked, Until: w.clock().Add(bot.ExportLife)},
		{ID: "GHJ345", Mission: "kh", Kind: "waiver", From: "2026-11-16", Reason: "Keringanan denda untuk imigrasi setempat.", By: "supervisor", At: w.clock(), State: bot.ExportAllowed, Second: "admin", Until: w.clock().Add(bot.ExportLife)},
		{ID: "MNP789", Mission: "kh", Kind: "manifest", Reason: "Serah terima di bandara, penerbangan besok pagi.", By: "supervisor", At: w.clock(), State: bot.ExportWithdrawn, Until: w.clock().Add(bot.ExportLife)},
		{ID: "PQR892", Mission: "kh", Kind: "splp", Reason: "Pengajuan SPLP gelombang ketiga.", By: "supervisor", At: w.clock(), State: bot.ExportTaken, Second: "admin", Until: w.clock().Add(bot.ExportLife)},
		{ID: "KLM678", Mission: "kh", Kind: "operational", Reason: "Serah terima malam.", By: "sri", At: w.clock(), State: bot.ExportRefused, Second: "supervisor", Until: w.clock().Add(bot.ExportLife)},
	}
	w.d.ExportRows = func(_ context.Context, _ *bot.Mission, asks []bot.ExportAsk) []int {
		return []int{bot.ExportMostRows + 1, 1234}[:len(asks)]
	}
	c := startChrome(t, w)
	pages := map[string][]string{
		"supervisor": {"/queue", "/case/" + caseCode(1), "/case/" + offered, "/offers", "/offers/" + caseCode(90), "/case/" + long, "/case/" + long + "?edit=urgent_needs", "/case/" + long + "/print", "/mine", "/scheduled", "/registered", "/new", "/letters", "/asides", "/erasures", "/broadcasts", "/exports", "/board", "/account"},
		"admin":      {"/channels", "/staff", "/erasures", "/broadcasts", "/exports", "/upkeep"},
		"auditor":    {"/audit"},
	}
	for _, who := range []string{"supervisor", "admin", "auditor"} {
		c.signIn(who)
		if who == "supervisor" {
			c.Page("/case/" + long)
			c.Press("form[action$='/claim'] button")
			c.Press("form[action$='/call'] button")
		}
		for _, lang := range []string{"id", "en"} {
			c.Press("form[action='/lang'] button[value=" + lang + "]")
			for _, path := range pages[who] {
				for _, width := range []int64{320, 1440} {
					c.Do(chromedp.EmulateViewport(width, 900))
					c.Page(path)
					c.fits(strings.Trim(strings.NewReplacer("/", "_", "?", "_", "=", "_").Replace(path), "_"), lang, width)
				}
			}
		}
		c.Do(chromedp.EmulateViewport(1440, 900))
		c.Press("form[action='/signout'] button")
	}
	c.Clean()
}

// A sign-out is not broken off by what the open page learns of it meanwhile: its answer clears the browser.
func TestSignOutComesThrough(t *testing.T) {
	w := newWorld(t)
	var leaving atomic.Bool
	denied, anew := make(chan struct{}, 100), make(chan struct{}, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/signout":
			answer := httptest.NewRecorder()
			w.d.ServeHTTP(answer, r)
			leaving.Store(true)
			w.f.mu.Lock()
			w.f.tell("case")
			w.f.mu.Unlock()
			select {
			case <-denied:
			case <-r.Context().Done():
				return
			}
			select { // the answer is on its way for so long
			case <-anew:
				t.Error("the page was loaded anew before the sign-out was answered")
			case <-time.After(time.Second):
			}
			maps.Copy(rw.Header(), answer.Header())
			rw.WriteHeader(answer.Code)
		case leaving.Load() && r.Header.Get("X-Background") != "":
			w.d.ServeHTTP(rw, r)
			denied <- struct{}{}
		default:
			if leaving.Load() && r.URL.Path == "/queue" {
				anew <- struct{}{}
			}
			w.d.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(srv.Close)
	w.srv = srv
	c := startChrome(t, w)
	c.signIn("officer")
	c.Until(`document.querySelector('[data-live-mark]').textContent.includes('LANGSUNG')`)
	c.Press("form[action='/signout'] button")
	c.Until(`location.pathname === '/signin'`)
	c.Clean()
}

// fits looks at the page as TestPagesFit says, and takes its picture.
func (c *chrome) fits(page, lang string, width int64) {
	c.t.Helper()
	name := fmt.Sprintf("%s-%s-%d", page, lang, width)
	if over := eval[int](c, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 1 {
		wide := eval[string](c, `Array.from(document.querySelectorAll('body *')).filter(n => n.getBoundingClientRect().right > innerWidth + 1 && !n.closest('.scroll')).slice(0, 4).map(n => n.tagName + '.' + n.className + ' ' + n.textContent.slice(0, 40)).join(' | ')`)
		c.t.Errorf("%s is %d px too wide: %s", name, over, wide)
	}
	small := eval[string](c, `Array.from(document.querySelectorAll('button, select, input:not([type=hidden]):not([type=checkbox]):not([type=radio]), .button, nav a, summary')).filter(n => n.checkVisibility() && !n.closest('.sr') && !n.classList.contains('sr')).filter(n => { const r = n.getBoundingClientRect(); return r.height < 24 || r.width < 24; }).slice(0, 4).map(n => n.outerHTML.slice(0, 90)).join(' | ')`)
	if small != "" {
		c.t.Errorf("%s: small targets: %s", name, small)
	}
	unnamed := eval[string](c, `Array.from(document.querySelectorAll('input:not([type=hidden]):not([hidden]), select, textarea')).filter(n => !n.labels.length && !n.getAttribute('aria-label')).map(n => n.outerHTML.slice(0, 90)).join(' | ')`)
	if unnamed != "" {
		c.t.Errorf("%s: fields without a label: %s", name, unnamed)
	}
	double := eval[string](c, `(() => { const seen = {}; return Array.from(document.querySelectorAll('[id]')).map(n => n.id).filter(i => seen[i] || !(seen[i] = 1)).join(' '); })()`)
	if double != "" {
		c.t.Errorf("%s: ids used twice: %s", name, double)
	}
	c.shoot(name)
}
