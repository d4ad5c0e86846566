package telegram

import (
	"sync"
	"time"
)

// gap notices that updates could not be accepted for a while. Telegram keeps messages for a day, but a tap for 150
// seconds only, so after a longer gap people have to be asked again.
type gap struct {
	after time.Duration
	tell  func(from, to time.Time)

	mu      sync.Mutex
	from    time.Time // when it began; zero while all is well
	covered time.Time // end of the last gap that was told
}

// failed notes that updates cannot be accepted, at the latest since that time. It reports whether this is news.
func (g *gap) failed(since time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.from.IsZero() {
		return false
	}
	g.from = since
	return true
}

// worked notes that an update was accepted, or that there was none to accept. It reports whether this ends a
// failure, however short.
func (g *gap) worked(now time.Time) bool {
	g.mu.Lock()
	from := g.from
	g.from = time.Time{}
	known := g.covered
	g.mu.Unlock()
	if from.IsZero() {
		return false
	}
	if from.Before(known) {
		from = known
	}
	g.report(from, now)
	return true
}

// late notes a message that took its time to get here although nothing failed on this side: the way to us was cut
// (a proxy, a certificate, a name). Every message of that time is late; one gap is told.
func (g *gap) late(sent, now time.Time) { g.report(sent, now) }

func (g *gap) report(from, to time.Time) {
	g.mu.Lock()
	known := from.Before(g.covered)
	if to.Sub(from) > g.after && !known {
		g.covered = to
	}
	g.mu.Unlock()
	if to.Sub(from) > g.after && !known && g.tell != nil {
		g.tell(from, to)
	}
}
