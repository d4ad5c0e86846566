package intake

import (
	"slices"
	"strings"

	"pulang/flows"
)

// A core question that was missed twice is left, its words kept for an officer, and comes back once: before the
// confirmation, or behind a later message. Nobody may be rung whose answer to contact_pref was not understood, so one
// lost question can lose a person. memoMissed lists the steps that are to come back; one that did stands behind a dash.
const settled = "-"

func (t *turn) missedSteps() []string {
	if raw := t.memo(memoMissed); raw != "" {
		return strings.Split(raw, ",")
	}
	return nil
}

// missed notes that the words at a question were kept: it comes back, unless it has.
func (t *turn) missed(q *question) {
	if q.part != core || q.due != nil || q.free || q.id == flows.StepConfirm {
		return
	}
	list := t.missedSteps()
	switch i := slices.Index(list, string(q.id)); {
	case i >= 0:
		list[i] = settled + list[i]
	case slices.Contains(list, settled+string(q.id)):
		return
	default:
		list = append(list, string(q.id))
		t.left = q.id
	}
	t.note(memoMissed, strings.Join(list, ","))
}

// settle lets a question that came back go for good: it was passed over.
func (t *turn) settle(step flows.StepID) {
	list := t.missedSteps()
	if i := slices.Index(list, string(step)); i >= 0 {
		list[i] = settled + list[i]
		t.note(memoMissed, strings.Join(list, ","))
	}
}

// comesBack is the first question that was missed, still is not answered, and was not left just now; "" for none.
func (t *turn) comesBack() flows.StepID {
	for _, s := range t.missedSteps() {
		id := flows.StepID(s)
		if q := t.byID(id); q != nil && id != t.left && t.unread(id) && q.applies(t) && (q.silent || !t.silent()) {
			return id
		}
	}
	return ""
}
