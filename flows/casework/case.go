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
}

// Override is an officer's own class, kept with its reason beside the computed one.
type Override struct {
	Class  Class     `json:"class"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
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
	Mission   string    `json:"mission"`
	Origin    string    `json:"origin"` // telegram, webchat, walk_in, phone, …
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
	Permission flows.Value `json:"permission,omitempty"`
	Windows    []Window    `json:"windows,omitempty"`
	Muted      bool        `json:"muted,omitempty"`

	Contacts []Contact `json:"contacts,omitempty"`
	// LastIn is the person's last message on any contact; LastRead the last time an officer opened the case.
	LastIn   time.Time `json:"last_in,omitzero"`
	LastRead time.Time `json:"last_read,omitzero"`
	// FirstReadAt ends the escalation clock of a P1.
	P1Since time.Time `json:"p1_since,omitzero"`

	Triage   Triage    `json:"triage"`
	Override *Override `json:"override,omitempty"`
	// DueAt is when the next human act is due; it never moves because a case changes hands.
	DueAt time.Time `json:"due_at,omitzero"`
	// LaterUntil hides the case from Next until then (a scheduled attempt); zero offers it now.
	LaterUntil time.Time `json:"later_until,omitzero"`
	// LiftAt are the two times at which waiting lifts P4 to P3 and P3 to P2.
	LiftAt []time.Time `json:"lift_at,omitempty"`

	Stage      Stage       `json:"stage"`
	Milestones []Milestone `json:"milestones,omitempty"`
	Attempts   []Attempt   `json:"attempts,omitempty"`
	Group      string      `json:"group,omitempty"`
	ClosedAs   string      `json:"closed_as,omitempty"`
	ClosedAt   time.Time   `json:"closed_at,omitzero"`
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
