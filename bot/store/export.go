package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/flows/casework"
)

var (
	exportAskScript      = newScript("export_ask")
	exportDecideScript   = newScript("export_decide")
	exportWithdrawScript = newScript("export_withdraw")
	exportTakeScript     = newScript("export_take")
)

// keyExport is a HASH for two days at most, a request for a file with personal data: by (account id of who asks), d
// (the sealed bot.ExportAsk), st (its state), unt (until when), sec (the sealed name of who allowed or refused it),
// tok (the token of the last call that changed it). keyExports is a ZSET of the ids by until when they hold.
// keyExportsAsked is a HASH, for a day after its last request, of those of a mission that wait for a second person: by
// id, until when and the sealed name of who asks.
func keyExport(id string) string            { return "{staff}:export:" + id }
func keyExports() string                    { return "{staff}:exports" }
func keyExportsAsked(mission string) string { return "{staff}:exports:asked:" + mission }

// AskExport keeps a request; it waits bot.ExportLife for a second person. audit gets what the request is about; the row
// is written first. The same request again is nothing new; bot.ErrConflict when the number is another one's.
func (s *Store) AskExport(ctx context.Context, a bot.ExportAsk, audit bot.Audit) error {
	old, err := s.Export(ctx, a.ID)
	switch {
	case err == nil && foldName(old.By) == foldName(a.By) && sameExport(old, a):
		return s.replicated(ctx, StaffLine)
	case err == nil:
		return fmt.Errorf("ask for an export: %w", bot.ErrConflict)
	case !errors.Is(err, bot.ErrNotFound):
		return err
	}
	sealed, err := s.sealLineJSON(ctx, StaffLine, "exports", keyExport(a.ID), a)
	var by []byte
	if err == nil {
		by, err = s.sealLine(ctx, StaffLine, "exports", keyExport(a.ID)+":by", []byte(a.By))
	}
	if err == nil {
		err = s.Record(ctx, a.Mission, aboutExport(audit, a))
	}
	if err == nil {
		err = s.run(ctx, exportAskScript, []string{keyExport(a.ID), keyExports(), keyExportsAsked(a.Mission)},
			a.ID, s.accountID(a.By), sealed, bot.ExportLife.Milliseconds(), by).Err()
	}
	if err != nil {
		return fmt.Errorf("ask for an export: %w", err)
	}
	return nil
}

// sameExport reports whether two requests ask for the same set.
func sameExport(a, b bot.ExportAsk) bool {
	return a.Mission == b.Mission && a.Kind == b.Kind && a.From == b.From && a.To == b.To && a.Reason == b.Reason
}

// aboutExport makes an audit row one about that request. The log of a mission lies beside its cases and a request beside
// the accounts, so that no script can write both: the row comes first, and an answer that then comes too late has a
// second one.
func aboutExport(audit bot.Audit, a bot.ExportAsk) bot.Audit {
	audit.Field, audit.Purpose = a.Kind+" "+a.ID, a.Reason
	return audit
}

// DecideExport is the second person's word on a request of that mission. It gives bot.ErrNotFound when there is none (any
// more), bot.ErrOwnExport when it is the person's own, and bot.ErrExportState, with the request, when it was answered
// already; the same word again is nothing new. audit gets what the request is about; a try to answer one's own is in the
// log, too.
func (s *Store) DecideExport(ctx context.Context, mission, id, second string, allow bool, now time.Time, audit bot.Audit) (bot.ExportAsk, error) {
	state := bot.ExportRefused
	if allow {
		state = bot.ExportAllowed
	}
	said := func(a bot.ExportAsk) bool { return a.State == state && foldName(a.Second) == foldName(second) }
	a, err := s.Export(ctx, id)
	switch {
	case err != nil:
		return a, err
	case a.Mission != mission || !a.Until.After(now):
		return bot.ExportAsk{}, fmt.Errorf("request for an export: %w", bot.ErrNotFound)
	case said(a):
		return a, s.replicated(ctx, StaffLine)
	case a.State != bot.ExportAsked:
		return a, bot.ErrExportState
	}
	audit = aboutExport(audit, a)
	if foldName(a.By) == foldName(second) {
		audit.Result = "own"
		return a, errors.Join(bot.ErrOwnExport, s.Record(ctx, mission, audit))
	}
	sealed, err := s.sealLine(ctx, StaffLine, "exports", keyExport(id)+":second", []byte(second))
	if err == nil {
		err = s.Record(ctx, mission, audit)
	}
	if err != nil {
		return bot.ExportAsk{}, fmt.Errorf("answer a request: %w", err)
	}
	res, err := s.run(ctx, exportDecideScript, []string{keyExport(id), keyExports(), keyExportsAsked(mission)}, id, s.accountID(second), sealed, state,
		bot.ExportLife.Milliseconds(), s.nextToken()).Text()
	a, err = s.exportAfter(ctx, id, res, err)
	if errors.Is(err, bot.ErrExportState) && said(a) {
		return a, nil
	}
	return a, s.tooLate(ctx, mission, audit, err)
}

