package bot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"pulang/flows/casework"
)

// BroadcastState is how far a broadcast has come.
type BroadcastState string

// The states of a broadcast.
const (
	BroadcastAsked    BroadcastState = "asked"    // waits for a second person, until Until
	BroadcastRunning  BroadcastState = "running"  // its rows are being put into the outbox
	BroadcastQueued   BroadcastState = "queued"   // all of them are there
	BroadcastStopping BroadcastState = "stopping" // no more rows; those that wait are being withdrawn
	BroadcastStopped  BroadcastState = "stopped"
	BroadcastDropped  BroadcastState = "dropped" // taken back before anybody confirmed it
)

// BroadcastAskLife is how long a broadcast may be confirmed.
const BroadcastAskLife = 24 * time.Hour

// BroadcastLife is how long after its confirmation a broadcast is being queued. One that could not be finished by then,
// since nothing ran, is stopped: its words are old, and requests are not remembered for ever.
const BroadcastLife = 24 * time.Hour

// BroadcastsOff are the channels that take no broadcasts. WhatsApp ends the number of who sends the same words to many.
var BroadcastsOff = []string{"whatsapp"}

// Broadcast is the same words to many of a mission's people. It needs a second person.
type Broadcast struct {
	ID        string
	By        string // who wrote it
	At, Until time.Time
	Texts     map[string]string // by language; "id" is always there
	To        casework.Audience
	// Reach is how many it would have reached when it was written.
	Reach  Reach
	State  BroadcastState
	Second string    // who confirmed it, "" for nobody yet
	Began  time.Time // when
	// StoppedBy is who stopped it or took it back, at Ended; Ended is also when the last row was queued.
	StoppedBy string
	Ended     time.Time
	// Sent are what became of its rows; not stored.
	Sent BroadcastRows `json:"-"`
}

// Text is the broadcast's text in a language, in Indonesian where there is none.
func (b Broadcast) Text(lang string) string { return cmp.Or(b.Texts[lang], b.Texts["id"]) }

// Late reports whether it is too late to queue more of it.
func (b Broadcast) Late(now time.Time) bool { return now.After(b.Began.Add(BroadcastLife)) }

// BroadcastRows counts the rows of a broadcast by what became of them.
type BroadcastRows struct{ Queued, Sent, Held, Failed, Withdrawn int }

// Reach counts the people whom a broadcast would reach, and those whom it would not.
type Reach struct {
	Now   int            `json:"now"`   // it leaves in its turn
	Later int            `json:"later"` // only within their hours, or when they write
	Not   map[string]int `json:"not,omitempty"`
	seen  map[Contact]bool
}

// All is how many get it.
func (r Reach) All() int { return r.Now + r.Later }

// Add counts one case. Who has several cases on one contact is reached once.
func (r *Reach) Add(c *casework.Case, now time.Time, rules casework.Rules) {
	i, v, why := casework.Broadcast(c, BroadcastsOff, now, rules)
	if why != "" {
		if r.Not == nil {
			r.Not = map[string]int{}
		}
		r.Not[why]++
		return
	}
	k := ContactOf(c.Contacts[i])
	if r.seen[k] {
		return
	}
	if r.seen == nil {
		r.seen = map[Contact]bool{}
	}
	r.seen[k] = true
	if v.OK {
		r.Now++
	} else {
		r.Later++
	}
}

// Broadcasts is what a Broadcaster needs of the store.
type Broadcasts interface {
	EachCase(ctx context.Context, mission string, f func(*casework.Case) error) error
	LoadCase(ctx context.Context, line, id string) (*casework.Case, int64, error)
	Commit(ctx context.Context, c Change) (Committed, error)
	// BroadcastsAtWork are those of the line's own mission that are running or stopping.
	BroadcastsAtWork(ctx context.Context, line string) ([]Broadcast, error)
	// BroadcastState reads how far a broadcast has come: a stop ends it within one row.
	BroadcastState(ctx context.Context, line, id string) (BroadcastState, error)
	// NoteBroadcastRow remembers a row of a broadcast before it is there, for its counts and its withdrawal. It may be
	// told twice.
	NoteBroadcastRow(ctx context.Context, line, id string, r Row) error
	// WithdrawBroadcast takes back the rows that have not left, and tells how many are being sent at this moment.
	WithdrawBroadcast(ctx context.Context, line, id string, now time.Time) (leaving int, err error)
	// EndBroadcast moves a broadcast on: from running to queued, or to stopping after BroadcastLife; from stopping to
	// stopped. One that was moved meanwhile stays as it is.
	EndBroadcast(ctx context.Context, line, id string, now time.Time) error
}

// Broadcaster puts the rows of confirmed broadcasts into the outbox, a batch at a time, so that they never stand before
// the outbox by the thousand and a stop finds most of them not even queued. Each row is committed under a request of
// its broadcast and case: it is there once, however often a process is killed in the middle and whichever goes on.
type Broadcaster struct {
	Store Broadcasts
	// Rules are by mission.
	Rules map[string]casework.Rules
	// Batch is how many cases each call of Do looks at. 0 means 90: at one call every three seconds what Telegram takes.
	Batch int

	mu   sync.Mutex
	todo map[string][]broadcastTo // by broadcast; a new process makes it anew
}

// BroadcastEvery is how often Do is to be called.
const BroadcastEvery = 3 * time.Second

type broadcastTo struct{ line, id string }

