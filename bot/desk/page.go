package desk

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// templates are the pages by name: layout and parts with one page each.
var templates = func() map[string]*template.Template {
	base := template.Must(template.New("").ParseFS(templateFiles, "templates/layout.html", "templates/parts.html"))
	names, _ := fs.Glob(templateFiles, "templates/*.html")
	m := map[string]*template.Template{}
	for _, n := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(n, "templates/"), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		m[name] = template.Must(template.Must(base.Clone()).ParseFS(templateFiles, n))
	}
	return m
}()

// assetVersion changes with the content, so that the files may be cached for ever.
var assetVersion = func() string {
	h := sha256.New()
	_ = fs.WalkDir(staticFiles, "static", func(p string, e fs.DirEntry, _ error) error {
		if !e.IsDir() {
			b, _ := staticFiles.ReadFile(p)
			h.Write(b)
		}
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)[:5])
}()

// page is what the layout needs; every page's own struct embeds it.
type page struct {
	q     *request
	Title string
	// Here is the navigation entry that is lit.
	Here string
	Nav  []navItem
	// Counts is the top bar; nil where it is not shown.
	Counts *counts
	Flash  *flash
	// Live makes the page follow the queue's changes; LiveKind says how ("queue", "case", "board").
	Live string
	// Again is after how many seconds a browser without JavaScript asks for the page again; 0 for never.
	Again int
	// Pending is the case that this officer holds with an attempt that has no outcome yet.
	Pending string
}

type navItem struct {
	ID, Path, Label string
	N               int
}

// page begins a page of the signed-in desk.
func (q *request) page(here, title string) page {
	p := page{q: q, Title: title, Here: here}
	if q.user != nil {
		p.Nav = q.nav()
	}
	if q.session != nil && q.session.Flash != nil {
		p.Flash = q.session.Flash
		q.session.Flash = nil
		q.d.saveSession(q.r.Context(), q.session)
	}
	return p
}

// show renders a page. It is rendered whole before the first byte leaves, so that an error is an error page.
func (q *request) show(name string, data any) error { return q.showStatus(http.StatusOK, name, data) }

func (q *request) showStatus(status int, name string, data any) error {
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "layout", data); err != nil {
		return fmt.Errorf("page %s: %w", name, errRender{err})
	}
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.w.WriteHeader(status)
	_, _ = b.WriteTo(q.w)
	return nil
}

// errRender marks an error of ours, as against the store's.
type errRender struct{ err error }

func (e errRender) Error() string { return e.err.Error() }

// What the templates ask for.

func (p page) Lang() string       { return p.q.lang }
func (p page) Nonce() string      { return p.q.nonce }
func (p page) Assets() string     { return assetVersion }
func (p page) User() *bot.Account { return p.q.user }
func (p page) Demo() bool         { return p.q.d.Demo }
func (p page) Source() string     { return p.q.d.Source }
func (p page) Now() time.Time     { return p.q.d.Clock() }

// Path is the address of the page, for forms of the frame that come back to it.
func (p page) Path() string {
	if p.q.r.Method != http.MethodGet {
		return "/"
	}
	return p.q.r.URL.Path
}

// Req is a fresh idempotency key for a form.
func (p page) Req() string { return rand.Text() }

// Mission is the mission in hand; nil for the staff area.
func (p page) Mission() *bot.Mission {
	if p.q.mission == nil {
		return nil
	}
	return p.q.mission.Mission
}

// Missions are those the account may change to.
func (p page) Missions() []*bot.Mission {
	var out []*bot.Mission
	for _, m := range p.q.d.Missions {
		if p.q.user != nil && mayMission(*p.q.user, m.Code) {
			out = append(out, m)
		}
	}
	return out
}

// Langs are the languages to choose from.
func (p page) Langs() []string { return p.q.d.Catalogue.Langs() }

// May reports whether the account may do act.
func (p page) May(act string) bool { return p.q.may(casework.Act(act)) }

// T is a text in the reader's language; args are names and values in turn.
func (p page) T(key string, args ...any) string { return p.q.t(key, args...) }

func (q *request) t(key string, args ...any) string {
	return q.d.Catalogue.Text(q.lang, flows.TextID(key), pairs(args))
}

// Known is T for a key that is put together: "" when there is no such text, instead of the key.
func (p page) Known(key string) string {
	if s := p.q.t(key); s != key {
		return s
	}
	return ""
}

// FlashText is the sentence left by the last form.
func (p page) FlashText() string {
	return p.q.d.Catalogue.Text(p.q.lang, flows.TextID(p.Flash.Key), flows.Args(p.Flash.Args))
}

