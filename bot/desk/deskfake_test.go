package desk

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// fake is a store in memory that behaves: versions, leases, idempotency, one-time links, throttles.
type fake struct {
	mu       sync.Mutex
	clock    func() time.Time
	rules    casework.Rules
	cases    map[string]*stored // by code
	rows     map[string]*bot.Row
	asides   []bot.Aside
	audits   []bot.Audit
	areas    []string // mission of each audit row
	done     map[string]bot.Committed
	accounts map[string]bot.Account
	links    map[string]link
	tries    map[string][]time.Time
	buckets  map[string]time.Time // when each is full again
	factors  map[string]bot.Factor
	steps    map[string]int64
	erasures []bot.EraseAsk
	exports  []bot.ExportAsk
	asking   int // how often ExportsAsking was asked
	seconds  int // and SecondAsked
	casts    []bot.Broadcast
	sessions map[string][]byte
	watchers map[int]func(int64, string)
	seq      int64
	viewers  map[string]map[string]time.Time
	timers   map[string]time.Time
	fail     error // when set, everything fails with it
	turn     int64

	channels []bot.ChannelState
	ask      bot.NumberAsk
	show     bot.NumberShow
}

type stored struct {
	c       []byte // JSON, so that nobody shares memory with the store
	version int64
	entries []bot.Entry
	claim   *bot.Claim
}

type link struct {
	name  string
	until time.Time
}

const leaseFor = 30 * time.Minute

var (
	_ Queue = (*fake)(nil)
	_ Staff = (*fake)(nil)

	_ Channels = (*fake)(nil)
)

func newFake(clock func() time.Time, rules casework.Rules) *fake {
	return &fake{
		clock: clock, rules: rules, cases: map[string]*stored{}, rows: map[string]*bot.Row{}, done: map[string]bot.Committed{},
		accounts: map[string]bot.Account{}, links: map[string]link{}, tries: map[string][]time.Time{},
		sessions: map[string][]byte{}, watchers: map[int]func(int64, string){}, viewers: map[string]map[string]time.Time{},
		timers: map[string]time.Time{}, buckets: map[string]time.Time{}, factors: map[string]bot.Factor{}, steps: map[string]int64{},
	}
}

func (f *fake) lock() (func(), error) {
	f.mu.Lock()
	return f.mu.Unlock, f.fail
}

func (s *stored) open() *casework.Case {
	var c casework.Case
	if err := json.Unmarshal(s.c, &c); err != nil {
		panic(err)
	}
	return &c
}

func seal(c *casework.Case) []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return b
}

func (f *fake) audit(mission string, rows ...bot.Audit) {
	for _, a := range rows {
		if a.What != "" {
			f.audits = append(f.audits, a)
			f.areas = append(f.areas, mission)
		}
	}
}

func (f *fake) tell(kind string) {
	f.seq++
	seq := f.seq
	for _, w := range f.watchers {
		go w(seq, kind)
	}
}

func (f *fake) Queue(_ context.Context, mission string, now time.Time, limit int) (bot.QueuePage, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return bot.QueuePage{}, err
	}
	p := bot.QueuePage{Total: map[casework.Class]int{}}
	var waiting, rest []casework.Candidate
	for _, s := range f.cases {
		c := s.open()
		if c.Offer != nil && c.Offer.To == mission {
			p.Offered++
		}
		if !casework.Queued(c) || c.Mission != mission {
			continue
		}
		k := casework.CandidateOf(c)
		p.Total[k.Class(now)]++
		switch {
		case s.held(now):
			p.Claimed++
			rest = append(rest, k)
		case !k.Waiting(now):
			p.Later++
			rest = append(rest, k)
		default:
			if since := c.P1Since; k.Class(now) == casework.P1 && (p.OldestP1.IsZero() || since.Before(p.OldestP1)) {
				p.OldestP1 = since
			}
			waiting = append(waiting, k)
		}
	}
	casework.Order(waiting, now, f.rules)
	casework.Order(rest, now, f.rules)
	for _, k := range append(waiting, rest...) {
		if len(p.Items) < limit {
			p.Items = append(p.Items, f.item(k.Code, now))
		}
	}
	for _, r := range f.rows {
		switch r.State {
		case bot.RowFailed:
			p.Dead++
		case bot.RowHeld:
			p.Held++
		}
	}
	p.Aside, p.Asking = len(f.asides), f.asks(mission, now)
	return p, nil
}

