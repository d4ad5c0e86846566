package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulang/bot/needed"
)

// In `serve` nobody gets in by a password alone; a lost phone takes the command line and an admin, or two admins.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	p := startHotline(t, filepath.Join(t.TempDir(), "data"), []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t))
	hire := func(name, role string, how ...string) *clerk {
		t.Helper()
		out, errs, exit := p.run(append([]string{"staff"}, how...)...)
		if exit != 0 {
			t.Fatal(errs)
		}
		_, token, _ := strings.Cut(strings.TrimSpace(out), "#")
		c := newClerk(t, p.Desk)
		c.open("/welcome").send("/welcome", "token", token, "password", deskWord, "again", deskWord)
		return c
	}
	rini := hire("rini", "admin", "add", "rini", "--role", "admin")
	siti := hire("siti", "officer", "add", "siti", "--role", "officer")
	if len(siti.key) != 32 {
		t.Fatalf("no authenticator was set up:\n%s", visible(siti.page))
	}
	siti.open("/queue").sees("Antrean")

	fails := func(wants string, args ...string) {
		t.Helper()
		if out, errs, exit := p.run(append([]string{"staff", "factor"}, args...)...); exit != 1 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, wants) {
			t.Errorf("staff factor %v: %d %q %q", args, exit, out, errs)
		}
	}
	// A new password keeps the authenticator: the link leads to the code, and a code that was used is none. It is the
	// one that comes next, which counts for a minute at least however slow the machine is.
	c := hire("siti", "officer", "reset", "siti")
	c.sees("Kode dari aplikasi")
	c.key = siti.key
	code := c.code(time.Now().Add(30 * time.Second))
	c.send("/signin/code", "code", code).open("/queue").sees("Antrean")
	twice := newClerk(t, p.Desk)
	twice.open("/signin").send("/signin", "name", "siti", "password", deskWord).sees("Kode dari aplikasi")
	twice.send("/signin/code", "code", code).sees("sudah dipakai")

	fails("nobody asks", "siti", "--confirm")
	if out, errs, exit := p.run("staff", "factor", "siti"); exit != 0 || !strings.Contains(out, "confirms it on the desk") {
		t.Fatal(out, errs)
	}
	fails("at the command line", "siti", "--confirm")
	fails("--withdraw", "siti")
	if out, _, _ := p.run("staff", "list"); !strings.Contains(out, "removal asked at the command line") {
		t.Errorf("staff list: %q", out)
	}
	rini.open("/staff").sees("Baris perintah meminta penghapusan")
	rini.send("/staff/siti/factor/confirm").sees("Tautan sekali pakai untuk siti")
	c.open("/queue").sees("Kata sandi") // signed out
	fails("has no authenticator", "siti", "--withdraw")

	// The other way round: an admin asks, the command line confirms.
	again := hire("siti", "officer", "reset", "siti")
	if again.key == "" || again.key == siti.key {
		t.Errorf("the same key again: %v", again.key == siti.key)
	}
	rini.open("/staff").send("/staff/siti/factor")
	if out, errs, exit := p.run("staff", "factor", "siti", "--confirm"); exit != 0 || !strings.Contains(out, "/welcome#") {
		t.Fatal(out, errs)
	}
	again.open("/queue").sees("Kata sandi")
	if out, errs, code := p.run("audit", "verify"); code != 0 {
		t.Errorf("audit verify: %d %q %q", code, out, errs)
	}
	if page := visible(rini.open("/upkeep").page); !strings.Contains(page, "Pemeriksaan catatan audit baik") || !strings.Contains(page, "Latihan pemulihan belum pernah") {
		t.Errorf("upkeep: %s", page)
	}
	if log := p.text(&p.err) + p.text(&p.out); strings.Contains(log, siti.key) || strings.Contains(log, again.key) {
		t.Error("a key stands in the log")
	}
	p.stop(15)
}
