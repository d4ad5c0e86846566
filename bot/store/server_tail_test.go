package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// A redis-server that was killed while it wrote leaves a transaction cut anywhere. Wherever that is, none of it is ever
// carried out: not now, and not at the restart after the next, when Redis 7.0 itself would do the first half of it.
func TestHalfATransactionIsNeverCarriedOut(t *testing.T) {
	srv := storetest.Redis(t)
	do := func(n int) {
		t.Helper()
		script := "redis.call('HSET','c','v',ARGV[1]) redis.call('RPUSH','l',ARGV[1]) redis.call('HSET','d','v',ARGV[1]) return 1"
		if err := srv.Client.Eval(ctx, script, nil, n).Err(); err != nil {
			t.Fatal(err)
		}
	}
	path := func() string {
		t.Helper()
		parts, err := filepath.Glob(filepath.Join(srv.Dir, "appendonlydir", "*.incr.aof"))
		if err != nil || len(parts) != 1 {
			t.Fatal(parts, err)
		}
		return parts[0]
	}
	do(0)
	before, err := os.ReadFile(path())
	if err != nil {
		t.Fatal(err)
	}
	do(1)
	srv.Kill()
	whole, err := os.ReadFile(path())
	if err != nil {
		t.Fatal(err)
	}
	step := 7
	if os.Getenv("PULANG_SOAK") != "" {
		step = 1
	}
	for end := len(before); end < len(whole); end += step {
		if err := os.WriteFile(path(), whole[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		srv.Start()
		do(1) // the messenger repeats what was not acknowledged
		srv.Kill()
		srv.Start()
		list := srv.Client.LRange(ctx, "l", 0, -1).Val()
		c, d := srv.Client.HGet(ctx, "c", "v").Val(), srv.Client.HGet(ctx, "d", "v").Val()
		if !slices.Equal(list, []string{"0", "1"}) || c != "1" || d != "1" {
			t.Fatalf("cut at %d of %d..%d: %v, %s, %s", end, len(before), len(whole), list, c, d)
		}
		srv.Kill()
	}
	// What ends whole, or is no such file, is left alone.
	for _, content := range []string{"", string(before), "REDIS0011\xfa\tredis", "*1\r\n$5\r\nMUL", fmt.Sprintf("%s#TS:1700000000\r\n", before)} {
		if err := os.WriteFile(path(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if cut, err := store.CutHalfTransaction(srv.Dir); cut != (store.Cut{}) || err != nil {
			t.Errorf("%q: %v, %v", content, cut, err)
		}
	}
	if cut, err := store.CutHalfTransaction(t.TempDir()); cut != (store.Cut{}) || err != nil {
		t.Errorf("without a file: %v, %v", cut, err)
	}
}
