package store_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows/casework"
)

// Erasing a case leaves word for the channel that keeps people in a store of its own, and for no other; the word is
// sealed, stands until it is done, and says nothing of somebody whose conversation has gone on to another case.
func TestErasureReachesOwnStores(t *testing.T) {
	storetest.Both(t, store.Options{Clock: atNoon().Now}, func(t *testing.T, s *store.Store, c redis.UniversalClient) {
		wa := bot.Contact{Channel: "whatsapp", Account: "wa-kh", Address: "628120000002@s.whatsapp.net"}
		on := bot.Contact{Channel: "whatsapp", Account: "wa-kh", Address: "628130000003@s.whatsapp.net"}
		tg := citizen(1)
		k := aCase("c1", "K7M4-692Q")
		for _, who := range []bot.Contact{wa, on, tg} {
			k.Contacts = append(k.Contacts, casework.Contact{Channel: who.Channel, Account: who.Account, Address: who.Address})
		}
		for i, who := range []bot.Contact{wa, on, tg} {
			ch := turn(who, "u"+who.Address, load(t, s, who, "u"))
			ch.State.Case = k.Code
			ch.Case, ch.CaseVer = k, int64(i)
			commit(t, s, ch)
		}
		next := turn(on, "u9", load(t, s, on, "u9"))
		next.State.Case, next.Case = "K7P2-3ABC", aCase("c2", "K7P2-3ABC")
		commit(t, s, next)
		if err := s.Erase(ctx, "kh", "c1"); err != nil {
			t.Fatal(err)
		}
		who, err := s.Forgets(ctx, "kh", "whatsapp", "wa-kh")
		if err != nil || len(who) != 1 {
			t.Fatalf("%d people, %v", len(who), err)
		}
		for _, v := range c.HGetAll(ctx, "{kh}:forget").Val() {
			if strings.Contains(v, "62812") {
				t.Error("the address stands readable")
			}
		}
		if other, err := s.Forgets(ctx, "kh", "whatsapp", "wa-mm"); err != nil || len(other) != 0 {
			t.Errorf("another account is told: %v %v", other, err)
		}
		for id, x := range who {
			if x != wa {
				t.Errorf("to be forgotten: %+v", x)
			}
			if err := s.Forgotten(ctx, "kh", id); err != nil {
				t.Fatal(err)
			}
		}
		if who, err = s.Forgets(ctx, "kh", "whatsapp", "wa-kh"); err != nil || len(who) != 0 {
			t.Errorf("still %d, %v", len(who), err)
		}
	})
}
