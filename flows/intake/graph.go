package intake

import (
	"fmt"
	"slices"
	"strings"

	"pulang/flows"
)

// Step is a question as the graph shows it.
type Step struct {
	ID     flows.StepID  `json:"id"`
	Part   string        `json:"part"` // core, optional, aside
	Values []flows.Value `json:"values,omitempty"`
	// Silent are the values offered to a person who is watched; SilentToo says that the step is asked there at all.
	Silent    []flows.Value `json:"silent_values,omitempty"`
	SilentToo bool          `json:"silent,omitempty"`
	Multi     bool          `json:"multi,omitempty"`
	Open      bool          `json:"open,omitempty"`
	// When says in a few words for whom it is asked; empty for everybody.
	When string `json:"when,omitempty"`
}

// Edge leads from one step to one that may come next.
type Edge struct {
	From flows.StepID `json:"from"`
	To   flows.StepID `json:"to"`
	// When says what leads there; empty: nothing else applies.
	When string `json:"when,omitempty"`
}

// Graph is the conversation as a picture: what is asked, what may be answered, what comes next.
type Graph struct {
	Version int    `json:"version"`
	Steps   []Step `json:"steps"`
	Edges   []Edge `json:"edges"`
}

var partNames = map[part]string{core: "core", optional: "optional", aside: "aside"}

// Steps lists the steps in the order in which they are asked, each once.
func (f *Flow) Steps() []Step {
	t := &turn{f: f, s: flows.State{Lang: f.cfg.Langs[0]}}
	var steps []Step
	for _, q := range f.list {
		if f.byID[q.id] != q {
			continue
		}
		s := Step{
			ID: q.id, Part: partNames[q.part], Values: slices.Clone(q.menu), Silent: slices.Clone(q.silentMenu),
			SilentToo: q.silent, Multi: flows.Multi[q.id], Open: q.open, When: q.cond,
		}
		if q.dynamic != nil {
			s.Values = q.dynamic(t)
		}
		steps = append(steps, s)
	}
	return steps
}

// facts are the conditions of a question, as its cond lists them: all of them hold where it is asked.
func (q *question) facts() []string {
	if q.cond == "" {
		return nil
	}
	return strings.Split(q.cond, ", ")
}

// implies are facts that follow from another one; opposite are those that exclude each other.
var (
	implies = map[string][]string{
		"who_for=group":               {"not other_person"},
		"passport not at hand":        {"not under age"},
		"immigration_status=overstay": {"not under age"},
		"injured|sick|pregnant":       {"not under age"},
		"family_contact given":        {"not under age", "not other_person"},
		"subject_contact given":       {"who_for=other_person"},
		"ransom_asked=yes":            {"who_for=other_person"},
		"code_word given":             {"watched or in_compound"},
		"watched or in_compound":      {"not other_person"},
		"the place is not certain":    {"no: location=unknown"},
		"a child is there":            {"not under age"},
	}
	opposite = map[string]string{
		"under age": "not under age", "who_for=other_person": "not other_person", "watched or in_compound": "everybody else",
	}
)

// known is what is certain of a person, as far as the picture goes.
type known map[string]bool

func (k known) learn(fact string) {
	if k[fact] {
		return
	}
	k[fact] = true
	for _, f := range implies[fact] {
		k.learn(f)
	}
}

// not is the fact that holds when this one does not; "" when there is no name for it.
func opposed(fact string) string {
	for a, b := range opposite {
		switch fact {
		case a:
			return b
		case b:
			return a
		}
	}
	return "no: " + fact
}

// certain reports whether a question is asked of everybody of whom this is known, possible whether of anybody.
func (k known) certain(q *question) bool {
	for _, f := range q.facts() {
		if !k[f] {
			return false
		}
	}
	return true
}

func (k known) possible(q *question) bool {
	all := known{}
	for f := range k {
		all.learn(f)
	}
	for _, f := range q.facts() {
		all.learn(f)
	}
	for f := range all {
		if all[opposed(f)] {
			return false
		}
	}
	return true
}

