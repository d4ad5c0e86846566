package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// grownMessages is how many messages a person has written and got in a bulk-loaded case: the whole intake.
const grownMessages = 12

// grown is person n's open case as the intake leaves it.
func grown(n int) (bot.Contact, *casework.Case, *flows.State) {
	who := bot.Contact{Channel: "telegram", Account: "7000001", Address: strconv.Itoa(500_000_000 + n)}
	class, due := casework.P4, deskNow.Add(time.Duration(n%2880-1440)*time.Minute)
	switch x := n % 100; {
	case x < 8:
		class = casework.P1
	case x < 25:
		class = casework.P2
	case x < 70:
		class = casework.P3
	}
	c := caseWith(n, class, due)
	c.ID = fmt.Sprintf("01KFG%021d", n)
	c.Permission = flows.CallWindow
	from := n * 7 % 1440
	c.Windows = []casework.Window{{From: from, To: (from + 90) % 1440}}
	c.Contacts = []casework.Contact{{Channel: who.Channel, Account: who.Account, Address: who.Address}}
	c.Locations = []flows.Location{{Kind: "pin", HasPoint: true, Lat: 13.6, Lon: 102.5, Place: "Poipet", Province: "Banteay Meanchey", Country: "KH", At: deskNow}}
	c.Triage.Reasons = []casework.Reason{{ID: "no_passport", Points: 10}, {ID: "overstay", Points: 5}}
	st := &flows.State{Case: c.Code, LastAt: deskNow, Scope: "7f3a", Answers: map[flows.StepID]flows.Answer{},
		Shown: &flows.Shown{Step: flows.StepContactPref, At: deskNow, Buttons: true}}
	for i, step := range []flows.StepID{flows.StepSafetyNow, flows.StepWhoFor, flows.StepPassportStatus, flows.StepImmigration, flows.StepContactPref, flows.StepPlaceKind} {
		words := "jawaban warga"
		if i == 0 { // records of all lengths: what Redis loses to its blocks of 256 bytes is what it loses on average
			words += strings.Repeat(".", n*37%256)
		}
		a := flows.Answer{Values: []flows.Value{flows.Menus[step][0]}, Text: words, At: deskNow, From: strconv.Itoa(n*20 + i)}
		c.Answers[step], st.Answers[step] = a, a
	}
	return who, c, st
}

// grow bulk-loads the cases of persons from to until, by the same commits, keys and seals as a message makes. What
// a dozen messages would leave beside the last commit, the dedupe entries, is put there directly. whole is with the
// timeline and row states of all of them, which nothing below reads; otherwise of one.
func grow(t testing.TB, s *Store, from, until int, whole bool) {
	t.Helper()
	ctx := context.Background()
	var next atomic.Int64
	next.Store(int64(from))
	var once sync.Once
	var failed error
	var wg sync.WaitGroup
	for range 128 {
		wg.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= until {
					return
				}
				if err := growOne(ctx, s, n, whole); err != nil {
					once.Do(func() { failed = err; next.Store(int64(until)) })
					return
				}
			}
		})
	}
	wg.Wait()
	must(t, failed)
}

func growOne(ctx context.Context, s *Store, n int, whole bool) error {
	who, c, st := grown(n)
	ch := bot.Change{Line: "kh", Request: fmt.Sprint("telegram:7000001:", n), Who: &who, State: st, Case: c, Wrote: true,
		Timers: []bot.Timer{{Line: "kh", Name: "due", CaseID: c.ID, At: c.DueAt}}}
	contact := s.keys.contactID("kh", who)
	var seen []redis.Z
	states := make([]any, 0, 2*grownMessages)
	for i := range grownMessages {
		at, pid := deskNow.Add(time.Duration(i)*time.Minute), strconv.Itoa(1_000_000+2*i)
		in := flows.Input{Kind: flows.KindText, ID: strconv.Itoa(1_000_000 + 2*i + 1), Text: "jawaban warga", At: at}
		row := newID(at)
		seen = append(seen, redis.Z{Score: float64(at.Unix()), Member: gotAs(in.ID)}, redis.Z{Score: float64(at.Unix()), Member: s.keys.digest(fmt.Sprint(n, " ", i))})
		if whole || i == 0 {
			ch.Entries = append(ch.Entries, bot.Entry{ID: newID(at), At: at, Kind: "in", Input: &in, Channel: who.Channel},
				bot.Entry{ID: row, At: at, Kind: "out", Text: "Terima kasih. Anda sekarang di mana? Paling mudah: kirim lokasi.", Row: row, Channel: who.Channel})
			states = append(states, row, fmt.Sprintf("sent %d %s", at.UnixMilli(), pid))
		}
	}
	if _, err := s.Commit(ctx, ch); err != nil {
		return err
	}
	pipe := s.rdb.Pipeline()
	pipe.ZAdd(ctx, keySeen("kh", contact), seen...)
	pipe.HSet(ctx, keyRowStates("kh", c.ID), states...)
	_, err := pipe.Exec(ctx)
	return err
}

