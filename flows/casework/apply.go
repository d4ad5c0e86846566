package casework

import (
	"slices"
	"time"

	"pulang/flows"
)

// New returns a case as it stands when it is opened. at is the person's first message: the clock starts there.
func New(id, code, line, mission, origin string, at time.Time) *Case {
	return &Case{
		ID: id, Code: code, Line: line, Mission: mission, Origin: origin, CreatedAt: at, WaitSince: at,
		Stage: StageReported, Milestones: []Milestone{{Stage: StageReported, At: at}},
	}
}

// Signals that casework itself sets or reasons about. Others come from the words of the person.
const (
	SignalDuress        = "duress" // the duress word: danger, silently
	SignalDanger        = "danger" // words of danger outside the safety question
	SignalSafetyLowered = "safety_lowered"
	SignalContactLost   = "contact_lost" // silence after danger or watched
	SignalWrongPerson   = "wrong_person"
	SignalWrongNumber   = "wrong_number"
	SignalReview        = "p1_review" // somebody has to decide now
	SignalImpostor      = "suspected_impostor"
	SignalImpostorCheck = "impostor_check"
	SignalExhausted     = "attempts_exhausted" // the supervisor's list
	SignalDeclined      = "declined_help"
	SignalReopened      = "reopened"            // the person says that a closed matter goes on
	SignalReturned      = "handover_returned"   // another mission gave the case back; its reason are the words
	SignalUnanswered    = "handover_unanswered" // another mission did not answer in time
)

// Apply puts one effect of a turn, or an answer entered at the desk (Answer.By), on the case. at is the person's
// time of the message. Rescore has to follow once all effects of the turn are applied. Effects that concern the
// chat rather than the case (Wake, DeleteChat) change nothing here.
func (c *Case) Apply(e flows.Effect, at time.Time, r Rules) {
	switch e := e.(type) {
	case flows.OpenCase:
		for _, h := range e.Heard {
			if first := h.Input.At; !first.IsZero() && first.Before(c.CreatedAt) {
				c.CreatedAt, c.WaitSince = first, first
			}
		}
	case flows.Record:
		c.record(e.Step, e.Answer, at)
	case flows.Signal:
		c.signal(e.Name, e.Words, at)
	case flows.Mute:
		if e.On && !c.Muted {
			c.MutedAt = at
		}
		c.Muted = e.On
	case flows.JoinGroup:
		c.Group = e.Code
	case flows.CheckOfficer:
		c.signal(SignalImpostorCheck, e.Code, at)
	}
}

func (c *Case) record(step flows.StepID, a flows.Answer, at time.Time) {
	if a.At.IsZero() {
		a.At = at
	}
	if a.Skipped && len(c.Answers[step].Values) > 0 {
		return // passing over a question takes nothing back
	}
	if c.Answers == nil {
		c.Answers = map[flows.StepID]flows.Answer{}
	}
	c.Answers[step] = a
	if a.By != "" {
		c.Peak = "" // an officer looked at the facts: what they give now is the class
	}
	switch step {
	case flows.StepWhoFor:
		if a.By == "" && a.Value() == otherPerson {
			c.Reported = true
		}
	case flows.StepLocation:
		c.located(a, at)
	case flows.StepSafetyNow:
		c.saidSafety(a)
	case flows.StepContactPref:
		c.saidPermission(a)
	case flows.StepSafeTime:
		if !a.Skipped && !c.beforeDanger(a) {
			c.Windows = ParseWindows(a.Norm)
		}
	case flows.StepCallbackNumber, flows.StepNumberCountry:
		if a.Norm != "" || len(a.Values) > 0 {
			c.done(SignalWrongNumber, a.By, a.At)
		}
	}
}

// located appends to the history of places: people are moved, and an earlier place is never overwritten. The one
// exception is the same statement told again, such as a live location's correction of itself at the same spot.
func (c *Case) located(a flows.Answer, at time.Time) {
	l := a.Location
	if l == nil {
		if a.Skipped || a.Text == "" {
			return
		}
		l = &flows.Location{Kind: "place_text", Text: a.Text}
	}
	place := *l
	if place.At.IsZero() {
		place.At = at
	}
	if n := len(c.Locations); n > 0 && c.Locations[n-1] == place {
		return
	}
	c.Locations = append(c.Locations, place)
	// A live location that moves for a day would fill the case: thin the middle, keep the first and the last ones.
	const keep = 500
	if n := len(c.Locations); n > keep {
		c.Locations = slices.Delete(c.Locations, n/2, n/2+1)
	}
}

func safetyRank(v flows.Value) int {
	switch v {
	case flows.Watched:
		return 1
	case flows.Danger:
		return 2
	}
	return 0
}

// saidSafety raises the level in force. A lower answer than the one in force is on the case as an answer and asks
// for an officer's check; it lowers nothing: whoever holds the phone may have written it.
func (c *Case) saidSafety(a flows.Answer) {
	v := a.Value()
	switch v {
	case flows.Safe, flows.Watched, flows.Danger:
	default:
		return
	}
	switch {
	case a.By != "":
		c.setSafety(v, a.At)
	case safetyRank(v) < safetyRank(c.Safety):
		c.signal(SignalSafetyLowered, a.Text, a.At)
		if v == flows.Watched { // less than danger, and still no moment at which an older permission holds
			c.withdraw(a.At)
		}
	default:
		c.setSafety(v, a.At)
	}
}

