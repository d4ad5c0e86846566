package intake

import (
	"strings"
	"time"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// silence is how long a person must have been silent for the safety question to come first again.
const silence = 12 * time.Hour

// Next takes one input and decides what follows from it. It changes nothing that it was given.
func (f *Flow) Next(env flows.Env, s flows.State, in flows.Input) flows.Turn {
	t := f.begin(env, s, in)
	switch {
	case in.Kind == flows.KindTimer:
		t.timer()
		return t.finish()
	case in.Kind == flows.KindBlocked:
		t.quiet = "blocked"
		return t.finish()
	case in.Edit:
		t.edit()
		return t.finish()
	}
	t.away = t.s.Case != "" && !s.LastAt.IsZero() && in.At.Sub(s.LastAt) >= silence
	if t.env.Case != nil && !t.env.Case.Closed {
		t.note(memoSame, "")
	}
	if t.away {
		t.note(memoSame, "")
	}
	switch in.Kind {
	case flows.KindUnblock:
		t.unblocked()
	case flows.KindTap:
		t.tapped()
	case flows.KindLocation:
		t.located()
	case flows.KindMedia:
		t.received()
	case flows.KindContact:
		t.carded()
	default:
		t.typed()
	}
	return t.finish()
}

// Prompt is the question that waits for an answer, as a reply that repeats it; ok is false when none waits. It
// changes nothing: a browser that was reloaded shows it again.
func (f *Flow) Prompt(env flows.Env, s flows.State) (reply flows.Reply, ok bool) {
	t := f.begin(env, s, flows.Input{At: s.LastAt, Kind: flows.KindTimer})
	q := t.byID(t.gap())
	if s.Shown != nil && s.Ask == "" && f.byID[s.Shown.Step] != nil {
		q = f.byID[s.Shown.Step]
	}
	if q == nil || t.s.Paused {
		return flows.Reply{}, false
	}
	t.show(q)
	return t.finish().Replies[0], true
}

// typed handles words.
func (t *turn) typed() {
	text := strings.TrimSpace(t.in.Text)
	if text == "" {
		t.miss()
		return
	}
	if t.words(text) {
		return
	}
	t.reply()
}

// words reads what the person wrote. It returns true when the reply is complete; otherwise the caller goes on to the
// next question, or to asking again when nothing was understood.
func (t *turn) words(text string) bool {
	t.duress(text)
	if cmd, arg, ok := slash(text); ok {
		return t.command(cmd, arg)
	}
	q := t.current()
	if q != nil {
		if vs, ok := t.chosen(q, text); ok {
			if (t.s.Paused || t.closed()) && q.part != aside {
				t.content = true
				return t.aside()
			}
			if q.id == flows.StepSafetyNow && vs[0] == flows.Danger {
				return t.command(cmdDanger, "")
			}
			t.choose(q, vs)
			return t.then()
		}
	}
	if cmd, arg, ok := exact(text); ok {
		return t.command(cmd, arg)
	}
	t.r = t.f.read(text, t.context(q))
	for _, name := range t.r.Signals {
		t.signal(name, text)
		if name == "minor" {
			t.note(memoMinor, "1")
		}
	}
	if t.r.SelfHarm {
		t.selfHarm(text)
		return true
	}
	if t.dangerWords() {
		return true
	}
	if cmd, ok := commandOf(t.r.Command); ok {
		return t.command(cmd, t.r.CommandArg)
	}
	if t.r.Greeting && t.s.Case == "" && !t.content {
		return t.greet()
	}
	t.content = t.content || !t.r.Greeting
	t.known = t.known || t.r.Greeting // "halo?" in the middle: the question again, no blame
	if (t.closed() || t.s.Paused) && !(q != nil && q.part == aside) {
		if a, ok := t.takeLocation(&t.r); ok && t.danger() && t.s.Paused {
			t.setLocation(a)
			return true
		}
		return t.aside()
	}
	if q != nil {
		t.read(q, text)
	}
	if t.then() {
		return true
	}
	if q == nil || !q.free {
		t.fill(q)
	}
	return false
}

// then carries out the command that a choice stood for; false when it was none.
func (t *turn) then() bool {
	c := t.after
	t.after = ""
	return c != "" && c != command(flows.None) && t.command(c, "")
}

// read takes the answer to the question that was asked.
func (t *turn) read(q *question, text string) {
	if q.read != nil {
		if a, ok := q.read(t, text); ok && q.known(a) {
			t.accept(q, a)
		}
		return
	}
	if a, ok := q.answerOf(t); ok && q.known(a) {
		t.accept(q, a)
	}
}

// accept keeps an answer in the question's own way.
func (t *turn) accept(q *question, a flows.Answer) {
	if a.At.IsZero() {
		a.At = t.in.At
	}
	t.known = true
	t.done(q)
	switch {
	case q.keep != nil:
		q.keep(t, a)
	case q.pick != nil && len(a.Values) > 0:
		q.pick(t, a.Values[0])
	default:
		t.record(q.id, a)
	}
}

// done forgets that the question was shown.
func (t *turn) done(q *question) {
	if sh := t.s.Shown; sh != nil && sh.Step == q.id {
		t.s.Shown = nil
	}
	if t.s.Ask == q.id {
		t.s.Ask = ""
	}
	t.note(memoPick+string(q.id), "")
}

// fill takes from the words what was not asked just now: every gap they close, further needs, a new place.
func (t *turn) fill(asked *question) {
	for _, q := range t.f.list {
		if q.take == nil || q == asked {
			continue
		}
		a, ok := q.take(t, &t.r)
		if !ok || !q.known(a) {
			continue
		}
		switch {
		case q.id == flows.StepSafetyNow:
			if !t.told(q.id) || rank(a.Value()) > rank(t.mode()) {
				t.accept(q, a)
			}
		case q.id == flows.StepLocation:
			if !t.told(q.id) || t.newPlace(a) {
				t.accept(q, a)
			}
		case q.id == flows.StepUrgentNeeds && t.told(q.id):
			t.moreNeeds(a)
		case !t.told(q.id):
			t.accept(q, a)
		}
	}
}

// context is what the reader is told about the question that was asked.
func (t *turn) context(q *question) lexicon.Context {
	c := lexicon.Context{At: t.in.At, Zone: t.f.cfg.Zone, Country: t.f.cfg.Country}
	if q != nil {
		c.Step = q.id
		if !q.open && (q.dynamic != nil || t.silent() || flows.Menus[q.id] == nil) {
			c.Choices = q.values(t)
		}
	}
	return c
}

// current is the question that the person has before them; nil when none.
func (t *turn) current() *question {
	if t.s.Shown == nil {
		return nil
	}
	return t.f.byID[t.s.Shown.Step]
}

func (t *turn) byID(id flows.StepID) *question { return t.f.byID[id] }

// gap is the first question that waits for an answer; "" when none does.
func (t *turn) gap() flows.StepID {
	if t.s.Ask != "" && t.f.byID[t.s.Ask] != nil {
		return t.s.Ask
	}
	if t.closed() {
		return ""
	}
	if !t.answered(flows.StepSafetyNow) {
		return flows.StepSafetyNow
	}
	if t.danger() {
		return ""
	}
	if id := t.coreGap(); id != "" {
		return id
	}
	if t.s.Optional && !t.silent() {
		for _, q := range t.f.list {
			if q.part == optional && q.gap(t) {
				return q.id
			}
		}
	}
	return ""
}

// coreGap is the first gap up to the confirmation.
func (t *turn) coreGap() flows.StepID {
	for _, q := range t.f.list {
		if q.part == core && (q.silent || !t.silent()) && q.gap(t) {
			return q.id
		}
	}
	return ""
}

// reply ends a message of the person: the next question, or asking again when nothing was understood.
func (t *turn) reply() {
	if !t.known && len(t.parts) == 0 {
		t.miss()
		return
	}
	t.goOn()
}

// goOn asks the next question, after the greeting where it was never said.
func (t *turn) goOn() {
	if t.s.Paused || t.closed() && t.s.Ask == "" {
		t.aside()
		return
	}
	if t.alarmed || t.halt {
		return
	}
	if t.away && t.s.Ask == "" && t.answered(flows.StepSafetyNow) && t.answer(flows.StepSafetyNow).At.Before(t.in.At) {
		t.s.Ask = flows.StepSafetyNow
	}
	if t.memo(memoAgain) != "" {
		t.note(memoAgain, "")
		t.parts = append([]flows.Text{t.text("again.note")}, t.parts...)
	}
	if t.fresh && !t.silent() && !t.danger() {
		t.fresh = false
		parts := []flows.Text{t.text("welcome")}
		if t.content {
			parts = append(parts, t.text("welcome.heard"))
		}
		t.parts = append(parts, t.parts...)
	}
	q := t.byID(t.gap())
	if q == nil {
		t.s.Shown = nil
		t.idle()
		return
	}
	t.show(q)
	t.shown(q)
}

// idle answers when no question is left.
func (t *turn) idle() {
	open := !t.danger() && !t.silent() && !t.closed()
	switch {
	case open && t.s.Optional && t.memo(memoFinished) == "":
		t.note(memoFinished, "1")
		t.say("finished")
	case len(t.parts) > 0:
	case t.danger():
		t.say("danger.noted")
		t.urgent = true
	case t.silent():
		t.say("silent.ok")
	default:
		t.say("noted")
	}
}

// greet answers a bare greeting: nothing was said yet that a case could hold.
func (t *turn) greet() bool {
	if t.s.Case == "" && len(t.heard) == 0 {
		t.wake(timerIncomplete, t.in.At.Add(incompleteAfter))
	}
	t.known = true
	t.goOn()
	return true
}

// miss answers what could not be understood: the first time the question comes again, the second time the words are
// kept for an officer and the conversation goes on.
func (t *turn) miss() {
	q := t.current()
	switch {
	case t.s.Paused || t.closed() && t.s.Ask == "":
		t.aside()
	case q == nil || t.danger() && q.id == flows.StepLocation:
		t.known = true
		t.goOn()
	case t.away:
		t.known = true
		t.goOn()
	case t.memo(memoAgain) != "":
		t.note(memoAgain, "")
		t.say("again.note")
		t.show(q)
	case t.s.Shown.Misses == 0:
		t.s.Shown.Misses = 1
		switch {
		case t.silent() && !q.open:
			t.say("miss.silent")
			t.show(q)
			return
		case q.open:
			if !t.silent() {
				t.say("miss.open")
			}
			t.show(q)
			return
		}
		t.parts = append(t.parts, t.missText(q))
		t.offer(q)
	default:
		t.keep(q)
		t.goOn()
	}
}

// missText names the numbers that may be typed.
func (t *turn) missText(q *question) flows.Text {
	choices := q.choices(t)
	var ns []string
	zero := false
	for i := range choices {
		switch n := q.number(choices, i); n {
		case "":
		case "0":
			zero = true
		default:
			ns = append(ns, n)
		}
	}
	switch {
	case len(ns) == 0:
		return t.text("miss.open")
	case len(ns) == 1:
		return t.text("miss.one", "A", ns[0])
	case zero:
		return t.text("miss.zero", "A", ns[0], "B", ns[len(ns)-1])
	case len(ns) == 2:
		return t.text("miss.two", "A", ns[0], "B", ns[1])
	case len(ns) == 3:
		return t.text("miss.three", "A", ns[0], "B", ns[1], "C", ns[2])
	}
	return t.text("miss.many", "A", ns[0], "B", ns[len(ns)-1])
}

// keep stores words that were not understood and lets the conversation go on. What was understood earlier stays.
func (t *turn) keep(q *question) {
	t.content = true
	if q.part == aside {
		t.cancel(q)
	} else {
		a, had := t.s.Answers[q.id]
		if !had || a.Skipped || q.id == flows.StepContactPref { // what was not understood may have been a no to calls
			a = flows.Answer{}
		}
		a.Text, a.Review, a.At, a.From = t.in.Text, true, t.in.At, ""
		t.record(q.id, a)
		t.done(q)
		if q.forget != "" { // what the question waited for
			t.note(q.forget, "")
		}
	}
	if t.silent() {
		t.say("silent.ok")
		return
	}
	t.say("kept")
}

// cancel leaves a question that a command had asked.
func (t *turn) cancel(q *question) {
	t.done(q)
	t.note(memoDelete, "")
	t.known = true
	if q.id == flows.StepSameMatter { // no clear answer: better two reports in one than a lost one
		t.reopen()
		t.note(memoSame, "1")
	}
}
