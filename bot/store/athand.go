package store

import (
	"strconv"
	"sync"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// A person's next message mostly comes to the process that committed the last one, within a minute or so. What that
// commit wrote is kept at hand, so that the next turn starts from it without asking Redis. Nothing is believed on its
// strength: the commit's script compares the versions, and refuses a turn that was decided on what somebody else has
// changed meanwhile; the turn is then decided again on what Redis has.

// held is what a commit left of one contact.
type held struct {
	at      time.Time
	request string // that was committed last
	version int64
	state   flows.State
	cas     *casework.Case // never changed: a turn is given a clone
	caseVer int64
}

const (
	// handFor bounds how long somebody's words stay in memory for this, and how many people's.
	handFor    = 2 * time.Minute
	mostAtHand = 512
	// queueFor is how old a queue's length may be that a person is told.
	queueFor = time.Second
	// Where messages of one person go to several processes in turn, what is at hand is mostly stale, and every conflict
	// costs a turn. Each success takes one point back.
	conflictPoints, mostPoints = 4, 64
	handPause                  = 30 * time.Second
)

// atHand is what is at hand of all contacts.
type atHand struct {
	mu     sync.Mutex
	people *recent[string, held] // by the contact's key
	moved  time.Time             // when people was last bounded by time
	out    map[string]bool       // contacts whose turn was begun from what is at hand
	points int
	pause  time.Time // nothing is taken before
	queue  map[string]queueLength
}

type queueLength struct {
	n  int
	at time.Time
}

func newAtHand() *atHand {
	return &atHand{people: newRecent[string, held](mostAtHand), out: map[string]bool{}, queue: map[string]queueLength{}}
}

// take gives what is at hand of a contact, once: whoever takes it changes it. false: ask Redis.
func (h *atHand) take(key, request, line, mission string, now time.Time) (snap bot.Snapshot, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Before(h.pause) {
		return snap, false
	}
	was, ok := h.people.get(key)
	if !ok {
		return snap, false
	}
	if now.Sub(was.at) >= handFor || now.Before(was.at) {
		h.people.drop(key)
		return snap, false
	}
	if was.request == request {
		return bot.Snapshot{Seen: true}, true
	}
	if was.cas != nil {
		mission = was.cas.Mission
	}
	q := h.queue[line+" "+mission]
	if now.Sub(q.at) >= queueFor || now.Before(q.at) {
		return snap, false
	}
	h.people.drop(key)
	if len(h.out) > 4*mostAtHand { // turns that ended without a commit
		clear(h.out)
	}
	h.out[key] = true
	snap = bot.Snapshot{Version: was.version, State: was.state, CaseVer: was.caseVer, Waiting: q.n}
	if was.cas != nil {
		snap.Case = was.cas.Clone()
	}
	return snap, true
}

// caseOf is the case that is at hand of a contact, if it is this one in this version; nobody may change it.
func (h *atHand) caseOf(key, id, version string) (*casework.Case, int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	was, ok := h.people.get(key)
	if !ok || was.cas == nil || was.cas.ID != id || strconv.FormatInt(was.caseVer, 10) != version {
		return nil, 0
	}
	return was.cas, was.caseVer
}

// put keeps what a commit wrote. From now on nobody may change it.
func (h *atHand) put(key string, w held) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.out[key] {
		delete(h.out, key)
		h.points = max(h.points-1, 0)
	}
	if w.at.Sub(h.moved) >= handFor {
		h.moved = w.at
		h.people.age()
	}
	h.people.put(key, w)
}

// drop forgets one contact.
func (h *atHand) drop(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.out, key)
	h.people.drop(key)
}

// stale notes that a turn was refused.
func (h *atHand) stale(key string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.out[key] {
		return
	}
	delete(h.out, key)
	if h.points += conflictPoints; h.points > mostPoints {
		h.points, h.pause = 0, now.Add(handPause)
	}
}

// queued notes that a case was made.
func (h *atHand) queued(line, mission string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if q, ok := h.queue[line+" "+mission]; ok {
		q.n++
		h.queue[line+" "+mission] = q
	}
}

// waiting notes a queue's length.
func (h *atHand) waiting(line, mission string, n int, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queue[line+" "+mission] = queueLength{n, now}
}

// forget drops everything: something was erased.
func (h *atHand) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.people = newRecent[string, held](mostAtHand)
}
