package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// groups are the two ways in which Redis replaces a primary by itself.
var groups = map[string]func(testing.TB) *storetest.Group{"sentinel": storetest.Sentinel, "cluster": storetest.Cluster}

// openGroup opens a store on a group. The line's slot is on the Cluster's first primary, which has two replicas.
func openGroup(t *testing.T, g *storetest.Group, line string, o store.Options) (*store.Store, redis.UniversalClient) {
	t.Helper()
	c, err := store.Dial(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	o.Lines = []store.Line{{Code: line}}
	return storetest.Open(t, c, o), c
}

// A commit that no replica has is not acknowledged, neither at first nor when it is asked again, and is acknowledged
// by the same request once a replica has it. It has its effect once.
func TestCommitWaitsForReplica(t *testing.T) {
	for name, start := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t)
			const line = "kh"
			s, c := openGroup(t, g, line, store.Options{Wait: &store.Wait{Replicas: 1, For: 2 * time.Second},
				Patience: time.Millisecond})
			who := citizen(1)
			primary := g.Primary("{kh}:")
			if primary == nil {
				t.Fatal("no primary")
			}
			first := turn(who, "u1", load(t, s, who, "u1"))
			commit(t, s, first)
			replicas := g.Replicas(primary)
			askedForSettings(t, c, primary, replicas[0])
			for _, n := range replicas {
				n.Freeze()
			}
			second := turn(who, "u2", load(t, s, who, "u2"))
			second.Rows = []bot.Row{row("r2", who)}
			if _, err := s.Commit(ctx, second); !errors.Is(err, store.ErrReplicas) {
				t.Fatal("acknowledged, and only the primary has it:", err)
			}
			if _, err := s.Load(ctx, line, who, "u2"); !errors.Is(err, store.ErrReplicas) {
				t.Fatal("the repeat is acknowledged, and only the primary has it:", err)
			}
			if _, _, err := s.AcquireLease(ctx, line, "poll", "me", time.Minute); !errors.Is(err, store.ErrReplicas) {
				t.Fatal("a lease is held that a failover takes away:", err)
			}
			for _, n := range replicas {
				n.Thaw()
			}
			var snap bot.Snapshot
			storetest.Until(t, "the replicas have it", func() bool {
				var err error
				snap, err = s.Load(ctx, line, who, "u2")
				return err == nil
			})
			if !snap.Seen {
				t.Error("the repeat is not known as one")
			}
			done := commit(t, s, second)
			if !done.Repeat {
				t.Error("the second commit of one request was not a repeat")
			}
			if after := load(t, s, who, "?"); after.Version != 2 {
				t.Errorf("version %d after two commits", after.Version)
			}
			if n := c.HLen(ctx, "{kh}:rows").Val(); n != 1 {
				t.Errorf("%d rows of one commit", n)
			}
		})
	}
}

// askedForSettings: every node that is or may become the primary is asked, and a weak one is named.
func askedForSettings(t *testing.T, c redis.UniversalClient, primary, replica *storetest.Node) {
	t.Helper()
	if err := store.CheckDurability(ctx, c, false); err != nil {
		t.Error("good settings are refused:", err)
	}
	for _, weak := range []struct {
		node              *storetest.Node
		name, value, good string
	}{
		{primary, "min-replicas-to-write", "0", "1"}, {primary, "min-replicas-max-lag", "60", "10"}, {replica, "appendfsync", "everysec", "always"},
	} {
		if err := weak.node.Client.ConfigSet(ctx, weak.name, weak.value).Err(); err != nil {
			t.Fatal(err)
		}
		_, port, _ := strings.Cut(weak.node.Addr, ":")
		var d *store.DurabilityError
		// A client hears of a Cluster's replicas by and by.
		storetest.Until(t, weak.name+" "+weak.value+" is noticed", func() bool {
			return errors.As(store.CheckDurability(ctx, c, false), &d)
		})
		if len(d.Problems) != 1 || !strings.Contains(d.Problems[0], weak.name) || !strings.Contains(d.Problems[0], port) {
			t.Errorf("%s %s on %s: %v", weak.name, weak.value, port, d)
		}
		if err := store.CheckDurability(ctx, c, true); err != nil {
			t.Error("accepted, and refused:", err)
		}
		if err := weak.node.Client.ConfigSet(ctx, weak.name, weak.good).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// The primary is killed while people write: what was acknowledged is there afterwards, once, and the writing goes on.
func TestPrimaryKilledDuringCommits(t *testing.T) {
	for name, start := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t)
			keys, err := store.NewKeyring()
			if err != nil {
				t.Fatal(err)
			}
			s, c := openGroup(t, g, "kh", store.Options{Keys: keys})
			const people = 8
			w := startWriters(t, s, people)
			storetest.Until(t, "200 commits", func() bool { return w.sum() > 200 })
			old := g.Primary("{kh}:")
			old.Kill()
			var at int64
			storetest.Until(t, "another primary", func() bool { p := g.Primary("{kh}:"); at = w.sum(); return p != nil && p != old })
			storetest.Until(t, "200 commits on it", func() bool { return w.sum() > at+200 })
			old.Start()
			w.end()
			// Another process looks: the first has at hand what was acknowledged, and Redis may be one ahead of that.
			look, _ := openGroup(t, g, "kh", store.Options{Keys: keys})
			for p := range people {
				var snap bot.Snapshot
				var err error
				storetest.Until(t, "an answer", func() bool { snap, err = look.Load(ctx, "kh", citizen(p), "?"); return err == nil })
				n := w.acked[p].Load()
				if snap.Version < n || snap.Version > n+1 {
					t.Errorf("person %d: %d acknowledged, version %d", p, n, snap.Version)
				}
				// A client that is still looking for the primary, or asks the old one while it loads, has no answer yet.
				storetest.Until(t, fmt.Sprintf("person %d: as many entries as versions, %d", p, snap.Version), func() bool {
					l, err := c.LLen(ctx, fmt.Sprintf("{kh}:timeline:c%d", p)).Result()
					return err == nil && l == snap.Version
				})
			}
			t.Logf("acknowledged: %d, %d of them after the failover", w.sum(), w.sum()-at)
		})
	}
}
