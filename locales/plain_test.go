package locales

import (
	"testing"

	"github.com/nicksnyder/go-i18n/v2/i18n"

	"pulang/flows"
)

// What is rendered the short way reads as go-i18n renders it, for every text, with values of every kind and without.
func TestPlainTextsReadAsBefore(t *testing.T) {
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	short := 0
	for lang, texts := range read(t) {
		for key, text := range texts {
			args := flows.Args{}
			for i, name := range names(text) {
				args[name] = []any{"<b> & \"x\"", -17, true, flows.Value("watched"), 2.5}[(i+len(key))%5]
			}
			for _, a := range []flows.Args{args, nil} {
				want, err := c.localizers[lang].Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: map[string]any(a)})
				if err != nil {
					t.Fatal(err)
				}
				if got := c.Text(lang, flows.TextID(key), a); got != want {
					t.Errorf("%s %s: %q, want %q", lang, key, got, want)
				}
			}
			if _, ok := c.plain[lang][flows.TextID(key)]; ok {
				short++
			}
		}
	}
	if short < 1000 {
		t.Errorf("only %d texts are rendered the short way", short)
	}
	for _, odd := range []string{"{{if .A}}x{{end}}", "{{.A.B}}", "{{.A | len}}", "a }} b", "{{"} {
		if _, ok := plainOf(odd); ok {
			t.Errorf("%q is not plain", odd)
		}
	}
}

// BenchmarkRender renders a text with placeholders, as most replies have two of.
func BenchmarkRender(b *testing.B) {
	c, err := New()
	if err != nil {
		b.Fatal(err)
	}
	args := flows.Args{"Service": "KBRI Phnom Penh"}
	b.ReportAllocs()
	for b.Loop() {
		_ = c.Text("id", "welcome", args)
	}
}
