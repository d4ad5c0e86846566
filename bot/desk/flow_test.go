package desk

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// An officer's whole round without JavaScript: next, read, call, outcome, reply, note, stage, close.
func TestRound(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 3, ago: 5 * time.Minute, safety: "safe", needs: []flows.Value{"sick"}, place: "Bavet", pref: "call_anytime", number: "+85512345678", says: []string{"saya sakit"}, word: "mangga"})
	code := caseCode(3)
	path := "/case/" + code
	b := w.as("officer")
	b.get("/queue").want(200, code, "saya sakit")
	b.submit("/next").want(200, code, "Anda pegang")
	if b.path != path {
		t.Fatalf("Next led to %s", b.path)
	}
	b.lacks("+85512345678", "tel:")

	b.submit(path+"/call", "via", "phone").want(200, `href="tel:+85512345678"`, "mangga")
	c := w.f.cases[code].open()
	if len(c.Attempts) != 1 || c.Attempts[0].Outcome != "" {
		t.Fatalf("the attempt is not stored before the number is shown: %+v", c.Attempts)
	}
	// Nothing else is taken before the outcome is told.
	b.get("/queue").submit("/next").want(200, "Isi dulu hasil telepon")
	b.get(path).submit(path+"/outcome", "outcome", "reached_ok", "note", "butuh obat demam").want(200, "Hasil tersimpan", "Terhubung, aman bicara", "butuh obat demam")
	b.lacks("tel:")

	b.submit(path+"/reply", "text", "Baik, obat kami siapkan.").want(200, "Pesan tersimpan", "Baik, obat kami siapkan.", "menunggu kirim")
	if len(w.sent) != 1 || w.sent[0].Row.Kind != casework.KindOfficer || w.sent[0].Row.Lane != bot.LaneOfficer || w.sent[0].Row.By != "officer" {
		t.Fatalf("dispatched %+v", w.sent)
	}
	b.submit(path+"/note", "note", "keluarga sudah tahu").want(200, "Catatan tersimpan", "keluarga sudah tahu")
	b.submit(path+"/stage", "stage", "sheltered", "detail_sheltered", "friend").want(200, "Tahap tersimpan", "Tahap: penampungan")
	b.submit(path+"/close", "as", "referred", "summary", "dirujuk ke klinik").want(200, "DITUTUP: dirujuk")
	c = w.f.cases[code].open()
	if c.ClosedAs != "referred" || w.f.cases[code].claim != nil {
		t.Fatalf("closed as %q, claim %v", c.ClosedAs, w.f.cases[code].claim)
	}
	for _, what := range []string{"open", "claim", "call", "outcome", "reply", "note", "stage", "close"} {
		if w.audited(what, code) == 0 {
			t.Errorf("no audit row for %s", what)
		}
	}
	b.submit(path+"/reopen", "reason", "menulis lagi").want(200, "Kasus dibuka lagi")
}

