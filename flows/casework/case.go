// Package casework decides about a case: how urgent it is and why, who is offered it next, whether a phone may
// ring, whether a message may leave, what follows from the outcome of an attempt. It is pure.
package casework

import (
	"time"

	"pulang/flows"
)

// Class is the urgency of a case, P1 (a life may be at stake) to P4.
type Class string

// The classes in order of urgency.
const (
	P1 Class = "P1"
	P2 Class = "P2"
	P3 Class = "P3"
	P4 Class = "P4"
)

// Reason is one visible contribution to the score. ID is a catalogue key below "reason."; Floor marks a rule
// that puts the case into P1 whatever the sum.
type Reason struct {
	ID     string `json:"id"`
	Points int    `json:"points"`
	Floor  bool   `json:"floor,omitempty"`
}

// Triage is the outcome of scoring a case.
type Triage struct {
	Class   Class    `json:"class"`
	Score   int      `json:"score"`
	Reasons []Reason `json:"reasons,omitempty"`
	// Kept says that the facts alone would now give a lower class: the citizen's chat took something back, and an
	// officer has not yet looked.
	Kept bool `json:"kept,omitempty"`
}

// Override is an officer's own class, kept with its reason beside the computed one.
type Override struct {
	Class  Class     `json:"class"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	// Seen are the reasons that the officer knew; one that comes later and weighs more ends the override.
	Seen []string `json:"seen,omitempty"`
	// Ended is when the override stopped to bind; it stays as a record.
	Ended time.Time `json:"ended,omitzero"`
}

// Window is a daily span of local time in which contact is safe. From and To are minutes after midnight; To < From
// crosses midnight.
type Window struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Outcome says how an attempt ended (facts: reached_ok, no_answer, …).
type Outcome string

// Attempt is one try to reach the person. It is written before the phone can ring; Outcome is empty until told.
type Attempt struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Via     string    `json:"via"` // phone, chat, in_person
	Outcome Outcome   `json:"outcome,omitempty"`
	Note    string    `json:"note,omitempty"`
	EndedAt time.Time `json:"ended_at,omitzero"`
	// Override is the reason a supervisor gave for an attempt that the gate did not allow.
	Override string `json:"override,omitempty"`
	// Reminded says that the missing outcome was asked for.
	Reminded bool `json:"reminded,omitempty"`
}

// Stage is a milestone on the way home, reported to closed.
type Stage string

// Milestone is a stage reached.
type Milestone struct {
	Stage  Stage     `json:"stage"`
	Detail string    `json:"detail,omitempty"`
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty"`
}

// Signal is a fact read from words rather than asked (flows.Signal), with its time.
type Signal struct {
	Words string    `json:"words,omitempty"`
	At    time.Time `json:"at"`
	// Done is set when an officer has dealt with it.
	Done   time.Time `json:"done,omitzero"`
	DoneBy string    `json:"done_by,omitempty"`
}

// Contact is how the person can be written to: an opaque reference that package bot resolves.
type Contact struct {
	Channel string `json:"channel"`
	Account string `json:"account,omitempty"`
	Address string `json:"address"`
	Blocked bool   `json:"blocked,omitempty"`
	// LastIn is the time of the person's last message on this contact.
	LastIn time.Time `json:"last_in,omitzero"`
}

