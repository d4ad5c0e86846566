package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/telegram"
	"pulang/bot/whatsapp"
	"pulang/flows/lexicon"
)

// checkCmd tries everything that `serve` needs, without starting it.
type checkCmd struct{}

const (
	// A clock that is off by more confuses due times; redis and we need not agree to the millisecond.
	clockWarn, clockFail = 2 * time.Second, time.Minute
	diskWarn, diskFail   = 2 << 30, 256 << 20
	// As in deploy/alerts.yaml.
	memoryWarn, memoryFail = 0.7, 0.9
)

// checker writes one line for each thing tried and remembers whether one failed.
type checker struct {
	io     *streams
	failed bool
}

func (c *checker) line(verdict, what, why string) {
	c.failed = c.failed || verdict == "FAIL"
	fmt.Fprintf(c.io.out, "%-4s  %-12s %s\n", verdict, what, strings.Join(strings.Fields(why), " "))
}

func (c *checker) pass(what, why string) { c.line("PASS", what, why) }
func (c *checker) warn(what, why string) { c.line("WARN", what, why) }
func (c *checker) fail(what, why string) { c.line("FAIL", what, why) }

// Run prints PASS, WARN or FAIL per line. The exit code is 1 when something failed, for probes.
func (checkCmd) Run(ctx context.Context, s *Settings, io *streams) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := &checker{io: io}
	data, err := s.dataDir("data")
	if err != nil {
		return err
	}
	missions := c.missions(s)
	c.words(s)
	c.directory(s, data)
	c.disk(data)
	c.keys(s, data)
	c.redis(ctx, s, data, missions)
	if missions != nil {
		c.telegram(ctx, s, missions)
		c.whatsapp(ctx, s, missions, data)
	}
	if strings.HasPrefix(string(s.URL), "http://") || strings.HasPrefix(string(s.DeskURL), "http://") {
		c.warn("addresses", "HOTLINE_URL or HOTLINE_DESK_URL is not https: cookies and messages travel in clear")
	}
	if s.SecondFactor == "off" {
		c.warn("desk", "HOTLINE_SECOND_FACTOR=off: whoever learns a password reads cases; set it on, accounts then set an authenticator up")
	}
	if c.failed {
		return errReported
	}
	return nil
}

func (c *checker) missions(s *Settings) []*bot.Mission {
	ms, err := s.loadMissions()
	if err != nil {
		c.fail("mission", err.Error())
		return nil
	}
	c.pass("mission", fmt.Sprintf("%d: %s", len(ms), names(ms)))
	old := time.Now().AddDate(0, -6, 0).Format(time.DateOnly)
	for _, m := range ms {
		for _, n := range m.Numbers {
			if n.ConfirmedOn < old {
				c.warn("mission", fmt.Sprintf("%s: the number %q was last confirmed on %s: call it and note the day", m.Code, n.Label, n.ConfirmedOn))
			}
		}
		if len(m.Alerts) == 0 {
			c.warn("mission", m.Code+": no alert target: nobody is told when a P1 waits unread")
		}
	}
	return ms
}

// words tries the word lists of HOTLINE_WORDS and says how much stands in them.
func (c *checker) words(s *Settings) {
	if s.Words == "" {
		c.pass("words", "the built-in lists")
		return
	}
	if _, err := lexicon.Extended(s.extensions()...); err != nil {
		c.fail("words", err.Error())
		return
	}
	files, lines, err := s.extensions()[0].Size()
	if err != nil {
		c.fail("words", err.Error())
		return
	}
	c.pass("words", fmt.Sprintf("%s: lists %d, lines %d, beside the built-in ones", s.Words, files, lines))
}

