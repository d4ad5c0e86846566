package desk

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"pulang/bot"
	"pulang/flows/casework"
)

// crowd are eight people: four who get a broadcast, one of those with two cases, and one each who does not.
func (w *world) crowd() {
	for n := range 4 {
		w.f.make(person{n: n + 1, ago: time.Hour, safety: "safe", passport: "lost_stolen", place: "Poipet", kind: "guesthouse", pref: "call_anytime", number: "+85512345678", says: []string{"halo"}})
	}
	w.f.make(person{n: 5, ago: time.Hour, safety: "watched", says: []string{"halo"}})
	w.f.make(person{n: 6, ago: time.Hour, safety: "danger", says: []string{"tolong"}})
	w.f.make(person{n: 7, ago: time.Hour, safety: "safe", origin: "whatsapp", says: []string{"halo"}})
	muted := w.f.make(person{n: 8, ago: time.Hour, safety: "safe", says: []string{"halo"}})
	muted.Muted = true
	w.f.cases[muted.Code].c = seal(muted)
	second := w.f.make(person{n: 9, ago: time.Hour, safety: "safe", passport: "never_had", says: []string{"halo"}})
	second.Contacts = w.f.cases[caseCode(1)].open().Contacts
	w.f.cases[second.Code].c = seal(second)
	closed := w.f.make(person{n: 10, ago: time.Hour, safety: "safe", says: []string{"halo"}})
	closed.ClosedAs, closed.ClosedAt = "returned", w.clock()
	w.f.cases[closed.Code].c = seal(closed)
}

