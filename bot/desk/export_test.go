package desk

import (
	"context"
	"strings"
	"testing"
	"time"

	"pulang/bot"
)

// A file that names people takes two at the desk, too: one asks, another allows it within a day, once; every word is in
// the audit log with the reason. The file itself does not pass the desk.
func TestExportAsks(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	second := w.f.accounts["supervisor"]
	second.Name = "budi santoso"
	w.f.accounts["budi santoso"] = second
	one, two, admin := w.as("supervisor"), w.as("budi santoso"), w.as("admin")
	w.as("officer").get("/queue").lacks("/exports").get("/exports").want(403)

	// What cannot be meant is said, and what was typed stays.
	form := func(kind, from, to, reason string) *browser {
		return one.get("/exports").submit("/exports", "kind", kind, "from", from, "to", to, "reason", reason)
	}
	form("statistics", "", "", "daftar untuk SPLP").want(422, "Pilih jenisnya", "daftar untuk SPLP")
	form("nominal", "kemarin", "", "daftar untuk SPLP").want(422, "2026-01-19")
	form("nominal", "2026-02-31", "", "daftar untuk SPLP").want(422, "2026-01-19")
	form("nominal", "2026-01-20", "2026-01-19", "daftar untuk SPLP").want(422, "sebelum hari pertama", `value="nominal" selected`, `value="2026-01-20"`)
	form("nominal", "", "", " ab ").want(422, "4 sampai 300")
	if n := len(w.f.exports) + w.audited("export_request", ""); n != 0 {
		t.Fatalf("%d requests and rows", n)
	}

	// The same form sent three times is one request.
	one.get("/exports")
	page := one.body
	for range 3 {
		one.body = page
		one.submit("/exports", "kind", "nominal", "from", "2026-01-16", "to", "2026-01-20", "reason", "daftar untuk <b>SPLP</b>").want(200, "dicatat")
	}
	if len(w.f.exports) != 1 || w.audited("export_request", "") != 1 {
		t.Fatalf("%d requests, %d rows", len(w.f.exports), w.audited("export_request", ""))
	}
	a := w.f.exports[0]
	if len(a.ID) != 6 || a.Mission != "kh" || a.Kind != "nominal" || a.From != "2026-01-16" || a.To != "2026-01-20" || a.By != "supervisor" || a.Reason != "daftar untuk <b>SPLP</b>" {
		t.Fatalf("%+v", a)
	}
	allow, refuse := "/exports/"+a.ID+"/approve", "/exports/"+a.ID+"/refuse"

	// Nobody answers their own.
	one.get("/exports").want(200, a.ID, "Anda yang meminta").lacks(`action="` + allow + `"`)
	one.post(allow, "sure", "1").want(422, "orang kedua")
	one.post(refuse).want(422, "orang kedua")
	two.get("/exports").want(200, a.ID, "diminta supervisor", "16 Jan 2026 sampai 20 Jan 2026", "22 Nov 2026 14.05 WIB", "23 Nov 2026 14.05 WIB", "Daftar nominatif").lacks("baris sekarang")
	if strings.Contains(two.raw, "<b>SPLP") || strings.Contains(two.body, "Siti") {
		t.Error("the page shows what it should not")
	}
	two.submit(allow).want(422, "Centang dulu")
	if w.f.exports[0].State != bot.ExportAsked || w.audited("export_approve", "") != 1 { // one's own
		t.Fatal(w.f.exports[0].State, w.audited("export_approve", ""))
	}
	page = two.body
	for range 2 { // the button pressed twice
		two.body = page
		two.submit(allow, "sure", "1").want(200, "disetujui", "supervisor")
	}
	two.lacks("hotline export") // it is not this person's to write
	admin.get("/exports").want(200, a.ID, "disetujui budi santoso").lacks("hotline export", `action="/exports"`, `action="`+allow+`"`)
	admin.post(refuse).want(409, "sudah dijawab")
	admin.post("/exports", "kind", "nominal", "reason", "daftar untuk SPLP").want(403)
	one.get("/exports").want(200, "<span>hotline export</span> <span>nominal</span> <span>--mission kh</span> <span>--personal</span> <span>--request "+a.ID+"</span> <span>--as supervisor</span> <span>--out nominal-"+a.ID+".csv</span>")

	// Another one is asked for by somebody whose name has a blank, refused by an admin.
	w.advance(time.Second)
	two.get("/exports").submit("/exports", "kind", "shelter", "from", "", "to", "", "reason", "pembagian kamar").want(200, "dicatat")
	b := w.f.exports[1]
	admin.get("/exports").want(200, "semua hari").submit("/exports/"+b.ID+"/refuse").want(200, "ditolak")
	two.get("/exports").want(200, "ditolak admin").lacks("hotline export")
	two.post("/exports/"+b.ID+"/approve", "sure", "1").want(409, "sudah dijawab")

	// Once it is allowed, the command for a name with a blank can be typed as it stands; once written, it is gone.
	w.advance(time.Second)
	two.get("/exports").submit("/exports", "kind", "operational", "from", "", "to", "", "reason", "serah terima malam").want(200)
	c := w.f.exports[2]
	admin.get("/exports").submit("/exports/"+c.ID+"/approve", "sure", "1").want(200)
	two.get("/exports").want(200, `--as "budi santoso"`)
	w.f.mu.Lock()
	w.f.exports[2].State = bot.ExportTaken
	w.f.mu.Unlock()
	two.get("/exports").want(200, "berkas sudah ditulis").lacks("--request " + c.ID)
	for _, b := range []*browser{admin, one} {
		b.post("/exports/"+c.ID+"/approve", "sure", "1").want(409, "sudah ditulis")
	}

	// A day later nothing waits, and nothing can be allowed.
	one.get("/exports").submit("/exports", "kind", "waiver", "from", "", "to", "", "reason", "denda imigrasi").want(200)
	d := w.f.exports[3]
	w.advance(bot.ExportLife)
	one, admin = w.as("supervisor"), w.as("admin")
	one.get("/exports").want(200, "Tidak ada permintaan").lacks(d.ID)
	for _, id := range []string{d.ID, "XXXXXX", "x"} {
		admin.post("/exports/"+id+"/approve", "sure", "1").want(409, "kedaluwarsa")
	}
	if a, b, c := w.audited("export_request", ""), w.audited("export_approve", ""), w.audited("export_refuse", ""); a != 4 || b != 3 || c != 2 { // one of each was one's own
		t.Errorf("%d requests, %d approvals, %d refusals", a, b, c)
	}
	for _, x := range w.f.audits {
		if strings.HasPrefix(x.What, "export_") && (x.Who == "" || x.Role == "" || x.Session == "" || x.Field == "" || x.Purpose == "" || x.Result != "" && x.Result != "own") {
			t.Errorf("%+v", x)
		}
	}
	w.as("auditor").get("/audit").want(200, "nominal "+a.ID)
}

