package intake

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pulang/flows"
)

// openAnswers are typed answers to the questions without choices; the first ones are understood, LEWATI always is.
var openAnswers = map[flows.StepID][]string{
	flows.StepLocation:       {"bavet", "bavett", "samraong", "tidak tahu", "tidak tahu kamboja", "rumah hijau", "LEWATI"},
	flows.StepSafeTime:       {"jam 9 malam", "jam 9", "LEWATI"},
	flows.StepCallbackNumber: {"855123456789", "0812345678", "LEWATI"},
	flows.StepCodeWord:       {"kelapa", "4821", "LEWATI"},
	flows.StepDuressWord:     {"durian", "7733", "LEWATI"},
	flows.StepBirthDate:      {"16", "30", "LEWATI"},
	flows.StepGroupSize:      {"7", "LEWATI"},
	flows.StepFullName:       {"Budi Santoso", "LEWATI"},
	flows.StepSubjectName:    {"Rian", "LEWATI"},
}

// journey answers whatever is asked, one answer to one question, and tells each step that followed another.
func journey(t *testing.T, f *Flow, rnd *rand.Rand, rescue bool, seen func(from, to flows.StepID, k *talk)) {
	k := newTalk(t, f)
	k.light = true
	k.say("halo")
	if rnd.IntN(5) == 0 {
		k.state.Memo = map[string]string{memoMinor: "1"} // said in words
	}
	rescueAt := -1
	if rescue {
		rescueAt = rnd.IntN(4)
	}
	for i := range 60 {
		if i == rescueAt && k.view != nil {
			v := *k.view
			v.Rescue, v.RescueAt = slices.Clone(flows.RescueSteps), k.now.Add(time.Second)
			k.view = &v
		}
		sh := k.state.Shown
		if sh == nil {
			return
		}
		from := sh.Step
		answer(k, rnd)
		to := k.shown()
		if to == from {
			continue // a toggled choice, or a refused word
		}
		if to == "" {
			if from != flows.StepConfirm {
				seen(from, to, k)
			}
			return
		}
		seen(from, to, k)
	}
}

func answer(k *talk, rnd *rand.Rand) {
	sh := k.state.Shown
	if _, told := k.state.Answers[flows.StepCallbackNumber]; sh.Step == flows.StepContactPref && !told && rnd.IntN(4) == 0 {
		k.say([]string{"855123456789", "0812345678"}[rnd.IntN(2)]) // told before it is asked
		return
	}
	if _, told := k.state.Answers[flows.StepSafeTime]; sh.Step == flows.StepContactPref && !told && rnd.IntN(8) == 0 {
		k.say("jam 9") // morning or evening, asked once calls are allowed
		return
	}
	if len(sh.Choices) > 0 && !(len(sh.Choices) == 1 && rnd.IntN(2) == 0) {
		v := sh.Choices[rnd.IntN(len(sh.Choices))]
		if sh.Step == flows.StepConfirm && rnd.IntN(3) > 0 {
			v = goOn
		}
		if sh.Step == flows.StepSafetyNow && rnd.IntN(2) > 0 {
			v = flows.Safe
		}
		k.tap(sh.Step, v)
		return
	}
	if rnd.IntN(4) == 0 && slices.Contains([]flows.StepID{flows.StepLocation, flows.StepRescueLocation}, sh.Step) {
		k.send(flows.Input{Kind: flows.KindLocation, Location: &flows.Location{Kind: "pin", HasPoint: true, Lat: 13.65, Lon: 102.5}})
		return
	}
	if words := openAnswers[sh.Step]; words != nil {
		k.say(words[rnd.IntN(len(words))])
		return
	}
	k.say([]string{"apa saja", "LEWATI"}[rnd.IntN(2)])
}

