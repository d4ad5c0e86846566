package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pulang/bot/needed"
)

// A served store is copied, the copy is tried, and another machine goes on from it: with the key file, which is in no
// backup, and only into an empty directory.
func TestBackupDrillRestore(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	dir := t.TempDir()
	data, keys, backups := filepath.Join(dir, "data"), filepath.Join(dir, "keys", "keys.json"), filepath.Join(dir, "backups")
	env := []string{"HOTLINE_MISSION=" + exampleFile(t), "WEBCHAT=on", "HOTLINE_KEYS=" + keys}
	p := startHotline(t, data, []string{"serve"}, env...)
	c := newChat(t, p.Chat)
	c.say("tolong saya di Poipet, paspor ditahan bos. rahasia-4711")
	c.until("Aman")
	code := oneCase(t, p)
	do := func(p *program, exit int, want string, args ...string) string {
		t.Helper()
		out, errs, got := p.run(args...)
		if got != exit || !strings.Contains(out+errs, want) || exit != 0 && out == "" && strings.Count(errs, "\n") != 1 {
			t.Fatalf("%v: %d %q %q, want %d with %q", args, got, out, errs, exit, want)
		}
		return out
	}
	do(p, 1, "no such file", "drill", "restore", backups)
	if out := do(p, 0, "WARN  backup", "check"); !strings.Contains(out, "WARN  drill") {
		t.Error(out)
	}
	do(p, 2, "key file", "backup", filepath.Dir(keys))
	if out := do(p, 0, "1 cases", "backup", backups); !strings.Contains(out, "verified") {
		t.Error(out)
	}
	if out := do(p, 0, "PASS  audit chain", "drill", "restore", backups); strings.Count(out, "PASS") != 4 {
		t.Error(out)
	}
	if out := do(p, 0, "PASS  backup", "check"); !strings.Contains(out, "PASS  drill") {
		t.Error(out)
	}
	if _, body := get(t, p.Metrics); !strings.Contains(body, "hotline_last_backup_timestamp_seconds 1.") || !strings.Contains(body, "hotline_last_drill_timestamp_seconds 1.") {
		t.Error("the metrics do not tell when the last backup and drill were")
	}
	do(p, 1, "in use", "restore", backups)

	anchor := filepath.Join(dir, "heads")
	if err := os.WriteFile(anchor, []byte(do(p, 0, `"line":"staff"`, "audit", "head")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := do(p, 0, "1 kept heads agree", "audit", "verify", "--anchor", anchor); strings.Contains(out, "FAIL") {
		t.Error(out)
	}
	p.stop(15)
	do(p, 1, "not empty", "restore", backups)

	elsewhere := filepath.Join(dir, "elsewhere")
	q := &program{t: t, data: elsewhere, env: environment(t, elsewhere, env...)}
	if out := do(q, 0, "MISSING", "restore", backups); !strings.Contains(out, "1 cases") {
		t.Error(out)
	}
	q = startHotline(t, elsewhere, []string{"serve"}, env...)
	do(q, 0, "rahasia-4711", "case", "show", code)
	// The heads were kept after the backup was made: what the restored store lacks shows.
	if out := do(q, 1, "FAIL", "audit", "verify", "--anchor", anchor); !strings.Contains(out, "cut off") {
		t.Error(out)
	}
	do(q, 0, "PASS", "audit", "verify")
	if err := os.WriteFile(anchor, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	do(q, 2, "line 1", "audit", "verify", "--anchor", anchor)
	q.stop(15)
}

// The drill of a killed redis-server finds nothing lost, and leaves nothing behind.
func TestDrillRedisKill(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	data := t.TempDir()
	out, errs, code := runHotline(t, environment(t, data), "", "drill", "redis-kill", "--kills", "4")
	if code != 0 || !strings.HasPrefix(out, "PASS  4 kills") || !strings.Contains(out, " 0 lost, 0 doubled") {
		t.Errorf("%d %q %q", code, out, errs)
	}
	if left, _ := os.ReadDir(data); len(left) > 0 {
		t.Error("left:", left)
	}
}

// The drill of a messenger that goes away finds nothing lost, nothing doubled and nothing out of order, and leaves
// nothing behind.
func TestDrillChannelDown(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	data := t.TempDir()
	out, errs, code := runHotline(t, environment(t, data), "", "drill", "channel-down", "--people", "5", "--down", "3s")
	if code != 0 || strings.Count(out, "PASS") != 4 || !strings.Contains(out, "30 written, 30 stored in their order, 0 lost, 0 doubled") {
		t.Errorf("%d %q %q", code, out, errs)
	}
	if left, _ := os.ReadDir(data); len(left) > 0 {
		t.Error("left:", left)
	}
	if _, errs, code := runHotline(t, environment(t, data), "", "drill", "channel-down", "--people", "0"); code != 2 || strings.Count(errs, "\n") != 1 {
		t.Errorf("%d %q", code, errs)
	}
}

// What is missing, doubled or out of order counts; the drill would not see it otherwise.
func TestDrillDiffer(t *testing.T) {
	for _, c := range []struct {
		want, got      string
		missing, wrong int
	}{
		{"a b c", "a b c", 0, 0}, {"a b c", "a c", 1, 0}, {"a b", "a b b", 0, 1}, {"a b", "b a", 0, 1}, {"a", "", 1, 0}, {"", "a", 0, 1}, {"a a", "a", 1, 0},
	} {
		if m, w := differ(strings.Fields(c.want), strings.Fields(c.got)); m != c.missing || w != c.wrong {
			t.Errorf("%q, %q: %d missing, %d wrong", c.want, c.got, m, w)
		}
	}
}
