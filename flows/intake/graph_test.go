package intake

import (
	"strings"
	"testing"

	"pulang/flows"
)

// The picture is whole: every step is in it once, every edge joins two of them, and everything that is asked in turn
// can be reached from the first question.
func TestGraphIsWhole(t *testing.T) {
	f := New(testConfig(plain{}))
	g := f.Graph()
	steps := map[flows.StepID]Step{}
	for _, s := range g.Steps {
		if _, twice := steps[s.ID]; twice {
			t.Errorf("%s twice", s.ID)
		}
		steps[s.ID] = s
	}
	next := map[flows.StepID][]flows.StepID{}
	for _, e := range g.Edges {
		if steps[e.From].ID == "" || steps[e.To].ID == "" {
			t.Errorf("edge %s -> %s leads nowhere", e.From, e.To)
		}
		next[e.From] = append(next[e.From], e.To)
	}
	seen := map[flows.StepID]bool{}
	todo := []flows.StepID{flows.StepSafetyNow}
	for len(todo) > 0 {
		id := todo[0]
		todo = todo[1:]
		if !seen[id] {
			seen[id] = true
			todo = append(todo, next[id]...)
		}
	}
	for id, s := range steps {
		if s.Part != "aside" && !seen[id] {
			t.Errorf("nothing leads to %s", id)
		}
		for _, v := range flows.Menus[id] {
			if !strings.Contains(mustJSON(t, s.Values), `"`+string(v)+`"`) {
				t.Errorf("%s does not offer %s", id, v)
			}
		}
	}
	m := g.Mermaid()
	if !strings.HasPrefix(m, "flowchart TD\n") || strings.Count(m, "\n") < len(g.Steps)+len(g.Edges) {
		t.Errorf("not a flowchart of %d steps:\n%s", len(g.Steps), m)
	}
}

// A browser that is reloaded shows the open question again, and asking for it changes nothing.
func TestPromptRepeatsTheQuestion(t *testing.T) {
	k := newTalk(t, New(testConfig(plain{})))
	if _, ok := k.flow.Prompt(k.fresh(), flows.State{}); !ok {
		t.Error("a newcomer is not asked anything")
	}
	k.say("halo")
	k.tap(flows.StepSafetyNow, flows.Safe)
	want := k.last.Replies[0]
	got, ok := k.flow.Prompt(k.fresh(), k.state)
	if !ok || render(got) != render(want) || got.Scope != want.Scope {
		t.Errorf("the prompt was\n%s\nand is repeated as\n%s", render(want), render(got))
	}
	k.say("BERHENTI")
	if _, ok := k.flow.Prompt(k.fresh(), k.state); ok {
		t.Error("asked although the person wanted silence")
	}
}
