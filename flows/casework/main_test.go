package casework

import (
	"flag"
	"os"
	"testing"
	"time"

	"pulang/flows"
)

// TestMain sets how many random cases the properties are tried on: 1,000, or 10,000 with PULANG_SOAK=1.
func TestMain(m *testing.M) {
	flag.Parse()
	checks := "1000"
	if os.Getenv("PULANG_SOAK") == "1" {
		checks = "10000"
	}
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "rapid.checks" })
	if !set {
		_ = flag.Set("rapid.checks", checks)
		_ = flag.Set("rapid.nofailfile", "true") // the seed in the output is enough to repeat a failure
	}
	os.Exit(m.Run())
}

// t0 is a Monday morning, 09:00 by the mission's clock.
var t0 = time.Date(2026, 1, 19, 2, 0, 0, 0, time.UTC)

var indochina = time.FixedZone("ICT", 7*3600)

func testRules() Rules {
	r := DefaultRules()
	r.Country, r.Zone = "KH", indochina
	r.Conflict = map[string]bool{"banteay meanchey": true}
	return r
}

// clock is a time of the test's first day by the mission's clock.
func clock(hour, minute int) time.Time { return time.Date(2026, 1, 19, hour, minute, 0, 0, indochina) }

// say is the record of an answer with these values, or with a normal form when a value begins with "=".
func say(step flows.StepID, at time.Time, values ...flows.Value) flows.Record {
	a := flows.Answer{At: at}
	for _, v := range values {
		if v != "" && v[0] == '=' {
			a.Norm = string(v[1:])
			continue
		}
		a.Values = append(a.Values, v)
	}
	return flows.Record{Step: step, Answer: a}
}

// newCase is a case opened at t0 to which the effects were applied then.
func newCase(t testing.TB, effects ...flows.Effect) *Case {
	t.Helper()
	c := New("01", "K7M4-692Q", "kh", "kh", "telegram", t0)
	c.LastIn = t0
	for _, e := range effects {
		c.Apply(e, t0, testRules())
	}
	c.Rescore(t0, testRules())
	return c
}

func safe() flows.Effect    { return say(flows.StepSafetyNow, t0, flows.Safe) }
func watched() flows.Effect { return say(flows.StepSafetyNow, t0, flows.Watched) }
func anytime() flows.Effect { return say(flows.StepContactPref, t0, flows.CallAnytime) }
func hours(norm string) []flows.Effect {
	return []flows.Effect{say(flows.StepContactPref, t0, flows.CallWindow), say(flows.StepSafeTime, t0, flows.Value("="+norm))}
}
func needs(v ...flows.Value) flows.Effect { return say(flows.StepUrgentNeeds, t0, v...) }
