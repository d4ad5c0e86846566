package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// edit is one act of an officer on a case: what must hold, and what it changes.
type edit struct {
	// key tells the edits of one form apart, where it changes several cases.
	key string
	// form is the id of the form on the case page: what was typed comes back into it when the act is not done.
	form string
	// audit is the row that goes with the change.
	audit bot.Audit
	// hold refuses the act to whoever does not hold the case's lease.
	hold bool
	// gate refuses it when the case's state is not the one the form was shown with; words also when the person wrote
	// since.
	gate, words bool
	// offered reads a case that another mission offers to this one, instead of one of this mission's.
	offered bool
	// do changes the case and adds to the change. Its events go to the timeline.
	do func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error)
}

// bad is an act that is not done for a reason that the officer can mend. Key is a catalogue key.
type bad struct {
	Key  string
	Args []any
}

func (e *bad) Error() string { return "not done: " + e.Key }

// changed is an act on a case that was meanwhile changed by somebody else.
type changed struct {
	by string // account name, "" for the person or the rules
	at time.Time
}

func (e *changed) Error() string { return "changed meanwhile" }

// decideAgain is how often a decision is made anew on a newer case before the officer is asked.
const decideAgain = 5

// apply does an edit and answers: back to the case, or the case page again with what was typed and what stands
// against it.
func (q *request) apply(e edit, done string, args ...any) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	if err := q.commit(code, e); err != nil {
		return q.undone(code, e, err)
	}
	if done != "" {
		q.say(done, args...)
	}
	return q.to("/case/" + url.PathEscape(code))
}

// thenNext reports whether the officer asked for the next case along with what the form does.
func (q *request) thenNext() bool { return q.r.PostFormValue("then") == "next" }

// applyNext is apply for a form that may also ask for the next case. A case that still needs somebody now stays in hand.
func (q *request) applyNext(e edit, done string) error {
	if !q.thenNext() {
		return q.apply(e, done)
	}
	code, err := q.code()
	if err != nil {
		return err
	}
	if err := q.commit(code, e); err != nil {
		return q.undone(code, e, err)
	}
	now := q.d.Clock()
	file, err := q.toEdit(e, code, now)
	if err != nil {
		return err
	}
	if holds(file.Claim, q.user.Name, now) {
		q.warn("desk.flash.stays", "Code", code)
		return q.to("/case/" + url.PathEscape(code))
	}
	q.say("desk.flash.and_next", "Code", code)
	return q.takeNext(q.formKey() + ":next")
}

// rests reports whether nobody needs to do anything with the case now: a later attempt is planned, or nobody waits.
func rests(c *casework.Case, now time.Time) bool {
	if _, open := casework.OpenAttempt(c); open {
		return false
	}
	return !casework.Queued(c) || !casework.CandidateOf(c).Waiting(now)
}

// undone shows the case again with what was typed, and what stands against it.
func (q *request) undone(code string, e edit, err error) error {
	var no *bad
	var refused *casework.Refused
	var other *changed
	switch {
	case errors.As(err, &no):
		return q.again(code, e.form, http.StatusUnprocessableEntity, no.Key, no.Args...)
	case errors.As(err, &refused):
		return q.again(code, e.form, http.StatusUnprocessableEntity, refused.Key())
	case errors.As(err, &other):
		return q.again(code, e.form, http.StatusConflict, "desk.changed_by", "By", q.whoText(other.by), "Ago", q.span(q.d.Clock().Sub(other.at)))
	case errors.Is(err, bot.ErrConflict):
		return q.again(code, e.form, http.StatusConflict, "desk.error.conflict")
	case errors.Is(err, bot.ErrLease), errors.Is(err, bot.ErrClaimed):
		return q.again(code, e.form, http.StatusConflict, "desk.error.lease")
	}
	return err
}

// commit decides on the newest version of the case and writes the outcome, whole or not at all.
func (q *request) commit(code string, e edit) error {
	ctx := q.r.Context()
	request := q.formKey()
	if e.key != "" {
		request += ":" + e.key
	}
	for try := 0; ; try++ {
		now := q.d.Clock()
		file, err := q.toEdit(e, code, now)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(file.Entries, func(x bot.Entry) bool { return x.Update == request }) {
			return nil // the same form again: its effect is there
		}
		if e.offered && file.Case.Mission == q.mission.Code {
			return &casework.Refused{Why: casework.RefusedNotOffered}
		}
		if err := q.unchanged(file, e); err != nil {
			return err
		}
		if e.hold && !holds(file.Claim, q.user.Name, now) {
			return bot.ErrLease
		}
		c := file.Case
		unseen := q.unseen(file)
		read, reader := c.LastRead, c.LastReadBy
		before := casework.Timers(c, now, q.d.rulesOf(c))
		ch := bot.Change{Line: c.Line, Request: request, Case: c, CaseVer: file.Version, Audit: []bot.Audit{e.audit}}
		ch.Audit[0].Code = c.Code
		if e.hold {
			ch.Claim = q.user.Name
		}
		events, err := e.do(c, &ch, now)
		if err != nil {
			return err
		}
		switch {
		case !unseen.IsZero():
			// Words came that the form was not shown with: they are not read by it, nor settled with the rest.
			c.LastRead, c.LastReadBy = read, reader
			c.Heard(unseen)
		case c.Mission == q.mission.Code: // what another mission still decides on is not read by its officers yet
			c.MarkRead(q.user.Name, now)
		}
		rules := q.d.rulesOf(c)
		events = append(events, c.Rescore(now, rules)...)
		q.happened(&ch, events, now)
		if len(ch.Entries) == 0 {
			// The request key needs a place in the timeline, and an act needs a trace there.
			ch.Entries = append(ch.Entries, q.event("event.edited", nil, now))
		}
		ch.Entries[0].Update = request
		ch.Timers = append(ch.Timers, timerChanges(c.Line, c.ID, before, casework.Timers(c, now, rules))...)
		done, err := q.d.Queue.Commit(ctx, ch)
		if errors.Is(err, bot.ErrConflict) && try < decideAgain {
			continue
		}
		if err != nil {
			return fmt.Errorf("commit %s: %w", e.audit.What, err)
		}
		if q.d.Dispatch != nil && len(done.Mine) > 0 {
			q.d.Dispatch(done.Leased(ch, func(to bot.Contact) time.Time { return lastIn(c, to) }))
		}
		return nil
	}
}