// Who asked takes the request back with a button, waiting or allowed, once; nobody else can, and from then on nobody
// allows it or is told how to write it.
func TestExportWithdrawn(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	w.f.accounts["budi"] = w.f.accounts["supervisor"]
	b := w.f.accounts["budi"]
	b.Name = "budi"
	w.f.accounts["budi"] = b
	one, two, admin := w.as("supervisor"), w.as("budi"), w.as("admin")
	ask := func(kind string) (id, back string) {
		w.advance(time.Second)
		one.get("/exports").submit("/exports", "kind", kind, "from", "", "to", "", "reason", "daftar untuk SPLP").want(200)
		id = w.f.exports[len(w.f.exports)-1].ID
		return id, "/exports/" + id + "/withdraw"
	}
	id, back := ask("splp")
	for _, other := range []*browser{two, admin} {
		other.get("/exports").want(200, id).lacks(back)
	}
	two.post(back).want(409, "tidak ada")
	admin.post(back).want(403)
	w.as("officer").post(back).want(403)
	if w.f.exports[0].State != bot.ExportAsked || w.audited("export_withdraw", "") != 0 {
		t.Fatal(w.f.exports[0].State, w.audited("export_withdraw", ""))
	}
	page := one.get("/exports").want(200, back).body
	for range 2 { // the button pressed twice
		one.body = page
		one.submit(back).want(200, "ditarik kembali").lacks(back)
	}
	if n := w.audited("export_withdraw", ""); n != 1 {
		t.Errorf("%d rows", n)
	}
	two.post("/exports/"+id+"/approve", "sure", "1").want(409, id+" sudah ditarik kembali")
	two.post("/exports/"+id+"/refuse").want(409, id+" sudah ditarik kembali")
	admin.get("/exports").want(200, "ditarik kembali supervisor", "Tidak ada permintaan").lacks("/exports/" + id)

	// One that is allowed already.
	id, back = ask("manifest")
	two.get("/exports").want(200, "Manifes").submit("/exports/"+id+"/approve", "sure", "1").want(200)
	one.get("/exports").want(200, "--request "+id).submit(back).want(200).lacks("--request " + id)
	// One that is over.
	id, back = ask("nominal")
	two.get("/exports").submit("/exports/" + id + "/refuse").want(200)
	one.get("/exports").lacks(back).post(back).want(409, "sudah dijawab")
	id, back = ask("nominal")
	w.f.mu.Lock()
	w.f.exports[len(w.f.exports)-1].State = bot.ExportTaken
	w.f.mu.Unlock()
	one.get("/exports").lacks(back).post(back).want(409, id+" sudah ditulis")
	for _, x := range w.f.audits {
		if x.What == "export_withdraw" && (x.Who != "supervisor" || x.Role == "" || x.Session == "" || x.Purpose != "daftar untuk SPLP" || x.Field == "") {
			t.Errorf("%+v", x)
		}
	}
	w.as("auditor").get("/audit").want(200, "tarik permintaan ekspor")
}

