package intake

import (
	"strings"

	"pulang/flows"
)

// edit handles a correction of an earlier message. It corrects the answers which that message gave and goes nowhere
// else; danger in it acts as always.
func (t *turn) edit() {
	if t.in.Kind == flows.KindLocation {
		t.moved()
		return
	}
	text := strings.TrimSpace(t.in.Text)
	t.content = true
	if text == "" {
		t.quiet = "edit"
		return
	}
	t.duress(text)
	gave := t.gave()
	t.r = t.f.read(text, t.context(nil))
	for _, name := range t.r.Signals {
		t.signal(name, text)
	}
	if t.r.SelfHarm {
		t.selfHarm(text)
		return
	}
	shown, ask := t.s.Shown, t.s.Ask
	if t.dangerEdit() {
		return
	}
	mode := t.mode()
	t.numberGone(text)
	t.forbid()
	changed := t.forbade || t.recorded()
	for _, q := range gave {
		changed = t.amend(q, text) || changed
		if t.alarmed {
			return
		}
	}
	t.s.Shown, t.s.Ask = shown, ask
	if t.mode() != mode {
		t.clearAsked()
	}
	switch {
	case t.s.Paused:
		t.parts, t.quiet = nil, "paused"
	case len(t.parts) > 0:
	case changed && !t.silent() && !t.danger():
		t.say("edited")
	case changed:
		t.say("silent.ok")
	default:
		t.quiet = "edit"
	}
}

// gave are the questions that the corrected message had answered.
func (t *turn) gave() []*question {
	if t.in.ID == "" {
		return nil
	}
	var qs []*question
	for _, q := range t.f.list {
		if a, ok := t.s.Answers[q.id]; ok && a.From == t.in.ID && t.f.byID[q.id] == q {
			qs = append(qs, q)
		}
	}
	return qs
}

// dangerEdit acts on danger in a corrected message.
func (t *turn) dangerEdit() bool {
	if cmd, _, ok := exact(t.in.Text); ok && cmd == cmdDanger {
		t.r.Command = string(cmdDanger)
	}
	if t.danger() {
		return false
	}
	return t.dangerWords()
}

// amend reads the corrected text as an answer to q, as it would have been read then.
func (t *turn) amend(q *question, text string) bool {
	t.s.Shown = &flows.Shown{Step: q.id, Choices: q.choices(t), At: t.in.At}
	t.s.Ask = ""
	old := t.answer(q.id)
	if vs, ok := t.chosen(q, text); ok {
		t.choose(q, vs)
	} else {
		whole := t.r
		t.r = t.f.read(text, t.context(q))
		t.read(q, text)
		t.r = whole
	}
	now := t.answer(q.id)
	return !now.At.Equal(old.At) || now.Text != old.Text
}

// moved appends the next point of a live location. Nobody is disturbed by it.
func (t *turn) moved() {
	t.quiet = "live"
	if t.in.Location == nil {
		return
	}
	l := *t.in.Location
	if l.At.IsZero() {
		l.At = t.in.At
	}
	if l.Kind == "" {
		l.Kind = kindLive
	}
	if l.Lat == 0 && l.Lon == 0 {
		l.HasPoint = false
	}
	if !l.HasPoint && !l.Ended {
		return
	}
	if l.HasPoint {
		t.name(&l)
	}
	shown, ask := t.s.Shown, t.s.Ask
	if old := t.answer(flows.StepLocation); l.HasPoint && !old.At.After(t.in.At) {
		t.note(memoPlaces, "")
		t.record(flows.StepLocation, flows.Answer{Values: []flows.Value{flows.Value(l.Kind)}, Location: &l})
	} else {
		// An end without a point, or a point that came late: it belongs to the history, not to the answer.
		t.content = true
		a := flows.Answer{Values: []flows.Value{flows.Value(l.Kind)}, Location: &l, At: t.in.At, From: t.in.ID}
		t.effects = append(t.effects, flows.Record{Step: flows.StepLocation, Answer: a})
	}
	t.s.Shown, t.s.Ask = shown, ask
}
