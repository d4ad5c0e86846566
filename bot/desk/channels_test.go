package desk

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"rsc.io/qr"

	"pulang/bot"
)

// unlinkedLine is a line whose number is to be linked.
func unlinkedLine(w *world) {
	w.f.channels = []bot.ChannelState{{
		Line: "kh", Channel: "whatsapp", Account: "wa-kh", Process: "alpha/1f2e3d", Leads: true, State: "unlinked",
		Since: w.clock().Add(-time.Hour), At: w.clock(),
	}}
}

// The path that is drawn has a dark square exactly where the code has a dark module.
func TestQRIsDrawnAsItIs(t *testing.T) {
	const text = "https://wa.me/settings/linked_devices#2@abcdefgh,ijkl,mnop,qrst,1"
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	v, err := drawQR(text)
	if err != nil {
		t.Fatal(err)
	}
	dark := map[[2]int]bool{}
	for _, run := range strings.Split(strings.TrimPrefix(v.Path, "M"), "M") {
		var x, y, n, back int
		if _, err := fmt.Sscanf(run, "%d %dh%dv1h-%dz", &x, &y, &n, &back); err != nil || n != back {
			t.Fatalf("%q: %v", run, err)
		}
		for i := range n {
			dark[[2]int{x + i, y}] = true
		}
	}
	for y := range v.Size {
		for x := range v.Size {
			if want := code.Black(x-4, y-4); dark[[2]int{x, y}] != want {
				t.Fatalf("module %d,%d: %v", x, y, !want)
			}
		}
	}
}

// An admin links a number without JavaScript: asks, reloads, sees the code, its end, and the outcome. Each act leaves
// its audit row; the code stands in no address, no log and no audit row.
func TestLinkNumberByForms(t *testing.T) {
	w := newWorld(t)
	unlinkedLine(w)
	b := w.as("admin")
	b.get("/channels").want(200, "BELUM DITAUTKAN", "Tampilkan kode QR", "alpha/1f2e3d")
	b.post("/channels/link", "by", "link", "req", "AAAABBBBCCCCDDDDEEEE").want(200, "Menautkan nomor", `<noscript><meta http-equiv="refresh"`)
	if w.f.ask.Do != bot.NumberLink || w.f.ask.By != "admin" {
		t.Fatalf("asked %+v", w.f.ask)
	}
	first := w.f.ask.ID
	w.f.shows(bot.NumberShow{Step: bot.NumberShowQR, QR: "2@SECRETQR,x,y,z", Until: w.clock().Add(20 * time.Second)})
	b.post("/channels/link", "by", "link", "req", "AAAABBBBCCCCDDDDEEEE").want(200, `<svg class="qr"`)
	if w.f.ask.ID != first || w.f.show.Step != bot.NumberShowQR {
		t.Error("the same form again began anew")
	}
	if strings.Contains(b.body, "SECRETQR") {
		t.Error("the code's text is on the page")
	}
	w.advance(21 * time.Second)
	if b.get("/channels").want(200, "Sedang dikerjakan"); strings.Contains(b.body, `class="qr"`) {
		t.Error("a code that is over is still shown")
	}
	w.f.channels[0].At = w.clock()
	w.f.shows(bot.NumberShow{Step: bot.NumberFailed, Why: "no_scan"})
	b.get("/channels").want(200, "tepat waktu", "Tampilkan kode ketik")
	b.post("/channels/link", "by", "code", "phone", "0811").want(422, "format internasional")
	b.post("/channels/link", "by", "code", "phone", "+62 811-0000-001").want(200)
	if w.f.ask.Do != bot.NumberCode || w.f.ask.Phone != "628110000001" {
		t.Fatalf("asked %+v", w.f.ask)
	}
	w.f.shows(bot.NumberShow{Step: bot.NumberType, Code: "ABCD-1234", Until: w.clock().Add(time.Minute)})
	b.get("/channels").want(200, "ABCD-1234")
	w.f.shows(bot.NumberShow{Step: bot.NumberDone, Number: "628110000001"})
	w.f.channels[0].State, w.f.channels[0].Number = "up", "628110000001"
	b.get("/channels").want(200, "+628110000001", "sudah tertaut", "Lepas nomor")
	b.post("/channels/stop").want(200)
	if w.f.ask.Do != "" {
		t.Error("not put away")
	}
	b.post("/channels/unlink").want(422, "Centang dahulu")
	b.post("/channels/unlink", "sure", "1").want(200, "Melepas nomor")
	w.f.shows(bot.NumberShow{Step: bot.NumberFailed, Why: "no_line"})
	b.get("/channels").want(200, "Hapus di sini saja")
	b.post("/channels/unlink", "sure", "1", "drop", "1").want(200)
	if w.f.ask.Do != bot.NumberDrop {
		t.Errorf("asked %+v", w.f.ask)
	}
	for what, n := range map[string]int{"number_link": 1, "number_code": 1, "number_unlink": 1, "number_drop": 1, "number_stop": 1} {
		if got := w.audited(what, ""); got != n {
			t.Errorf("%s: %d audit rows, not %d", what, got, n)
		}
	}
	for _, secret := range []string{"SECRETQR", "ABCD-1234", "628110000001"} {
		if strings.Contains(w.log(), secret) || strings.Contains(fmt.Sprint(w.f.audits), secret) {
			t.Errorf("%q is in the log or the audit", secret)
		}
	}
}

