package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"pulang/bot"
	"pulang/flows"
)

var scriptCommit = newScript("commit")

// dedupeFor is how long a request is remembered. WhatsApp repeats for 7 days, Telegram for one.
const dedupeFor = 14 * 24 * time.Hour

// errStale says that a record was sealed under a data key that is not (or no more) the record's.
var errStale = errors.New("a data key has changed")

// Commit writes a change whole or not at all, in one round trip and once however often it is asked. A case without
// an id is given one (Change.Case.ID), and so are rows and entries without one. Errors: bot.ErrConflict,
// bot.ErrCodeTaken, bot.ErrLease (Claim is not held, or another process owns the channel).
func (s *Store) Commit(ctx context.Context, c bot.Change) (bot.Committed, error) {
	if _, err := s.line(c.Line); err != nil {
		return bot.Committed{}, err
	}
	if c.Case == nil && len(c.Entries) > 0 {
		return bot.Committed{}, errors.New("commit: entries without a case")
	}
	if c.Request == "" {
		c.Request = token()
	}
	for try := range 3 {
		done, err := s.commitOnce(ctx, c, try > 0)
		if !errors.Is(err, errStale) {
			return done, err
		}
	}
	// Somebody erased the case meanwhile, or writes it all the time.
	return bot.Committed{}, bot.ErrConflict
}

// commitOnce tries the change; ask is true when keys that ought to be new turned out to be there.
func (s *Store) commitOnce(ctx context.Context, c bot.Change, ask bool) (bot.Committed, error) {
	w, err := s.change(ctx, &c, ask)
	if err != nil {
		return bot.Committed{}, fmt.Errorf("commit: %w", err)
	}
	res, err := s.commits.do(ctx, scriptCommit, []string{lineKey(c.Line)}, w.args)
	if err != nil {
		return bot.Committed{}, fmt.Errorf("redis: %w", err)
	}
	out := texts(res)
	var done bot.Committed
	switch out[0] {
	case "ok":
	case "repeat":
		done.Repeat = true
	case "conflict":
		if c.Who != nil {
			s.hand.stale(w.sealed[0].key, w.now)
		}
		for _, k := range w.sealed {
			s.fields.drop(k.key)
		}
		return done, bot.ErrConflict
	case "code":
		return done, bot.ErrCodeTaken
	case "lease":
		return done, bot.ErrLease
	case "fence":
		return done, fmt.Errorf("another process owns the channel: %w", bot.ErrLease)
	case "key":
		for _, k := range w.sealed {
			s.cache.drop(k.key)
		}
		return done, errStale
	default:
		return done, errors.New("redis: commit gave an unknown answer")
	}
	s.acknowledged(&c)
	for _, k := range w.sealed {
		if !done.Repeat {
			s.cache.put(k.key, k.dataKey)
		}
	}
	if !done.Repeat {
		s.keep(&c, w)
	}
	for _, id := range out[1:] {
		for _, r := range c.Rows {
			if r.ID == id {
				r.State, r.Lease = bot.RowSending, w.token
				done.Mine = append(done.Mine, r)
			}
		}
	}
	return done, nil
}

// keep has at hand what was committed.
func (s *Store) keep(c *bot.Change, w *written) {
	if c.Case != nil {
		s.fields.put(w.caseKey, fieldsAt{c.CaseVer + 1, w.fields})
		if c.CaseVer == 0 {
			s.hand.queued(c.Line, c.Case.Mission)
		}
	}
	if c.Who == nil {
		return
	}
	contact, filled := w.sealed[0].key, ""
	if c.Case != nil {
		filled = c.Case.Code
	}
	if c.State == nil || c.State.Case != filled {
		s.hand.drop(contact) // the case that the state fills is another one, which is not known here
		return
	}
	h := held{at: w.now, request: c.Request, version: c.Version + 1, state: *c.State}
	if c.Case != nil {
		h.cas, h.caseVer = c.Case, c.CaseVer+1
	}
	s.hand.put(contact, h)
}

// acknowledged notes a commit outside Redis: from now on others rely on it.
func (s *Store) acknowledged(c *bot.Change) {
	if s.journal == nil {
		return
	}
	a := ack{at: s.clock().UnixMilli(), line: c.Line, number: c.Number, digest: s.keys.digest(c.Request)}
	if c.Who != nil {
		a.contact = s.keys.contactID(c.Line, *c.Who)
	}
	if c.Case != nil {
		a.code = c.Case.Code
	} else if c.State != nil {
		a.code = c.State.Case
	}
	s.journal.note(a)
}

// written is a change on its way to the script.
type written struct {
	args   []any
	sealed []recordKey
	token  string
	now    time.Time
	// caseKey is the key of the case, fields are its fields as they are from now on.
	caseKey string
	fields  []any
}