// A broadcast is looked at, kept, confirmed by somebody else, and stopped; each step is audited, without the words.
func TestBroadcast(t *testing.T) {
	w := newWorld(t)
	w.crowd()
	a := w.f.accounts["supervisor"]
	a.Name = "budi"
	w.f.accounts["budi"] = a
	one, two, admin := w.as("supervisor"), w.as("budi"), w.as("admin")
	w.as("officer").get("/queue").want(200).lacks("/broadcasts")
	w.as("officer").get("/broadcasts").want(403)

	text := "Halo. Loket tutup besok, <b>buka lagi</b> Senin.\nTerima kasih."
	one.get("/broadcasts").want(200, "Belum ada siaran").lacks(`value="ask"`)
	one.submit("/broadcasts", "text_id", "  ").want(422, "Tulis teks bahasa Indonesia")
	one.submit("/broadcasts", "text_id", strings.Repeat("😀", 2001)).want(422, "4002 karakter")
	one.submit("/broadcasts", "text_id", "Paspor Anda sudah jadi").want(422, "paspor", "Paspor Anda sudah jadi", `name="risky"`)
	one.submit("/broadcasts", "text_id", "Paspor Anda sudah jadi", "risky", "1").want(200, "Begini yang akan tampak")
	one.get("/broadcasts").submit("/broadcasts", "text_id", text).want(200, "4 orang akan menerimanya",
		"belum menyatakan diri aman (bahaya, diawasi, atau belum menjawab): <b class=\"num\">2<", "(BERHENTI): <b class=\"num\">1<", "hanya di WhatsApp, yang tidak menerima siaran: <b class=\"num\">1<")
	if !strings.Contains(one.raw, "Loket tutup besok, &lt;b&gt;buka lagi&lt;/b&gt; Senin.\nTerima kasih.</p>") {
		t.Error("the text is not shown as it is")
	}
	if len(w.f.casts) != 0 {
		t.Fatal("looking keeps it")
	}
	one.submit("/broadcasts", "text_id", text, "do", "look", "passport", "never_had").want(200, "1 orang akan menerimanya")
	one.get("/broadcasts").submit("/broadcasts", "text_id", text, "stage", "departed", "do", "ask").want(422, "Tidak ada yang akan menerimanya")
	one.get("/broadcasts").submit("/broadcasts", "text_id", text, "class", "P9", "province", "<script>", "text_en", "Hello. The counter is closed tomorrow.")
	key := one.want(200, "4 orang").body
	one.submit("/broadcasts", "text_id", text, "text_en", "Hello. The counter is closed tomorrow.", "do", "ask").want(200, "Orang kedua harus menyetujuinya", "Menunggu orang kedua", "4 orang akan menerimanya", "semua kasus terbuka", "orang lain (penyelia atau admin)")
	one.body = key
	one.submit("/broadcasts", "text_id", text, "text_en", "Hello. The counter is closed tomorrow.", "do", "ask").want(200) // the same form again
	if len(w.f.casts) != 1 || w.f.casts[0].Text("id") != text || w.f.casts[0].Text("xx") != text || w.f.casts[0].Text("en") != "Hello. The counter is closed tomorrow." {
		t.Fatalf("%+v", w.f.casts)
	}
	path := "/broadcasts/" + w.f.casts[0].ID
	one.lacks(`action="` + path + `/confirm"`)
	one.post(path+"/confirm", "sure", "1").want(422, "orang kedua: bukan yang menulisnya")

	// The admin sees words and numbers, and no case.
	admin.get("/broadcasts").want(200, "Loket tutup besok", "ditulis supervisor").lacks("/case/")
	admin.submit(path+"/confirm").want(422, "Centang dulu")
	admin.submit(path+"/confirm", "sure", "1").want(200, "disetujui admin", "Sedang diantrekan")
	two.post(path+"/confirm", "sure", "1").want(409, "sudah disetujui")
	w.f.casts[0].State, w.f.casts[0].Sent = bot.BroadcastQueued, bot.BroadcastRows{Queued: 1, Sent: 2, Held: 3, Failed: 4}
	two.get("/broadcasts").want(200, "Antre 1, terkirim 2, ditahan 3, gagal 4, ditarik 0")
	two.submit(path+"/stop").want(200, "Sedang dihentikan", "dihentikan budi").lacks(`action="` + path + `/stop"`)
	two.post(path + "/stop").want(409)

	// Nobody confirms what is a day old, or was taken back.
	ask := func() string {
		one.get("/broadcasts").submit("/broadcasts", "text_id", text, "do", "ask").want(200, "Menunggu orang kedua")
		return "/broadcasts/" + w.f.casts[0].ID
	}
	path = ask()
	w.advance(bot.BroadcastAskLife)
	one, two = w.as("supervisor"), w.as("budi")
	two.get("/broadcasts").want(200, "Kedaluwarsa").lacks(path)
	two.post(path+"/confirm", "sure", "1").want(409)
	path = ask()
	two.get("/broadcasts").submit(path+"/stop").want(200, "Siaran dibatalkan")
	two.post(path+"/confirm", "sure", "1").want(409)
	two.post("/broadcasts/nothing/confirm", "sure", "1").want(404)

	if w.audited("broadcast_asked", "") != 3 || w.audited("broadcast_confirmed", "") != 1 || w.audited("broadcast_stopped", "") != 2 {
		t.Error("the audit log lacks something")
	}
	for _, x := range w.f.audits {
		if strings.Contains(x.Purpose+x.Result+x.Field, "Loket") || x.What == "broadcast_asked" && x.Result != "4" {
			t.Errorf("%+v", x)
		}
	}
}