// Do goes on with the broadcasts of a line's own mission. It is a Chore's.
func (b *Broadcaster) Do(ctx context.Context, line string, now time.Time) error {
	all, err := b.Store.BroadcastsAtWork(ctx, line)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, x := range all {
		if err := b.goOn(ctx, line, x, now); err != nil {
			return fmt.Errorf("broadcast: %w", err)
		}
	}
	return nil
}

func (b *Broadcaster) goOn(ctx context.Context, line string, x Broadcast, now time.Time) error {
	if x.State == BroadcastStopping {
		delete(b.todo, x.ID)
		// One that is being sent may come back into the outbox, to be tried again: it is looked for until it is gone.
		if leaving, err := b.Store.WithdrawBroadcast(ctx, line, x.ID, now); err != nil || leaving > 0 {
			return err
		}
		return b.Store.EndBroadcast(ctx, line, x.ID, now)
	}
	if x.Late(now) {
		return b.Store.EndBroadcast(ctx, line, x.ID, now)
	}
	todo, ok := b.todo[x.ID]
	if !ok {
		var err error
		if todo, err = b.people(ctx, line, x, now); err != nil {
			return err
		}
		if b.todo == nil {
			b.todo = map[string][]broadcastTo{}
		}
		b.todo[x.ID] = todo
	}
	for range min(cmp.Or(b.Batch, 90), len(todo)) {
		if runs, err := b.runs(ctx, line, x.ID, now); err != nil || !runs {
			return err
		}
		if err := b.queue(ctx, line, x, todo[0], now); err != nil {
			return err // the same one again next time
		}
		todo = todo[1:]
		b.todo[x.ID] = todo
	}
	if runs, err := b.runs(ctx, line, x.ID, now); err != nil || !runs || len(todo) > 0 {
		return err
	}
	delete(b.todo, x.ID)
	return b.Store.EndBroadcast(ctx, line, x.ID, now)
}

// runs reports whether the broadcast goes on. When it was stopped while a row was on its way into the outbox, that one
// is taken back as well, whoever withdrew the others meanwhile.
func (b *Broadcaster) runs(ctx context.Context, line, id string, now time.Time) (bool, error) {
	st, err := b.Store.BroadcastState(ctx, line, id)
	if err != nil || st == BroadcastRunning {
		return err == nil, err
	}
	delete(b.todo, id)
	if st == BroadcastQueued {
		return false, nil
	}
	_, err = b.Store.WithdrawBroadcast(ctx, line, id, now)
	return false, err
}

// people are the cases that get a row, the oldest first. Of several cases on one contact it is the oldest: which one
// does not change from one process to the next.
func (b *Broadcaster) people(ctx context.Context, mission string, x Broadcast, now time.Time) ([]broadcastTo, error) {
	first := map[Contact]broadcastTo{}
	err := b.Store.EachCase(ctx, mission, func(c *casework.Case) error {
		if i, _, why := casework.Broadcast(c, BroadcastsOff, now, b.Rules[c.Mission]); why == "" && x.To.Has(c, now) {
			k := ContactOf(c.Contacts[i])
			if was, ok := first[k]; !ok || c.ID < was.id {
				first[k] = broadcastTo{c.Line, c.ID}
			}
		}
		return nil
	})
	out := make([]broadcastTo, 0, len(first))
	for _, to := range first {
		out = append(out, to)
	}
	slices.SortFunc(out, func(a, b broadcastTo) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.line, b.line)) })
	return out, err
}

// queue puts one case's row into the outbox, if the case as it is now still may have it.
func (b *Broadcaster) queue(ctx context.Context, line string, x Broadcast, to broadcastTo, now time.Time) error {
	for range tries {
		c, version, err := b.Store.LoadCase(ctx, to.line, to.id)
		if errors.Is(err, ErrNotFound) {
			return nil // erased meanwhile
		}
		if err != nil {
			return err
		}
		i, _, why := casework.Broadcast(c, BroadcastsOff, now, b.Rules[c.Mission])
		row := Row{
			ID: broadcastRow(x, to), Line: c.Line, CaseID: c.ID, Lane: LaneBroadcast, Kind: casework.KindBroadcast,
			Out: Outgoing{Text: x.Text(c.Lang)}, State: RowQueued, CreatedAt: now, By: x.By,
		}
		if why != "" || c.Mission != line || !x.To.Has(c, now) {
			return nil // not any more
		}
		if err := b.Store.NoteBroadcastRow(ctx, line, x.ID, row); err != nil {
			return err
		}
		row.To = ContactOf(c.Contacts[i])
		_, err = b.Store.Commit(ctx, Change{
			Line: c.Line, Request: "broadcast:" + x.ID + ":" + c.ID, Case: c, CaseVer: version, Rows: []Row{row},
			Entries: []Entry{{ID: row.ID, At: now, Kind: "out", Text: row.Out.Text, By: x.By, Row: row.ID, Channel: row.To.Channel, Contact: row.To.Tag()}},
		})
		if errors.Is(err, ErrConflict) {
			continue
		}
		return err
	}
	return fmt.Errorf("%w after %d tries", ErrConflict, tries)
}

// broadcastRow is the id of a case's row: the same in every process, so that it can be noted before it is committed.
func broadcastRow(x Broadcast, to broadcastTo) string {
	sum := sha256.Sum256([]byte(x.ID + "\x00" + to.line + "\x00" + to.id))
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(x.Began)) // errors only past the year 10889
	_ = id.SetEntropy(sum[:10])
	return id.String()
}
