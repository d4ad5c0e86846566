package bot_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
	"pulang/flows/intake"
	"pulang/flows/lexicon"
	"pulang/locales"
)

// phone is a channel that keeps what each person was sent.
type phone struct {
	mu   sync.Mutex
	rows map[string][]bot.Row
	took int
}

func (p *phone) Name() string    { return "test" }
func (p *phone) Account() string { return "a" }
func (p *phone) Send(_ context.Context, r bot.Row) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rows == nil {
		p.rows = map[string][]bot.Row{}
	}
	p.took++
	p.rows[r.To.Address] = append(p.rows[r.To.Address], r)
	return fmt.Sprint("m", p.took), nil
}

func (p *phone) got(who string) []bot.Row {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.rows[who])
}

// line is a hotline with everything real but the messenger.
type line struct {
	t     testing.TB
	store *store.Store
	hot   *bot.Hotline
	phone *phone
	step  int // messages and acts so far
	*clock
}

// clock is the machine's, put forward by tests, or one that stands (stop). The store of such a test must go by it too.
type clock struct{ ahead, stopped atomic.Int64 }

func (c *clock) now() time.Time {
	if at := c.stopped.Load(); at != 0 {
		return time.Unix(0, at+c.ahead.Load())
	}
	return time.Now().Add(time.Duration(c.ahead.Load()))
}
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// stop makes the clock stand at that time; forward still moves it.
func (c *clock) stop(at time.Time) { c.ahead.Store(0); c.stopped.Store(at.UnixNano()) }

// staff is where the example mission's alerts go in these tests.
var staff = bot.Contact{Channel: "test", Account: "a", Address: "staff"}

func newLine(t testing.TB, st *store.Store, shared ...*clock) *line {
	t.Helper()
	return newLineOn(t, st, st, append(shared, &clock{})[0])
}

// newLineOn is newLine whose relay has an outbox of the test's.
func newLineOn(t testing.TB, st *store.Store, outbox bot.Outbox, clk *clock) *line {
	t.Helper()
	cat, err := locales.New()
	if err != nil {
		t.Fatal(err)
	}
	mission, err := bot.ParseMission([]byte(bot.ExampleMission()))
	if err != nil {
		t.Fatal(err)
	}
	flow := intake.New(intake.Config{
		Mission: mission.Name, Service: mission.Service, Country: mission.Country, CountryName: mission.CountryName,
		ZoneName: mission.ZoneName, Zone: mission.Location(), Reader: lexicon.Default(), Text: cat.Text,
	})
	l := &line{t: t, store: st, phone: &phone{}, clock: clk}
	l.hot = bot.NewHotline(bot.Options{
		Store: st, Catalogue: cat, Clock: l.now, Cans: map[string]flows.Can{"test": {Buttons: true}},
		Lines:  map[string]*bot.Line{"kh": {Mission: mission, Flow: flow, Alerts: []bot.Contact{staff}}},
		Groups: st.GroupExists,
	})
	relay := bot.NewRelay(bot.RelayOptions{
		Outbox: outbox, Channels: []bot.LineChannel{{Line: "kh", Channel: l.phone}},
		Rules: map[string]casework.Rules{"kh": mission.Rules()}, Look: 20 * time.Millisecond, Clock: l.now,
	})
	relay.Attach(l.hot)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = relay.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return l
}

func (l *line) message(who, update string, in flows.Input) bot.Message {
	if in.At.IsZero() {
		in.At = l.now()
	}
	if in.ID == "" {
		in.ID = update
	}
	return bot.Message{
		UpdateID: update, Line: "kh", From: bot.Contact{Channel: "test", Account: "a", Address: who}, Input: in,
		Can: flows.Can{Buttons: true},
	}
}

func (l *line) say(who, update, text string) {
	l.t.Helper()
	if err := l.hot.Handle(l.t.Context(), l.message(who, update, flows.Input{Kind: flows.KindText, Text: text})); err != nil {
		l.t.Fatal(err)
	}
}

// until waits for a condition that another goroutine brings about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

// file is the one case of a contact, as the desk opens it.
func (l *line) file(who string) bot.CaseFile {
	l.t.Helper()
	snap, err := l.store.Load(l.t.Context(), "kh", bot.Contact{Channel: "test", Account: "a", Address: who}, "look")
	if err != nil || snap.Case == nil {
		l.t.Fatalf("no case: %v", err)
	}
	f, err := l.store.Open(l.t.Context(), "kh", snap.Case.Code, time.Now(), bot.Audit{Who: "test", What: "open"})
	if err != nil {
		l.t.Fatal(err)
	}
	return f
}

