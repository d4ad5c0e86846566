package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulang/bot/needed"
)

// A case is erased while the program serves and has it at hand: it opens for nobody any more, and the person who writes
// again begins anew, under another code.
func TestEraseWhileServing(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	p := startHotline(t, filepath.Join(t.TempDir(), "data"), []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t), "WEBCHAT=on")
	c := newChat(t, p.Chat)
	c.say("tolong saya di Poipet, paspor ditahan bos. rahasia-4711")
	c.until("Aman")
	first := oneCase(t, p)
	if out, errs, code := p.run("case", "erase", first, "--reason", "asked for by the person"); code != 0 || !strings.Contains(out, "Erased") {
		t.Fatalf("case erase: %d %q %q", code, out, errs)
	}
	for _, args := range [][]string{{"case", "show", first}, {"case", "erase", first, "--reason", "again"}} {
		if out, errs, code := p.run(args...); code != 1 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "no case") {
			t.Errorf("%v of an erased case: %d %q %q", args, code, out, errs)
		}
	}
	c.say("halo, saya di Bavet sekarang, tolong")
	deadline(t, 60*time.Second, "the person who writes again has a case", func() bool {
		out, _, _ := p.run("queue", "list")
		return caseCode.MatchString(out)
	})
	second := oneCase(t, p)
	out, errs, code := p.run("case", "show", second)
	if second == first || code != 0 || !strings.Contains(out, "Bavet") || strings.Contains(out, "4711") || strings.Contains(out, "Poipet") {
		t.Errorf("the case after the erasure: %s, %d %q %q", second, code, out, errs)
	}
	if out, errs, code := p.run("audit", "verify"); code != 0 {
		t.Errorf("audit verify: %d %q %q", code, out, errs)
	}
	p.stop(15)
}
