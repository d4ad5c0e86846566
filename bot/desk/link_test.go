package desk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// twice is a person who reported on Telegram and, in danger, on WhatsApp, where the other case's code was written.
func twice(w *world) (code, other string) {
	w.f.make(person{n: 1, ago: time.Hour, safety: "safe", pref: "call_anytime", number: "+85512345678", name: "Dewi Misal", place: "Bavet",
		says: []string{"saya di Bavet", "ini kasus saya di WA: " + caseCode(2)}})
	w.f.make(person{n: 2, ago: 30 * time.Minute, safety: "watched", number: "+85512345678", name: "dewi  misal", origin: "whatsapp", says: []string{"HP dipakai bersama"}})
	return caseCode(1), caseCode(2)
}

// Without JavaScript: the stated code is offered, both cases stand side by side with what is the same marked and what
// is masked masked, nothing happens without the officer's confirmation, and each act is on record once.
func TestTwoCasesByForms(t *testing.T) {
	w := newWorld(t)
	code, other := twice(w)
	b := w.as("officer")
	b.get("/case/"+code).lacks("/link\"", "Satukan dengan")
	b.submit("/case/"+code+"/claim").want(200, `name="other" required maxlength="20" autocomplete="off" value="`+other+`"`, "ditulis warga")
	b.post("/case/"+code+"/link", "other", "XXXX").want(422, "Tidak ada kasus")
	b.post("/case/"+code+"/link", "other", caseCode(9)).want(422, "Tidak ada kasus")
	b.post("/case/"+code+"/link", "other", code, "sure", "1").want(422, "dirinya sendiri")
	b.post("/case/"+code+"/link", "other", strings.ToLower(other)).want(200, code, other, "HP dipakai bersama", "diawasi")
	b.lacks("+85512345678", "Dewi Misal", "dewi  misal")
	if n := strings.Count(b.body, ">sama<"); n != 4 { // name and number, on both sides
		t.Errorf("%d facts are the same", n)
	}
	if w.f.cases[other].open().Into != nil {
		t.Fatal("linked before it was confirmed")
	}
	// The other case is in somebody else's hands for a moment.
	w.f.cases[other].claim = &bot.Claim{Officer: "petugas b", Since: w.clock(), Until: w.clock().Add(time.Minute)}
	b.submit("/case/"+code+"/link", "sure", "1").want(409, "petugas lain")
	w.f.cases[other].claim = nil
	b.post("/case/"+code+"/link", "other", other).want(200)
	w.f.hear(other, "mereka datang")
	b.submit("/case/"+code+"/link", "sure", "1").want(409, "Bandingkan lagi")
	b.post("/case/"+code+"/link", "other", other).want(200)
	b.submit("/case/"+code+"/link", "sure", "1").want(200, "Disatukan dengan "+other, "HP dipakai bersama", "mereka datang", "Telegram", "WhatsApp")
	c := w.f.cases[code].open()
	if c.Safety != flows.Watched || len(c.Contacts) != 2 || casework.MayCall(c, w.clock(), w.f.rules).OK {
		t.Errorf("safety %s, %d contacts", c.Safety, len(c.Contacts))
	}
	b.want(200, `<select id="to"`)
	b.get("/case/"+other).want(200, "dilanjutkan di", code)
	b.get("/case/"+code).submit("/case/"+code+"/part", "sure", "1").want(200, other+" dipisahkan lagi")
	b.lacks("HP dipakai bersama")
	if x := w.f.cases[other].open(); x.Closed() || x.Into != nil || len(w.f.cases[code].open().Contacts) != 1 {
		t.Error("not parted")
	}
	for what, n := range map[string]int{"link_cases": 1, "part_cases": 1} {
		if got := w.audited(what, ""); got != n {
			t.Errorf("%s: %d audit rows", what, got)
		}
	}
	w.as("viewer").post("/case/"+code+"/link", "other", other).want(403)
}

// In a browser, on a telephone and on a desk, in both languages.
func TestTwoCasesInTheBrowser(t *testing.T) {
	w := newWorld(t)
	code, other := twice(w)
	c := startChrome(t, w)
	c.signIn("officer")
	c.Page("/case/" + code)
	c.Press("form[action$='/claim'] button")
	for _, lang := range []string{"id", "en"} {
		c.Press("form[action='/lang'] button[value=" + lang + "]")
		c.Page("/case/" + code)
		eval[bool](c, `(document.querySelector('details[data-key=link]').open = true)`)
		c.Press("#linked form[action$='/link'] button")
		c.Until(`document.querySelectorAll('.pair section').length === 2`)
		for _, width := range []int64{320, 1440} {
			c.Do(chromedp.EmulateViewport(width, 900))
			if over := eval[int](c, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 1 {
				t.Errorf("%s: %d px too wide at %d", lang, over, width)
			}
			c.shoot(fmt.Sprintf("link-%s-%d", lang, width))
		}
	}
	eval[bool](c, `document.querySelector('input[name=sure]').click() || true`)
	c.Press("form[action$='/link'] button.go")
	c.Until(`document.querySelector('#timeline').textContent.includes('HP dipakai bersama') && document.querySelectorAll('#to option').length === 2`)
	if first := eval[string](c, `document.querySelector('#to').selectedOptions[0].textContent`); !strings.Contains(first, "WhatsApp") {
		t.Errorf("the reply would go to %q, the person wrote on WhatsApp last", first)
	}
	w.f.hear(code, "satu lagi")
	c.Until(`document.querySelector('#timeline').textContent.includes('satu lagi')`)
	c.shoot("linked-case")
	if w.f.cases[other].open().Into == nil {
		t.Error("not linked")
	}
	c.Clean()
}