// tooLate gives a word whose row is written, but which then was not heard any more, its second row.
func (s *Store) tooLate(ctx context.Context, mission string, audit bot.Audit, err error) error {
	if !errors.Is(err, bot.ErrRefused) && !errors.Is(err, bot.ErrNotFound) {
		return err
	}
	audit.Result = "too late"
	return errors.Join(err, s.Record(ctx, mission, audit))
}

// WithdrawExport takes a request back: by is the person who made it. It may wait for an answer or be allowed; from then
// on nobody allows or writes it. Its errors are those of DecideExport; somebody else's request is not found; taken back
// again it is nothing new. audit gets what the request is about.
func (s *Store) WithdrawExport(ctx context.Context, mission, id, by string, now time.Time, audit bot.Audit) (bot.ExportAsk, error) {
	a, err := s.Export(ctx, id)
	switch {
	case err != nil:
		return a, err
	case a.Mission != mission || foldName(a.By) != foldName(by) || !a.Until.After(now):
		return bot.ExportAsk{}, fmt.Errorf("request for an export: %w", bot.ErrNotFound)
	case a.State == bot.ExportWithdrawn:
		return a, s.replicated(ctx, StaffLine)
	case a.State != bot.ExportAsked && a.State != bot.ExportAllowed:
		return a, bot.ErrExportState
	}
	audit = aboutExport(audit, a)
	if err := s.Record(ctx, mission, audit); err != nil {
		return bot.ExportAsk{}, fmt.Errorf("take a request back: %w", err)
	}
	res, err := s.run(ctx, exportWithdrawScript, []string{keyExport(id), keyExportsAsked(mission)}, id, s.accountID(by), s.nextToken()).Text()
	a, err = s.exportAfter(ctx, id, res, err)
	if errors.Is(err, bot.ErrExportState) && a.State == bot.ExportWithdrawn {
		return a, nil
	}
	return a, s.tooLate(ctx, mission, audit, err)
}

// ExportsAsking are the accounts whose requests of that mission wait for another person at now, one entry a request, in
// no order.
func (s *Store) ExportsAsking(ctx context.Context, mission string, now time.Time) ([]string, error) {
	all, err := s.rdb.HGetAll(ctx, keyExportsAsked(mission)).Result()
	if err != nil {
		return nil, fmt.Errorf("requests for exports: %w", err)
	}
	return s.exportsAsking(ctx, all, now), nil
}

// exportsAsking is not nil. It stands on every page beside the queue, so that a name that cannot be read hides neither:
// its request counts as that of an account without a name.
func (s *Store) exportsAsking(ctx context.Context, all map[string]string, now time.Time) []string {
	by := make([]string, 0, len(all))
	for id, v := range all {
		until, sealed, _ := strings.Cut(v, " ")
		if !msTime(until).After(now) {
			continue
		}
		name, err := s.openLine(ctx, StaffLine, "exports", keyExport(id)+":by", sealed)
		if err != nil {
			name = nil
		}
		by = append(by, string(name))
	}
	return by
}

