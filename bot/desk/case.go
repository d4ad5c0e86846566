package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// casePage is one case.
type casePage struct {
	page
	Code      string
	Class     casework.Class
	Late      casework.Late
	Waited    string
	Target    string
	Simulated bool
	Origin    string
	Language  string
	Created   time.Time
	CreatedBy string

	// What every form carries.
	Gate string
	Ver  int64
	Seen string

	Holder   string
	Mine     bool
	Until    time.Time
	Viewers  []string
	Closed   string
	ClosedAt time.Time
	Legal    *legalView

	Banner   bannerView
	Stages   []stageView
	Timeline []lineView
	Known    []knownView
	Edit     *editView
	Signals  []signalView
	Reasons  []reasonView
	Score    int
	Override *casework.Override
	Because  string

	Call     callPanel
	Contacts []contactView
	NotSafe  bool
	Reply    replyView
	Held     []heldView
	Places   placesView
	Next     nextView
	Purpose  string
	Reveals  []revealView
	Rescue   rescueView
	Groups   []groupView
	Link     linkView
	Handover handoverView
	Details  []stageOption
	Often    bool

	// Form is the form that was sent but not done, with what was typed; Bad says why.
	form string
	was  url.Values
	Bad  string
}

// latelyLines is how many lines of the timeline stand open: what was said last, and the composer below it, are what an
// officer comes for. Everything before is one click away.
const latelyLines = 40

// Earlier are the lines that are folded away; nil for a short timeline.
func (p casePage) Earlier() []lineView { return p.Timeline[:p.fold()] }

// Lately are the lines that stand open.
func (p casePage) Lately() []lineView { return p.Timeline[p.fold():] }

func (p casePage) fold() int {
	if len(p.Timeline) <= latelyLines+latelyLines/4 { // nobody opens a fold for a handful
		return 0
	}
	return len(p.Timeline) - latelyLines
}

// legalView is a legal hold that stands.
type legalView struct {
	By     string
	Reason words
	At     time.Time
}

// Was is what had been typed into a field of a form that is shown again.
func (p casePage) Was(form, field string) string {
	if p.form != form {
		return ""
	}
	return p.was.Get(field)
}

// Open reports whether a form is the one shown again.
func (p casePage) Open(form string) bool { return p.form == form }

// Kept is what had been typed into a form that is not shown any more, because the case is not in hand.
func (p casePage) Kept() []string {
	if p.Mine || p.Bad == "" || p.form == "note" {
		return nil
	}
	return p.q.written()
}

// openCase shows a case. Opening is audited; for whoever works on cases it also ends the escalation clock of a P1.
func openCase(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	now := q.d.Clock()
	// The page that is already open asks for what is new.
	file, err := q.look(q.d.Queue.Open, code, now, q.audit("open"), q.background())
	if errors.Is(err, bot.ErrNotFound) {
		return q.elsewhere(code, now)
	}
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	if !q.background() {
		if file, err = q.markRead(file, now); err != nil {
			return err
		}
		if err := q.d.Queue.Seen(q.r.Context(), q.mission.Code, code, q.user.Name, now); err != nil {
			return fmt.Errorf("seen: %w", err)
		}
	}
	p, err := q.caseView(file, now)
	if err != nil {
		return err
	}
	return q.show("case", p)
}

// look reads a case that is to be shown, with the audit row of that. What this browser saw lately needs no second row where
// again is set; only a look that succeeded covers another.
func (q *request) look(read readCase, code string, now time.Time, row bot.Audit, again bool) (bot.CaseFile, error) {
	row.Code = code
	if again && q.session.openedLately(code, now) {
		return read(q.r.Context(), q.mission.Code, code, now, bot.Audit{})
	}
	file, err := read(q.r.Context(), q.mission.Code, code, now, row)
	if err == nil {
		q.session.opened(code, now)
		q.d.saveSession(q.r.Context(), q.session)
	}
	return file, err
}

// readCase is Queue.Open or Queue.OpenOffered.
type readCase func(ctx context.Context, mission, code string, now time.Time, row bot.Audit) (bot.CaseFile, error)

// markRead notes that a human has read the case. A conflict means that the case has just changed: it is then read
// again, so that what is shown is what was noted.
func (q *request) markRead(file bot.CaseFile, now time.Time) (bot.CaseFile, error) {
	ctx := q.r.Context()
	for range decideAgain {
		c := file.Case
		if !unread(c) && !c.LastRead.Before(c.P1Since) {
			return file, nil
		}
		before := casework.Timers(c, now, q.mission.rules)
		c.MarkRead(q.user.Name, now)
		c.Rescore(now, q.mission.rules)
		ch := bot.Change{
			Line: c.Line, Request: "desk:read:" + newID(now), Case: c, CaseVer: file.Version,
			Timers: timerChanges(c.Line, c.ID, before, casework.Timers(c, now, q.mission.rules)),
		}
		_, err := q.d.Queue.Commit(ctx, ch)
		if err == nil {
			file.Version++
			return file, nil
		}
		if !errors.Is(err, bot.ErrConflict) {
			return file, fmt.Errorf("mark read: %w", err)
		}
		if file, err = q.d.Queue.Open(ctx, q.mission.Code, c.Code, now, bot.Audit{}); err != nil {
			return file, fmt.Errorf("open case: %w", err)
		}
	}
	return file, nil // the person writes faster than we do; the alarm goes on
}

