package main

import (
	"testing"

	"pulang/bot/store/storetest"
)

// startRedis starts a redis-server with these settings on a private socket, without persistence unless they ask for it,
// and returns its URL.
func startRedis(t *testing.T, settings ...string) string {
	t.Helper()
	return storetest.Redis(t, append([]string{"--appendonly", "no"}, settings...)...).URL()
}
