package desk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// shiftView is the end of a shift below one's own cases: who could take them over.
type shiftView struct {
	N          int
	Colleagues []option
}

// shift lists the colleagues of the mission who may hold cases.
func (q *request) shift(n int) (*shiftView, error) {
	if n == 0 || !q.may(casework.ActClaim) {
		return nil, nil
	}
	all, err := q.d.Staff.Accounts(q.r.Context())
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	v := &shiftView{N: n}
	for _, a := range all {
		if q.colleague(a) {
			v.Colleagues = append(v.Colleagues, option{Value: a.Name, Label: a.Name})
		}
	}
	slices.SortFunc(v.Colleagues, func(a, b option) int { return cmp.Compare(a.Label, b.Label) })
	return v, nil
}

// colleague reports whether the account is somebody else's who may hold this mission's cases now.
func (q *request) colleague(a bot.Account) bool {
	return a.Name != q.user.Name && !a.Disabled && a.Hash != "" && casework.May(a.Role, casework.ActClaim) && mayMission(a, q.mission.Code)
}

// releaseAll gives back every case in hand, with one note for whoever takes them next.
func releaseAll(q *request) error {
	return q.handAll("", q.audit("release"), func(ch *bot.Change, now time.Time) {
		ch.Release = true
		ch.Entries = append(ch.Entries, q.event("event.released", nil, now))
	})
}

// giveAll puts every case in hand into the hands of one colleague; none of them is in nobody's in between.
func giveAll(q *request) error {
	name := accountName(q.r.PostFormValue("to"))
	a, err := q.d.Staff.Account(q.r.Context(), name)
	if err != nil && !errors.Is(err, bot.ErrNotFound) {
		return fmt.Errorf("account: %w", err)
	}
	if err != nil || !q.colleague(a) {
		q.warn("desk.bad.colleague")
		return q.to("/mine")
	}
	row := q.audit("hand_over")
	row.Field = name
	return q.handAll(name, row, func(ch *bot.Change, now time.Time) {
		ch.Take = name
		ch.Entries = append(ch.Entries, q.event("event.given_to", flows.Args{"Name": name}, now))
	})
}

// handAll gives every case in hand away with a note. A case with an attempt that has no outcome yet stays: only who
// made it knows how it ended.
func (q *request) handAll(to string, row bot.Audit, give func(ch *bot.Change, now time.Time)) error {
	text := q.text("note", maxReason)
	if text == "" {
		q.warn("desk.bad.summary")
		return q.to("/mine")
	}
	held, err := q.d.Queue.Mine(q.r.Context(), q.mission.Code, q.user.Name)
	if err != nil {
		return fmt.Errorf("my cases: %w", err)
	}
	given, kept := 0, 0
	for _, it := range held {
		e := edit{audit: row, hold: true, key: it.Case.Code}
		e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
			if a, ok := casework.OpenAttempt(c); ok && a.By == q.user.Name {
				return nil, &casework.Refused{Why: casework.RefusedOpenAttempt}
			}
			give(ch, now)
			ch.Entries = append(ch.Entries, q.noteEntry(text, now))
			return nil, nil
		}
		err := q.commit(it.Case.Code, e)
		var refused *casework.Refused
		switch {
		case err == nil:
			given++
		case errors.As(err, &refused):
			kept++
		case errors.Is(err, bot.ErrLease), errors.Is(err, bot.ErrNotFound), errors.Is(err, bot.ErrConflict):
			// it is somebody else's already, or changes too fast: the page shows what is left
		default:
			return err
		}
	}
	switch {
	case kept > 0:
		q.warn("desk.flash.given_some", "N", given, "Kept", kept)
	case to != "":
		q.say("desk.flash.given", "N", given, "Name", to)
	default:
		q.say("desk.flash.released_all", "N", given)
	}
	return q.to("/mine")
}