// Case is one person's report. It is stored sealed; nothing in it is ever a key, a metric or a log field.
type Case struct {
	ID        string    `json:"id"`   // internal, never shown to a citizen
	Code      string    `json:"code"` // K7M4-692Q
	Line      string    `json:"line"`
	Mission   string    `json:"mission"` // whose queue it is on; the line never changes
	Origin    string    `json:"origin"`  // telegram, webchat, walk_in, phone, …
	Simulated bool      `json:"simulated,omitempty"`
	Lang      string    `json:"lang,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by,omitempty"`

	Answers   map[flows.StepID]flows.Answer `json:"answers,omitempty"`
	Locations []flows.Location              `json:"locations,omitempty"` // oldest first
	Signals   map[string]Signal             `json:"signals,omitempty"`

	// Safety is the level in force: "", safe, watched, danger. Only an officer lowers it.
	Safety   flows.Value `json:"safety,omitempty"`
	SafetyAt time.Time   `json:"safety_at,omitzero"`
	// Permission is the contact_pref in force; empty when never given or withdrawn by danger or watched.
	Permission   flows.Value `json:"permission,omitempty"`
	PermissionAt time.Time   `json:"permission_at,omitzero"`
	// WithdrawnAt is when the permission was last ended by danger, watched or an officer; zero for never.
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
	// Windows are the hours stated as safe, by the mission's clock. They are withdrawn together with Permission.
	Windows []Window  `json:"windows,omitempty"`
	Muted   bool      `json:"muted,omitempty"`
	MutedAt time.Time `json:"muted_at,omitzero"`

	Contacts []Contact `json:"contacts,omitempty"`
	// LastIn is the person's last message on any contact; LastRead the last time an officer opened the case.
	LastIn   time.Time `json:"last_in,omitzero"`
	LastRead time.Time `json:"last_read,omitzero"`
	// LastReadBy is that officer's account name.
	LastReadBy string `json:"last_read_by,omitempty"`
	// NewIn says that something was heard since, whatever time it bears.
	NewIn bool `json:"new_in,omitempty"`
	// P1Since is when the present stretch as P1 began; a LastRead after it ends the escalation clock. P1Told is the
	// minute of the last alert that was raised for it.
	P1Since time.Time `json:"p1_since,omitzero"`
	P1Told  int       `json:"p1_told,omitempty"`

	Triage   Triage    `json:"triage"`
	Override *Override `json:"override,omitempty"`
	// DueAt is when the next human act is due; it never moves because a case changes hands.
	DueAt time.Time `json:"due_at,omitzero"`
	// LaterUntil hides the case from Next until then (a scheduled attempt); zero offers it now.
	LaterUntil time.Time `json:"later_until,omitzero"`
	// LiftAt are the two times at which waiting lifts P4 to P3 and P3 to P2; Lifted counts those already told.
	LiftAt []time.Time `json:"lift_at,omitempty"`
	Lifted int         `json:"lifted,omitempty"`

	// Peak is the most urgent class computed since an officer last checked the facts. What is written in chat alone
	// never takes a case below it.
	Peak Class `json:"peak,omitempty"`
	// WaitSince is when the present wait for a human began: the first message, or the first one after SettledAt.
	WaitSince time.Time `json:"wait_since,omitzero"`
	// SettledAt is when an officer dealt with the case, so that nobody waits for a human; a new message or a rise of
	// the class puts the case back on the queue. SeenIn is LastIn as it was then, or when LaterUntil was set.
	SettledAt time.Time `json:"settled_at,omitzero"`
	SeenIn    time.Time `json:"seen_in,omitzero"`
	// DueFor is the class for which DueAt was computed.
	DueFor Class `json:"due_for,omitempty"`
	// PromisedAt is a time that was promised to the person; it sorts first in its class once it has passed.
	PromisedAt time.Time `json:"promised_at,omitzero"`
	// DormantAt is when the attempts were exhausted; CheckIns counts the neutral questions since, CheckInAt is the
	// time of the next one (zero: none).
	DormantAt time.Time `json:"dormant_at,omitzero"`
	CheckIns  int       `json:"check_ins,omitempty"`
	CheckInAt time.Time `json:"check_in_at,omitzero"`

	Stage      Stage       `json:"stage"`
	Milestones []Milestone `json:"milestones,omitempty"`
	Attempts   []Attempt   `json:"attempts,omitempty"`
	// Leads is the join code of the group that this person reported; Group that of the group which the person joined
	// with GABUNG. Empty for none.
	Leads string `json:"leads,omitempty"`
	Group string `json:"group,omitempty"`
	// Reported says that somebody wrote in chat that the report is about another person. It stays: whoever wrote
	// that cannot take it back to learn how far the person's case is.
	Reported bool `json:"reported,omitempty"`
	// Rescue is set once an officer started the rescue packet.
	Rescue *Rescue `json:"rescue,omitempty"`
	// Linked are cases of the same person that go on in this one; Into is set on a case that goes on in another.
	Linked []Linked `json:"linked,omitempty"`
	Into   *Into    `json:"into,omitempty"`
	// Offer is a hand-over to another mission that awaits its answer; nil for none. PlacedIn is the country in which the
	// person was when missions last decided whose case it is: until another one is named that stands.
	Offer    *Offer    `json:"offer,omitempty"`
	PlacedIn string    `json:"placed_in,omitempty"`
	ClosedAs string    `json:"closed_as,omitempty"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
	// Faded is what has gone of the case by age since it was closed; Hold keeps it whole, nil for none.
	Faded Fade  `json:"faded,omitempty"`
	Hold  *Hold `json:"hold,omitempty"`

	// alarm is set by a cry for help until the next Rescore, again by the person's word that a closed matter goes on.
	alarm, again bool
}

// Officer is what the order of the queue needs to know of the person who asks for the next case.
type Officer struct {
	Name       string
	Female     bool
	Supervisor bool
}

// Role is what a member of staff may do.
type Role string

// The roles.
const (
	RoleViewer     Role = "viewer"
	RoleOfficer    Role = "officer"
	RoleSupervisor Role = "supervisor"
	RoleAdmin      Role = "admin"
	RoleAuditor    Role = "auditor"
)
