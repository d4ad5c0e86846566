package store

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// mishap is what befalls the first attempt of a script call; the client sends it again.
type mishap string

const (
	none     mishap = ""
	doubled  mishap = "doubled"  // executed twice by a client that repeats by itself, and the second answer is given
	lost     mishap = "lost"     // executed, and the connection breaks before the answer
	unheard  mishap = "unheard"  // the connection breaks before it is executed
	refused  mishap = "refused"  // the server says that it is a replica
	behind   mishap = "behind"   // executed, and no replica has it
	alone    mishap = "alone"    // every attempt is executed, and no replica has any
	halfWay  mishap = "half-way" // a command of the script fails after others were executed, and that answer is lost
	writeSet        = `HSET HDEL HSETNX SET DEL EXPIRE PEXPIRE PEXPIREAT ZADD ZREM ZREMRANGEBYSCORE RPUSH LPUSH LPOP RPOP LREM SADD SREM INCR`
)

// mishaps is a hook of the client that stands for the network, the server and its one replica.
type mishaps struct {
	plain redis.UniversalClient // the same server, without mishaps

	mu    sync.Mutex
	of    mishap
	write int             // half-way: the write that fails, counted from 1
	met   map[string]bool // first attempts that have been met
	ran   map[string]bool // scripts, by name
	ended bool            // half-way: the script has no such write, and was executed to its end
	last  string          // the script that met a mishap last
}

// answer is an error that a server gives.
type answer string

func (a answer) Error() string { return string(a) }

// RedisError makes it one of Redis.
func (answer) RedisError() {}

func (m *mishaps) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook: a Cluster client sends a single write again whose answer was lost.
func (m *mishaps) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		m.mu.Lock()
		again := m.of == doubled || m.of == lost || m.of == behind
		m.mu.Unlock()
		if name := cmd.Name(); again && (name == "hdel" || name == "hsetnx" || name == "setnx" || name == "set" || name == "sadd") {
			m.plain.Do(ctx, cmd.Args()...)
		}
		return next(ctx, cmd)
	}
}

func (m *mishaps) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var calls []redis.Cmder
		var wait *redis.Cmd
		for _, c := range cmds {
			if c.Name() == "wait" {
				wait = c.(*redis.Cmd)
			} else {
				calls = append(calls, c)
			}
		}
		if wait == nil {
			return next(ctx, cmds)
		}
		m.mu.Lock()
		wait.SetVal(int64(1))
		of, first := m.of, false
		for _, c := range calls {
			i := slices.IndexFunc(scripts, func(sc *script) bool { return sc.sha == c.Args()[1] || sc.source == c.Args()[1] })
			key := fmt.Sprint(c.Args()[2:]...)
			m.ran[scripts[i].name] = true
			if m.of != none && !m.met[key] {
				m.met[key], first, m.last = true, true, scripts[i].name
				if m.of == halfWay {
					m.half(ctx, scripts[i], c.Args()[2:])
				}
			}
		}
		m.mu.Unlock()
		if of == alone {
			wait.SetVal(int64(0))
		}
		if !first || of == alone {
			return next(ctx, calls)
		}
		switch of {
		case lost, behind, doubled:
			if err := next(ctx, calls); err != nil || of == doubled {
				return next(ctx, calls)
			}
			if wait.SetVal(int64(0)); of == behind {
				return nil
			}
		}
		err := error(io.EOF)
		if of == refused {
			err = answer("READONLY You can't write against a read only replica.")
		}
		for _, c := range cmds {
			c.SetErr(err)
		}
		return err
	}
}

// half executes a script up to a write that fails.
func (m *mishaps) half(ctx context.Context, sc *script, args []any) {
	source := `local server, writes, left = redis, ' ` + writeSet + ` ', ` + strconv.Itoa(m.write) + `
local redis = {pcall = server.pcall, call = function(c, ...)
  if string.find(writes, ' ' .. string.upper(c) .. ' ', 1, true) then
    left = left - 1
    if left == 0 then error('half-way') end
  end
  return server.call(c, ...)
end}
` + sc.source
	err := m.plain.Do(ctx, append([]any{"eval", source}, args...)...).Err()
	m.ended = err == nil || !strings.Contains(err.Error(), "half-way")
}

