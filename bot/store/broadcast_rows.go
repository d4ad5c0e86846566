package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
)

var scriptBroadcastWithdraw = newScript("broadcast_withdraw")

// keyBroadcastRows is a SET for broadcastsKept of "line case row", the rows that a broadcast has or is about to have.
func keyBroadcastRows(line, id string) string { return lineKey(line) + "broadcast:" + id }

// broadcastRowsAtOnce is how many rows one script or pipeline looks at.
const broadcastRowsAtOnce = 200

// broadcastRow is one row of a broadcast.
type broadcastRow struct{ line, caseID, row string }

func (s *Store) broadcastRows(ctx context.Context, line, id string) ([]broadcastRow, error) {
	all, err := s.rdb.SMembers(ctx, keyBroadcastRows(line, id)).Result()
	if err != nil {
		return nil, err
	}
	out := make([]broadcastRow, 0, len(all))
	for _, m := range all {
		if w := strings.Fields(m); len(w) == 3 {
			out = append(out, broadcastRow{w[0], w[1], w[2]})
		}
	}
	return out, nil
}

// tally is what this process knows of a broadcast's rows. One that was sent or withdrawn stays that, and is not looked
// at again: a page with thirty broadcasts to ten thousand people each would ask Redis for every row at every view.
type tally struct {
	of   int64             // how many rows the broadcast had then
	over bot.BroadcastRows // of rows that do not change any more
	open []broadcastRow    // the others
}

// broadcastCounts reads what became of the rows. One that was noted and never committed, or whose case was erased
// before it was sent, is not counted.
func (s *Store) broadcastCounts(ctx context.Context, line, id string) (n bot.BroadcastRows, err error) {
	key := keyBroadcastRows(line, id)
	had, err := s.rdb.SCard(ctx, key).Result()
	if err != nil {
		return n, err
	}
	known, ok := s.tallies.get(key)
	if !ok || known.of != had {
		known = tally{}
		if known.open, err = s.broadcastRows(ctx, line, id); err != nil {
			return n, err
		}
		known.of = int64(len(known.open))
	}
	now := tally{of: known.of, over: known.over}
	n = known.over
	for some := range slices.Chunk(known.open, broadcastRowsAtOnce) {
		pipe := s.rdb.Pipeline()
		got := make([]*redis.StringCmd, len(some))
		for i, r := range some {
			got[i] = pipe.HGet(ctx, keyRowStates(r.line, r.caseID), r.row)
		}
		if _, err := pipe.Exec(ctx); err != nil && !isNil(err) {
			return n, err
		}
		for i, cmd := range got {
			state, _, _ := strings.Cut(cmd.Val(), " ")
			switch bot.RowState(state) {
			case bot.RowSent, bot.RowDelivered, bot.RowRead:
				n.Sent++
				now.over.Sent++
				continue
			case bot.RowWithdrawn:
				n.Withdrawn++
				now.over.Withdrawn++
				continue
			case bot.RowQueued, bot.RowSending:
				n.Queued++
			case bot.RowHeld:
				n.Held++
			case bot.RowFailed, bot.RowUnknown:
				n.Failed++
			}
			now.open = append(now.open, some[i])
		}
	}
	s.tallies.put(key, now)
	return n, nil
}

// NoteBroadcastRow remembers a row that a broadcast is about to have.
func (s *Store) NoteBroadcastRow(ctx context.Context, line, id string, r bot.Row) error {
	key := keyBroadcastRows(line, id)
	pipe := s.rdb.Pipeline()
	pipe.SAdd(ctx, key, r.Line+" "+r.CaseID+" "+r.ID)
	pipe.Expire(ctx, key, broadcastsKept)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("broadcast: %w", err)
	}
	return nil
}

// WithdrawBroadcast takes back the rows of a broadcast that have not left, and tells how many are being sent at this
// moment.
func (s *Store) WithdrawBroadcast(ctx context.Context, line, id string, now time.Time) (leaving int, err error) {
	rows, err := s.broadcastRows(ctx, line, id)
	if err != nil {
		return 0, fmt.Errorf("broadcast: %w", err)
	}
	by := map[string][]any{}
	for _, r := range rows {
		by[r.line] = append(by[r.line], r.row)
	}
	for of, all := range by {
		for some := range slices.Chunk(all, broadcastRowsAtOnce) {
			n, err := s.run(ctx, scriptBroadcastWithdraw, []string{lineKey(of)}, append([]any{now.UnixMilli()}, some...)...).Int()
			if err != nil {
				return 0, fmt.Errorf("broadcast: %w", err)
			}
			leaving += n
		}
	}
	return leaving, nil
}
