package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// watchPoll is how often the number of the last change is read, so that a message that was lost is noticed.
const watchPoll = time.Second

// Watch calls f once when it stands and then after every change of a mission's cases until ctx ends, and gives ctx's
// error then. seq grows; kind is "case", "p1", "claim" or "channel", and what is heard late may come as one call of kind "case".
// Messages of Redis that get lost, or that cannot be had at all, are made up for by reading the number of the last
// change every second; an error of that reading ends Watch.
func (s *Store) Watch(ctx context.Context, mission string, f func(seq int64, kind string)) error {
	lines, err := s.linesOf(mission)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	w := watch{s: s, mission: mission, lines: lines, call: f}
	for _, line := range lines {
		w.at = append(w.at, keyEvents(line, mission))
	}
	sub := s.rdb.Subscribe(ctx, w.at...)
	defer func() { _ = sub.Close() }()
	messages := w.confirmed(ctx, sub)
	// Whoever read the queue before this moment may have missed a change, hence the first call.
	if w.last, err = w.read(ctx); err != nil {
		return w.ended(ctx, err)
	}
	f(w.sum(), "case")
	poll := time.NewTicker(watchPoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m, ok := <-messages:
			if !ok {
				messages = nil // polling goes on
				continue
			}
			w.heard(m.Channel, m.Payload)
		case <-poll.C:
			if err := w.poll(ctx); err != nil {
				return w.ended(ctx, err)
			}
		}
	}
}

type watch struct {
	s       *Store
	mission string
	lines   []string
	at      []string // channel of each line
	last    []int64  // number of the last change that was told, of each line
	call    func(seq int64, kind string)
}

func (w *watch) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("watch: %w", err)
}

// confirmed are the messages of a subscription that stands; nil, for which nobody waits, when it cannot be had.
func (w *watch) confirmed(ctx context.Context, sub *redis.PubSub) <-chan *redis.Message {
	for range w.at {
		if _, err := sub.ReceiveTimeout(ctx, 5*time.Second); err != nil {
			return nil
		}
	}
	return sub.Channel()
}

// heard tells of a message, unless its change was told already.
func (w *watch) heard(channel, payload string) {
	num, kind, ok := strings.Cut(payload, " ")
	seq, err := strconv.ParseInt(num, 10, 64)
	if !ok || err != nil {
		return
	}
	for i, c := range w.at {
		if c == channel && seq > w.last[i] {
			w.last[i] = seq
			w.call(w.sum(), kind)
		}
	}
}

// poll tells of changes whose message did not come. What it was is not known any more, so a P1 may be among them.
func (w *watch) poll(ctx context.Context) error {
	now, err := w.read(ctx)
	if err != nil {
		return err
	}
	missed := false
	for i := range now {
		if now[i] > w.last[i] {
			w.last[i], missed = now[i], true
		}
	}
	if missed {
		w.call(w.sum(), "case")
	}
	return nil
}

// sum is the number that is told: it grows whichever line changes.
func (w *watch) sum() int64 {
	var n int64
	for _, l := range w.last {
		n += l
	}
	return n
}

func (w *watch) read(ctx context.Context) ([]int64, error) {
	out := make([]int64, len(w.lines))
	for i, line := range w.lines {
		n, err := w.s.rdb.Get(ctx, keySeq(line, w.mission)).Int64()
		if err != nil && !isNil(err) {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}
