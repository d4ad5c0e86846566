package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// simDesk are the demo's officers: they take the next callback, ring where the gate allows it, write down how it
// ended and go home in the evening. They do not keep up, as nobody could have in that week.
type simDesk struct {
	w    *wave
	crew []casework.Officer
	home time.Time // when they leave: the last hour, and whoever arrives last, wait for the officer who watches the demo
}

// perWindow is how many callbacks one officer manages in an hour, next to everything else.
const perWindow = 3

func newSimDesk(w *wave) simDesk {
	d := simDesk{w: w, home: w.mark.End.Add(-window)}
	// At night the last to arrive came over several hours.
	if n := len(w.people); n > 0 {
		if first := w.people[max(0, n-len(newest))].at; first.Before(d.home) {
			d.home = first
		}
	}
	for i, name := range []string{"ratna", "yudha", "sari", "bima", "laras"} {
		d.crew = append(d.crew, casework.Officer{Name: name, Female: i%2 == 0})
	}
	return d
}

// work is what the officers on duty do in the window that begins at, side by side.
func (d *simDesk) work(ctx context.Context, at time.Time, g *errgroup.Group) {
	if !at.Before(d.home) {
		return
	}
	on := d.crew
	if h := at.In(d.w.mission.Location()).Hour(); h < 7 || h >= 21 {
		on = d.crew[:1]
	}
	for i, o := range on {
		rnd := rand.New(rand.NewPCG(d.w.mark.Seed^uint64(at.Unix()), uint64(i))) //nolint:gosec // a simulation wants to be repeatable
		g.Go(func() error {
			for n := range perWindow {
				if rnd.IntN(wavePeople) >= d.w.mark.People {
					continue // a smaller wave is met by fewer officers
				}
				if err := d.callback(ctx, o, at.Add(time.Duration(n)*window/perWindow), rnd); err != nil {
					return fmt.Errorf("simulated officer: %w", err)
				}
			}
			return nil
		})
	}
}

// callback is one officer's next case, from claim to release.
func (d *simDesk) callback(ctx context.Context, o casework.Officer, at time.Time, rnd *rand.Rand) error {
	w := d.w
	request := fmt.Sprintf("sim:%x:%s:%d", w.mark.Seed, o.Name, at.Unix())
	audit := func(what, field string) bot.Audit {
		return bot.Audit{At: at, Who: o.Name, Role: string(casework.RoleOfficer), What: what, Field: field}
	}
	code, err := w.store.Next(ctx, w.mission.Code, o, at, nil, request, audit("claim", ""))
	if errors.Is(err, bot.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := w.store.Open(ctx, w.mission.Code, code, at, audit("open", ""))
	if err != nil {
		return err
	}
	c := f.Case
	if !c.Simulated { // somebody tries the demo's chat: their case is not for a machine
		err := w.store.Release(ctx, w.mission.Code, code, o.Name, request+":release", audit("release", ""))
		if errors.Is(err, bot.ErrLease) {
			return nil // it ended: the simulated clock is not the clock of that case
		}
		return err
	}
	before := casework.Timers(c, at, w.rules)
	ch := bot.Change{Line: c.Line, Request: request + ":done", Case: c, CaseVer: f.Version, Claim: o.Name, Release: true}
	event := func(text string, args flows.Args, at time.Time) {
		ch.Entries = append(ch.Entries, bot.Entry{ID: ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy()).String(), At: at, Kind: "event", Text: text, Args: args, By: o.Name})
	}
	c.MarkRead(o.Name, at)
	events, what, err := d.handle(c, o, at, request, rnd, event)
	if err != nil {
		return err
	}
	ch.Audit = []bot.Audit{audit(what, "")}
	ch.Audit[0].Code = c.Code
	for _, e := range append(events, c.Rescore(at, w.rules)...) {
		event("event."+e.ID, eventArgs(e), at.Add(4*time.Minute))
	}
	ch.Timers = timerChanges(c, before, casework.Timers(c, at, w.rules))
	_, err = w.store.Commit(ctx, ch)
	if errors.Is(err, bot.ErrConflict) || errors.Is(err, bot.ErrLease) {
		return nil // the person wrote meanwhile, or the visitor of the demo was quicker
	}
	return err
}

// handle decides what the officer does with the case.
func (d *simDesk) handle(c *casework.Case, o casework.Officer, at time.Time, id string, rnd *rand.Rand, event func(string, flows.Args, time.Time)) ([]casework.Event, string, error) {
	r := d.w.rules
	via := casework.ViaPhone
	if !casework.MayCall(c, at, r).OK {
		via = casework.ViaChat
	}
	if err := casework.StartAttempt(c, id, via, o.Name, at, r, ""); err != nil {
		var no *casework.Refused
		if errors.As(err, &no) {
			return nil, "open", nil
		}
		return nil, "", err
	}
	event("event.call_started", flows.Args{"Via": via}, at)
	outcome := simOutcome(via, rnd)
	done := at.Add(4 * time.Minute)
	next := time.Time{}
	if casework.Outcomes[outcome].NeedsNext {
		next = at.Add(time.Duration(3+rnd.IntN(20)) * time.Hour)
	}
	events, err := casework.EndAttempt(c, id, outcome, "", next, done, r)
	var no *casework.Refused
	if errors.As(err, &no) { // this outcome does not fit the case: nobody answered
		outcome = casework.NoAnswer
		events, err = casework.EndAttempt(c, id, outcome, "", time.Time{}, done, r)
	}
	if errors.As(err, &no) { // done before the demo was stopped in the middle of this window
		return nil, "open", nil
	}
	if err != nil {
		return nil, "", err
	}
	event("event.outcome", flows.Args{"Outcome": string(outcome)}, done)
	if casework.Outcomes[outcome].Spoken && rnd.IntN(3) > 0 {
		events = append(events, d.calmed(c, o, done)...)
	}
	if casework.Outcomes[outcome].Spoken {
		more, err := d.progress(c, o, done, rnd)
		if err != nil {
			return nil, "", err
		}
		events = append(events, more...)
	}
	return events, "outcome", nil
}

