package bot

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

// QueueView is a case as `hotline queue list --json` prints it. Other programs rely on the names; what is unknown is
// absent.
type QueueView struct {
	Code              string         `json:"code"`
	Mission           string         `json:"mission"`
	Class             casework.Class `json:"class"`
	Score             int            `json:"score"`
	Reasons           []string       `json:"reasons"` // catalogue keys below "reason."
	Channel           string         `json:"channel,omitempty"`
	Language          string         `json:"language,omitempty"`
	SafetyNow         flows.Value    `json:"safety_now,omitempty"`
	WhoFor            flows.Value    `json:"who_for,omitempty"`
	PassportStatus    flows.Value    `json:"passport_status,omitempty"`
	ImmigrationStatus flows.Value    `json:"immigration_status,omitempty"`
	Location          *LocationView  `json:"location,omitempty"`
	PlaceKind         flows.Value    `json:"place_kind,omitempty"`
	UrgentNeeds       []flows.Value  `json:"urgent_needs,omitempty"`
	ContactPref       flows.Value    `json:"contact_pref,omitempty"`
	// MayCall is the gate's word at the time of the list; CallbackNumber (E.164) is there only when it is true.
	MayCall        bool   `json:"may_call"`
	WindowOpen     bool   `json:"window_open"`
	CallbackNumber string `json:"callback_number,omitempty"`
	// SafeTime are pairs of local "HH:MM".
	SafeTime     [][2]string    `json:"safe_time,omitempty"`
	GroupSize    int            `json:"group_size,omitempty"`
	Stage        casework.Stage `json:"stage"`
	CreatedAt    time.Time      `json:"created_at"`
	DueAt        time.Time      `json:"due_at,omitzero"`
	Attempts     int            `json:"attempts"`
	ClaimedBy    string         `json:"claimed_by,omitempty"`
	ClaimedUntil time.Time      `json:"claimed_until,omitzero"`
	// OfferedTo is the mission that is asked to take the case over; absent when none is.
	OfferedTo string `json:"offered_to,omitempty"`
	// ShownBecause says why the case stands where it does, a catalogue key below "because."; absent when it does not
	// wait on the queue.
	ShownBecause string `json:"shown_because,omitempty"`
	// Simulated marks a demo's case.
	Simulated bool `json:"simulated,omitempty"`
}

