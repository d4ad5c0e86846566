package desk

import (
	"context"
	"encoding/base32"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"pulang/bot"
	"pulang/bot/browsertest"
)

func twoFactors(o *Options) { o.OneFactor = false }

var shownKey = regexp.MustCompile(`id="key">([A-Z2-7 ]+)<`)

// codeFor is what an authenticator app with this key shows at that moment.
func codeFor(t testing.TB, key string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(strings.ReplaceAll(key, " ", ""), at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// enrol signs in for the first time and sets the app up; it gives the key that the page showed.
func (b *browser) enrol(name string) string {
	b.w.t.Helper()
	b.post("/signin", "name", name, "password", password).want(200)
	m := shownKey.FindStringSubmatch(b.raw)
	if b.path != "/signin/factor" || m == nil {
		b.w.t.Fatalf("no key at %s: %s", b.path, b.text())
	}
	b.submit("/signin/factor", "code", codeFor(b.w.t, m[1], b.w.clock())).want(200)
	if strings.HasPrefix(b.path, "/signin") {
		b.w.t.Fatalf("not signed in: %s", b.text())
	}
	return m[1]
}

// The first sign-in sets the app up, and counts only with a code of it; every later one asks for a code. Half-way
// nobody is signed in.
func TestFactor(t *testing.T) {
	w := newWorld(t, twoFactors)
	w.f.seed()
	b := w.browser()
	b.post("/signin", "name", "officer", "password", password).want(200, "Pasang aplikasi autentikator", "<svg")
	key := shownKey.FindStringSubmatch(b.raw)[1]
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(key, " ", "")); err != nil || len(raw) < 20 {
		t.Fatalf("a key of %d bytes: %v", len(raw), err)
	}
	if !strings.Contains(b.body, "otpauth://totp/Meja%20Hotline:officer?secret="+strings.ReplaceAll(key, " ", "")+"&issuer=Meja%20Hotline") {
		t.Errorf("no link for the app:\n%s", b.body)
	}
	for _, p := range []string{"/queue", "/case/" + caseCode(1), "/account", "/"} {
		if b.get(p); b.path != "/signin" {
			t.Errorf("half-way in, %s leads to %s", p, b.path)
		}
	}
	b.post("/case/"+caseCode(1)+"/note", "note", "x").want(401)
	b.get("/signin/factor").want(200, key) // the same one, as often as it is looked at
	b.submit("/signin/factor", "code", "000000").want(401, "Aplikasi belum disimpan")
	if f, _ := w.f.Factor(context.Background(), "officer"); f.Secret != "" {
		t.Fatal("an app counts that never showed a code")
	}
	code := codeFor(t, key, w.clock())
	b.submit("/signin/factor", "code", code[:3]+" "+code[3:]).want(200)
	if b.path != "/queue" {
		t.Fatalf("at %s", b.path)
	}

	// The code that confirmed it is used; so is every one before. The next one opens one session.
	c := w.browser()
	c.post("/signin", "name", "officer", "password", password).want(200, "Kode dari aplikasi").lacks("<svg", key)
	c.submit("/signin/code", "code", code).want(401, "sudah dipakai")
	c.submit("/signin/code", "code", codeFor(t, key, w.clock().Add(-codeStep))).want(401, "sudah dipakai")
	c.get("/queue")
	if c.path != "/signin" {
		t.Fatalf("a used code leads to %s", c.path)
	}
	w.advance(codeStep)
	next := codeFor(t, key, w.clock())
	c.get("/signin/code").submit("/signin/code", "code", next).want(200)
	if c.path != "/queue" {
		t.Fatalf("at %s", c.path)
	}
	d := w.browser()
	d.post("/signin", "name", "officer", "password", password).submit("/signin/code", "code", next).want(401, "sudah dipakai")
	d.submit("/signin/code", "code", codeFor(t, key, w.clock().Add(2*codeStep))).want(401, "Kode salah")
	// Who waits too long half-way begins anew.
	w.advance(halfLife + time.Second)
	if d.post("/signin/code", "code", codeFor(t, key, w.clock())); d.path != "/signin" {
		t.Errorf("after %v half-way: %s", halfLife, d.path)
	}
	if w.audited("factor_set", "") != 2 || w.audited("factor_code", "") != 5 {
		t.Errorf("audit: set %d, code %d", w.audited("factor_set", ""), w.audited("factor_code", ""))
	}
	for _, a := range w.f.audits {
		for _, secret := range []string{key, strings.ReplaceAll(key, " ", ""), code, next} {
			if strings.Contains(a.Field+a.Result+a.Purpose+a.Who, secret) {
				t.Errorf("a secret stands in the audit log: %+v", a)
			}
		}
	}
	if strings.Contains(w.log(), strings.ReplaceAll(key, " ", "")) {
		t.Error("the key stands in the log")
	}
}

// Guessing codes: five at once, then one in six seconds, a hundred a day; when the count cannot be asked, none.
func TestFactorGuessing(t *testing.T) {
	w := newWorld(t, twoFactors)
	key := w.browser().enrol("officer") // one try
	b := w.browser()
	b.post("/signin", "name", "officer", "password", password).want(200)
	for range 4 {
		b.post("/signin/code", "code", "123456").want(401)
	}
	w.advance(codeStep)
	for range 5 {
		b.post("/signin/code", "code", "123456").want(401)
	}
	b.post("/signin/code", "code", codeFor(t, key, w.clock())).want(429, "Terlalu banyak percobaan")
	if b.last.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.advance(6 * time.Second)
	b.post("/signin/code", "code", "123456").want(401)
	b.post("/signin/code", "code", "123456").want(429)
	for n := 0; n < 89; n++ {
		w.advance(6 * time.Second)
		if w.advance(0); n%60 == 59 { // half a sign-in lasts ten minutes
			w.advance(time.Minute)
			b.post("/signin", "name", "officer", "password", password).want(200)
		}
		b.post("/signin/code", "code", "123456").want(401)
	}
	w.advance(6 * time.Second)
	b.post("/signin/code", "code", codeFor(t, key, w.clock())).want(429)
	w.f.fail = errors.New("down")
	if b.post("/signin/code", "code", "123456"); b.last.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without the store: %d", b.last.StatusCode)
	}
}

