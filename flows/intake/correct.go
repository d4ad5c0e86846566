package intake

import (
	"slices"
	"strings"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// correctable are the answers that a later statement replaces, although nothing was asked; places, needs, numbers and
// the way of being contacted have rules of their own.
var correctable = map[flows.StepID]bool{
	flows.StepPassportStatus: true, flows.StepImmigration: true, flows.StepPlaceKind: true,
}

// unread reports whether words are kept on the step of which nothing was understood: whatever is said later is more.
func (t *turn) unread(step flows.StepID) bool {
	a, ok := t.s.Answers[step]
	return ok && a.Review && len(a.Values) == 0 && a.Norm == "" && a.Location == nil
}

// correct takes a fact that was told in passing and differs from the answer that is there, if nothing else explains the
// words: a question, a case that is only supposed, somebody else's papers, the answer to what was asked just now.
func (t *turn) correct(q *question, a flows.Answer) {
	v := a.Value()
	switch {
	case v == t.value(q.id), v == "", v == flows.Unknown, t.asking(), t.supposing(), t.r.GroupSize > 0,
		t.r.WhoFor != "" && !is(t.r.WhoFor)(t):
		return
	case q.id == flows.StepPlaceKind && !t.present():
		return // "kemarin di rumah sakit"
	}
	t.accept(q, a)
	t.corrected = append(t.corrected, q.id)
}

// sayCorrected reads the corrections back, so that a misreading can be taken back; to whoever is not safe only that it
// came in.
func (t *turn) sayCorrected() {
	if len(t.corrected) == 0 {
		return
	}
	if t.mode() != flows.Safe || t.f.cfg.Text == nil {
		t.say("silent.ok")
		return
	}
	var facts []string
	for _, step := range t.corrected {
		l := t.byID(step).labelOf(t, t.value(step))
		fact := t.f.cfg.Text(t.s.Lang, l.ID, l.Args)
		switch step {
		case flows.StepPassportStatus:
			u := t.text("understood.passport", "What", lower(fact))
			fact = t.f.cfg.Text(t.s.Lang, u.ID, u.Args)
		case flows.StepImmigration:
			u := t.text("understood.permit", "What", lower(fact))
			fact = t.f.cfg.Text(t.s.Lang, u.ID, u.Args)
		}
		facts = append(facts, fact)
	}
	t.say("corrected", "Facts", strings.Join(facts, "; "))
}

var (
	// supposeWords and askWords make a sentence none that states a fact.
	supposeWords = lexicon.Plain("suppose")
	askWords     = lexicon.Plain("ask")
	presentWords = lexicon.Plain("present")
)

// asking reports whether the message is a question.
func (t *turn) asking() bool { return strings.Contains(t.in.Text, "?") || t.has(askWords) }

// supposing reports whether it tells of what might be.
func (t *turn) supposing() bool { return t.has(supposeWords) }

// present reports whether it says that things have changed.
func (t *turn) present() bool { return t.has(presentWords) }

func (t *turn) has(words map[string]bool) bool {
	return slices.ContainsFunc(strings.Fields(fold(t.in.Text)), func(w string) bool { return words[w] })
}
