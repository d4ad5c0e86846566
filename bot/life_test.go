package bot_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
)

// lives are a few people with two contacts each, two officers, a supervisor and two missions on one line, who act in turn as
// chance has it, while the clock goes on, stands, jumps and is set back. After every act the store is looked at.
type lives struct {
	*line
	rnd   *rand.Rand
	raw   redis.UniversalClient
	acts  int
	done  []string        // what was done, for the report of a failure
	words map[string]int  // every word that was acknowledged, and the step at which
	codes map[string]bool // cases ever seen
	gone  map[string]bool // cases erased
	lost  map[string]bool // contacts of which something was erased
	audit map[string]int  // rows that have to be there, by what
}

var (
	livesWho  = []string{"a1", "a2", "b1", "b2", "c1"}
	livesSay  = []string{"halo", "aman", "saya diawasi", "bahaya", "BERHENTI", "LANJUT", "BARU", "STATUS", "1", "2", "4", "0", "saya di myawaddy", "saya di bavet", "boleh telepon kapan saja", "jangan telepon", "kami 3 orang", "HAPUS", "SUDAH AMAN", "ini untuk adik saya", "paspor hilang", "ya"}
	livesGoes = []time.Duration{0, 0, time.Millisecond, time.Second, 40 * time.Second, 3 * time.Minute, 16 * time.Minute, 31 * time.Minute, 2 * time.Hour, 25 * time.Hour, 8 * 24 * time.Hour, 31 * 24 * time.Hour}
)

// mission adds a mission for Myanmar to the line's.
func (v *lives) mission(code string) {
	own := v.hot.Lines["kh"]
	m := *own.Mission
	m.Code, m.Country, m.Countries = code, "MM", nil
	v.hot.Lines[code] = &bot.Line{Mission: &m, Flow: own.Flow}
}

func (v *lives) pick(n int) int { return v.rnd.IntN(n) }

// chosen is a case at random with whoever holds it; nil for none.
func (v *lives) chosen() *bot.CaseFile {
	var codes []string
	for c := range v.codes {
		if !v.gone[c] {
			codes = append(codes, c)
		}
	}
	if len(codes) == 0 {
		return nil
	}
	slices.Sort(codes)
	code := codes[v.pick(len(codes))]
	for _, m := range []string{"kh", "mm"} {
		if f, err := v.store.Open(v.t.Context(), m, code, v.now(), bot.Audit{}); err == nil {
			return &f
		}
	}
	v.t.Fatalf("%s is nowhere", code)
	return nil
}

func (v *lives) rules(c *casework.Case) casework.Rules { return v.hot.Lines[c.Mission].Mission.Rules() }

// desk does an officer's act as the desk does.
func (v *lives) desk(f *bot.CaseFile, what, officer string, do func(c *casework.Case, ch *bot.Change) error) bool {
	c := f.Case
	before := casework.Timers(c, v.now(), v.rules(c))
	ch := bot.Change{Line: "kh", Request: fmt.Sprint("act", v.acts), Case: c, CaseVer: f.Version,
		Audit: []bot.Audit{{At: v.now(), Who: officer, What: what, Code: c.Code}}}
	if err := do(c, &ch); err != nil {
		return false
	}
	c.MarkRead(officer, v.now())
	c.Rescore(v.now(), v.rules(c))
	had := map[string]bool{}
	for _, x := range before {
		had[x.Name] = true
	}
	for _, x := range casework.Timers(c, v.now(), v.rules(c)) {
		ch.Timers = append(ch.Timers, bot.Timer{Line: "kh", Name: x.Name, CaseID: c.ID, At: x.At})
		delete(had, x.Name)
	}
	for name := range had {
		ch.Timers = append(ch.Timers, bot.Timer{Line: "kh", Name: name, CaseID: c.ID})
	}
	for range 2 { // the answer is lost, and it is asked again
		if _, err := v.store.Commit(v.t.Context(), ch); err != nil {
			if errors.Is(err, bot.ErrLease) {
				return false
			}
			v.t.Fatalf("%s: %v", what, err)
		}
	}
	v.audit[what]++
	return true
}

