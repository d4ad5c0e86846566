package desk

import (
	"testing"
	"time"
)

// A legal hold is a supervisor's to set and to lift, with a reason; while it stands nobody asks to erase the case.
func TestLegalHold(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 2, ago: time.Hour, safety: "safe", says: []string{"halo"}})
	path := "/case/" + caseCode(2)
	off, sup := w.as("officer"), w.as("supervisor")
	off.get(path).want(200).lacks(path+"/hold", "penghapusan dikunci")
	off.post(path+"/hold", "reason", "x").want(403)
	sup.get(path).submit(path+"/hold", "reason", "").want(422)
	sup.submit(path+"/hold", "reason", "perkara di pengadilan Svay Rieng").want(200, "Penghapusan dikunci: tidak ada yang terhapus", "Penghapusan dikunci untuk proses hukum oleh Anda",
		"perkara di pengadilan Svay Rieng").lacks("Minta penghapusan")
	if w.audited("hold", caseCode(2)) != 1 {
		t.Error("not in the audit log")
	}
	off.get(path).want(200, "penghapusan dikunci")
	sup.get(path).submit(path+"/hold/lift", "reason", "perkara selesai").want(200, "Kunci penghapusan dibuka", "Minta penghapusan")
	off.get(path).want(200, "kunci penghapusan dibuka")
}