// A new password, by link or on the account page, keeps the second factor.
func TestPasswordKeepsFactor(t *testing.T) {
	w := newWorld(t, twoFactors)
	key := w.browser().enrol("sri")
	admin := w.browser()
	admin.enrol("admin")
	admin.get("/staff").want(200, "autentikator terpasang", "belum ada autentikator").submit("/staff/sri/link").want(200)
	link := regexp.MustCompile(`http://[^ <]+/welcome#[\w-]+`).FindString(admin.body)
	b := w.browser()
	b.post("/welcome", "token", link, "password", "empat gajah putih", "again", "empat gajah putih").want(200, "Kode dari aplikasi")
	if b.get("/queue"); b.path != "/signin" {
		t.Fatalf("a link leads past the second factor, to %s", b.path)
	}
	w.advance(codeStep)
	b.post("/signin/code", "code", codeFor(t, key, w.clock())).want(200)
	if b.path != "/queue" {
		t.Fatalf("at %s", b.path)
	}
}

// A lost phone: one admin asks, another confirms, neither is the owner; then password, factor and sessions are gone and a
// link begins anew. A request ends by itself after a day, and can be taken back.
func TestFactorReset(t *testing.T) {
	w := newWorld(t, twoFactors)
	for _, n := range []string{"budi", "citra"} {
		a := w.f.accounts["admin"]
		a.Name = n
		w.f.accounts[n] = a
	}
	sri := w.browser()
	sri.enrol("sri")
	one, two := w.browser(), w.browser()
	one.enrol("admin")
	two.enrol("budi")
	officer := w.browser()
	officer.enrol("officer")
	officer.post("/staff/sri/factor").want(403)

	one.post("/staff/sri/factor/confirm").want(409)
	one.get("/staff").submit("/staff/sri/factor").want(200, "Permintaan dicatat", "admin meminta penghapusan")
	one.lacks(`action="/staff/sri/factor/confirm"`)
	one.post("/staff/sri/factor/confirm").want(403, "dua admin yang berbeda")
	one.post("/staff/sri/factor").want(409)
	two.get("/staff").submit("/staff/sri/factor/withdraw").want(200).lacks("meminta penghapusan")
	two.post("/staff/sri/factor/confirm").want(409)

	one.post("/staff/sri/factor").want(200)
	w.advance(19 * time.Minute) // sessions live on
	sri.get("/queue").want(200)
	two.get("/staff").submit("/staff/sri/factor/confirm").want(200, "Tautan sekali pakai untuk sri")
	link := regexp.MustCompile(`http://[^ <]+/welcome#[\w-]+`).FindString(two.body)
	if sri.get("/queue"); sri.path != "/signin" {
		t.Error("the sessions live on")
	}
	b := w.browser()
	b.post("/signin", "name", "sri", "password", password).want(401) // whoever knows the password sets no app up
	b.post("/welcome", "token", link, "password", "empat gajah putih", "again", "empat gajah putih").want(200, "Pasang aplikasi autentikator")

	// An admin's own one takes two others; one of them may not be the owner.
	one.get("/staff")
	if w.f.accounts["budi"].Name == "" || strings.Contains(one.body, "/staff/admin/factor") {
		t.Error("an admin may ask for the own account")
	}
	one.post("/staff/budi/factor").want(200)
	two.post("/staff/budi/factor/confirm").want(403)
	w.advance(bot.FactorResetLife)
	three := w.browser()
	three.enrol("citra")
	three.post("/staff/budi/factor/confirm").want(409) // too late
	if n := w.audited("factor_reset", ""); n != 1 || w.audited("factor_reset_asked", "") != 3 || w.audited("factor_reset_withdrawn", "") != 1 {
		t.Errorf("%d resets in the audit log, %d requests, %d taken back", n, w.audited("factor_reset_asked", ""), w.audited("factor_reset_withdrawn", ""))
	}
}