// weight is what n open cases take of Redis' memory, by kind of key, from a sample.
type weight struct {
	used, timeline, sealed, rowStates float64 // bytes a case
	kinds                             map[string]float64
}

func weigh(t testing.TB, s *Store, n int, before float64) (w weight) {
	t.Helper()
	ctx := context.Background()
	w.used = (usedMemory(t, s) - before) / float64(n)
	w.kinds = map[string]float64{}
	const sample = 200
	for i := range sample {
		p := i * n / sample
		who, c, _ := grown(p)
		contact := s.keys.contactID("kh", who)
		for kind, key := range map[string]string{"conv": keyConv("kh", contact), "seen": keySeen("kh", contact), "case": keyCase("kh", c.ID),
			"timeline": keyTimeline("kh", c.ID), "rowstates": keyRowStates("kh", c.ID)} {
			b, err := s.rdb.MemoryUsage(ctx, key, 0).Result()
			must(t, err)
			w.kinds[kind] += float64(b) / sample
		}
		for _, kf := range [][2]string{{keyConv("kh", contact), "s"}, {keyConv("kh", contact), "a"}, {keyCase("kh", c.ID), "s"}} {
			v, err := s.rdb.HGet(ctx, kf[0], kf[1]).Result()
			must(t, err)
			w.sealed += float64(len(v)) / sample
		}
	}
	var names []string
	if n <= 10_000 { // a list of all keys of a large store takes longer than a client waits
		var err error
		names, err = s.rdb.Keys(ctx, "*").Result()
		must(t, err)
	}
	for _, name := range names {
		kind, _, _ := strings.Cut(strings.TrimPrefix(name, "{kh}:"), ":")
		if kind == "conv" || kind == "seen" || kind == "case" || kind == "timeline" || kind == "rowstates" {
			continue
		}
		b, err := s.rdb.MemoryUsage(ctx, name, 0).Result()
		must(t, err)
		if kind == "queue" {
			kind = name
		}
		w.kinds["~"+kind] += float64(b) / float64(n)
	}
	w.timeline, w.rowStates = w.kinds["timeline"], w.kinds["rowstates"]
	return w
}

// own is what an open case takes besides its sealed text, its timeline and the states of the rows in it.
func (w weight) own() float64 { return w.used - w.timeline - w.sealed - w.rowStates }

func (w weight) String() string {
	var kinds []string
	for k, v := range w.kinds {
		kinds = append(kinds, fmt.Sprintf("%s %.0f", k, v))
	}
	slices.Sort(kinds)
	return fmt.Sprintf("%.0f bytes a case, %.0f without sealed text (%.0f), timeline and row states [%s]", w.used, w.own(), w.sealed, strings.Join(kinds, ", "))
}

