package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"pulang/bot/store"
)

// drillCmd tries what an emergency needs, on copies and invented cases.
type drillCmd struct {
	Restore     drillRestore     `cmd:"" help:"Restores the newest backup into a redis-server of its own and looks at it: counts, audit chain, 20 cases of each line."`
	ChannelDown drillChannelDown `cmd:"" name:"channel-down" help:"Takes a messenger away from a program of its own, with invented citizens, and gives it back: nothing may be lost or come twice."`
	RedisKill   drillRedisKill   `cmd:"" name:"redis-kill" help:"Kills a redis-server under load, in a directory of its own with invented cases: nothing acknowledged may be lost."`
}

type drillRestore struct {
	Backup string `arg:"" help:"The directory of the backups, or one backup."`
}

// Run prints PASS or FAIL with the counts, and remembers a drill that passed.
func (c *drillRestore) Run(ctx context.Context, s *Settings, io *streams) error {
	m, err := store.FindBackup(c.Backup)
	if err != nil {
		return err
	}
	return withStore(ctx, s, io, func(st *opened) error {
		began := time.Now()
		found, err := st.store.Try(ctx, m)
		if err != nil {
			fmt.Fprintf(io.out, "FAIL  %s: %v\n", filepath.Base(m.Dir), err)
			return errors.Join(errReported, st.store.Record(context.WithoutCancel(ctx), "", auditRow("drill", "restore failed")))
		}
		fmt.Fprintf(io.out, "PASS  counts       %s\n", contents(m))
		fmt.Fprintf(io.out, "PASS  audit chain  %d rows, ends as the manifest says\n", found.Chained)
		fmt.Fprintf(io.out, "PASS  cases        %d drawn at random open with their timelines\n", found.Opened)
		fmt.Fprintf(io.out, "PASS  time         loaded in %s, all in %s; the copy is %s old\n", found.Took.Round(time.Millisecond),
			time.Since(began).Round(time.Millisecond), time.Since(m.MadeAt).Round(time.Second))
		err = errors.Join(st.store.NoteOp(ctx, store.OpDrill, store.Op{At: time.Now().UTC(), Cases: m.Cases(), Of: m.MadeAt}),
			st.store.Record(ctx, "", auditRow("drill", "restore")))
		if err != nil {
			return fmt.Errorf("drill: passed, but could not be noted: %w", err)
		}
		return nil
	})
}

// drillDir makes a directory for a drill below the data directory, on the same disk; the caller removes it. Without a data
// directory it is a temporary one.
func drillDir(s *Settings) (string, error) {
	data, err := s.dataDir("data")
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(data); err != nil {
		data = ""
	}
	dir, err := os.MkdirTemp(data, ".drill-")
	if err != nil {
		return "", fmt.Errorf("drill: %w", err)
	}
	return dir, nil
}

type drillRedisKill struct {
	Kills int `default:"10" help:"How often the server is killed."`
}

// Validate bounds the drill.
func (c *drillRedisKill) Validate() error {
	if c.Kills < 1 || c.Kills > 1000 {
		return errors.New("--kills is 1 to 1000")
	}
	return nil
}

// Run works below the data directory, on the same disk, and removes what it made.
func (c *drillRedisKill) Run(ctx context.Context, s *Settings, io *streams) (err error) {
	dir, err := drillDir(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d, err := store.DrillKill(ctx, dir, c.Kills)
	if err != nil {
		return fmt.Errorf("drill: %w", err)
	}
	verdict := "PASS"
	if d.Lost > 0 || d.Doubled > 0 || d.Acked == 0 {
		verdict, err = "FAIL", errReported
	}
	fmt.Fprintf(io.out, "%s  %d kills, %d cases acknowledged, %d lost, %d doubled; longest time without an answer %s\n", verdict, d.Kills, d.Acked, d.Lost,
		d.Doubled, d.LongestGap.Round(time.Millisecond))
	fmt.Fprintln(io.out, "      a killed server tells nothing of a power cut: that depends on the disk keeping what it has synced")
	return err
}
