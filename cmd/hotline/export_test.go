package main

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"pulang/bot"
	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/cmd/hotline/export"
)

// auditRowsOf reads a line's audit log beside the program.
func auditRowsOf(t *testing.T, p *program, mission string) (rows []bot.Audit) {
	t.Helper()
	beside(t, p, func(s *store.Store) (err error) {
		rows, err = s.AuditLog(context.Background(), mission, 1000)
		return err
	})
	return rows
}

// beside opens the program's store while it serves.
func beside(t *testing.T, p *program, f func(*store.Store) error) {
	t.Helper()
	file := ""
	for _, e := range p.env {
		if v, ok := strings.CutPrefix(e, "HOTLINE_MISSION="); ok {
			file = v
		}
	}
	io := &streams{in: strings.NewReader(""), out: os.Stderr, err: os.Stderr, env: func(string) string { return "" }}
	if err := withStore(t.Context(), &Settings{Data: p.data, Missions: file}, io, func(o *opened) error { return f(o.store) }); err != nil {
		t.Fatal(err)
	}
}

// exportLine is a line in dir/data with one case, of Siti Rahasia, and staff who are signed in at the desk.
func exportLine(t *testing.T, dir string, staff map[string]string) (p *program, code string, at map[string]*clerk) {
	t.Helper()
	needed.Program(t, "redis-server")
	p = startHotline(t, filepath.Join(dir, "data"), []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t), "WEBCHAT=on", "HOTLINE_SECOND_FACTOR=off")
	c := newChat(t, p.Chat)
	c.say("tolong saya di Poipet, paspor ditahan bos, nama saya Siti Rahasia. rahasia-4711")
	c.until("Aman")
	code, at = oneCase(t, p), map[string]*clerk{}
	for name, role := range staff {
		link, errs, exit := p.run("staff", "add", name, "--role", role)
		if exit != 0 {
			t.Fatal(errs)
		}
		at[name] = newClerk(t, p.Desk).open("/welcome").send("/welcome", "token", strings.TrimSpace(link), "password", deskWord, "again", deskWord)
	}
	return p, code, at
}