func usedMemory(t testing.TB, s *Store) float64 {
	t.Helper()
	// In one transaction: the buffers of connections come and go by the half megabyte on a busy machine, and INFO's own
	// figure of them is up to some seconds old.
	var info, clients *redis.StringCmd
	_, err := s.rdb.TxPipelined(context.Background(), func(p redis.Pipeliner) error {
		info, clients = p.Info(context.Background(), "memory"), p.ClientList(context.Background())
		return nil
	})
	must(t, err)
	sum, found := 0.0, map[string]int{}
	for field := range strings.FieldsFuncSeq(info.Val()+" "+strings.ReplaceAll(clients.Val(), "=", ":"), unicode.IsSpace) {
		name, v, _ := strings.Cut(field, ":")
		if sign := map[string]float64{"used_memory": 1, "mem_aof_buffer": -1, "tot-mem": -1}[name]; sign != 0 {
			f, err := strconv.ParseFloat(v, 64)
			must(t, err)
			sum += sign * f
			found[name]++
		}
	}
	if found["used_memory"] != 1 || found["mem_aof_buffer"] != 1 || found["tot-mem"] == 0 {
		t.Fatal("Redis does not say what is used")
	}
	return sum
}

// mostOwn is what an open case has to stay below besides its sealed text, timeline and row states: measured 1,994,
// dedupe entries of a whole intake (456) included.
const mostOwn = 2048

// startLean is a redis-server with the settings of an own one that concern memory.
func startLean(t testing.TB) redis.UniversalClient {
	t.Helper()
	c := startReal(t)
	// on a slow machine the log of slow commands would take 0.3 MB
	for set := append(LeanSettings(), "--slowlog-max-len", "0"); len(set) > 0; set = set[2:] {
		must(t, c.ConfigSet(context.Background(), strings.TrimPrefix(set[0], "--"), set[1]).Err())
	}
	return c
}

// work is what Redis did: commands, those within scripts counted, and bytes that it sent and got.
type work struct{ commands, bytes float64 }

func workOf(t testing.TB, s *Store) (w work) {
	t.Helper()
	info, err := s.rdb.Info(context.Background(), "commandstats", "stats").Result()
	must(t, err)
	for l := range strings.Lines(info) {
		name, v, _ := strings.Cut(strings.TrimSpace(l), ":")
		switch {
		case strings.HasPrefix(name, "cmdstat_") && name != "cmdstat_info":
			calls, _, _ := strings.Cut(strings.TrimPrefix(v, "calls="), ",")
			n, err := strconv.ParseFloat(calls, 64)
			must(t, err)
			w.commands += n
		case name == "total_net_input_bytes", name == "total_net_output_bytes":
			n, err := strconv.ParseFloat(v, 64)
			must(t, err)
			w.bytes += n
		}
	}
	return w
}

// acts are what the hotline does all day; each must cost the same however many cases are open. Messages are those of
// every stride-th person.
func acts(s *Store, stride int) map[string]func(i int) error {
	ctx := context.Background()
	return map[string]func(i int) error{
		"commit": func(i int) error {
			who, c, _ := grown(i * stride)
			req := rand.Text()
			s.hand.forget() // who is still at hand depends on how many wrote since: the dear way is what is compared
			snap, err := s.Load(ctx, "kh", who, req)
			if err != nil {
				return err
			}
			if snap.Case == nil || snap.Case.Code != c.Code {
				return fmt.Errorf("case %d is not there", i*stride)
			}
			snap.Case.LastIn, snap.Case.DueAt = deskNow, snap.Case.DueAt.Add(time.Minute)
			in := flows.Input{Kind: flows.KindText, ID: fmt.Sprint(9_000_000 + i), Text: "masih di sini", At: deskNow}
			_, err = s.Commit(ctx, bot.Change{Line: "kh", Request: req, Who: &who, State: &snap.State, Version: snap.Version, Case: snap.Case,
				CaseVer: snap.CaseVer, Wrote: true, Entries: []bot.Entry{{ID: newID(deskNow), At: deskNow, Kind: "in", Input: &in, Channel: "telegram"}}})
			return err
		},
		"next": func(i int) error {
			o := officer(i)
			code, err := s.Next(ctx, "kh", o, deskNow, nil, rand.Text(), did("next"))
			if err == nil {
				err = s.Release(ctx, "kh", code, o.Name, rand.Text(), did("release"))
			}
			return err
		},
		"queue page": func(int) error {
			page, err := s.Queue(ctx, "kh", deskNow, 100)
			if err == nil && len(page.Items) != 100 {
				err = fmt.Errorf("%d items", len(page.Items))
			}
			return err
		},
	}
}