// TakeExport uses up a request that was allowed: by is the person who made it. Its errors are those of DecideExport;
// somebody else's request is not found.
func (s *Store) TakeExport(ctx context.Context, id, by string) (bot.ExportAsk, error) {
	res, err := s.run(ctx, exportTakeScript, []string{keyExport(id)}, s.accountID(by), s.nextToken()).Text()
	return s.exportAfter(ctx, id, res, err)
}

func (s *Store) exportAfter(ctx context.Context, id, res string, err error) (bot.ExportAsk, error) {
	switch {
	case err != nil:
		return bot.ExportAsk{}, fmt.Errorf("request for an export: %w", err)
	case res == "none":
		return bot.ExportAsk{}, fmt.Errorf("request for an export: %w", bot.ErrNotFound)
	case res == "own":
		return bot.ExportAsk{}, bot.ErrOwnExport
	}
	a, err := s.Export(ctx, id)
	if err == nil && res != "ok" {
		err = bot.ErrExportState
	}
	return a, err
}

// Export reads a request; bot.ErrNotFound when there is none. One that lapsed is still told for a day.
func (s *Store) Export(ctx context.Context, id string) (bot.ExportAsk, error) {
	f, err := s.rdb.HMGet(ctx, keyExport(id), "d", "st", "unt", "sec").Result()
	if err != nil {
		return bot.ExportAsk{}, fmt.Errorf("request for an export: %w", err)
	}
	if text(f[0]) == "" {
		return bot.ExportAsk{}, fmt.Errorf("request for an export: %w", bot.ErrNotFound)
	}
	var a bot.ExportAsk
	err = s.openLineJSON(ctx, StaffLine, "exports", keyExport(id), text(f[0]), &a)
	if err == nil && text(f[3]) != "" {
		var second []byte
		second, err = s.openLine(ctx, StaffLine, "exports", keyExport(id)+":second", text(f[3]))
		a.Second = string(second)
	}
	if err != nil {
		return bot.ExportAsk{}, fmt.Errorf("request for an export: %w", err)
	}
	a.State, a.Until = text(f[1]), msTime(text(f[2]))
	return a, nil
}

// Exports are the requests that have not lapsed at now, the newest first.
func (s *Store) Exports(ctx context.Context, now time.Time) ([]bot.ExportAsk, error) {
	ids, err := s.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{Key: keyExports(), ByScore: true, Start: fmt.Sprintf("(%d", now.UnixMilli()), Stop: "+inf"}).Result()
	if err != nil {
		return nil, fmt.Errorf("requests for exports: %w", err)
	}
	var all []bot.ExportAsk
	for _, id := range ids {
		a, err := s.Export(ctx, id)
		if errors.Is(err, bot.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b bot.ExportAsk) int { return b.At.Compare(a.At) })
	return all, nil
}

// casesAtOnce is how many cases EachCase reads in one round trip.
const casesAtOnce = 200

// EachCase reads every case of a mission, the closed ones too, in no order, until f gives an error. On a store that is
// written to meanwhile it is of no one moment.
func (s *Store) EachCase(ctx context.Context, mission string, f func(*casework.Case) error) error {
	lines, err := s.linesOf(mission)
	if err != nil {
		return err
	}
	for _, line := range lines {
		codes, err := s.rdb.HGetAll(ctx, keyCodes(line)).Result()
		if err != nil {
			return fmt.Errorf("all cases: %w", err)
		}
		var ids []string
		for _, id := range codes {
			if id != "" { // erased
				ids = append(ids, id)
			}
		}
		for some := range slices.Chunk(ids, casesAtOnce) {
			pipe := s.rdb.Pipeline()
			got := make([]*redis.SliceCmd, len(some))
			for i, id := range some {
				got[i] = pipe.HMGet(ctx, keyCase(line, id), "v", "k", "s", "m")
			}
			if _, err := pipe.Exec(ctx); err != nil {
				return fmt.Errorf("all cases: %w", err)
			}
			for i, cmd := range got {
				v := texts(cmd.Val())
				if v[3] != mission {
					continue
				}
				c, _, err := s.openCase(line, some[i], v[0], v[1], v[2])
				if err == nil && c != nil {
					err = f(c)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}
