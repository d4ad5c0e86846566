package intake

import (
	"slices"
	"strings"
	"time"

	"pulang/flows"
	"pulang/flows/lexicon"
)

var safetyQuestions = []question{{
	id: flows.StepSafetyNow, silent: true,
	take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) { return one(r.SafetyNow) },
	keep: func(t *turn, a flows.Answer) {
		if a.Value() == flows.Danger {
			t.alarm()
			return
		}
		t.setSafety(a.Value())
	},
	text: func(t *turn) []flows.Text {
		switch {
		case t.silent():
			return []flows.Text{t.text("ask.safety_now.silent")}
		case t.away || t.in.Kind == flows.KindUnblock:
			return []flows.Text{t.text("ask.safety_now.again")}
		}
		return []flows.Text{t.text("ask.safety_now")}
	},
}}

// rank orders the levels of safety; what is not known ranks lowest.
func rank(v flows.Value) int {
	switch v {
	case flows.Safe:
		return 1
	case flows.Watched:
		return 2
	case flows.Danger:
		return 3
	}
	return 0
}

// level is the safety in force: only an officer lowers it.
func (t *turn) level() flows.Value { return flows.Value(t.memo(memoSafety)) }

// mode is the level that the conversation shows. It differs from level after the duress word only: whoever holds the
// phone must not see that anything has changed.
func (t *turn) mode() flows.Value {
	if d := t.memo(memoDuress); d != "" {
		return flows.Value(strings.TrimPrefix(d, "-"))
	}
	return t.level()
}

func (t *turn) silent() bool { return t.mode() == flows.Watched }
func (t *turn) danger() bool { return t.mode() == flows.Danger }

// syncSafety takes over the level of the case: an officer may have lowered it meanwhile.
func (t *turn) syncSafety() {
	if t.env.Case == nil {
		return
	}
	if w := t.env.Case.Withdrawn; !w.IsZero() {
		t.raised(w)
	}
	if t.env.Case.Safety == "" {
		return
	}
	before, now := t.level(), t.env.Case.Safety
	if before == now {
		return
	}
	if rank(now) < rank(before) {
		t.note(memoDuress, "")
	}
	t.note(memoSafety, string(now))
	t.clearAsked()
}

// clearAsked forgets what was asked out of order while the person was safe, once they are not: it is not shown again.
func (t *turn) clearAsked() {
	if rank(t.level()) <= rank(flows.Safe) {
		return
	}
	if q := t.byID(t.s.Ask); q != nil && (q.part == aside || !t.mayAsk(q)) {
		t.s.Ask = ""
		t.note(memoDelete, "")
	}
	if q := t.current(); q != nil && q.part == aside {
		t.s.Shown = nil
	}
}

// mayAsk reports whether the question is one for the mode that the person is in. One that they were shown when they
// were safe still takes its answer, and is never repeated: it is long, and says what the phone talks about.
func (t *turn) mayAsk(q *question) bool {
	switch {
	case q.part == aside:
		return true
	case t.danger():
		return q.rescue || q.id == flows.StepSafetyNow || q.id == flows.StepLocation
	}
	return q.silent || !t.silent()
}

// setSafety takes a statement about safety. A higher level counts at once; a lower one is written down for an officer
// and changes nothing else.
func (t *turn) setSafety(v flows.Value) {
	visible := t.mode()
	t.record(flows.StepSafetyNow, flows.Answer{Values: []flows.Value{v}})
	t.done(t.byID(flows.StepSafetyNow))
	if rank(v) < rank(visible) && rank(visible) > rank(flows.Safe) {
		t.signal("safety_lowered", t.in.Text)
		if v == flows.Watched { // less than danger, and still no moment at which an older permission holds
			t.raisedNow()
		}
		if t.silent() || v == flows.Watched {
			t.say("silent.ok")
		} else {
			t.say("safety.lowered")
		}
		return
	}
	if rank(v) > rank(t.level()) {
		t.note(memoSafety, string(v))
	}
	if t.memo(memoDuress) != "" && rank(v) > rank(visible) {
		t.note(memoDuress, "")
		if rank(v) < rank(t.level()) {
			t.note(memoDuress, string(v))
		}
	}
	if v != flows.Safe {
		t.raisedNow()
		t.fresh = false
		t.s.Ask = ""
	}
	if rank(v) > rank(visible) && v == flows.Watched {
		t.say("watched.start")
	}
	if v == flows.Safe {
		t.elsewhere(t.country())
	}
}

// raised remembers the latest time at which safety got worse, or an officer ended the permission: one from before it has
// to be given again.
func (t *turn) raised(at time.Time) {
	at = at.UTC()
	if old, err := time.Parse(time.RFC3339Nano, t.memo(memoRaised)); err == nil && !at.After(old) {
		return
	}
	t.note(memoRaised, at.Format(time.RFC3339Nano))
}

// raisedNow is raised by the message at hand.
func (t *turn) raisedNow() {
	t.raised(t.in.At)
	t.before()
}

