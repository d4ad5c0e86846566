package desk

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"pulang/bot"
	"pulang/flows/casework"
)

// asidesPage lists updates that could not be understood. What is in them a supervisor opens one by one.
type asidesPage struct {
	page
	Items []asideView
	Raw   bool
}

type asideView struct {
	bot.Aside
	Name  string
	Size  string
	Words words
	Open  bool
	// Says tells of a loss in the officer's language; empty for an update.
	Says string
}

const (
	asidesLimit = 200
	maxRaw      = 16 << 10
)

func asides(q *request) error { return q.asidesWith("") }

// asidesWith lists the updates with the content of one of them.
func (q *request) asidesWith(openID string) error {
	items, err := q.d.Queue.Asides(q.r.Context(), q.mission.Code, asidesLimit)
	if err != nil {
		return fmt.Errorf("asides: %w", err)
	}
	p := asidesPage{page: q.page("asides", q.t("desk.nav.asides")), Raw: q.may(casework.ActDismissAside)}
	found := false
	for _, a := range items {
		v := asideView{Aside: a, Name: q.channelName(a.Channel), Size: q.bytes(int64(len(a.Raw)))}
		if a.ID == openID && openID != "" {
			found, v.Open = true, true
			v.Words = rawText(a.Raw)
		}
		if a.Lost != nil {
			v.Says = q.lost(a.Lost)
		}
		v.Raw = nil
		p.Items = append(p.Items, v)
	}
	if openID != "" && !found {
		return bot.ErrNotFound
	}
	if err := q.peek(&p.page); err != nil {
		return err
	}
	return q.show("asides", p)
}

// mostNamed bounds how many cases and numbers of a loss stand in its line; all of them are in its content.
const mostNamed = 20

// lost says what is not in the store any more, so that somebody asks these people again.
func (q *request) lost(l *bot.Lost) string {
	some := func(list []string) string {
		if len(list) > mostNamed {
			return strings.Join(list[:mostNamed], ", ") + ", …"
		}
		return strings.Join(list, ", ")
	}
	if l.From.IsZero() {
		return q.t("desk.asides.missing", "Count", l.Count, "Numbers", some(l.Updates))
	}
	return q.t("desk.asides.lost", "Count", l.Count, "From", q.when(l.From), "To", q.when(l.To), "Cases", cmp.Or(some(l.Cases), "-"))
}

// rawText shows bytes as text, whatever they are.
func rawText(raw []byte) words {
	cut := len(raw) > maxRaw
	if cut {
		raw = raw[:maxRaw]
	}
	s := string(raw)
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "?")
	}
	w := clean(s)
	w.Cut = w.Cut || cut
	return w
}

// asideRaw opens one update, audited before it is shown.
func asideRaw(q *request) error {
	id := q.r.PathValue("id")
	a := q.audit("aside_open")
	a.Field = idOnly(id)
	if err := q.record(a); err != nil {
		return err
	}
	return q.asidesWith(id)
}

func dismissAside(q *request) error {
	id := q.r.PathValue("id")
	a := q.audit("aside_dismiss")
	a.Field = idOnly(id)
	if err := q.d.Queue.Dismiss(q.r.Context(), q.mission.Code, id, a); err != nil && !errors.Is(err, bot.ErrNotFound) {
		return fmt.Errorf("dismiss: %w", err)
	}
	q.say("desk.flash.dismissed")
	return q.to("/asides")
}

// idOnly keeps what looks like an id of ours out of everything that a path may hold.
func idOnly(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), 32)]
}
