package store_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
)

// What an admin asks reaches the holder of the number, what is shown reaches the desk, and only for the newest
// request; nothing of it stands readable in Redis, and a code is gone when its time is over.
func TestNumberAsked(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, c redis.UniversalClient, now *clock) {
		read := func() (bot.NumberAsk, bot.NumberShow) {
			t.Helper()
			ask, show, err := s.Number(ctx, "kh", "wa-kh")
			if err != nil {
				t.Fatal(err)
			}
			return ask, show
		}
		if ask, show := read(); ask.Do != "" || show.Step != "" {
			t.Fatalf("nothing was asked: %+v %+v", ask, show)
		}
		ask := func(id, do string) {
			t.Helper()
			a := bot.NumberAsk{ID: id, Do: do, Phone: "628110000001", By: "rini", At: noon}
			if err := s.AskNumber(ctx, "kh", "wa-kh", a, bot.Audit{At: noon, Who: "rini", What: "number_" + do}); err != nil {
				t.Fatal(err)
			}
		}
		show := func(n bot.NumberShow) error {
			return s.ShowNumber(ctx, "kh", "wa-kh", n, bot.Audit{})
		}
		if err := show(bot.NumberShow{Ask: "desk:one", Step: bot.NumberWorking}); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("shown although nothing was asked: %v", err)
		}
		ask("desk:one", bot.NumberLink)
		if err := show(bot.NumberShow{Ask: "desk:one", Step: bot.NumberShowQR, QR: "2@secretcode", Until: noon.Add(20 * time.Second)}); err != nil {
			t.Fatal(err)
		}
		if a, n := read(); a.Do != bot.NumberLink || a.By != "rini" || n.QR != "2@secretcode" {
			t.Errorf("%+v %+v", a, n)
		}
		for _, key := range c.Keys(ctx, "{kh}:number:*").Val() {
			if v := c.Get(ctx, key).Val(); strings.Contains(v, "secretcode") || strings.Contains(v, "62811") || strings.Contains(v, "rini") {
				t.Errorf("%s is readable", key)
			}
			if life := c.PTTL(ctx, key).Val(); life <= 0 || strings.Contains(key, "show") && life > 20*time.Second {
				t.Errorf("%s lives for %s", key, life)
			}
		}
		ask("desk:two", bot.NumberCode)
		if _, n := read(); n.Step != "" {
			t.Errorf("the former request's code is still shown: %+v", n)
		}
		if err := show(bot.NumberShow{Ask: "desk:one", Step: bot.NumberDone}); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("shown for a request that is over: %v", err)
		}
		if err := s.AskNumber(ctx, "kh", "wa-kh", bot.NumberAsk{}, bot.Audit{At: noon, Who: "rini", What: "number_stop"}); err != nil {
			t.Fatal(err)
		}
		if a, _ := read(); a.ID != "" {
			t.Errorf("still asked: %+v", a)
		}
		rows, err := s.AuditLog(ctx, "kh", 10)
		if err != nil || len(rows) != 3 {
			t.Errorf("%d audit rows: %v", len(rows), err)
		}
	})
}

// Each process says how its channels are doing; one that is silent for long is forgotten.
func TestChannelStates(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, c redis.UniversalClient, now *clock) {
		for _, p := range []string{"a/1", "b/2", "a/1"} {
			if err := s.TellChannel(ctx, bot.ChannelState{Line: "kh", Channel: "whatsapp", Account: "wa-kh", Process: p, State: "up",
				Number: "628110000001", At: now.Now()}, true); err != nil {
				t.Fatal(err)
			}
			now.add(time.Second)
		}
		all, err := s.ChannelStates(ctx, "kh")
		if err != nil || len(all) != 2 {
			t.Fatalf("%+v %v", all, err)
		}
		if raw, _ := json.Marshal(c.HGetAll(ctx, "{kh}:channels").Val()); strings.Contains(string(raw), "62811") {
			t.Error("the number stands readable in Redis")
		}
		if n := c.Get(ctx, "{kh}:seq:kh").Val(); n != "3" {
			t.Errorf("%s changes were told", n)
		}
		now.add(9*time.Minute + 59*time.Second)
		if err := s.TellChannel(ctx, bot.ChannelState{Line: "kh", Account: "wa-kh", Process: "a/1", At: now.Now()}, false); err != nil {
			t.Fatal(err)
		}
		if all, err = s.ChannelStates(ctx, "kh"); err != nil || len(all) != 1 || all[0].Process != "a/1" {
			t.Errorf("%+v %v", all, err)
		}
	})
}
