package intake

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"pulang/flows"
)

// worst are placeholders that give most away.
func worst(f *Flow, lang string) flows.Args {
	args := maps.Clone(f.base[lang])
	for _, name := range []string{"Place", "Province", "In", "Office"} {
		args[name] = "KBRI Phnom Penh"
	}
	for _, name := range []string{"Code", "Waiting", "Km", "A", "B", "C", "JoinCode", "OfficeNumber", "N", "What", "Facts", "Phone", "Hours", "Span"} {
		args[name] = "7"
	}
	return args
}

// Every text that could give a person away on a lock screen is known as such, so that a neutral sentence goes ahead of
// it; and no text is called so without need. (architecture: neutral first forty characters until safety_now is safe)
func TestOvertTextsAreKnown(t *testing.T) {
	f := New(testConfig(plain{}))
	overt := map[flows.TextID]bool{}
	for _, id := range f.Texts() {
		for _, lang := range f.cfg.Langs {
			text := catalogue.Text(lang, id, worst(f, lang))
			if text == string(id) || strings.Contains(text, "<no value>") {
				t.Errorf("%s: %s: no text, or a placeholder that nobody fills: %q", lang, id, text)
			}
			if revealing(text) != "" {
				overt[id] = true
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(overt)) {
		if !overtTexts[id] {
			t.Errorf("%q is overt and not in overtTexts", id)
		}
	}
	for id := range overtTexts {
		if !overt[id] {
			t.Errorf("%q is in overtTexts without need", id)
		}
	}
	for _, lang := range f.cfg.Langs {
		if lead := catalogue.Text(lang, "lead", nil); len([]rune(lead)) < 40 {
			t.Errorf("%s: the neutral sentence is shorter than what a lock screen shows: %q", lang, lead)
		}
	}
}

// Every text in every language, first and in second place, in every state that is not safe, rendered as it would
// leave: the first forty characters are neutral.
func TestFirstFortyCharactersAreNeutral(t *testing.T) {
	f := New(testConfig(plain{}))
	n := 0
	for _, lang := range f.cfg.Langs {
		for _, safety := range []flows.Value{"", flows.Watched, flows.Danger} {
			for _, id := range f.Texts() {
				for _, before := range []flows.TextID{"", "silent.ok", "welcome.heard", "miss.silent"} {
					tn := f.begin(flows.Env{NewScope: "s"}, flows.State{Lang: lang, Memo: map[string]string{memoSafety: string(safety)}}, flows.Input{})
					if before != "" {
						tn.say(before)
					}
					tn.parts = append(tn.parts, flows.Text{ID: id, Args: worst(f, lang)})
					tn.list = []flows.Choice{{Number: "1", Value: "x", Label: flows.Text{ID: "choice.place_kind.at_mission", Args: f.base[lang]}}}
					r := tn.finish().Replies[0]
					if bad := revealing(render(r)); bad != "" {
						t.Errorf("%s, %q, %s after %q shows %q", lang, safety, id, before, bad)
					}
					n++
				}
			}
			for _, q := range f.list { // and every question as it is asked
				tn := f.begin(flows.Env{NewScope: "s", NewCode: "K7M4-692Q"}, flows.State{Lang: lang, Memo: map[string]string{memoSafety: string(safety)}}, flows.Input{})
				tn.show(q)
				if r := tn.finish().Replies[0]; revealing(render(r)) != "" {
					t.Errorf("%s, %q: the question %s shows\n%s", lang, safety, q.id, render(r))
				}
			}
		}
	}
	if n < 1000 {
		t.Errorf("only %d texts looked at", n)
	}
}

// elsewhere are texts that other packages use: the answer to CEK, the line of an outage, the messenger's list of
// commands; and everything for staff, the exported files and the browser chat's page, whose packages look after theirs.
var elsewhere = []string{
	editWords, // read, never shown
	"check_officer.", "down.", "command.", "check_in.", "handover.", "desk.", "alert.", "because.", "call.", "class.", "closed.", "detail.", "event.", "export.",
	"hold.", "late.", "outcome.", "reason.", "refused.", "send.", "signal.", "stage.", "web.", "whatsapp.",
}

// The catalogue of the citizens' texts holds exactly the texts that the conversation uses, and those few.
func TestCatalogueIsComplete(t *testing.T) {
	f := New(testConfig(plain{}))
	used := map[string]bool{}
	for _, id := range f.Texts() {
		used[string(id)] = true
	}
	for _, lang := range f.cfg.Langs {
		raw, err := os.ReadFile("../../locales/active." + lang + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]string{}
		if err := toml.Unmarshal(raw, &have); err != nil {
			t.Fatal(err)
		}
		for id := range used {
			if have[id] == "" {
				t.Errorf("%s has no text %q", lang, id)
			}
		}
		for id := range have {
			if !used[id] && !slices.ContainsFunc(elsewhere, func(p string) bool { return strings.HasPrefix(id, p) }) {
				t.Errorf("%s: nobody uses %q", lang, id)
			}
		}
	}
}

// Labels fit below a message: WhatsApp's list rows have 24 characters, Telegram's buttons little more. Those of the
// core questions stay below 32, placeholders aside.
func TestLabelsAreShort(t *testing.T) {
	f := New(testConfig(plain{}))
	for _, id := range f.Texts() {
		if !strings.HasPrefix(string(id), "choice.") {
			continue
		}
		for _, lang := range f.cfg.Langs {
			text := catalogue.Text(lang, id, f.base[lang])
			if n := len([]rune(text)); n > 32 && !strings.Contains(string(id), "place_confirm") {
				t.Errorf("%s: %s has %d characters: %q", lang, id, n, text)
			}
		}
	}
}
