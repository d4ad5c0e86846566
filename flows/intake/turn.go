package intake

import (
	"maps"
	"slices"
	"time"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// turn is one call of Next: the state as it becomes, and what was said and done so far.
type turn struct {
	f   *Flow
	env flows.Env
	in  flows.Input
	s   flows.State
	r   lexicon.Reading

	effects []flows.Effect
	parts   []flows.Text
	asked   *question // the question shown in this turn's reply
	step    flows.StepID
	list    []flows.Choice
	bare    bool
	place   bool
	contact bool
	urgent  bool
	quiet   string

	first   bool // nothing was ever heard before
	away    bool // twelve hours of silence lie before this message
	content bool // the person said something that belongs on a case
	known   bool // something was understood
	opened  bool
	fresh   bool          // nothing was asked or answered yet: the greeting comes first
	halt    bool          // the reply is complete: no question follows
	alarmed bool          // the answer to danger is the whole reply
	forbade bool          // the person said that nobody may call
	took    bool          // the words answered the open question
	secret  bool          // the duress word was said: this reply is as if it had not been
	left    flows.StepID  // the question that was missed for the second time just now
	after   command       // what a choice of the menu leads to
	heard   []flows.Heard // what was said before this input

	corrected []flows.StepID // answers that were replaced by what was said in passing

	ownAnswers, ownMemo bool
}

func (f *Flow) begin(env flows.Env, s flows.State, in flows.Input) *turn {
	t := &turn{f: f, env: env, in: in, s: s, first: s.FirstAt.IsZero(), heard: s.Heard}
	t.s.Flow = flows.Version
	if s.Shown != nil {
		shown := *s.Shown
		t.s.Shown = &shown
	}
	if env.Case != nil && env.Case.Code != s.Case {
		t.env.Case = nil
	}
	if t.s.Scope == "" {
		t.s.Scope = env.NewScope
	}
	if f.base[t.s.Lang] == nil {
		t.s.Lang = f.guessLang(in)
	}
	if t.first && in.Kind != flows.KindTimer && in.Kind != flows.KindBlocked {
		t.s.FirstAt = in.At
	}
	t.fresh = s.Shown == nil && len(s.Answers) == 0 && !s.Paused
	t.syncSafety()
	return t
}

// set writes an answer into the state, and the state only.
func (t *turn) set(step flows.StepID, a flows.Answer) {
	if !t.ownAnswers {
		t.s.Answers = maps.Clone(t.s.Answers)
		if t.s.Answers == nil {
			t.s.Answers = map[flows.StepID]flows.Answer{}
		}
		t.ownAnswers = true
	}
	t.s.Answers[step] = a
}

// record keeps an answer: in the state and on the case.
func (t *turn) record(step flows.StepID, a flows.Answer) {
	if a.At.IsZero() {
		a.At = t.in.At
	}
	if a.From == "" && t.in.Kind != flows.KindTap {
		a.From = t.in.ID
	}
	if a.Text == "" && !a.Skipped { // LEWATI is nobody's answer, least of all a secret word
		a.Text = t.in.Text
	}
	t.set(step, a)
	t.content, t.known = true, true
	t.effects = append(t.effects, flows.Record{Step: step, Answer: a})
	if sh := t.s.Shown; sh != nil && sh.Step == step {
		t.s.Shown = nil
	}
	if t.s.Ask == step {
		t.s.Ask = ""
	}
}

// recorded reports whether this turn put an answer on the case.
func (t *turn) recorded() bool {
	return slices.ContainsFunc(t.effects, func(e flows.Effect) bool {
		_, ok := e.(flows.Record)
		return ok
	})
}

func (t *turn) answer(step flows.StepID) flows.Answer { return t.s.Answers[step] }

// value is the single value answered to step.
func (t *turn) value(step flows.StepID) flows.Value { return t.s.Answers[step].Value() }

// answered reports whether the step needs no asking: answered, skipped or kept for an officer. A permission to call
// that was given before the person was watched or in danger has to be given again.
func (t *turn) answered(step flows.StepID) bool {
	a, ok := t.s.Answers[step]
	if !ok {
		return false
	}
	if step == flows.StepContactPref || step == flows.StepSafeTime {
		if raised, err := time.Parse(time.RFC3339Nano, t.memo(memoRaised)); err == nil && a.At.Before(raised) {
			return false
		}
		return a.From == "" || a.From != t.memo(memoBefore+string(step))
	}
	return true
}

// told reports whether the step holds something that the person said, rather than a skip.
func (t *turn) told(step flows.StepID) bool {
	a, ok := t.s.Answers[step]
	return ok && !a.Skipped && t.answered(step)
}

// The small facts that a conversation remembers between two messages.
const (
	memoSafety   = "safety"   // the level in force, as far as the conversation knows
	memoRaised   = "raised"   // when it was last raised to watched or danger (RFC 3339)
	memoBefore   = "before:"  // with contact_pref or safe_time: the message that answered it before, in the same second
	memoDuress   = "duress"   // the level that the person is still shown after the duress word
	memoPlaces   = "places"   // places offered for confirmation
	memoHours    = "hours"    // what the hours that were said may mean, as values of safe_time_part
	memoPhone    = "phone"    // a number that may be of two countries, as typed
	memoMinor    = "minor"    // the person concerned is under age: "1", or alone
	memoNudge    = "nudge"    // "set" while the timer runs, "sent" after the one nudge
	memoAgain    = "again"    // the last prompt's taps were lost: ask again without blame
	memoPaused   = "offered"  // LANJUT was offered since BERHENTI
	memoWrong    = "wrong"    // wrong codes of this hour: "count|unix time of the first"
	memoDelete   = "delete"   // how far a request for erasure is
	memoSame     = "same"     // a closed case: the person said that it is the same matter
	memoFinished = "finished" // the thanks after the last question were said
	memoJoin     = "join"     // the group's join code was told
	memoForeign  = "foreign"  // what this service can do for other nationals was said
	memoOffice   = "office"   // the country whose mission was named
	memoMissed   = "missed"   // core questions that were missed twice, see missed.go
	memoHarm     = "harm"     // words of self-harm were said
	memoPick     = "pick."    // + step: values toggled so far in a multi-select
)

func (t *turn) memo(k string) string { return t.s.Memo[k] }

// note sets a memo; an empty value removes it.
func (t *turn) note(k, v string) {
	if t.s.Memo[k] == v {
		return
	}
	if !t.ownMemo {
		t.s.Memo = maps.Clone(t.s.Memo)
		if t.s.Memo == nil {
			t.s.Memo = map[string]string{}
		}
		t.ownMemo = true
	}
	if v == "" {
		delete(t.s.Memo, k)
		return
	}
	t.s.Memo[k] = v
}

// signal puts a fact on the case.
func (t *turn) signal(name, words string) {
	for _, e := range t.effects {
		if s, ok := e.(flows.Signal); ok && s.Name == name {
			return
		}
	}
	t.content = true
	t.effects = append(t.effects, flows.Signal{Name: name, Words: words})
}

// text is a catalogue text with the mission's placeholders and those given as name, value pairs.
func (t *turn) text(id flows.TextID, kv ...any) flows.Text {
	base := t.f.base[t.s.Lang]
	if len(kv) == 0 {
		return flows.Text{ID: id, Args: base}
	}
	args := make(flows.Args, len(base)+len(kv)/2)
	maps.Copy(args, base)
	for i := 0; i+1 < len(kv); i += 2 {
		args[kv[i].(string)] = kv[i+1]
	}
	return flows.Text{ID: id, Args: args}
}

// say adds a part to the reply.
func (t *turn) say(id flows.TextID, kv ...any) { t.parts = append(t.parts, t.text(id, kv...)) }

// show makes the reply ask a question.
func (t *turn) show(q *question) {
	t.parts = append(t.parts, q.ask(t)...)
	t.offer(q)
}

// offer adds a question's choices to the reply and remembers them as shown. Misses survive asking the same again.
func (t *turn) offer(q *question) {
	choices := q.choices(t)
	picked := t.picked(q.id)
	misses := 0
	if sh := t.s.Shown; sh != nil && sh.Step == q.id {
		misses = sh.Misses
	}
	t.asked, t.step, t.bare = q, q.id, t.silent() && q.id != flows.StepLanguage || q.rescue && t.mode() != flows.Safe
	t.list = t.list[:0]
	for i, v := range choices {
		t.list = append(t.list, flows.Choice{
			Number: q.number(choices, i), Value: v, Label: q.labelOf(t, v), Picked: slices.Contains(picked, v),
		})
	}
	t.place, t.contact = q.askPlace && !t.silent(), q.askContact && !t.silent()
	t.s.Shown = &flows.Shown{
		Step: q.id, Choices: choices, At: t.in.At, Misses: misses, Picked: picked,
		Buttons: t.env.Can.Buttons && len(choices) > 0,
	}
}

// open creates the case, once.
func (t *turn) open() {
	if t.s.Case != "" || t.env.NewCode == "" {
		return
	}
	t.s.Case = t.env.NewCode
	t.opened = true
}

// wake sets a timer of this contact.
func (t *turn) wake(name string, at time.Time) {
	t.effects = append(t.effects, flows.Wake{Timer: name, At: at})
}

// finish turns the turn into what Next returns.
func (t *turn) finish() flows.Turn {
	if t.secret { // from the next message on
		t.before()
	}
	person := t.in.Kind != flows.KindTimer && t.in.Kind != flows.KindBlocked
	if person && t.content {
		t.open()
	}
	switch {
	case t.opened:
		effects := make([]flows.Effect, 0, len(t.effects)+2)
		effects = append(effects, flows.OpenCase{Code: t.s.Case, Heard: t.heard})
		if !t.first && t.in.Kind != flows.KindTimer {
			effects = append(effects, flows.Wake{Timer: timerIncomplete})
		}
		if t.effects = append(effects, t.effects...); t.s.Paused {
			t.effects = append(t.effects, flows.Mute{On: true}) // BERHENTI came before there was a case
		}
		t.s.Heard = nil
	case t.s.Case == "" && person:
		t.s.Heard = append(slices.Clip(t.heard), flows.Heard{Input: t.in})
	}
	if person && !t.in.Edit {
		t.unsorted()
		if t.in.At.After(t.s.LastAt) {
			t.s.LastAt = t.in.At
		}
		t.nudge()
	}
	turn := flows.Turn{State: t.s, Effects: t.effects, Quiet: t.quiet}
	if len(t.parts) == 0 && t.asked == nil {
		if turn.Quiet == "" {
			turn.Quiet = "nothing to say"
		}
		return turn
	}
	turn.Quiet = ""
	if t.mode() != flows.Safe && t.overt() {
		t.parts = slices.Insert(t.parts, 0, t.text("lead"))
	}
	turn.Replies = []flows.Reply{{
		Parts: t.parts, Step: t.step, Scope: t.s.Scope, Choices: t.list, Bare: t.bare, AskPlace: t.place,
		AskContact: t.contact, Safety: t.urgent, Lang: t.s.Lang,
	}}
	return turn
}

// overt reports whether the reply could show on a lock screen whom the person is talking to.
func (t *turn) overt() bool {
	if len(t.parts) > 0 && t.parts[0].ID == "welcome" {
		return false // it fills the lock screen
	}
	for _, p := range t.parts {
		if overtTexts[p.ID] {
			return true
		}
	}
	if t.bare {
		return false // the labels are not shown
	}
	for _, c := range t.list {
		if overtTexts[c.Label.ID] {
			return true
		}
	}
	return false
}
