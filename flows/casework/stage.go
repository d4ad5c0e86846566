package casework

import (
	"slices"
	"time"
)

// The stages on the way home.
const (
	StageReported        Stage = "reported"
	StageContacted       Stage = "contacted"
	StageTravelling      Stage = "travelling"
	StageArrived         Stage = "arrived"
	StageSheltered       Stage = "sheltered"
	StageInterviewed     Stage = "interviewed"
	StageVerified        Stage = "citizenship_verified"
	StageSPLPApplied     Stage = "splp_applied"
	StageSPLPIssued      Stage = "splp_issued"
	StageWaiverSubmitted Stage = "waiver_submitted"
	StageWaiverGranted   Stage = "waiver_granted"
	StageExitPermit      Stage = "exit_permit"
	StageTicketConfirmed Stage = "ticket_confirmed"
	StageDeparted        Stage = "departed"
	StageArrivedID       Stage = "arrived_id"
	StageClosed          Stage = "closed"
)

// StageRule says what belongs to a stage.
type StageRule struct {
	Stage Stage
	// After are stages of which one has to have been reached; empty: any. The way home is not a straight line: whoever
	// holds a passport needs no SPLP, whoever holds a visa no waiver.
	After []Stage
	// Details are the values that the milestone's detail may have; empty: free text (a number, a flight).
	Details []string
}

// Stages is the table of all stages in their usual order.
var Stages = []StageRule{
	{Stage: StageReported},
	{Stage: StageContacted},
	{Stage: StageTravelling},
	{Stage: StageArrived},
	{Stage: StageSheltered, Details: []string{"own_guesthouse", "kbri_shelter", "state_shelter", "hospital", "detention", "friend"}},
	{Stage: StageInterviewed},
	{Stage: StageVerified, Details: []string{"biometric", "document", "family", "pending", "not_confirmed"}},
	{Stage: StageSPLPApplied},
	{Stage: StageSPLPIssued, After: []Stage{StageSPLPApplied}},
	{Stage: StageWaiverSubmitted},
	{Stage: StageWaiverGranted, After: []Stage{StageWaiverSubmitted}, Details: []string{"full", "partial", "refused"}},
	{Stage: StageExitPermit},
	{Stage: StageTicketConfirmed},
	{Stage: StageDeparted},
	{Stage: StageArrivedID},
	{Stage: StageClosed},
}

// CloseReasons are the reasons for closing a case.
var CloseReasons = []string{
	"returned", "self_resolved", "referred", "withdrawn", "not_wni", "duplicate", "lost_contact", "deceased",
}

func stageRule(s Stage) (StageRule, bool) {
	for _, r := range Stages {
		if r.Stage == s {
			return r, true
		}
	}
	return StageRule{}, false
}

func stageIndex(s Stage) int {
	return slices.IndexFunc(Stages, func(r StageRule) bool { return r.Stage == s })
}

// reached reports whether the case has this milestone.
func (c *Case) reached(s Stage) bool {
	return slices.ContainsFunc(c.Milestones, func(m Milestone) bool { return m.Stage == s })
}

// NextStages are the stages that may be set now, in the usual order: those further on, whose condition is met, and
// the present one again (another shelter, another list).
func NextStages(c *Case) []StageRule {
	var out []StageRule
	for _, r := range Stages {
		if c.stageAllowed(r) == "" {
			out = append(out, r)
		}
	}
	return out
}

func (c *Case) stageAllowed(r StageRule) string {
	switch {
	case c.Closed():
		return RefusedClosed
	case r.Stage == StageClosed:
		return RefusedStageClosing
	case r.Stage == StageReported && c.Stage != StageReported:
		return RefusedStageOrder
	case len(r.After) > 0 && !slices.ContainsFunc(r.After, c.reached):
		return RefusedStageOrder
	}
	return ""
}

// SetStage notes a milestone. An earlier one may be caught up later (papers arrive in any order); the case's Stage
// is then still the furthest one reached, except for lodging, which changes nothing about how far somebody is.
func SetStage(c *Case, s Stage, detail, by string, now time.Time) ([]Event, error) {
	r, ok := stageRule(s)
	if !ok {
		return nil, &Refused{Why: RefusedUnknownValue}
	}
	if why := c.stageAllowed(r); why != "" {
		return nil, &Refused{Why: why}
	}
	if len(r.Details) > 0 && detail != "" && !slices.Contains(r.Details, detail) {
		return nil, &Refused{Why: RefusedStageDetail}
	}
	return c.milestone(s, detail, by, now), nil
}

// reach notes a milestone unless the case is already there or further.
func (c *Case) reach(s Stage, detail, by string, now time.Time) []Event {
	if c.reached(s) || stageIndex(c.Stage) >= stageIndex(s) {
		return nil
	}
	return c.milestone(s, detail, by, now)
}

func (c *Case) milestone(s Stage, detail, by string, now time.Time) []Event {
	if n := len(c.Milestones); n > 0 {
		if m := c.Milestones[n-1]; m.Stage == s && m.Detail == detail {
			return nil // a second click on the same button
		}
	}
	c.Milestones = append(c.Milestones, Milestone{Stage: s, Detail: detail, At: now, By: by})
	if stageIndex(s) > stageIndex(c.Stage) {
		c.Stage = s
	}
	return []Event{{ID: EventStage, Args: map[string]any{"Stage": string(s)}}}
}

// Close ends the case with one of CloseReasons. An attempt without an outcome has to be ended first.
func Close(c *Case, reason, by string, now time.Time) ([]Event, error) {
	switch {
	case c.Closed():
		if c.ClosedAs == reason {
			return nil, nil
		}
		return nil, &Refused{Why: RefusedClosed}
	case !slices.Contains(CloseReasons, reason):
		return nil, &Refused{Why: RefusedUnknownValue}
	case c.openAttempt() != nil:
		return nil, &Refused{Why: RefusedOpenAttempt}
	}
	c.ClosedAs, c.ClosedAt, c.SeenIn, c.Faded = reason, now, c.LastIn, FadeNone
	c.Milestones = append(c.Milestones, Milestone{Stage: StageClosed, Detail: reason, At: now, By: by})
	c.Stage = StageClosed
	c.LaterUntil, c.SettledAt, c.PromisedAt, c.DormantAt, c.CheckInAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	c.P1Since, c.P1Told, c.LiftAt, c.Offer = time.Time{}, 0, nil, nil
	return []Event{{ID: EventClosed, Args: map[string]any{"Reason": reason}}}, nil
}

// Reopen puts a closed case back on the queue with a new wait, at the stage it had. by is empty when the person's
// own message did it.
func Reopen(c *Case, by string, now time.Time, r Rules) ([]Event, error) {
	if !c.Closed() {
		return nil, &Refused{Why: RefusedNotClosed}
	}
	if c.Into != nil {
		return nil, &Refused{Why: RefusedLinked} // it goes on in the other one
	}
	c.reopen(now)
	return append([]Event{{ID: EventReopened}}, c.Rescore(now, r)...), nil
}

func (c *Case) reopen(now time.Time) {
	c.ClosedAs, c.ClosedAt = "", time.Time{}
	c.Stage = StageReported
	for _, m := range c.Milestones {
		if m.Stage != StageClosed && stageIndex(m.Stage) > stageIndex(c.Stage) {
			c.Stage = m.Stage
		}
	}
	c.WaitSince, c.DueAt, c.DueFor, c.Lifted = now, time.Time{}, "", 0
	c.SeenIn = c.LastIn
}