// The whole way of a list of names: one person asks, another approves, the first one writes it, once. What is refused
// leaves no file; every file has one row in the audit log; nothing of a person is said on the terminal.
func TestExport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, code, at := exportLine(t, dir, map[string]string{"sari": "supervisor", "budi": "supervisor", "cici": "supervisor", "dewi": "supervisor", "eka": "supervisor", "laras": "officer", "wati": "admin"})
	files := 0
	path := func(name string) string { return filepath.Join(dir, name) }
	do := func(exit int, want string, args ...string) string {
		t.Helper()
		out, errs, got := runHotline(t, append(p.env, "HOTLINE_STAFF_PASSWORD="+deskWord), "", append([]string{"export"}, args...)...)
		if got != exit || !strings.Contains(out+errs, want) || exit != 0 && strings.Count(errs, "\n") != 1 {
			t.Fatalf("%v: %d %q %q, want %d with %q", args, got, out, errs, exit, want)
		}
		for _, leak := range []string{"Siti", "Rahasia", "4711", deskWord} {
			if strings.Contains(out+errs, leak) {
				t.Errorf("%v says %q: %q %q", args, leak, out, errs)
			}
		}
		return strings.TrimSpace(out)
	}
	written := func(name string) [][]string {
		t.Helper()
		files++
		st, err := os.Stat(path(name))
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Fatal(name, st, err)
		}
		b, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, ".csv") {
			return nil
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}

	// What cannot be meant ends before anything is opened.
	do(2, "--personal", "nominal", "--out", path("n.csv"), "--reason", "uji coba")
	do(2, "--personal", "operational", "--personal", "--out", path("n.csv"), "--reason", "uji coba")
	do(2, "--reason", "statistics", "--out", path("s.csv"))
	do(2, "--cutoff", "statistics", "--out", path("s.csv"), "--reason", "uji coba", "--cutoff", "25:00")
	do(2, "no mission", "statistics", "--out", path("s.csv"), "--reason", "uji coba", "--mission", "xx")
	do(2, "--out", "statistics", "--out", path("none/s.csv"), "--reason", "uji coba")

	// Three files a day of one account of the machine; figures and the queue without names need nobody else.
	do(0, "rows written", "statistics", "--out", path("s.csv"), "--reason", "laporan harian")
	if rows := written("s.csv"); rows[1][2] != "<5" || !strings.Contains(strings.Join(rows[len(rows)-1], ""), "Diekspor oleh cli:") {
		t.Errorf("%q", rows)
	}
	do(2, "there already", "statistics", "--out", path("s.csv"), "--reason", "laporan harian")
	do(0, "1 rows written", "operational", "--format", "xlsx", "--out", path("q.xlsx"), "--reason", "rapat sore")
	written("q.xlsx")
	do(0, "1 rows written", "operational", "--mission", "kh", "--lang", "en", "--out", path("q.csv"), "--reason", "rapat sore")
	if rows := written("q.csv"); rows[1][0] != code || strings.Contains(strings.Join(rows[1], " "), "Siti") {
		t.Errorf("%q", rows)
	}
	do(1, "the limit", "operational", "--out", path("q4.csv"), "--reason", "rapat sore")

	// Two people.
	do(1, "role officer", "request", "nominal", "--as", "laras", "--reason", "untuk SPLP")
	id := do(0, "", "request", "operational", "--as", "sari", "--reason", "serah terima malam")
	do(1, "nobody has approved", "operational", "--personal", "--request", id, "--as", "sari", "--out", path("p.csv"))
	do(1, "your own", "approve", id, "--as", "sari")
	do(1, "role officer", "approve", id, "--as", "laras")
	if out, errs, got := runHotline(t, append(p.env, "HOTLINE_STAFF_PASSWORD=ini bukan kata sandinya"), "", "export", "approve", id, "--as", "budi"); got != 1 || !strings.Contains(errs, "password or its code is wrong") {
		t.Fatal(out, errs, got)
	}
	if out, errs, got := runHotline(t, p.env, deskWord+"\n", "export", "approve", id, "--as", "budi"); got != 0 || !strings.Contains(out, "sari may write it once") {
		t.Fatal(out, errs, got)
	}
	do(0, "allowed", "list")
	do(1, "no request", "operational", "--personal", "--request", id, "--as", "cici", "--out", path("p.csv"))
	do(0, "1 rows written", "operational", "--personal", "--request", strings.ToLower(id), "--as", "sari", "--out", path("p.csv"))
	rows := written("p.csv")
	if all := strings.Join(rows[1], " ") + strings.Join(rows[len(rows)-1], " ") + strings.Join(rows[len(rows)-2], " "); !strings.Contains(all, code) ||
		!strings.Contains(all, "Diekspor oleh sari") || !strings.Contains(all, "Disetujui oleh budi") || !strings.Contains(all, "serah terima malam") {
		t.Errorf("%q", rows)
	}
	do(1, "was written", "operational", "--personal", "--request", id, "--as", "sari", "--out", path("p2.csv"))
	refused := do(0, "", "request", "shelter", "--as", "budi", "--reason", "pembagian kamar")
	do(2, "is for: shelter", "nominal", "--personal", "--request", refused, "--as", "budi", "--out", path("r.csv"))
	do(0, "Refused", "refuse", refused, "--as", "cici")
	do(1, "was refused", "shelter", "--personal", "--request", refused, "--as", "budi", "--out", path("r.csv"))

	// The same at the desk, where only the writing of the file is left to the command; an admin may be the second person.
	do(1, "role admin may not export", "request", "nominal", "--as", "wati", "--reason", "untuk SPLP")
	at["eka"].open("/exports").send("/exports", "kind", "operational", "reason", "serah terima pagi")
	onDesk := regexp.MustCompile(`class="code">([A-Z2-9]{6})<`).FindStringSubmatch(at["eka"].page)
	if onDesk == nil {
		t.Fatal("no number on the page:", visible(at["eka"].page))
	}
	at["wati"].open("/exports").sees(onDesk[1], "serah terima pagi", "baris sekarang: 1")
	if strings.Contains(at["wati"].page, code) || strings.Contains(at["wati"].page, "Siti") {
		t.Error("an admin sees a case:", visible(at["wati"].page))
	}
	do(1, "your own", "approve", onDesk[1], "--as", "eka")
	at["wati"].send("/exports/"+onDesk[1]+"/approve", "sure", "1").sees("disetujui wati")
	do(1, "approved already", "refuse", onDesk[1], "--as", "cici")
	at["eka"].open("/exports").sees("--request " + onDesk[1])
	do(0, "1 rows written", "operational", "--personal", "--request", onDesk[1], "--as", "eka", "--out", path("d.csv"))
	if rows := written("d.csv"); !strings.Contains(strings.Join(rows[len(rows)-1], " ")+strings.Join(rows[len(rows)-2], " "), "Disetujui oleh wati") {
		t.Errorf("%q", rows)
	}
	at["eka"].open("/exports").sees("berkas sudah ditulis")
	byHand := do(0, "", "request", "nominal", "--as", "eka", "--reason", "untuk SPLP")
	do(0, "eka may write it once", "approve", byHand, "--as", "wati")
	at["cici"].open("/exports").sees(byHand, "disetujui wati")

	// An authenticator app counts here as at the desk: the password alone is not enough, a code is good once, and where it
	// is asked of everybody an account without one cannot do anything.
	const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	began := time.Now()
	beside(t, p, func(s *store.Store) error {
		return s.SetFactor(t.Context(), "dewi", secret, began, began.Add(-time.Hour).Unix()/30)
	})
	now, err := totp.GenerateCode(secret, time.Now().Add(30*time.Second)) // the next one: it counts for a minute at least
	if err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		typed, want string
		exit        int
	}{
		{deskWord + "\n", "no code", 2}, {deskWord + "\n000000\n", "code is wrong", 1}, {deskWord + "\n" + now + "\n", "approves it", 0}, {deskWord + "\n" + now + "\n", "used already", 1},
	} {
		out, errs, exit := runHotline(t, p.env, try.typed, "export", "request", "waiver", "--as", "dewi", "--reason", "daftar untuk GDI")
		if exit != try.exit || !strings.Contains(out+errs, try.want) || strings.Contains(out+errs, now) {
			t.Errorf("%d %q %q, want %q", exit, out, errs, try.want)
		}
	}
	if _, errs, exit := runHotline(t, append(p.env, "HOTLINE_SECOND_FACTOR=on"), deskWord+"\n", "export", "request", "waiver", "--as", "eka", "--reason", "daftar untuk GDI"); exit != 1 || !strings.Contains(errs, "no authenticator app yet") {
		t.Error(exit, errs)
	}

	// One person's own case; the account of the machine has had its three.
	do(1, "the limit", "case", code, "--out", path("c.json"), "--reason", "diminta di loket", "--verified", "document")
	rowsOf := func(what string) (n int) {
		for _, r := range auditRowsOf(t, p, "kh") {
			if r.What == what {
				n++
				if r.Who == "" || what == "export" && r.Purpose == "" || strings.Contains(r.Field+r.Purpose+r.Result, "Siti") {
					t.Errorf("%+v", r)
				}
			}
		}
		return n
	}
	if n := rowsOf("export"); n != files {
		t.Errorf("%d files, %d rows in the audit log", files, n)
	}
	if a, b, c := rowsOf("export_request"), rowsOf("export_approve"), rowsOf("export_refuse"); a != 5 || b != 5 || c != 1 { // two approvals were one's own
		t.Errorf("%d requests, %d approvals, %d refusals", a, b, c)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != files+1 { // and the data directory
		t.Errorf("%v %v", left, err)
	}
	if hidden, _ := filepath.Glob(filepath.Join(dir, ".*-*")); len(hidden) > 0 {
		t.Error("left:", hidden)
	}
	p.stop(15)
}