// step is one act.
func (v *lives) step() string {
	ctx, now := v.t.Context(), v.now()
	v.acts++
	officer := []string{"siti", "budi", "sri"}[v.pick(3)]
	switch k := v.pick(24); k {
	case 0, 1, 2, 3, 4, 5, 6:
		who, text := livesWho[v.pick(len(livesWho))], livesSay[v.pick(len(livesSay))]
		in := flows.Input{Kind: flows.KindText, Text: text, At: now}
		if v.pick(6) == 0 {
			in.At = now.Add(-time.Duration(v.pick(7200)) * time.Second) // comes late
		}
		update := fmt.Sprint("w", v.acts)
		for range 1 + v.pick(2) {
			if err := v.hot.Handle(ctx, v.message(who, update, in)); err != nil {
				v.t.Fatal(err)
			}
		}
		if c := v.state(who).Case; c != "" {
			v.codes[c] = true
			v.words[update+" "+who] = v.acts
		}
		return who + " says " + text
	case 7:
		d := livesGoes[v.pick(len(livesGoes))]
		if v.pick(12) == 0 {
			d = -time.Hour
		}
		v.quiet()
		v.forward(d)
		return fmt.Sprint("clock ", d)
	case 8, 9, 10:
		if err := v.hot.FireTimers(ctx); err != nil {
			v.t.Fatal(err)
		}
		return "timers"
	case 11:
		if _, err := v.store.SweepClaims(ctx, "kh", now); err != nil {
			v.t.Fatal(err)
		}
		return "sweep"
	}
	f := v.chosen()
	if f == nil {
		return ""
	}
	c := f.Case
	name := c.Code + " " + officer
	held := func(ch *bot.Change) { ch.Claim = officer }
	switch v.pick(17) {
	case 0, 1, 2, 3:
		_, err := v.store.Claim(ctx, c.Mission, c.Code, casework.Officer{Name: officer}, now, fmt.Sprint("cl", v.acts), bot.Audit{At: now, Who: officer, What: "claim"})
		if err == nil {
			v.audit["claim"]++
		}
		return name + " claim"
	case 4:
		if err := v.store.Release(ctx, c.Mission, c.Code, officer, fmt.Sprint("re", v.acts), bot.Audit{At: now, Who: officer, What: "release"}); err == nil {
			v.audit["release"]++
		}
		return name + " release"
	case 5:
		v.desk(f, "settle", officer, func(c *casework.Case, ch *bot.Change) error {
			held(ch)
			ch.Release = true
			_, err := casework.Settle(c, now, v.rules(c))
			return err
		})
		return name + " settle"
	case 6:
		v.desk(f, "later", officer, func(c *casework.Case, ch *bot.Change) error {
			held(ch)
			ch.Release = true
			_, err := casework.Schedule(c, now.Add(time.Duration(1+v.pick(3000))*time.Minute), v.pick(2) == 0, now, v.rules(c))
			return err
		})
		return name + " later"
	case 7:
		v.desk(f, "call", officer, func(c *casework.Case, ch *bot.Change) error {
			held(ch)
			return casework.StartAttempt(c, ch.Request, casework.ViaPhone, officer, now, v.rules(c), "")
		})
		return name + " call"
	case 8:
		v.desk(f, "outcome", officer, func(c *casework.Case, ch *bot.Change) error {
			held(ch)
			a, ok := casework.OpenAttempt(c)
			if !ok {
				return errors.New("none")
			}
			_, err := casework.EndAttempt(c, a.ID, casework.OutcomeOrder[v.pick(len(casework.OutcomeOrder))], "", time.Time{}, now, v.rules(c))
			return err
		})
		return name + " outcome"
	case 9:
		v.desk(f, "close", officer, func(c *casework.Case, ch *bot.Change) error {
			held(ch)
			ch.Release = true
			_, err := casework.Close(c, "self_resolved", officer, now)
			return err
		})
		return name + " close"
	case 10:
		v.desk(f, "reopen", officer, func(c *casework.Case, ch *bot.Change) error {
			_, err := casework.Reopen(c, officer, now, v.rules(c))
			return err
		})
		return name + " reopen"
	case 11:
		v.desk(f, "offer", officer, func(c *casework.Case, ch *bot.Change) error {
			_, err := casework.Propose(c, map[string]string{"kh": "mm", "mm": "kh"}[c.Mission], "alasan", officer, now)
			return err
		})
		return name + " offer"
	case 12:
		if c.Offer == nil {
			return ""
		}
		to := c.Offer.To
		if v.pick(3) == 0 {
			v.desk(f, "return", officer, func(c *casework.Case, ch *bot.Change) error {
				_, err := casework.Return(c, to, "alasan", now, v.rules(c))
				return err
			})
			return name + " return"
		}
		if v.desk(f, "accept", officer, func(c *casework.Case, ch *bot.Change) error {
			_, err := casework.Accept(c, to, officer, now, v.hot.Lines[to].Mission.Rules())
			ch.Take = officer
			return err
		}) {
			for _, l := range c.Linked {
				if x, ver, err := v.store.LoadCase(ctx, "kh", l.ID); err == nil && casework.Follow(x, c) {
					if _, err := v.store.Commit(ctx, bot.Change{Line: "kh", Request: fmt.Sprint("follow", v.acts, l.ID), Case: x, CaseVer: ver}); err != nil {
						v.t.Fatal(err)
					}
				}
			}
		}
		return name + " accept"
	case 13, 14:
		return v.pair(f, officer)
	case 15:
		what, reason := "hold", "perkara"
		if c.Hold != nil {
			what, reason = "lift", ""
		}
		v.desk(f, what, officer, func(c *casework.Case, ch *bot.Change) error {
			_, err := casework.SetHold(c, reason, officer, now)
			return err
		})
		return name + " " + what
	default:
		if v.pick(4) > 0 {
			return ""
		}
		v.quiet()
		switch err := v.store.Erase(ctx, "kh", c.ID); {
		case errors.Is(err, bot.ErrHeld) || errors.Is(err, bot.ErrLinked):
			if c.Hold == nil && c.Into == nil {
				v.t.Fatalf("not erased: %v", err)
			}
		case err != nil:
			v.t.Fatal(err)
		case c.Hold != nil || c.Into != nil:
			v.t.Fatal("erased under a hold, or apart from its main case")
		default:
			v.gone[c.Code] = true
			for _, k := range c.Contacts {
				v.lost[k.Address] = true
			}
			for _, l := range c.Linked {
				v.gone[l.Code] = true
				for _, k := range l.Contacts {
					v.lost[k.Address] = true
				}
			}
		}
		return name + " erase"
	}
}

