package bot

import (
	"context"
	"sync"
	"time"

	"pulang/flows"
)

// outage remembers who was told during this outage that something is wrong: one neutral line a contact, and none
// when the same message is delivered again.
type outage struct {
	mu   sync.Mutex
	told map[Contact]struct{}
}

// mostTold bounds the memory of a long outage; beyond it people get no line, and their message still comes again.
const mostTold = 20_000

// first reports whether who has not been told yet, and notes it.
func (o *outage) first(who Contact) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.told[who]; ok || len(o.told) >= mostTold {
		return false
	}
	if o.told == nil {
		o.told = map[Contact]struct{}{}
	}
	o.told[who] = struct{}{}
	return true
}

// over forgets: the store answers again.
func (o *outage) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.told != nil {
		o.told = nil
	}
}

// storeDown tells the person once that the line is disturbed, in words that say neither what this is nor that
// anything was recorded, and passes the error on: the message must come again.
func (h *Hotline) storeDown(ctx context.Context, l *Line, m Message, err error) error {
	if ctx.Err() != nil || h.direct == nil || !Wrote(m.Input) || m.Input.Edit || !h.outage.first(m.From) {
		return err
	}
	lang := m.Input.Lang
	if !h.Catalogue.Has(lang) {
		lang = l.Mission.Lang
	}
	go func() {
		// Not through the outbox, which is the store that is down; one try, and nobody waits for it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		h.direct(ctx, Row{
			Line: m.Line, To: m.From, Kind: "down", Lane: LaneBot,
			Out: Outgoing{Text: h.Catalogue.Text(lang, "down.neutral", nil)},
		})
	}()
	return err
}

// checkOfficer answers CEK: whether the code belongs to an officer of the mission whose case it is, or that was asked
// to take it over, or of the line's own. A failed look-up says so.
func (h *Hotline) checkOfficer(ctx context.Context, ch *Change, l *Line, m Message, code string, now time.Time) {
	text := flows.TextID("check_officer.unknown")
	if h.Officers != nil {
		ok, err := false, error(nil)
		for _, mission := range deskMissions(l, ch.Case) {
			if ok, err = h.Officers(ctx, mission, code); ok || err != nil {
				break
			}
		}
		if err == nil && ok {
			text = "check_officer.yes"
		} else if err == nil {
			text = "check_officer.no"
		}
	}
	h.say(ch, m, []flows.Reply{{Parts: []flows.Text{{ID: text}}}}, ch.State.Lang, false, now)
}
