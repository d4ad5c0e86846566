package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// queueCmd reads the callback queue. The list is personal data: reading it writes an audit row.
type queueCmd struct {
	List queueList `cmd:"" help:"Open callbacks in the order in which the desk offers them."`
}

// mostListed bounds one reading of the queue.
const mostListed = 100_000

type queueList struct {
	JSON    bool   `name:"json" help:"One JSON object a line."`
	Mission string `placeholder:"CODE" help:"Only this mission."`
}

// Run writes the queue to standard output.
func (c *queueList) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		ms, err := chosen(st.missions, c.Mission)
		if err != nil {
			return err
		}
		out := bufio.NewWriter(io.out)
		table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		if !c.JSON {
			fmt.Fprintln(table, "CODE\tCLASS\tSTAGE\tDUE\tCREATED\tCLAIMED BY")
		}
		now := time.Now()
		for _, m := range ms {
			page, err := st.store.Queue(ctx, m.Code, now, mostListed)
			if err != nil {
				return fmt.Errorf("queue: %w", err)
			}
			if err := st.store.Record(ctx, m.Code, auditRow("queue_list", "")); err != nil {
				return fmt.Errorf("queue: nothing is shown without an audit row: %w", err)
			}
			for _, item := range page.Items {
				v := queueObject(item, now, m.Rules())
				if c.JSON {
					line, err := json.Marshal(v)
					if err != nil {
						return fmt.Errorf("queue: %w", err)
					}
					fmt.Fprintf(out, "%s\n", line)
					continue
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", v.Code, v.Class, v.Stage, stamp(v.DueAt, m), stamp(v.CreatedAt, m), v.ClaimedBy)
			}
		}
		if !c.JSON {
			if err := table.Flush(); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

func stamp(t time.Time, m *bot.Mission) string {
	if t.IsZero() {
		return ""
	}
	return t.In(m.Location()).Format("2006-01-02 15:04")
}

// queueEntry is one line of `queue list --json`; what is unknown is absent.
type queueEntry struct {
	Code           string         `json:"code"`
	Mission        string         `json:"mission"`
	Class          casework.Class `json:"class"`
	Score          int            `json:"score"`
	Reasons        []string       `json:"reasons"`
	Channel        string         `json:"channel,omitempty"`
	Language       string         `json:"language,omitempty"`
	SafetyNow      flows.Value    `json:"safety_now,omitempty"`
	WhoFor         flows.Value    `json:"who_for,omitempty"`
	PassportStatus flows.Value    `json:"passport_status,omitempty"`
	Immigration    flows.Value    `json:"immigration_status,omitempty"`
	Location       *queueLocation `json:"location,omitempty"`
	PlaceKind      flows.Value    `json:"place_kind,omitempty"`
	UrgentNeeds    []flows.Value  `json:"urgent_needs,omitempty"`
	ContactPref    flows.Value    `json:"contact_pref,omitempty"`
	MayCall        bool           `json:"may_call"`
	WindowOpen     bool           `json:"window_open"`
	CallbackNumber string         `json:"callback_number,omitempty"`
	SafeTime       [][2]string    `json:"safe_time,omitempty"`
	GroupSize      string         `json:"group_size,omitempty"`
	Stage          casework.Stage `json:"stage"`
	CreatedAt      time.Time      `json:"created_at"`
	DueAt          time.Time      `json:"due_at,omitzero"`
	Attempts       int            `json:"attempts"`
	ClaimedBy      string         `json:"claimed_by,omitempty"`
	ClaimedUntil   time.Time      `json:"claimed_until,omitzero"`
	ShownBecause   string         `json:"shown_because,omitempty"`
	Simulated      bool           `json:"simulated,omitempty"`
}

type queueLocation struct {
	Kind      string    `json:"kind"`
	Lat       *float64  `json:"lat,omitempty"`
	Lon       *float64  `json:"lon,omitempty"`
	Text      string    `json:"text,omitempty"`
	Place     string    `json:"place,omitempty"`
	Province  string    `json:"province,omitempty"`
	Country   string    `json:"country,omitempty"`
	AccuracyM float64   `json:"accuracy_m,omitempty"`
	At        time.Time `json:"at,omitzero"`
}

// queueObject is a queue item as the contract shows it.
func queueObject(item bot.QueueItem, now time.Time, r casework.Rules) queueEntry {
	c := item.Case
	v := queueEntry{
		Code: c.Code, Mission: c.Mission, Class: casework.Effective(c, now), Score: c.Triage.Score, Reasons: []string{},
		Channel: c.Origin, Language: c.Lang, SafetyNow: c.Safety, WhoFor: c.Answers[flows.StepWhoFor].Value(),
		PassportStatus: c.Answers[flows.StepPassportStatus].Value(), Immigration: c.Answers[flows.StepImmigration].Value(),
		PlaceKind: c.Answers[flows.StepPlaceKind].Value(), UrgentNeeds: c.Answers[flows.StepUrgentNeeds].Values,
		ContactPref: c.Permission, GroupSize: c.Answers[flows.StepGroupSize].Norm, Stage: c.Stage,
		CreatedAt: c.CreatedAt.UTC(), DueAt: c.DueAt.UTC(), Attempts: len(c.Attempts), Simulated: c.Simulated,
		ShownBecause: casework.Because(casework.CandidateOf(c), now, r),
	}
	if c.DueAt.IsZero() {
		v.DueAt = time.Time{}
	}
	for _, x := range c.Triage.Reasons {
		v.Reasons = append(v.Reasons, x.ID)
	}
	if n := len(c.Contacts); n > 0 {
		v.Channel = c.Contacts[n-1].Channel
	}
	if n := len(c.Locations); n > 0 {
		v.Location = locationObject(c.Locations[n-1])
	}
	for _, w := range c.Windows {
		v.SafeTime = append(v.SafeTime, [2]string{clockTime(w.From), clockTime(w.To)})
	}
	_, v.WindowOpen = casework.OpenSpan(c.Windows, r.Zone, now)
	// The number is shown only where the gate lets a phone ring now.
	if call := casework.MayCall(c, now, r); call.OK {
		v.MayCall, v.CallbackNumber = true, c.Answers[flows.StepCallbackNumber].Norm
	}
	if item.Claim != nil {
		v.ClaimedBy, v.ClaimedUntil = item.Claim.Officer, item.Claim.Until.UTC()
	}
	return v
}

func locationObject(l flows.Location) *queueLocation {
	v := &queueLocation{Kind: l.Kind, Text: l.Text, Place: l.Place, Province: l.Province, Country: l.Country, AccuracyM: l.AccuracyM, At: l.At.UTC()}
	if l.At.IsZero() {
		v.At = time.Time{}
	}
	if l.HasPoint {
		v.Lat, v.Lon = &l.Lat, &l.Lon
	}
	return v
}

func clockTime(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60%24, minute%60) }

// chosen are the missions that --mission names; all of them when it names none.
func chosen(all []*bot.Mission, code string) ([]*bot.Mission, error) {
	if code == "" {
		return all, nil
	}
	i := slices.IndexFunc(all, func(m *bot.Mission) bool { return strings.EqualFold(m.Code, code) })
	if i < 0 {
		return nil, usagef("--mission: no mission %q; there are: %s", code, codes(all))
	}
	return all[i : i+1], nil
}
