package lexicon

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pulang/flows"
)

// lists is a directory of word lists.
func lists(files map[string]string) Extension {
	dir := fstest.MapFS{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return Extension{Dir: dir, Path: "/srv/words"}
}

// An officer's lists add words, give a spelling to another word, add phrases and take some out; everything else is read
// as before.
func TestExtension(t *testing.T) {
	x := lists(map[string]string{
		"words.txt":         "\ufeff// new slang\r\npaspor: Krompyang buku_sakti\r\nilalang: hilng\r\n",
		"lists.txt":         "[employer]\nsikancil\n[relative]\nbesanku\n",
		"verbs.txt":         "pukul: jotosin\n",
		"topic_local.txt":   "[safety.danger]\nlampu merah menyala\n-darurat\n[@contact_pref.text_only]\nsurat kaleng\n",
		"notes.md":          "not a list",
		"fillers.txt":       "cuyyy",
		"numbers.txt":       "12: sekodi_kecil\n",
		"topic_another.txt": "// nothing yet\n",
	})
	l, err := Extended(x)
	if err != nil {
		t.Fatal(err)
	}
	passport := func(l *Lexicon, text string) flows.Value { return l.Read(text, Context{Country: "KH"}).Passport }
	for text, want := range map[string]flows.Value{
		"krompyang saya ditahan bos": "held_by_employer", "KROMPYANG ditahan sikancil": "held_by_employer",
		"buku sakti saya hilang": "lost_stolen", "paspor saya hilng": "", "paspor saya hilang": "lost_stolen",
	} {
		if got := passport(l, text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := passport(Default(), "krompyang saya ditahan bos"); got != "" {
		t.Errorf("the built-in lexicon has become another: %q", got)
	}
	danger := func(l *Lexicon, text string) bool {
		return l.Read(text, Context{Country: "KH"}).SafetyNow == flows.Danger
	}
	if !danger(l, "lampu merah menyala cuyyy") || danger(Default(), "lampu merah menyala cuyyy") {
		t.Error("a phrase of danger that was added")
	}
	if danger(l, "ini darurat pak") || !danger(Default(), "ini darurat pak") {
		t.Error("a phrase of danger that was taken out")
	}
	if got := l.Read("surat kaleng", Context{Step: flows.StepContactPref}).Contact; got != flows.TextOnly {
		t.Errorf("an answer to one question: %q", got)
	}
	if files, lines, err := x.Size(); err != nil || files != 7 || lines != 10 {
		t.Errorf("%d files, %d lines, %v", files, lines, err)
	}
	if d, err := Extended(); err != nil || d != Default() {
		t.Error("nothing to extend is another lexicon", err)
	}
}

// Everything that was tuned and tested reads the same with a list beside the built-in ones that says nothing.
func TestExtensionChangesNothingElse(t *testing.T) {
	l, err := Extended(lists(map[string]string{"fillers.txt": "zzyzx\n"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages(t, "messages_dev.jsonl") {
		c := Context{At: now, Country: "KH", Step: flows.StepID(step(m))}
		if a, b := mustJSON(t, Default().Read(m.Text, c)), mustJSON(t, l.Read(m.Text, c)); a != b {
			t.Fatalf("%s: %s and %s", m.Text, a, b)
		}
	}
}

// A list that cannot be read is refused with the file and the line.
func TestBadExtensions(t *testing.T) {
	for what, c := range map[string]struct {
		files map[string]string
		says  []string
	}{
		"no colon":        {map[string]string{"words.txt": "// x\npaspor krompyang"}, []string{"/srv/words/words.txt, line 2", "colon"}},
		"wrong name":      {map[string]string{"word.txt": "a: b"}, []string{"/srv/words/word.txt", "words.txt"}},
		"no list":         {map[string]string{"README.md": "x"}, []string{"/srv/words", "no word list"}},
		"no section":      {map[string]string{"topic_x.txt": "[safty.danger]\n\ntolong aku"}, []string{"/srv/words/topic_x.txt, line 3", "[safty.danger]"}},
		"no such list":    {map[string]string{"lists.txt": "[bosses]\ncuk"}, []string{"lists.txt, line 2", "[bosses]"}},
		"a list unknown":  {map[string]string{"topic_x.txt": "[safety.danger]\n<bosses> datang"}, []string{"topic_x.txt, line 2", "bosses"}},
		"word of its own": {map[string]string{"words.txt": "hilang: paspor"}, []string{"words.txt, line 1", "paspor"}},
		"not there":       {map[string]string{"topic_x.txt": "[safety.danger]\n-zebra lewat"}, []string{"topic_x.txt, line 2", "zebra lewat"}},
		"not in the list": {map[string]string{"lists.txt": "[employer]\n-zebra"}, []string{"lists.txt, line 2", "zebra"}},
		"no filler":       {map[string]string{"fillers.txt": "-zebra"}, []string{"fillers.txt, line 1", "zebra"}},
		"not a number":    {map[string]string{"numbers.txt": "twelve: selusin"}, []string{"numbers.txt, line 1", "twelve"}},
		"begins with gap": {map[string]string{"topic_x.txt": "[safety.danger]\n.. lari"}, []string{"topic_x.txt, line 2"}},
		"other encoding":  {map[string]string{"words.txt": "paspor: caf\xe9"}, []string{"words.txt, line 1", "UTF-8"}},
	} {
		_, err := Extended(lists(c.files))
		if err == nil {
			t.Errorf("%s: accepted", what)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v does not say %q in one line", what, err, s)
			}
		}
	}
}

// A word that is added to a list is added to the lists that it is a part of.
func TestExtensionOfAPartOfAList(t *testing.T) {
	if got := Default().partOf("relative"); !slices.Contains(got, "people") {
		t.Fatalf("the lists are made otherwise: %v", got)
	}
	l, err := Extended(lists(map[string]string{"lists.txt": "[relative]\nbolosan\n-murid\n"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"relative", "people"} {
		if !l.lists[name].has(l.surface["bolosan"]) || l.lists[name].has(l.surface["murid"]) {
			t.Errorf("[%s] is as it was", name)
		}
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A phrase of two words that is also the spelling of one other word is that word alone, and then every mention of it
// counts: "detensi imigrasi" once made a prisoner of whoever went to the immigration office. Those that mean the same stay.
func TestNoPhraseIsSwallowedByASpelling(t *testing.T) {
	same := map[string]bool{
		"guest house": true, "pos polisi": true, "tapal batas": true, "badan panas": true, "anak kecil": true, "di sini": true,
		"laki laki": true, "kasih tahu": true, "di dalam": true,
	}
	lines := func(name string) []string {
		raw, err := embedded.ReadFile("data/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(raw), "\n")
	}
	spelling := map[string]string{}
	for _, l := range lines("words.txt") {
		word, rest, ok := strings.Cut(l, ":")
		for s := range strings.FieldsSeq(rest) {
			if ok && strings.Contains(s, "_") {
				spelling[strings.ReplaceAll(s, "_", " ")] = word
			}
		}
	}
	files, err := embedded.ReadDir("data")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), "topic_") {
			continue
		}
		for _, l := range lines(f.Name()) {
			if strings.HasPrefix(l, "//") || strings.HasPrefix(l, "[") {
				continue
			}
			for p := range strings.SplitSeq(l, "|") {
				p = strings.Trim(strings.TrimSpace(p), "=^$")
				n++
				if w := spelling[p]; w != "" && !same[p] {
					t.Errorf("%s: the phrase %q is the word %q alone", f.Name(), p, w)
				}
			}
		}
	}
	if n < 1000 || len(spelling) < 50 {
		t.Errorf("only %d phrases and %d spellings looked at", n, len(spelling))
	}
}