// One click after an outcome leads to the next case: what is planned stands, what still needs somebody stays in hand, and
// the same form twice takes no second case.
func TestOutcomeThenNext(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 4; n++ {
		w.f.make(person{n: n, ago: time.Duration(60-n) * time.Minute, safety: "safe", pref: "call_anytime", number: "+85512345678", says: []string{"halo"}})
	}
	b := w.as("officer")
	path := func(n int) string { return "/case/" + caseCode(n) }
	claimed := func(n int) string {
		w.f.mu.Lock()
		defer w.f.mu.Unlock()
		if c := w.f.cases[caseCode(n)].claim; c != nil {
			return c.Officer
		}
		return ""
	}
	b.get("/queue").submit("/next")
	if b.path != path(1) {
		t.Fatalf("Next led to %s", b.path)
	}
	b.submit(path(1)+"/call", "via", "phone")
	form := []string{"req", "0123456789abcdef", "attempt", w.f.cases[caseCode(1)].open().Attempts[0].ID, "outcome", "no_answer", "note", "berdering lama", "then", "next"}
	for range 2 {
		b.post(path(1)+"/outcome", form...).want(200, caseCode(1)+" dilepas")
		if b.path != path(2) {
			t.Fatalf("the outcome led to %s", b.path)
		}
	}
	c := w.f.cases[caseCode(1)].open()
	if claimed(1) != "" || !c.LaterUntil.After(w.clock()) || c.Attempts[0].Note != "berdering lama" {
		t.Errorf("held by %q, planned for %v, %+v", claimed(1), c.LaterUntil, c.Attempts)
	}
	if claimed(2) != "officer" || claimed(3) != "" {
		t.Errorf("2 is held by %q, 3 by %q", claimed(2), claimed(3))
	}

	// What needs somebody at once is not let go.
	b.get(path(2)).submit(path(2)+"/call", "via", "phone")
	b.submit(path(2)+"/outcome", "outcome", "danger", "then", "next").want(200, "tetap di tangan Anda")
	if b.path != path(2) || claimed(2) != "officer" || claimed(3) != "" {
		t.Errorf("at %s; 2 is held by %q, 3 by %q", b.path, claimed(2), claimed(3))
	}
	b.submit(path(2)+"/later", "keep", "1").want(422, "masih menunggu tindakan")

	// Saved without going on: the plan may be left as it is, and the only way to cancel it says so.
	b.get(path(3)).submit(path(3) + "/claim")
	b.submit(path(3)+"/call", "via", "phone")
	b.submit(path(3)+"/outcome", "outcome", "no_answer").want(200, "Hasil tersimpan", "Batalkan percobaan yang dijadwalkan")
	plan := w.f.cases[caseCode(3)].open().LaterUntil
	if zone := w.d.missions["kh"].zone; !strings.Contains(b.text(), "Percobaan berikutnya "+strconv.Itoa(plan.In(zone).Day())+" Nov 2026 "+plan.In(zone).Format("15.04")) {
		t.Errorf("the hour of the next attempt is masked like a number:\n%s", b.text())
	}
	b.submit(path(3)+"/later", "keep", "1").want(200, "rencananya tetap", "Ambil berikutnya")
	if c := w.f.cases[caseCode(3)].open(); claimed(3) != "" || !c.LaterUntil.Equal(plan) || !c.SettledAt.IsZero() {
		t.Errorf("held by %q, planned for %v (was %v), settled %v", claimed(3), c.LaterUntil, plan, c.SettledAt)
	}
	// A chat that is dealt with, then the next; and nothing is left.
	b.get(path(4)).submit(path(4) + "/claim")
	b.submit(path(4)+"/later", "settle", "1", "then", "next").want(200)
	if claimed(4) != "" || w.f.cases[caseCode(4)].open().SettledAt.IsZero() {
		t.Error("4 is not settled")
	}
}

// Of a long conversation the last lines stand open; the rest is there, folded, and what comes in is told.
func TestLongConversation(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Minute, safety: "safe", says: []string{"baris pertama"}, pref: "text_only"})
	code := caseCode(1)
	for n := range 400 {
		w.f.hear(code, "baris ke-"+strconv.Itoa(n))
	}
	b := w.as("officer").get("/case/"+code).want(200, "baris pertama", "baris ke-399")
	fold := strings.Index(b.body, `data-key="earlier"`)
	end := strings.Index(b.body, `id="h-reply"`)
	if fold < 0 || end < 0 {
		t.Fatal("no fold")
	}
	open := b.body[fold+strings.Index(b.body[fold:], "</details>") : end]
	if n := strings.Count(open, "<li "); n != latelyLines {
		t.Errorf("%d lines stand open", n)
	}
	if strings.Contains(open, "baris pertama") || !strings.Contains(open, "baris ke-399") {
		t.Error("the wrong end is folded away")
	}
}

// A double click, a retry and the back button have one effect.
func TestFormTwice(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Minute, safety: "safe", pref: "call_anytime", number: "+85512345678", says: []string{"halo"}})
	code := caseCode(1)
	path := "/case/" + code
	b := w.as("officer")
	b.get(path).submit(path + "/claim")
	page := b.body
	for range 3 {
		b.body = page
		b.submit(path+"/reply", "text", "satu kali saja").want(200)
		b.body = page
		b.submit(path+"/call", "via", "phone").want(200)
		b.body = page
		b.submit(path+"/note", "note", "catatan sekali").want(200)
	}
	c := w.f.cases[code].open()
	if len(c.Attempts) != 1 {
		t.Errorf("%d attempts", len(c.Attempts))
	}
	rows, notes := 0, 0
	for _, r := range w.f.rows {
		if r.Kind == casework.KindOfficer {
			rows++
		}
	}
	for _, e := range w.f.cases[code].entries {
		if e.Kind == "note" {
			notes++
		}
	}
	if rows != 1 || notes != 1 {
		t.Errorf("%d rows, %d notes", rows, notes)
	}
}