func simOutcome(via string, rnd *rand.Rand) casework.Outcome {
	n := rnd.IntN(100)
	if via == casework.ViaChat {
		switch {
		case n < 75:
			return casework.ReachedOK
		case n < 85:
			return casework.ReachedWantsText
		default:
			return casework.NoAnswer
		}
	}
	switch {
	case n < 52:
		return casework.ReachedOK
	case n < 60:
		return casework.ReachedCutOff
	case n < 66:
		return casework.Rescheduled
	case n < 82:
		return casework.NoAnswer
	case n < 90:
		return casework.CameInPerson
	case n < 93:
		return casework.Unreachable
	case n < 95:
		return casework.WrongNumber
	case n < 97:
		return casework.DeclinedHelp
	case n < 99:
		return casework.IsDuplicate
	default:
		return casework.NotWNI
	}
}

// calmed lowers a P1 whose danger is over, as an officer does who has heard it from the person: what is left of it is
// an ordinary case.
func (d *simDesk) calmed(c *casework.Case, o casework.Officer, at time.Time) []casework.Event {
	if casework.Effective(c, at) != casework.P1 {
		return nil
	}
	if c.Safety == flows.Danger || c.Safety == flows.Watched {
		if err := c.ConfirmSafety(flows.Safe, o.Name, at); err != nil {
			return nil
		}
	}
	events, err := casework.SetOverride(c, casework.P3, "sudah di tempat aman, didengar sendiri lewat telepon", o.Name, at, d.w.rules)
	if err != nil {
		return nil
	}
	return events
}

// simWay is how far a case comes in a few days; few come far.
var simWay = []struct {
	stage  casework.Stage
	detail string
}{
	{casework.StageTravelling, ""}, {casework.StageArrived, ""}, {casework.StageSheltered, "own_guesthouse"},
	{casework.StageInterviewed, ""}, {casework.StageVerified, "document"}, {casework.StageSPLPApplied, ""},
	{casework.StageSPLPIssued, "contoh"}, {casework.StageWaiverSubmitted, "contoh"}, {casework.StageWaiverGranted, "full"},
	{casework.StageExitPermit, ""}, {casework.StageTicketConfirmed, "contoh"}, {casework.StageDeparted, ""},
}

// progress sets stages for those who were spoken to: the older the case, the further.
func (d *simDesk) progress(c *casework.Case, o casework.Officer, at time.Time, rnd *rand.Rand) (all []casework.Event, err error) {
	if c.Safety == flows.Watched || c.Safety == flows.Danger || c.Answers[flows.StepWhoFor].Value() == "other_person" {
		return nil, nil
	}
	left := d.w.mark.End.Sub(c.CreatedAt)
	steps := rnd.IntN(2 + int(left/day)*3)
	for _, s := range simWay[:min(steps, len(simWay))] {
		if rnd.IntN(4) == 0 && s.stage != casework.StageSPLPApplied && s.stage != casework.StageWaiverSubmitted {
			continue
		}
		events, err := casework.SetStage(c, s.stage, s.detail, o.Name, at)
		var no *casework.Refused
		if errors.As(err, &no) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	if slices.Contains([]casework.Stage{casework.StageDeparted}, c.Stage) {
		events, err := casework.Close(c, "returned", o.Name, at)
		if err == nil {
			all = append(all, events...)
		}
	}
	return all, nil
}

func eventArgs(e casework.Event) flows.Args {
	if e.At.IsZero() {
		return e.Args
	}
	args := flows.Args{"At": e.At.UTC().Format(time.RFC3339)}
	for k, v := range e.Args {
		args[k] = v
	}
	return args
}

// timerChanges is the difference between the timers a case had and has to have.
func timerChanges(c *casework.Case, before, after []casework.TimerAt) (out []bot.Timer) {
	had := map[string]time.Time{}
	for _, t := range before {
		had[t.Name] = t.At
	}
	for _, t := range after {
		if at, ok := had[t.Name]; !ok || !at.Equal(t.At) {
			out = append(out, bot.Timer{Line: c.Line, Name: t.Name, CaseID: c.ID, At: t.At})
		}
		delete(had, t.Name)
	}
	for name := range had {
		out = append(out, bot.Timer{Line: c.Line, Name: name, CaseID: c.ID})
	}
	return out
}