// directory tries what `serve` writes beside its Redis. It makes nothing that stays.
func (c *checker) directory(s *Settings, data string) {
	if err := writable(data); err != nil {
		c.fail("data", fmt.Sprintf("%s: %v: give it to the account of the service, or set HOTLINE_DATA to another", data, err))
	} else {
		c.pass("data", data)
	}
	if s.AuditHeads == "" {
		return
	}
	if err := writable(filepath.Dir(s.AuditHeads)); err != nil {
		c.fail("audit", fmt.Sprintf("HOTLINE_AUDIT_HEADS=%s: %v: the ends of the audit log are not kept outside Redis; name a file that can be written", s.AuditHeads, err))
		return
	}
	c.pass("audit", "its ends are kept in "+s.AuditHeads)
}

// writable tells why a file cannot be made in dir, or dir itself where it is not there yet.
func writable(dir string) error {
	f, err := os.CreateTemp(nearestDir(dir), ".hotline-check-")
	if err != nil {
		return withoutPath(err)
	}
	return withoutPath(errors.Join(f.Close(), os.Remove(f.Name())))
}

// nearestDir is dir, or the nearest one above it that is there.
func nearestDir(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func (c *checker) disk(data string) {
	dir := nearestDir(data)
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		c.fail("disk", err.Error())
		return
	}
	free := st.Bavail * uint64(st.Bsize) //nolint:gosec // a block size is positive
	text := fmt.Sprintf("%.1f GB free for %s", float64(free)/(1<<30), data)
	switch {
	case free < diskFail:
		c.fail("disk", text+": Redis refuses writes when it is full")
	case free < diskWarn:
		c.warn("disk", text)
	default:
		c.pass("disk", text)
	}
}

func (c *checker) keys(s *Settings, data string) {
	path := s.keyFile(data)
	_, err := store.ReadKeyring(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.warn("keys", fmt.Sprintf("no key file %s yet: the first start on an empty store makes it; keep a copy apart from the backups", path))
		return
	case err != nil:
		c.fail("keys", err.Error())
		return
	}
	c.pass("keys", path)
	abs, err := filepath.Abs(path)
	if err == nil && (filepath.Dir(abs) == data || strings.HasPrefix(abs, data+string(filepath.Separator))) {
		c.warn("keys", "the key file lies beside the data: a thief of the disk or of a backup has both; set HOTLINE_KEYS to another place")
	}
}