// Who writes on an old page is told what changed, and keeps what was typed.
func TestChangedMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Minute, safety: "safe", pref: "call_anytime", number: "+85512345678", says: []string{"halo"}})
	code := caseCode(1)
	path := "/case/" + code
	b := w.as("officer")
	b.get(path).submit(path + "/claim")
	page := b.body
	w.advance(20 * time.Second)
	w.f.hear(code, "jangan balas dulu, ada bos")
	b.body = page
	b.submit(path+"/reply", "text", "yang saya ketik").want(409, "berubah", "warga", "yang saya ketik", "jangan balas dulu")
	// Sent again from the new page it goes.
	b.submit(path+"/reply", "text", "yang saya ketik").want(200, "Pesan tersimpan")

	// Danger came after the page was shown: no attempt from the old page.
	page = b.body
	c := w.f.cases[code].open()
	c.Apply(flows.Record{Step: flows.StepSafetyNow, Answer: flows.Answer{Values: []flows.Value{"danger"}, At: w.clock()}}, w.clock(), w.f.rules)
	c.LastIn = w.clock()
	w.f.put(c, said(w.clock(), "BAHAYA"))
	b.body = page
	b.submit(path+"/call", "via", "phone").want(409).lacks("tel:", "+85512345678")
	if n := len(w.f.cases[code].open().Attempts); n != 0 {
		t.Errorf("%d attempts", n)
	}
	// A note needs no such care.
	b.body = page
	b.submit(path+"/note", "note", "tetap tersimpan").want(200, "tetap tersimpan")
}

// No page ever holds a number that may not ring, whatever was typed into the chat; a supervisor's override opens it
// for one attempt.
func TestGateOverNumbers(t *testing.T) {
	w := newWorld(t)
	spellings := []string{"+85512345678", "012 345 678", "0812-3456-7890", "(+62) 812.3456.7890", "０８１２３４５６７８９０", "8 1 2 3 4 5 6 7 8 9", "wa.me/6281234567890", "+62\u200b812\u200b3456\u200b7890", "08123\u00a0456\u00a07890"}
	w.f.make(person{n: 2, ago: time.Hour, safety: "watched", pref: "", number: "+85512345678", needs: []flows.Value{"sick"}, says: append([]string{"nomor saya 0812 3456 7890"}, spellings...)})
	code := caseCode(2)
	path := "/case/" + code
	off := w.as("officer")
	sup := w.as("supervisor")
	check := func(b *browser) {
		t.Helper()
		for _, bad := range []string{"+85512345678", "85512345678", "12345678", "012 345 678", "3456-7890", "3456 7890", "3456.7890", "6281234567890", "６７８９", "4 5 6 7", "tel:", "wa.me/"} {
			if i := strings.Index(b.body, bad); i >= 0 {
				t.Errorf("%s holds %q: …%s…", b.path, bad, b.body[max(0, i-60):min(len(b.body), i+60)])
			}
		}
	}
	for _, p := range []string{"/queue", path, path + "/print", "/scheduled", "/registered", "/mine", path + "?edit=callback_number"} {
		check(off.get(p).want(200))
	}
	off.get(path).submit(path + "/claim").want(200)
	check(off)
	check(off.submit(path+"/reveal", "purpose", "call", "field", "phone").want(403))
	check(off.get(path).submit(path+"/reveal", "purpose", "identify", "field", "ids").want(200))
	check(off.post(path+"/call", "via", "phone", "override", "saya mau").want(422))
	check(off.post("/find", "q", "+85512345678").want(200, code))
	if n := len(w.f.cases[code].open().Attempts); n != 0 {
		t.Fatalf("%d attempts", n)
	}
	off.get(path).submit(path+"/release", "summary", "untuk penyelia")

	sup.get(path).submit(path + "/claim").want(200)
	check(sup)
	sup.submit(path+"/call", "via", "phone", "override", "keluarga melaporkan nyawa terancam").want(200, `href="tel:+85512345678"`)
	a := w.f.cases[code].open().Attempts
	if len(a) != 1 || a[0].Override == "" {
		t.Fatalf("override not recorded: %+v", a)
	}
	if w.audited("call", code) != 1 {
		t.Error("the override has no audit row")
	}
	// Ten minutes later the number is gone again, also without an outcome.
	w.advance(11 * time.Minute)
	check(sup.get(path).want(200))
	// Others never see it.
	check(off.get(path).want(200))
}

