package desk

import (
	"fmt"
	"net/http"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// rescueView is the checklist of the rescue packet.
type rescueView struct {
	May     bool // it may be started, or what is missing asked for again
	On      bool // it was started
	Asking  bool // and not ended
	At      time.Time
	By      string
	Consent words
	Items   []rescueItemView
	Done    int
	Wait    string // whether the questions reach the person, in words
}

// rescueItemView is one of the six items. Entry is the line of the timeline that holds its file.
type rescueItemView struct {
	Step, Label, Value, Entry string
	Done, Asked, Skipped      bool
	Review, Masked            bool
	At                        time.Time
}

func (q *request) rescue(file bot.CaseFile, see shown, now time.Time) rescueView {
	c := file.Case
	v := rescueView{May: q.may(casework.ActRescue) && casework.MayRescue(c, now)}
	if c.Rescue == nil {
		return v
	}
	v.On, v.Asking, v.At, v.By, v.Consent = true, c.Rescuing(), c.Rescue.At, c.Rescue.By, masked(c.Rescue.Consent, see)
	for _, it := range casework.RescueList(c) {
		x := rescueItemView{
			Step: string(it.Step), Label: q.stepText(it.Step), Done: it.Done, Asked: it.Asked, Skipped: it.Answer.Skipped,
			Review: it.Answer.Review, At: it.Answer.At,
		}
		if it.Done {
			v.Done++
			x.Value, x.Masked, _ = q.answerText(it.Step, it.Answer, see)
			if x.Entry = mediaEntry(file, it.Answer); x.Entry != "" {
				x.Value, x.Masked = q.t("desk.rescue.photo_there", "At", q.hm(it.Answer.At.In(q.zone()))), false
			}
		}
		v.Items = append(v.Items, x)
	}
	if len(c.RescueWanted()) > 0 {
		v.Wait = q.rescueWait(c, now)
	}
	return v
}

// rescueWait says whether the next item may be asked now.
func (q *request) rescueWait(c *casework.Case, now time.Time) string {
	to, ok := contactOf(c, "")
	if !ok {
		return q.t("desk.rescue.by_hand")
	}
	s := casework.MaySend(casework.Message{Kind: casework.KindOfficer, CreatedAt: now}, c, lastIn(c, to), now, q.mission.rules)
	switch {
	case s.OK:
		return q.t("desk.rescue.asking")
	case !s.NotBefore.IsZero():
		return q.t("desk.rescue.held_until", "Why", q.t("hold."+s.Why), "At", q.hm(s.NotBefore.In(q.zone())))
	}
	return q.t("desk.rescue.held", "Why", q.t("hold."+s.Why))
}

// mediaEntry is the line of the timeline on which the answer's file came; "" when it is no file.
func mediaEntry(file bot.CaseFile, a flows.Answer) string {
	if a.From == "" {
		return ""
	}
	for _, e := range file.Entries {
		if in := e.Input; in != nil && in.ID == a.From && in.Media != nil {
			return e.ID
		}
	}
	return ""
}

// startRescue is an officer's decision, with the person's consent in words. The items are asked by the conversation;
// the timer makes it ask the first one as soon as the gate lets a message leave.
func startRescue(q *request) error {
	e := edit{form: "rescue", audit: q.audit("rescue"), hold: true, gate: true}
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		consent, err := q.need("consent", maxReason, "refused.no_consent")
		if err != nil {
			return nil, err
		}
		events, err := casework.StartRescue(c, consent, q.user.Name, now)
		if err != nil {
			return nil, err
		}
		ch.Entries = append(q.eventEntries(events, now), q.noteEntry(consent, now))
		if to, ok := contactOf(c, ""); ok {
			ch.Timers = append(ch.Timers, bot.Timer{Line: c.Line, Name: flows.TimerRescue, Contact: to, At: now})
		}
		return nil, nil
	}
	return q.apply(e, "desk.flash.rescue")
}

// endRescue stops asking.
func endRescue(q *request) error {
	e := edit{form: "rescue", audit: q.audit("rescue_end"), hold: true}
	e.do = func(c *casework.Case, _ *bot.Change, now time.Time) ([]casework.Event, error) {
		return casework.EndRescue(c, now), nil
	}
	return q.apply(e, "desk.flash.rescue_end")
}

// rescuePage is the packet's sheet for print.
type rescuePage struct {
	page
	Code   string
	Rescue rescueView
	Place  string
	NoRing string
}

// rescueSheet is the packet on one sheet, nothing of it masked: it is made to be handed over, by whoever holds the
// case, and goes into the audit before it leaves the house.
func rescueSheet(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	ctx, now := q.r.Context(), q.d.Clock()
	file, err := q.d.Queue.Open(ctx, q.mission.Code, code, now, bot.Audit{})
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	c := file.Case
	switch {
	case !holds(file.Claim, q.user.Name, now):
		return q.again(code, "rescue", http.StatusConflict, "desk.error.lease")
	case c.Rescue == nil:
		return bot.ErrNotFound
	}
	if err := q.recordRead(ctx, code, "rescue_sheet", "", "locate"); err != nil {
		return err
	}
	p := rescuePage{
		page: q.page("", q.t("desk.rescue.sheet_title")), Code: c.Code,
		Rescue: q.rescue(file, shown{Phone: true, Pin: true, IDs: true, Name: true}, now),
	}
	if l := lastPlace(c); l != nil {
		p.Place = q.pinText(*l, shown{Pin: true}) + " · " + q.when(l.At)
	}
	if v := casework.MayCall(c, now, q.mission.rules); !v.OK {
		p.NoRing = q.t("desk.rescue.no_ring", "Why", q.t("call."+v.Why))
	}
	p.Live, p.Counts = "", nil
	return q.showStatus(http.StatusOK, "rescue", p)
}
