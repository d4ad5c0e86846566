package lexicon

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"pulang/flows"
)

func TestDebug(t *testing.T) {
	l := Default()
	for _, line := range strings.Split(os.Getenv("MSG"), "\n") {
		st, text, _ := strings.Cut(line, "|")
		if text == "" {
			continue
		}
		d := l.words(text)
		var b strings.Builder
		for _, x := range d.toks {
			if x.gap != space {
				b.WriteString([]string{"", ", ", ". "}[x.gap])
			}
			n := l.names[x.id]
			if x.id == 0 {
				n = "?" + x.raw
			}
			if x.fuzzy {
				n = "~" + n
			}
			b.WriteString(n + " ")
		}
		t.Log(b.String())
		for _, h := range l.match(d) {
			b.Reset()
			for i := h.start; i < h.end; i++ {
				b.WriteString(d.toks[i].raw + " ")
			}
			t.Logf("   %s: %s", l.sections[h.section], b.String())
		}
		r := l.Read(text, Context{At: now, Country: "KH", Step: flows.StepID(st)})
		j, _ := json.Marshal(r)
		t.Logf("   => %s %v", j, r.Chosen)
	}
}