func (s *stored) held(now time.Time) bool { return s.claim != nil && s.claim.Until.After(now) }

func (f *fake) item(code string, now time.Time) bot.QueueItem {
	s := f.cases[code]
	it := bot.QueueItem{Case: s.open()}
	if s.held(now) {
		cl := *s.claim
		it.Claim = &cl
	}
	for name, at := range f.viewers[code] {
		if now.Sub(at) < 2*time.Minute {
			it.Viewers = append(it.Viewers, name)
		}
	}
	slices.Sort(it.Viewers)
	return it
}

func (f *fake) Next(_ context.Context, mission string, o casework.Officer, now time.Time, skip []string, request string, a bot.Audit) (string, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return "", err
	}
	if c, ok := f.done["next:"+request]; ok {
		return c.Mine[0].ID, nil
	}
	var all []casework.Candidate
	for _, s := range f.cases {
		if c := s.open(); casework.Queued(c) && c.Mission == mission && !s.held(now) {
			all = append(all, casework.CandidateOf(c))
		}
	}
	f.turn++
	i, _, ok := casework.Pick(all, f.turn, o, skip, now, f.rules)
	if !ok {
		return "", bot.ErrNotFound
	}
	code := all[i].Code
	f.cases[code].claim = &bot.Claim{Officer: o.Name, Since: now, Until: now.Add(leaseFor)}
	f.done["next:"+request] = bot.Committed{Mine: []bot.Row{{ID: code}}}
	a.Code = code
	f.audit(mission, a)
	f.tell("claim")
	return code, nil
}

func (f *fake) Claim(_ context.Context, mission, code string, o casework.Officer, now time.Time, request string, a bot.Audit) (bot.Claim, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return bot.Claim{}, err
	}
	s := f.cases[code]
	if s == nil || s.open().Mission != mission {
		return bot.Claim{}, bot.ErrNotFound
	}
	if s.held(now) && s.claim.Officer != o.Name {
		return *s.claim, bot.ErrClaimed
	}
	s.claim = &bot.Claim{Officer: o.Name, Since: now, Until: now.Add(leaseFor)}
	f.audit(mission, a)
	f.tell("claim")
	return *s.claim, nil
}

func (f *fake) Renew(_ context.Context, mission, code, officer string, now time.Time) (bot.Claim, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return bot.Claim{}, err
	}
	s := f.cases[code]
	if s == nil || !s.held(now) || s.claim.Officer != officer {
		return bot.Claim{}, bot.ErrLease
	}
	s.claim.Until = now.Add(leaseFor)
	return *s.claim, nil
}

func (f *fake) Release(_ context.Context, mission, code, officer, request string, a bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return err
	}
	s := f.cases[code]
	if s == nil || s.claim == nil || s.claim.Officer != officer {
		return bot.ErrLease
	}
	s.claim = nil
	f.audit(mission, a)
	f.tell("claim")
	return nil
}

func (f *fake) Open(_ context.Context, mission, code string, now time.Time, a bot.Audit) (bot.CaseFile, error) {
	return f.openIf(code, mission, now, a, func(c *casework.Case) bool { return c.Mission == mission })
}

func (f *fake) OpenOffered(_ context.Context, mission, code string, now time.Time, a bot.Audit) (bot.CaseFile, error) {
	return f.openIf(code, mission, now, a, func(c *casework.Case) bool { return c.Offer != nil && c.Offer.To == mission })
}