// The copy for the person concerned is two files and one row, and is read again as it was written.
func TestExportCase(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	dir := t.TempDir()
	p := startHotline(t, filepath.Join(dir, "data"), []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t), "WEBCHAT=on")
	c := newChat(t, p.Chat)
	c.say("tolong saya di Poipet, paspor ditahan bos. rahasia-4711")
	c.until("Aman")
	code := oneCase(t, p)
	out := filepath.Join(dir, "copy.json")
	args := []string{"export", "case", code, "--out", out, "--reason", "diminta di loket"}
	if _, errs, exit := p.run(args...); exit != 2 || !strings.Contains(errs, "--verified") {
		t.Error("without saying how it was verified:", exit, errs)
	}
	said, errs, exit := p.run(append(args, "--verified", "document")...)
	if exit != 0 || strings.Contains(said+errs, "4711") || strings.Contains(said+errs, code) {
		t.Fatalf("%d %q %q", exit, said, errs)
	}
	for _, name := range []string{"copy.json", "copy.txt"} {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Fatal(name, err)
		}
		b, _ := os.ReadFile(filepath.Join(dir, name))
		if !strings.Contains(string(b), "rahasia-4711") || !strings.Contains(string(b), code) {
			t.Errorf("%s: %s", name, b)
		}
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if again, err := export.ReadCopy(f); err != nil || again.Code != code || time.Since(again.MadeAt) > time.Hour || len(again.Chat) < 2 {
		t.Errorf("%+v, %v", again, err)
	}
	n := 0
	for _, r := range auditRowsOf(t, p, "kh") {
		if r.What == "export_case" && r.Code == code && r.Field == "document" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d rows", n)
	}
	p.stop(15)
}
