package main

import (
	"os"
	"strings"
	"testing"

	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// TestDeployedRedisPassesTheCheck starts a redis-server with the settings of deploy/redis.conf (but the test's own
// paths) and asks the program's own check about it.
func TestDeployedRedisPassesTheCheck(t *testing.T) {
	conf, err := os.ReadFile("../../deploy/redis.conf")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{}
	for line := range strings.Lines(string(conf)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] == "#" || f[0] == "unixsocket" || f[0] == "dir" {
			continue
		}
		args = append(args, append([]string{"--" + f[0]}, f[1:]...)...)
	}
	s := storetest.Redis(t, args...)
	if err := store.CheckDurability(t.Context(), s.Client, false); err != nil {
		t.Errorf("the program refuses the Redis it recommends: %v", err)
	}
}
