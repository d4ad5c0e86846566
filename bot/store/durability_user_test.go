package store_test

import (
	"errors"
	"strings"
	"testing"

	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// Whoever gave a wrong user or password is told that, not to allow CONFIG GET, and no error holds the password.
func TestCheckSaysThatTheUserIsWrong(t *testing.T) {
	srv := storetest.Redis(t)
	if err := srv.Client.Do(ctx, "acl", "setuser", "hotline", "on", ">benar", "~*", "&*", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	rdb, err := store.Dial(strings.Replace(srv.URL(), "://", "://hotline:rahasiasalah@", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	err = store.CheckDurability(ctx, rdb, false)
	var d *store.DurabilityError
	if err == nil || errors.As(err, &d) || !strings.Contains(err.Error(), "does not let this user in (WRONGPASS)") ||
		strings.Contains(err.Error(), "CONFIG GET") || strings.Contains(err.Error(), "rahasia") {
		t.Error(err)
	}
}