// Whoever may allow an export sees on every page how many requests of others wait; nobody else does, and for whoever
// sees the queue it is read along with it.
func TestExportsWaitingInNav(t *testing.T) {
	w := newPair(t)
	w.f.seed()
	ask := func(id, mission, by string) {
		w.f.mu.Lock()
		defer w.f.mu.Unlock()
		w.f.exports = append(w.f.exports, bot.ExportAsk{ID: id, Mission: mission, Kind: "nominal", Reason: "untuk SPLP", By: by, At: w.clock(), State: bot.ExportAsked, Until: w.clock().Add(bot.ExportLife)})
	}
	const entry = `href="/exports"`
	count := func(b *browser, path, want string) {
		t.Helper()
		_, rest, _ := strings.Cut(b.get(path).want(200, entry).body, entry)
		rest, _, _ = strings.Cut(rest, "</a>")
		if _, n, _ := strings.Cut(rest, `class="n">`); strings.TrimSuffix(n, "</span>") != want {
			t.Errorf("%s: %q, want %q", path, rest, want)
		}
	}
	one, admin := w.as("supervisor"), w.as("admin")
	count(one, "/queue", "")
	count(admin, "/staff", "")
	ask("ABC234", "kh", "supervisor")
	ask("DEF567", "kh", "sri")
	ask("GHJ345", "mm", "kyi")
	ask("KLM678", "kh", "supervisor")
	w.f.asking = 0
	for _, path := range []string{"/queue", "/mine", "/case/" + caseCode(1), "/exports", "/letters", "/board"} {
		count(one, path, "1")
	}
	if w.f.asking != 0 {
		t.Errorf("asked %d times besides the queue", w.f.asking)
	}
	count(one, "/channels", "1")
	for _, path := range []string{"/staff", "/channels", "/upkeep", "/exports", "/erasures", "/broadcasts", "/board"} {
		count(admin, path, "3")
	}
	w.as("officer").get("/queue").want(200).lacks(entry)
	w.f.mu.Lock()
	w.f.exports[1].State, w.f.exports[3].State = bot.ExportAllowed, bot.ExportWithdrawn
	w.f.mu.Unlock()
	count(one, "/queue", "")
	count(admin, "/staff", "1")
	w.advance(bot.ExportLife)
	count(w.as("admin"), "/staff", "")
}

// How many rows a requested file would have is told where it can be counted, to whoever may answer.
func TestExportRows(t *testing.T) {
	counts := map[string]int{"ABC234": 1234, "DEF567": bot.ExportMostRows + 1, "GHJ345": -1}
	asked := 0
	w := newWorld(t, func(o *Options) {
		o.ExportRows = func(_ context.Context, m *bot.Mission, asks []bot.ExportAsk) (out []int) {
			asked++
			for _, a := range asks {
				if a.Mission != m.Code || a.State != bot.ExportAsked {
					t.Errorf("%s of %s is counted for %s", a.ID, a.Mission, m.Code)
				}
				out = append(out, counts[a.ID])
			}
			return out
		}
	})
	w.f.seed()
	b := w.as("admin")
	b.get("/exports").want(200, "Tidak ada permintaan")
	if asked != 0 {
		t.Error("counted for nothing")
	}
	for id := range counts {
		w.f.exports = append(w.f.exports, bot.ExportAsk{ID: id, Mission: "kh", Kind: "nominal", Reason: "untuk SPLP", By: "supervisor", At: w.clock(), State: bot.ExportAsked, Until: w.clock().Add(bot.ExportLife)})
	}
	w.f.exports = append(w.f.exports,
		bot.ExportAsk{ID: "KLM678", Mission: "kh", Kind: "waiver", By: "supervisor", State: bot.ExportAllowed, Second: "admin", Until: w.clock().Add(bot.ExportLife)},
		bot.ExportAsk{ID: "MMM678", Mission: "mm", Kind: "waiver", By: "supervisor", State: bot.ExportAsked, Until: w.clock().Add(bot.ExportLife)})
	b.get("/exports").want(200, "baris sekarang: 1.234", "lebih dari 10.000 baris", "GHJ345")
	if n := strings.Count(b.body, "baris"); n != 2+strings.Count(w.d.Catalogue.Text("id", "desk.export.means", nil), "baris") {
		t.Errorf("%d counts on the page\n%s", n, b.text())
	}
}

// Whoever works for one mission sees and answers the requests of that one only.
func TestExportAsksOfOtherMissions(t *testing.T) {
	w := newPair(t)
	w.f.seed()
	w.f.exports = []bot.ExportAsk{{ID: "ABC234", Mission: "kh", Kind: "nominal", Reason: "kanarialasan", By: "supervisor", At: w.clock(), State: bot.ExportAsked, Until: w.clock().Add(bot.ExportLife)}}
	for _, who := range []string{"kyi", "tin"} { // of mm
		w.as(who).get("/exports").want(200).lacks("ABC234", "kanarialasan").post("/exports/ABC234/approve", "sure", "1").want(409, "tidak ada")
	}
	w.as("dara").get("/exports").want(403)
	if w.f.exports[0].State != bot.ExportAsked || w.audited("export_approve", "") != 0 {
		t.Error("answered from elsewhere")
	}
	w.as("tola").get("/exports").want(200, "kanarialasan").submit("/exports/ABC234/approve", "sure", "1").want(200, "disetujui")
}
