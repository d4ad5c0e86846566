package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A request for the SPLP batch or a manifest is taken back by who asked, waiting or approved, here or at the desk, with
// one row in the audit log; then nobody approves or writes it. One that is not taken back is written as every other is.
func TestExportWithdraw(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, code, at := exportLine(t, dir, map[string]string{"sari": "supervisor", "budi": "supervisor", "dewi": "supervisor", "eka": "supervisor", "wati": "admin"})
	do := func(exit int, want string, args ...string) string {
		t.Helper()
		out, errs, got := runHotline(t, append(p.env, "HOTLINE_STAFF_PASSWORD="+deskWord), "", append([]string{"export"}, args...)...)
		if got != exit || !strings.Contains(out+errs, want) || exit != 0 && strings.Count(errs, "\n") != 1 || strings.Contains(out+errs, "Rahasia") {
			t.Fatalf("%v: %d %q %q, want %d with %q", args, got, out, errs, exit, want)
		}
		return strings.TrimSpace(out)
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	do(0, "who needs a travel document", "request", "--help")
	do(0, "Takes your own request back", "--help")
	do(2, "manifest", "manifes", "--out", path("m.csv"), "--reason", "penerbangan besok") // a kind that there is not: which there are
	do(2, "names people", "manifest", "--out", path("m.csv"), "--reason", "penerbangan besok")

	// Waiting.
	id := do(0, "", "request", "splp", "--as", "sari", "--reason", "pengajuan SPLP")
	at["wati"].open("/staff")
	if !strings.Contains(at["wati"].page, `<a href="/exports">Ekspor data <span class="n">1</span>`) {
		t.Error("an admin is not told that a request waits:", visible(at["wati"].page))
	}
	do(1, "no request", "withdraw", id, "--as", "budi")
	do(1, "role admin may not export", "withdraw", id, "--as", "wati")
	do(1, "no request", "withdraw", "ZZZZZZ", "--as", "sari")
	do(0, "Taken back", "withdraw", strings.ToLower(id), "--as", "sari")
	do(0, "Taken back", "withdraw", id, "--as", "sari") // nothing new
	do(1, "taken back by who asked", "approve", id, "--as", "budi")
	do(0, "withdrawn", "list")

	// Approved, and taken back at the desk.
	id = do(0, "", "request", "manifest", "--as", "sari", "--reason", "penerbangan besok")
	do(0, "sari may write it once", "approve", id, "--as", "budi")
	at["sari"].open("/exports").send("/exports/" + id + "/withdraw").sees("ditarik kembali")
	do(1, "taken back by who asked", "manifest", "--personal", "--request", id, "--as", "sari", "--out", path("m.csv"))

	// Written: whoever has not agreed is in neither and counted in both.
	for kind, x := range map[string]struct{ by, heads string }{"splp": {"dewi", "No. paspor lama"}, "manifest": {"eka", "Penerbangan"}} { // five passwords a minute each
		id = do(0, "", "request", kind, "--as", x.by, "--reason", "untuk perwakilan")
		do(0, "may write it once", "approve", id, "--as", "wati")
		do(0, "0 rows written", kind, "--personal", "--request", id, "--as", x.by, "--out", path(kind+".csv"))
		do(1, "was written", "withdraw", id, "--as", x.by)
		b, err := os.ReadFile(path(kind + ".csv"))
		if text := string(b); err != nil || !strings.Contains(text, x.heads) || !strings.Contains(text, "Disetujui oleh wati") || strings.Contains(text, code) ||
			strings.Contains(text, "1 orang tidak dimuat") != (kind == "splp") {
			t.Errorf("%s: %v\n%s", kind, err, text)
		}
	}
	n := 0
	for _, r := range auditRowsOf(t, p, "kh") {
		if r.What == "export_withdraw" {
			n++
			if r.Who != "sari" || r.Purpose == "" || r.Result != "" || !strings.HasPrefix(r.Field, "splp ") && !strings.HasPrefix(r.Field, "manifest ") {
				t.Errorf("%+v", r)
			}
		}
	}
	if n != 2 {
		t.Errorf("%d rows of two requests that were taken back", n)
	}
	p.stop(15)
}
