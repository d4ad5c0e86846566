package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
)

const acct = "7000001"

func take(t testing.TB, s *store.Store, now time.Time, n int) []bot.Leased {
	t.Helper()
	rows, err := s.Take(ctx, "kh", acct, now, n, bot.LaneBroadcast, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func finish(t testing.TB, s *store.Store, now time.Time, done ...bot.Sent) []bot.Leased {
	t.Helper()
	next, err := s.Finish(ctx, "kh", now, done, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func sent(l bot.Row) bot.Sent {
	l.State, l.ProviderID = bot.RowSent, "m"+l.ID
	return bot.Sent{Row: l}
}

func ids(rows []bot.Leased) []string {
	var out []string
	for _, l := range rows {
		out = append(out, l.Row.ID)
	}
	return out
}

func want(t testing.TB, what string, got []bot.Leased, wanted ...string) {
	t.Helper()
	if g := ids(got); !slices.Equal(g, wanted) {
		t.Fatalf("%s: %v, want %v", what, g, wanted)
	}
}

// send queues rows at the desk, which leases the first of an idle contact.
func send(t testing.TB, s *store.Store, rows ...bot.Row) bot.Committed {
	t.Helper()
	return commit(t, s, bot.Change{Line: "kh", Rows: rows})
}

func TestOutboxOrder(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, now *clock) {
		a, b := citizen(1), citizen(2)
		done := send(t, s, row("a1", a), row("a2", a), row("b1", b))
		if len(done.Mine) != 2 || done.Mine[0].ID != "a1" || done.Mine[1].ID != "b1" {
			t.Fatalf("handed over: %+v", done.Mine)
		}
		if done := send(t, s, row("a3", a)); len(done.Mine) != 0 {
			t.Fatal("rows of one contact overlap")
		}
		want(t, "all are leased", take(t, s, noon, 10))
		next := finish(t, s, noon, sent(done.Mine[1]), sent(done.Mine[0]))
		want(t, "the next of a", next, "a2")
		next = finish(t, s, noon, sent(next[0].Row))
		want(t, "and the next", next, "a3")
		want(t, "at the end", finish(t, s, noon, sent(next[0].Row)))
		want(t, "nothing is left", take(t, s, noon.Add(time.Hour), 10))
		if done := send(t, s, row("a4", a)); len(done.Mine) != 1 {
			t.Fatal("idle again, and not handed over")
		}
		now.add(0)
	})
}

func TestOutboxLanes(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, _ *clock) {
		lane := func(r bot.Row, l bot.Lane) bot.Row { r.Lane = l; return r }
		// The first of each is handed over and comes back when its lease ends.
		send(t, s, lane(row("a1", citizen(1)), bot.LaneBroadcast))
		send(t, s, lane(row("b1", citizen(2)), bot.LaneStatus))
		send(t, s, lane(row("c1", citizen(3)), bot.LaneBot))
		send(t, s, lane(row("d1", citizen(4)), bot.LaneOfficer))
		send(t, s, lane(row("a2", citizen(1)), bot.LaneSafety))
		later := noon.Add(46 * time.Second)
		rows, err := s.Take(ctx, "kh", acct, later, 10, bot.LaneOfficer, 30*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "a's safety row goes before the broadcast that came first", rows, "a2", "d1")
		want(t, "one", take(t, s, later, 1), "c1")
		want(t, "the rest", take(t, s, later, 10), "b1")
		want(t, "another account", func() []bot.Leased {
			r, err := s.Take(ctx, "kh", "other", later, 10, bot.LaneBroadcast, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}())
	})
}

func TestOutboxLeaseEnds(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, rdb redis.UniversalClient, _ *clock) {
		first := send(t, s, row("a1", citizen(1)), row("a2", citizen(1))).Mine[0]
		want(t, "still leased", take(t, s, noon.Add(44*time.Second), 10))
		second := take(t, s, noon.Add(45*time.Second), 10)
		want(t, "the lease is over", second, "a1")
		// The first sender was slow, not dead: what it sent is sent, and what it failed at is no business of its any more.
		late := first
		late.State, late.NotBefore = bot.RowQueued, noon.Add(time.Hour)
		want(t, "late failure", finish(t, s, noon.Add(46*time.Second), bot.Sent{Row: late}))
		if n := rdb.ZCard(ctx, "{kh}:out:"+acct+":leased").Val(); n != 1 {
			t.Fatal("the second sender's lease is gone")
		}
		next := finish(t, s, noon.Add(47*time.Second), sent(second[0].Row))
		want(t, "in order", next, "a2")
		want(t, "late success of a row that is gone", finish(t, s, noon.Add(48*time.Second), sent(first)))
		finish(t, s, noon.Add(49*time.Second), sent(next[0].Row))
		want(t, "all are sent", take(t, s, noon.Add(time.Hour), 10))
	})
}