// fieldsAt are the fields of a case's record at one version.
type fieldsAt struct {
	version int64
	fields  []any
}

// recordKey is the data key that seals a record, by the record's Redis key. stored is true when Redis has it.
type recordKey struct {
	dataKey
	key    string
	stored bool
}

func (w *written) add(vs ...any) { w.args = append(w.args, vs...) }

// change seals a change and lays it out as lua/commit.lua reads it.
func (s *Store) change(ctx context.Context, c *bot.Change, ask bool) (*written, error) {
	now := s.clock()
	w := &written{args: make([]any, 0, 80), token: s.nextToken(), now: now}
	people, err := s.people(ctx, c, ask)
	if err != nil {
		return nil, err
	}
	who, wrote := "", ""
	at := now
	if c.Who != nil {
		who = people.list[0].id
		if c.Wrote {
			wrote = "1"
			if c.State != nil && !c.State.LastAt.IsZero() {
				at = c.State.LastAt
			}
		}
	}
	fenceName, fenceToken := s.fenceOf(c)
	release := ""
	if c.Release {
		release = "1"
	}
	account, number := "", ""
	if c.Who != nil && c.Number > 0 {
		account, number = dash(c.Who.Account), strconv.FormatInt(c.Number, 10)
	}
	w.add(now.UnixMilli(), s.keys.digest(c.Request), w.token, now.Add(s.lease).UnixMilli(), now.Add(-dedupeFor).Unix(), who,
		c.Version, s.holder(c.Claim), release, wrote, at.UnixMilli(), fenceName, fenceToken, account, number)

	w.add(len(people.list))
	for _, p := range people.list {
		var address []byte
		if !p.stored {
			if address, err = sealContact(c.Line, p.id, p.dataKey, p.contact); err != nil {
				return nil, err
			}
		}
		w.add(p.id, dash(p.contact.Account), p.wrapped, address)
		w.sealed = append(w.sealed, p.recordKey)
	}
	if c.Who != nil {
		if err := w.state(c, people.list[0].recordKey); err != nil {
			return nil, err
		}
	}
	if err := s.caseArgs(ctx, w, c, now, ask); err != nil {
		return nil, err
	}

	w.add(len(c.Rows))
	for _, r := range c.Rows {
		p := people.list[people.at[r.To]]
		blob, err := sealRow(c.Line, p.id, p.dataKey, r)
		if err != nil {
			return nil, err
		}
		w.add(r.ID, int(r.Lane), p.id, dash(r.To.Account), dash(r.CaseID), millis(r.NotBefore), string(r.State), blob)
	}
	w.add(len(c.Timers))
	for _, t := range c.Timers {
		w.add(s.timerMember(c.Line, t), dueMs(t.At))
	}
	audit, err := s.auditRowsOf(ctx, c.Line, deskOf(c), c.Audit...)
	if err != nil {
		return nil, err
	}
	w.add(len(audit))
	w.add(audit...)
	// What is decided at the desk, or by a timer, may open the gate for rows that are held: it is asked again.
	var held []any
	if c.Who == nil && c.Case != nil {
		for _, p := range c.Case.Contacts {
			to := bot.ContactOf(p)
			held = append(held, s.keys.contactID(c.Line, to), dash(p.Account))
		}
	}
	w.add(len(held) / 2)
	w.add(held...)
	return w, nil
}

// state lays out the conversation: the state itself, the case it fills, the prompt and the messages' ids.
func (w *written) state(c *bot.Change, k recordKey) error {
	var sealed []byte
	code, shown := "", int64(0)
	if c.State != nil {
		var err error
		if sealed, err = k.sealJSON(nil, k.key, "s", c.Version+1, c.State); err != nil {
			return err
		}
		code = c.State.Case
		if p := c.State.Shown; p != nil && p.Buttons {
			shown = millis(p.At)
		}
	}
	w.add(sealed, code, shown)
	n := len(w.args)
	w.add(0)
	ids := 0
	note := func(in *flows.Input) {
		if in != nil && in.ID != "" {
			w.add(gotAs(dash(in.ID)), in.At.Unix())
			ids++
		}
	}
	for _, e := range c.Entries {
		note(e.Input)
	}
	if len(c.Entries) == 0 && c.State != nil && len(c.State.Heard) > 0 {
		note(&c.State.Heard[len(c.State.Heard)-1].Input)
	}
	w.args[n] = ids
	return nil
}

