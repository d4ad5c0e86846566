package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/telegram"
	"pulang/bot/telegram/telegramtest"
	"pulang/flows"
	"pulang/flows/casework"
)

// A burst of broadcasts against a Bot API server that enforces Telegram's limits (30 a second to all chats, one a
// second to each): they leave at 98 % of the allowed rate or more, people in danger are answered past all of them,
// what is answered 429 is tried again and no earlier than it says, and each message arrives once.
//
// The server's clock and the relay's rate run four times as fast in `make test`, for 600 chats; with PULANG_SOAK=1 it
// is 10,000 at Telegram's own pace.
func TestBroadcastBurst(t *testing.T) {
	needed.Program(t, "redis-server")
	// At the scaled pace the rate says more of the machine than of the program: it only has to move.
	chats, speed, busyAnswers, wanted := 600, 4.0, 2, 0.3
	if os.Getenv("PULANG_SOAK") == "1" {
		chats, speed, busyAnswers, wanted = 10_000, 1, 20, 0.98
	}
	const allowed = 30.0
	ctx := t.Context()
	srv := telegramtest.New(t)
	srv.Speed(speed)
	tg, err := telegram.New(telegram.Options{Token: srv.Token(), APIURL: srv.URL(), Line: "kh", Handler: nobody{}})
	if err != nil {
		t.Fatal(err)
	}
	defer tg.Close()
	keys, err := store.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	rdb, err := store.Dial(startRedis(t, "--appendonly", "no"))
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	s, err := store.Open(ctx, store.Options{Client: rdb, Keys: keys, Lines: []store.Line{{Code: "kh"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // the end of the test

	// Everybody has just written, so that no gate holds anything back: the limits are what is tested.
	people := make([]bot.Contact, chats)
	for i := range people {
		u := srv.User("id")
		u.Send("halo")
		people[i] = bot.Contact{Channel: "telegram", Account: tg.Account(), Address: strconv.FormatInt(u.ID(), 10)}
	}
	queue := func(i int, lane bot.Lane, kind, text string) []bot.Leased {
		now := time.Now()
		r := bot.Row{Line: "kh", To: people[i], Lane: lane, Kind: kind, CreatedAt: now, Out: bot.Outgoing{Text: text}}
		ch := bot.Change{Line: "kh", Rows: []bot.Row{r}}
		if kind == casework.KindBroadcast {
			ch.Who, ch.State, ch.Wrote = &people[i], &flows.State{LastAt: now}, true
		}
		done, err := s.Commit(ctx, ch)
		if err != nil {
			t.Error(err)
		}
		var mine []bot.Leased
		for _, r := range done.Mine {
			mine = append(mine, bot.Leased{Row: r, LastIn: now})
		}
		return mine
	}
	var load sync.WaitGroup
	for w := range 16 {
		load.Go(func() {
			for i := w; i < chats; i += 16 {
				if len(queue(i, bot.LaneBroadcast, casework.KindBroadcast, fmt.Sprintf("pengumuman %d", i))) > 0 {
					t.Error("a broadcast was handed to who committed it, past the pace at which it may leave")
				}
			}
		})
	}
	load.Wait()
	srv.Limit(telegramtest.Limits{PerChat: 1, ChatBurst: 3, Bulk: allowed, BulkBurst: 30})
	for range busyAnswers { // and now and then Telegram is busy for reasons of its own
		srv.Fail("sendMessage", chats/25, 1, telegramtest.Fault{Code: 429, RetryAfter: 1})
	}

	relay := bot.NewRelay(bot.RelayOptions{Outbox: s, Channels: []bot.LineChannel{{Line: "kh", Channel: tg}},
		Rules: map[string]casework.Rules{"kh": {}}, Bulk: allowed * speed})
	run, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = relay.Run(run) }()
	t.Cleanup(func() { stop(); <-ended })

	sent := func() []telegramtest.Call {
		var ok []telegramtest.Call
		for _, c := range srv.Calls("sendMessage") {
			if c.Code == 0 {
				ok = append(ok, c)
			}
		}
		return ok
	}
	within := func(n int) bool {
		for end := time.Now().Add(20 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if len(sent()) >= n {
				return true
			}
		}
		return false
	}
	// In the middle of it people in danger are answered, the last of those whose broadcast is far from its turn.
	const danger = 30
	asked := map[string]int{} // how many messages had been sent when the answer was committed
	for k := range danger {
		if !within(chats/4 + k*chats/100) {
			t.Fatal("nothing moves")
		}
		text := fmt.Sprintf("jawaban %d", k)
		asked[text] = len(sent())
		relay.Dispatch(queue(chats-1-k, bot.LaneSafety, casework.KindSafety, text))
	}
	if !within(chats + danger) {
		t.Fatalf("%d of %d were sent", len(sent()), chats+danger)
	}

	all := sent()
	place, seen := map[string]int{}, map[string]int{}
	for i, c := range all {
		text := c.Params["text"]
		place[text] = i
		seen[c.Params["chat_id"]+" "+text]++
	}
	for what, n := range seen {
		if n > 1 {
			t.Errorf("%s was sent %d times", what, n)
		}
	}
	worst := 0
	for text, before := range asked {
		worst = max(worst, place[text]-before)
	}
	took := all[len(all)-1].At.Sub(all[0].At).Seconds()
	rate := float64(len(all)) / (took * allowed)
	t.Logf("soak: %d broadcasts and %d answers in %.0f s of the server's clock: %.1f %% of %.0f a second; an answer was passed by %d messages at most",
		chats, danger, took, 100*rate, allowed, worst)
	if rate < wanted {
		t.Errorf("%.1f %% of the allowed rate", 100*rate)
	}
	if float64(worst) > 2*allowed*speed {
		t.Errorf("an answer to somebody in danger waited for %d other messages", worst)
	}
	refused := map[string]time.Time{}
	busy := 0
	for _, c := range srv.Calls("sendMessage") {
		chat := c.Params["chat_id"]
		if c.Code == 429 {
			busy++
			refused[chat] = c.At.Add(time.Second)
		} else if until, ok := refused[chat]; ok && c.At.Before(until) {
			t.Errorf("chat %s was tried %v before the end of its wait", chat, until.Sub(c.At))
		}
	}
	if busy == 0 {
		t.Error("no call was answered 429: nothing was tried")
	}
	t.Logf("soak: %d calls were answered 429, each was honoured", busy)
}