func (f *fake) openIf(code, mission string, now time.Time, a bot.Audit, may func(*casework.Case) bool) (bot.CaseFile, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return bot.CaseFile{}, err
	}
	s := f.cases[code]
	if s == nil || !may(s.open()) {
		return bot.CaseFile{}, bot.ErrNotFound
	}
	file := bot.CaseFile{Case: s.open(), Version: s.version, Entries: slices.Clone(s.entries), Rows: map[string]bot.Row{}}
	for id, r := range f.rows {
		if r.CaseID == file.Case.ID {
			file.Rows[id] = *r
		}
	}
	if s.held(now) {
		cl := *s.claim
		file.Claim = &cl
	}
	f.audit(mission, a)
	return file, nil
}

func (f *fake) LoadCase(_ context.Context, line, id string) (*casework.Case, int64, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return nil, 0, err
	}
	for _, s := range f.cases {
		if c := s.open(); c.ID == id && c.Line == line {
			return c, s.version, nil
		}
	}
	return nil, 0, bot.ErrNotFound
}

func (f *fake) Commit(_ context.Context, ch bot.Change) (bot.Committed, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return bot.Committed{}, err
	}
	if c, ok := f.done[ch.Request]; ok && ch.Request != "" {
		c.Repeat, c.Mine = true, nil
		return c, nil
	}
	var s *stored
	for _, x := range f.cases {
		if x.open().ID == ch.Case.ID {
			s = x
		}
	}
	switch {
	case s == nil && ch.CaseVer != 0, s != nil && s.version != ch.CaseVer:
		return bot.Committed{}, bot.ErrConflict
	case s == nil:
		if f.cases[ch.Case.Code] != nil {
			return bot.Committed{}, bot.ErrCodeTaken
		}
		s = &stored{}
		f.cases[ch.Case.Code] = s
	}
	if ch.Claim != "" && (!s.held(f.clock()) || s.claim.Officer != ch.Claim) {
		return bot.Committed{}, bot.ErrLease
	}
	if s.c != nil && s.open().Mission != ch.Case.Mission {
		s.claim = nil
	}
	s.c, s.version = seal(ch.Case), s.version+1
	s.entries = append(s.entries, ch.Entries...)
	for _, r := range ch.Rows {
		row := r
		f.rows[r.ID] = &row
	}
	for _, t := range ch.Timers {
		key := t.CaseID + "/" + t.Name
		if t.At.IsZero() {
			delete(f.timers, key)
		} else {
			f.timers[key] = t.At
		}
	}
	if ch.Release {
		s.claim = nil
	}
	if ch.Take != "" {
		s.claim = &bot.Claim{Officer: ch.Take, Since: f.clock(), Until: f.clock().Add(leaseFor)}
	}
	f.audit(ch.Case.Mission, ch.Audit...)
	out := bot.Committed{Mine: slices.Clone(ch.Rows)}
	f.done[ch.Request] = out
	kind := "case"
	if unreadP1(ch.Case, f.clock()) {
		kind = "p1"
	}
	f.tell(kind)
	return out, nil
}

func (f *fake) Mine(_ context.Context, mission, officer string) ([]bot.QueueItem, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return nil, err
	}
	var out []bot.QueueItem
	now := f.clock()
	for code, s := range f.cases {
		if s.held(now) && s.claim.Officer == officer && s.open().Mission == mission {
			out = append(out, f.item(code, now))
		}
	}
	return out, nil
}

func (f *fake) Find(_ context.Context, mission, what string, a bot.Audit) ([]bot.QueueItem, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return nil, err
	}
	f.audit(mission, a)
	var out []bot.QueueItem
	for code, s := range f.cases {
		if c := s.open(); c.Mission == mission && (code == what || c.Answers[flows.StepCallbackNumber].Norm == what) {
			out = append(out, f.item(code, f.clock()))
		}
	}
	return out, nil
}

