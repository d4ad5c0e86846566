package desk

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// yangon is a second mission beside the example's.
func yangon(t testing.TB) *bot.Mission {
	t.Helper()
	m, err := bot.ParseMission([]byte(strings.NewReplacer(
		`code    = "kh"`, `code = "mm"`, `prefix  = "K7"`, `prefix = "M5"`, `KBRI Phnom Penh`, `KBRI Rangun`, `country  = "KH"`, `country = "MM"`,
		`zone = "Asia/Phnom_Penh"`, `zone = "Asia/Yangon"`, "[[others]]\ncountry = \"MM\"", "[[others]]\ncountry = \"KH\"",
		`+855 12 813 282`, `+95 9 000 1000`,
	).Replace(bot.ExampleMission())))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newPair is a desk of two missions. Beside those who work for both there are aung, kyi (supervisor), tin (admin) and
// win (auditor) of mm only, and dara and tola (admin) of kh only.
func newPair(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, func(o *Options) {
		o.Missions = append(o.Missions, yangon(t))
		o.Alerts = map[string][]bot.Contact{
			"kh": {{Channel: "telegram", Account: "1", Address: "-100"}}, "mm": {{Channel: "telegram", Account: "2", Address: "-200"}},
		}
	})
	for name, a := range map[string]bot.Account{
		"aung": {Role: casework.RoleOfficer, Missions: []string{"mm"}}, "kyi": {Role: casework.RoleSupervisor, Missions: []string{"mm"}},
		"tin": {Role: casework.RoleAdmin, Missions: []string{"mm"}}, "win": {Role: casework.RoleAuditor, Missions: []string{"mm"}},
		"dara": {Role: casework.RoleOfficer, Missions: []string{"kh"}}, "tola": {Role: casework.RoleAdmin, Missions: []string{"kh"}},
	} {
		a.Name, a.Lang, a.Hash, a.Created = name, "id", quickHash(), w.now
		w.f.accounts[name] = a
	}
	return w
}

// offer puts a case with one mission and offers it to another.
func (f *fake) offer(code, from, to, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.cases[code].open()
	c.Mission = from
	if _, err := casework.Propose(c, to, reason, "petugas b", f.clock()); err != nil {
		panic(err)
	}
	f.cases[code].c = seal(c)
}

func (w *world) caseOf(code string) *casework.Case {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	return w.f.cases[code].open()
}

func (w *world) rowsOf(kind string) []bot.Row {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	var out []bot.Row
	for _, r := range w.f.rows {
		if r.Kind == kind {
			out = append(out, *r)
		}
	}
	return out
}