// setSafety puts a level in force. Danger or watched ends every earlier permission.
func (c *Case) setSafety(v flows.Value, at time.Time) {
	c.Safety, c.SafetyAt = v, at
	if v == flows.Safe {
		return
	}
	c.withdraw(at)
	if v == flows.Danger {
		c.alarm = true
	}
}

// withdraw ends the permission to call and the stated hours; what the person answered stays on record.
func (c *Case) withdraw(at time.Time) {
	c.Permission, c.PermissionAt, c.Windows, c.PromisedAt = "", time.Time{}, nil, time.Time{}
	if at.After(c.WithdrawnAt) {
		c.WithdrawnAt = at
	}
}

// beforeDanger reports whether the answer is older than the danger or watched that withdrew it.
func (c *Case) beforeDanger(a flows.Answer) bool {
	return safetyRank(c.Safety) > 0 && a.At.Before(c.SafetyAt)
}

// saidPermission puts contact_pref in force. An answer that was not understood ends the permission: it may well
// have been a no.
func (c *Case) saidPermission(a flows.Answer) {
	v := a.Value()
	switch v {
	case flows.CallAnytime, flows.CallWindow, flows.TextOnly, flows.WaitForMe:
		if c.beforeDanger(a) {
			return
		}
		if v == flows.CallAnytime {
			c.Windows = nil
		}
		c.Permission, c.PermissionAt = v, a.At
	default:
		if a.Review {
			c.withdraw(a.At)
		}
	}
}

// signal notes a fact. The first words and time stay; a fact that comes again after it was dealt with is open again.
func (c *Case) signal(name, words string, at time.Time) {
	if c.Signals == nil {
		c.Signals = map[string]Signal{}
	}
	if s, ok := c.Signals[name]; ok && s.Done.IsZero() {
		if s.Words == "" {
			s.Words = words
			c.Signals[name] = s
		}
	} else {
		c.Signals[name] = Signal{Words: words, At: at}
	}
	switch name {
	case SignalDuress, SignalDanger:
		c.setSafety(flows.Danger, at)
	case SignalReopened:
		c.again = c.Closed()
	}
}

// open reports whether the signal is set and no officer has dealt with it.
func (c *Case) open(name string) bool {
	s, ok := c.Signals[name]
	return ok && s.Done.IsZero()
}

func (c *Case) done(name, by string, at time.Time) {
	if s, ok := c.Signals[name]; ok && s.Done.IsZero() {
		s.Done, s.DoneBy = at, by
		c.Signals[name] = s
	}
}

// SignalDone notes that an officer dealt with a signal: it stops to count. Rescore has to follow.
func (c *Case) SignalDone(name, by string, now time.Time) {
	c.done(name, by, now)
	c.Peak = ""
}

// Blocked notes that the person cannot be reached on a contact any more (the messenger said so). Rescore has to follow.
func (c *Case) Blocked(channel, account, address string, at time.Time) {
	for i := range c.Contacts {
		k := &c.Contacts[i]
		if k.Channel == channel && k.Account == account && k.Address == address {
			k.Blocked = true
		}
	}
	c.lost(at)
}

// lost notes, once, that nobody can write any more to a person who was watched or in danger.
func (c *Case) lost(at time.Time) {
	if _, told := c.Signals[SignalContactLost]; told || len(c.Contacts) == 0 || safetyRank(c.Safety) == 0 {
		return
	}
	for _, k := range c.Contacts {
		if !k.Blocked {
			return
		}
	}
	c.signal(SignalContactLost, "", at)
}

// ConfirmSafety puts the level in force that an officer established; only this lowers danger or watched. A withdrawn
// permission stays withdrawn until the person gives it again. Rescore has to follow.
func (c *Case) ConfirmSafety(level flows.Value, by string, now time.Time) error {
	switch level {
	case flows.Safe, flows.Watched, flows.Danger:
	default:
		return &Refused{Why: RefusedUnknownValue}
	}
	if level != c.Safety {
		c.setSafety(level, now)
	}
	c.done(SignalSafetyLowered, by, now)
	if level != flows.Danger {
		c.done(SignalDuress, by, now)
		c.done(SignalDanger, by, now)
	}
	c.Peak = ""
	return nil
}

// MarkRead notes that a human opened the case: it ends the escalation clock of a P1.
func (c *Case) MarkRead(by string, now time.Time) {
	c.LastRead, c.LastReadBy, c.NewIn = now, by, false
}

// Heard notes that words of the person's came in that were written at that time. Messages come late (an outage of the
// messenger, another contact, a clock that was set back): what an officer who settled, put off or closed the case did not
// have before them is new, also when it is older than the newest they had.
func (c *Case) Heard(at time.Time) {
	c.NewIn = true
	if at.After(c.LastIn) {
		c.LastIn = at
	}
	if !c.SeenIn.IsZero() && !at.After(c.SeenIn) {
		c.SeenIn = at.Add(-1)
	}
}

// Unread reports whether the person wrote something that no officer has had open.
func (c *Case) Unread() bool { return c.LastRead.IsZero() || c.NewIn || c.LastIn.After(c.LastRead) }

// Closed reports whether the case is closed.
func (c *Case) Closed() bool { return c.ClosedAs != "" }
