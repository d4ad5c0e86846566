package bot

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"pulang/flows/casework"
)

// RelayOptions are what a Relay is made of.
type RelayOptions struct {
	Outbox   Outbox
	Channels []LineChannel
	Rules    map[string]casework.Rules // by mission, of which every line has one of the same code
	Clock    func() time.Time
	Log      *slog.Logger
	// Senders bounds the sends under way at once, per channel account. 0 means 256.
	Senders int
	// Round is told each round of each account's loop, so that one that stands still is noticed. nil for nobody.
	Round func(line, channel string)
	// Bulk is how many broadcasts a second leave on each account. 0 means 30, what Telegram allows.
	Bulk float64
	// Look is how often the outbox is asked for rows that nobody handed over. 0 means a quarter of a second.
	Look time.Duration
}

// LineChannel is a channel account and the line it belongs to.
type LineChannel struct {
	Line    string
	Channel Channel
}

// Pacer is a Channel that wants a pause between two messages to one contact.
type Pacer interface{ Pause() time.Duration }

// Idler is a Channel that only one process at a time can send on. While it is idle here its rows are left for the
// process that can, or for later.
type Idler interface{ Idle() bool }

const (
	sendTimeout = 25 * time.Second
	// RowLease is how long a row stays with one sender. It must outlive a send and its result's commit, or a second sender takes the row meanwhile.
	RowLease = 45 * time.Second
	// maxPause bounds what a Pacer may ask for.
	maxPause = 3 * time.Second
	// bulkRate is how many broadcasts a second an account sends; Telegram allows about 30 to all chats together. Only so
	// many at once: the rest of what a messenger tolerates is left to people who wait for an answer.
	bulkRate, bulkBurst = 30, 10
	// bulkWaits is how long a broadcast waits for the bulk limit in this process at most, give or take one look. While
	// it waits its contact is leased, and an answer to that person would wait behind it.
	bulkWaits     = 500 * time.Millisecond
	finishTimeout = 10 * time.Second
	// stopPatience is how long a stop waits for the store to take the last results.
	stopPatience = 20 * time.Second
	// giveUp is how long a row is tried before it goes to the dead letters, where staff decide.
	giveUp = 24 * time.Hour
)

// Relay sends what the outbox holds: most urgent lane first, in order per contact, each row asked against MaySend
// at the moment of sending. A crash repeats at most the sends that were under way.
type Relay struct {
	RelayOptions
	accounts map[accountKey]*account
	sends    context.Context // of the sends: ends only after those under way had their time
	end      context.CancelFunc
}

type accountKey struct{ line, channel, account string }

// account is the sending side of one channel account.
type account struct {
	r     *Relay
	line  string
	ch    Channel
	slots chan struct{}
	bulk  *rate.Limiter // broadcasts only: replies are not held to the bulk limit
	bulky atomic.Int64  // broadcasts taken and not yet sent
	wake  chan struct{}

	mu      sync.Mutex // guards stopped against sending's first Add, and what follows
	stopped bool
	sending sync.WaitGroup
	// sent are rows that left: those whose result the store has not taken yet, and for a while those that it has. When
	// a long outage of the store lets their leases end they are handed out again, and must not leave a second time.
	sent   map[string]*sentRow
	swept  time.Time // when sent was last tidied
	logged time.Time // when it was last logged that results could not be stored
	giveUp time.Time // when results that the store does not take are let go, once the relay is stopping
}

// NewRelay returns a Relay for these channels.
func NewRelay(o RelayOptions) *Relay {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Senders == 0 {
		o.Senders = 256
	}
	if o.Round == nil {
		o.Round = func(string, string) {}
	}
	if o.Look == 0 {
		o.Look = 250 * time.Millisecond
	}
	if o.Bulk == 0 {
		o.Bulk = bulkRate
	}
	r := &Relay{RelayOptions: o, accounts: map[accountKey]*account{}}
	r.sends, r.end = context.WithCancel(context.Background())
	for _, c := range o.Channels {
		r.accounts[accountKey{c.Line, c.Channel.Name(), c.Channel.Account()}] = &account{
			r: r, line: c.Line, ch: c.Channel, slots: make(chan struct{}, o.Senders),
			sent: map[string]*sentRow{}, wake: make(chan struct{}, 1), bulk: rate.NewLimiter(rate.Limit(o.Bulk), bulkBurst),
		}
	}
	return r
}

