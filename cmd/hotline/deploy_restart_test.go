package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot/needed"
)

// What was committed under the deployed users is there after Redis was started again. Redis carries out its append-only
// file as the user default, and asks inside a transaction what that user may: all that a script wrote would be left out
// without a word but in its log.
func TestDeployedRedisStartsAgainWithEverything(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	dir, err := os.MkdirTemp("", "d") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for name, body := range map[string]string{"users.acl": aclFor(t, deployPassword), "redis.conf": deployed(t, "redis.conf")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(dir, "s")
	as := func(user string) *redis.Client {
		rdb := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, Username: user, Password: deployPassword, MaxRetries: -1, DisableIdentity: true})
		t.Cleanup(func() { _ = rdb.Close() })
		return rdb
	}
	start := func() *exec.Cmd {
		cmd := exec.Command("redis-server", filepath.Join(dir, "redis.conf"), "--unixsocket", socket, "--aclfile", filepath.Join(dir, "users.acl"))
		cmd.Dir = dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		for end := time.Now().Add(time.Minute); as("hotline").Ping(t.Context()).Err() != nil; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("redis-server does not answer")
			}
		}
		return cmd
	}
	first := start()
	const script = "redis.call('SET', KEYS[1], '1'); redis.call('RPUSH', KEYS[2], 'row'); return 1"
	if err := as("hotline").Eval(t.Context(), script, []string{"{kh}:a", "{kh}:b"}).Err(); err != nil {
		t.Fatal(err)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	start()
	if n, err := as("hotline").Exists(t.Context(), "{kh}:a", "{kh}:b").Result(); err != nil || n != 2 {
		t.Errorf("%d of the 2 keys that a script wrote are there after a start: %v", n, err)
	}
	// Nobody can be that user all the same.
	for _, args := range [][]any{{"GET", "{kh}:a"}, {"AUTH", "default", ""}, {"AUTH", "default", deployPassword}} {
		nobody := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: -1, Protocol: 2, DisableIdentity: true})
		if err := nobody.Do(t.Context(), args...).Err(); err == nil {
			t.Errorf("%v is answered without a password", args)
		}
		_ = nobody.Close()
	}
}
