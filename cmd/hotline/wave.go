package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/flows"
	"pulang/flows/casework"
)

// The arrival wave is shaped like 16 to 20 January 2026 at one embassy, when 1,440 people came in five days with a
// peak of 520 (as the press reported; the other parts are illustrative). It ends now. Everybody in it is invented.
var arrivalsByDay = []int{130, 180, 266, 520, 344}

// wavePeople is their sum.
const wavePeople = 1440

// byHour is how many of a day's people write at each hour of the mission's clock, relative to each other.
var byHour = [24]int{2, 1, 1, 1, 1, 2, 4, 7, 10, 10, 9, 8, 7, 7, 8, 8, 8, 8, 7, 7, 6, 5, 4, 3}

const (
	day = 24 * time.Hour
	// window is the step of the simulated clock: its people talk at their own times, in parallel; then timers and
	// officers have their turn.
	window = time.Hour
	// atOnce people talk at the same time: what they commit together shares an fsync.
	atOnce = 48
	// simLease outlasts the wave by the machine's clock: to the relay, which reads that one, a shorter lease of days ago
	// would have ended, and it would hold back as unprompted what simulated people had asked for an hour before.
	simLease = 6 * day
	// simAccount is the channel account that simulated people write to.
	simAccount = "demo"
)

// wave is the arrival of many people on a simulated clock, through the real engine.
type wave struct {
	mark    waveMark
	mission *bot.Mission
	rules   casework.Rules
	options bot.Options // of every person's Hotline; only clock and store differ
	store   *store.Store
	clock   atomic.Int64 // the store's: Unix nanoseconds
	people  []*citizen   // everybody, in the order of their first message

	mu   sync.Mutex
	mine []bot.Row // rows handed over by commits, delivered at the end of the window
	desk simDesk
}

// wave plays the arrivals once per data directory, then the demo's timers run by the machine's clock.
func (c *demoCmd) wave(ctx context.Context, svc *service, o *opened, io *streams) error {
	mark := c.readMark(o.data, time.Now())
	if o.own {
		if err := writeMark(o.data, mark); err != nil {
			return err
		}
	}
	if !mark.Done && mark.People > 0 {
		if err := c.arrive(ctx, svc, o, io, mark); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return svc.timers(ctx)
}

// arrive plays the wave from where its mark stands.
func (c *demoCmd) arrive(ctx context.Context, svc *service, o *opened, io *streams, mark waveMark) error {
	began := time.Now()
	w, err := newWave(ctx, svc, o, mark)
	if err != nil {
		return err
	}
	bar := progress(io.err, mark.People)
	hurry(ctx, o, "everysec")
	// For these seconds memory is cheaper than time: a store in memory fills the heap with live data.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	err = w.play(ctx, bar, func(m waveMark) error {
		if !o.own {
			return nil
		}
		return writeMark(o.data, m)
	})
	hurry(context.WithoutCancel(ctx), o, "always")
	_ = bar.Finish()
	err = errors.Join(err, w.store.Close())
	if err != nil || ctx.Err() != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	fmt.Fprintf(io.err, "\n  %d invented people arrived in five simulated days (%.0f s).\n", mark.People, time.Since(began).Seconds())
	return nil
}

// hurry changes when the demo's own redis-server flushes its file: thousands of invented messages need not wait for
// the disk one by one. A miniredis has no file and refuses, which does not matter.
func hurry(ctx context.Context, o *opened, fsync string) {
	if o.own {
		_ = o.redis.ConfigSet(ctx, "appendfsync", fsync).Err()
	}
}

// progress draws the arrivals.
func progress(to io.Writer, people int) *progressbar.ProgressBar {
	return progressOf(to, people, "  Simulated citizens arrive")
}

