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
	plain      map[string]map[flows.TextID]plain // by language
}

// New reads the embedded files. The language is the last part of the name: active.id.toml is Indonesian.
func New() (*Catalogue, error) {
	bundle := i18n.NewBundle(language.MustParse(Default))
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	names, err := fs.Glob(files, "*.toml")
	if err != nil {
		return nil, err
	}
	c := &Catalogue{localizers: map[string]*i18n.Localizer{}, plain: map[string]map[flows.TextID]plain{}}
	for _, name := range names {
		if _, err := bundle.LoadMessageFileFS(files, name); err != nil {
			return nil, fmt.Errorf("locales: %s: %w", name, err)
		}
		parts := strings.Split(name, ".")
		lang := parts[len(parts)-2]
		if !slices.Contains(c.langs, lang) {
			c.langs, c.plain[lang] = append(c.langs, lang), map[flows.TextID]plain{}
		}
		if err := c.addPlain(lang, name); err != nil {
			return nil, fmt.Errorf("locales: %s: %w", name, err)
		}
	}
	for _, lang := range c.langs {
		c.localizers[lang] = i18n.NewLocalizer(bundle, lang, Default)
	}
	return c, nil
}

// addPlain keeps the texts of a file that need no more than their placeholders filled in.
func (c *Catalogue) addPlain(lang, file string) error {
	raw, err := fs.ReadFile(files, file)
	if err != nil {
		return err
	}
	var texts map[string]any
	if err := toml.Unmarshal(raw, &texts); err != nil {
		return err
	}
	for id, v := range texts {
		if text, ok := v.(string); ok && text != "" {
			if p, ok := plainOf(text); ok {
				c.plain[lang][flows.TextID(id)] = p
			}
		}
	}
	return nil
}

// Langs are the languages there are texts for, in the order of the files.
func (c *Catalogue) Langs() []string { return slices.Clone(c.langs) }

// Has reports whether there are texts in this language.
func (c *Catalogue) Has(lang string) bool { return c.localizers[lang] != nil }

// Value is what staff call a value of an answer: by the step's own text, else by the value's. "" for one that there is no
// text for, such as a later version's.
func (c *Catalogue) Value(lang string, step flows.StepID, v flows.Value) string {
	for _, key := range []string{"desk.v." + string(step) + "." + string(v), "desk.v." + string(v)} {
		if text := c.Text(lang, flows.TextID(key), nil); text != key {
			return text
		}
	}
	return ""
}

// Text renders a text. An unknown language falls back to Default; an unknown key comes back as the key itself, so
// that a person still gets an answer (a test proves that no key is missing).
func (c *Catalogue) Text(lang string, id flows.TextID, args flows.Args) string {
	l := c.localizers[lang]
	if l == nil {
		l, lang = c.localizers[Default], Default
	}
	if p, ok := c.plain[lang][id]; ok {
		return p.render(args)
	}
	s, err := l.Localize(&i18n.LocalizeConfig{MessageID: string(id), TemplateData: map[string]any(args)})
	if err != nil && s == "" {
		return string(id)
	}
	return s
}
