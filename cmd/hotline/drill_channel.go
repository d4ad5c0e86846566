package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/cmd/hotline/child"
	"pulang/flows/casework"
)

type drillChannelDown struct {
	People int           `default:"20" help:"How many invented citizens write."`
	Down   time.Duration `default:"12s" help:"How long the messenger is away: for the first half it takes no replies, then nothing is heard of it."`
}

// Validate bounds the drill.
func (c *drillChannelDown) Validate() error {
	if c.People < 1 || c.People > 500 || c.Down < time.Second || c.Down > time.Hour {
		return errors.New("--people is 1 to 500, --down 1s to 1h")
	}
	return nil
}

// Run serves from a directory of its own, to a messenger of its own, takes the messenger away and gives it back.
func (c *drillChannelDown) Run(ctx context.Context, s *Settings, io *streams) (err error) {
	dir, err := drillDir(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &channelDrill{people: c.People, down: c.Down, dir: dir, out: io.out, io: io}
	if err := d.run(ctx); err != nil {
		return err
	}
	if d.failed {
		return errReported
	}
	return nil
}

// channelDrill is one run of the drill.
type channelDrill struct {
	people int
	down   time.Duration
	dir    string
	out    io.Writer
	io     *streams

	telegram *drillTelegram
	st       *opened
	mission  string
	chat     string // address of the web chat
	said     map[int64][]string
	failed   bool
}

func (d *channelDrill) tell(ok bool, what, format string, a ...any) {
	verdict := "PASS"
	if !ok {
		verdict, d.failed = "FAIL", true
	}
	fmt.Fprintf(d.out, "%s  %-13s %s\n", verdict, what, fmt.Sprintf(format, a...))
}

func (d *channelDrill) run(ctx context.Context) (err error) {
	if d.telegram, err = startDrillTelegram(); err != nil {
		return fmt.Errorf("drill: %w", err)
	}
	defer d.telegram.close()
	d.mission = filepath.Join(d.dir, "mission.toml")
	if err := os.WriteFile(d.mission, []byte(bot.ExampleMission()), 0o600); err != nil {
		return fmt.Errorf("drill: %w", err)
	}
	stop, err := d.serve(ctx)
	if err != nil {
		return fmt.Errorf("drill: %w", err)
	}
	defer func() { err = errors.Join(err, stop()) }()
	// The drill looks into the store beside the program, as every command does.
	alone := &streams{in: d.io.in, out: d.io.out, err: d.io.err, env: func(string) string { return "" }}
	err = withStore(ctx, &Settings{Data: d.dir, Missions: d.mission}, alone, func(st *opened) error { return d.try(ctx, st) })
	if err != nil {
		return fmt.Errorf("drill: %w", err)
	}
	return nil
}

// try is the drill itself.
func (d *channelDrill) try(ctx context.Context, st *opened) error {
	d.st, d.said = st, map[int64][]string{}
	d.say(2)
	if err := d.answered(ctx, time.Minute); err != nil {
		return err
	}
	before := d.telegram.sentCount()
	d.telegram.set(true, false)
	d.say(1)
	if err := pause(ctx, d.down/2); err != nil {
		return err
	}
	d.telegram.set(true, true)
	d.say(2)
	asked, got := d.webchat(ctx, d.down/2)
	refused := d.telegram.refusals()
	leaked := d.telegram.sentCount() - before
	d.telegram.set(false, false)
	back := time.Now()
	d.tell(leaked == 0 && refused > 0, "outage", "%s: %d messages written meanwhile, %d calls of the program failed", d.down, 3*d.people, refused)
	d.tell(asked > 0 && got == asked, "other channel", "the web chat answered %d of %d messages meanwhile", got, asked)
	if err := d.answered(ctx, max(2*time.Minute, 2*d.down)); err != nil {
		return err
	}
	took := time.Since(back)
	d.say(1)
	if err := d.answered(ctx, time.Minute); err != nil {
		return err
	}
	return d.examine(ctx, took)
}

// say lets everybody write n messages.
func (d *channelDrill) say(n int) {
	for range n {
		for i := range d.people {
			chat := drillChat + int64(i)
			text := fmt.Sprintf("catatan latihan %d", len(d.said[chat])+1)
			d.said[chat] = append(d.said[chat], text)
			d.telegram.push(chat, text)
		}
	}
}

// answered waits until every message is confirmed and answered, and no reply waits to leave.
func (d *channelDrill) answered(ctx context.Context, atMost time.Duration) error {
	for end := time.Now().Add(atMost); ; {
		v, err := d.st.store.Vitals(ctx, time.Now(), map[string][]string{d.line(): {drillBot}})
		if err != nil {
			return err
		}
		waiting := 0
		for _, a := range v[d.line()].Accounts {
			waiting += a.Sending
			for _, n := range a.Waiting {
				waiting += n
			}
		}
		if waiting == 0 && d.telegram.settled(d.people) || time.Now().After(end) {
			return nil // what is missing is counted at the end
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

func (d *channelDrill) line() string { return d.st.missions[0].Code }

func pause(ctx context.Context, t time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(t):
		return nil
	}
}

// webchat writes on the other channel for a while, once a second or more often, and counts the messages that were taken.
func (d *channelDrill) webchat(ctx context.Context, during time.Duration) (asked, got int) {
	jar, _ := cookiejar.New(nil) // never an error without options
	c := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	every := min(time.Second, during/4)
	for end := time.Now().Add(during); time.Now().Before(end) && ctx.Err() == nil; _ = pause(ctx, every) {
		asked++
		r, err := c.PostForm(d.chat+"/send", url.Values{"id": {fmt.Sprintf("latihan-%04d", asked)}, "text": {fmt.Sprintf("catatan web %d", asked)}})
		if err != nil {
			continue
		}
		page, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		_ = r.Body.Close()
		if err == nil && r.StatusCode == http.StatusOK && strings.Contains(string(page), fmt.Sprintf("catatan web %d", asked)) {
			got++
		}
	}
	return asked, got
}

// examine compares what was written, what is stored and what was replied.
func (d *channelDrill) examine(ctx context.Context, took time.Duration) error {
	written, stored, lost, doubled, waiting := 0, 0, 0, 0, 0
	replies, missing, twice := 0, 0, 0
	seen := map[int64]bool{}
	var codes []string
	if err := d.st.store.EachCase(ctx, d.line(), func(c *casework.Case) error { codes = append(codes, c.Code); return nil }); err != nil {
		return err
	}
	for _, code := range codes {
		f, err := d.st.store.Open(ctx, d.line(), code, time.Now(), bot.Audit{})
		if err != nil {
			return err
		}
		chat, in, out := drillEntries(f)
		if d.said[chat] == nil {
			continue // the web chat's
		}
		if seen[chat] {
			doubled += len(in) // a second case of one person
			continue
		}
		seen[chat] = true
		l, t := differ(d.said[chat], in)
		stored, lost, doubled = stored+len(in), lost+l, doubled+t
		sent := d.telegram.sentTo(chat)
		l, t = differ(out, sent)
		replies, missing, twice = replies+len(sent), missing+l, twice+t
		for _, r := range f.Rows {
			if r.State != bot.RowSent {
				waiting++
			}
		}
	}
	for chat, all := range d.said {
		written += len(all)
		if !seen[chat] {
			lost += len(all)
		}
	}
	d.tell(lost+doubled == 0 && stored == written, "messages", "%d written, %d stored in their order, %d lost, %d doubled or out of order", written, stored, lost, doubled)
	d.tell(missing+twice+waiting == 0 && replies > 0, "replies", "%d arrived in their order, %d missing, %d doubled or out of order, %d still wait; all were there %s after the messenger was back",
		replies, missing, twice, waiting, took.Round(100*time.Millisecond))
	return nil
}

// drillEntries are what a person wrote and was answered, by the case's timeline.
func drillEntries(f bot.CaseFile) (chat int64, in, out []string) {
	if len(f.Case.Contacts) > 0 {
		_, _ = fmt.Sscan(f.Case.Contacts[0].Address, &chat)
	}
	for _, e := range f.Entries {
		switch {
		case e.Kind == "in" && e.Input != nil:
			in = append(in, e.Input.Text)
		case e.Kind == "out":
			out = append(out, e.Text)
		}
	}
	return chat, in, out
}

// differ counts what of want is missing in got, and what is there too often or not in its order.
func differ(want, got []string) (missing, wrong int) {
	if slices.Equal(want, got) {
		return 0, 0
	}
	have := map[string]int{}
	for _, g := range got {
		have[g]++
	}
	for _, w := range want {
		if have[w] > 0 {
			have[w]--
		} else {
			missing++
		}
	}
	for _, n := range have {
		wrong += n
	}
	return missing, max(wrong, 1-missing)
}

// serve starts this program on the drill's directory and waits for its addresses. stop ends it and its Redis.
func (d *channelDrill) serve(ctx context.Context) (stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + d.dir, "TMPDIR=" + os.TempDir(), "HOTLINE_DATA=" + d.dir, "HOTLINE_MISSION=" + d.mission,
		"HOTLINE_LISTEN=127.0.0.1:0", "HOTLINE_DESK_LISTEN=127.0.0.1:0", "HOTLINE_METRICS_LISTEN=127.0.0.1:0", "HOTLINE_LOG_LEVEL=error",
		"WEBCHAT=on", "TELEGRAM_TOKEN=" + drillBot + ":latihanlatihanlatihanlatihanlatihan", "TELEGRAM_API_URL=" + d.telegram.url}
	p, err := child.Start(self, []string{"serve"}, env, d.dir)
	if err != nil {
		return nil, err
	}
	if err := p.Hear(ctx, func(line string) bool {
		if at, ok := strings.CutPrefix(line, "web chat"); ok {
			d.chat = strings.TrimSuffix(strings.TrimSpace(at), "/")
		}
		return strings.HasPrefix(line, "metrics") // the last of its addresses
	}); err != nil {
		_ = p.Stop()
		return nil, fmt.Errorf("%w; run 'hotline check'", err)
	}
	return p.Stop, nil
}
