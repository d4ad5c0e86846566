package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// KillDrill is the outcome of DrillKill.
type KillDrill struct {
	Kills                   int
	Acked, Lost, Doubled    int
	LongestGap, LongestLoad time.Duration // without an acknowledgement; until the server answered again
}

// DrillKill tries, in a directory of its own and with invented cases, what a killed redis-server costs on this
// machine: eight writers commit cases while the server is killed, again and again, and started by whoever serves.
// Afterwards every acknowledged case must be there, once. It touches no store of anybody's.
func DrillKill(ctx context.Context, dir string, kills int) (d KillDrill, err error) {
	srv, err := StartServer(ctx, dir, ServerOptions{Exclusive: true})
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, srv.Close(context.WithoutCancel(ctx))) }()
	s, err := Open(ctx, Options{URL: srv.URL(), KeyFile: filepath.Join(dir, "keys.json"), Lines: []Line{{Code: "drill"}}, Mode: ModeDemo})
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	var mu sync.Mutex
	acked := map[string]bool{}
	last := time.Now()
	var next, stopped atomic.Int64
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for stopped.Load() == 0 && ctx.Err() == nil {
				n := next.Add(1)
				c := drillCase(int(n))
				// The same request until it is acknowledged, as a messenger delivers it.
				for stopped.Load() == 0 && ctx.Err() == nil {
					c.ID = ""
					_, err := s.Commit(ctx, bot.Change{Line: "drill", Request: c.Code, Case: c,
						Entries: []bot.Entry{{At: time.Now(), Kind: "event", Text: "event.case_opened"}}})
					if err == nil || errors.Is(err, bot.ErrCodeTaken) {
						mu.Lock()
						acked[c.Code] = true
						d.LongestGap = max(d.LongestGap, time.Since(last))
						last = time.Now()
						mu.Unlock()
						break
					}
					_ = pause(ctx, 5*time.Millisecond)
				}
			}
		})
	}
	for range kills {
		if err = pause(ctx, 150*time.Millisecond); err != nil {
			break
		}
		began := time.Now()
		if err = srv.kill(); err != nil {
			break
		}
		d.Kills++
		for s.rdb.Ping(ctx).Err() != nil && ctx.Err() == nil {
			_ = pause(ctx, 2*time.Millisecond)
		}
		d.LongestLoad = max(d.LongestLoad, time.Since(began))
	}
	stopped.Store(1)
	writers.Wait()
	if err != nil || ctx.Err() != nil {
		return d, errors.Join(err, ctx.Err())
	}
	d.Acked = len(acked)
	for code := range acked {
		id, err := s.CaseID(ctx, "drill", code)
		if errors.Is(err, bot.ErrNotFound) {
			d.Lost++
			continue
		}
		if err != nil {
			return d, err
		}
		if n, err := s.rdb.LLen(ctx, keyTimeline("drill", id)).Result(); err != nil {
			return d, fmt.Errorf("redis: %w", err)
		} else if n != 1 {
			d.Doubled++
		}
	}
	return d, nil
}

func drillCase(n int) *casework.Case {
	now := time.Now()
	return &casework.Case{
		Code: casework.NewCode("DR", [5]byte{byte(n), byte(n >> 5), byte(n >> 10), byte(n >> 15), byte(n >> 20)}), Line: "drill", Mission: "drill",
		Origin: "drill", Simulated: true, CreatedAt: now, DueAt: now.Add(time.Hour), Stage: casework.StageReported,
		Triage: casework.Triage{Class: casework.P3},
	}
}

// kill ends the server as a power cut of its own would: without a word.
func (s *Server) kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		return errors.New("the server was started by another process")
	}
	return s.child.Process.Signal(syscall.SIGKILL)
}