// progressOf draws on a terminal; a file or a pipe gets nothing.
func progressOf(to io.Writer, n int, what string) *progressbar.ProgressBar {
	f, ok := to.(*os.File)
	if ok {
		st, err := f.Stat()
		ok = err == nil && st.Mode()&os.ModeCharDevice != 0
	}
	if !ok {
		return progressbar.DefaultSilent(int64(n))
	}
	return progressbar.NewOptions(n, progressbar.OptionSetWriter(to), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
}

func newWave(ctx context.Context, svc *service, o *opened, mark waveMark) (*wave, error) {
	w := &wave{mark: mark, mission: svc.missions[0], rules: svc.missions[0].Rules()}
	w.options = svc.hotline.Options
	w.clock.Store(mark.End.Add(-time.Duration(len(arrivalsByDay)) * day).UnixNano())
	var err error
	// The same store, seen by a clock that runs through five days.
	w.store, err = store.Open(ctx, store.Options{Client: o.redis, Keys: o.store.Keys(), Lines: storeLines(svc.missions),
		Mode: store.ModeDemo, Clock: w.now, RowLease: simLease, Log: svc.log})
	if err != nil {
		return nil, err
	}
	w.people = w.arrivals()
	w.desk = newSimDesk(w)
	return w, nil
}

func (w *wave) now() time.Time { return time.Unix(0, w.clock.Load()).UTC() }

// play runs the simulated clock from window to window until it reaches the end. After each window it keeps how far
// it has come: a demo that was stopped goes on from there.
func (w *wave) play(ctx context.Context, bar *progressbar.ProgressBar, keep func(waveMark) error) error {
	people := w.people
	from := w.mark.End.Add(-time.Duration(len(arrivalsByDay)) * day)
	for at := from; at.Before(w.mark.End); at = at.Add(window) {
		n, _ := slices.BinarySearchFunc(people, at.Add(window), func(p *citizen, t time.Time) int { return p.at.Compare(t) })
		now := people[:n]
		people = people[n:]
		if at.Before(w.mark.At) {
			_ = bar.Add(len(now))
			continue
		}
		if err := w.step(ctx, at, now, bar); err != nil {
			return err
		}
		w.mark.At, w.mark.Done = at.Add(window), !at.Add(window).Before(w.mark.End)
		if err := keep(w.mark); err != nil {
			return err
		}
	}
	return w.deliver(ctx) // what the officers wrote in the last window
}

// step is one window: its people write, then timers are due, messages arrive, and officers work through the next
// hour.
func (w *wave) step(ctx context.Context, at time.Time, people []*citizen, bar *progressbar.ProgressBar) error {
	w.clock.Store(at.UnixNano())
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, p := range people {
		g.Go(func() error { defer func() { _ = bar.Add(1) }(); return p.talk(ctx, w) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	end := at.Add(window)
	w.clock.Store(min(end.UnixNano(), w.mark.End.UnixNano()))
	if err := w.hotline(w.now, nil).FireTimers(ctx); err != nil {
		return err
	}
	g.Go(func() error { return w.deliver(ctx) })
	w.desk.work(ctx, end, &g)
	return g.Wait()
}

// arrivals draws everybody in the order of their first message.
func (w *wave) arrivals() []*citizen {
	rnd := rand.New(rand.NewPCG(w.mark.Seed, 1)) //nolint:gosec // a simulation wants to be repeatable
	total, sum := 0, 0
	for _, n := range arrivalsByDay {
		total += n
	}
	var out []*citizen
	for i, n := range arrivalsByDay {
		sum += n
		from := w.mark.End.Add(-time.Duration(len(arrivalsByDay)-i) * day)
		for len(out) < sum*w.mark.People/total {
			at := from.Add(time.Duration(rnd.Int64N(int64(day))))
			if rnd.IntN(10) < byHour[at.In(w.mission.Location()).Hour()] {
				out = append(out, &citizen{at: at})
			}
		}
	}
	slices.SortFunc(out, func(a, b *citizen) int { return a.at.Compare(b.at) })
	for i, p := range out {
		p.begin(w, i)
	}
	return out
}

// hotline is the real engine with another clock, over the simulated store.
func (w *wave) hotline(clock func() time.Time, p *citizen) *bot.Hotline {
	o := w.options
	o.Clock, o.Store = clock, waveStore{w.store, w, p}
	return bot.NewHotline(o)
}

// waveStore marks the cases as simulated, and lets a person see what they were asked.
type waveStore struct {
	*store.Store
	w *wave
	p *citizen // nil for timers
}

// Commit marks, commits, and takes over the rows to be delivered.
func (s waveStore) Commit(ctx context.Context, c bot.Change) (bot.Committed, error) {
	if c.Case != nil {
		c.Case.Simulated = true
	}
	done, err := s.Store.Commit(ctx, c)
	if err != nil {
		return done, err
	}
	if s.p != nil && c.State != nil {
		s.p.state = *c.State
	}
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.w.mine = append(s.w.mine, done.Mine...)
	return done, nil
}

// mostRows bounds one Finish.
const mostRows = 256

// deliver marks the rows as sent: simulated people have no messenger.
func (w *wave) deliver(ctx context.Context) error {
	w.mu.Lock()
	rows := w.mine
	w.mine = nil
	w.mu.Unlock()
	for len(rows) > 0 {
		n := min(len(rows), mostRows)
		sent := make([]bot.Sent, n)
		for i, r := range rows[:n] {
			r.State, r.Attempts, r.ProviderID = bot.RowSent, 1, "sim-"+r.ID
			sent[i] = bot.Sent{Row: r}
		}
		next, err := w.store.Finish(ctx, w.mission.Code, w.now(), sent, simLease)
		if err != nil {
			return err
		}
		rows = rows[n:]
		for _, l := range next {
			rows = append(rows, l.Row)
		}
	}
	return nil
}

// simChannel is the messenger of simulated people: whatever an officer of the demo writes to one arrives.
type simChannel struct{}

// Name is the messenger that they are shown to use.
func (simChannel) Name() string { return "telegram" }

// Account is theirs alone: no real bot bears it.
func (simChannel) Account() string { return simAccount }

// Send delivers at once.
func (simChannel) Send(_ context.Context, r bot.Row) (string, error) { return "sim-" + r.ID, nil }

// simContact is the contact of the i-th person.
func simContact(i int) bot.Contact {
	return bot.Contact{Channel: simChannel{}.Name(), Account: simAccount, Address: fmt.Sprintf("simulated-%05d", i)}
}

// talk is one person's conversation, from the first message until they have said what they want to say.
func (p *citizen) talk(ctx context.Context, w *wave) error {
	now := p.at
	h := w.hotline(func() time.Time { return now.Add(time.Second) }, p)
	known, err := w.store.Load(ctx, w.mission.Code, p.contact, "first look")
	if err != nil || known.Version > 0 { // the demo was stopped in the middle of its wave: this one was there already
		return err
	}
	for n := 0; n < p.patience && ctx.Err() == nil; n++ {
		in, more := p.next(n)
		in.ID, in.At, in.Lang = fmt.Sprintf("%s-%d", p.contact.Address, n), now, p.lang
		err := h.Handle(ctx, bot.Message{UpdateID: in.ID, Line: w.mission.Code, From: p.contact, Input: in,
			Can: flows.Can{Buttons: true, AskPlace: true, AskContact: true, Delete: true}})
		if err != nil {
			return fmt.Errorf("simulated citizen: %w", err)
		}
		if now = now.Add(p.pause()); !more || now.After(w.mark.End) {
			return nil
		}
	}
	return nil
}
