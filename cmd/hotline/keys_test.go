package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pulang/bot/needed"
)

// The wrapping key is changed and the former one removed while the program serves: the chat goes on, what was stored
// before is read, and the changed key file opens the store at the next start.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	data := filepath.Join(t.TempDir(), "data")
	keys := filepath.Join(t.TempDir(), "keys.json")
	env := []string{"HOTLINE_MISSION=" + exampleFile(t), "WEBCHAT=on", "HOTLINE_KEYS=" + keys}
	p := startHotline(t, data, []string{"serve"}, env...)
	c := newChat(t, p.Chat)
	c.say("tolong saya di Poipet, paspor ditahan bos. rahasia-4711")
	c.until("Aman")
	first := oneCase(t, p)
	before, err := os.ReadFile(keys)
	if err != nil {
		t.Fatal(err)
	}
	do := func(want string, args ...string) string {
		t.Helper()
		out, errs, code := p.run(args...)
		if code != 0 || !strings.Contains(out, want) {
			t.Fatalf("%v: %d %q %q, want %q", args, code, out, errs, want)
		}
		return out
	}
	do("nothing to retire", "keys", "retire")
	do("were wrapped anew", "keys", "rotate")
	do("nothing left to do", "keys", "rotate")
	c.say("1")
	c.until("Laporan ini untuk siapa")
	do("removed", "keys", "retire")
	c.say("1")
	if out := do("rahasia-4711", "case", "show", first); !strings.Contains(out, first) {
		t.Error(out)
	}
	if st, err := os.Stat(keys); err != nil || st.Mode().Perm() != 0o600 {
		t.Error(st, err)
	}
	if code := p.stop(15); code != 0 {
		t.Fatal("exit", code)
	}
	p = startHotline(t, data, []string{"serve"}, env...)
	do("rahasia-4711", "case", "show", first)
	p.stop(15)
	// The former key file opens nothing any more: neither the service nor a command goes on with it.
	if err := os.WriteFile(keys, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := p.run("keys", "rotate"); code != 1 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "HOTLINE_KEYS") {
		t.Errorf("under the former key: %d %q", code, errs)
	}
}

// oneCase is the code of the newest case.
func oneCase(t *testing.T, p *program) string {
	t.Helper()
	out, errs, code := p.run("queue", "list")
	found := caseCode.FindString(out)
	if code != 0 || found == "" {
		t.Fatalf("queue list: %d %q %q", code, out, errs)
	}
	return found
}