// passed learns from a question that was not asked: its one condition that was open does not hold.
func (k known) passed(q *question) {
	open := ""
	for _, f := range q.facts() {
		if k[f] {
			continue
		}
		if open != "" {
			return // one of several
		}
		open = f
	}
	if open != "" {
		k.learn(opposed(open))
	}
}

// Graph draws the transitions. From a question the conversation goes to the first later one that applies; those that
// apply to some people only are the branches. The items of the rescue packet may come in anywhere: they are drawn as a
// way of their own. A question that was missed comes back before or behind the confirmation, which is not drawn.
func (f *Flow) Graph() Graph {
	g := Graph{Version: flows.Version, Steps: f.Steps()}
	ways := []struct {
		first flows.StepID
		label string
		on    func(q *question) bool
	}{
		{flows.StepSafetyNow, "", func(q *question) bool { return q.part == core }},
		{flows.StepSafetyNow, "watched", func(q *question) bool { return q.part == core && q.silent }},
		{flows.StepConfirm, "continue", func(q *question) bool { return q.part == optional }},
	}
	for _, w := range ways {
		var way []*question
		for _, q := range f.list {
			if !q.rescue && w.on(q) || q.id == w.first {
				way = append(way, q)
			}
		}
		for i, q := range way {
			k := known{}
			for _, f := range q.facts() {
				k.learn(f)
			}
			for _, to := range way[i+1:] {
				if !k.possible(to) {
					continue
				}
				label := to.cond
				if i == 0 && w.label != "" {
					label = strings.Trim(w.label+", "+label, ", ")
				}
				g.add(Edge{From: q.id, To: to.id, When: label})
				if k.certain(to) {
					break
				}
				k.passed(to)
			}
		}
	}
	g.add(Edge{From: flows.StepSafetyNow, To: flows.StepLocation, When: "danger: one question only"})
	g.add(Edge{From: flows.StepTrustedAdult, To: flows.StepNationality, When: "under age, by the date of birth"})
	g.add(Edge{From: flows.StepContactPref, To: flows.StepSafeTimePart, When: f.byID[flows.StepSafeTimePart].cond})
	g.add(Edge{From: flows.StepSafeTimePart, To: flows.StepSafeTime, When: "another time"})
	g.add(Edge{From: flows.StepSafetyNow, To: flows.StepRescueLocation, When: "an officer asked for it, at any time"})
	for i, id := range flows.RescueSteps[1:] {
		g.add(Edge{From: flows.RescueSteps[i], To: id})
	}
	g.add(Edge{From: flows.StepMenu, To: flows.StepEdit, When: "edit"})
	g.add(Edge{From: flows.StepMenu, To: flows.StepLanguage, When: "language"})
	g.add(Edge{From: flows.StepMenu, To: flows.StepDelete, When: "delete"})
	g.add(Edge{From: flows.StepMenu, To: flows.StepStatus, When: "status, code word set"})
	g.add(Edge{From: flows.StepSameMatter, To: flows.StepSafetyNow, When: "new"})
	return g
}

func (g *Graph) add(e Edge) {
	for _, old := range g.Edges {
		if old.From == e.From && old.To == e.To {
			return
		}
	}
	g.Edges = append(g.Edges, e)
}

// Mermaid writes the graph as a Mermaid flowchart.
func (g Graph) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	for _, s := range g.Steps {
		vs := make([]string, len(s.Values))
		for i, v := range s.Values {
			vs[i] = string(v)
		}
		body := string(s.ID)
		if len(vs) > 0 {
			body += "<br/>" + strings.Join(vs, " · ")
		}
		shape := "  %s[\"%s\"]\n"
		switch s.Part {
		case "optional":
			shape = "  %s([\"%s\"])\n"
		case "aside":
			shape = "  %s{{\"%s\"}}\n"
		}
		fmt.Fprintf(&b, shape, s.ID, body)
	}
	for _, e := range g.Edges {
		if e.When == "" {
			fmt.Fprintf(&b, "  %s --> %s\n", e.From, e.To)
			continue
		}
		fmt.Fprintf(&b, "  %s -->|\"%s\"| %s\n", e.From, e.When, e.To)
	}
	return b.String()
}
