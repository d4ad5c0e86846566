package desk

import (
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// setStage notes a milestone on the way home.
func setStage(q *request) error {
	s := casework.Stage(q.r.PostFormValue("stage"))
	e := edit{form: "stage", audit: q.audit("stage"), hold: true, gate: true}
	e.audit.Field = string(s)
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		detail := q.text("detail_"+string(s), 80)
		if detail == "" {
			detail = q.text("detail", 80)
		}
		return casework.SetStage(c, s, detail, q.user.Name, now)
	}
	return q.apply(e, "desk.flash.stage")
}

// closeCase ends the case with a reason of the list and a sentence for whoever reads it later.
func closeCase(q *request) error {
	reason := q.r.PostFormValue("as")
	e := edit{form: "close", audit: q.audit("close"), hold: true, gate: true, words: true}
	e.audit.Field = reason
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		text, err := q.need("summary", maxReason, "desk.bad.summary")
		if err != nil {
			return nil, err
		}
		events, err := casework.Close(c, reason, q.user.Name, now)
		if err != nil {
			return nil, err
		}
		ch.Entries = append(q.eventEntries(events, now), q.noteEntry(text, now))
		ch.Release = true
		return nil, nil
	}
	return q.apply(e, "desk.flash.closed")
}

// reopenCase puts a closed case back on the queue.
func reopenCase(q *request) error {
	e := edit{form: "reopen", audit: q.audit("reopen"), gate: true}
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		reason, err := q.need("reason", maxReason, "desk.bad.reason")
		if err != nil {
			return nil, err
		}
		events, err := casework.Reopen(c, q.user.Name, now, q.mission.rules)
		if err != nil {
			return nil, err
		}
		ch.Entries = append(q.eventEntries(events, now), q.noteEntry(reason, now))
		return nil, nil
	}
	return q.apply(e, "desk.flash.reopened")
}

// holdCase puts the case under a legal hold: nothing of it is erased until somebody lifts it.
func holdCase(q *request) error { return q.setHold("hold", "desk.flash.held") }

// liftHold lets the case age again.
func liftHold(q *request) error { return q.setHold("hold_lift", "desk.flash.hold_lifted") }

func (q *request) setHold(act, done string) error {
	e := edit{form: "legal", audit: q.audit(act), gate: true}
	e.audit.Purpose = q.text("reason", maxReason)
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		reason, err := q.need("reason", maxReason, "desk.bad.reason")
		if err != nil {
			return nil, err
		}
		ch.Entries = append(ch.Entries, q.noteEntry(reason, now))
		if act != "hold" {
			reason = ""
		}
		return casework.SetHold(c, reason, q.user.Name, now)
	}
	return q.apply(e, done)
}

// answer enters or corrects an answer. The step safety_now has a form of its own: see setSafety.
func answer(q *request) error {
	step := flows.StepID(q.r.PostFormValue("step"))
	e := edit{form: "answer", audit: q.audit("answer"), hold: true}
	e.audit.Field = string(step)
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		if !editable(step) {
			return nil, &bad{Key: "desk.bad.step"}
		}
		a, err := q.readAnswer(step, "", now)
		if err != nil {
			return nil, err
		}
		if len(a.Values) == 0 && a.Text == "" {
			return nil, &bad{Key: "desk.bad.answer"}
		}
		c.Apply(flows.Record{Step: step, Answer: a}, now, q.mission.rules)
		ch.Entries = append(ch.Entries, q.event("event.answer", flows.Args{"Step": string(step)}, now))
		return nil, nil
	}
	return q.apply(e, "desk.flash.answer")
}

// stageView is a step of the way home.
type stageView struct {
	Text string
	Done bool
	Now  bool
	At   time.Time
}

// stageOption is a stage that may be set now.
type stageOption struct {
	Value, Label string
	Details      []option
	Free         bool
}

func (q *request) stages(c *casework.Case) []stageView {
	var out []stageView
	for _, s := range casework.Stages {
		v := stageView{Text: q.t("stage." + string(s.Stage)), Now: s.Stage == c.Stage}
		for _, m := range c.Milestones {
			if m.Stage == s.Stage && (s.Stage != casework.StageClosed || c.Closed()) {
				v.Done, v.At = true, m.At
			}
		}
		out = append(out, v)
	}
	return out
}

func (q *request) stageOptions(c *casework.Case) []stageOption {
	var out []stageOption
	for _, s := range casework.NextStages(c) {
		if s.Stage == casework.StageReported {
			continue
		}
		o := stageOption{Value: string(s.Stage), Label: q.t("stage." + string(s.Stage)), Free: len(s.Details) == 0}
		for _, d := range s.Details {
			o.Details = append(o.Details, option{Value: d, Label: q.t("detail." + d)})
		}
		out = append(out, o)
	}
	return out
}