func (f *fake) Group(_ context.Context, mission, group string) ([]bot.QueueItem, map[string]int, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return nil, nil, err
	}
	var out []bot.QueueItem
	elsewhere := map[string]int{}
	for code, s := range f.cases {
		switch c := s.open(); {
		case !slices.Contains(casework.Groups(c), group):
		case c.Mission == mission:
			out = append(out, f.item(code, f.clock()))
		default:
			elsewhere[c.Mission]++
		}
	}
	return out, elsewhere, nil
}

func (f *fake) Offered(_ context.Context, mission string, now time.Time, _ int) ([]bot.QueueItem, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return nil, err
	}
	var out []bot.QueueItem
	for code, s := range f.cases {
		if c := s.open(); c.Offer != nil && c.Offer.To == mission {
			out = append(out, f.item(code, now))
		}
	}
	slices.SortFunc(out, func(a, b bot.QueueItem) int { return a.Case.Offer.At.Compare(b.Case.Offer.At) })
	return out, nil
}

func (f *fake) Letters(_ context.Context, mission string, state bot.RowState, limit int) ([]bot.Row, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return nil, err
	}
	var out []bot.Row
	for _, r := range f.rows {
		if r.State == state && len(out) < limit {
			out = append(out, *r)
		}
	}
	return out, nil
}

func (f *fake) Retry(_ context.Context, mission, row, force string, a bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return err
	}
	r := f.rows[row]
	if r == nil {
		return bot.ErrNotFound
	}
	r.State, r.Force = bot.RowQueued, force
	f.audit(mission, a)
	f.tell("case")
	return nil
}

func (f *fake) Asides(context.Context, string, int) ([]bot.Aside, error) {
	unlock, err := f.lock()
	defer unlock()
	return slices.Clone(f.asides), err
}

func (f *fake) Dismiss(_ context.Context, mission, id string, a bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return err
	}
	f.asides = slices.DeleteFunc(f.asides, func(x bot.Aside) bool { return x.ID == id })
	f.audit(mission, a)
	return nil
}

func (f *fake) Record(_ context.Context, mission string, a bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err == nil {
		f.audit(mission, a)
	}
	return err
}

func (f *fake) AuditLog(_ context.Context, mission string, n int) ([]bot.Audit, error) {
	unlock, err := f.lock()
	defer unlock()
	var out []bot.Audit
	for i := len(f.audits) - 1; i >= 0 && len(out) < n; i-- {
		if f.areas[i] == mission {
			out = append(out, f.audits[i])
		}
	}
	return out, err
}

func (f *fake) Watch(ctx context.Context, _ string, fn func(int64, string)) error {
	f.mu.Lock()
	id := len(f.watchers) + 1
	for f.watchers[id] != nil {
		id++
	}
	f.watchers[id] = fn
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock()
	delete(f.watchers, id)
	f.mu.Unlock()
	return ctx.Err()
}

func (f *fake) Seen(_ context.Context, mission, code, officer string, now time.Time) error {
	unlock, err := f.lock()
	defer unlock()
	if s := f.cases[code]; s == nil || s.open().Mission != mission {
		return bot.ErrNotFound
	}
	if f.viewers[code] == nil {
		f.viewers[code] = map[string]time.Time{}
	}
	f.viewers[code][officer] = now
	return err
}

func (f *fake) Account(_ context.Context, name string) (bot.Account, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return bot.Account{}, err
	}
	a, ok := f.accounts[strings.ToLower(name)]
	if !ok {
		return a, bot.ErrNotFound
	}
	return a, nil
}

func (f *fake) Accounts(context.Context) ([]bot.Account, error) {
	unlock, err := f.lock()
	defer unlock()
	var out []bot.Account
	for _, a := range f.accounts {
		out = append(out, a)
	}
	return out, err
}

func (f *fake) SaveAccount(_ context.Context, a bot.Account, row bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err == nil {
		f.accounts[strings.ToLower(a.Name)] = a
		f.audit("", row)
	}
	return err
}

func (f *fake) NewLink(_ context.Context, name, token string, until time.Time) error {
	unlock, err := f.lock()
	defer unlock()
	for t, l := range f.links {
		if l.name == name {
			delete(f.links, t)
		}
	}
	f.links[token] = link{name, until}
	return err
}

