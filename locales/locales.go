// Package locales holds every text that a person reads, citizen or staff, one TOML file per language
// (active.id.toml). Code knows message ids; a translator knows this directory.
package locales

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"pulang/flows"
)

//go:embed *.toml
var files embed.FS

// Default is the language of a person whose language is not known.
const Default = "id"

// Catalogue renders texts. It is safe for concurrent use.
type Catalogue struct {
	langs      []string
	localizers map[string]*i18n.Localizer
}

// New reads the embedded files. The language is the last part of the name: active.id.toml is Indonesian.
func New() (*Catalogue, error) {
	bundle := i18n.NewBundle(language.MustParse(Default))
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	names, err := fs.Glob(files, "*.toml")
	if err != nil {
		return nil, err
	}
	c := &Catalogue{localizers: map[string]*i18n.Localizer{}}
	for _, name := range names {
		if _, err := bundle.LoadMessageFileFS(files, name); err != nil {
			return nil, fmt.Errorf("locales: %s: %w", name, err)
		}
		parts := strings.Split(name, ".")
		if lang := parts[len(parts)-2]; !slices.Contains(c.langs, lang) {
			c.langs = append(c.langs, lang)
		}
	}
	for _, lang := range c.langs {
		c.localizers[lang] = i18n.NewLocalizer(bundle, lang, Default)
	}
	return c, nil
}

// Langs are the languages there are texts for, in the order of the files.
func (c *Catalogue) Langs() []string { return slices.Clone(c.langs) }

// Has reports whether there are texts in this language.
func (c *Catalogue) Has(lang string) bool { return c.localizers[lang] != nil }

// Text renders a text. An unknown language falls back to Default; an unknown key comes back as the key itself, so
// that a person still gets an answer (a test proves that no key is missing).
func (c *Catalogue) Text(lang string, id flows.TextID, args flows.Args) string {
	l := c.localizers[lang]
	if l == nil {
		l = c.localizers[Default]
	}
	s, err := l.Localize(&i18n.LocalizeConfig{MessageID: string(id), TemplateData: map[string]any(args)})
	if err != nil && s == "" {
		return string(id)
	}
	return s
}