// Two people in a browser on a telephone, in both languages, without a script of the page being needed.
func TestBroadcastInTheBrowser(t *testing.T) {
	w := newWorld(t)
	w.crowd()
	c := startChrome(t, w)
	c.Do(chromedp.EmulateViewport(320, 900))
	c.signIn("supervisor")
	c.Page("/broadcasts")
	c.fits("broadcasts_empty", "id", 320)
	c.Write("#text_id", "Paspor yang hilang: loket buka setiap hari.")
	c.Press("form[action='/broadcasts'] button[value=look]")
	c.Until(`document.querySelector('.error').textContent.includes('paspor')`)
	c.fits("broadcasts_risky", "id", 320)
	eval[bool](c, `(document.querySelector('#text_id').value = '', true)`)
	c.Write("#text_id", "Halo. Mulai Senin loket buka setiap hari, pukul 9 sampai 15.\nBawa apa yang ada; yang tidak ada tidak apa-apa.")
	eval[bool](c, `(document.querySelector('input[name=passport][value=lost_stolen]').closest('details').open = true)`)
	eval[bool](c, `document.querySelector('input[name=passport][value=lost_stolen]').checked = true`)
	c.Press("form[action='/broadcasts'] button[value=look]")
	c.Until(`document.querySelector('#look').textContent.includes('4 orang')`)
	if got := eval[string](c, `document.querySelector('#look .message').innerText`); got != "Halo. Mulai Senin loket buka setiap hari, pukul 9 sampai 15.\nBawa apa yang ada; yang tidak ada tidak apa-apa." {
		t.Errorf("shown as %q", got)
	}
	c.fits("broadcasts_look", "id", 320)
	c.Press("form[action='/broadcasts'] button[value=ask]")
	c.Until(`document.querySelector('.broadcast').textContent.includes('Menunggu orang kedua')`)
	c.fits("broadcasts_asked", "id", 320)
	c.Press("form[action='/signout'] button")

	c.signIn("admin")
	c.Page("/broadcasts")
	c.Press("form[action='/lang'] button[value=en]")
	c.Page("/broadcasts")
	eval[bool](c, `document.querySelector("form[action$='/confirm'] input[name=sure]").checked = true`)
	c.Press("form[action$='/confirm'] button")
	c.Until(`document.querySelector('.broadcast').textContent.includes('confirmed by admin')`)
	w.f.mu.Lock()
	w.f.casts[0].Sent = bot.BroadcastRows{Queued: 1, Sent: 2, Held: 1}
	b := w.f.casts[0]
	w.f.mu.Unlock()
	if len(b.To.Passports) != 1 || b.To.Passports[0] != "lost_stolen" || b.To.Classes != nil || b.To.Provinces != nil {
		t.Errorf("for %+v", b.To)
	}
	c.Page("/broadcasts")
	c.Until(`document.querySelector('[data-counts]').textContent.includes('Queued 1, sent 2, held 1')`)
	c.fits("broadcasts_running", "en", 320)
	c.Press("form[action$='/stop'] button")
	c.Until(`document.querySelector('.broadcast').textContent.includes('stopped by admin')`)
	c.fits("broadcasts_stopping", "en", 320)
	c.Do(chromedp.EmulateViewport(1440, 900))
	c.fits("broadcasts_stopping", "en", 1440)
	c.Clean()
}

// A province that no gazetteer has cannot be asked for, and an empty answer can.
func TestBroadcastAudience(t *testing.T) {
	now := time.Date(2026, 1, 20, 5, 0, 0, 0, time.UTC)
	c := &casework.Case{Triage: casework.Triage{Class: casework.P3}, Stage: casework.StageReported}
	for _, x := range []struct {
		a    casework.Audience
		want bool
	}{
		{casework.Audience{}, true},
		{casework.Audience{Classes: []casework.Class{casework.P3, casework.P4}}, true},
		{casework.Audience{Classes: []casework.Class{casework.P4}}, false},
		{casework.Audience{Provinces: []string{casework.Unstated}}, true},
		{casework.Audience{Provinces: []string{"Banteay Meanchey"}}, false},
		{casework.Audience{Classes: []casework.Class{casework.P3}, Stages: []casework.Stage{casework.StageVerified}}, false},
	} {
		if x.a.Has(c, now) != x.want {
			t.Errorf("%+v: %v", x.a, !x.want)
		}
	}
	c.ClosedAs = "returned"
	if (casework.Audience{}).Has(c, now) {
		t.Error("a closed case")
	}
}