func TestOneBreathFillsThreeAnswersAndNothingIsLost(t *testing.T) {
	storetest.Both(t, store.Options{}, func(t *testing.T, s *store.Store, _ redis.UniversalClient) {
		l := newLine(t, s)
		const words = "min tolong gw di bavet pasport dipegang bos ga bs kluar"
		l.say("1", "u1", words)
		f := l.file("1")
		if got := f.Case.Answers[flows.StepPassportStatus].Value(); got != "held_by_employer" {
			t.Errorf("passport %q", got)
		}
		if len(f.Case.Locations) == 0 || f.Case.Locations[0].Place != "Bavet" {
			t.Errorf("locations %+v", f.Case.Locations)
		}
		if len(f.Entries) < 2 || f.Entries[0].Input == nil || f.Entries[0].Input.Text != words {
			t.Errorf("the first words are not first on the timeline: %+v", f.Entries)
		}
		until(t, "a reply", func() bool { return len(l.phone.got("1")) == 1 })
		if got := l.phone.got("1")[0].Out; len(got.Buttons) == 0 || !strings.Contains(got.Text, "1. ") {
			t.Errorf("the reply asks nothing that can be tapped or typed: %+v", got)
		}
	})
}

func TestSecondDeliveryChangesNothing(t *testing.T) {
	storetest.Both(t, store.Options{}, func(t *testing.T, s *store.Store, _ redis.UniversalClient) {
		l := newLine(t, s)
		for range 3 {
			l.say("1", "u1", "saya di poipet, tolong")
			l.say("1", "u2", "2")
			l.say("1", "u1", "saya di poipet, tolong")
		}
		f := l.file("1")
		var words []string
		for _, e := range f.Entries {
			if e.Kind == "in" {
				words = append(words, e.Input.Text)
			}
		}
		if !slices.Equal(words, []string{"saya di poipet, tolong", "2"}) {
			t.Errorf("timeline %q", words)
		}
		until(t, "two replies", func() bool { return len(l.phone.got("1")) == 2 })
	})
}

func TestManyAtOnceForOnePersonKeepEveryWordOnce(t *testing.T) {
	s := storetest.Open(t, storetest.Redis(t, "--appendonly", "no").Client, store.Options{})
	a, b := newLine(t, s), newLine(t, s) // two processes on one store: only versions keep them apart
	var all sync.WaitGroup
	for n := range 40 {
		for _, l := range []*line{a, b} {
			all.Go(func() {
				in := flows.Input{Kind: flows.KindText, Text: fmt.Sprintf("kata nomor %d", n)}
				for l.hot.Handle(t.Context(), l.message("1", fmt.Sprint("u", n), in)) != nil {
					if t.Context().Err() != nil {
						return
					}
				}
			})
		}
	}
	all.Wait()
	seen := map[string]int{}
	for _, e := range a.file("1").Entries {
		if e.Kind == "in" {
			seen[e.Input.Text]++
		}
	}
	for n := range 40 {
		if got := seen[fmt.Sprintf("kata nomor %d", n)]; got != 1 {
			t.Errorf("word %d stands %d times on the case", n, got)
		}
	}
}