// pair links the case with another, or parts one.
func (v *lives) pair(f *bot.CaseFile, officer string) string {
	part, other := len(f.Case.Linked) > 0 && v.pick(2) == 0, ""
	if part {
		other = f.Case.Linked[0].Code
	} else if g := v.chosen(); g != nil {
		other = g.Case.Code
	}
	g, err := v.store.Open(v.t.Context(), f.Case.Mission, other, v.now(), bot.Audit{})
	if err != nil {
		return ""
	}
	c, x, now := f.Case, g.Case, v.now()
	l := bot.CaseLink{Line: "kh", Request: fmt.Sprint("pair", v.acts), Main: c, MainVer: f.Version, Other: x, OtherVer: g.Version, Part: part, Claim: officer,
		Audit: []bot.Audit{{At: now, Who: officer, What: "pair", Code: c.Code}}}
	due, waits, otherDue := c.DueAt, casework.Queued(c), x.DueAt
	otherWaits := casework.Queued(x)
	if part {
		for _, k := range c.Linked[0].Contacts {
			l.Contacts = append(l.Contacts, bot.ContactOf(k))
		}
		_, err = casework.Part(c, x, now)
	} else {
		for _, k := range x.Contacts {
			l.Contacts = append(l.Contacts, bot.ContactOf(k))
		}
		_, err = casework.Link(c, x, officer, now)
	}
	if err != nil {
		return ""
	}
	c.MarkRead(officer, now)
	for _, y := range []*casework.Case{c, x} {
		l.Timers = append(l.Timers, timersOf(y, now, v.rules(y))...)
	}
	switch err := v.store.LinkCases(v.t.Context(), l); {
	case errors.Is(err, bot.ErrLease) || errors.Is(err, bot.ErrClaimed):
		return ""
	case err != nil:
		v.t.Fatal(err)
	}
	v.audit["pair"]++
	if !part && (waits && c.DueAt.After(due) || otherWaits && c.DueAt.After(otherDue) || (waits || otherWaits) && !casework.Queued(c)) {
		v.t.Fatalf("linked: due %v, before %v and %v; queued %v", c.DueAt, due, otherDue, casework.Queued(c))
	}
	return fmt.Sprint(c.Code, " ", officer, " part ", part, " ", other)
}