// On a telephone, with and without JavaScript, in both languages: the app is set up from its page and the code asked for
// on the second one.
func TestFactorInTheBrowser(t *testing.T) {
	w := newWorld(t, twoFactors)
	web := browsertest.Start(t, "id")
	for _, lang := range []string{"id", "en"} {
		a := w.f.accounts["officer"]
		a.Lang = lang
		w.f.accounts["officer"] = a
		delete(w.f.factors, "officer")
		c := &chrome{t: t, Tab: web.Open("officer "+lang, w.srv.URL+"/signin", lang == "id")}
		var key string
		for _, width := range []int64{1440, 320} {
			c.Do(chromedp.EmulateViewport(width, 800))
			c.signIn("officer")
			c.fits("factor", lang, width)
			if n := eval[float64](c, `document.querySelector('svg.qr').getBoundingClientRect().width`); n < 200 {
				t.Errorf("the code to scan is %.0f px wide", n)
			}
			key = eval[string](c, `document.querySelector('#key').textContent`)
		}
		c.Do(chromedp.SendKeys(chromedp.ID("code"), codeFor(t, key, w.clock())))
		c.Press("form[action='/signin/factor'] button")
		c.Until(`location.pathname === '/queue'`)
		c.Press("form[action='/signout'] button")
		w.advance(2 * time.Minute)
		c.signIn("officer")
		c.Do(chromedp.SendKeys(chromedp.ID("code"), "000000"))
		c.Press("form[action='/signin/code'] button")
		for _, width := range []int64{1440, 320} {
			c.Do(chromedp.EmulateViewport(width, 800))
			c.fits("code", lang, width)
		}
		c.Do(chromedp.SendKeys(chromedp.ID("code"), codeFor(t, key, w.clock())))
		c.Press("form[action='/signin/code'] button")
		c.Until(`location.pathname === '/queue'`)
		c.Press("form[action='/signout'] button")
		c.Clean()
	}
}
