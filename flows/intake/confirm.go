package intake

import "pulang/flows"

const (
	goOn  flows.Value = "continue"
	later flows.Value = "later"
)

var confirmQuestions = []question{{
	id: flows.StepConfirm, silent: true,
	text: func(t *turn) []flows.Text {
		t.open() // the code is told now, so the case is opened in this very turn
		if t.silent() {
			return []flows.Text{t.text("ask.confirm.silent", "Code", t.s.Case)}
		}
		again := t.asks(flows.StepConfirm) && t.in.Kind != flows.KindTimer // it stands above: not all of it once more
		var parts []flows.Text
		if !again {
			parts = append(parts, t.text("confirm.received", "Code", t.s.Case, "Waiting", t.env.Waiting))
		}
		if facts := t.understood(); facts != "" && (!again || t.recorded()) {
			parts = append(parts, t.text("confirm.understood", "Facts", facts))
		}
		if again {
			return append(parts, t.text(confirmMore(t)))
		}
		if t.value(flows.StepWhoFor) == otherPerson {
			parts = append(parts, t.text("confirm.no_posting"))
		}
		return append(parts, t.text("confirm.commands"), t.text(confirmMore(t)))
	},
	read: func(t *turn, text string) (flows.Answer, bool) {
		q := t.byID(flows.StepConfirm)
		a, ok := q.answerOf(t)
		switch {
		case !t.plainly(q, text): // "iya 50 juta" is no yes to this
			return flows.Answer{}, false
		case ok:
			return a, true
		case t.r.YesNo == flows.Yes:
			return one(goOn)
		case t.r.YesNo == flows.No:
			return one(later)
		}
		return flows.Answer{}, false
	},
	pick: func(t *turn, v flows.Value) {
		if v == goOn {
			t.s.Optional = true
		}
		t.record(flows.StepConfirm, flows.Answer{Values: []flows.Value{v}})
		if v == later && !t.silent() {
			t.say("later")
		}
	},
}}

// confirmMore asks whether to go on, in the words that fit the report.
func confirmMore(t *turn) flows.TextID {
	if t.value(flows.StepWhoFor) == otherPerson || minor(t) {
		return "ask.confirm.more"
	}
	return "ask.confirm"
}

// shown does what follows from having shown a question: a watched person is told the code and asked nothing more.
func (t *turn) shown(q *question) {
	if q.id != flows.StepConfirm || !t.silent() {
		return
	}
	t.record(flows.StepConfirm, flows.Answer{Values: []flows.Value{later}})
	t.s.Shown = nil
	t.step, t.list, t.asked, t.bare = "", nil, nil, false
}
