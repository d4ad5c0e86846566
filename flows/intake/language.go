package intake

import (
	"strings"
	"unicode"

	"pulang/flows"
)

var languageQuestions = []question{{
	id: flows.StepLanguage, part: aside,
	dynamic: func(t *turn) []flows.Value {
		vs := make([]flows.Value, len(t.f.cfg.Langs))
		for i, l := range t.f.cfg.Langs {
			vs[i] = flows.Value(l)
		}
		return vs
	},
	label: func(t *turn, v flows.Value) flows.Text { return t.text(flows.TextID("lang." + string(v))) },
	text: func(t *turn) []flows.Text {
		if t.silent() {
			return []flows.Text{t.text("ask.language.silent")}
		}
		return []flows.Text{t.text("ask.language")}
	},
	pick: func(t *turn, v flows.Value) {
		t.s.Ask, t.s.Shown = "", nil
		t.switchTo(string(v))
	},
}}

// language is BAHASA, with or without the name of one.
func (t *turn) language(arg string) bool {
	lang := t.r.Language
	if arg != "" {
		if v := t.f.labels[flows.StepLanguage][fold(arg)]; v != "" {
			lang = string(v)
		}
		switch w := fold(arg); {
		case strings.HasPrefix(w, "ing") || strings.HasPrefix(w, "eng") || w == "en":
			lang = "en"
		case strings.HasPrefix(w, "indo") || w == "id":
			lang = "id"
		}
	}
	t.content = t.content || t.s.Case == ""
	if t.f.base[lang] != nil {
		t.switchTo(lang)
		return t.complete()
	}
	return t.out(flows.StepLanguage, true)
}

// switchTo changes the language of everything that follows; texts made earlier in this turn are kept as they are.
func (t *turn) switchTo(lang string) {
	if t.f.base[lang] != nil {
		t.s.Lang = lang
	}
}

// Words that only one of the two languages has: enough to greet a person in the language they write.
var speaks = map[string]string{
	"saya": "id", "aku": "id", "tolong": "id", "di": "id", "ini": "id", "ada": "id", "mau": "id", "bisa": "id", "kami": "id",
	"tidak": "id", "gak": "id", "ga": "id", "pak": "id", "bu": "id", "kak": "id", "min": "id", "mas": "id", "bang": "id",
	"halo": "id", "hallo": "id", "selamat": "id", "paspor": "id", "dan": "id", "yang": "id", "bantu": "id", "sy": "id", "sya": "id",
	"the": "en", "is": "en", "my": "en", "am": "en", "please": "en", "i": "en", "we": "en", "are": "en", "have": "en",
	"they": "en", "hello": "en", "passport": "en", "need": "en", "to": "en", "in": "en", "and": "en",
}

// foreignScript reports whether the letters of a message are all of scripts that neither language is written in.
func foreignScript(text string) bool {
	some := false
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Latin, r):
			return false
		case unicode.IsLetter(r):
			some = true
		}
	}
	return some
}

// guessLang chooses the language of the first reply: the one the person writes, else the one of the app, if the message
// says nothing either way. Many phones of Indonesians are set to English, so the words count more.
func (f *Flow) guessLang(in flows.Input) string {
	id, en := 0, 0
	for _, w := range strings.Fields(fold(in.Text)) {
		switch speaks[w] {
		case "id":
			id++
		case "en":
			en++
		}
	}
	switch {
	case id > 0 && id >= en:
		return f.lang("id")
	case en > 1 || en == 1 && strings.HasPrefix(in.Lang, "en"):
		return f.lang("en")
	case foreignScript(in.Text):
		return f.lang("en") // 我被关在公司里: Indonesian is read by nobody who writes so
	}
	l, _, _ := strings.Cut(in.Lang, "-")
	return f.lang(l)
}