// LocationView is the newest statement of where the person is. A place that was only described has no point.
type LocationView struct {
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

// CaseView is a case as `hotline case show --json` prints it: the queue's fields, then everything else.
type CaseView struct {
	QueueView
	Answers    map[flows.StepID]flows.Answer `json:"answers,omitempty"`
	Locations  []LocationView                `json:"locations,omitempty"` // oldest first
	Signals    map[string]casework.Signal    `json:"signals,omitempty"`
	Muted      bool                          `json:"muted,omitempty"`
	Override   *casework.Override            `json:"override,omitempty"`
	Milestones []casework.Milestone          `json:"milestones,omitempty"`
	AttemptLog []casework.Attempt            `json:"attempt_log,omitempty"`
	// Offer is a hand-over to another mission that awaits its answer.
	Offer    *casework.Offer `json:"offer,omitempty"`
	ClosedAs string          `json:"closed_as,omitempty"`
	ClosedAt time.Time       `json:"closed_at,omitzero"`
	Timeline []EntryView     `json:"timeline"`
}

// EntryView is one line of the timeline; a sent text bears how far it has come.
type EntryView struct {
	Entry
	State RowState `json:"state,omitempty"`
}

// QueueJSON is an item of the queue in the form in which it is printed.
func QueueJSON(item QueueItem, now time.Time, r casework.Rules) QueueView {
	c := item.Case
	v := QueueView{
		Code: c.Code, Mission: c.Mission, Class: casework.Effective(c, now), Score: c.Triage.Score, Reasons: []string{},
		Channel: c.Origin, Language: c.Lang, SafetyNow: c.Safety, WhoFor: c.Answers[flows.StepWhoFor].Value(),
		PassportStatus:    c.Answers[flows.StepPassportStatus].Value(),
		ImmigrationStatus: c.Answers[flows.StepImmigration].Value(),
		PlaceKind:         c.Answers[flows.StepPlaceKind].Value(), UrgentNeeds: c.Answers[flows.StepUrgentNeeds].Values,
		ContactPref: c.Permission, Stage: c.Stage, CreatedAt: c.CreatedAt.UTC(), DueAt: utc(c.DueAt), Attempts: len(c.Attempts),
		Simulated: c.Simulated,
	}
	if c.Offer != nil {
		v.OfferedTo = c.Offer.To
	}
	for _, x := range c.Triage.Reasons {
		v.Reasons = append(v.Reasons, x.ID)
	}
	if n := len(c.Contacts); n > 0 {
		v.Channel = c.Contacts[n-1].Channel
	}
	if n := len(c.Locations); n > 0 {
		l := locationView(c.Locations[n-1])
		v.Location = &l
	}
	v.GroupSize, _ = strconv.Atoi(c.Answers[flows.StepGroupSize].Norm)
	for _, w := range c.Windows {
		v.SafeTime = append(v.SafeTime, [2]string{clockTime(w.From), clockTime(w.To)})
	}
	_, v.WindowOpen = casework.OpenSpan(c.Windows, r.Zone, now)
	if casework.MayCall(c, now, r).OK {
		v.MayCall, v.CallbackNumber = true, c.Answers[flows.StepCallbackNumber].Norm
	}
	if item.Claim != nil {
		v.ClaimedBy, v.ClaimedUntil = item.Claim.Officer, item.Claim.Until.UTC()
	} else if casework.Queued(c) {
		v.ShownBecause = casework.Because(casework.CandidateOf(c), now, r)
	}
	return v
}

// CaseJSON is a case with its timeline in the form in which it is printed. Where the gate does not let a phone ring,
// the callback number is not in the answers either; the person's own messages are printed as they came.
func CaseJSON(f CaseFile, now time.Time, r casework.Rules) CaseView {
	c := f.Case
	v := CaseView{
		QueueView: QueueJSON(QueueItem{Case: c, Claim: f.Claim}, now, r), Answers: maps.Clone(c.Answers), Signals: c.Signals,
		Muted: c.Muted, Override: c.Override, Milestones: c.Milestones, AttemptLog: c.Attempts, Offer: c.Offer, ClosedAs: c.ClosedAs,
		ClosedAt: utc(c.ClosedAt), Timeline: make([]EntryView, 0, len(f.Entries)),
	}
	for _, l := range c.Locations {
		v.Locations = append(v.Locations, locationView(l))
	}
	if a, ok := v.Answers[flows.StepCallbackNumber]; ok && !v.MayCall {
		a.Norm, a.Text = "", ""
		v.Answers[flows.StepCallbackNumber] = a
	}
	for _, e := range f.Entries {
		v.Timeline = append(v.Timeline, EntryView{Entry: e, State: f.Rows[e.Row].State})
	}
	slices.SortStableFunc(v.Timeline, func(a, b EntryView) int { return a.At.Compare(b.At) })
	return v
}

func locationView(l flows.Location) LocationView {
	v := LocationView{
		Kind: l.Kind, Text: l.Text, Place: l.Place, Province: l.Province, Country: l.Country, AccuracyM: l.AccuracyM, At: utc(l.At),
	}
	if l.HasPoint {
		v.Lat, v.Lon = &l.Lat, &l.Lon
	}
	return v
}

// utc leaves the zero time alone, so that it is absent.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

func clockTime(minute int) string {
	t := time.Date(2000, 1, 1, 0, minute, 0, 0, time.UTC)
	return t.Format("15:04")
}