// The picture and the conversation agree: whatever follows a question is drawn as following it, and everything that is
// drawn happens.
func TestGraphAgreesWithNext(t *testing.T) {
	f := New(testConfig(plain{}))
	drawn := map[[2]flows.StepID]bool{}
	for _, e := range f.Graph().Edges {
		drawn[[2]flows.StepID{e.From, e.To}] = false
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	wrong := map[[2]flows.StepID]bool{}
	for i := range 6000 {
		journey(t, f, rnd, i%4 == 0, func(from, to flows.StepID, k *talk) {
			if to == "" || f.byID[to].rescue && !f.byID[from].rescue || f.byID[from].rescue && !f.byID[to].rescue {
				return // the packet may come in anywhere
			}
			if k.state.Memo[memoMissed] != "" {
				return // and so may a question that was missed
			}
			e := [2]flows.StepID{from, to}
			if _, ok := drawn[e]; ok {
				drawn[e] = true
			} else if !wrong[e] {
				wrong[e] = true
				t.Errorf("%s follows %s and is not drawn so\n%s", to, from, mustJSON(t, k.state.Answers))
			}
		})
	}
	for e, ok := range drawn {
		// Questions out of order are asked by commands; the packet's first item may come in anywhere.
		if !ok && f.byID[e[0]].part != aside && !f.byID[e[1]].rescue {
			t.Errorf("%s is drawn to follow %s and never does", e[1], e[0])
		}
	}
}

// before is a person before whom the question stands, with what it needs to be asked at all.
func before(t *testing.T, f *Flow, q *question, mode flows.Value, lang string) *talk {
	k := newTalk(t, f)
	k.env.Can.Delete = true
	k.state = asked(f, q.id, mode, lang)
	k.view = &flows.CaseView{Code: k.state.Case, Safety: mode, Stage: "reported"}
	switch q.id {
	case flows.StepPlaceConfirm:
		k.state.Memo[memoPlaces] = `[{"kind":"place_text","place":"Samraong","province":"Oddar Meanchey","country":"KH"},{"kind":"place_text","place":"Samraong","province":"Takeo","country":"KH"}]`
	case flows.StepNumberCountry:
		k.state.Memo[memoPhone] = "0812345678"
	case flows.StepSafeTimePart:
		k.state.Memo[memoHours] = "09.00-09.30 21.00-21.30"
		k.state.Answers[flows.StepContactPref] = flows.Answer{Values: []flows.Value{flows.CallWindow}, At: k.state.LastAt}
		k.state.Answers[flows.StepSafeTime] = flows.Answer{Text: "jam 9", Review: true, At: k.state.LastAt}
	case flows.StepSameMatter:
		k.view.Closed = true
	}
	if q.rescue {
		k.view.Rescue, k.view.RescueAt = []flows.StepID{q.id}, k.now
	}
	tn := f.begin(flows.Env{Case: k.view, Can: k.env.Can}, k.state, flows.Input{At: k.now})
	tn.show(q)
	k.state = tn.s
	return k
}

// outcome is what an answer led to: the next question, what was said and what was done, in words.
func outcome(k *talk, turn flows.Turn) string {
	s := "asks " + string(k.shown())
	for _, r := range turn.Replies {
		for _, p := range r.Parts {
			s += "\nsays " + string(p.ID)
		}
	}
	for _, e := range turn.Effects {
		if sg, ok := e.(flows.Signal); ok {
			s += "\nsignal " + sg.Name
			continue
		}
		s += "\n" + k.describe(e)
	}
	return s
}

// Every value of every question that has some, in turn or out of order, in both languages and in both modes: the
// button, the number, the value and the words lead to the same next question, the same words and the same deeds; and
// every question can be left by LEWATI.
func TestWaysOfAnsweringLeadToTheSame(t *testing.T) {
	f := New(testConfig(plain{}))
	n := 0
	for _, q := range f.list {
		if f.byID[q.id] != q {
			continue
		}
		for _, mode := range []flows.Value{flows.Safe, flows.Watched} {
			if mode == flows.Watched && !q.silent && q.part != aside || mode == flows.Watched && q.id == flows.StepConfirm {
				continue
			}
			for _, lang := range f.cfg.Langs {
				k := before(t, f, q, mode, lang)
				for i, c := range k.state.Shown.Choices {
					tn := f.begin(flows.Env{Case: k.view, Can: k.env.Can}, k.state, flows.Input{At: k.now})
					label := q.labelOf(tn, c)
					tapped := before(t, f, q, mode, lang)
					turn := tapped.tap(q.id, c)
					if flows.Multi[q.id] && mode == flows.Safe && c != flows.None && c != flows.Skip {
						turn = tapped.tap(q.id, flows.Done)
					}
					want := outcome(tapped, turn)
					for _, words := range []string{
						q.number(k.state.Shown.Choices, i), string(c), catalogue.Text(lang, label.ID, label.Args),
					} {
						typed := before(t, f, q, mode, lang)
						turn := typed.say(words)
						if got := outcome(typed, turn); words != "" && got != want {
							t.Errorf("%s %s, %s: %q leads to\n%s\nthe button to\n%s", lang, mode, q.id, words, got, want)
						}
						n++
					}
				}
				for _, way := range []string{"LEWATI", "SKIP"} {
					k := before(t, f, q, mode, lang)
					if k.say(way); k.shown() == q.id && !k.view.Closed {
						t.Errorf("%s %s: %s does not leave %s", lang, mode, way, q.id)
					}
				}
			}
		}
	}
	if n < 800 {
		t.Errorf("only %d ways tried", n)
	}
}