func TestOutboxRetryAndFreeze(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, now *clock) {
		r := send(t, s, row("a1", citizen(1)), row("a2", citizen(1))).Mine[0]
		r.State, r.Attempts, r.NotBefore, r.Why = bot.RowQueued, 3, noon.Add(time.Minute), "down"
		want(t, "not at once", finish(t, s, noon, bot.Sent{Row: r}))
		want(t, "not before its time, and a2 not before a1", take(t, s, noon.Add(59*time.Second), 10))
		again := take(t, s, noon.Add(time.Minute), 10)
		want(t, "at its time", again, "a1")
		if x := again[0].Row; x.Attempts != 3 || x.Why != "down" || !x.CreatedAt.Equal(noon) || x.Out.Text != "text of a1" || x.State != bot.RowSending {
			t.Fatalf("as it was left: %+v", x)
		}
		b := send(t, s, row("b1", citizen(2))).Mine[0]
		b.State, b.NotBefore = bot.RowQueued, noon.Add(time.Minute)
		finish(t, s, noon.Add(time.Minute), bot.Sent{Row: b, Freeze: noon.Add(5 * time.Minute)})
		want(t, "frozen", take(t, s, noon.Add(5*time.Minute-time.Millisecond), 10))
		now.add(2 * time.Minute)
		if done := send(t, s, row("c1", citizen(3))); len(done.Mine) != 0 {
			t.Fatal("handed over while frozen")
		}
		if next := finish(t, s, noon.Add(2*time.Minute), sent(again[0].Row)); len(next) != 0 {
			t.Fatal("leased again while frozen")
		}
		got := ids(take(t, s, noon.Add(5*time.Minute), 10))
		if !slices.Equal(sorted(got), []string{"a2", "b1", "c1"}) {
			t.Fatal("thawed:", got)
		}
	})
}

func TestOutboxHeld(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, rdb redis.UniversalClient, now *clock) {
		who := citizen(1)
		hold := func(r bot.Row, until time.Time) bot.Sent {
			r.State, r.Why, r.NotBefore = bot.RowHeld, "outside_window", until
			return bot.Sent{Row: r}
		}
		r := send(t, s, row("a1", who), row("a2", who), row("a3", who)).Mine[0]
		next := finish(t, s, noon, hold(r, noon.Add(time.Hour)))
		want(t, "a held row does not hold up the next", next, "a2")
		next = finish(t, s, noon, hold(next[0].Row, time.Time{}))
		want(t, "nor do two", next, "a3")
		finish(t, s, noon, sent(next[0].Row))
		if n := rdb.ZCard(ctx, "{kh}:held").Val(); n != 2 {
			t.Fatal("held:", n)
		}
		want(t, "not before the window", take(t, s, noon.Add(59*time.Minute), 10))
		got := take(t, s, noon.Add(time.Hour), 10)
		want(t, "in the window", got, "a1")
		if got[0].Row.Why != "" {
			t.Fatal("it is not held any more:", got[0].Row.Why)
		}
		want(t, "held again", finish(t, s, noon.Add(time.Hour), hold(got[0].Row, time.Time{})))
		want(t, "for ever", take(t, s, noon.Add(1000*time.Hour), 10))

		// A message that is not the person's own act (a timer) releases nothing.
		c := turn(who, "t1", load(t, s, who, "t1"))
		c.Wrote = false
		commit(t, s, c)
		want(t, "still held", take(t, s, noon.Add(1000*time.Hour), 10))

		now.add(2 * time.Hour)
		done := commit(t, s, turn(who, "u1", load(t, s, who, "u1"), row("a4", who)))
		if len(done.Mine) != 0 {
			t.Fatal("older rows go first")
		}
		got = take(t, s, now.Now(), 10)
		want(t, "released by the person's message, oldest first", got, "a1")
		if !got[0].LastIn.Equal(noon) {
			t.Fatal("last message:", got[0].LastIn)
		}
		got = finish(t, s, now.Now(), sent(got[0].Row))
		want(t, "then", got, "a2")
		got = finish(t, s, now.Now(), sent(got[0].Row))
		want(t, "then the new one", got, "a4")
		if n := rdb.ZCard(ctx, "{kh}:held").Val() + rdb.LLen(ctx, "{kh}:heldby:x").Val(); n != 0 {
			t.Fatal("held:", n)
		}
	})
}