// redis tries the store as `serve` would open it. It never makes a data directory, a key file or a store's mark.
func (c *checker) redis(ctx context.Context, s *Settings, data string, missions []*bot.Mission) {
	url, err := c.io.secret("REDIS_URL")
	if err != nil {
		c.fail("redis", err.Error())
		return
	}
	if url == "" {
		if _, err := os.Stat(filepath.Join(data, "redis.lock")); err != nil {
			_, noRedis := exec.LookPath("redis-server")
			if _, noValkey := exec.LookPath("valkey-server"); noRedis != nil && noValkey != nil {
				c.fail("redis", store.ErrNoServer.Error())
				return
			}
			c.pass("redis", "serve starts its own redis-server in "+data)
			return
		}
		srv, err := store.StartServer(ctx, data, store.ServerOptions{})
		if err != nil {
			c.fail("redis", err.Error())
			return
		}
		defer srv.Close(ctx) //nolint:errcheck // nothing was written
		url = srv.URL()
	}
	rdb, err := store.Dial(url)
	if err != nil {
		c.fail("redis", err.Error())
		return
	}
	defer rdb.Close() //nolint:errcheck // nothing was written
	began := time.Now()
	at, err := rdb.Time(ctx).Result()
	took := time.Since(began)
	if err != nil {
		c.fail("redis", "no answer: "+err.Error())
		return
	}
	c.pass("redis", fmt.Sprintf("answers in %d ms", took.Milliseconds()))
	c.clock(at.Sub(began.Add(took / 2)).Abs())
	err = store.CheckDurability(ctx, rdb, false)
	if noWait(s, rdb) {
		err = errors.Join(err, errors.New(waitNone))
	}
	if err != nil {
		for _, l := range strings.Split(err.Error(), "\n") {
			if s.AcceptLoss {
				c.warn("durability", l)
			} else {
				c.fail("durability", l)
			}
		}
	} else {
		text := "every acknowledged message is on the disk"
		if store.Failover(rdb) {
			text += "; a failover is bounded by HOTLINE_REDIS_WAIT and min-replicas-to-write"
		}
		c.pass("durability", text)
	}
	if n, err := rdb.DBSize(ctx).Result(); err != nil || n == 0 || missions == nil {
		return
	}
	st, err := store.Open(ctx, store.Options{Client: rdb, KeyFile: s.keyFile(data), Lines: storeLines(missions), Mode: store.ModeReal,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.fail("store", explained(err).Error())
		return
	}
	defer st.Close() //nolint:errcheck // nothing was written
	c.pass("store", "opens under this key file")
	c.memory(ctx, st)
	c.operations(ctx, st)
}

// memory says how full Redis is: where the limit is reached it refuses every write.
func (c *checker) memory(ctx context.Context, st *store.Store) {
	v, err := st.RedisVitals(ctx)
	if err != nil {
		c.fail("memory", err.Error())
		return
	}
	text := fmt.Sprintf("Redis uses %.0f %% of its memory", 100*v.Share)
	switch {
	case v.Share > memoryFail:
		c.fail("memory", text+", and full it refuses every message: runbook redis-full.md")
	case v.Share > memoryWarn:
		c.warn("memory", text+": runbook redis-full.md")
	default:
		c.pass("memory", text)
	}
}

func (c *checker) clock(off time.Duration) {
	text := fmt.Sprintf("ours and Redis's differ by %s", off.Round(time.Millisecond))
	switch {
	case off > clockFail:
		c.fail("clocks", text+": set them by NTP")
	case off > clockWarn:
		c.warn("clocks", text+": set them by NTP")
	default:
		c.pass("clocks", text)
	}
}

func (c *checker) telegram(ctx context.Context, s *Settings, missions []*bot.Mission) {
	lines, err := telegramLines(s, c.io, missions)
	if err != nil {
		c.fail("telegram", err.Error())
		return
	}
	if len(lines) == 0 {
		c.warn("telegram", "off: set TELEGRAM_TOKEN to turn it on")
	}
	for _, t := range lines {
		ch, err := telegram.New(telegram.Options{Token: t.token, APIURL: string(s.Telegram), Line: t.line, Handler: nobody{}, Secret: t.secret})
		if err != nil {
			c.fail("telegram", err.Error())
			continue
		}
		ask, cancel := context.WithTimeout(ctx, 5*time.Second)
		name, err := ch.Me(ask)
		cancel()
		ch.Close()
		if err != nil {
			c.fail("telegram", t.line+": "+scrub(err.Error()))
			continue
		}
		c.pass("telegram", t.line+": the token is @"+name+"'s")
	}
}

// whatsapp looks into the device store; it does not connect, which would cut off a running service.
func (c *checker) whatsapp(ctx context.Context, s *Settings, missions []*bot.Mission, data string) {
	lines, err := whatsappLines(s, c.io, missions, data)
	if err != nil {
		c.fail("whatsapp", err.Error())
		return
	}
	for _, l := range lines {
		all, err := whatsapp.List(ctx, l.store)
		switch {
		case err != nil:
			c.fail("whatsapp", l.line+": "+err.Error())
		case !slices.ContainsFunc(all, func(x whatsapp.Linked) bool { return l.number == "" || x.Number == l.number }):
			c.fail("whatsapp", l.line+": no number is linked: run 'hotline whatsapp link'")
		default:
			c.pass("whatsapp", l.line+": a number is linked; open WhatsApp on its phone at least every 14 days")
		}
	}
}

// nobody takes no messages: check only asks who the bot is.
type nobody struct{}

// Handle refuses.
func (nobody) Handle(context.Context, bot.Message) error { return bot.ErrRefused }

// SetAside refuses.
func (nobody) SetAside(context.Context, string, bot.Aside) error { return bot.ErrRefused }
