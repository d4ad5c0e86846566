package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

func TestCheckDurability(t *testing.T) {
	srv := storetest.Redis(t)
	check := func(accept bool) *store.DurabilityError {
		t.Helper()
		err := store.CheckDurability(ctx, srv.Client, accept)
		var d *store.DurabilityError
		if err != nil && !errors.As(err, &d) {
			t.Fatal(err)
		}
		return d
	}
	if d := check(false); d != nil {
		t.Fatal("good settings are refused:", d)
	}
	for _, tt := range []struct{ name, weak, good, say string }{
		{"appendfsync", "everysec", "always", "power cut"},
		{"appendfsync", "no", "always", "power cut"},
		{"appendonly", "no", "yes", "when Redis ends"},
		{"maxmemory-policy", "allkeys-lru", "noeviction", "thrown away"},
	} {
		if err := srv.Client.ConfigSet(ctx, tt.name, tt.weak).Err(); err != nil {
			t.Fatal(err)
		}
		d := check(false)
		if d == nil || len(d.Problems) != 1 || !strings.Contains(d.Error(), tt.say) || strings.Contains(d.Problems[0], "\n") {
			t.Errorf("%s %s: %v", tt.name, tt.weak, d)
		}
		if d := check(true); d != nil {
			t.Errorf("%s %s: accepted, and refused: %v", tt.name, tt.weak, d)
		}
		if err := srv.Client.ConfigSet(ctx, tt.name, tt.good).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for acl, refused := range map[string]bool{"-config": true, "-config +config|get": false} {
		args := append([]any{"acl", "setuser", "default"}, anys(strings.Fields(acl))...)
		if err := srv.Client.Do(ctx, args...).Err(); err != nil {
			t.Fatal(err)
		}
		if d := check(false); (d != nil) != refused {
			t.Errorf("acl %s: %v", acl, d)
		}
		if d := check(true); d != nil {
			t.Errorf("acl %s: accepted, and refused", acl)
		}
	}
	srv.Kill()
	if err := store.CheckDurability(ctx, srv.Client, true); err == nil {
		t.Error("a Redis that does not answer is good enough?")
	}
}

// Redis loads its append-only file as the user default, and leaves out of every transaction what that user may not.
func TestDefaultUserMayLoadTheFile(t *testing.T) {
	srv := storetest.Redis(t)
	as := func(user string) *redis.Client {
		o := *srv.Client.(*redis.Client).Options()
		o.Username, o.Password = user, "word"
		c := redis.NewClient(&o)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	set := func(c redis.UniversalClient, user, rules string) {
		t.Helper()
		if err := c.Do(ctx, append([]any{"acl", "setuser", user}, anys(strings.Fields(rules))...)...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	set(srv.Client, "admin", "on >word ~* &* +@all")
	set(srv.Client, "hotline", "on >word ~{*}:* +@all")
	admin, hotline := as("admin"), as("hotline")
	for _, tt := range []struct{ byDefault, ours, say string }{
		{"off ~* +@all", "+@all", ""},
		{"off ~{*}:* +@write", "+@all", ""},
		{"off ~* +@all -hset", "+@all", "HSET"},
		{"off ~x* +@all", "+@all", "append-only file"},
		{"off", "+@all", "append-only file"},
		{"off ~* +@all", "-acl", "+acl|dryrun"},
		{"off ~* +@all", "-acl +acl|dryrun", ""},
	} {
		set(admin, "default", "resetkeys -@all "+tt.byDefault)
		set(admin, "hotline", tt.ours)
		var d *store.DurabilityError
		err := store.CheckDurability(ctx, hotline, false)
		if errors.As(err, &d) != (tt.say != "") || d != nil && (len(d.Problems) != 1 || !strings.Contains(d.Error(), tt.say)) {
			t.Errorf("default %q, ours %q: %v", tt.byDefault, tt.ours, err)
		}
		if err := store.CheckDurability(ctx, hotline, true); err != nil {
			t.Errorf("default %q: accepted, and refused: %v", tt.byDefault, err)
		}
	}
}

func anys(s []string) []any {
	out := make([]any, len(s))
	for i, v := range s {
		out[i] = v
	}
	return out
}

func TestDial(t *testing.T) {
	for url, ok := range map[string]bool{
		"redis://localhost:6379/2": true, "rediss://u:p@h": true, "unix:///run/redis.sock": true,
		"redis+sentinel://h:26379?master_name=m": true, "redis+cluster://h:7000?addr=h2:7001": true,
		"redis+sentinel://h:26379": false, "http://h": false, "localhost:6379": false, "": false,
	} {
		c, err := store.Dial(url)
		if (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
		if c != nil {
			_ = c.Close()
		}
	}
	_, err := store.Dial("redis://user:secretword@h:6379/notanumber")
	if err == nil || strings.Contains(err.Error(), "secretword") {
		t.Error("a password in an error:", err)
	}
	_, err = store.Dial("redis://user:secretword%zz@h:6379")
	if err == nil || strings.Contains(err.Error(), "secretword") {
		t.Error("a password in an error:", err)
	}
}