// toEdit reads the case of an edit. One that was offered and is this mission's by now is read as its own: the same form
// may have accepted it.
func (q *request) toEdit(e edit, code string, now time.Time) (bot.CaseFile, error) {
	ctx := q.r.Context()
	if e.offered {
		file, err := q.d.Queue.OpenOffered(ctx, q.mission.Code, code, now, bot.Audit{})
		if !errors.Is(err, bot.ErrNotFound) {
			return file, err
		}
	}
	file, err := q.d.Queue.Open(ctx, q.mission.Code, code, now, bot.Audit{})
	if err != nil {
		return file, fmt.Errorf("open case: %w", err)
	}
	return file, nil
}

// rulesOf are the numbers of the mission whose case it is.
func (d *Desk) rulesOf(c *casework.Case) casework.Rules {
	if m := d.missions[c.Mission]; m != nil {
		return m.rules
	}
	return casework.DefaultRules()
}

func lastIn(c *casework.Case, to bot.Contact) time.Time {
	for _, k := range c.Contacts {
		if k.Channel == to.Channel && k.Account == to.Account && k.Address == to.Address {
			return k.LastIn
		}
	}
	return time.Time{}
}

// unchanged compares the case with the one the form was shown with.
func (q *request) unchanged(file bot.CaseFile, e edit) error {
	was := q.r.PostFormValue("gate")
	if e.gate && was != "" && was != gateOf(file, q.d.Clock()) {
		return lastChange(file, func(x bot.Entry) bool { return true })
	}
	seen := q.r.PostFormValue("seen")
	if !e.words || seen == "" {
		return nil
	}
	for i := len(file.Entries) - 1; i >= 0 && file.Entries[i].ID != seen; i-- {
		if file.Entries[i].Kind == "in" {
			return lastChange(file, func(x bot.Entry) bool { return x.Kind == "in" })
		}
	}
	return nil
}

// unseen is when the first of the person's words was written that came after the form was shown; zero for none, or where the
// form does not say what it was shown with.
func (q *request) unseen(file bot.CaseFile) (first time.Time) {
	seen := q.r.PostFormValue("seen")
	for i := len(file.Entries) - 1; seen != "" && i >= 0; i-- {
		e := file.Entries[i]
		if e.ID == seen {
			return first
		}
		if e.Kind == "in" && e.Input != nil && bot.Wrote(*e.Input) && (first.IsZero() || e.At.Before(first)) {
			first = e.At
		}
	}
	return time.Time{} // what it was shown with has gone by age, or to another case
}

func lastChange(file bot.CaseFile, is func(bot.Entry) bool) *changed {
	for i := len(file.Entries) - 1; i >= 0; i-- {
		if x := file.Entries[i]; is(x) {
			by := x.By
			if x.Kind == "in" {
				by = "citizen"
			}
			return &changed{by: by, at: x.At}
		}
	}
	return &changed{at: file.Case.CreatedAt}
}

// whoText names the author of a change.
func (q *request) whoText(by string) string {
	switch by {
	case "":
		return q.t("desk.who.system")
	case "citizen":
		return q.t("desk.who.citizen")
	case q.user.Name:
		return q.t("desk.who.you")
	}
	return by
}

// gateOf is a fingerprint of what an officer decides by: a form that was shown with another one is shown again.
func gateOf(file bot.CaseFile, now time.Time) string {
	c := file.Case
	a, _ := casework.OpenAttempt(c)
	holder := ""
	if file.Claim != nil && file.Claim.Until.After(now) {
		holder = file.Claim.Officer
	}
	offered := ""
	if c.Offer != nil {
		offered = c.Offer.To
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%v|%v|%s|%s|%s|%s|%v|%s", casework.Effective(c, now), c.Safety,
		c.Permission, c.Windows, c.Muted, c.Stage, c.ClosedAs, a.ID, holder, c.Override != nil, offered))
	return hex.EncodeToString(sum[:6])
}

// holds reports whether the officer has the lease.
func holds(claim *bot.Claim, officer string, now time.Time) bool {
	return claim != nil && claim.Officer == officer && claim.Until.After(now)
}

// code reads the case code of the address; anything else is not found.
func (q *request) code() (string, error) {
	code, ok := casework.ParseCode(q.r.PathValue("code"))
	if !ok {
		return "", bot.ErrNotFound
	}
	return code, nil
}

// recordRead appends an audit row for a read, before what was read leaves the house.
func (q *request) recordRead(ctx context.Context, code, what, field, purpose string) error {
	a := q.audit(what)
	a.Code, a.Field, a.Purpose = code, field, purpose
	if err := q.d.Queue.Record(ctx, q.missionCode(), a); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