// From the offer to the acceptance without JavaScript: the sender goes on working, the receiver reads and takes, the
// person is told once and in harmless words.
func TestHandOverOnTheDesk(t *testing.T) {
	w := newPair(t)
	w.f.make(person{n: 3, ago: 5 * time.Minute, safety: "safe", needs: []flows.Value{"sick"}, place: "Bavet", pref: "call_anytime", number: "+85512345678", says: []string{"saya sakit"}, name: "Siti Aminah"})
	code := caseCode(3)
	path, offer := "/case/"+code, "/offers/"+code
	b, mm := w.as("dara"), w.as("aung")
	mm.get("/offers").want(200, "Tidak ada tawaran").lacks(code)
	mm.get(offer).want(404)
	b.get(path).want(200).lacks("Tawarkan ke perwakilan lain") // it has to be in hand
	b.submit(path + "/claim")
	due := w.caseOf(code).DueAt
	b.submit(path+"/offer", "to", "mm", "reason", "").want(422, "Tulis alasannya")
	b.submit(path+"/offer", "to", "zz", "reason", "x").want(422, "Pilih perwakilan")
	b.submit(path+"/offer", "to", "mm", "reason", "keluarga di Myawaddy +85512345678").want(200, "Kasus ditawarkan ke KBRI Rangun", "menunggu jawaban")
	b.get("/queue").want(200, "ditawarkan ke KBRI Rangun")
	c := w.caseOf(code)
	if c.Mission != "kh" || c.Offer == nil || w.f.timers[c.ID+"/"+casework.TimerHandover].IsZero() {
		t.Fatalf("offered: at %s, %+v, timers %v", c.Mission, c.Offer, w.f.timers)
	}
	alerts := w.rowsOf(bot.KindAlert)
	if len(alerts) != 1 || alerts[0].To.Channel != bot.AlertChannel || !strings.Contains(alerts[0].To.Address, "telegram|2|-200") || !strings.Contains(alerts[0].Out.Text, "KBRI Rangun") {
		t.Fatalf("alerts %+v", alerts)
	}
	// Still in the sender's hands, in everything.
	b.get(path).submit(path+"/reply", "text", "Baik, kami bantu.").want(200, "Pesan tersimpan")

	mm.get("/queue").want(200, "Tawaran").lacks(code)
	mm.get("/offers").want(200, code, "dari KBRI Phnom Penh", "keluarga di Myawaddy").lacks("+85512345678")
	mm.post("/find", "q", code).want(200)
	if mm.path != offer {
		t.Errorf("the code leads to %s", mm.path)
	}
	mm.get(path).want(200, "menawarkan kasus ini")
	mm.get(offer).want(200, "saya sakit", "Baik, kami bantu.", "Sedang dipegang dara").lacks("+85512345678", "Siti Aminah", "tel:", path+"/reply", path+"/media", path+"/reveal")
	if !w.caseOf(code).LastRead.Equal(c.LastRead) && w.caseOf(code).LastReadBy == "aung" {
		t.Error("reading an offer counts as the sender's reading")
	}
	// Whatever the receiver posts to the case itself is refused.
	for _, act := range []string{"claim", "call", "outcome", "later", "reply", "note", "answer", "class", "safety", "signal", "stage", "close", "reveal", "release", "rescue", "offer", "offer/withdraw", "media", "seen"} {
		if mm.post(path+"/"+act, "reason", "x", "note", "x", "text", "x", "field", "phone", "purpose", "call", "to", "kh", "class", "P1"); mm.last.StatusCode != 404 {
			t.Errorf("%s of an offered case: %d", act, mm.last.StatusCode)
		}
	}
	// Returned first, then offered again and accepted.
	mm.get(offer).submit(offer+"/return", "reason", "").want(422, "Tulis alasannya")
	mm.submit(offer+"/return", "reason", "belum di Myanmar").want(200, "Kasus dikembalikan").lacks(code)
	b.get(path).want(200, "dikembalikan perwakilan lain", "belum di Myanmar")
	b.submit(path+"/offer", "to", "mm", "reason", "kini di Myawaddy").want(200)
	b.submit(path+"/offer/withdraw").want(200, "Tawaran ditarik")
	mm.post(offer+"/accept").want(200, "sudah ditarik")
	b.submit(path+"/offer", "to", "mm", "reason", "kini di Myawaddy").want(200)
	mm.get(offer)
	mm.submit(offer+"/accept").want(200, "Kasus diterima", "Anda pegang")
	if mm.path != path {
		t.Errorf("accepting led to %s", mm.path)
	}
	c = w.caseOf(code)
	if c.Mission != "mm" || c.Offer != nil || !c.DueAt.Equal(due) || w.f.cases[code].claim.Officer != "aung" {
		t.Fatalf("accepted: %s, %+v, due %v (was %v), %+v", c.Mission, c.Offer, c.DueAt, due, w.f.cases[code].claim)
	}
	told := 0
	for _, r := range w.rowsOf(casework.KindOfficer) {
		if r.By == "" {
			told++
			if r.Lane != bot.LaneStatus || !strings.Contains(r.Out.Text, "KBRI Rangun") || !strings.Contains(r.Out.Text, "+95 9 000 1000") || len(riskyHead(r.Out.Text)) > 0 || strings.Contains(r.Out.Text, "?") {
				t.Errorf("told %+v", r)
			}
		}
	}
	if told != 1 {
		t.Errorf("the person was told %d times", told)
	}
	b.get(path).want(404)
	b.post(path+"/note", "note", "x").want(404)
	mm.submit(path+"/note", "note", "sudah kami telepon").want(200, "Catatan tersimpan")
	for what, n := range map[string]int{"handover_offered": 3, "handover_returned": 1, "handover_withdrawn": 1, "handover_accepted": 1} {
		if got := w.audited(what, code); got != n {
			t.Errorf("%d audit rows of %s, want %d", got, what, n)
		}
	}
}

