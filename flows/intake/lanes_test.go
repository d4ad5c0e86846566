package intake

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pulang/flows"
)

// typedFor are words that name their own question, wherever they arrive.
var typedFor = map[flows.StepID]string{
	flows.StepLocation: "bavet", flows.StepPassportStatus: "paspor ditahan bos", flows.StepImmigration: "overstay",
	flows.StepUrgentNeeds: "sakit", flows.StepSafeTime: "jam 9 malam", flows.StepCallbackNumber: "855123456789",
}

// sent is one update of a person, in one of the two lanes in which a messenger delivers: words and taps.
type sent struct {
	id  string
	tap bool
	in  flows.Input
}

// answerAll walks through the conversation in order and writes down what the person sent, each step in one lane.
func answerAll(r *rapid.T, t *testing.T, f *Flow) ([]sent, *talk) {
	k := newTalk(t, f)
	var all []sent
	typed := map[flows.StepID]bool{}
	add := func(tap bool, in flows.Input) {
		k.now = k.now.Add(1e9)
		in.At = k.now
		in.ID = fmt.Sprint("u", len(all))
		all = append(all, sent{id: in.ID, tap: tap, in: in})
		k.send(in)
	}
	add(false, flows.Input{Kind: flows.KindText, Text: "/start"})
	for range 40 {
		sh := k.state.Shown
		if sh == nil || k.state.Paused {
			break
		}
		words, typable := typedFor[sh.Step]
		if sh.Step == flows.StepCallbackNumber && k.state.Answers[flows.StepWhoFor].Has(otherPerson) {
			break // a number in passing may be that of the person in trouble: it means nothing elsewhere
		}
		if _, chosen := typed[sh.Step]; typable && !chosen { // each step is answered in one lane
			typed[sh.Step] = len(sh.Choices) == 0 || rapid.Bool().Draw(r, "typed")
		}
		if typed[sh.Step] {
			add(false, flows.Input{Kind: flows.KindText, Text: words})
			continue
		}
		choices := slices.DeleteFunc(slices.Clone(sh.Choices), func(v flows.Value) bool { return v == flows.Skip })
		if len(choices) == 0 {
			break // free text means its question only: it meets whatever is asked
		}
		v := rapid.SampledFrom(choices).Draw(r, "choice")
		if flows.Multi[sh.Step] && len(sh.Picked) > 2 {
			v = flows.Done
		}
		add(true, flows.Input{Kind: flows.KindTap, Tap: &flows.Tap{Scope: k.state.Scope, Step: sh.Step, Value: v}})
		if rapid.IntRange(0, 9).Draw(r, "again") == 0 { // an older button once more
			old := all[rapid.IntRange(0, len(all)-1).Draw(r, "old")]
			if old.tap && old.in.Tap.Step != flows.StepSafetyNow && !typed[old.in.Tap.Step] {
				add(true, old.in)
			}
		}
	}
	return all, k
}

// Each update delivered one to five times, first copies in order within their lane, the lanes interleaved at random:
// every tap lands on its own step, nothing is lost, and the conversation ends where in-order delivery ends.
func TestLanesMayInterleave(t *testing.T) {
	f := New(testConfig(plain{}))
	often(t, func(r *rapid.T) {
		all, inOrder := answerAll(r, t, f)
		var lanes [2][]sent
		for _, s := range all {
			if s.tap {
				lanes[1] = append(lanes[1], s)
			} else {
				lanes[0] = append(lanes[0], s)
			}
		}
		k := newTalk(t, f)
		seen := map[string]bool{}
		deliver := func(s sent) {
			if seen[s.id] {
				return // the store commits every update id once
			}
			seen[s.id] = true
			k.send(s.in)
		}
		deliver(lanes[0][0]) // the greeting: there is nothing to tap before
		lanes[0] = lanes[0][1:]
		var past []sent
		for len(lanes[0])+len(lanes[1]) > 0 {
			i := rapid.IntRange(0, 1).Draw(r, "lane")
			if len(lanes[i]) == 0 {
				i = 1 - i
			}
			s := lanes[i][0]
			lanes[i] = lanes[i][1:]
			deliver(s)
			past = append(past, s)
			for range rapid.IntRange(0, 2).Draw(r, "repeats") {
				deliver(past[rapid.IntRange(0, len(past)-1).Draw(r, "repeat")])
			}
		}
		want, got := inOrder.state, k.state
		for step, a := range want.Answers {
			if b, ok := got.Answers[step]; !ok || !slices.Equal(a.Values, b.Values) || a.Norm != b.Norm || a.Skipped != b.Skipped {
				t.Fatalf("%s: in order %+v, interleaved %+v\nsent %s", step, a, b, mustJSON(t, lanesOf(all)))
			}
		}
		if !maps.EqualFunc(want.Answers, got.Answers, func(a, b flows.Answer) bool { return a.At.Equal(b.At) }) {
			t.Fatalf("answers differ:\n%s\n%s", mustJSON(t, want.Answers), mustJSON(t, got.Answers))
		}
		a, b := &turn{f: f, s: want, env: flows.Env{Case: inOrder.view}}, &turn{f: f, s: got, env: flows.Env{Case: k.view}}
		if a.level() != b.level() || a.gap() != b.gap() || want.Optional != got.Optional || want.Paused != got.Paused {
			t.Fatalf("in order: %q, next %q; interleaved: %q, next %q", a.level(), a.gap(), b.level(), b.gap())
		}
	})
}

// lanesOf writes what was sent, for the message of a failing test.
func lanesOf(all []sent) []string {
	var out []string
	for _, s := range all {
		if s.tap {
			out = append(out, string(s.in.Tap.Step)+":"+string(s.in.Tap.Value))
		} else {
			out = append(out, "> "+s.in.Text)
		}
	}
	return out
}