func (f *fake) UseLink(ctx context.Context, token string) (string, error) {
	name, err := f.PeekLink(ctx, token)
	if err == nil {
		f.mu.Lock()
		delete(f.links, token)
		f.mu.Unlock()
	}
	return name, err
}

func (f *fake) PeekLink(_ context.Context, token string) (string, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return "", err
	}
	l, ok := f.links[token]
	if !ok || !l.until.After(f.clock()) {
		return "", bot.ErrNotFound
	}
	return l.name, nil
}

func (f *fake) Throttle(_ context.Context, key string, limit int, per time.Duration) (time.Duration, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return per, err
	}
	now := f.clock()
	kept := slices.DeleteFunc(f.tries[key], func(t time.Time) bool { return now.Sub(t) >= per })
	if len(kept) >= limit {
		f.tries[key] = kept
		return per - now.Sub(kept[0]), nil
	}
	f.tries[key] = append(kept, now)
	return 0, nil
}

func (f *fake) Bucket(_ context.Context, key string, size int, every time.Duration) (time.Duration, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return every, err
	}
	now := f.clock()
	full := f.buckets[key]
	if full.Before(now) {
		full = now
	}
	if full = full.Add(every); full.Sub(now) > time.Duration(size)*every {
		return full.Sub(now) - time.Duration(size)*every, nil
	}
	f.buckets[key] = full
	return 0, nil
}

func (f *fake) Factor(_ context.Context, name string) (bot.Factor, error) {
	unlock, err := f.lock()
	defer unlock()
	x := f.factors[name]
	if x.Reset != nil && !x.Reset.Until.After(f.clock()) {
		x.Reset = nil
	}
	return x, err
}

func (f *fake) SetFactor(_ context.Context, name, secret string, since time.Time, step int64, audit ...bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err == nil && f.factors[name].ID != "" {
		err = bot.ErrConflict
	}
	if err == nil {
		f.factors[name], f.steps[name] = bot.Factor{ID: newID(since), Secret: secret, Since: since}, step
		f.audit("", audit...)
	}
	return err
}

func (f *fake) UseFactor(_ context.Context, name string, x bot.Factor, step int64, audit ...bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err == nil && (f.factors[name].ID != x.ID || step <= f.steps[name]) {
		err = bot.ErrConflict
	}
	if err == nil {
		f.steps[name] = step
		f.audit("", audit...)
	}
	return err
}

func (f *fake) AskFactorReset(_ context.Context, name string, r bot.FactorReset, audit ...bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	x := f.factors[name]
	if err == nil && (x.ID == "" || (x.Reset == nil) == r.Until.IsZero()) {
		err = bot.ErrConflict
	}
	if err == nil {
		if x.Reset = &r; r.Until.IsZero() {
			x.Reset = nil
		}
		f.factors[name] = x
		f.audit("", audit...)
	}
	return err
}

func (f *fake) ResetFactor(_ context.Context, name, by string, audit ...bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	x := f.factors[name]
	switch {
	case err != nil:
	case x.Reset == nil || !x.Reset.Until.After(f.clock()):
		err = bot.ErrNotFound
	case x.Reset.By == by || by == name:
		err = bot.ErrRefused
	default:
		a := f.accounts[name]
		a.Hash, a.SignedOutAt = "", f.clock()
		f.accounts[name] = a
		delete(f.factors, name)
		f.audit("", audit...)
	}
	return err
}

func (f *fake) EndSessions(context.Context, string) error { return nil }

// fakeSessions keeps sessions in the same fake; what is in them is scs's own.
type fakeSessions struct{ f *fake }

func (s fakeSessions) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	unlock, err := s.f.lock()
	defer unlock()
	b, ok := s.f.sessions[token]
	return b, ok, err
}

func (s fakeSessions) CommitCtx(_ context.Context, token string, b []byte, _ time.Time) error {
	unlock, err := s.f.lock()
	defer unlock()
	if err == nil {
		s.f.sessions[token] = b
	}
	return err
}

