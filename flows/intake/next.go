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
		if t.memo(memoNudge) == "set" {
			t.note(memoNudge, "")
			t.wake(timerNudge, time.Time{})
		}
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
	if sh := t.current(); sh != nil && t.s.Ask == "" && t.mayAsk(sh) {
		q = sh
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
	t.signals(text)
	if t.r.SelfHarm {
		t.selfHarm(text)
		return true
	}
	t.numberGone(text)
	if !(t.danger() && q != nil && q.rescue && t.r.Command == "") && t.dangerWords() {
		return true // an item of the packet is an answer, whatever words are in it
	}
	t.forbid()
	if cmd, ok := commandOf(t.r.Command); ok {
		t.besides(cmd)
		return t.command(cmd, t.r.CommandArg)
	}
	if t.r.Greeting && t.s.Case == "" && !t.content {
		return t.greet()
	}
	t.content = t.content || !t.r.Greeting
	t.known = t.known || t.r.Greeting // "halo?" in the middle: the question again, no blame
	if (t.closed() || t.s.Paused) && !(q != nil && q.part == aside) {
		t.overheard()
		if a, ok := t.takeLocation(&t.r); ok && t.danger() && t.s.Paused {
			t.setLocation(a)
			return true
		}
		return t.aside()
	}
	if (q == nil || !q.free && !q.rescue && q.part != aside) && t.door() {
		t.fill(nil)
		return false
	}
	if q != nil && !(t.forbade && (q.id == flows.StepContactPref || t.onlyForbade(text))) {
		t.took = t.read(q, text)
	}
	if t.then() {
		return true
	}
	if !t.took {
		t.late(q, text)
	}
	if (q == nil || !q.free || !t.took) && !t.closed() { // three words are no secret: they tell something
		t.fill(q)
	}
	return false
}

// besides keeps what was told in the same breath as a command: "stop dulu, mandor datang". What is to be changed, and
// what a new report begins with, is asked for by the command itself.
func (t *turn) besides(c command) {
	switch {
	case c == cmdEdit, c == cmdNew, c == cmdDanger:
		return
	case t.closed() || t.s.Paused:
		t.overheard()
		return
	case c == cmdSafeNow:
		t.r.SafetyNow = ""
	case c == cmdDelete, c == cmdJoin: // "hapus semua", "gabung teman saya": words of the command
		t.r.WhoFor, t.r.GroupSize = "", 0
	}
	t.fill(nil)
}

// overheard keeps, of words to which no question is answered, what makes a case more urgent: a guard beside the person, an
// illness.
func (t *turn) overheard() {
	if t.r.SafetyNow == flows.Watched && rank(flows.Watched) > rank(t.mode()) {
		t.setSafety(flows.Watched)
	}
	q := t.byID(flows.StepUrgentNeeds)
	a, ok := q.take(t, &t.r)
	switch {
	case !ok || !q.known(a) || t.closed():
	case t.told(q.id):
		t.moreNeeds(a)
	case a.Value() != flows.None:
		t.record(q.id, a)
	}
}

// signals puts the facts on the case that no question asks for.
func (t *turn) signals(text string) {
	for _, name := range t.r.Signals {
		t.signal(name, text)
		switch name {
		case "minor":
			if t.memo(memoMinor) == "" {
				t.note(memoMinor, "1")
			}
			if t.r.WhoFor == "" { // "umur aku 15": the writer's own
				t.r.WhoFor = self
			}
		case foreigner:
			t.foreign()
		}
	}
	if t.r.Alone && t.memo(memoMinor) != alone && (minor(t) || t.r.Age > 0 && t.r.Age < 18) {
		t.signal("minor_alone", text)
		t.note(memoMinor, alone)
		t.known = true
	}
}

// then carries out the command that a choice stood for; false when it was none.
func (t *turn) then() bool {
	c := t.after
	t.after = ""
	return c != "" && c != command(flows.None) && t.command(c, "")
}

// read takes the answer to the question that was asked; false when there was none.
func (t *turn) read(q *question, text string) bool {
	a, ok := flows.Answer{}, false
	if q.read != nil {
		a, ok = q.read(t, text)
	} else {
		a, ok = q.answerOf(t)
	}
	if ok = ok && q.known(a); ok {
		t.accept(q, a)
	}
	return ok
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
	t.countryOfNumber()
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
			// Watched after danger lowers nothing, but ends a permission that was given meanwhile.
			if !t.told(q.id) || rank(a.Value()) > rank(t.mode()) || a.Value() == flows.Watched && t.danger() {
				t.accept(q, a)
			}
		case q.id == flows.StepLocation:
			if !t.told(q.id) || t.newPlace(a) {
				t.accept(q, a)
			}
		case q.id == flows.StepUrgentNeeds && t.told(q.id):
			t.moreNeeds(a)
		case q.id == flows.StepSafeTime:
			t.saidHours(a)
		case !t.told(q.id) || t.unread(q.id) && q.id != flows.StepContactPref:
			t.accept(q, a)
		case q.id == flows.StepContactPref:
			t.prefer(a)
		case q.id == flows.StepCallbackNumber:
			t.renumber(a)
		case correctable[q.id] && !t.took:
			t.correct(q, a)
		}
	}
	t.sayCorrected()
	if t.s.Ask == flows.StepEdit && t.recorded() { // the change itself was said instead of its name
		t.done(t.byID(flows.StepEdit))
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
