package desk

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// One person may have reported twice, on two messengers. An officer who knows, from the person or from what both
// cases say, makes one of them by the other's code, after having seen both side by side, and can part them again.

// linkView is what the case page shows of other cases of the same person.
type linkView struct {
	Into   string // the case in which this one goes on
	Linked []linkedView
	Stated string // another case's code that the person wrote in the chat
}

type linkedView struct {
	Code, By, Channels string
	At                 time.Time
}

func (q *request) linkView(file bot.CaseFile) linkView {
	v := linkView{}
	c := file.Case
	if c.Into != nil {
		v.Into = c.Into.Code
		return v
	}
	known := map[string]bool{c.Code: true}
	for _, l := range c.Linked {
		known[l.Code] = true
		v.Linked = append(v.Linked, linkedView{Code: l.Code, By: l.By, At: l.At, Channels: q.channelsOf(l.Contacts)})
	}
	for _, e := range slices.Backward(file.Entries) {
		if e.Kind != "in" || e.Input == nil || v.Stated != "" {
			continue
		}
		for _, w := range strings.Fields(e.Input.Text) {
			if code, ok := casework.ParseCode(strings.Trim(w, ".,;:!?()\"'")); ok && !known[code] {
				v.Stated = code
			}
		}
	}
	return v
}

