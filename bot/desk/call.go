package desk

import (
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// maxReason bounds reasons and notes.
const (
	maxReason = 300
	maxNote   = 4000
)

// startCall records an attempt. It is stored before the page shows a number to ring, so that a crash cannot lose it.
func startCall(q *request) error {
	via := q.r.PostFormValue("via")
	if via == "" {
		via = casework.ViaPhone
	}
	e := edit{form: "call", audit: q.audit("call"), hold: true, gate: true}
	e.audit.Field = via
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		override := ""
		if via == casework.ViaPhone && !casework.MayCall(c, now, q.mission.rules).OK && q.may(casework.ActOverrideCall) {
			override = q.text("override", maxReason)
		}
		if override != "" {
			ch.Audit[0].Result, ch.Audit[0].Purpose = "override", override
		}
		if via == casework.ViaPhone && dialNumber(c) == "" {
			return nil, &bad{Key: "desk.bad.no_number"}
		}
		if err := casework.StartAttempt(c, ch.Request, via, q.user.Name, now, q.mission.rules, override); err != nil {
			return nil, err
		}
		args := flows.Args{"Via": via}
		key := "event.call_started"
		if override != "" {
			key, args["Reason"] = "event.call_overridden", override
		}
		ch.Entries = append(ch.Entries, q.event(key, args, now))
		return nil, nil
	}
	return q.apply(e, "")
}

// dialNumber is the number to ring, in E.164; empty when none was understood.
func dialNumber(c *casework.Case) string {
	if n := c.Answers[flows.StepCallbackNumber].Norm; len(n) > 6 && n[0] == '+' {
		return n
	}
	return ""
}

// endCall tells the outcome of the attempt.
func endCall(q *request) error {
	o := casework.Outcome(q.r.PostFormValue("outcome"))
	e := edit{form: "outcome", audit: q.audit("outcome"), hold: true}
	e.audit.Field = string(o)
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		if o == "" {
			return nil, &bad{Key: "desk.bad.outcome"}
		}
		at, err := q.localTime("next")
		if err != nil {
			return nil, err
		}
		note := q.text("note", maxNote)
		events, err := casework.EndAttempt(c, q.r.PostFormValue("attempt"), o, note, at, now, q.mission.rules)
		if err != nil {
			return nil, err
		}
		ch.Entries = append(ch.Entries, q.event("event.outcome", flows.Args{"Outcome": string(o)}, now))
		if note != "" {
			ch.Entries = append(ch.Entries, q.noteEntry(note, now))
		}
		ch.Release = q.thenNext() && rests(c, now)
		return events, nil
	}
	return q.applyNext(e, "desk.flash.outcome")
}

// keepPlan gives the case back with what is planned for it: the attempt that is scheduled stays scheduled.
func keepPlan(q *request) error {
	e := edit{form: "keep", audit: q.audit("release"), hold: true}
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		if !rests(c, now) {
			return nil, &bad{Key: "desk.bad.still_waits"}
		}
		ch.Entries = append(ch.Entries, q.event("event.released", nil, now))
		ch.Release = true
		return nil, nil
	}
	return q.applyNext(e, "desk.flash.kept")
}

// later puts the case off to a time, or settles it until the person writes again.
func later(q *request) error {
	if q.r.PostFormValue("keep") != "" {
		return keepPlan(q)
	}
	settle := q.r.PostFormValue("settle") != ""
	e := edit{form: "later", audit: q.audit("later"), hold: true}
	if settle {
		e.audit.What = "settle"
	}
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		var events []casework.Event
		var err error
		if settle {
			events, err = casework.Settle(c, now, q.mission.rules)
		} else {
			var at time.Time
			if at, err = q.localTime("at"); err == nil {
				events, err = casework.Schedule(c, at, q.r.PostFormValue("promised") != "", now, q.mission.rules)
			}
		}
		if err != nil {
			return nil, err
		}
		if note := q.text("note", maxReason); note != "" {
			ch.Entries = append(ch.Entries, q.noteEntry(note, now))
		}
		ch.Release = true
		return events, nil
	}
	if settle {
		return q.applyNext(e, "desk.flash.settled")
	}
	return q.apply(e, "desk.flash.later")
}

// nextView is the proposal for the next attempt.
type nextView struct {
	Suggested time.Time
	Field     string // for <input type=datetime-local>
	Later     time.Time
	Settled   bool
	Dormant   bool
	Rests     bool // nobody needs to do anything now
}

func (q *request) nextView(c *casework.Case, now time.Time) nextView {
	v := nextView{Settled: !c.SettledAt.IsZero(), Dormant: !c.DormantAt.IsZero(), Rests: rests(c, now)}
	if c.LaterUntil.After(now) {
		v.Later = c.LaterUntil
	}
	if at, ok := casework.SuggestNext(c, now, q.mission.rules); ok && at.After(now) {
		v.Suggested = at
		v.Field = at.In(q.zone()).Format("2006-01-02T15:04")
	}
	return v
}
