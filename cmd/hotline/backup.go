package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/bot/store"
)

// backupCmd copies the store, running or not. It never copies the key file.
type backupCmd struct {
	Dir    string        `arg:"" help:"Directory of the backups, on another disk than the data."`
	Hourly time.Duration `default:"48h" help:"How long one backup an hour is kept."`
	Daily  time.Duration `default:"840h" help:"How long one backup a day is kept (840h are 35 days); what was erased is gone from all backups after it."`
}

// Validate ends settings that would keep nothing, or keep for ever.
func (c *backupCmd) Validate() error {
	if c.Hourly < time.Hour || c.Daily < c.Hourly || c.Daily > 366*24*time.Hour {
		return errors.New("--hourly is one hour or more, --daily at least as long and at most a year")
	}
	return nil
}

// Run writes one backup, verifies it and removes those whose time is over.
func (c *backupCmd) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		dir, err := filepath.Abs(c.Dir)
		if err != nil {
			return err
		}
		if keys, err := filepath.Abs(s.keyFile(st.data)); err == nil && strings.HasPrefix(keys, dir+string(filepath.Separator)) {
			return usagef("backup: the key file lies in %s: whoever has a backup would have the key; choose another directory", dir)
		}
		if dir == st.data || strings.HasPrefix(dir, st.data+string(filepath.Separator)) {
			fmt.Fprintln(io.err, "the backups lie in the data directory: they will not survive its disk")
		}
		m, err := st.store.Backup(ctx, dir, version())
		if err != nil {
			return errors.Join(err, st.store.Record(context.WithoutCancel(ctx), "", auditRow("backup", "failed")))
		}
		err = errors.Join(st.store.NoteOp(ctx, store.OpBackup, store.Op{At: m.MadeAt, Cases: m.Cases()}),
			st.store.Record(ctx, "", auditRow("backup", filepath.Base(m.Dir))))
		if err != nil {
			return fmt.Errorf("backup: it is whole, but could not be noted: %w", err)
		}
		removed, err := store.Keep{Hourly: c.Hourly, Daily: c.Daily}.Prune(dir, time.Now())
		if err != nil {
			return err
		}
		fmt.Fprintf(io.out, "%s\n%s\n", m.Dir, contents(m))
		fmt.Fprintf(io.out, "loaded, opened and verified; %d older backups removed. The key file is not in it: keep that elsewhere\n", removed)
		return nil
	})
}

// contents says what a backup holds.
func contents(m store.Manifest) string {
	var bytes int64
	for _, f := range m.Files {
		bytes += f.Bytes
	}
	var contacts int
	var rows, audit int64
	for _, l := range m.Lines {
		contacts, rows, audit = contacts+l.Contacts, rows+l.Rows, audit+l.Audit
	}
	return fmt.Sprintf("copy of %s: %d cases, %d contacts, %d rows not sent, %d audit rows, %.1f MB", m.MadeAt.UTC().Format(time.RFC3339),
		m.Cases(), contacts, rows, audit, float64(bytes)/1e6)
}

// restoreCmd brings a backup back, never over anything.
type restoreCmd struct {
	Backup string `arg:"" help:"One backup, or the directory of the backups for the newest."`
}

// Run restores into an empty data directory, or into the empty Redis of REDIS_URL.
func (c *restoreCmd) Run(ctx context.Context, s *Settings, io *streams) error {
	data, err := s.dataDir("data")
	if err != nil {
		return err
	}
	m, err := store.FindBackup(c.Backup)
	if err != nil {
		return err
	}
	missions, err := c.missions(s, m)
	if err != nil {
		return err
	}
	url, err := io.secret("REDIS_URL")
	if err != nil {
		return err
	}
	r := store.Restoring{Backup: m, KeyFile: s.keyFile(data), Lines: storeLines(missions), Audit: auditRow("restore", filepath.Base(m.Dir))}
	where := data
	var found store.Found
	if url == "" || m.Mode == store.ModeDemo {
		found, err = r.ToDirectory(ctx, data)
	} else {
		where = "the Redis of REDIS_URL"
		var rdb interface{ Close() error }
		found, err = func() (store.Found, error) {
			c, err := store.Dial(url)
			if err != nil {
				return store.Found{}, usageError{err}
			}
			rdb = c
			if err := durable(ctx, c, s.AcceptLoss, true); err != nil {
				return store.Found{}, err
			}
			return r.ToRedis(ctx, c)
		}()
		if rdb != nil {
			err = errors.Join(err, rdb.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("restore: %w", explained(err))
	}
	fmt.Fprintf(io.out, "restored into %s\n%s\n", where, contents(m))
	fmt.Fprintf(io.out, "%d cases drawn at random were opened, %d audit rows verified\n", found.Opened, found.Chained)
	missing(io, m, time.Now())
	return nil
}

// missions are those of the mission file; a demo's backup has the demo's.
func (c *restoreCmd) missions(s *Settings, m store.Manifest) ([]*bot.Mission, error) {
	if m.Mode == store.ModeDemo && s.Missions == "" {
		return demoMissions()
	}
	return s.loadMissions()
}

// missing says what a restored store does not know.
func missing(io *streams, m store.Manifest, now time.Time) {
	fmt.Fprintf(io.out, "MISSING: everything between %s and now (%s)\n", m.MadeAt.UTC().Format(time.RFC3339), now.Sub(m.MadeAt).Round(time.Minute))
	fmt.Fprintln(io.out, "  messages that were acknowledged in that time do not come again; what was not, Telegram keeps for 24 hours")
	fmt.Fprintln(io.out, "  what was sent from the outbox in that time may be sent a second time; what staff did in it is to be done again")
	fmt.Fprintln(io.out, "  everybody on the desk has to sign in again")
	for _, line := range slices.Sorted(maps.Keys(m.Heard)) {
		for _, account := range slices.Sorted(maps.Keys(m.Heard[line])) {
			fmt.Fprintf(io.out, "  line %s, account %s: last heard %s\n", line, account, m.Heard[line][account].UTC().Format(time.RFC3339))
		}
	}
}

const (
	// backupOld and drillOld are when an operator is told: a backup is due every quarter of an hour, a drill weekly.
	backupOld = 2 * time.Hour
	drillOld  = 8 * 24 * time.Hour
)

// operations says how old the last verified backup and the last drill are.
func (c *checker) operations(ctx context.Context, st *store.Store) {
	ops, err := st.Ops(ctx)
	if err != nil {
		c.fail("backup", err.Error())
		return
	}
	age := func(what, name, do string, old time.Duration) {
		op, ok := ops[name]
		switch {
		case !ok:
			c.warn(what, "never: "+do)
		case time.Since(op.At) > old:
			c.warn(what, fmt.Sprintf("the last one that succeeded was %s ago: %s", time.Since(op.At).Round(time.Minute), do))
		default:
			c.pass(what, fmt.Sprintf("%s ago, %d cases", time.Since(op.At).Round(time.Minute), op.Cases))
		}
	}
	age("backup", store.OpBackup, "run 'hotline backup DIR' every quarter of an hour", backupOld)
	age("drill", store.OpDrill, "run 'hotline drill restore DIR' every week", drillOld)
}
