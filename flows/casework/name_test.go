package casework

import (
	"testing"

	"pulang/flows"
)

func TestNamedLike(t *testing.T) {
	c := newCase(t, flows.Record{Step: flows.StepFullName, Answer: flows.Answer{Text: "Siti Nur-Aini Wulandari", At: t0}},
		flows.Record{Step: flows.StepSubjectName, Answer: flows.Answer{Text: "José Tan", At: t0}})
	for typed, want := range map[string]bool{
		"siti": true, "SITI": true, "wulan": true, "aini siti": true, "wulandary": true, "wulandaru siti": true, "jose": true,
		"": false, " - ": false, "si": false, "budi": false, "siti budi": false, "sita": false, "siti jose": false, "wulandoro": false,
	} {
		if got := NamedLike(c, typed); got != want {
			t.Errorf("%q: %v", typed, got)
		}
	}
	if NamedLike(newCase(t, safe()), "siti") {
		t.Error("a case without a name is found by one")
	}
}
