package casework

import (
	"strings"
	"testing"
	"time"

	"pulang/flows"
)

var noon = clock(12, 0)

// cand is a candidate of a class that is due so long after noon.
func cand(code string, class Class, due time.Duration) Candidate {
	return Candidate{Code: code, Base: class, DueAt: noon.Add(due), CreatedAt: t0}
}

func codes(all []Candidate) string {
	var out []string
	for _, k := range all {
		out = append(out, k.Code)
	}
	return strings.Join(out, " ")
}

func TestOrder(t *testing.T) {
	h := time.Hour
	closing := cand("closing", P3, 9*h)
	closing.Windows = ParseWindows("10:00-12:20")
	open := cand("open", P3, 1*h)
	open.Windows = ParseWindows("10:00-13:00")
	promise := cand("promise", P3, -1*h)
	promise.PromisedAt = noon.Add(-h)
	older := cand("older", P3, -1*h)
	older.PromisedAt = noon.Add(-2 * h)
	future := cand("future", P3, 2*h)
	future.PromisedAt = noon.Add(2 * h)
	later := cand("later", P2, h)
	later.LaterUntil = noon.Add(h)
	p1later := cand("p1later", P1, 2*h)
	p1later.LaterUntil = noon.Add(2 * h)
	due := cand("due", P1, 0)
	due.LaterUntil = noon // its time has come
	first, second := cand("a", P2, h), cand("b", P2, h)
	first.CreatedAt = t0.Add(time.Minute)
	lifted := cand("lifted", P4, -10*h)
	lifted.LiftAt = []time.Time{noon.Add(-5 * h), noon.Add(-h)}

	all := []Candidate{
		cand("p4", P4, -100*h), open, later, future, closing, cand("p1", P1, -h), first, promise, p1later, older, second, due, lifted,
	}
	Order(all, noon, testRules())
	want := "p1 due lifted b a closing older promise open future p4 later p1later"
	if got := codes(all); got != want {
		t.Errorf("order\n%s\nwant\n%s", got, want)
	}
	for code, because := range map[string]string{
		"p1": BecauseP1, "lifted": BecauseOverdue, "a": BecauseDue, "closing": BecauseClosing, "promise": BecausePromise,
		"open": BecauseDue, "later": BecauseLater,
	} {
		for _, k := range all {
			if k.Code == code && Because(k, noon, testRules()) != because {
				t.Errorf("%s stands there because %s, want %s", code, Because(k, noon, testRules()), because)
			}
		}
	}
}

// pick runs Next and returns the code and the reason.
func pick(all []Candidate, turn int64, o Officer, skip ...string) (string, string) {
	i, because, ok := Pick(all, turn, o, skip, noon, testRules())
	if !ok {
		return "", ""
	}
	return all[i].Code, because
}

func TestPick(t *testing.T) {
	h := time.Hour
	anybody, woman := Officer{Name: "a"}, Officer{Name: "b", Female: true}
	female := func(k Candidate) Candidate { k.Female = true; return k }
	rest := func(k Candidate) Candidate { k.LaterUntil = noon.Add(h); return k }
	base := []Candidate{cand("p2", P2, h), cand("p3late", P3, -2*h), cand("p4later", P4, -5*h), cand("p3", P3, h)}

	for _, x := range []struct {
		name          string
		all           []Candidate
		turn          int64
		officer       Officer
		skip          []string
		code, because string
	}{
		{"nobody waits", nil, 1, anybody, nil, "", ""},
		{"only later ones", []Candidate{rest(cand("x", P1, h))}, 1, anybody, nil, "", ""},
		{"most urgent class", base, 1, anybody, nil, "p2", BecauseDue},
		{"the fifth turn", base, 5, anybody, nil, "p4later", BecauseFifth},
		{"the tenth turn", base, 10, anybody, nil, "p4later", BecauseFifth},
		{"the fifth turn, skipped", base, 5, anybody, []string{"p4later"}, "p3late", BecauseFifth},
		{"the fifth turn while a P1 waits", append([]Candidate{cand("p1", P1, h)}, base...), 5, anybody, nil, "p1", BecauseP1},
		{"the fifth turn, the P1 rests", append([]Candidate{rest(cand("p1", P1, h))}, base...), 5, anybody, nil, "p4later", BecauseFifth},
		{"the fifth turn, nothing overdue", []Candidate{cand("p2", P2, h), cand("p3", P3, h)}, 5, anybody, nil, "p2", BecauseDue},
		{"the fifth turn, overdue P2 is none of its business", []Candidate{cand("p2", P2, -9*h), cand("p2b", P2, -h)}, 5, anybody, nil, "p2", BecauseOverdue},
		{"skipped", base, 1, anybody, []string{"p2"}, "p3late", BecauseOverdue},
		{"another P1 for the one skipped", []Candidate{cand("p1", P1, -h), cand("p1b", P1, 0), cand("p2", P2, 0)}, 1, anybody, []string{"p1"}, "p1b", BecauseP1},
		{"a P1 is not passed over for less", []Candidate{cand("p1", P1, -h), cand("p2", P2, 0)}, 1, anybody, []string{"p1"}, "p1", BecauseP1},
		{"everything skipped", base, 1, anybody, []string{"p2", "p3late", "p4later", "p3"}, "", ""},

		{"female_officer is not for everybody", []Candidate{female(cand("f", P2, h)), cand("p3", P3, h)}, 1, anybody, nil, "p3", BecauseDue},
		{"female_officer goes to a woman first", []Candidate{cand("p2", P2, -1), female(cand("f", P2, h))}, 1, woman, nil, "f", BecauseFemale},
		{"but not before a higher class", []Candidate{cand("p1", P1, h), female(cand("f", P2, h))}, 1, woman, nil, "p1", BecauseP1},
		{"overdue to anybody", []Candidate{female(cand("f", P2, -1)), cand("p3", P3, h)}, 1, anybody, nil, "f", BecauseOverdue},
		{"P1 to anybody", []Candidate{female(cand("f", P1, h)), cand("p3", P3, h)}, 1, anybody, nil, "f", BecauseP1},
	} {
		if code, because := pick(x.all, x.turn, x.officer, x.skip...); code != x.code || because != x.because {
			t.Errorf("%s: %q because %q, want %q because %q", x.name, code, because, x.code, x.because)
		}
	}
}

