package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"pulang/bot"
	"pulang/flows/casework"
)

// caseFields are the fields of a case's record that scripts read, as field and value by turns. What they hold in
// clear is no more than what the queue is ordered by.
func (s *Store) caseFields(c *casework.Case, now time.Time) []any {
	closed := ""
	if c.Closed() {
		closed = ms(c.ClosedAt)
		if closed == "" {
			closed = ms(now)
		}
	}
	k := casework.CandidateOf(c)
	female := ""
	if k.Female {
		female = "1"
	}
	created := c.CreatedAt
	if created.IsZero() {
		created = now
	}
	due := c.DueAt
	if due.IsZero() {
		due = created
	}
	offered, since := "", ""
	if c.Offer != nil && !c.Closed() {
		offered, since = c.Offer.To, ms(c.Offer.At)
	}
	return []any{
		"code", c.Code, "m", c.Mission, "c", string(casework.Effective(c, now)), "due", ms(due), "cr", ms(created), "cl", closed,
		"of", offered, "ofa", since, "lat", ms(c.LaterUntil), "p1", ms(c.P1Since), "rd", ms(c.LastRead), "f", female,
		"st", ms(c.SettledAt), "pr", ms(c.PromisedAt), "w", windowField(k.Windows), "bx", s.keys.blindOf(c.Line, c),
	}
}

// leadingFields are those that commit.lua always wants to have; caseFields begins with them.
const leadingFields = 3

// changedFields are the leading fields and those that are not as they were; of a new case, of which nothing was, those
// that are not empty.
func changedFields(now, was []any) []any {
	out := append(make([]any, 0, len(now)), now[:2*leadingFields]...)
	for i := 2 * leadingFields; i < len(now); i += 2 {
		if was == nil && now[i+1] != "" || was != nil && now[i+1] != was[i+1] {
			out = append(out, now[i], now[i+1])
		}
	}
	return out
}

// windowField is "540-600,1260-1320".
func windowField(ws []casework.Window) string {
	var b strings.Builder
	for i, w := range ws {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(w.From))
		b.WriteByte('-')
		b.WriteString(strconv.Itoa(w.To))
	}
	return b.String()
}

// openCase opens a case's record. Empty fields mean that there is no such case (any more): nil.
func (s *Store) openCase(line, id, v, wrapped, sealed string) (*casework.Case, int64, error) {
	if v == "" || wrapped == "" {
		return nil, 0, nil
	}
	ver, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return nil, 0, fmt.Errorf("case record: %w", err)
	}
	key := keyCase(line, id)
	d, err := s.unwrapped(key, wrapped)
	if err != nil {
		return nil, 0, fmt.Errorf("case record: %w", err)
	}
	plain, err := d.open(key, "s", ver, sealed)
	if err != nil {
		return nil, 0, fmt.Errorf("case record: %w", err)
	}
	c := new(casework.Case)
	if err := decode(plain, c); err != nil {
		return nil, 0, errors.New("case record: not a case")
	}
	return c, ver, nil
}

// LoadCase reads a case by its internal id; bot.ErrNotFound when there is none (any more).
func (s *Store) LoadCase(ctx context.Context, line, id string) (*casework.Case, int64, error) {
	if _, err := s.line(line); err != nil {
		return nil, 0, err
	}
	f, err := s.rdb.HMGet(ctx, keyCase(line, id), "v", "k", "s").Result()
	if err != nil {
		return nil, 0, fmt.Errorf("load case: %w", err)
	}
	c, ver, err := s.openCase(line, id, text(f[0]), text(f[1]), text(f[2]))
	if err == nil && c == nil {
		err = bot.ErrNotFound
	}
	return c, ver, err
}

// CaseID is the internal id of the case with that code; bot.ErrNotFound when there is none (any more).
func (s *Store) CaseID(ctx context.Context, line, code string) (string, error) {
	id, err := s.rdb.HGet(ctx, keyCodes(line), code).Result()
	if isNil(err) || err == nil && id == "" {
		return "", bot.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("case id: %w", err)
	}
	return id, nil
}

// sealEntry is an entry's place in the timeline: "id:sealed".
func sealEntry(timeline string, d dataKey, e bot.Entry) ([]byte, error) {
	var head [64]byte
	return d.sealJSON(append(append(head[:0], e.ID...), ':'), timeline, e.ID, 0, &e)
}

// openEntry opens what sealEntry made.
func openEntry(timeline string, d dataKey, stored string) (bot.Entry, error) {
	var e bot.Entry
	id, sealed, ok := strings.Cut(stored, ":")
	if !ok {
		return e, errSealed
	}
	plain, err := d.open(timeline, id, 0, sealed)
	if err != nil {
		return e, err
	}
	return e, decode(plain, &e)
}

// entry opens what sealEntry made; in place of what does not open any more there is an event that says so. One damaged
// entry must not keep a case from its officer.
func (s *Store) entry(line, timeline string, d dataKey, stored string) bot.Entry {
	e, err := openEntry(timeline, d, stored)
	if err == nil {
		return e
	}
	s.log.Error("timeline entry", "line", line, "err", err)
	id, _, _ := strings.Cut(stored, ":")
	e = bot.Entry{ID: id, Kind: "event", Text: "event.damaged"}
	if u, err := ulid.ParseStrict(id); err == nil {
		e.At = ulid.Time(u.Time())
	} else {
		e.ID = "damaged"
	}
	return e
}

// text is a value of a script's or a command's result; "" for nil.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

func texts(vs []any) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = text(v)
	}
	return out
}