// Between asking whether a row may leave and holding it, an officer opened the gate, or the person wrote: the row is
// asked about again with what is known now, and held only when nothing came in between.
func TestOutboxHeldAfterTheGateMoved(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, rdb redis.UniversalClient, now *clock) {
		who := citizen(1)
		c := turn(who, "u1", bot.Snapshot{})
		c.State.Case, c.Case = "K7M4-692Q", aCase("c1", "K7M4-692Q")
		c.Case.Contacts = []casework.Contact{{Channel: who.Channel, Account: who.Account, Address: who.Address}}
		commit(t, s, c)
		a1 := row("a1", who)
		a1.CaseID = "c1"
		send(t, s, a1)
		hold := func(l bot.Leased) bot.Sent {
			l.Row.State, l.Row.Why, l.Row.NotBefore = bot.RowHeld, "window", noon.Add(1000*time.Hour)
			return bot.Sent{Row: l.Row, CaseVer: l.CaseVer, LastIn: l.LastIn}
		}
		desk := func() {
			t.Helper()
			cs, ver, err := s.LoadCase(ctx, "kh", "c1")
			if err != nil {
				t.Fatal(err)
			}
			commit(t, s, bot.Change{Line: "kh", Case: cs, CaseVer: ver})
		}
		now.add(time.Minute)
		first := take(t, s, now.Now(), 10)
		want(t, "leased", first, "a1")
		if first[0].CaseVer != 1 {
			t.Fatal("the version that is judged:", first[0].CaseVer)
		}
		desk()
		again := finish(t, s, now.Now(), hold(first[0]))
		want(t, "the case has changed: asked again at once", again, "a1")
		if again[0].CaseVer != 2 || again[0].Row.Why != "" || !again[0].Row.NotBefore.IsZero() {
			t.Fatalf("with what is known now: %+v", again[0])
		}
		now.add(time.Minute)
		next := turn(who, "u2", load(t, s, who, "u2"))
		next.State.LastAt = now.Now()
		commit(t, s, next)
		again = finish(t, s, now.Now(), hold(again[0]))
		want(t, "the person has written: asked again at once", again, "a1")
		if !again[0].LastIn.Equal(now.Now()) {
			t.Fatal("the last message that is judged:", again[0].LastIn)
		}
		want(t, "nothing came in between: held", finish(t, s, now.Now(), hold(again[0])))
		if n := rdb.ZCard(ctx, "{kh}:held").Val(); n != 1 {
			t.Fatal("held:", n)
		}
		desk()
		want(t, "the next act asks again", take(t, s, now.Now(), 10), "a1")
	})
}

