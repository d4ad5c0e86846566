package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
)

// A row that was damaged in Redis, whichever part of it, holds up neither the person's next one nor anybody else's of
// the account. Staff find it among the dead letters, where nothing can be sent again.
func TestDamagedRowHoldsUpNobody(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, rdb redis.UniversalClient, now *clock) {
		spoil := func(id string, change func([]byte) []byte) {
			t.Helper()
			blob, err := rdb.HGet(ctx, "{kh}:rows", id).Bytes()
			if err == nil {
				err = rdb.HSet(ctx, "{kh}:rows", id, change(blob)).Err()
			}
			if err != nil {
				t.Fatal(id, err)
			}
		}
		head := func(b []byte) []byte { return append([]byte("? "), b...) }
		body := func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
		// Four people, each with three rows of which the first is being sent, and somebody whose row waits for its hour.
		var first []bot.Row
		for p, who := range []string{"a", "b", "c", "d"} {
			done := send(t, s, row(who+"1", citizen(p)), row(who+"2", citizen(p)), row(who+"3", citizen(p)))
			first = append(first, done.Mine...)
		}
		parked := row("e1", citizen(9))
		parked.NotBefore = noon.Add(time.Minute)
		send(t, s, parked, row("f1", citizen(10)))
		spoil("a2", head)
		spoil("b2", body)
		spoil("c1", head)
		spoil("e1", head)
		want(t, "a's next is broken", finish(t, s, noon, sent(first[0])))
		want(t, "b's next is broken", finish(t, s, noon, sent(first[1])))
		want(t, "c's own was sent all the same", finish(t, s, noon, sent(first[2])))
		leaving := finish(t, s, noon, sent(first[3]))
		want(t, "d is none the wiser", leaving, "d2")
		now.add(2 * time.Minute)
		var got []string
		for range 20 {
			leaving = append(leaving, take(t, s, now.Now(), 10)...)
			if len(leaving) > 0 {
				got = append(got, leaving[0].Row.ID)
				leaving = append(leaving[1:], finish(t, s, now.Now(), sent(leaving[0].Row))...)
			}
		}
		for _, id := range []string{"a3", "b3", "c2", "c3", "d2", "d3", "f1"} {
			if !slices.Contains(got, id) {
				t.Errorf("%s did not leave: %v", id, got)
			}
		}
		letters, err := s.Letters(ctx, "kh", "", 100)
		if err != nil {
			t.Fatal(err)
		}
		var dead []string
		for _, r := range letters {
			dead = append(dead, r.ID)
			if r.Why != "damaged" || r.Out.Text != "" {
				t.Errorf("%+v", r)
			}
			if err := s.Retry(ctx, "kh", r.ID, "", bot.Audit{}); err == nil {
				t.Errorf("%s is to be sent again", r.ID)
			}
		}
		slices.Sort(dead)
		if !slices.Equal(dead, []string{"a2", "b2", "c1", "e1"}) {
			t.Errorf("dead letters: %v", dead)
		}
		if n := rdb.ZCard(ctx, "{kh}:out:"+acct+":leased").Val(); n != 0 {
			t.Errorf("%d leases", n)
		}
	})
}

// One damaged entry of a conversation does not keep the case from its officer.
func TestDamagedEntryIsToldOf(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, rdb redis.UniversalClient, _ *clock) {
		entry := func(text string) bot.Entry { return bot.Entry{At: noon, Kind: "note", Text: text, By: "sari"} }
		c := aCase("01M82VGSBR07GV290H93FAABYX", "K7M4-692Q")
		commit(t, s, bot.Change{Line: "kh", Case: c, Entries: []bot.Entry{entry("one"), entry("two"), entry("three")}})
		key := "{kh}:timeline:" + c.ID
		for i, change := range []func(string) string{
			func(v string) string { return v[:len(v)-1] + string(v[len(v)-1]^1) },
			func(string) string { return "nothing of ours" },
		} {
			v, err := rdb.LIndex(ctx, key, int64(i)).Result()
			if err == nil {
				err = rdb.LSet(ctx, key, int64(i), change(v)).Err()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		file, err := s.Open(ctx, "kh", c.Code, noon, bot.Audit{})
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, e := range file.Entries {
			said = append(said, e.Text)
		}
		if !slices.Equal(said, []string{"event.damaged", "event.damaged", "three"}) || file.Entries[0].At.IsZero() {
			t.Errorf("%q, %v", said, file.Entries)
		}
	})
}