func pairs(args []any) flows.Args {
	m := flows.Args{}
	for i := 0; i+1 < len(args); i += 2 {
		m[fmt.Sprint(args[i])] = args[i+1]
	}
	return m
}

// fail answers an error by what it means to the officer. Only what is our own fault or the store's is logged.
func (q *request) fail(err error) {
	var render errRender
	switch {
	case errors.Is(err, bot.ErrNotFound):
		q.sorry(http.StatusNotFound, "desk.error.not_found")
	case errors.Is(err, bot.ErrClaimed):
		q.sorry(http.StatusConflict, "desk.error.claimed")
	case errors.Is(err, bot.ErrLease):
		q.sorry(http.StatusConflict, "desk.error.lease")
	case errors.Is(err, bot.ErrConflict):
		q.sorry(http.StatusConflict, "desk.error.conflict")
	case errors.Is(err, bot.ErrRefused):
		q.sorry(http.StatusForbidden, "desk.error.refused")
	case errors.As(err, &render):
		q.broken(err)
	case errors.Is(err, context.Canceled) && q.r.Context().Err() != nil:
		// The browser went away: nobody reads an answer.
	default:
		q.unavailable(err)
	}
}

// errorPage says in one sentence what is wrong.
type errorPage struct {
	page
	Text string
	ID   string
	// Kept is what had been typed into the form that was not done: nobody writes a long note twice.
	Kept []string
}

// written are the texts of the form that was sent, in the order of their names; nil where no form of staff was sent. What
// is secret (passwords, codes, links) has other names.
func (q *request) written() []string {
	if q.route.act == open || q.r.Method != http.MethodPost || q.r.ParseForm() != nil {
		return nil
	}
	var out []string
	for _, field := range slices.Sorted(maps.Keys(q.r.PostForm)) {
		if !slices.Contains(writtenFields, field) && !strings.HasSuffix(field, ".text") && !strings.HasPrefix(field, "text_") {
			continue
		}
		if s := clean(q.r.PostForm.Get(field)).Text; strings.TrimSpace(s) != "" {
			out = append(out, s)
		}
	}
	return out
}

// writtenFields are the fields of the desk's forms in which people write sentences.
var writtenFields = []string{"text", "note", "summary", "reason", "override", "consent", "detail"}

// sorry answers with a sentence.
func (q *request) sorry(status int, key string, args ...any) {
	p := errorPage{page: q.page("", q.t("desk.error.title")), Text: q.t(key, args...), Kept: q.written()}
	if err := q.showStatus(status, "error", p); err != nil {
		http.Error(q.w, http.StatusText(status), status)
	}
}

// broken answers our own fault: the error goes to the log under an id, the id to the page.
func (q *request) broken(err error) {
	q.logged(http.StatusInternalServerError, "desk.error.broken", err)
}

// unavailable answers while the store cannot be asked: nothing was changed.
func (q *request) unavailable(err error) {
	q.w.Header().Set("Retry-After", "5")
	q.logged(http.StatusServiceUnavailable, "desk.error.down", err)
}

func (q *request) logged(status int, key string, err error) {
	id := rand.Text()[:8]
	q.d.Log.Error("desk", "id", id, "route", q.route.pattern(), "err", err)
	p := errorPage{page: page{q: q, Title: q.t("desk.error.title")}, Text: q.t(key), ID: id, Kept: q.written()}
	if err := q.showStatus(status, "error", p); err != nil {
		http.Error(q.w, http.StatusText(status), status)
	}
}

// down is unavailable for a request that has no route yet.
func (d *Desk) down(w http.ResponseWriter, r *http.Request, err error) {
	nonce, _ := r.Context().Value(nonceKey{}).(string)
	q := &request{d: d, w: w, r: r, nonce: nonce, lang: d.firstLang(r)}
	q.unavailable(err)
}

// static serves the style sheet and the script.
func static(q *request) error {
	name := q.r.PathValue("file")
	b, err := staticFiles.ReadFile("static/" + name)
	if err != nil {
		return bot.ErrNotFound
	}
	q.w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	switch {
	case strings.HasSuffix(name, ".css"):
		q.w.Header().Set("Content-Type", "text/css; charset=utf-8")
	case strings.HasSuffix(name, ".js"):
		q.w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	case strings.HasSuffix(name, ".svg"):
		q.w.Header().Set("Content-Type", "image/svg+xml")
	}
	http.ServeContent(q.w, q.r, name, time.Time{}, bytes.NewReader(b))
	return nil
}