// The cost of a message, of Next and of a queue page does not grow with the number of open cases: as many commands,
// as many bytes, once there are more than are ever looked at. And an open case takes what it may of Redis' memory, not more.
func TestCostDoesNotGrow(t *testing.T) {
	t.Parallel()
	const small, large, times = 1000, 4000, 12
	s := openDesk(t, startLean(t))
	grow(t, s, 0, 1, true)
	before := usedMemory(t, s)
	measure := func() map[string]work {
		out := map[string]work{}
		for name, act := range acts(s, 7) {
			must(t, act(0)) // the first asks for what is then remembered
			was := workOf(t, s)
			for i := range times {
				must(t, act(1+i))
			}
			is := workOf(t, s)
			out[name] = work{(is.commands - was.commands) / times, (is.bytes - was.bytes) / times}
		}
		return out
	}
	grow(t, s, 1, small, true)
	few := measure()
	grow(t, s, small, large, true)
	w := weigh(t, s, large, before)
	many := measure()
	for name, f := range few {
		m := many[name]
		t.Logf("soak: %s: %.0f commands and %.0f bytes at %d open cases, %.0f and %.0f at %d", name, f.commands, f.bytes, small, m.commands, m.bytes, large)
		if m.commands > f.commands*1.25+3 || m.bytes > f.bytes*1.25+500 {
			t.Errorf("%s grows with the queue", name)
		}
	}
	t.Log("soak:", w)
	if w.own() >= mostOwn {
		t.Errorf("an open case takes %.0f bytes of its own, less than %d are wanted", w.own(), mostOwn)
	}
}

// The same in time, with PULANG_SOAK=1: at 100,000 open cases, or at as many as PULANG_SOAK_CASES says (1,000,000 take
// 6 GB and minutes: go test -timeout 40m), each act takes at most 1.5 times as long as at 1,000, at the median. The small
// and the large store are asked in turn, so that what else the machine does meets both.
func TestCostDoesNotGrowInTime(t *testing.T) {
	if os.Getenv("PULANG_SOAK") != "1" {
		t.Skip("PULANG_SOAK is not set: this takes minutes and a quiet machine")
	}
	sizes := []int{100_000}
	if v := os.Getenv("PULANG_SOAK_CASES"); v != "" {
		n, err := strconv.Atoi(v)
		must(t, err)
		if sizes[0] = min(sizes[0], n); n > sizes[0] {
			sizes = append(sizes, n)
		}
	}
	const small, times, people = 1000, 300, 140
	few := openDesk(t, startLean(t))
	grow(t, few, 0, small, false)
	s := openDesk(t, startLean(t))
	grow(t, s, 0, 1, false)
	before, from := usedMemory(t, s), 1
	for _, large := range sizes {
		began := time.Now()
		grow(t, s, from, large, false)
		took := time.Since(began)
		t.Logf("soak: %d open cases, %d loaded in %v, %.0f a second: %v", large, large-from, took.Round(time.Second),
			float64(large-from)/took.Seconds(), weigh(t, s, large, before))
		from = large
		at, ref := acts(s, large/people), acts(few, small/people)
		for name, act := range at {
			var took [2][]time.Duration
			for i := range times {
				for k, act := range []func(int) error{ref[name], act} {
					began := time.Now()
					must(t, act(i%people))
					took[k] = append(took[k], time.Since(began))
				}
			}
			for k := range took {
				slices.Sort(took[k])
			}
			p := func(k, percent int) time.Duration { return took[k][times*percent/100].Round(time.Microsecond) }
			ratio := float64(took[1][times/2]) / float64(took[0][times/2])
			t.Logf("soak: %s: p50 %v, p95 %v at %d open cases, %v and %v at %d: %.2f times as long", name, p(1, 50), p(1, 95), large,
				p(0, 50), p(0, 95), small, ratio)
			if ratio > 1.5 {
				t.Errorf("%s grows with the queue", name)
			}
		}
	}
}