// An officer sees how the channels are doing and can link nothing; of the number the end only.
func TestOfficerSeesChannelsOnly(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	b := w.as("officer")
	b.get("/channels").want(200, "DIBATASI", "TIDAK ADA KABAR", "beta/4a5b6c")
	for _, hidden := range []string{"628110000001", "/channels/link", "/channels/unlink", "Lepas nomor"} {
		if strings.Contains(b.body, hidden) {
			t.Errorf("an officer's page has %q", hidden)
		}
	}
	b.post("/channels/link", "by", "link").want(403)
	b.post("/channels/unlink", "sure", "1").want(403)
	w.f.channels = nil
	w.as("admin").get("/channels").want(200, "WHATSAPP=on")
	w.as("admin").post("/channels/link", "by", "link").want(409, "WHATSAPP=on")
}

// In a browser the code appears, changes and goes without a reload, and what is being typed stays.
func TestQRInTheBrowser(t *testing.T) {
	w := newWorld(t)
	unlinkedLine(w)
	c := startChrome(t, w)
	c.signIn("admin")
	c.Page("/channels")
	c.Press(".stack button[value=link]")
	eval[bool](c, `window.same = true`)
	paths := map[string]bool{}
	for i := range 3 {
		w.f.shows(bot.NumberShow{Step: bot.NumberShowQR, QR: "2@code" + strconv.Itoa(i), Until: w.clock().Add(time.Minute)})
		want, err := drawQR("2@code" + strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		c.Until(`document.querySelector('svg.qr path') && document.querySelector('svg.qr path').getAttribute('d') === '` + want.Path + `'`)
		paths[want.Path] = true
	}
	if len(paths) != 3 {
		t.Error("the codes are the same")
	}
	if wide := eval[float64](c, `document.querySelector('svg.qr').getBoundingClientRect().width`); wide < 150 {
		t.Errorf("the code is %v px wide", wide)
	}
	for _, width := range []int64{320, 1440} {
		c.Do(chromedp.EmulateViewport(width, 900))
		if over := eval[int](c, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 1 {
			t.Errorf("%d px too wide at %d", over, width)
		}
		c.shoot(fmt.Sprintf("channels-qr-%d", width))
	}
	w.f.shows(bot.NumberShow{Step: bot.NumberFailed, Why: "no_scan"})
	c.Until(`!document.querySelector('svg.qr') && document.querySelector('#phone')`)
	eval[bool](c, `(document.querySelector('#phone').value = '+62 811', true)`)
	w.f.mu.Lock()
	w.f.channels[0].LastIn = w.clock()
	w.f.tell("channel")
	w.f.mu.Unlock()
	c.Until(`!document.querySelector('#channels').textContent.includes('Pesan masuk terakhir\n  belum ada') && document.querySelector('#channels time')`)
	if v := eval[string](c, `document.querySelector('#phone').value`); v != "+62 811" {
		t.Errorf("what was typed became %q", v)
	}
	if !eval[bool](c, `window.same === true`) {
		t.Error("the page was loaded anew")
	}
	c.Clean()
}
