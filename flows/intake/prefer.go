package intake

import (
	"slices"
	"strings"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// strictness orders the ways of being contacted by how little they allow; what is not known allows nothing that could be
// taken back, and ranks lowest.
func strictness(v flows.Value) int {
	return slices.Index([]flows.Value{flows.CallAnytime, flows.CallWindow, flows.TextOnly, flows.WaitForMe}, v) + 1
}

// preference is the way of being contacted that is in force; "" when none is.
func (t *turn) preference() flows.Value {
	if !t.told(flows.StepContactPref) {
		return ""
	}
	return t.value(flows.StepContactPref)
}

// forbid takes a no to calls, wherever and in whatever mode it is said: it holds at once, whatever was answered before
// and whatever is asked now. A no that says less than the one in force takes nothing back.
func (t *turn) forbid() {
	v := t.r.Contact
	if v != flows.TextOnly && v != flows.WaitForMe {
		return
	}
	asked, q := t.asks(flows.StepContactPref), t.current()
	stricter := strictness(v) > strictness(t.preference())
	if q != nil && (q.free && !stricter || elsewhereBy[q.id] && !t.has(noWords)) {
		return // "lewat WA" tells how somebody else was heard of
	}
	if asked || stricter {
		t.record(flows.StepContactPref, flows.Answer{Values: []flows.Value{v}})
	}
	t.forbade, t.content, t.known = true, true, true
	if t.s.Ask == flows.StepCallbackNumber { // no number is needed, and the wider promise says it all
		t.s.Ask = ""
	}
	t.parts = slices.DeleteFunc(t.parts, func(p flows.Text) bool { return p.ID == "number.gone" })
	switch {
	case asked: // an answer like any other
	case v == flows.WaitForMe:
		t.say("no_call.wait")
	default:
		t.say("no_call")
	}
}

// elsewhereBy are the questions by what way somebody else wrote or asked for money: the name of a messenger answers them,
// and says nothing of how the writer may be reached.
var (
	elsewhereBy = map[flows.StepID]bool{flows.StepLastContact: true, flows.StepRansomAmount: true}
	noWords     = lexicon.Plain("no")
)

// prefer takes what was said in passing of how to be contacted, although there is an answer already. Less than before
// holds at once; more than before is asked about: it may be the words of whoever else holds the phone, or not meant so.
func (t *turn) prefer(a flows.Answer) {
	q := t.byID(flows.StepContactPref)
	switch now, v := strictness(t.preference()), strictness(a.Value()); {
	case now == 0, v > now:
		t.accept(q, a)
	case v < now && !t.forbade:
		t.s.Ask = q.id
		t.known = true
	}
}

// onlyForbade reports whether the message says little more than that nobody may call: it is not also the answer to a
// question that takes any words.
func (t *turn) onlyForbade(text string) bool { return t.forbade && len(strings.Fields(text)) <= 4 }
