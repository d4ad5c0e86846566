package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"pulang/bot/needed"
)

// What people wrote is printed so that it does nothing to the terminal of who reads it: an escape sequence (in both of its
// forms, C0 and C1) clears the screen or answers on the operator's behalf, a bidirectional override shows another number
// than the one that is there. The JSON says the same.
func TestHostileTextOnATerminal(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	hostile := "tolong saya di Poipet \x1b[2J\u009b2J\u009d0;judul\u009c\x7f \u202e321\u202c \u2066x\u2069 a\u200bb \U000e0041 \ufeff \u2028 rahasia-4711"
	p := startHotline(t, filepath.Join(t.TempDir(), "data"), []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t), "WEBCHAT=on")
	c := newChat(t, p.Chat)
	c.say(hostile)
	c.until("Aman")
	code := oneCase(t, p)
	for _, args := range [][]string{{"case", "show", code}, {"case", "show", code, "--json"}, {"queue", "list", "--json"}, {"queue", "list"}, {"understand"}} {
		out, errs, exit := runHotline(t, p.env, hostile+"\n", args...)
		if exit != 0 || out == "" {
			t.Errorf("%v: %d %s", args, exit, errs)
		}
		if i := strings.IndexFunc(out, func(r rune) bool {
			return r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp))
		}); i >= 0 {
			t.Errorf("%v prints %q", args, out[max(0, i-20):min(len(out), i+20)])
		}
		if len(args) == 4 && args[0] == "case" {
			var v struct {
				Timeline []struct{ Input struct{ Text string } }
			}
			if err := json.Unmarshal([]byte(out), &v); err != nil || v.Timeline[0].Input.Text != hostile {
				t.Errorf("%v: the text is another one: %v %+q", args, err, out)
			}
		}
	}
}