// A person who is not known to be safe, and a reporter, are told that somebody else goes on, and not who.
func TestHandOverNoticeGivesNothingAway(t *testing.T) {
	w := newPair(t)
	for i, p := range []person{{n: 1, safety: "watched"}, {n: 2, safety: "danger"}, {n: 4, safety: "safe", who: "other_person"}, {n: 5}} {
		p.ago = time.Duration(i+1) * time.Minute
		c := w.f.make(p)
		_, err := casework.Propose(c, "mm", "alasan", "dara", w.clock())
		if err != nil {
			t.Fatal(err)
		}
		w.f.cases[c.Code].c = seal(c)
		w.as("kyi").get("/offers/"+c.Code).submit("/offers/"+c.Code+"/accept").want(200, "Kasus diterima")
	}
	rows := w.rowsOf(casework.KindOfficer)
	if len(rows) != 4 {
		t.Fatalf("%d notices", len(rows))
	}
	for _, r := range rows {
		if strings.Contains(r.Out.Text, "KBRI") || strings.Contains(r.Out.Text, "Rangun") || strings.Contains(r.Out.Text, "{{") || len(riskyHead(r.Out.Text)) > 0 {
			t.Errorf("told %q", r.Out.Text)
		}
	}
}

// While the sender's phone may be ringing nobody else takes the case; and an officer of mm with an outcome to tell
// accepts nothing.
func TestNoAcceptanceDuringACall(t *testing.T) {
	w := newPair(t)
	w.f.make(person{n: 3, ago: time.Minute, safety: "safe", pref: "call_anytime", number: "+85512345678"})
	path, offer := "/case/"+caseCode(3), "/offers/"+caseCode(3)
	b := w.as("dara")
	b.get(path).submit(path + "/claim")
	b.submit(path+"/offer", "to", "mm", "reason", "di Myawaddy")
	b.submit(path+"/call", "via", "phone").want(200)
	mm := w.as("aung")
	mm.get(offer).submit(offer+"/accept").want(422, "hasil")
	if w.caseOf(caseCode(3)).Mission != "kh" {
		t.Error("taken during a call")
	}
}

// No account sees a case, a list, a letter or an account of a mission that is not its own, by whatever address.
func TestMissionsAreApart(t *testing.T) {
	w := newPair(t)
	w.f.make(person{n: 3, ago: time.Minute, safety: "safe", name: "Siti Aminah", number: "+85512345678"})
	c := w.caseOf(caseCode(3))
	mm := w.as("aung")
	for _, path := range []string{"/queue", "/mine", "/scheduled", "/registered", "/offers", "/letters", "/board"} {
		mm.get(path).want(200).lacks(c.Code, "KBRI Phnom Penh")
	}
	for _, path := range []string{"/case/" + c.Code, "/case/" + c.Code + "/print", "/id/kh/" + c.ID, "/offers/" + c.Code} {
		mm.get(path).want(404).lacks("Siti")
	}
	for _, what := range []string{c.Code, "+85512345678", "Siti"} {
		mm.post("/find", "q", what).want(200).lacks(c.Code)
	}
	w.as("dara").post("/find", "q", "aminah").want(200, c.Code)
	mm.post("/mission", "mission", "kh")
	mm.get("/queue").want(200, "KBRI Rangun").lacks(c.Code)
	// An account of both missions is led to the right one.
	both := w.as("officer")
	both.post("/mission", "mission", "mm")
	both.get("/case/"+c.Code).want(200, "KBRI Phnom Penh")

	admin := w.as("tin")
	admin.get("/staff").want(200, "aung").lacks("dara", "supervisor/role")
	for _, act := range []string{"role", "link", "enabled", "signout"} {
		for _, name := range []string{"dara", "tola", "officer", "admin"} {
			if admin.post("/staff/"+url.PathEscape(name)+"/"+act, "role", "admin"); admin.last.StatusCode != 404 {
				t.Errorf("%s of %s by mm's admin: %d", act, name, admin.last.StatusCode)
			}
		}
	}
	admin.post("/staff", "name", "mya", "role", "officer", "mission", "kh").want(403)
	admin.post("/staff", "name", "mya", "role", "officer").want(200)
	admin.post("/staff/mya/role", "role", "supervisor", "missions", "1", "mission", "kh").want(403)
	if got := w.f.accounts["mya"]; !slices.Equal(got.Missions, []string{"mm"}) || got.Role != casework.RoleOfficer {
		t.Errorf("the new account: %+v", got)
	}
	w.as("admin").post("/staff/mya/role", "role", "officer", "missions", "1", "mission", "kh", "mission", "mm").want(200)
	if got := w.f.accounts["mya"]; !slices.Equal(got.Missions, []string{"kh", "mm"}) {
		t.Errorf("of both: %+v", got.Missions)
	}
	w.advance(2 * time.Minute) // signing in is counted
	auditor := w.as("win")
	auditor.get("/audit?area=kh").want(http.StatusNotFound)
	auditor.get("/audit?area=").want(200, "aung").lacks("dara")
}

