package desk

import (
	"strings"
	"testing"
	"time"

	"pulang/bot"
)

// An auditor finds what happened to a case behind thousands of later rows, reads it in words and not in ids, and is told
// how far the page looked.
func TestAuditByCase(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	code := caseCode(3)
	rows := []bot.Audit{
		{At: w.clock(), Who: "officer", Role: "officer", What: "outcome", Code: code, Field: "no_answer"},
		{At: w.clock(), Who: "sri", Role: "officer", What: "reveal", Code: code, Field: "phone", Purpose: "call"},
	}
	for range auditRows + 500 {
		rows = append(rows, bot.Audit{At: w.clock().Add(time.Minute), Who: "supervisor", Role: "supervisor", What: "list", Result: "8/8"})
	}
	w.f.mu.Lock()
	w.f.audit("kh", rows...)
	w.f.mu.Unlock()
	b := w.as("auditor").get("/audit?area=kh").want(200, "Menampilkan 1.000 baris", "(penyelia)").lacks(code)
	b.get("/audit?area=kh&code="+strings.ToLower(strings.ReplaceAll(code, "-", ""))).want(200, "Menampilkan 2 baris; yang diperiksa 1.50",
		"Tidak diangkat", "(petugas)", "nomor telepon", "menelepon")
	b.get("/audit?area=kh&who=sri&code="+code).want(200, "Menampilkan 1 baris").lacks("Tidak diangkat")
	if w.audited("audit_read", "") != 4 { // signing in leads there too
		t.Error("reading the log leaves no trace")
	}
}
