package locales

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

var placeholder = regexp.MustCompile(`{{\s*\.(\w+)\s*}}`)

// read returns the texts of each language. A plural form counts as part of its text.
func read(t *testing.T) map[string]map[string]string {
	t.Helper()
	names, err := fs.Glob(files, "*.toml")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]any
		if err := toml.Unmarshal(raw, &texts); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		parts := strings.Split(name, ".")
		lang := parts[len(parts)-2]
		if out[lang] == nil {
			out[lang] = map[string]string{}
		}
		for key, v := range texts {
			if _, twice := out[lang][key]; twice {
				t.Errorf("%s: %s stands in two files of %s", name, key, lang)
			}
			out[lang][key] = fmt.Sprint(v)
		}
	}
	return out
}

// TestEveryLanguageHasEveryText also compares the placeholders: a translator who drops one drops a case code.
func TestEveryLanguageHasEveryText(t *testing.T) {
	all := read(t)
	model := all[Default]
	if len(model) < 500 {
		t.Fatalf("only %d texts in %s", len(model), Default)
	}
	for lang, texts := range all {
		for _, key := range slices.Sorted(maps.Keys(model)) {
			text, ok := texts[key]
			if !ok {
				t.Errorf("%s lacks %q", lang, key)
				continue
			}
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %q is empty", lang, key)
			}
			if a, b := names(model[key]), names(text); !slices.Equal(a, b) {
				t.Errorf("%s: %q has the placeholders %v, %s has %v", lang, key, b, Default, a)
			}
		}
		for key := range texts {
			if _, ok := model[key]; !ok {
				t.Errorf("%s has %q, which %s lacks", lang, key, Default)
			}
		}
	}
}

func names(text string) []string {
	found := map[string]bool{}
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		found[m[1]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func TestUnknownKeyIsStillAnAnswer(t *testing.T) {
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Text("id", "no.such.text", nil); got != "no.such.text" {
		t.Errorf("got %q", got)
	}
	if a, b := c.Text("xx", "lang.id", nil), c.Text(Default, "lang.id", nil); a != b {
		t.Errorf("an unknown language gives %q, %s gives %q", a, Default, b)
	}
	if !slices.Contains(c.Langs(), "id") || !slices.Contains(c.Langs(), "en") || !c.Has("en") || c.Has("xx") {
		t.Errorf("languages %v", c.Langs())
	}
}

// Staff read a value by the step's own text, else by the value's; one that nobody has named is nobody's.
func TestValue(t *testing.T) {
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	own, plain := c.Text("id", "desk.v.passport_status.none", nil), c.Text("id", "desk.v.none", nil)
	if own == plain || c.Value("id", "passport_status", "none") != own || c.Value("id", "none_such", "none") != plain {
		t.Errorf("%q, %q: %q and %q", own, plain, c.Value("id", "passport_status", "none"), c.Value("id", "none_such", "none"))
	}
	if s := c.Value("en", "passport_status", "of_a_later_version"); s != "" {
		t.Errorf("unknown: %q", s)
	}
}