// The end of a shift: everything in hand goes to one colleague, or back to the queue, with a note; what has no outcome
// yet stays.
func TestEndOfShift(t *testing.T) {
	w := newPair(t)
	for n := 1; n <= 4; n++ {
		w.f.make(person{n: n, ago: time.Duration(n) * time.Minute, safety: "safe", pref: "call_anytime", number: "+85512345678"})
	}
	b := w.as("dara")
	for n := 1; n <= 3; n++ {
		b.get("/case/" + caseCode(n)).submit("/case/" + caseCode(n) + "/claim")
	}
	b.get("/case/"+caseCode(3)).submit("/case/"+caseCode(3)+"/call", "via", "phone")
	holder := func(n int) string {
		w.f.mu.Lock()
		defer w.f.mu.Unlock()
		if cl := w.f.cases[caseCode(n)].claim; cl != nil {
			return cl.Officer
		}
		return ""
	}
	b.get("/mine").want(200, "Akhir giliran", "officer").lacks(`value="aung"`, `value="auditor"`, `value="dara"`)
	b.submit("/mine/give", "to", "officer", "note", "").want(200, "Tulis satu baris")
	for _, name := range []string{"aung", "auditor", "nobody", ""} {
		b.submit("/mine/give", "to", name, "note", "x").want(200, "Pilih rekan")
	}
	b.submit("/mine/give", "to", "officer", "note", "tolong telepon jam 9").want(200, "2 kasus diserahkan; 1 tetap")
	if holder(1) != "officer" || holder(2) != "officer" || holder(3) != "dara" || holder(4) != "" {
		t.Fatalf("held by %q %q %q %q", holder(1), holder(2), holder(3), holder(4))
	}
	o := w.as("officer")
	o.get("/case/"+caseCode(1)).want(200, "tolong telepon jam 9", "diserahkan kepada officer", "Anda pegang")
	o.get("/mine").submit("/mine/release", "note", "giliran habis").want(200, "2 kasus dilepas")
	if holder(1) != "" || holder(2) != "" || holder(3) != "dara" {
		t.Fatalf("held by %q %q %q", holder(1), holder(2), holder(3))
	}
	if w.audited("hand_over", "") != 2 || w.audited("release", "") != 2 {
		t.Errorf("audit: %d handed, %d released", w.audited("hand_over", ""), w.audited("release", ""))
	}
}

// What was said on a case that goes on in the offered one is read at the new mission as well.
func TestLinkedCaseGoesAlong(t *testing.T) {
	w := newPair(t)
	w.f.make(person{n: 1, ago: time.Hour, safety: "safe", says: []string{"halo dari Telegram"}})
	w.f.make(person{n: 2, ago: time.Hour, safety: "safe", says: []string{"halo dari WhatsApp"}, origin: "whatsapp"})
	c, other := w.caseOf(caseCode(1)), w.caseOf(caseCode(2))
	if _, err := casework.Link(c, other, "dara", w.clock()); err != nil {
		t.Fatal(err)
	}
	w.f.cases[c.Code].c, w.f.cases[other.Code].c = seal(c), seal(other)
	w.f.offer(c.Code, "kh", "mm", "di Myawaddy")
	mm := w.as("aung")
	mm.get("/offers/"+c.Code).submit("/offers/"+c.Code+"/accept").want(200, "halo dari Telegram", "halo dari WhatsApp")
	if got := w.caseOf(other.Code); got.Mission != "mm" || !got.Closed() {
		t.Errorf("the linked case is at %s, closed %v", got.Mission, got.Closed())
	}
}
