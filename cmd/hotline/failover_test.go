package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/bot/telegram/telegramtest"
)

// The whole program on a Redis that replaces its primary by itself: the primary is killed while people write, another
// takes its place, and everything that was acknowledged is there, once.

func TestSentinelFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a failover")
	}
	t.Parallel()
	g := storetest.Sentinel(t)
	srv := telegramtest.New(t)
	srv.Latency(15 * time.Millisecond)
	f := newFleet(t, srv, g.URL, "polling", 2)
	f.start()
	crowd, over := 6, 10*time.Second
	if os.Getenv("PULANG_SOAK") == "1" {
		crowd, over = 100, 2*time.Minute
	}
	users, written := people(t, srv, crowd, over)
	failover(t, g, over)
	written()
	deadline(t, 4*time.Minute, "every update taken", func() bool { f.revive(); return srv.Pending() == 0 })
	repeated := examine(t, f.open(), f.revive, users)
	t.Logf("soak: Sentinel, 2 replicas of the program, %d updates, %d cases: 0 lost, 0 doubled; %d replies sent twice", crowd*len(script), crowd, repeated)
}

// In a Cluster three missions stand on three primaries, each with its own bot.
func TestClusterFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a failover")
	}
	t.Parallel()
	g := storetest.Cluster(t)
	srv := telegramtest.New(t)
	srv.Latency(15 * time.Millisecond)
	dir, lines, bots := missionsOnAllPrimaries(t, g, srv)
	f := newFleet(t, srv, g.URL, "webhook", 2, "HOTLINE_MISSION="+dir, "TELEGRAM_TOKEN=")
	f.lines = lines
	f.start()
	crowd, over := 6, 10*time.Second
	if os.Getenv("PULANG_SOAK") == "1" {
		crowd, over = 100, 2*time.Minute
	}
	users, written := people(t, srv, crowd, over, bots...)
	failover(t, g, over)
	written()
	deadline(t, 4*time.Minute, "every update taken", func() bool {
		f.revive()
		n := 0
		for _, b := range bots {
			n += b.Pending()
		}
		return n == 0
	})
	s := f.open()
	repeated := examine(t, s, f.revive, users)
	for _, l := range lines {
		n := 0
		for _, u := range users {
			for _, m := range u.FromBot() {
				if strings.Contains(m.Text, prefixes[l.Code]) {
					n++
					break
				}
			}
		}
		if n == 0 {
			t.Errorf("nobody has a case of %s", l.Code)
		}
	}
	t.Logf("soak: Cluster, 3 missions on 3 primaries, 2 replicas of the program, %d updates, %d cases: 0 lost, 0 doubled; %d replies sent twice",
		crowd*len(script), crowd, repeated)
}

// failover kills the primary of the line kh a third into the writing, and starts it again when there is another.
func failover(t *testing.T, g *storetest.Group, over time.Duration) {
	t.Helper()
	wait(t.Context(), over/3)
	old := g.Primary("{kh}:")
	if old == nil {
		t.Fatal("no primary")
	}
	old.Kill()
	deadline(t, time.Minute, "another primary", func() bool { p := g.Primary("{kh}:"); return p != nil && p != old })
	old.Start()
}

// prefixes are how the case codes of the test's missions begin.
var prefixes = map[string]string{"kh": "K7", "mm": "M5", "la": "L8", "th": "T4", "vn": "V6", "ph": "P3", "my": "Y2", "sg": "S9"}

// missionsOnAllPrimaries writes three mission files whose lines live on three primaries, the first of them kh, each
// with a bot of its own.
func missionsOnAllPrimaries(t *testing.T, g *storetest.Group, srv *telegramtest.Server) (dir string, lines []store.Line, bots []*telegramtest.Bot) {
	t.Helper()
	dir = t.TempDir()
	taken := map[*storetest.Node]bool{}
	example, _, _ := strings.Cut(bot.ExampleMission(), "\n[[others]]")
	for _, code := range []string{"kh", "mm", "la", "th", "vn", "ph", "my", "sg"} {
		at := g.Primary("{" + code + "}:")
		if at == nil || taken[at] {
			continue
		}
		taken[at] = true
		b := srv.Bot()
		if len(bots) > 0 {
			b = srv.AddBot("pulang_" + code + "_bot")
		}
		token := filepath.Join(dir, code+".token")
		text := strings.NewReplacer(`code    = "kh"`, `code    = "`+code+`"`, `prefix  = "K7"`, `prefix  = "`+prefixes[code]+`"`,
			`# telegram_token_file = "/etc/hotline/kh.telegram"   #`, `telegram_token_file = "`+token+`" #`,
			`country  = "KH"`, `country  = "`+strings.ToUpper(code)+`"`).Replace(example)
		for name, content := range map[string]string{token: b.Token(), filepath.Join(dir, code+".toml"): text} {
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		lines, bots = append(lines, store.Line{Code: code}), append(bots, b)
	}
	if len(lines) != 3 {
		t.Fatalf("%d lines on as many primaries, want 3", len(lines))
	}
	for i := range lines {
		lines[i].Missions = []string{lines[i].Code}
		for j := range lines {
			if j != i {
				lines[i].Missions = append(lines[i].Missions, lines[j].Code)
			}
		}
	}
	return dir, lines, bots
}