// quiet waits until nothing is being sent: before the clock moves, or what is under way would be sent twice.
func (v *lives) quiet() {
	until(v.t, "nothing is being sent", func() bool {
		n, err := v.raw.ZCard(context.Background(), "{kh}:out:a:leased").Result()
		return err == nil && n == 0
	})
}

// look checks what must be true at every moment.
func (v *lives) look() {
	ctx := v.t.Context()
	in := map[string][]string{} // case id: the places of queues in which it stands
	for _, m := range []string{"kh", "mm"} {
		for _, set := range []string{"P1", "P2", "P3", "P4", "later", "claimed", "settled"} {
			ids, err := v.raw.ZRange(ctx, "{kh}:queue:"+m+":"+set, 0, -1).Result()
			if err != nil {
				v.t.Fatal(err)
			}
			for _, id := range ids {
				in[id] = append(in[id], m+" "+set)
			}
		}
	}
	timers, err := v.raw.ZRange(ctx, "{kh}:timers", 0, -1).Result()
	if err != nil {
		v.t.Fatal(err)
	}
	all, err := v.raw.HKeys(ctx, "{kh}:codes").Result()
	if err != nil {
		v.t.Fatal(err)
	}
	for _, code := range all { // a timer opens cases too
		v.codes[code] = true
	}
	heard := map[string]int{}
	for code := range v.codes {
		id, err := v.store.CaseID(ctx, "kh", code)
		if v.gone[code] || errors.Is(err, bot.ErrNotFound) {
			if err == nil {
				v.fail("%s was erased and is there", code)
			}
			v.gone[code] = true // by age
			continue
		}
		c, _, err := v.store.LoadCase(ctx, "kh", id)
		if err != nil {
			v.t.Fatal(err)
		}
		switch at := in[id]; {
		case c.Closed() && len(at) > 0:
			v.fail("%s is closed (%s) and stands in %v", code, c.ClosedAs, at)
		case !c.Closed() && (len(at) != 1 || !strings.HasPrefix(at[0], c.Mission+" ")):
			v.fail("%s of %s stands in %v", code, c.Mission, at)
		case !c.Closed() && c.Into != nil:
			v.fail("%s is open and goes on in another", code)
		case c.SettledAt.IsZero() && !c.Closed() && strings.HasSuffix(at[0], "settled"):
			v.fail("%s stands in %v and nobody settled it", code, at)
		}
		delete(in, id)
		for _, x := range casework.Timers(c, v.now(), v.rules(c)) {
			if !slices.Contains(timers, x.Name+"|"+id) {
				v.fail("%s has no timer %s for %v", code, x.Name, x.At)
			}
		}
		if v.pick(8) == 0 {
			f, err := v.store.Open(ctx, c.Mission, code, v.now(), bot.Audit{})
			if err != nil {
				v.t.Fatal(err)
			}
			for _, e := range f.Entries {
				if e.Kind == "in" {
					heard[e.Input.ID+" on "+code]++
				}
			}
		}
		if got, err := v.store.Offered(ctx, "mm", v.now(), 50); err == nil && c.Mission == "kh" {
			listed := slices.ContainsFunc(got, func(i bot.QueueItem) bool { return i.Case.Code == code })
			if listed != (c.Offer != nil && !c.Closed()) {
				v.fail("%s offered %v, listed %v", code, c.Offer, listed)
			}
		}
	}
	for id, at := range in {
		v.fail("%s stands in %v and is no case", id, at)
	}
	for u, n := range heard {
		if n > 1 {
			v.fail("%s stands %d times on a case", u, n)
		}
	}
}