// Attach hands the rows that h commits straight to this relay.
func (r *Relay) Attach(h *Hotline) {
	h.dispatch = r.Dispatch
	h.direct = func(ctx context.Context, row Row) {
		if a := r.accounts[accountKey{row.Line, row.To.Channel, row.To.Account}]; a != nil {
			// The outcome is not kept: this line is outside the outbox by design.
			_, _ = a.ch.Send(ctx, row)
		}
	}
}

// Dispatch takes rows that are leased to this process. It does not wait for their sending; rows it has no room for
// come back when their lease ends.
func (r *Relay) Dispatch(rows []Leased) {
	for _, l := range rows {
		a := r.accounts[accountKey{l.Row.Line, l.Row.To.Channel, l.Row.To.Account}]
		if a != nil { // else no such account in this process: the lease ends and another replica takes the row
			a.start(l)
		}
	}
}

// Run sends until ctx ends, then waits for the sends under way. It returns nil after an orderly stop.
func (r *Relay) Run(ctx context.Context) error {
	defer r.end()
	var all sync.WaitGroup
	for _, a := range r.accounts {
		all.Go(func() { a.run(ctx) })
	}
	all.Wait()
	return nil
}

// Wake makes the relay look into the outbox now.
func (r *Relay) Wake() {
	for _, a := range r.accounts {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

func (a *account) run(ctx context.Context) {
	look := time.NewTicker(a.r.Look)
	defer look.Stop()
	for ctx.Err() == nil {
		a.r.Round(a.line, a.ch.Name())
		if room := cap(a.slots) - len(a.slots); room > 0 && !a.idle() {
			upTo := LaneStatus // enough broadcasts wait for their turn already
			if bulk := a.mostBulk() - int(a.bulky.Load()); bulk > 0 {
				upTo, room = LaneBroadcast, min(room, bulk)
			}
			rows, err := a.r.Outbox.Take(ctx, a.line, a.ch.Account(), a.r.Clock(), room, upTo, RowLease)
			if err != nil && ctx.Err() == nil {
				a.r.Log.Error("outbox take", "line", a.line, "channel", a.ch.Name(), "err", err)
			}
			for _, l := range rows {
				a.start(l)
			}
			if len(rows) == room && err == nil {
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-look.C:
		case <-a.wake:
		}
	}
	a.mu.Lock()
	a.stopped = true
	a.mu.Unlock()
	a.sending.Wait()
}

// mostBulk is how many broadcasts may wait for the bulk limit in this process.
func (a *account) mostBulk() int { return max(1, int(a.r.Bulk*bulkWaits.Seconds())) }

func (a *account) idle() bool {
	i, ok := a.ch.(Idler)
	return ok && i.Idle()
}

// begin notes a send under way; false when the relay is stopping.
func (a *account) begin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.stopped {
		a.sending.Add(1)
	}
	return !a.stopped
}

// start sends one leased row in its own goroutine, as soon as there is a slot.
func (a *account) start(l Leased) {
	if a.begin() {
		go a.sendOne(l, a.r.Clock())
	}
}

func (a *account) sendOne(l Leased, leased time.Time) {
	defer a.sending.Done()
	if s := a.inTurn(l, leased); s != nil {
		a.store(*s)
	}
}

// inTurn sends one row when it is its turn. nil: there is nothing to store.
func (a *account) inTurn(l Leased, leased time.Time) *Sent {
	if l.Row.Lane == LaneBroadcast {
		a.bulky.Add(1)
		defer a.bulky.Add(-1)
		// Their turn is waited for outside the slots, which belong to people who wait for an answer.
		if err := a.bulk.Wait(a.r.sends); err != nil {
			return nil
		}
	} else {
		// Who is answered waits for no broadcast, but the messenger counts both: the broadcasts make room.
		a.bulk.Reserve()
	}
	a.slots <- struct{}{}
	defer func() { <-a.slots }()
	if a.r.Clock().Sub(leased) > RowLease-sendTimeout-maxPause {
		return nil // waited so long for a slot that the lease might end during the send: leave it to the next taker
	}
	if again, known := a.leftBefore(l.Row); known {
		return again
	}
	s := a.send(l)
	if s.Row.State == RowSent {
		a.left(s, leased)
	}
	return &s
}

// rulesOf are the numbers of the mission whose case it is: its clock reads the person's safe hours.
func (r *Relay) rulesOf(line string, c *casework.Case) casework.Rules {
	if c != nil {
		if rules, ok := r.Rules[c.Mission]; ok {
			return rules
		}
	}
	return r.Rules[line]
}

// send asks the gate, sends, and says what became of the row.
func (a *account) send(l Leased) Sent {
	now := a.r.Clock()
	row := l.Row
	if row.Kind != KindAlert {
		v := casework.MaySend(casework.Message{Kind: row.Kind, CreatedAt: row.CreatedAt, Force: row.Force},
			l.Case, l.LastIn, now, a.r.rulesOf(a.line, l.Case))
		if !v.OK {
			row.State, row.Why, row.NotBefore = RowHeld, string(v.Why), v.NotBefore
			return Sent{Row: row, CaseVer: l.CaseVer, LastIn: l.LastIn}
		}
	}
	ctx, cancel := context.WithTimeout(a.r.sends, sendTimeout)
	defer cancel()
	if row.Out.Delete {
		ids, err := a.r.Outbox.Handles(ctx, a.line, row.To)
		if err != nil {
			return a.after(row, &SendError{Do: SendRetry, Why: "store", Err: err}, now)
		}
		row.Out.DeleteIDs = ids
	}
	id, err := a.ch.Send(ctx, row)
	if err == nil {
		row.State, row.ProviderID, row.Why = RowSent, id, ""
		row.Attempts++
		named := l.Case != nil && l.Case.ID == row.CaseID && contactIndex(l.Case, row.To) >= 0
		return Sent{Row: row, Named: named, began: now}
	}
	return a.after(row, err, a.r.Clock())
}

// after sorts a failed send by what comes next. Nothing is dropped: a row ends as sent or among the dead letters.
func (a *account) after(row Row, err error, now time.Time) Sent {
	var se *SendError
	if !errors.As(err, &se) {
		se = &SendError{Do: SendRetry, Why: "down", Err: err}
	}
	row.Why = se.Why
	row.Out.DeleteIDs = nil
	out := Sent{}
	switch se.Do {
	case SendGone:
		row.State, out.Blocked = RowFailed, true
	case SendBad:
		row.State = RowFailed
	default:
		row.State = RowQueued
		wait := se.After
		if wait == 0 {
			// The messenger named no wait: back off, from one second to a minute, with chance in it.
			row.Attempts++
			wait = min(time.Second<<min(row.Attempts-1, 6), time.Minute)
			wait += time.Duration(rand.Int64N(int64(wait)/4 + 1))
		}
		row.NotBefore = now.Add(wait)
		if se.Account {
			out.Freeze = row.NotBefore
		}
		if now.Sub(row.CreatedAt) > giveUp {
			row.State, row.Why = RowFailed, "gave_up"
		}
	}
	a.r.Log.Warn("send", "channel", a.ch.Name(), "row", row.ID, "why", row.Why, "state", string(row.State), "attempts", row.Attempts)
	out.Row = row
	return out
}

// holdsBack reports whether the row was waiting behind this one, or was made together with it. The outbox keeps times
// in milliseconds.
func (s *Sent) holdsBack(r Row) bool {
	at := r.CreatedAt.Truncate(time.Millisecond)
	return s.began.IsZero() || at.Before(s.began.Truncate(time.Millisecond)) || at.Equal(s.Row.CreatedAt.Truncate(time.Millisecond))
}

// pace starts the contact's next row, after the channel's pause between two messages to one person when it was waiting
// behind this one. What was made only after that one had begun to leave is no part of a burst: mostly it is the
// answer to what the person wrote since.
func (a *account) pace(l Leased, s Sent) {
	p, ok := a.ch.(Pacer)
	if !ok || p.Pause() <= 0 || s.Row.To != l.Row.To || !s.holdsBack(l.Row) {
		a.start(l)
		return
	}
	if a.begin() {
		leased := a.r.Clock()
		time.AfterFunc(min(p.Pause(), maxPause), func() { a.sendOne(l, leased) })
	}
}