// again shows the case with a form that was not done: what was typed stays in it. Whoever sends a form without having
// opened the case reads it by that, and stands in the audit log.
func (q *request) again(code, form string, status int, key string, args ...any) error {
	now := q.d.Clock()
	file, err := q.look(q.d.Queue.Open, code, now, q.audit("open"), true)
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	p, err := q.caseView(file, now)
	if err != nil {
		return err
	}
	p.form, p.was, p.Bad = form, q.r.PostForm, q.t(key, args...)
	if form == "answer" {
		p.Edit = q.editForm(file.Case, flows.StepID(q.r.PostFormValue("step")))
	}
	return q.showStatus(status, "case", p)
}

// caseView makes the page of a case.
func (q *request) caseView(file bot.CaseFile, now time.Time) (casePage, error) {
	c := file.Case
	class := casework.Effective(c, now)
	p := casePage{
		page: q.page("", q.t("desk.case.title", "Code", c.Code)), Code: c.Code, Class: class,
		Late: q.lateness(c, now), Waited: q.span(now.Sub(waitingSince(c))), Target: q.span(q.mission.rules.Target(class)),
		Simulated: c.Simulated, Origin: q.channelName(c.Origin), Language: c.Lang, Created: c.CreatedAt,
		CreatedBy: c.CreatedBy, Gate: gateOf(file, now), Ver: file.Version, NotSafe: c.Safety != flows.Safe,
		Score: c.Triage.Score, Purpose: q.session.purpose(c.Code),
		Often: len(q.session.skipped(now)) >= skipsNoWords,
	}
	p.Live = "case"
	if n := len(file.Entries); n > 0 {
		p.Seen = file.Entries[n-1].ID
	}
	if file.Claim != nil && file.Claim.Until.After(now) {
		p.Holder, p.Until = file.Claim.Officer, file.Claim.Until
		p.Mine = p.Holder == q.user.Name
	}
	if c.Closed() {
		p.Closed, p.ClosedAt = q.t("closed."+c.ClosedAs), c.ClosedAt
	}
	see := q.sees(c, now)
	if h := c.Hold; h != nil {
		p.Legal = &legalView{By: q.whoText(h.By), Reason: masked(h.Reason, see), At: h.At}
	}
	if o := c.Override; o != nil {
		said := *o
		said.Reason = mask(cleanLine(o.Reason).Text, see)
		p.Override = &said
	}
	var err error
	if file, err = q.withLinked(file, now); err != nil {
		return p, err
	}
	p.Link = q.linkView(file)
	p.Banner = q.banner(c, now)
	p.Stages = q.stages(c)
	p.Details = q.stageOptions(c)
	p.Timeline = q.timeline(file, see)
	p.Known = q.known(c, see)
	p.Signals = q.signals(c, see)
	for _, r := range c.Triage.Reasons {
		p.Reasons = append(p.Reasons, reasonView{q.t("reason." + r.ID), r.Points, r.Floor})
	}
	if casework.Queued(c) {
		p.Because = q.t("because." + casework.Because(casework.CandidateOf(c), now, q.mission.rules))
	}
	p.Call = q.callPanel(c, now, see)
	p.Contacts = q.contacts(c)
	p.Reply = q.replyView(c)
	p.Held = q.held(file, see)
	p.Places = q.places(c, see)
	p.Next = q.nextView(c, now)
	p.Reveals = q.reveals(c, now)
	p.Rescue = q.rescue(file, see, now)
	p.Handover = q.handover(c, p.Mine)
	if p.Groups, err = q.groups(c, see, now); err != nil {
		return p, err
	}
	if step := flows.StepID(q.r.URL.Query().Get("edit")); step != "" && p.Mine {
		p.Edit = q.editForm(c, step)
	}
	if err := q.peek(&p.page); err != nil {
		return p, err
	}
	return p, nil
}

// printCase is the case on one A4 sheet: no pin, what is masked stays masked, and who printed it when.
func printCase(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	now := q.d.Clock()
	a := q.audit("print")
	a.Code = code
	file, err := q.d.Queue.Open(q.r.Context(), q.mission.Code, code, now, a)
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	p, err := q.caseView(file, now)
	if err != nil {
		return err
	}
	p.Live, p.Counts = "", nil
	return q.showStatus(http.StatusOK, "print", p)
}