func (v *lives) fail(format string, args ...any) {
	v.t.Helper()
	v.t.Fatalf(format+"\nafter\n%s", append(args, strings.Join(v.done[max(0, len(v.done)-60):], "\n"))...)
}

// end checks what can be told only at the end: every word stands once on some case, unless it went with an erased one or by
// age; every act has one row in the audit log.
func (v *lives) end() {
	at, on := map[string]int{}, map[string][]string{}
	faded := false
	for code := range v.codes {
		if v.gone[code] {
			continue
		}
		for _, m := range []string{"kh", "mm"} {
			f, err := v.store.Open(v.t.Context(), m, code, v.now(), bot.Audit{})
			if err != nil {
				continue
			}
			faded = faded || f.Case.Faded >= casework.FadeChat
			for _, e := range f.Entries {
				if e.Kind == "in" {
					at[e.Input.ID]++
					on[e.Input.ID] = append(on[e.Input.ID], code+": "+e.Input.Text)
				}
			}
		}
	}
	for w := range v.words {
		update, who, _ := strings.Cut(w, " ")
		// What was said on a closed case stands there, and on the one that was begun after it.
		if n := at[update]; n > 2 || n == 2 && on[update][0] == on[update][1] || n == 0 && !faded && !v.lost[who] {
			v.fail("%s of %s stands %d times: %v", update, who, n, on[update])
		}
	}
	rows, err := v.store.AuditLog(v.t.Context(), "kh", 5000)
	if err != nil {
		v.t.Fatal(err)
	}
	got := map[string]int{}
	for _, r := range rows {
		got[r.What]++
	}
	for what, n := range v.audit {
		if got[what] != n {
			v.fail("%s: %d rows in the audit log, done %d times", what, got[what], n)
		}
	}
}

// Whatever people, officers, timers and clocks do in whatever order: every open case stands in exactly one place of a queue
// and has the timers that it needs, a closed one in none; no word is lost or doubled; no act is missing from the audit log; no
// due time moves back by a link; nothing that is held is erased.
func TestLives(t *testing.T) {
	runs, acts := 4, 150
	if os.Getenv("PULANG_SOAK") == "1" {
		runs, acts = 60, 600
	}
	seed := uint64(1)
	if s := os.Getenv("PULANG_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
		runs = 1
	}
	server := storetest.Redis(t, "--appendonly", "no")
	for run := range runs {
		t.Run(fmt.Sprint("seed ", seed+uint64(run)), func(t *testing.T) {
			if err := server.Client.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			clk := &clock{}
			s := storetest.Open(t, server.Client, store.Options{Clock: clk.now, Lines: []store.Line{
				{Code: "kh", Missions: []string{"kh", "mm"}}, {Code: "mm", Missions: []string{"mm", "kh"}}}})
			v := &lives{line: newLine(t, s, clk), rnd: rand.New(rand.NewPCG(seed+uint64(run), 11)), raw: server.Client, words: map[string]int{},
				codes: map[string]bool{}, gone: map[string]bool{}, lost: map[string]bool{}, audit: map[string]int{}}
			v.hot.Retain, v.hot.Random = s, rand.NewChaCha8([32]byte{byte(run), byte(seed)}) // the same codes each time
			v.mission("mm")
			for range acts {
				v.done = append(v.done, v.step())
				v.look()
			}
			v.end()
		})
	}
}
