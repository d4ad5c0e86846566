package desk

import (
	"testing"
	"time"

	"pulang/bot"
)

// A case goes for good only when a second person says so, with a reason, and not while an officer works on it.
func TestErase(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	a := w.f.accounts["supervisor"]
	a.Name = "budi"
	w.f.accounts["budi"] = a
	code, path := caseCode(3), "/case/"+caseCode(3)
	w.as("officer").get(path).want(200).lacks("/erasures")
	one, two, admin := w.as("supervisor"), w.as("budi"), w.as("admin")
	one.get(path).want(200, "35 hari").submit("/erasures", "reason", " ").want(422, "Tulis alasannya")
	one.post("/erasures", "code", "K7M4-692Q", "reason", "x").want(422, "Tidak ada kasus")
	one.get(path).submit("/erasures", "reason", "diminta <b>orangnya</b>").want(200, "dicatat", "35 hari")
	if one.path != "/erasures" {
		t.Fatalf("at %s", one.path)
	}
	one.lacks(`action="/erasures/` + code + `/confirm"`)
	one.post("/erasures/"+code+"/confirm", "sure", "1").want(422, "orang kedua")
	two.post("/erasures", "code", code, "reason", "x").want(409, "sudah diminta")

	// The admin sees code, reason and who asks, and no case.
	admin.get("/erasures").want(200, code, "supervisor", "diminta <b>orangnya</b>").lacks(`href="/case/`)
	admin.submit("/erasures/"+code+"/confirm").want(422, "Centang dulu")
	two.get(path).submit(path + "/claim").want(200)
	admin.post("/erasures/"+code+"/confirm", "sure", "1").want(409, "budi sedang menangani")
	two.post("/erasures/"+code+"/withdraw").want(200, "dibatalkan")
	admin.post("/erasures/"+code+"/confirm", "sure", "1").want(409, "dibatalkan, kedaluwarsa")

	two.get(path).submit(path+"/release", "summary", "x").want(200)
	w.advance(time.Second)
	two.post("/erasures", "code", code, "reason", "akhir masa simpan").want(200)
	w.advance(bot.EraseAskLife)
	one, admin = w.as("supervisor"), w.as("admin")
	one.get("/erasures").want(200, "Tidak ada permintaan")
	admin.post("/erasures/"+code+"/confirm", "sure", "1").want(409)
	one.post("/erasures", "code", code, "reason", "akhir masa simpan").want(200)
	admin.get("/erasures").submit("/erasures/"+code+"/confirm", "sure", "1").want(200, "dihapus selamanya", "35 hari")
	one.get(path).want(404)
	if w.audited("erase_asked", code) != 3 || w.audited("erase_withdrawn", code) != 1 || w.audited("erase", code) != 1 {
		t.Error("the audit log lacks something")
	}
	for _, x := range w.f.audits {
		if x.What == "erase" && (x.Purpose != "akhir masa simpan" || x.Who != "admin") {
			t.Errorf("%+v", x)
		}
	}
}
