package webchat

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"

	"pulang/flows"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// draft is what a page gives back: a sentence on top, and the text that was not taken.
type draft struct {
	Notice string // catalogue key
	Text   string
	// ID is the message's id, when the same message is to be sent again.
	ID string
}

// view is what the page shows.
type view struct {
	c *Channel

	Lang, Other, Query string
	Nonce              string
	CSS                template.CSS
	JS                 template.JS
	Base, Exit, Source string
	Title, Banner      string
	Started, Covered   bool
	Messages           []bubble
	Last               int64
	ID                 string
	Draft              draft
}

// bubble is one message as the page shows it.
type bubble struct {
	ID, Text, Clock, Place string
	Mine                   bool
	Buttons                []buttonView
	FormID                 string
}

type buttonView struct{ Label, Data string }

// T is a text of the page in its language.
func (v view) T(key string) string { return v.c.o.Catalogue.Text(v.Lang, flows.TextID(key), nil) }

func (c *Channel) textOf(m message, lang string) string {
	if m.Key != "" {
		return c.o.Catalogue.Text(lang, flows.TextID(m.Key), nil)
	}
	return m.Text
}

// show writes the page.
func (c *Channel) show(w http.ResponseWriter, r *http.Request, code int, cookie string, d draft) {
	lang := c.lang(r)
	v := view{c: c, Lang: lang, Query: c.query(r), Nonce: c.newID(16), CSS: template.CSS(pageCSS), JS: template.JS(pageJS),
		Base: c.o.Base, Exit: c.o.ExitURL, Source: c.o.SourceURL, Title: c.o.Service, Banner: c.o.Banner,
		ID: d.ID, Draft: d}
	for _, l := range c.o.Catalogue.Langs() {
		if l != lang {
			v.Other = l
		}
	}
	if v.ID == "" {
		v.ID = c.newID(16)
	}
	var s *session
	if cookie != "" {
		s = c.session(r, cookie)
		v.Covered = s.isCovered()
		ms, _, last := s.after(0)
		v.Last, v.Started = last, len(ms) > 0
		for _, m := range ms {
			b := bubble{ID: m.ID, Text: c.textOf(m, lang), Clock: m.At.In(c.o.Zone).Format("15.04"), Mine: m.Mine, Place: m.Place}
			if !m.Used && len(m.Buttons) > 0 {
				b.FormID = c.newID(16)
				for _, x := range m.Buttons {
					b.Buttons = append(b.Buttons, buttonView(x))
				}
			}
			v.Messages = append(v.Messages, b)
		}
		// Only the newest question keeps its buttons on the page: earlier ones are changed by words.
		for i, seen := len(v.Messages)-1, false; i >= 0; i-- {
			if len(v.Messages[i].Buttons) > 0 {
				if seen {
					v.Messages[i].Buttons = nil
				}
				seen = true
			}
		}
	}
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, v); err != nil {
		c.o.Log.Error("page", "channel", Name, "err", err)
		http.Error(w, c.o.Catalogue.Text(lang, "web.error", nil), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src 'nonce-%[1]s'; style-src 'nonce-%[1]s'; "+
		"connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "+
		"require-trusted-types-for 'script'; trusted-types 'none'", v.Nonce))
	w.WriteHeader(code)
	if _, err := w.Write(page.Bytes()); err == nil && s != nil && !v.Covered && r.Method == http.MethodGet {
		c.received(r.Context(), s, cookie, v.Last)
	}
}