func (s fakeSessions) DeleteCtx(_ context.Context, token string) error {
	unlock, err := s.f.lock()
	defer unlock()
	delete(s.f.sessions, token)
	return err
}

func (s fakeSessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s fakeSessions) Commit(token string, b []byte, e time.Time) error {
	return s.CommitCtx(context.Background(), token, b, e)
}
func (s fakeSessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

var errDown = errors.New("connection refused")

// put stores a case as if its person had just written.
func (f *fake) put(c *casework.Case, entries ...bot.Entry) {
	c.Rescore(f.clock(), f.rules)
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.cases[c.Code]
	if s == nil {
		s = &stored{}
		f.cases[c.Code] = s
	}
	s.c, s.version = seal(c), s.version+1
	s.entries = append(s.entries, entries...)
	kind := "case"
	if unreadP1(c, f.clock()) {
		kind = "p1"
	}
	f.tell(kind)
}

// hear lets a case's person write something.
func (f *fake) hear(code, text string) {
	f.mu.Lock()
	c := f.cases[code].open()
	f.mu.Unlock()
	now := f.clock()
	c.Heard(now)
	if len(c.Contacts) > 0 {
		c.Contacts[0].LastIn = now
	}
	f.put(c, said(now, text))
}

func said(at time.Time, text string) bot.Entry {
	return bot.Entry{ID: newID(at), At: at, Kind: "in", Channel: "telegram", Input: &flows.Input{Kind: flows.KindText, Text: text, At: at}}
}

func (f *fake) ChannelStates(_ context.Context, line string) ([]bot.ChannelState, error) {
	unlock, err := f.lock()
	defer unlock()
	return slices.Clone(f.channels), err
}

func (f *fake) AskNumber(_ context.Context, line, account string, a bot.NumberAsk, audit bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return err
	}
	f.ask, f.show = a, bot.NumberShow{}
	if a.Do == "" {
		f.ask = bot.NumberAsk{}
	}
	f.audit(line, audit)
	f.tell("channel")
	return nil
}

func (f *fake) Number(context.Context, string, string) (bot.NumberAsk, bot.NumberShow, error) {
	unlock, err := f.lock()
	defer unlock()
	return f.ask, f.show, err
}

// shows is what the process that has the number shows.
func (f *fake) shows(n bot.NumberShow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n.Ask = f.ask.ID
	f.show = n
	f.tell("channel")
}

func (f *fake) LinkCases(_ context.Context, l bot.CaseLink) error {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return err
	}
	if _, ok := f.done[l.Request]; ok {
		return nil
	}
	a, b := f.cases[l.Main.Code], f.cases[l.Other.Code]
	switch {
	case a == nil || b == nil || a.version != l.MainVer || b.version != l.OtherVer:
		return bot.ErrConflict
	case !a.held(f.clock()) || a.claim.Officer != l.Claim:
		return bot.ErrLease
	case b.held(f.clock()) && b.claim.Officer != l.Claim:
		return bot.ErrClaimed
	}
	a.c, b.c, a.version, b.version, b.claim = seal(l.Main), seal(l.Other), a.version+1, b.version+1, nil
	a.entries, b.entries = append(a.entries, l.MainEntries...), append(b.entries, l.OtherEntries...)
	f.audit(l.Main.Mission, l.Audit...)
	f.done[l.Request] = bot.Committed{}
	f.tell("case")
	return nil
}

func (f *fake) AskErase(_ context.Context, mission string, a bot.EraseAsk, audit bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return err
	}
	if s := f.cases[a.Code]; s == nil || s.open().Mission != mission {
		return bot.ErrNotFound
	}
	for _, x := range f.erasures {
		if x.Code == a.Code && x.Until.After(a.At) {
			return bot.ErrConflict
		}
	}
	f.erasures = append(slices.DeleteFunc(f.erasures, func(x bot.EraseAsk) bool { return x.Code == a.Code }), a)
	f.audit(mission, audit)
	return nil
}