// Masked fields open per click, with a purpose, and close by themselves.
func TestReveal(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 3, ago: time.Hour, safety: "safe", pref: "call_anytime", number: "+85512345678", name: "Siti Rekaan", place: "Bavet", pin: true, says: []string{"NIK 3201014107900001 paspor C1234567 di 11.082345, 106.123456"}})
	code := caseCode(3)
	path := "/case/" + code
	b := w.as("officer")
	secrets := map[string]string{"name": "Siti Rekaan", "phone": "+85512345678", "ids": "3201014107900001", "pin": "11.0823"}
	b.get(path).want(200)
	for _, s := range secrets {
		b.lacks(s)
	}
	b.submit(path+"/reveal", "field", "name").want(422, "Pilih keperluannya")
	for _, f := range []string{"name", "phone", "ids", "pin"} {
		b.get(path).submit(path+"/reveal", "field", f, "purpose", "identify").want(200, secrets[f])
	}
	if n := w.audited("reveal", code); n != 4 {
		t.Errorf("%d audit rows for 4 reveals", n)
	}
	w.advance(3 * time.Minute)
	b.get(path)
	for _, s := range secrets {
		b.lacks(s)
	}
	// Another officer's click shows nothing to this one.
	w.as("sri").get(path).lacks("Siti Rekaan")
}

// A P1 stops to escalate when a human opens it, not when a page refreshes itself.
func TestOpeningEndsEscalation(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: 0, safety: "danger", says: []string{"tolong"}})
	code := caseCode(1)
	b := w.as("officer")
	b.get("/queue").want(200, "BELUM DIBACA")
	b.get("/case/" + code).want(200).lacks("BELUM DIBACA")
	c := w.f.cases[code].open()
	if !c.LastRead.Equal(w.clock()) || c.LastReadBy != "officer" {
		t.Fatalf("read %v by %q", c.LastRead, c.LastReadBy)
	}
	for _, tm := range casework.Timers(c, w.clock(), w.f.rules) {
		if strings.HasPrefix(tm.Name, "escalate") {
			t.Errorf("timer %s still stands", tm.Name)
		}
	}
	if w.audited("open", code) != 1 {
		t.Error("opening is not audited once")
	}
}

// The first characters of a message to somebody who is not safe show on a lock screen.
func TestPreviewWarning(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 2, ago: time.Minute, safety: "watched", pref: "text_only", says: []string{"hp dipakai bersama"}})
	path := "/case/" + caseCode(2)
	b := w.as("officer")
	b.get(path).submit(path + "/claim")
	b.submit(path+"/reply", "text", "KBRI akan menjemput Anda besok").want(422, "kbri", "KBRI akan menjemput Anda besok")
	b.submit(path+"/reply", "text", "Baik. Nanti kami kabari, jangan khawatir ya. KBRI").want(200, "Pesan tersimpan")
}

// A held row says what it waits for; only a supervisor sends it against the gate, with a reason.
func TestHeldRow(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	path := "/case/" + caseCode(2)
	var id string
	for _, r := range w.f.rows {
		if r.State == bot.RowHeld {
			id = r.ID
		}
	}
	off, sup := w.as("officer"), w.as("supervisor")
	off.get(path).want(200, "DITAHAN", "menunggu pesan warga berikutnya").lacks(path + "/send")
	off.post(path+"/send", "row", id, "reason", "x").want(403)
	off.get("/letters").want(200, "menunggu pesan warga berikutnya", "warga memblokir bot")
	off.post("/letters/"+id+"/retry", "held", "1", "reason", "x").want(403)
	if w.f.rows[id].State != bot.RowHeld {
		t.Fatal("sent by an officer")
	}
	sup.get(path).submit(path+"/send", "reason", "").want(422)
	sup.submit(path+"/send", "reason", "warga menelepon dan meminta").want(200)
	if r := w.f.rows[id]; r.State != bot.RowQueued || r.Force != "warga menelepon dan meminta" {
		t.Fatalf("%+v", r)
	}
}

// A row that was damaged in the store says so; there is nothing to send again.
func TestDamagedRow(t *testing.T) {
	w := newWorld(t)
	w.f.rows["01DAMAGED"] = &bot.Row{ID: "01DAMAGED", Line: "kh", State: bot.RowFailed, Why: "damaged"}
	w.as("supervisor").get("/letters").want(200, "rusak di penyimpanan").lacks("/letters/01DAMAGED/retry", "0001")
}

// Claims: one holder, a takeover by a supervisor with a reason, a release that says why.
func TestLease(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 4, ago: time.Hour, safety: "safe", says: []string{"halo"}})
	path := "/case/" + caseCode(4)
	a, b, sup := w.as("officer"), w.as("sri"), w.as("supervisor")
	a.get(path).submit(path+"/claim").want(200, "Anda pegang")
	b.post(path+"/claim").want(200, "Sudah diambil officer")
	b.post(path+"/reply", "text", "halo juga").want(409, "Anda tidak memegang kasus ini", "halo juga")
	sup.get(path).submit(path+"/takeover", "reason", "").want(422)
	sup.submit(path+"/takeover", "reason", "petugas sakit").want(200, "Anda pegang", "Diambil alih dari officer")
	a.get(path).want(200, "dipegang supervisor")
	sup.submit(path+"/release", "summary", "").want(422)
	sup.submit(path+"/release", "summary", "tunggu kabar besok").want(200, "dilepas")
	if w.f.cases[caseCode(4)].claim != nil {
		t.Error("still held")
	}
}