// before marks what was answered before this message, in the same second: messengers tell whole seconds, and what was
// written without a signal arrives in one. There the order decides.
func (t *turn) before() {
	for _, step := range []flows.StepID{flows.StepContactPref, flows.StepSafeTime} {
		if a, ok := t.s.Answers[step]; ok && a.At.Equal(t.in.At) && a.From != t.in.ID {
			t.note(memoBefore+string(step), a.From)
		}
	}
}

// late takes words that answer the question about safety after it was left: people write more slowly than they are asked.
// A number belongs to the question that was asked.
func (t *turn) late(asked *question, text string) {
	q := t.byID(flows.StepSafetyNow)
	if asked == q || t.r.SafetyNow != "" || !t.unread(q.id) || len(strings.Fields(text)) > 4 || strings.ContainsAny(text, "0123456789") {
		return
	}
	t.r.SafetyNow = t.f.read(text, t.context(q)).SafetyNow
}

// alarm answers danger: one text, one question, nothing else required.
func (t *turn) alarm() {
	t.setSafety(flows.Danger)
	t.s.Ask = ""
	t.parts = t.parts[:0]
	t.say("danger.first")
	t.urgent, t.alarmed = true, true
	t.s.Shown = nil
	q := t.byID(flows.StepLocation)
	t.offer(q)
}

// othersDanger reports whether the danger that was read is that of somebody of whom the writer tells. It is a need of theirs then.
func (t *turn) othersDanger() bool {
	if t.r.WhoFor != otherPerson && (t.value(flows.StepWhoFor) != otherPerson || t.asks(flows.StepSafetyNow)) {
		return false
	}
	t.r.SafetyNow = ""
	if len(t.r.Needs) == 0 {
		t.r.Needs = []flows.Value{heldOrThreatened}
	}
	return true
}

// dangerWords acts on danger in the words. Somebody who reports for another person is not in danger by telling of it:
// the report says held or threatened, which is as urgent, and the conversation goes on.
func (t *turn) dangerWords() bool {
	cmd, _ := commandOf(t.r.Command)
	if t.r.SafetyNow != flows.Danger && cmd != cmdDanger {
		return false
	}
	if cmd != cmdDanger && t.othersDanger() {
		return false
	}
	t.reopen()
	if t.danger() && cmd != cmdDanger {
		t.setSafety(flows.Danger)
		t.say("danger.noted")
		t.urgent = true
	} else {
		t.alarm()
	}
	shown, parts := t.s.Shown, t.parts
	if loc := t.r.Location; loc != nil && !loc.Unknown { // "disekap di bavet" answers the one question as well
		if a, ok := t.takeLocation(&t.r); ok && (!t.told(flows.StepLocation) || t.newPlace(a)) {
			t.setLocation(a)
		}
	}
	for _, q := range t.f.list { // nothing is asked, but what was said is kept
		if q.take == nil || q.id == flows.StepSafetyNow || q.id == flows.StepLocation {
			continue
		}
		a, ok := q.take(t, &t.r)
		switch {
		case !ok || !q.known(a):
		case q.id == flows.StepSafeTime:
			if t.newHours(a) {
				keepHours(t, a)
			}
		case q.id == flows.StepCallbackNumber && t.told(q.id):
			t.renumber(a)
		case !t.told(q.id):
			t.record(q.id, a)
		}
	}
	t.note(memoPlaces, "")
	t.s.Shown, t.parts = shown, parts
	return true
}

// asks reports whether step was the last question shown.
func (t *turn) asks(step flows.StepID) bool { return t.s.Shown != nil && t.s.Shown.Step == step }

// selfHarm answers words about taking one's own life: a sentence, no questionnaire.
func (t *turn) selfHarm(words string) {
	t.signal("self_harm", words)
	// It is no report of danger from others, which would silence the phone; being held as well is.
	if t.r.SafetyNow == flows.Danger && slices.Contains(t.r.Needs, heldOrThreatened) {
		t.setSafety(flows.Danger)
	}
	t.r.SafetyNow = ""
	t.note(memoHarm, "1")
	t.fill(nil)
	t.parts = t.parts[:0]
	if t.silent() {
		t.say("self_harm.silent")
	} else {
		t.say("self_harm")
	}
	t.urgent = true
	t.known = true
	t.s.Shown = nil
}

// duress notices the word that silently means danger. Nothing that is visible changes.
func (t *turn) duress(text string) {
	w := t.answer(flows.StepDuressWord).Norm
	if w == "" || !containsWord(fold(text), w) {
		return
	}
	t.secret = true
	t.signal("duress", t.in.Text)
	if t.memo(memoDuress) == "" && t.level() != flows.Danger {
		t.note(memoDuress, "-"+string(t.level()))
		t.note(memoSafety, string(flows.Danger))
	}
}

// containsWord reports whether the words w stand in the folded text as whole words.
func containsWord(text, w string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], w)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(w)
		if (i == 0 || text[i-1] == ' ') && (end == len(text) || text[end] == ' ') {
			return true
		}
		from = end
	}
}