// befall sets what happens from now on.
func (m *mishaps) befall(of mishap, write int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of, m.write, m.met, m.ended, m.last = of, write, map[string]bool{}, false, ""
}

// openMishaps opens a store that waits for a replica and tries again, on an empty server with mishaps.
func openMishaps(t testing.TB, c redis.UniversalClient, keys *Keyring) (*Store, *mishaps) {
	t.Helper()
	must(t, c.FlushAll(context.Background()).Err())
	o := c.(*redis.Client).Options()
	hooked := redis.NewClient(&redis.Options{Network: o.Network, Addr: o.Addr, MaxRetries: -1})
	t.Cleanup(func() { _ = hooked.Close() })
	m := &mishaps{plain: c, ran: map[string]bool{}, met: map[string]bool{}}
	hooked.AddHook(m)
	s, err := Open(context.Background(), Options{
		Client: hooked, Keys: keys, Clock: deskClock, Wait: &Wait{Replicas: 1, For: time.Second},
		Lines: []Line{{Code: "kh", Missions: []string{"kh", "mm"}}, {Code: "mm", Missions: []string{"mm", "kh"}}},
	})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	s.to.patience = 10 * time.Second
	s.loads, s.commits = newBatchers(s.to, true), newBatchers(s.to, false)
	return s, m
}

var (
	ulids  = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{26}`)
	tokens = regexp.MustCompile(`PROCESS\.[0-9a-z]+`)
	times  = regexp.MustCompile(`\b[0-9]{13,16}(\.[0-9]+)?\b`)
)

// plainly is a value without what differs from run to run: what is sealed, ids, tokens, and the server's own time.
func plainly(s *Store, v string) string {
	odd := func(r rune) bool { return r < ' ' || r > '~' }
	if strings.ContainsFunc(v, odd) {
		head, _, ok := strings.Cut(v, "\n")
		if v = "sealed"; ok && !strings.ContainsFunc(head, odd) && len(strings.Fields(head)) == 9 {
			v = head + " sealed" // a row
		}
	}
	v = tokens.ReplaceAllString(strings.ReplaceAll(ulids.ReplaceAllString(v, "ULID"), s.self, "PROCESS"), "TOKEN")
	return times.ReplaceAllStringFunc(v, func(n string) string {
		ms, _ := strconv.ParseInt(n[:13], 10, 64)
		if d := time.Until(time.UnixMilli(ms)).Abs(); d < 5*24*time.Hour {
			return "NOW"
		}
		return n
	})
}

// shape is everything in the store, plainly. What only tells a repeat, or that something changed, is left out.
func shape(t testing.TB, s *Store, c redis.UniversalClient) map[string]string {
	t.Helper()
	ctx := context.Background()
	all := map[string]string{}
	for _, key := range c.Keys(ctx, "*").Val() {
		if regexp.MustCompile(`:(result|resultlock|seq|turns|timers:last|probe):?|:last$`).MatchString(key) {
			continue
		}
		var vs []string
		switch c.Type(ctx, key).Val() {
		case "string":
			vs = []string{c.Get(ctx, key).Val()}
		case "hash":
			for f, v := range c.HGetAll(ctx, key).Val() {
				vs = append(vs, f+" = "+plainly(s, v))
			}
		case "list":
			vs = c.LRange(ctx, key, 0, -1).Val()
		case "set":
			vs = c.SMembers(ctx, key).Val()
		case "zset":
			for _, z := range c.ZRangeWithScores(ctx, key, 0, -1).Val() {
				vs = append(vs, fmt.Sprintf("%v at %.1f", z.Member, z.Score))
			}
		}
		for i, v := range vs {
			vs[i] = plainly(s, v)
		}
		if c.Type(ctx, key).Val() != "list" {
			slices.Sort(vs)
		}
		all[plainly(s, key)] += fmt.Sprintf("%q", vs)
	}
	return all
}

// sameShape names the keys that differ.
func sameShape(t testing.TB, what string, got, want map[string]string) {
	t.Helper()
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %s is\n  %s\nwanted\n  %s", what, k, got[k], v)
		}
	}
	for k, v := range got {
		if want[k] == "" {
			t.Errorf("%s: %s is there:\n  %s", what, k, v)
		}
	}
}
