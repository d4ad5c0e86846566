package desk

import (
	"cmp"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// newID is a ULID at now.
func newID(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String()
}

// event is a timeline entry for something that an officer did or the rules made of it.
func (q *request) event(key string, args flows.Args, now time.Time) bot.Entry {
	return bot.Entry{ID: newID(now), At: now, Kind: "event", Text: key, Args: args, By: q.user.Name}
}

// eventEntries puts the rules' events on the timeline.
func (q *request) eventEntries(events []casework.Event, now time.Time) []bot.Entry {
	var out []bot.Entry
	for _, e := range events {
		args := e.Args
		if !e.At.IsZero() {
			args = flows.Args{}
			for k, v := range e.Args {
				args[k] = v
			}
			args["At"] = e.At.UTC().Format(time.RFC3339)
		}
		out = append(out, q.event("event."+e.ID, args, now))
	}
	return out
}

// happened puts the rules' events on the timeline, tells the mission's alert targets what concerns them, and asks a
// person whose case has gone quiet whether help is still needed (the gate MaySend decides whether that leaves).
func (q *request) happened(ch *bot.Change, events []casework.Event, now time.Time) {
	ch.Entries = append(ch.Entries, q.eventEntries(events, now)...)
	for _, e := range events {
		for _, mission := range bot.AlertedMissions(e, ch.Case.Mission) {
			m := q.d.missions[mission]
			if m == nil {
				continue
			}
			text := q.d.Catalogue.Text(m.Lang, flows.TextID("alert."+e.ID), bot.NameMissions(e.Args, q.d.missionName))
			for _, to := range bot.AlertsOn(ch.Line, mission, q.d.Alerts[mission]) {
				ch.Rows = append(ch.Rows, bot.Row{
					ID: newID(now), Line: ch.Line, To: to, Lane: bot.LaneSafety, Kind: bot.KindAlert, State: bot.RowQueued,
					CreatedAt: now, Out: bot.Outgoing{Text: text},
				})
			}
		}
		if to, ok := contactOf(ch.Case, ""); ok && e.Nudge {
			row := bot.Row{
				ID: newID(now), Line: ch.Line, To: to, CaseID: ch.Case.ID, Lane: bot.LaneStatus, Kind: casework.KindNudge,
				State: bot.RowQueued, CreatedAt: now,
				Out: bot.Outgoing{Text: q.d.Catalogue.Text(ch.Case.Lang, "check_in.neutral", nil)},
			}
			ch.Rows = append(ch.Rows, row)
			ch.Entries = append(ch.Entries, bot.Entry{ID: row.ID, At: now, Kind: "out", Text: row.Out.Text, Row: row.ID, Channel: to.Channel, Contact: to.Tag()})
		}
	}
}

// noteEntry is an internal note.
func (q *request) noteEntry(text string, now time.Time) bot.Entry {
	return bot.Entry{ID: newID(now), At: now, Kind: "note", Text: text, By: q.user.Name}
}

// timerChanges is the difference between the timers a case had and has to have.
func timerChanges(line, caseID string, before, after []casework.TimerAt) []bot.Timer {
	had := map[string]time.Time{}
	for _, t := range before {
		had[t.Name] = t.At
	}
	var out []bot.Timer
	for _, t := range after {
		if at, ok := had[t.Name]; !ok || !at.Equal(t.At) {
			out = append(out, bot.Timer{Line: line, Name: t.Name, CaseID: caseID, At: t.At})
		}
		delete(had, t.Name)
	}
	for name := range had {
		out = append(out, bot.Timer{Line: line, Name: name, CaseID: caseID})
	}
	slices.SortFunc(out, func(a, b bot.Timer) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
