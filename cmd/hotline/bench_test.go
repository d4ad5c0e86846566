package main

import (
	"encoding/json"
	"strings"
	"testing"

	"pulang/bot/needed"
	"pulang/cmd/hotline/bench"
)

// A short run of every kind: each message is answered once, and every citizen has a case.
func TestBench(t *testing.T) {
	needed.Program(t, "redis-server")
	t.Parallel()
	env := environment(t, t.TempDir())
	for name, args := range map[string][]string{
		"compared":  {"--compare", "--citizens", "24", "--at-once", "8"},
		"polling":   {"--polling", "--citizens", "12", "--at-once", "4", "--fsync", "always"},
		"taps":      {"--compare", "--taps", "--citizens", "12", "--at-once", "4"},
		"at a rate": {"--rate", "200", "--citizens", "12"},
		"replicas":  {"--replicas", "3", "--citizens", "12", "--at-once", "4"},
		"many":      {"--citizens", "300", "--at-once", "300"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, errs, code := runHotline(t, env, "", append([]string{"bench", "--json"}, args...)...)
			if code != 0 || errs != "" {
				t.Fatalf("%d %q", code, errs)
			}
			runs := 0
			for l := range strings.Lines(out) {
				var r bench.Result
				if err := json.Unmarshal([]byte(l), &r); err != nil {
					t.Fatalf("%v in %s", err, l)
				}
				runs++
				// A busy machine may refuse one that it could not store in time; it then comes again.
				if r.Messages != r.Citizens*bench.Messages || r.Missing+r.Doubled+r.More != 0 || r.Refused > r.Messages/10 {
					t.Errorf("%s: %d messages of %d citizens, %d missing, %d doubled, %d further, %d refused", r.Target, r.Messages, r.Citizens,
						r.Missing, r.Doubled, r.More, r.Refused)
				}
				if r.Target == bench.TargetServe && r.Cases < r.Citizens {
					t.Errorf("%d cases of %d citizens", r.Cases, r.Citizens)
				}
				if r.PerSecond <= 0 || r.CPU <= 0 || r.PeakRSS < 1 || r.Reads <= 0 || r.BytesIn <= 0 || r.Reply.P50 <= 0 || r.Reply.Max < r.Reply.P99 {
					t.Errorf("not measured: %+v", r)
				}
			}
			if want := 1 + strings.Count(strings.Join(args, " "), "--compare"); runs != want {
				t.Errorf("%d results, want %d", runs, want)
			}
		})
	}
}

// The time to the first answer is measured on a store that holds as many open cases as asked for.
func TestBenchStart(t *testing.T) {
	needed.Program(t, "redis-server")
	t.Parallel()
	out, errs, code := runHotline(t, environment(t, t.TempDir()), "", "bench", "start", "--cases", "300", "--runs", "2", "--json")
	if code != 0 || errs != "" {
		t.Fatalf("%d %q", code, errs)
	}
	var r bench.StartResult
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if r.Open != 300 || r.Runs != 2 || r.ReplyMS <= 0 || r.ReplyMS < r.ListenMS/2 || r.WorstMS < r.ReplyMS || r.RedisMS <= 0 || r.RedisMiB <= 0 || r.PeakRSS < 1 {
		t.Errorf("not measured: %+v", r)
	}
}

// What cannot be measured is refused in one line, before anything is started.
func TestBenchRefuses(t *testing.T) {
	t.Parallel()
	env := environment(t, t.TempDir())
	for want, c := range map[string]struct {
		args []string
		code int
	}{
		"--citizens":             {[]string{"--citizens", "0"}, 2},
		"--polling":              {[]string{"--polling", "--replicas", "3"}, 2},
		"loopback":               {[]string{"--webhook", "http://192.0.2.1:80/x"}, 2},
		"127.0.0.1":              {[]string{"--api", "0.0.0.0:0"}, 2},
		"neither redis":          {[]string{}, 1},
		"redis://127.0.0.1:PORT": {[]string{"--redis", "127.0.0.1:1"}, 2},
		"--cases":                {[]string{"start", "--cases", "1"}, 2},
		"bench start":            {[]string{"start", "--polling"}, 2},
		"--runs":                 {[]string{"--redis", "unix:///nowhere", "--runs", "2"}, 2},
	} {
		env := env
		if want == "neither redis" {
			env = append(env[1:len(env):len(env)], "PATH=/nonexistent")
		}
		out, errs, code := runHotline(t, env, "", append([]string{"bench"}, c.args...)...)
		if code != c.code || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, want) || out != "" {
			t.Errorf("%v: %d %q %q, want %d and %q", c.args, code, out, errs, c.code, want)
		}
	}
}