// gotAs is the member of a contact's dedupe set for a message that was received: a decimal id as it is, which Redis
// keeps as a number, in half the space; any other one behind an i.
func gotAs(id string) string {
	if len(id) > 15 || id[0] < '1' || id[0] > '9' || strings.Trim(id, "0123456789") != "" {
		return "i" + id
	}
	return id
}

// caseArgs lays out the case and its entries, or that there is none.
func (s *Store) caseArgs(ctx context.Context, w *written, c *bot.Change, now time.Time, ask bool) error {
	if c.Case == nil {
		w.add("", 0, "", "", 0, 0) // no case, no fields, no entries
		return nil
	}
	if c.Case.ID == "" {
		c.Case.ID = newID(now)
	}
	id := c.Case.ID
	k, err := s.recordKey(ctx, keyCase(c.Line, id), c.CaseVer == 0 && !ask)
	if err != nil {
		return err
	}
	w.sealed = append(w.sealed, k)
	sealed, err := k.sealJSON(nil, k.key, "s", c.CaseVer+1, c.Case)
	if err != nil {
		return err
	}
	w.caseKey, w.fields = k.key, s.caseFields(c.Case, now)
	fields := w.fields
	if c.CaseVer == 0 {
		fields = changedFields(fields, nil)
	} else if was, ok := s.fields.get(k.key); ok && was.version == c.CaseVer {
		fields = changedFields(fields, was.fields)
	}
	w.add(id, c.CaseVer, k.wrapped, sealed, len(fields)/2)
	w.add(fields...)
	if err := s.takerArgs(ctx, w, c, now); err != nil {
		return err
	}
	timeline := keyTimeline(c.Line, id)
	w.add(len(c.Entries))
	for _, e := range c.Entries {
		if e.ID == "" {
			e.ID = newID(now)
		}
		blob, err := sealEntry(timeline, k.dataKey, e)
		if err != nil {
			return err
		}
		w.add(blob)
	}
	return nil
}

// takerArgs lays out who gets the lease with the change.
func (s *Store) takerArgs(ctx context.Context, w *written, c *bot.Change, now time.Time) error {
	if c.Take == "" {
		w.add("", "", "")
		return nil
	}
	id, name, err := s.officerArgs(ctx, c.Line, c.Take)
	w.add(id, name, now.Add(bot.ClaimLease).UnixMilli())
	return err
}

// person is a contact of a change with the key that seals its record.
type person struct {
	recordKey
	id      string
	contact bot.Contact
}

type people struct {
	list []person
	at   map[bot.Contact]int
}

// people are the contacts of a change, Who first. Rows without an id or a state get one.
func (s *Store) people(ctx context.Context, c *bot.Change, ask bool) (people, error) {
	p := people{at: make(map[bot.Contact]int, 1)}
	add := func(who bot.Contact, fresh bool) error {
		if _, ok := p.at[who]; ok {
			return nil
		}
		id := s.keys.contactID(c.Line, who)
		k, err := s.recordKey(ctx, keyConv(c.Line, id), fresh)
		p.at[who] = len(p.list)
		p.list = append(p.list, person{recordKey: k, id: id, contact: who})
		return err
	}
	if c.Who != nil {
		if err := add(*c.Who, c.Version == 0 && !ask); err != nil {
			return p, err
		}
	}
	c.Rows = slices.Clone(c.Rows) // the caller's own stay as they are
	for i := range c.Rows {
		if c.Rows[i].ID == "" {
			c.Rows[i].ID = newID(s.clock())
		}
		if c.Rows[i].State == "" {
			c.Rows[i].State = bot.RowQueued
		}
		if err := add(c.Rows[i].To, false); err != nil {
			return p, err
		}
	}
	return p, nil
}

// recordKey finds the data key of a record: remembered, read, or drawn when the record is new (fresh: nobody has
// seen it yet, so Redis is not asked; the script refuses the key when that was wrong).
func (s *Store) recordKey(ctx context.Context, key string, fresh bool) (recordKey, error) {
	if d, ok := s.cache.get(key); ok {
		return recordKey{dataKey: d, key: key, stored: true}, nil
	}
	if !fresh {
		wrapped, err := s.rdb.HGet(ctx, key, "k").Result()
		if err == nil {
			d, err := s.unwrapped(key, wrapped)
			return recordKey{dataKey: d, key: key, stored: true}, err
		}
		if !isNil(err) {
			return recordKey{}, fmt.Errorf("data key: %w", err)
		}
	}
	d, err := s.keys.newDataKey(key)
	return recordKey{dataKey: d, key: key}, err
}

// newID is a ULID: it orders what was made by time.
func newID(at time.Time) string {
	return ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy()).String()
}

// nextToken names one lease of outbox rows.
func (s *Store) nextToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	return s.self + "." + strconv.FormatUint(s.seq, 36)
}
