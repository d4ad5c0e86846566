package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// The users that redis.conf's comment adds for Sentinel and for replicas are enough for a failover: a commit under the
// deployed user is taken by a replica before and after it, and no server refused anything to any of them.
func TestDeployedUsersSurviveAFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a failover")
	}
	t.Parallel()
	conf := deployed(t, "redis.conf")
	more := regexp.MustCompile(`(?m)^#   (\+wait .*)$`).FindStringSubmatch(conf)
	users := regexp.MustCompile(`(?m)^#   user (replica|sentinel) on #SHA256 (.*)$`).FindAllStringSubmatch(conf, -1)
	if more == nil || len(users) != 2 {
		t.Fatalf("redis.conf adds %v and the users %v", more, users)
	}
	g := storetest.Sentinel(t)
	set := func(n *storetest.Node, args ...any) {
		t.Helper()
		if err := n.Client.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(args[:2], err)
		}
	}
	user := func(n *storetest.Node, name, rules string) {
		args := []any{"acl", "setuser", name, "on", ">" + deployPassword}
		for _, r := range strings.Fields(rules) {
			args = append(args, r)
		}
		set(n, args...)
	}
	for _, n := range g.Nodes {
		for line := range strings.Lines(aclFor(t, deployPassword)) {
			if f := strings.Fields(line); f[1] != "default" { // the test's own
				user(n, f[1], strings.Join(f[3:], " ")+" "+more[1])
			}
		}
		for _, u := range users {
			user(n, u[1], u[2])
		}
		set(n, "config", "set", "masteruser", "replica", "masterauth", deployPassword)
	}
	for _, s := range g.Sentinels {
		set(s, "sentinel", "set", "hotline", "auth-user", "sentinel", "auth-pass", deployPassword)
	}
	rdb, err := store.Dial(g.URL + "&username=hotline&password=" + deployPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	// The user before the @ is the sentinels': whoever put the one of Redis there is told so.
	wrong, err := store.Dial(strings.Replace(g.URL, "://", "://hotline:"+deployPassword+"@", 1))
	if err != nil {
		t.Fatal(err)
	}
	err = store.CheckDurability(t.Context(), wrong, false)
	_ = wrong.Close()
	if err == nil || !strings.Contains(err.Error(), "?username=") || strings.Contains(err.Error(), "CONFIG GET") || strings.Contains(err.Error(), deployPassword) {
		t.Errorf("the sentinels know no such user: %v", err)
	}
	commit := func() error {
		pipe := rdb.Pipeline()
		pipe.Eval(t.Context(), "return redis.call('RPUSH', KEYS[1], 'row')", []string{"{kh}:a"})
		pipe.Do(t.Context(), "WAIT", "1", "1000")
		_, err := pipe.Exec(t.Context())
		return err
	}
	if err := commit(); err != nil {
		t.Fatal(err)
	}
	old := g.Primary("{kh}:")
	old.Kill()
	deadline(t, time.Minute, "another primary", func() bool { p := g.Primary("{kh}:"); return p != nil && p != old })
	deadline(t, time.Minute, "a commit that a replica has", func() bool { return commit() == nil })
	old.Start()
	deadline(t, time.Minute, "the old primary follows", func() bool {
		p := g.Primary("{kh}:")
		return p != nil && p != old && len(g.Replicas(p)) == 2
	})
	if err := store.CheckDurability(t.Context(), rdb, false); err != nil {
		t.Error(err)
	}
	for _, n := range g.Nodes {
		if n == old {
			continue // it began anew with its own users
		}
		refused, err := n.Client.Do(t.Context(), "acl", "log").Slice()
		if err != nil || len(refused) != 0 {
			t.Errorf("refused by %s: %v %v", n.Addr, refused, err)
		}
	}
}
