package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/schollz/progressbar/v3"

	"pulang/bot"
	"pulang/cmd/hotline/bench"
)

// benchCmd measures this program, or another bot, on this machine.
type benchCmd struct {
	What     string  `arg:"" optional:"" enum:"walk,start" default:"walk" help:"walk: citizens walk the intake. start: the time from the program's start to its first answer, with --cases open cases in a Redis that is up."`
	Cases    int     `default:"50000" help:"For start: how many cases are open."`
	Target   string  `enum:"serve,yardstick" default:"serve" help:"What is measured: this program (serve), or a small typical bot (yardstick)."`
	Compare  bool    `help:"Measure this program and the yardstick in turn, and say the ratio."`
	Webhook  webURL  `placeholder:"URL" help:"Measure somebody else's bot, at this webhook on 127.0.0.1; it finds the Bot API at --api."`
	Secret   string  `name:"webhook-secret-header" placeholder:"TEXT" help:"What that bot expects as Telegram's secret header."`
	API      string  `placeholder:"HOST:PORT" help:"Where the Bot API listens, for a bot of --webhook (127.0.0.1 only; default any port)."`
	PID      []int   `placeholder:"PID" help:"That bot's processes, to read their CPU and memory."`
	Polling  bool    `help:"By long polling instead of a webhook."`
	Citizens int     `default:"2000" help:"How many people walk the intake, ten messages each."`
	AtOnce   int     `default:"64" help:"How many of them at a time, one message outstanding each."`
	Rate     float64 `placeholder:"N" help:"Send N messages a second at equal distances, instead of as fast as replies come."`
	Taps     bool    `help:"Tap buttons instead of typing their numbers."`
	Fsync    string  `enum:"everysec,always" default:"everysec" help:"Redis' appendfsync."`
	Redis    string  `placeholder:"URL" help:"An empty Redis to use instead of an own redis-server."`
	Replicas int     `default:"1" help:"How many processes of the target share the Redis."`
	Runs     int     `default:"1" help:"Take the median of so many runs."`
	JSON     bool    `name:"json" help:"Print JSON, one object a line."`
	Profile  string  `placeholder:"DIR" help:"Write this program's CPU and memory profiles there (go tool pprof)."`
}

// Run measures and prints.
func (c *benchCmd) Run(ctx context.Context, s *Settings, io *streams) error {
	o := bench.Options{Target: c.Target, Webhook: string(c.Webhook), Secret: c.Secret, API: c.API, PIDs: c.PID, Polling: c.Polling,
		Citizens: c.Citizens, AtOnce: c.AtOnce, Rate: c.Rate, Taps: c.Taps, Fsync: c.Fsync, Redis: c.Redis, Replicas: c.Replicas, Profile: c.Profile}
	targets := []string{c.Target}
	switch {
	case c.Compare && c.Webhook != "":
		targets = []string{bench.TargetServe, bench.TargetWebhook}
	case c.Compare:
		targets = []string{bench.TargetServe, bench.TargetYardstick}
	case c.Webhook != "":
		targets = []string{bench.TargetWebhook}
	}
	if c.Runs < 1 || c.Runs > 100 {
		return usagef("--runs: want 1 to 100")
	}
	if c.Redis != "" && (c.Compare || c.Runs > 1) {
		return usagef("--redis: a given Redis is empty for one run only; leave out --compare and --runs")
	}
	for _, t := range targets {
		o.Target = t
		if err := o.Check(); err != nil {
			return usageError{err}
		}
	}
	var err error
	if o.Program, err = os.Executable(); err != nil {
		return err
	}
	if o.Profile != "" {
		if o.Profile, err = filepath.Abs(o.Profile); err != nil {
			return err
		}
	}
	if o.Mission, err = c.mission(s); err != nil {
		return err
	}
	if s.Missions == "" {
		defer os.Remove(o.Mission) //nolint:errcheck // a temporary file
	}
	if c.What == "start" {
		if c.Compare {
			return usagef("bench start: leave out --compare")
		}
		o.Target = c.Target
		return c.start(ctx, s, o, io)
	}
	bar := progressOf(io.err, c.Runs*len(targets)*c.Citizens*bench.Messages, "  Citizens' messages")
	results, err := c.measure(ctx, o, targets, bar)
	_ = bar.Finish()
	if err != nil {
		return err
	}
	if c.JSON {
		return bench.WriteJSON(io.out, results...)
	}
	if err := bench.WriteTable(io.out, results...); err != nil {
		return err
	}
	for _, r := range results {
		if r.Missing+r.Doubled > 0 && r.Target == bench.TargetServe {
			return fmt.Errorf("%d replies are missing and %d came twice", r.Missing, r.Doubled)
		}
	}
	return nil
}

// measure makes the runs, of several targets in turn: what the machine does meanwhile then meets all of them.
func (c *benchCmd) measure(ctx context.Context, o bench.Options, targets []string, bar *progressbar.ProgressBar) ([]bench.Result, error) {
	o.Progress = func(n int) { _ = bar.Add(n) }
	runs := make([][]bench.Result, len(targets))
	for range c.Runs {
		for i, t := range targets {
			o.Target = t
			r, err := bench.Run(ctx, o)
			if err != nil {
				return nil, fmt.Errorf("bench %s: %w", t, err)
			}
			runs[i] = append(runs[i], r)
		}
	}
	var out []bench.Result
	for _, r := range runs {
		out = append(out, bench.Median(r))
	}
	return out, nil
}

// mission is the given mission file, or a temporary one with the example.
func (c *benchCmd) mission(s *Settings) (string, error) {
	if s.Missions != "" {
		return filepath.Abs(s.Missions)
	}
	f, err := os.CreateTemp("", "hotline-bench-*.toml")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(bot.ExampleMission())
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return f.Name(), err
}

// yardstickCmd is the child process of bench.
type yardstickCmd struct{}

// Run serves until it is told to stop.
func (yardstickCmd) Run(ctx context.Context, io *streams) error {
	return bench.Yardstick(ctx, io.out, io.env)
}
