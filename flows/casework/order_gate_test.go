package casework

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawCandidates is a queue as it may stand at noon.
func drawCandidates(rt *rapid.T) []Candidate {
	var all []Candidate
	for i := range rapid.IntRange(0, 30).Draw(rt, "cases") {
		minutes := func(name string, from, to int) time.Time {
			return noon.Add(time.Duration(rapid.IntRange(from, to).Draw(rt, name)) * time.Minute)
		}
		k := Candidate{
			Code: fmt.Sprintf("%02d", i), Base: rapid.SampledFrom(Classes).Draw(rt, "class"),
			DueAt: minutes("due", -3000, 3000), CreatedAt: minutes("created", -5000, 0), Female: rapid.IntRange(0, 4).Draw(rt, "female") == 0,
		}
		if k.Base == P3 || k.Base == P4 {
			first := minutes("lift", -2000, 2000)
			k.LiftAt = []time.Time{first, first.Add(24 * time.Hour)}
		}
		if rapid.IntRange(0, 3).Draw(rt, "later") == 0 {
			k.LaterUntil = minutes("until", -100, 100)
		}
		if rapid.IntRange(0, 3).Draw(rt, "windows") == 0 {
			k.Windows = ParseWindows(rapid.SampledFrom([]string{"10:00-12:10", "11:00-15:00", "20:00-22:00"}).Draw(rt, "hours"))
		}
		if rapid.IntRange(0, 3).Draw(rt, "promise") == 0 {
			k.PromisedAt = minutes("promised", -500, 500)
		}
		all = append(all, k)
	}
	return all
}

// No P2 or below is offered while a P1 waits, callable or not, skipped or not; a case that rests is never offered; a
// lower class is offered before a higher one only by the rule of the fifth turn.
func TestPickNeverPassesAP1(t *testing.T) {
	fully(t)
	rapid.Check(t, func(rt *rapid.T) {
		all := drawCandidates(rt)
		turn := int64(rapid.IntRange(1, 20).Draw(rt, "turn"))
		officer := Officer{Name: "a", Female: rapid.Bool().Draw(rt, "woman")}
		var skip []string
		for _, k := range all {
			if rapid.IntRange(0, 3).Draw(rt, "skip") == 0 {
				skip = append(skip, k.Code)
			}
		}
		skipped := map[string]bool{}
		for _, s := range skip {
			skipped[s] = true
		}
		i, because, ok := Pick(all, turn, officer, skip, noon, testRules())
		for _, k := range all {
			waits := !k.LaterUntil.After(noon)
			class := k.Class(noon)
			mine := officer.Female || !k.Female || k.DueAt.Before(noon) || class == P1
			switch {
			case !waits || !mine:
			case !ok && (class == P1 || !skipped[k.Code]):
				rt.Fatalf("%+v waits and nothing is offered", k)
			case ok && class == P1 && all[i].Class(noon) != P1:
				rt.Fatalf("%s is offered while a P1 waits", all[i].Class(noon))
			case ok && because != BecauseFifth && !skipped[k.Code] && class.Above(all[i].Class(noon)):
				rt.Fatalf("%s is offered (%s) while a %s waits", all[i].Class(noon), because, class)
			case ok && because == BecauseFifth && (class == P3 || class == P4) && !skipped[k.Code] && k.DueAt.Before(all[i].DueAt):
				rt.Fatalf("the fifth turn takes one due %v, another is due %v", all[i].DueAt, k.DueAt)
			}
		}
		if !ok {
			return
		}
		chosen := all[i]
		if chosen.LaterUntil.After(noon) {
			rt.Fatal("a resting case is offered")
		}
		if chosen.Female && !officer.Female && !chosen.DueAt.Before(noon) && chosen.Class(noon) != P1 {
			rt.Fatal("a case that asks for a woman officer is offered to a man too early")
		}
		if because == BecauseFifth {
			if class := chosen.Class(noon); turn%5 != 0 || class != P3 && class != P4 || !chosen.DueAt.Before(noon) {
				rt.Fatalf("turn %d: %s due %v by the rule of the fifth", turn, class, chosen.DueAt)
			}
		}
	})
}

// Pick without a fifth turn, a skip list or women's cases offers what stands first in the order of the queue page.
func TestPickTakesTheHeadOfTheOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := drawCandidates(rt)
		for i := range all {
			all[i].Female = false
		}
		i, _, ok := Pick(all, 1, Officer{}, nil, noon, testRules())
		var code string
		if ok {
			code = all[i].Code
		}
		Order(all, noon, testRules())
		if ok != (len(all) > 0 && all[0].Waiting(noon)) || ok && all[0].Code != code {
			rt.Fatalf("Next offers %q, the page shows %v", code, codes(all))
		}
		sorted := append([]Candidate(nil), all...)
		Order(sorted, noon, testRules())
		if !reflect.DeepEqual(sorted, all) {
			rt.Fatal("ordering twice changes the order")
		}
	})
}