func (f *fake) Erasures(_ context.Context, mission string) ([]bot.EraseAsk, error) {
	unlock, err := f.lock()
	defer unlock()
	var out []bot.EraseAsk
	for _, x := range f.erasures {
		if s := f.cases[x.Code]; s != nil && s.open().Mission == mission && x.Until.After(f.clock()) {
			out = append(out, x)
		}
	}
	return out, err
}

func (f *fake) WithdrawErase(_ context.Context, mission, code string, audit bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	n := len(f.erasures)
	f.erasures = slices.DeleteFunc(f.erasures, func(x bot.EraseAsk) bool { return x.Code == code })
	if err == nil && len(f.erasures) == n {
		err = bot.ErrNotFound
	}
	if err == nil {
		f.audit(mission, audit)
	}
	return err
}

func (f *fake) EraseAsked(_ context.Context, mission, code, by string, audit bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return err
	}
	s := f.cases[code]
	i := slices.IndexFunc(f.erasures, func(x bot.EraseAsk) bool { return x.Code == code && x.Until.After(f.clock()) })
	switch {
	case i < 0 || s == nil || s.open().Mission != mission:
		return bot.ErrNotFound
	case f.erasures[i].By == by:
		return bot.ErrRefused
	case s.held(f.clock()):
		return &bot.ClaimedError{Claim: *s.claim}
	}
	audit.Purpose = f.erasures[i].Reason
	f.audit(mission, audit)
	delete(f.cases, code)
	f.tell("case")
	return nil
}

func (f *fake) AskExport(_ context.Context, a bot.ExportAsk, audit bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(f.exports, func(x bot.ExportAsk) bool { return x.ID == a.ID }); i >= 0 {
		if f.exports[i].By != a.By {
			return bot.ErrConflict
		}
		return nil
	}
	audit.Field, audit.Purpose = a.Kind+" "+a.ID, a.Reason
	f.audit(a.Mission, audit)
	a.State, a.Until = bot.ExportAsked, f.clock().Add(bot.ExportLife)
	f.exports = append(f.exports, a)
	return nil
}

func (f *fake) Exports(_ context.Context, now time.Time) ([]bot.ExportAsk, error) {
	unlock, err := f.lock()
	defer unlock()
	out := slices.DeleteFunc(slices.Clone(f.exports), func(x bot.ExportAsk) bool { return !x.Until.After(now) })
	slices.SortFunc(out, func(a, b bot.ExportAsk) int { return b.At.Compare(a.At) })
	return out, err
}

func (f *fake) DecideExport(_ context.Context, mission, id, second string, allow bool, now time.Time, audit bot.Audit) (bot.ExportAsk, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return bot.ExportAsk{}, err
	}
	i := slices.IndexFunc(f.exports, func(x bot.ExportAsk) bool { return x.ID == id && x.Mission == mission && x.Until.After(now) })
	if i < 0 {
		return bot.ExportAsk{}, bot.ErrNotFound
	}
	a, state := &f.exports[i], bot.ExportRefused
	if allow {
		state = bot.ExportAllowed
	}
	switch {
	case a.State == state && a.Second == second:
		return *a, nil
	case a.State != bot.ExportAsked:
		return *a, bot.ErrExportState
	}
	audit.Field, audit.Purpose = a.Kind+" "+a.ID, a.Reason
	if a.By == second {
		audit.Result = "own"
		f.audit(mission, audit)
		return *a, bot.ErrOwnExport
	}
	f.audit(mission, audit)
	a.State, a.Second, a.Until = state, second, now.Add(bot.ExportLife)
	return *a, nil
}

