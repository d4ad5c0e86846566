package desk

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"pulang/bot"
	"pulang/flows/casework"
)

// listPage is a plain list of cases: mine, scheduled, registered by hand, found.
type listPage struct {
	page
	Text  string
	Rows  []rowView
	Empty string
	Sched bool
	// Shift is what ends a shift: only on the list of one's own cases.
	Shift *shiftView
}

// mine are the cases that this officer holds.
func mine(q *request) error {
	return q.list("mine", "desk.nav.mine", "desk.mine.text", "desk.mine.empty", func(now time.Time) ([]bot.QueueItem, error) {
		return q.d.Queue.Mine(q.r.Context(), q.mission.Code, q.user.Name)
	})
}

// scheduled are the cases that wait for a later attempt, the next one first.
func scheduled(q *request) error {
	return q.list("scheduled", "desk.nav.scheduled", "desk.scheduled.text", "desk.scheduled.empty", func(now time.Time) ([]bot.QueueItem, error) {
		qp, err := q.whole()
		_, later, _ := split(qp.Items, now)
		return later, err
	})
}

// registered are the open cases that were opened by hand, the newest first.
func registered(q *request) error {
	return q.list("registered", "desk.nav.registered", "desk.registered.text", "desk.registered.empty", func(now time.Time) ([]bot.QueueItem, error) {
		qp, err := q.whole()
		items := slices.DeleteFunc(slices.Clone(qp.Items), func(it bot.QueueItem) bool { return it.Case.CreatedBy == "" })
		slices.SortStableFunc(items, func(a, b bot.QueueItem) int { return b.Case.CreatedAt.Compare(a.Case.CreatedAt) })
		return items, err
	})
}

func (q *request) list(here, title, text, empty string, read func(time.Time) ([]bot.QueueItem, error)) error {
	now := q.d.Clock()
	items, err := read(now)
	if err != nil {
		return fmt.Errorf("%s: %w", here, err)
	}
	p := listPage{page: q.page(here, q.t(title)), Text: q.t(text), Empty: q.t(empty), Sched: here == "scheduled"}
	for _, it := range items {
		if len(p.Rows) == showLimit {
			break
		}
		p.Rows = append(p.Rows, q.row(it, now))
	}
	if here == "mine" {
		if p.Shift, err = q.shift(len(items)); err != nil {
			return err
		}
	}
	if err := q.peek(&p.page); err != nil {
		return err
	}
	a := q.audit("list")
	a.Field, a.Result = here, fmt.Sprint(len(p.Rows))
	if err := q.record(a); err != nil {
		return err
	}
	return q.show("list", p)
}

// searchesPerMinute bounds guessing at numbers; it fails closed.
const searchesPerMinute = 60

// find looks a case up by code, phone number, passport or NIK: exact; and the open ones by name. The query travels in
// the body, never in an address, and is not repeated on the page.
func find(q *request) error {
	ctx, now := q.r.Context(), q.d.Clock()
	what := cleanLine(q.r.PostFormValue("q")).Text
	wait, err := q.d.Staff.Throttle(ctx, "find:"+q.user.Name, searchesPerMinute, time.Minute)
	if err != nil {
		return fmt.Errorf("throttle: %w", err)
	}
	p := listPage{page: q.page("", q.t("desk.find.title")), Text: q.t("desk.find.text"), Empty: q.t("desk.find.none")}
	if wait > 0 {
		q.sorry(http.StatusTooManyRequests, "desk.bad.searches")
		return nil
	}
	if what == "" || len(what) > 64 {
		p.Empty = q.t("desk.find.empty")
		return q.show("list", p)
	}
	a := q.audit("find")
	if code, ok := casework.ParseCode(what); ok {
		a.Field, a.Code = "code", code
		items, err := q.d.Queue.Find(ctx, q.mission.Code, code, a)
		if err != nil && !errors.Is(err, bot.ErrNotFound) {
			return fmt.Errorf("find: %w", err)
		}
		if len(items) == 1 {
			return q.to("/case/" + url.PathEscape(items[0].Case.Code))
		}
		if q.offeredHere(code, now) {
			return q.to("/offers/" + url.PathEscape(code))
		}
		return q.found(p, items, now)
	}
	// An 08… number may be Cambodian or Indonesian: both are looked for.
	var all []bot.QueueItem
	for _, form := range q.searchForms(what) {
		a.Field = form.kind
		items, err := q.d.Queue.Find(ctx, q.mission.Code, form.text, a)
		if err != nil && !errors.Is(err, bot.ErrNotFound) {
			return fmt.Errorf("find: %w", err)
		}
		for _, it := range items {
			if !slices.ContainsFunc(all, func(o bot.QueueItem) bool { return o.Case.Code == it.Case.Code }) {
				all = append(all, it)
			}
		}
	}
	named, err := q.named(what, all)
	if err != nil {
		return err
	}
	return q.found(p, append(all, named...), now)
}

// named are the cases of the open queue with a name like what was typed, beside those that were found already.
func (q *request) named(what string, have []bot.QueueItem) ([]bot.QueueItem, error) {
	if !strings.ContainsFunc(what, unicode.IsLetter) {
		return nil, nil
	}
	qp, err := q.whole()
	if err != nil {
		return nil, fmt.Errorf("find by name: %w", err)
	}
	var out []bot.QueueItem
	for _, it := range qp.Items {
		if casework.NamedLike(it.Case, what) && !slices.ContainsFunc(have, func(o bot.QueueItem) bool { return o.Case.Code == it.Case.Code }) {
			out = append(out, it)
		}
	}
	a := q.audit("find")
	a.Field, a.Result = "name", fmt.Sprint(len(out))
	return out, q.record(a)
}

func (q *request) found(p listPage, items []bot.QueueItem, now time.Time) error {
	for _, it := range items {
		if len(p.Rows) == showLimit {
			break
		}
		p.Rows = append(p.Rows, q.row(it, now))
	}
	if err := q.peek(&p.page); err != nil {
		return err
	}
	return q.show("list", p)
}

type searchForm struct{ kind, text string }

// searchForms are the normal forms that what was typed may stand for.
func (q *request) searchForms(what string) []searchForm {
	bare := strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "", "/", "").Replace(what)
	var out []searchForm
	add := func(kind, text string) {
		if !slices.ContainsFunc(out, func(f searchForm) bool { return f.text == text }) {
			out = append(out, searchForm{kind, text})
		}
	}
	onlyDigits := digits(bare) == len([]rune(strings.TrimPrefix(bare, "+")))
	switch {
	case onlyDigits && len(bare) == 16 && bare[0] != '+':
		add("nik", bare)
	case onlyDigits && len(bare) >= 6:
		for _, country := range []string{q.mission.Country, "ID"} {
			if n, err := phonenumbers.Parse(bare, country); err == nil && phonenumbers.IsPossibleNumber(n) {
				add("phone", phonenumbers.Format(n, phonenumbers.E164))
			}
		}
	default:
		add("passport", strings.ToUpper(bare))
	}
	return out
}
