package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

var (
	scriptTake    = newScript("take")
	scriptReceipt = newScript("receipt")
)

// Take leases at most n contacts of the account whose first waiting row is due and whose most urgent waiting row is
// in a lane up to upTo, most urgent lane first, and returns the first row of each. bot.ErrLease when another process
// owns the channel by now (see Guard).
func (s *Store) Take(ctx context.Context, line, account string, now time.Time, n int, upTo bot.Lane, lease time.Duration) ([]bot.Leased, error) {
	if _, err := s.line(line); err != nil {
		return nil, err
	}
	if n <= 0 {
		return nil, nil
	}
	f := s.fence(line, account)
	token := s.nextToken()
	res, err := s.commits.do(ctx, scriptTake, []string{lineKey(line)}, []any{
		now.UnixMilli(), dash(account), n, now.Add(lease).UnixMilli(), token, f.name, f.text(), int(upTo),
	})
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	rows, err := handedOut(res)
	if err != nil {
		return nil, err
	}
	return s.leased(line, rows, token), nil
}

// leaseValues is how many values a script hands out of each row.
const leaseValues = 9

// handedOut are the rows' values in a script's answer.
func handedOut(res []any) ([]string, error) {
	f := texts(res)
	switch {
	case len(f) == 1 && f[0] == "fence":
		return nil, fmt.Errorf("another process owns the channel: %w", bot.ErrLease)
	case len(f)%leaseValues != 1 || f[0] != "ok":
		return nil, errors.New("the outbox gave an unknown answer")
	}
	return f[1:], nil
}

// leased opens rows that a script handed out.
func (s *Store) leased(line string, rows []string, token string) []bot.Leased {
	var out []bot.Leased
	for row := range slices.Chunk(rows, leaseValues) {
		l, err := s.openLeased(line, row)
		if err != nil {
			// One row that does not open must not keep the others.
			s.log.Error("outbox row", "line", line, "row", row[0], "err", err)
			if errors.Is(err, errRow) {
				if err := s.bury(line, row, token); err != nil { // its lease ends, and the next taker says it again
					s.log.Error("outbox row", "line", line, "row", row[0], "err", err)
				}
			}
			continue
		}
		l.Row.Lease = token
		out = append(out, l)
	}
	return out
}

// bury makes a dead letter of a row that was handed out and cannot be read: the person's next ones go on.
func (s *Store) bury(line string, row []string, token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.lease)
	defer cancel()
	h, _, err := splitRow(row[1])
	if err != nil {
		return err
	}
	_, err = s.commits.do(ctx, scriptFinish, []string{lineKey(line)}, []any{s.clock().UnixMilli(), "", "",
		row[0], row[2], dash(h.account), token, string(bot.RowFailed), h.attempts, 0, bot.WhyDamaged, "-", "", "", "", ""})
	return err
}

func (s *Store) openLeased(line string, f []string) (l bot.Leased, err error) {
	d, err := s.unwrapped(keyConv(line, f[2]), f[3])
	if err != nil {
		return l, err
	}
	if l.Row, err = openRow(line, f[0], d, f[1]); err != nil {
		return l, errors.Join(errRow, err)
	}
	l.Row.State = bot.RowSending
	if f[4] != "" {
		at, err := strconv.ParseInt(f[4], 10, 64)
		if err != nil {
			return l, errRow
		}
		l.LastIn = fromMillis(at)
	}
	if f[5] != "-" {
		if l.Case, l.CaseVer = s.hand.caseOf(keyConv(line, f[2]), f[5], f[6]); l.Case != nil {
			return l, nil
		}
		l.Case, l.CaseVer, err = s.openCase(line, f[5], f[6], f[7], f[8])
	}
	return l, err
}

// Receipt moves a row that was sent to delivered or read. A message that is not remembered is no error.
func (s *Store) Receipt(ctx context.Context, line string, who bot.Contact, providerID string, state bot.RowState, at time.Time) error {
	if _, err := s.line(line); err != nil {
		return err
	}
	err := s.run(ctx, scriptReceipt, []string{lineKey(line)}, s.keys.contactID(line, who), dash(providerID), string(state), at.UnixMilli()).Err()
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	return nil
}

// handlesFor is how long a messenger lets a bot delete messages of both sides.
const handlesFor = 48 * time.Hour

// Handles returns the messenger's ids of this contact's messages of the last 48 h, both ways, oldest first (those of one second in any order).
func (s *Store) Handles(ctx context.Context, line string, who bot.Contact) ([]string, error) {
	since, contact := s.clock().Add(-handlesFor).Unix(), s.keys.contactID(line, who)
	members, err := s.rdb.ZRangeByScoreWithScores(ctx, keySeen(line, contact), rangeFrom(strconv.FormatInt(since, 10))).Result()
	if err != nil {
		return nil, fmt.Errorf("handles: %w", err)
	}
	var out []handle
	for _, m := range members {
		at := int64(m.Score)
		switch m := text(m.Member); m[0] {
		case '-':
		case 'i':
			out = append(out, handle{at, m[1:]})
		case 'o':
			id, _, _ := strings.Cut(m[1:], " ")
			out = append(out, handle{at, id})
		default:
			out = append(out, handle{at, m})
		}
	}
	cases, err := s.casesWith(ctx, line, blindContact, contact)
	if err != nil {
		return nil, fmt.Errorf("handles: %w", err)
	}
	for _, id := range cases {
		states, err := s.rdb.HGetAll(ctx, keyRowStates(line, id)).Result()
		if err != nil {
			return nil, fmt.Errorf("handles: %w", err)
		}
		for _, st := range states {
			// Of a case with several people the others' are among them: in this chat those name nothing.
			if f := strings.Fields(st); len(f) == 3 && f[2] != "-" {
				if at, err := strconv.ParseInt(f[1], 10, 64); err == nil && at/1000 >= since {
					out = append(out, handle{at / 1000, f[2]})
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b handle) int { return cmp.Compare(a.at, b.at) })
	ids := make([]string, len(out))
	for i, h := range out {
		ids[i] = h.id
	}
	return slices.Compact(ids), nil
}

// handle is the messenger's id of a message, and the Unix second in which it came or left.
type handle struct {
	at int64
	id string
}

// markBlocked notes on every case of the contact that it cannot be reached there.
func (s *Store) markBlocked(ctx context.Context, line string, who bot.Contact, now time.Time) error {
	ids, err := s.casesWith(ctx, line, blindContact, s.keys.contactID(line, who))
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.changeCase(ctx, line, id, func(c *casework.Case) bool {
			for _, x := range c.Contacts {
				if x.Channel == who.Channel && x.Account == who.Account && x.Address == who.Address && !x.Blocked {
					c.Blocked(who.Channel, who.Account, who.Address, now)
					return true
				}
			}
			return false
		}); err != nil {
			return err
		}
	}
	return nil
}

// changeCase reads, changes and writes a case until nobody came in between; change says whether to write.
func (s *Store) changeCase(ctx context.Context, line, id string, change func(*casework.Case) bool) error {
	for {
		c, ver, err := s.LoadCase(ctx, line, id)
		if errors.Is(err, bot.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if !change(c) {
			return nil
		}
		_, err = s.Commit(ctx, bot.Change{Line: line, Case: c, CaseVer: ver})
		if !errors.Is(err, bot.ErrConflict) {
			return err
		}
	}
}
