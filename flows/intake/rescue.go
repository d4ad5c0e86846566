package intake

import (
	"slices"

	"pulang/flows"
)

// The rescue packet: six items, asked one by one, each may be passed over. They are due only while an officer has
// asked for them (flows.CaseView.Rescue), then before anything else but the safety question, also of a person in
// danger. Whoever is not safe gets them in a few neutral words.
var rescueQuestions = []question{
	rescueItem(question{id: flows.StepRescueLocation, askPlace: true, read: readRescuePlace, keep: keepRescuePlace}),
	rescueItem(question{id: flows.StepRescueRoom, read: words}),
	rescueItem(question{id: flows.StepRescueBuilding, media: true, read: pictured}),
	rescueItem(question{id: flows.StepRescuePhoto, media: true, read: pictured}),
	rescueItem(question{id: flows.StepRescueID, media: true, read: pictured}),
	rescueItem(question{id: flows.StepRescueContact, read: withPhone}),
}

func rescueItem(q question) question {
	id := q.id
	q.open, q.free, q.silent, q.rescue = true, true, true, true
	q.cond = "an officer asked for it"
	q.due = func(t *turn) bool { return t.wants(id) }
	if q.media {
		q.mediaValue = "photo"
	}
	q.text = func(t *turn) []flows.Text {
		key := "ask." + flows.TextID(id)
		if t.mode() != flows.Safe {
			key += ".silent"
		}
		return []flows.Text{t.text(key)}
	}
	return q
}

// wants reports whether an officer waits for this item.
func (t *turn) wants(id flows.StepID) bool {
	c := t.env.Case
	if c == nil || t.closed() || !slices.Contains(c.Rescue, id) {
		return false
	}
	a, ok := t.s.Answers[id]
	return !ok || a.At.Before(c.RescueAt)
}

// rescueGap is the first item that an officer waits for; "" for none.
func (t *turn) rescueGap() flows.StepID {
	for _, id := range flows.RescueSteps {
		if t.wants(id) {
			return id
		}
	}
	return ""
}

// readRescuePlace takes any words: those without a point are kept for an officer, who sees that it is none.
func readRescuePlace(t *turn, text string) (flows.Answer, bool) {
	if a, ok := t.takeLocation(&t.r); ok && !t.r.Location.Unknown {
		return a, true
	}
	_, ok := words(t, text)
	return flows.Answer{Review: true, Location: &flows.Location{Kind: kindText, Text: t.in.Text, At: t.in.At}}, ok
}

func keepRescuePlace(t *turn, a flows.Answer) {
	if l := a.Location; l.HasPoint || l.Place != "" { // other words do not replace a place that is known
		t.setLocation(a)
	}
	if t.wants(flows.StepRescueLocation) { // no point in it
		a.Values, a.Norm, a.Review = []flows.Value{flows.Value(a.Location.Kind)}, "", true
		t.record(flows.StepRescueLocation, a)
	}
}

// pictured takes a picture, or words instead of one, for an officer.
func pictured(t *turn, text string) (flows.Answer, bool) {
	a, ok := words(t, text)
	if m := t.in.Media; m != nil && (m.Kind == "photo" || m.Kind == "document") {
		a.Values = []flows.Value{"photo"}
	} else {
		a.Review = true
	}
	return a, ok
}

// askRescue is the timer that an officer's click sets: the first item leaves now if a message may leave now, when
// the stated hours open, or behind the person's next message.
func (t *turn) askRescue() {
	q := t.byID(t.rescueGap())
	switch {
	case q == nil || t.s.Paused || t.asks(q.id):
	case t.env.MaySend:
		if a := t.byID(t.s.Ask); a != nil && a.part == aside {
			t.cancel(a)
		}
		t.s.Ask = ""
		t.show(q)
	case !t.env.SendAt.IsZero():
		t.wake(timerRescue, t.env.SendAt)
	}
}
