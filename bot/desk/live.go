package desk

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	heartbeat  = 15 * time.Second
	writeLimit = 10 * time.Second // a browser that takes no byte for so long is gone
	rewatch    = time.Second
)

// event says that something changed, never what: the browser asks again through a page that checks its rights.
type event struct {
	seq  int64
	kind string
}

// live shares one watch of the store per mission among all open pages.
type live struct {
	queue   Queue
	log     *slog.Logger
	changed func(mission string) // told of every event before the pages are

	mu       sync.Mutex
	missions map[string]*watch
}

type watch struct {
	cancel context.CancelFunc
	open   map[chan event]struct{}
}

func newLive(q Queue, log *slog.Logger, changed func(string)) *live {
	return &live{queue: q, log: log, changed: changed, missions: map[string]*watch{}}
}

// join subscribes to a mission's changes. The channel holds one event: what is missed while a browser is slow is
// the same message again. The first subscriber starts the watch, the last one ends it.
func (l *live) join(mission string) (events chan event, leave func()) {
	events = make(chan event, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.missions[mission]
	if w == nil {
		ctx, cancel := context.WithCancel(context.Background()) // lives as long as its subscribers, not as one of them
		w = &watch{cancel: cancel, open: map[chan event]struct{}{}}
		l.missions[mission] = w
		go l.run(ctx, mission, w)
	}
	w.open[events] = struct{}{}
	return events, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(w.open, events)
		if len(w.open) == 0 {
			w.cancel()
			if l.missions[mission] == w {
				delete(l.missions, mission)
			}
		}
	}
}

// run watches until the last page closes; a watch that broke is begun again.
func (l *live) run(ctx context.Context, mission string, w *watch) {
	for ctx.Err() == nil {
		err := l.queue.Watch(ctx, mission, func(seq int64, kind string) {
			l.changed(mission)
			l.tell(w, event{seq, kind})
		})
		if ctx.Err() != nil {
			return
		}
		l.log.Warn("desk: watch ended, starting again", "mission", mission, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(rewatch):
		}
		// What happened in between is not known: have every page ask again.
		l.changed(mission)
		l.tell(w, event{0, "case"})
	}
}

func (l *live) tell(w *watch, e event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range w.open {
		select {
		case c <- e:
		default:
			if e.kind == "p1" { // an alarm never waits behind a lesser event
				select {
				case <-c:
				default:
				}
				select {
				case c <- e:
				default:
				}
			}
		}
	}
}

// liveStream is the page's event stream. It carries {event, seq} only. Each heartbeat looks whether the session
// still stands, so that a signed-out browser hears nothing more.
func liveStream(q *request) error {
	ctx := q.r.Context()
	out := http.NewResponseController(q.w)
	_ = out.SetReadDeadline(time.Time{})
	h := q.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")

	events, leave := q.d.live.join(q.mission.Code)
	defer leave()
	write := func(s string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(writeLimit))
		if _, err := q.w.Write([]byte(s)); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	if !write("retry: 2000\n\n") {
		return nil
	}
	// A browser that comes back with Last-Event-ID may have missed something: it is told at once to ask again.
	if id := q.r.Header.Get("Last-Event-ID"); id != "" {
		seq, _ := strconv.ParseInt(id, 10, 64)
		if !write(frame(event{seq, "case"})) {
			return nil
		}
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-events:
			if !write(frame(e)) {
				return nil
			}
		case <-beat.C:
			if !q.stillSignedIn(ctx) {
				write("event: out\ndata: {}\n\n")
				return nil
			}
			if !write("event: beat\ndata: {}\n\n") {
				return nil
			}
		}
	}
}

func frame(e event) string {
	id := ""
	if e.seq > 0 {
		id = fmt.Sprintf("id: %d\n", e.seq)
	}
	return fmt.Sprintf("%sevent: %s\ndata: {\"event\":%q,\"seq\":%d}\n\n", id, e.kind, e.kind, e.seq)
}

// stillSignedIn reads the session anew. The store being away is no reason to end the stream.
func (q *request) stillSignedIn(ctx context.Context) bool {
	// Not ctx: it carries the session as it was when the stream began.
	look, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	fresh, err := q.d.sessions.Load(look, q.d.sessions.Token(ctx))
	if err != nil {
		return true
	}
	s := q.d.loadSession(fresh)
	if s == nil {
		return false
	}
	a, err := q.d.Staff.Account(ctx, s.Name)
	if err != nil {
		return ctx.Err() == nil
	}
	return !a.Disabled && !s.At.Before(a.SignedOutAt) && q.route.allows(a.Role) && mayMission(a, q.mission.Code)
}
