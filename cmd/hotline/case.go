package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// caseCmd reads single cases. Reading one writes an audit row, as opening it on the desk does.
type caseCmd struct {
	Show caseShow `cmd:"" help:"One case with its timeline."`
}

type caseShow struct {
	Code    string `arg:"" help:"Case code, for example K7M4-692Q."`
	JSON    bool   `name:"json" help:"As JSON."`
	Mission string `placeholder:"CODE" help:"Only of this mission."`
}

// Validate ends a mistyped code before anything is opened.
func (c *caseShow) Validate() error {
	if _, ok := casework.ParseCode(c.Code); !ok {
		return errors.New("the case code is mistyped: it has eight symbols, such as K7M4-692Q")
	}
	return nil
}

// Run writes the case to standard output.
func (c *caseShow) Run(ctx context.Context, s *Settings, io *streams) error {
	code, _ := casework.ParseCode(c.Code)
	return withStore(ctx, s, io, func(st *opened) error {
		ms, err := chosen(st.missions, c.Mission)
		if err != nil {
			return err
		}
		now := time.Now()
		for _, m := range ms {
			audit := auditRow("open", "")
			audit.Code, audit.Purpose = code, "case show"
			f, err := st.store.Open(ctx, m.Code, code, now, audit)
			if errors.Is(err, bot.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("case: %w", err)
			}
			v := caseObject(f, now, m.Rules())
			enc := json.NewEncoder(io.out)
			enc.SetEscapeHTML(false)
			if !c.JSON {
				enc.SetIndent("", "  ")
			}
			return enc.Encode(v)
		}
		return fmt.Errorf("no case %s on this installation", code)
	})
}

// caseRecord is `case show --json`: the queue's line, then everything else.
type caseRecord struct {
	queueEntry
	Answers    map[flows.StepID]flows.Answer `json:"answers"`
	Locations  []*queueLocation              `json:"locations,omitempty"`
	Signals    map[string]casework.Signal    `json:"signals,omitempty"`
	Muted      bool                          `json:"muted,omitempty"`
	Override   *casework.Override            `json:"override,omitempty"`
	Milestones []casework.Milestone          `json:"milestones,omitempty"`
	Tries      []casework.Attempt            `json:"attempt_log,omitempty"`
	ClosedAs   string                        `json:"closed_as,omitempty"`
	ClosedAt   time.Time                     `json:"closed_at,omitzero"`
	Timeline   []timelineEntry               `json:"timeline"`
}

// timelineEntry is one line of the timeline; a sent text bears how far it has come.
type timelineEntry struct {
	bot.Entry
	State bot.RowState `json:"state,omitempty"`
}

func caseObject(f bot.CaseFile, now time.Time, r casework.Rules) caseRecord {
	c := f.Case
	v := caseRecord{
		queueEntry: queueObject(bot.QueueItem{Case: c, Claim: f.Claim}, now, r), Answers: c.Answers, Signals: c.Signals,
		Muted: c.Muted, Override: c.Override, Milestones: c.Milestones, Tries: c.Attempts, ClosedAs: c.ClosedAs, ClosedAt: c.ClosedAt,
		Timeline: []timelineEntry{},
	}
	for _, l := range c.Locations {
		v.Locations = append(v.Locations, locationObject(l))
	}
	if !v.MayCall { // the gate holds for the answers and the log as well
		if a, ok := v.Answers[flows.StepCallbackNumber]; ok {
			v.Answers = cloneAnswers(c.Answers)
			a.Norm, a.Text = "", ""
			v.Answers[flows.StepCallbackNumber] = a
		}
	}
	for _, e := range f.Entries {
		t := timelineEntry{Entry: e}
		if row, ok := f.Rows[e.Row]; ok {
			t.State = row.State
		}
		v.Timeline = append(v.Timeline, t)
	}
	slices.SortStableFunc(v.Timeline, func(a, b timelineEntry) int { return a.At.Compare(b.At) })
	return v
}

func cloneAnswers(in map[flows.StepID]flows.Answer) map[flows.StepID]flows.Answer {
	out := make(map[flows.StepID]flows.Answer, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}