func TestOutboxDeadLetter(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, rdb redis.UniversalClient, _ *clock) {
		who := citizen(1)
		c := turn(who, "u1", bot.Snapshot{})
		c.State.Case, c.Case = "K7M4-692Q", aCase("c1", "K7M4-692Q")
		c.Case.Contacts = []casework.Contact{{Channel: who.Channel, Account: who.Account, Address: who.Address}}
		commit(t, s, c)
		a1, a2 := row("a1", who), row("a2", who)
		a1.CaseID, a2.CaseID = "c1", "c1"
		r := send(t, s, a1, a2).Mine[0]
		r.State, r.Why = bot.RowFailed, "gone"
		next := finish(t, s, noon, bot.Sent{Row: r, Blocked: true})
		want(t, "a dead letter does not hold up the next", next, "a2")
		if next[0].Case == nil || next[0].Case.Code != "K7M4-692Q" {
			t.Fatal("the gate needs the case")
		}
		if n := rdb.ZCard(ctx, "{kh}:dead").Val(); n != 1 {
			t.Fatal("dead letters:", n)
		}
		cs, ver, err := s.LoadCase(ctx, "kh", "c1")
		if err != nil || !cs.Contacts[0].Blocked || ver != 2 {
			t.Fatal("blocked is not on the case:", cs.Contacts, ver, err)
		}
		finish(t, s, noon, sent(next[0].Row))
		states := rdb.HGetAll(ctx, "{kh}:rowstates:c1").Val()
		if fmt.Sprint(states) != fmt.Sprintf("map[a1:failed %d - a2:sent %d ma2]", noon.UnixMilli(), noon.UnixMilli()) {
			t.Fatal(states)
		}
		for _, st := range []struct {
			state bot.RowState
			want  string
		}{{bot.RowDelivered, "delivered"}, {bot.RowRead, "read"}, {bot.RowDelivered, "read"}} {
			if err := s.Receipt(ctx, "kh", who, "ma2", st.state, noon); err != nil {
				t.Fatal(err)
			}
			if got := rdb.HGet(ctx, "{kh}:rowstates:c1", "a2").Val(); got[:len(st.want)] != st.want {
				t.Fatalf("after a receipt %s: %s", st.state, got)
			}
		}
		if err := s.Receipt(ctx, "kh", who, "unheard", bot.RowRead, noon); err != nil {
			t.Fatal(err)
		}
		// What an older version remembered: the row and its case beside the id.
		seen := rdb.Keys(ctx, "{kh}:seen:*").Val()[0]
		rdb.ZAdd(ctx, seen, redis.Z{Score: 1, Member: "oma3 a3 c1"})
		rdb.HSet(ctx, "{kh}:rowstates:c1", "a3", "sent 1 ma3")
		if err := s.Receipt(ctx, "kh", who, "ma3", bot.RowRead, noon); err != nil {
			t.Fatal(err)
		}
		if got := rdb.HGet(ctx, "{kh}:rowstates:c1", "a3").Val(); got[:4] != "read" {
			t.Fatalf("after a receipt of before: %s", got)
		}
	})
}

// What answers a person is sent before the broadcasts that wait for the same person, whichever came first.
func TestAnswersOvertakeBroadcasts(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, now *clock) {
		who := citizen(1)
		bulk := func(id string) bot.Row {
			r := row(id, who)
			r.Lane = bot.LaneBroadcast
			return r
		}
		done := commit(t, s, turn(who, "u1", load(t, s, who, "u1"), bulk("b1"), bulk("b2")))
		if len(done.Mine) != 0 {
			t.Fatal("a broadcast was handed to who committed it:", done.Mine)
		}
		commit(t, s, turn(who, "u2", load(t, s, who, "u2"), row("a1", who), row("a2", who)))
		leased := take(t, s, now.Now(), 10)
		want(t, "the answer", leased, "a1")
		commit(t, s, turn(who, "u3", load(t, s, who, "u3"), row("a3", who)))
		for _, after := range []string{"a2", "a3", "b1", "b2"} {
			next := finish(t, s, now.Now(), sent(leased[0].Row))
			want(t, "after "+leased[0].Row.ID, next, after)
			leased = next
		}
	})
}