// What was passed over is not offered again for ten minutes, and the third time asks why.
func TestSkips(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 4; n++ {
		w.f.make(person{n: n, ago: time.Duration(10-n) * time.Hour, safety: "safe", says: []string{"halo"}})
	}
	b := w.as("officer")
	seen := map[string]bool{}
	for i := range 3 {
		b.get("/queue").submit("/next").want(200)
		if seen[b.path] {
			t.Fatalf("%s was offered again", b.path)
		}
		seen[b.path] = true
		if i < 2 {
			b.submit(b.path+"/release", "summary", "bukan untuk saya").want(200)
			continue
		}
		b.want(200, "Mengapa?")
		p := b.path
		b.submit(p+"/release", "summary", "bukan untuk saya").want(422)
		b.submit(p+"/release", "summary", "bukan untuk saya", "reason", "perlu bahasa daerah").want(200)
	}
}

// A case by hand goes through the same rules, once however often the form is sent.
func TestCaseByHand(t *testing.T) {
	w := newWorld(t)
	b := w.as("officer")
	b.get("/new").want(200)
	page := b.body
	fields := []string{"origin", "walk_in", "safety", "safe", "urgent_needs.value", "pregnant", "urgent_needs.value", "no_shelter",
		"location.text", "Poipet", "contact_pref.value", "call_anytime", "callback_number.text", "012 345 678", "callback_number.country", "KH", "full_name.text", "Rina Umpama", "note", "datang pagi"}
	b.submit("/new", fields...).want(200, "Kasus dibuat")
	code := strings.TrimPrefix(b.path, "/case/")
	b.body = page
	b.submit("/new", fields...).want(200)
	if len(w.f.cases) != 1 || b.path != "/case/"+code {
		t.Fatalf("%d cases, second form led to %s", len(w.f.cases), b.path)
	}
	c := w.f.cases[code].open()
	if c.CreatedBy != "officer" || c.Triage.Class != casework.P2 || c.Answers[flows.StepCallbackNumber].Norm != "+85512345678" || c.Answers[flows.StepLocation].Location.Province == "" {
		t.Fatalf("%+v", c)
	}
	b.get("/registered").want(200, code)
	b.get("/case/"+code+"/print").want(200, code, "DICETAK oleh officer").lacks("Rina Umpama", "+85512345678")
	b.get("/new").submit("/new", "origin", "walk_in", "safety", "safe", "callback_number.text", "081234567").want(422, "08…", "081234567")
	b.submit("/new", "origin", "walk_in", "safety", "safe").want(422)
}

// A row of a case that is not on the queue any more still leads to it, and to no other mission's.
func TestRowLeadsToItsCase(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	c := w.f.cases[caseCode(5)].open()
	b := w.as("officer")
	b.get("/id/kh/"+c.ID).want(200, c.Code)
	b.get("/id/kh/unknown").want(404)
	b.get("/id/mm/" + c.ID).want(404)
	c.Mission = "mm"
	w.f.put(c)
	b.get("/id/kh/" + c.ID).want(404)
}

// Nobody reads a case past the audit log by claiming to be a page that refreshes itself.
func TestBackgroundIsAudited(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	b := w.as("officer")
	background := func(path string) {
		r, _ := http.NewRequest("GET", w.srv.URL+path, nil)
		r.Header.Set("X-Background", "1")
		b.do(r).want(200)
	}
	code := caseCode(1)
	before := w.audited("list", "")
	background("/case/" + code)
	background("/case/" + code)
	if n := w.audited("open", code); n != 1 {
		t.Errorf("%d rows for a look without a page", n)
	}
	if unread := unread(w.f.cases[code].open()); !unread {
		t.Error("a page that refreshes itself counts as a human who reads")
	}
	b.get("/case/" + code)
	if n := w.audited("open", code); n != 2 {
		t.Errorf("%d rows", n)
	}
	background("/queue")
	background("/queue")
	if n := w.audited("list", "") - before; n != 0 { // the list was shown, and audited, after the sign-in
		t.Errorf("%d rows for the list", n)
	}
}