// TestRepeatsAndTwoLanes delivers each update 1 to 5 times, repeats anywhere after the first, the lane of texts and
// the lane of taps interleaved at random: no effect twice, every tap on its own step, every word on the case.
func TestRepeatsAndTwoLanes(t *testing.T) {
	runs := 60
	if os.Getenv("PULANG_SOAK") == "1" {
		runs = 1500
	}
	s := storetest.Open(t, storetest.Mini(t), store.Options{})
	l := newLine(t, s)
	for run := range runs {
		rnd := rand.New(rand.NewPCG(uint64(run), 7))
		who := fmt.Sprint("p", run)
		l.say(who, "u0", "halo, saya minta tolong") // opens the case; its scope is needed for the taps
		scope := l.state(who).Scope
		taps := []flows.Tap{{Step: flows.StepSafetyNow, Value: flows.Safe}, {Step: flows.StepWhoFor, Value: "self"},
			{Step: flows.StepPassportStatus, Value: "lost_stolen"}, {Step: flows.StepImmigration, Value: "overstay"}}
		var tapLane, textLane []bot.Message
		for i, tap := range taps {
			tap.Scope = scope
			tapLane = append(tapLane, l.message(who, fmt.Sprint("t", i), flows.Input{Kind: flows.KindTap, Tap: &tap}))
		}
		for i := range 6 {
			in := flows.Input{Kind: flows.KindText, Text: fmt.Sprintf("cerita %d dari %d", i, run), ID: fmt.Sprint("x", i)}
			textLane = append(textLane, l.message(who, fmt.Sprint("x", i), in))
		}
		deliveries := interleave(rnd, textLane, tapLane)
		for _, m := range deliveries {
			if err := l.hot.Handle(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		f := l.file(who)
		for _, tap := range taps {
			if got := f.Case.Answers[tap.Step].Value(); got != tap.Value {
				t.Fatalf("run %d: %s is %q, tapped was %q", run, tap.Step, got, tap.Value)
			}
		}
		seen := map[string]int{}
		for _, e := range f.Entries {
			if e.Kind == "in" {
				seen[e.Update]++
			}
		}
		for _, m := range append(textLane, tapLane...) {
			if seen[m.UpdateID] != 1 {
				t.Fatalf("run %d: update %s stands %d times on the case", run, m.UpdateID, seen[m.UpdateID])
			}
		}
	}
}

// interleave delivers each message 1 to 5 times: first copies in order within their lane, repeats anywhere later.
func interleave(rnd *rand.Rand, lanes ...[]bot.Message) []bot.Message {
	var out []bot.Message
	next := make([]int, len(lanes))
	for {
		var open []int
		for i, l := range lanes {
			if next[i] < len(l) {
				open = append(open, i)
			}
		}
		if len(open) == 0 {
			return out
		}
		i := open[rnd.IntN(len(open))]
		m := lanes[i][next[i]]
		next[i]++
		out = append(out, m)
		for range rnd.IntN(5) {
			out = append(out, out[rnd.IntN(len(out))]) // a repeat of something that was delivered before
		}
	}
}

func (l *line) state(who string) flows.State {
	l.t.Helper()
	snap, err := l.store.Load(l.t.Context(), "kh", bot.Contact{Channel: "test", Account: "a", Address: who}, "look")
	if err != nil {
		l.t.Fatal(err)
	}
	return snap.State
}

func TestStoreDownTellsOneNeutralLineAndRefuses(t *testing.T) {
	server := storetest.Redis(t)
	s := storetest.Open(t, server.Client, store.Options{})
	l := newLine(t, s)
	l.say("1", "u1", "saya di poipet")
	until(t, "a reply", func() bool { return len(l.phone.got("1")) == 1 })
	server.Kill()
	for _, update := range []string{"u2", "u2", "u3"} { // redelivered, and one more
		err := l.hot.Handle(t.Context(), l.message("1", update, flows.Input{Kind: flows.KindText, Text: "paspor saya disita"}))
		if err == nil {
			t.Fatal("acknowledged without being stored")
		}
		if strings.Contains(err.Error(), "disita") {
			t.Errorf("the words stand in the error: %v", err)
		}
	}
	until(t, "the neutral line", func() bool { return len(l.phone.got("1")) == 2 })
	line := l.phone.got("1")[1]
	for _, word := range []string{"paspor", "KBRI", "lapor", "korban", "diterima", "disimpan"} {
		if strings.Contains(strings.ToLower(line.Out.Text), strings.ToLower(word)) {
			t.Errorf("%q says %q", line.Out.Text, word)
		}
	}
	server.Start()
	until(t, "the store is back", func() bool {
		return l.hot.Handle(t.Context(), l.message("1", "u2", flows.Input{Kind: flows.KindText, Text: "paspor saya disita"})) == nil
	})
	l.say("1", "u3", "masih di sini")
	seen := 0
	for _, e := range l.file("1").Entries {
		if e.Kind == "in" && e.Input.Text == "paspor saya disita" {
			seen++
		}
	}
	if seen != 1 {
		t.Errorf("what was said during the outage stands %d times on the case", seen)
	}
	if n := len(l.phone.got("1")); n > 4 {
		t.Errorf("%d messages: one neutral line per outage", n)
	}
}

func TestAPanicIsNoAcknowledgement(t *testing.T) {
	s := storetest.Open(t, storetest.Mini(t), store.Options{})
	l := newLine(t, s)
	l.hot.Lines["kh"].Flow = panics{}
	err := l.hot.Handle(t.Context(), l.message("1", "u1", flows.Input{Kind: flows.KindText, Text: "rahasia"}))
	if err == nil || errors.Is(err, bot.ErrConflict) || strings.Contains(err.Error(), "rahasia") {
		t.Errorf("err = %v", err)
	}
}

type panics struct{}

func (panics) Next(flows.Env, flows.State, flows.Input) flows.Turn { panic("rahasia") }

// desk commits what an officer does on the one case of a contact.
func (l *line) desk(who, request string, act func(c *casework.Case) bot.Change) error {
	f := l.file(who)
	c := act(f.Case)
	f.Case.Rescore(l.now(), l.hot.Lines["kh"].Mission.Rules())
	c.Line, c.Request, c.Case, c.CaseVer = "kh", request, f.Case, f.Version
	_, err := l.store.Commit(l.t.Context(), c)
	return err
}

// officerReply queues an officer's words for contact 1.
func (l *line) officerReply(c *casework.Case) bot.Change {
	return bot.Change{Rows: []bot.Row{{
		ID: "01J00000000000000000000000", Line: "kh", CaseID: c.ID, Lane: bot.LaneOfficer, Kind: casework.KindOfficer,
		To:    bot.Contact{Channel: "test", Account: "a", Address: "1"},
		State: bot.RowQueued, CreatedAt: l.now(), Out: bot.Outgoing{Text: "Halo, bagaimana keadaan Anda?"},
	}}}
}

// confirmSafe is the officer's finding that the person is safe.
func (l *line) confirmSafe(c *casework.Case) bot.Change {
	if err := c.ConfirmSafety(flows.Safe, "sri", l.now()); err != nil {
		l.t.Error(err)
	}
	return bot.Change{}
}

// between is an outbox in which something happens after a row was judged and before it is held.
type between struct {
	bot.Outbox
	once sync.Once
	act  func()
}

func (b *between) Finish(ctx context.Context, line string, now time.Time, done []bot.Sent, lease time.Duration) ([]bot.Leased, error) {
	if slices.ContainsFunc(done, func(s bot.Sent) bool { return s.Row.State == bot.RowHeld }) {
		b.once.Do(b.act)
	}
	return b.Outbox.Finish(ctx, line, now, done, lease)
}

// The gate opens at the very moment in which a row is judged: the officer's words leave all the same.
func TestRowLeavesWhenTheGateOpensWhileItIsJudged(t *testing.T) {
	clk := &clock{}
	storetest.Both(t, store.Options{Clock: clk.now}, func(t *testing.T, s *store.Store, _ redis.UniversalClient) {
		race := &between{Outbox: s}
		l := newLineOn(t, s, race, clk)
		acted := make(chan error, 1)
		race.act = func() { acted <- l.desk("1", "safe", l.confirmSafe) }
		l.say("1", "u1", "paspor saya hilang, saya di poipet")
		l.say("1", "u2", "2")
		until(t, "two replies", func() bool { return len(l.phone.got("1")) == 2 })
		l.settled("1")
		l.forward(time.Hour)
		if err := l.desk("1", "reply", l.officerReply); err != nil {
			t.Fatal(err)
		}
		l.forward(time.Minute) // the lease of the committer, which sends nothing
		if err := <-acted; err != nil {
			t.Fatal(err)
		}
		until(t, "the officer's words arrive", func() bool { return len(l.phone.got("1")) == 3 })
	})
}

// An officer who finds out that a person is safe opens the gate: what was held for the person leaves.
func TestHeldRowLeavesWhenAnOfficerOpensTheGate(t *testing.T) {
	clk := &clock{}
	storetest.Both(t, store.Options{Clock: clk.now}, func(t *testing.T, s *store.Store, _ redis.UniversalClient) {
		l := newLine(t, s, clk)
		l.say("1", "u1", "paspor saya hilang, saya di poipet")
		l.say("1", "u2", "2")
		until(t, "two replies", func() bool { return len(l.phone.got("1")) == 2 })
		l.settled("1")
		l.forward(time.Hour)
		desk := func(request string, act func(c *casework.Case) bot.Change) {
			t.Helper()
			if err := l.desk("1", request, act); err != nil {
				t.Fatal(err)
			}
		}
		desk("reply", l.officerReply)
		held := func() bool {
			rows, err := s.Letters(t.Context(), "kh", bot.RowHeld, 10)
			return err == nil && len(rows) == 1
		}
		// The row was leased to whoever committed it, and nobody sends it: its lease has to end first.
		l.forward(time.Minute)
		until(t, "the row is held", held)
		desk("note", func(*casework.Case) bot.Change { return bot.Change{} })
		until(t, "asked again and still held", held)
		if n := len(l.phone.got("1")); n != 2 {
			t.Fatalf("%d messages to a watched person who has not written for an hour", n)
		}
		desk("safe", l.confirmSafe)
		until(t, "the officer's words arrive", func() bool { return len(l.phone.got("1")) == 3 })
	})
}
