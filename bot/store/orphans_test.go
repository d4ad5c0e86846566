package store_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// A replica that is started again takes up at once what its former self was sending, and leaves alone what another
// replica is sending.
func TestOrphansOfOneReplica(t *testing.T) {
	keys, err := store.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	now := atNoon()
	opts := func(owner string) store.Options { return store.Options{Keys: keys, Owner: owner, Clock: now.Now} }
	storetest.Both(t, opts("first"), func(t *testing.T, first *store.Store, c redis.UniversalClient) {
		second := storetest.Open(t, c, opts("second"))
		for i, s := range []*store.Store{first, second} {
			who := citizen(i + 1)
			done := commit(t, s, turn(who, "u1", load(t, s, who, "u1"), row("", who)))
			if len(done.Mine) != 1 {
				t.Fatal("the row was not handed over")
			}
		}
		account := citizen(1).Account
		take := func() []bot.Leased {
			t.Helper()
			rows, err := second.Take(ctx, "kh", account, now.Now(), 10, bot.LaneBroadcast, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}
		nameless := storetest.Open(t, c, opts(""))
		if err := nameless.FreeOrphans(ctx, "kh", []string{account}, false); err != nil {
			t.Fatal(err)
		}
		if rows := take(); len(rows) != 0 {
			t.Fatalf("%d rows are taken from those who send them", len(rows))
		}
		again := storetest.Open(t, c, opts("first"))
		if err := again.FreeOrphans(ctx, "kh", []string{account}, false); err != nil {
			t.Fatal(err)
		}
		if rows := take(); len(rows) != 1 || rows[0].Row.To != citizen(1) {
			t.Fatalf("%d rows came back, want the first replica's one", len(rows))
		}
		if err := again.FreeOrphans(ctx, "kh", []string{account}, true); err != nil {
			t.Fatal(err)
		}
		if rows := take(); len(rows) != 2 {
			t.Fatalf("%d rows came back, want everybody's two", len(rows))
		}
	})
}