func (q *request) channelsOf(contacts []casework.Contact) string {
	var out []string
	for _, k := range contacts {
		if name := q.channelName(k.Channel); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

// withLinked puts the timelines of the cases that go on in this one among its own, by time. Reading them is on record
// like the opening of the case itself.
func (q *request) withLinked(file bot.CaseFile, now time.Time) (bot.CaseFile, error) {
	if len(file.Case.Linked) == 0 {
		return file, nil
	}
	file.From, file.Rows = map[string]string{}, maps.Clone(file.Rows)
	entries := slices.Clone(file.Entries)
	for _, l := range file.Case.Linked {
		other, err := q.look(q.d.Queue.Open, l.Code, now, q.audit("open"), true)
		if errors.Is(err, bot.ErrNotFound) {
			continue // erased, or another mission's by now
		}
		if err != nil {
			return file, fmt.Errorf("open linked case: %w", err)
		}
		for _, e := range other.Entries {
			file.From[e.ID] = l.Code
			entries = append(entries, e)
		}
		maps.Copy(file.Rows, other.Rows)
	}
	slices.SortStableFunc(entries, func(a, b bot.Entry) int { return a.At.Compare(b.At) })
	file.Entries = entries
	return file, nil
}

// linkPage shows two cases side by side before they are made one.
type linkPage struct {
	page
	Code, Other string
	Vers        string
	Sides       [2]sideView
}

type sideView struct {
	Code  string
	Class casework.Class
	Facts []factView
	Said  []saidView
}

type factView struct {
	Label, Value string
	Same         bool // the other case says exactly the same, masked or not
}

type saidView struct {
	At    time.Time
	Words words
}

// compared are the answers that tell whether two reports come from one person.
var compared = []flows.StepID{
	flows.StepFullName, flows.StepCallbackNumber, flows.StepBirthDate, flows.StepHomeArea, flows.StepPassportStatus, flows.StepSafetyNow,
	flows.StepWhoFor, flows.StepContactPref,
}

const lastSaid = 5

func (q *request) side(file, with bot.CaseFile, now time.Time) sideView {
	c, see := file.Case, q.sees(file.Case, now)
	v := sideView{Code: c.Code, Class: casework.Effective(c, now)}
	fact := func(label, value string, same bool) { v.Facts = append(v.Facts, factView{label, value, same}) }
	fact(q.t("desk.link.channels"), q.channelsOf(c.Contacts), false)
	fact(q.t("desk.link.since"), q.when(c.CreatedAt), false)
	for _, s := range compared {
		a, ok := c.Answers[s]
		value := ""
		if ok {
			value, _, _ = q.answerText(s, a, see)
		}
		b := with.Case.Answers[s]
		key := func(a flows.Answer) string {
			if a.Norm != "" || len(a.Values) > 0 {
				return a.Norm + fmt.Sprint(a.Values)
			}
			return strings.ToLower(strings.Join(strings.Fields(a.Text), " "))
		}
		fact(q.stepText(s), value, ok && key(a) != "" && key(a) == key(b))
	}
	place := ""
	if n := len(c.Locations); n > 0 {
		place = q.pinText(c.Locations[n-1], see)
	}
	fact(q.stepText(flows.StepLocation), place, false)
	for _, e := range slices.Backward(file.Entries) {
		if e.Kind == "in" && e.Input != nil && e.Input.Text != "" && len(v.Said) < lastSaid {
			w := clean(e.Input.Text)
			w.Text = mask(w.Text, see)
			v.Said = append(v.Said, saidView{e.At, w})
		}
	}
	slices.Reverse(v.Said)
	return v
}

// linkCases compares two cases, and makes one of them once the officer is sure.
func linkCases(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	other, ok := casework.ParseCode(q.r.PostFormValue("other"))
	if !ok {
		return q.again(code, "link", http.StatusUnprocessableEntity, "desk.link.bad_code")
	}
	if q.r.PostFormValue("sure") == "" {
		return q.compareCases(code, other)
	}
	l := bot.CaseLink{Line: q.mission.Code, Request: q.formKey(), Claim: q.user.Name}
	err = q.changePair(code, other, &l, func(c, x *casework.Case, now time.Time) ([]casework.Event, error) {
		l.Contacts = contactsOf(x.Contacts)
		return casework.Link(c, x, q.user.Name, now)
	}, "link_cases", "event.linked_into")
	return q.linked(err, code, "desk.flash.linked", other)
}

// partCases makes two cases of one again.
func partCases(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	other, ok := casework.ParseCode(q.r.PostFormValue("other"))
	if !ok || q.r.PostFormValue("sure") == "" {
		return q.again(code, "link", http.StatusUnprocessableEntity, "desk.link.bad_code")
	}
	l := bot.CaseLink{Line: q.mission.Code, Request: q.formKey(), Claim: q.user.Name, Part: true}
	err = q.changePair(code, other, &l, func(c, x *casework.Case, now time.Time) ([]casework.Event, error) {
		for _, was := range c.Linked {
			if was.ID == x.ID {
				l.Contacts = contactsOf(was.Contacts)
			}
		}
		events, err := casework.Part(c, x, now)
		if err == nil {
			x.Rescore(now, q.mission.rules)
		}
		return events, err
	}, "part_cases", "event.parted_from")
	return q.linked(err, code, "desk.flash.parted", other)
}

// linked answers a link or a parting.
func (q *request) linked(err error, code, done, other string) error {
	var refused *casework.Refused
	switch {
	case err == nil:
		q.say(done, "Code", other)
		return q.to("/case/" + url.PathEscape(code))
	case errors.As(err, &refused):
		return q.again(code, "link", http.StatusUnprocessableEntity, refused.Key())
	case errors.Is(err, bot.ErrNotFound):
		return q.again(code, "link", http.StatusUnprocessableEntity, "desk.link.bad_code")
	case errors.Is(err, bot.ErrClaimed):
		return q.again(code, "link", http.StatusConflict, "desk.link.held")
	case errors.Is(err, bot.ErrConflict):
		return q.again(code, "link", http.StatusConflict, "desk.link.changed")
	case errors.Is(err, bot.ErrLease):
		return q.again(code, "link", http.StatusConflict, "desk.error.lease")
	}
	return err
}

func contactsOf(of []casework.Contact) []bot.Contact {
	var out []bot.Contact
	for _, k := range of {
		out = append(out, bot.ContactOf(k))
	}
	return out
}

// pairOf reads both cases to decide on them; nothing of them is shown.
func (q *request) pairOf(code, other string, now time.Time) (one, two bot.CaseFile, err error) {
	if one, err = q.d.Queue.Open(q.r.Context(), q.mission.Code, code, now, bot.Audit{}); err != nil {
		return one, two, fmt.Errorf("open case: %w", err)
	}
	if two, err = q.d.Queue.Open(q.r.Context(), q.mission.Code, other, now, bot.Audit{}); err != nil {
		return one, two, fmt.Errorf("open case: %w", err)
	}
	return one, two, nil
}

// versOf is what the officer saw: a pair that has changed since is shown again.
func versOf(one, two bot.CaseFile) string { return fmt.Sprintf("%d.%d", one.Version, two.Version) }

func (q *request) compareCases(code, other string) error {
	now := q.d.Clock()
	one, err := q.look(q.d.Queue.Open, code, now, q.audit("open"), true)
	if err != nil {
		return q.linked(err, code, "", other)
	}
	two, err := q.look(q.d.Queue.Open, other, now, q.audit("open"), false)
	if err == nil && !holds(one.Claim, q.user.Name, now) {
		err = bot.ErrLease
	}
	if err == nil {
		// A trial on copies says at once what would be refused.
		x, y := *one.Case, *two.Case
		_, err = casework.Link(&x, &y, q.user.Name, now)
	}
	if err != nil {
		return q.linked(err, code, "", other)
	}
	p := linkPage{page: q.page("", q.t("desk.link.title")), Code: code, Other: other, Vers: versOf(one, two)}
	p.Sides = [2]sideView{q.side(one, two, now), q.side(two, one, now)}
	return q.show("link", p)
}

// changePair decides on both cases and writes the outcome, whole or not at all.
func (q *request) changePair(code, other string, l *bot.CaseLink, do func(c, x *casework.Case, now time.Time) ([]casework.Event, error), what, told string) error {
	now := q.d.Clock()
	one, two, err := q.pairOf(code, other, now)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(one.Entries, func(e bot.Entry) bool { return e.Update == l.Request }) {
		return nil // the same form again: its effect is there
	}
	if was := q.r.PostFormValue("vers"); was != "" && was != versOf(one, two) {
		return bot.ErrConflict
	}
	if !holds(one.Claim, q.user.Name, now) {
		return bot.ErrLease
	}
	c, x := one.Case, two.Case
	l.Line, l.Main, l.MainVer, l.Other, l.OtherVer = c.Line, c, one.Version, x, two.Version
	before, otherBefore := casework.Timers(c, now, q.mission.rules), casework.Timers(x, now, q.mission.rules)
	events, err := do(c, x, now)
	if err != nil {
		return err
	}
	c.MarkRead(q.user.Name, now)
	events = append(events, c.Rescore(now, q.mission.rules)...)
	l.MainEntries = q.eventEntries(events, now)
	l.MainEntries[0].Update = l.Request
	l.OtherEntries = []bot.Entry{q.event(told, flows.Args{"Code": c.Code}, now)}
	l.Timers = append(timerChanges(c.Line, c.ID, before, casework.Timers(c, now, q.mission.rules)),
		timerChanges(x.Line, x.ID, otherBefore, casework.Timers(x, now, q.mission.rules))...)
	a := q.audit(what)
	a.Code, a.Field = c.Code, x.Code
	l.Audit = []bot.Audit{a}
	if err := q.d.Queue.LinkCases(q.r.Context(), *l); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