// Decimal ids are remembered as numbers, others as text; both come back as they were.
func TestHandles(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, rdb redis.UniversalClient, now *clock) {
		who := citizen(1)
		for i, id := range []string{"11", "12", "A13", "B14"} {
			r := row("r"+id, who)
			if i > 1 {
				r.CaseID = "c1" // the others are of no case
			}
			c := turn(who, "u"+id, load(t, s, who, "u"+id), r)
			c.State.Case = "K7M4-692Q"
			in := textInput(id, now.Now())
			c.Case, c.CaseVer = aCase("c1", "K7M4-692Q"), int64(i)
			c.Case.Contacts = []casework.Contact{{Channel: who.Channel, Account: who.Account, Address: who.Address}}
			c.Entries = []bot.Entry{{ID: id, Input: &in}}
			out := sent(commit(t, s, c).Mine[0])
			if i < 3 {
				out.Row.ProviderID = "9" + strings.TrimLeft(id, "A")
			} else {
				out.Row.ProviderID = "mr14"
			}
			finish(t, s, now.Now(), out)
			now.add(15 * time.Hour)
		}
		got, err := s.Handles(ctx, "kh", who)
		if err != nil || !slices.Equal(sorted(got), []string{"12", "912", "913", "A13", "B14", "mr14"}) {
			t.Fatal(got, err)
		}
		for row, id := range map[string]string{"rA13": "913", "rB14": "mr14"} {
			if err := s.Receipt(ctx, "kh", who, id, bot.RowRead, now.Now()); err != nil {
				t.Fatal(err)
			}
			if state := rdb.HGet(ctx, "{kh}:rowstates:c1", row).Val(); !strings.HasPrefix(state, "read ") {
				t.Errorf("after the receipt of %s: %s", id, state)
			}
		}
		// What was said can be deleted from the telephone although the case is gone.
		if err := s.Erase(ctx, "kh", "c1"); err != nil {
			t.Fatal(err)
		}
		got, err = s.Handles(ctx, "kh", who)
		if err != nil || !slices.Equal(sorted(got), []string{"12", "912", "913", "A13", "B14", "mr14"}) {
			t.Fatal("after the erasure:", got, err)
		}
	})
}

// TestOutboxProperties: whatever is queued, sent, held, refused and crashed, rows of one contact never overlap, all but
// broadcasts leave in order, and none is lost.
func TestOutboxProperties(t *testing.T) {
	c := storetest.Mini(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		line := fmt.Sprintf("l%d", round)
		now := atNoon()
		keys, err := store.NewKeyring()
		if err != nil {
			t.Fatal(err)
		}
		c.Del(ctx, "{staff}:mark")
		s, err := store.Open(ctx, store.Options{Client: c, Keys: keys, Lines: []store.Line{{Code: line}}, Clock: now.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		type flight struct {
			row bot.Row
			end time.Time
		}
		queued, outcome := map[int][]string{}, map[string]string{}
		flying := map[int]flight{}
		last := map[int]string{}                                  // handed out last
		wrote, judged := map[int]time.Time{}, map[int]time.Time{} // the person's last message, and at the last lease
		bulk := map[string]bool{}                                 // the broadcasts among them
		ahead := map[int]string{}                                 // was under way when the person's message released older ones
		got := func(rows []bot.Row, from string) {
			for _, r := range rows {
				var who int
				fmt.Sscan(r.To.Address, &who)
				who -= 620000
				if f, ok := flying[who]; ok && now.Now().Before(f.end) {
					rt.Fatalf("%s: %s while %s is under way", from, r.ID, f.row.ID)
				}
				first := ""
				for _, id := range queued[who] {
					if outcome[id] == "" && !bulk[id] {
						first = id
						break
					}
				}
				// Broadcasts are no part of the conversation: they leave whenever their turn comes, after answers.
				if r.ID != first && r.ID != ahead[who] && !bulk[r.ID] {
					rt.Fatalf("%s: %s out of order, want %s", from, r.ID, first)
				}
				flying[who] = flight{r, now.Now().Add(30 * time.Second)} // at least
				last[who], judged[who] = r.ID, wrote[who]
			}
		}
		n := 0
		finishOne := func(who int, f flight, how string) {
			r := f.row
			switch how {
			case "sent":
				r.State, r.ProviderID = bot.RowSent, "p"
			case "failed":
				r.State = bot.RowFailed
			case "held":
				r.State, r.NotBefore = bot.RowHeld, time.Time{}
				if !judged[who].Equal(wrote[who]) {
					how = "retry" // the person wrote meanwhile: it is asked about again
				}
			case "retry":
				r.State, r.NotBefore, r.Attempts = bot.RowQueued, now.Now().Add(10*time.Second), r.Attempts+1
			}
			if how != "retry" {
				outcome[r.ID] = how
			}
			delete(flying, who)
			next, err := s.Finish(ctx, line, now.Now(), []bot.Sent{{Row: r, LastIn: judged[who]}}, 30*time.Second)
			if err != nil {
				rt.Fatal(err)
			}
			got(rowsOf(next), "finish")
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"queue", "queue", "write", "take", "wait", "finish", "finish", "crash"}).Draw(rt, "do") {
			case "queue", "write":
				who := rapid.IntRange(0, 2).Draw(rt, "who")
				to := citizen(who)
				r := bot.Row{
					ID: fmt.Sprintf("%04d", n), Line: line, To: to, State: bot.RowQueued, CreatedAt: now.Now(),
					Lane: bot.Lane(rapid.IntRange(0, 4).Draw(rt, "lane")),
				}
				n++
				bulk[r.ID] = r.Lane == bot.LaneBroadcast
				ch := bot.Change{Line: line, Rows: []bot.Row{r}}
				if rapid.Bool().Draw(rt, "own act") {
					snap, err := s.Load(ctx, line, to, r.ID)
					if err != nil {
						rt.Fatal(err)
					}
					ch.Who, ch.State, ch.Version, ch.Wrote, ch.Request = &to, &snap.State, snap.Version, true, r.ID
					wrote[who] = now.Now()
					for _, id := range queued[who] {
						if outcome[id] == "held" {
							outcome[id] = ""
							ahead[who] = last[who]
						}
					}
				}
				queued[who] = append(queued[who], r.ID)
				done, err := s.Commit(ctx, ch)
				if err != nil {
					rt.Fatal(err)
				}
				got(done.Mine, "commit")
			case "take":
				rows, err := s.Take(ctx, line, acct, now.Now(), 2, bot.LaneBroadcast, 30*time.Second)
				if err != nil {
					rt.Fatal(err)
				}
				got(rowsOf(rows), "take")
			case "wait":
				now.add(time.Duration(rapid.IntRange(1, 20).Draw(rt, "seconds")) * time.Second)
			case "finish":
				for who := range 3 {
					if f, ok := flying[who]; ok && now.Now().Before(f.end) {
						finishOne(who, f, rapid.SampledFrom([]string{"sent", "sent", "failed", "held", "retry"}).Draw(rt, "how"))
						break
					}
				}
			case "crash":
				now.add(46 * time.Second)
				clear(flying)
			}
		}
		// In the end everything that nobody decided about leaves.
		for range 400 {
			now.add(46 * time.Second)
			clear(flying)
			rows, err := s.Take(ctx, line, acct, now.Now(), 10, bot.LaneBroadcast, 30*time.Second)
			if err != nil {
				rt.Fatal(err)
			}
			if len(rows) == 0 {
				break
			}
			got(rowsOf(rows), "at the end")
			for who := range 3 {
				if f, ok := flying[who]; ok {
					finishOne(who, f, "sent")
				}
			}
		}
		for _, q := range queued {
			for _, id := range q {
				if outcome[id] == "" {
					rt.Fatalf("row %s never left", id)
				}
			}
		}
	})
}