func (f *fake) WithdrawExport(_ context.Context, mission, id, by string, now time.Time, audit bot.Audit) (bot.ExportAsk, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return bot.ExportAsk{}, err
	}
	i := slices.IndexFunc(f.exports, func(x bot.ExportAsk) bool {
		return x.ID == id && x.Mission == mission && x.By == by && x.Until.After(now)
	})
	if i < 0 {
		return bot.ExportAsk{}, bot.ErrNotFound
	}
	a := &f.exports[i]
	switch a.State {
	case bot.ExportWithdrawn:
		return *a, nil
	case bot.ExportRefused, bot.ExportTaken:
		return *a, bot.ErrExportState
	}
	audit.Field, audit.Purpose = a.Kind+" "+a.ID, a.Reason
	f.audit(mission, audit)
	a.State = bot.ExportWithdrawn
	return *a, nil
}

func (f *fake) ExportsAsking(_ context.Context, mission string, now time.Time) ([]string, error) {
	unlock, err := f.lock()
	defer unlock()
	f.asking++
	return f.asks(mission, now), err
}

func (f *fake) asks(mission string, now time.Time) (by []string) {
	for _, a := range f.exports {
		if a.Mission == mission && a.State == bot.ExportAsked && a.Until.After(now) {
			by = append(by, a.By)
		}
	}
	return by
}

func (f *fake) SecondAsked(ctx context.Context, mission string, now time.Time) (erase, send []string, err error) {
	asks, err := f.Erasures(ctx, mission)
	if err != nil {
		return nil, nil, err
	}
	casts, err := f.Broadcasts(ctx, mission)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seconds++
	for _, a := range asks {
		erase = append(erase, a.By)
	}
	for _, b := range casts {
		if b.State == bot.BroadcastAsked && b.Until.After(now) {
			send = append(send, b.By)
		}
	}
	return erase, send, err
}

func (f *fake) EachCase(_ context.Context, mission string, do func(*casework.Case) error) error {
	unlock, err := f.lock()
	defer unlock()
	for _, s := range f.cases {
		if c := s.open(); err == nil && c.Mission == mission {
			err = do(c)
		}
	}
	return err
}

func (f *fake) AskBroadcast(_ context.Context, mission string, b bot.Broadcast, audit bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	if err != nil || slices.ContainsFunc(f.casts, func(x bot.Broadcast) bool { return x.ID == b.ID }) {
		return err
	}
	b.State = bot.BroadcastAsked
	f.casts = slices.Insert(f.casts, 0, b)
	f.audit(mission, audit)
	return nil
}

func (f *fake) Broadcasts(_ context.Context, mission string) ([]bot.Broadcast, error) {
	unlock, err := f.lock()
	defer unlock()
	if mission != "kh" {
		return nil, err
	}
	return slices.Clone(f.casts), err
}

func (f *fake) ConfirmBroadcast(_ context.Context, mission, id, by string, now time.Time, audit bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	i := slices.IndexFunc(f.casts, func(x bot.Broadcast) bool { return x.ID == id })
	switch {
	case err != nil:
		return err
	case i < 0 || f.casts[i].State != bot.BroadcastAsked || !f.casts[i].Until.After(now):
		return bot.ErrNotFound
	case f.casts[i].By == by:
		return bot.ErrRefused
	}
	f.casts[i].State, f.casts[i].Second, f.casts[i].Began = bot.BroadcastRunning, by, now
	f.audit(mission, audit)
	return nil
}

func (f *fake) StopBroadcast(_ context.Context, mission, id, by string, now time.Time, audit bot.Audit) error {
	unlock, err := f.lock()
	defer unlock()
	i := slices.IndexFunc(f.casts, func(x bot.Broadcast) bool { return x.ID == id })
	if err != nil || i < 0 {
		return errors.Join(err, bot.ErrNotFound)
	}
	switch b := &f.casts[i]; b.State {
	case bot.BroadcastAsked:
		b.State, b.StoppedBy, b.Ended = bot.BroadcastDropped, by, now
	case bot.BroadcastRunning, bot.BroadcastQueued:
		b.State, b.StoppedBy = bot.BroadcastStopping, by
	default:
		return bot.ErrNotFound
	}
	f.audit(mission, audit)
	return nil
}