// Every fifth Next of the mission, and no other, takes the longest overdue P3 or P4 while the queue is full of P2.
func TestEveryFifth(t *testing.T) {
	var all []Candidate
	for i := range 40 {
		all = append(all, cand(string(rune('a'+i%26))+string(rune('a'+i/26)), P2, time.Duration(i)*time.Minute))
	}
	for i := range 10 {
		all = append(all, cand("late"+string(rune('0'+i)), []Class{P3, P4}[i%2], -time.Duration(i+1)*time.Hour))
	}
	want := 9
	for turn := int64(1); turn <= 40; turn++ {
		i, because, ok := Pick(all, turn, Officer{}, nil, noon, testRules())
		if !ok {
			t.Fatal("nothing offered")
		}
		starving := because == BecauseFifth
		if starving != (turn%5 == 0) {
			t.Fatalf("turn %d: %s", turn, because)
		}
		if starving {
			if all[i].Code != "late"+string(rune('0'+want)) {
				t.Errorf("turn %d takes %s, not the longest overdue", turn, all[i].Code)
			}
			want--
		}
		all = append(all[:i], all[i+1:]...)
	}
}

func TestLateness(t *testing.T) {
	r := testRules()
	for _, x := range []struct {
		class Class
		due   time.Duration
		want  Late
	}{
		{P1, 15 * time.Minute, LateSoon}, {P1, -time.Second, LateOverdue}, {P1, -15 * time.Minute, LateOverdue}, {P1, -15*time.Minute - 1, LateCritical},
		{P2, 2 * time.Hour, LateNotYet}, {P2, 30 * time.Minute, LateSoon}, {P2, -time.Hour, LateOverdue}, {P2, -3 * time.Hour, LateCritical},
		{P3, 4 * time.Hour, LateNotYet}, {P3, 3 * time.Hour, LateSoon}, {P4, -25 * time.Hour, LateCritical},
	} {
		if got := cand("x", x.class, x.due).Lateness(noon, r); got != x.want {
			t.Errorf("%s due in %v: %s, want %s", x.class, x.due, got, x.want)
		}
	}
	rests := cand("x", P1, -time.Hour)
	rests.LaterUntil = noon.Add(time.Minute)
	if got := rests.Lateness(noon, r); got != LateNotYet {
		t.Errorf("a resting case is %s", got)
	}
	c := newCase(t, needs("injured"))
	if got := Lateness(c, t0.Add(40*time.Minute), r); got != LateCritical {
		t.Errorf("a P1 after 40 minutes is %s", got)
	}
}

// The windows of somebody who must not be called have no part in the order.
func TestCandidateOf(t *testing.T) {
	c := newCase(t, append([]flows.Effect{needs("female_officer")}, hours("10:00-12:20")...)...)
	if k := CandidateOf(c); len(k.Windows) != 1 || !k.Female || k.Base != P4 {
		t.Errorf("%+v", k)
	}
	c.Apply(watched(), t0, testRules())
	c.Rescore(t0, testRules())
	if k := CandidateOf(c); len(k.Windows) != 0 || k.Base != P2 {
		t.Errorf("%+v", k)
	}
}

func BenchmarkPick(b *testing.B) {
	var all []Candidate
	for i := range 5000 {
		k := cand(string(rune('a'+i%26)), Classes[1+i%3], time.Duration(i%700-300)*time.Minute)
		if i%4 == 0 {
			k.Windows = ParseWindows("10:00-12:20")
		}
		all = append(all, k)
	}
	for b.Loop() {
		Pick(all, 1, Officer{}, nil, noon, testRules())
	}
}