func textInput(id string, at time.Time) flows.Input {
	return flows.Input{Kind: flows.KindText, ID: id, Text: "x", At: at}
}

func rowsOf(ls []bot.Leased) []bot.Row {
	var out []bot.Row
	for _, l := range ls {
		out = append(out, l.Row)
	}
	return out
}

// TestTwoSenders: two relays take from one outbox; every row is sent once and in order per contact.
func TestTwoSenders(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, now *clock) {
		rng := rand.New(rand.NewPCG(3, 4))
		for i := range 300 {
			r := row(fmt.Sprintf("%04d", i), citizen(rng.IntN(20)))
			r.CreatedAt = noon.Add(time.Duration(i) * time.Millisecond)
			send(t, s, r)
		}
		now.add(time.Minute)
		out := make(chan bot.Row, 1000)
		stop := make(chan struct{})
		for range 2 {
			go func() {
				for {
					rows := take(t, s, now.Now(), 5)
					for len(rows) > 0 {
						var done []bot.Sent
						for _, l := range rows {
							out <- l.Row
							done = append(done, sent(l.Row))
						}
						rows = finish(t, s, now.Now(), done...)
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			}()
		}
		last := map[bot.Contact]string{}
		for range 300 {
			select {
			case r := <-out:
				if r.ID <= last[r.To] {
					t.Errorf("%s after %s", r.ID, last[r.To])
				}
				last[r.To] = r.ID
			case <-time.After(time.Minute):
				t.Fatal("not all rows were sent")
			}
		}
		close(stop)
		if len(out) > 0 {
			t.Error("a row was sent twice")
		}
	})
}
