// Package flows holds the words that every decision of the hotline is made of: what a person did (Input), what
// is remembered of the conversation (State), what is to be said (Reply) and what is to happen (Effect).
//
// Everything below this directory is pure: time, chance and the network come in as arguments, nothing here reads
// a clock, a file or a socket. A decision can therefore be repeated, tested as text, and explained to a diplomat.
package flows

import "time"

// Version is the version of the conversation that this program conducts. A stored State of every released
// version must go on; step and value ids are append-only and never renamed or reused.
const Version = 1

// StepID names a question, for example "safety_now". Value names one of its answers, for example "watched".
type (
	StepID string
	Value  string
)

// TextID is the key of a text in the catalogue of package locales.
type TextID string

// Args are the placeholders of a text. Values are strings, integers or booleans.
type Args map[string]any

// Text is a text to be rendered in the person's language: a catalogue key and its placeholders.
type Text struct {
	ID   TextID `json:"id"`
	Args Args   `json:"args,omitempty"`
}

// Kind says what a person did.
type Kind string

// The kinds of Input.
const (
	KindText     Kind = "text"     // typed words
	KindTap      Kind = "tap"      // a button below one of our messages
	KindLocation Kind = "location" // a pin or a live location
	KindMedia    Kind = "media"    // photo, voice, document, video, sticker; the caption is in Text
	KindContact  Kind = "contact"  // a contact card
	KindTimer    Kind = "timer"    // nobody did anything: a timer that the conversation had set is due
	KindBlocked  Kind = "blocked"  // the person blocked the bot in the messenger
	KindUnblock  Kind = "unblocked"
)

// Input is one thing that one person did, in the order in which the messenger tells it.
type Input struct {
	Kind Kind `json:"kind"`
	// ID is the message's id within its chat, stable across redelivery. A correction bears the ID of the message
	// it corrects. Empty for a timer.
	ID string `json:"id,omitempty"`
	// Text is what was typed, or the caption of a Media. It is kept as it came; display code must not trust it.
	Text     string    `json:"text,omitempty"`
	Tap      *Tap      `json:"tap,omitempty"`
	Location *Location `json:"location,omitempty"`
	Media    *Media    `json:"media,omitempty"`
	Contact  *Card     `json:"contact,omitempty"`
	Timer    string    `json:"timer,omitempty"`
	// Edit marks a correction of the earlier message with the same ID (an edited text, a moved live location).
	Edit bool `json:"edit,omitempty"`
	// At is the messenger's time of the message (of the edit, for a correction).
	At time.Time `json:"at"`
	// Lang is the language the messenger reports for the person's app ("id", "en", …); empty when unknown.
	Lang string `json:"lang,omitempty"`
}

// Tap is a pressed button. Scope is the State.Scope under which the button was shown.
type Tap struct {
	Scope string `json:"scope"`
	Step  StepID `json:"step"`
	Value Value  `json:"value"`
}

// Location is one statement of where somebody is. A place that was only described has no point.
type Location struct {
	// Kind is pin, live, map_link, coords_text, place_text or unknown.
	Kind string `json:"kind"`
	// HasPoint says that Lat and Lon (WGS 84 degrees) are meant; 0,0 is not a point anybody stands on.
	HasPoint bool    `json:"has_point,omitempty"`
	Lat      float64 `json:"lat,omitempty"`
	Lon      float64 `json:"lon,omitempty"`
	// AccuracyM is the radius in metres that the sender's device claims; 0 means not stated.
	AccuracyM float64 `json:"accuracy_m,omitempty"`
	// Text is the person's own words or link, as they came.
	Text string `json:"text,omitempty"`
	// Place, Province and Country (ISO 3166-1 alpha-2) come from the gazetteer; empty when nothing matched.
	Place    string    `json:"place,omitempty"`
	Province string    `json:"province,omitempty"`
	Country  string    `json:"country,omitempty"`
	At       time.Time `json:"at"`
	// Ended is true when a live location stopped: this is its last point.
	Ended bool `json:"ended,omitempty"`
}

// Media is a file that the messenger keeps; only the reference is stored.
type Media struct {
	// Kind is photo, voice, audio, video, document, sticker, or other (a poll, a story, whatever comes next: it can
	// be seen in the messenger only, and has no Ref).
	Kind string `json:"kind"`
	// Ref is the channel's own reference, opaque to everybody else.
	Ref      string `json:"ref"`
	Name     string `json:"name,omitempty"`
	MIME     string `json:"mime,omitempty"`
	Bytes    int64  `json:"bytes,omitempty"`
	Seconds  int    `json:"seconds,omitempty"`
	Document bool   `json:"document,omitempty"`
}

// Card is a shared contact. Own is true only when the messenger itself vouches that it is the sender's number.
type Card struct {
	Phone string `json:"phone"`
	Name  string `json:"name,omitempty"`
	Own   bool   `json:"own,omitempty"`
}

// Answer is what the hotline holds for one step. The person's own words stay with it whatever was understood.
type Answer struct {
	// Values are the chosen values in the order of the menu; empty for a free text.
	Values []Value `json:"values,omitempty"`
	// Text is what the person wrote.
	Text string `json:"text,omitempty"`
	// Norm is the normalised form of a free answer: E.164 for a phone number, "21:00-22:00" (several joined by a
	// comma) for hours, YYYY-MM-DD for a date, digits for a number. Empty when nothing could be normalised.
	Norm     string    `json:"norm,omitempty"`
	Location *Location `json:"location,omitempty"`
	// Review asks an officer to read the words: they were kept but not understood.
	Review bool `json:"review,omitempty"`
	// Skipped means that the person passed over the question.
	Skipped bool `json:"skipped,omitempty"`
	// From is the Input.ID that gave the answer, so that an edit of that message corrects this answer.
	From string    `json:"from,omitempty"`
	At   time.Time `json:"at"`
	// By is empty for the citizen and the officer's account name for an answer entered at the desk.
	By string `json:"by,omitempty"`
}

// Value returns the single value of the answer, or "" when it has none.
func (a Answer) Value() Value {
	if len(a.Values) == 0 {
		return ""
	}
	return a.Values[0]
}

// Has reports whether v is among the answer's values.
func (a Answer) Has(v Value) bool {
	for _, x := range a.Values {
		if x == v {
			return true
		}
	}
	return false
}

// Shown is the last prompt as the person saw it: a typed "3" is read against it.
type Shown struct {
	Step    StepID    `json:"step"`
	Choices []Value   `json:"choices,omitempty"` // in the order of their numbers
	At      time.Time `json:"at"`
	// Misses counts inputs in a row that did not answer it: the second one is kept and the flow goes on.
	Misses int `json:"misses,omitempty"`
	// Picked are the values toggled so far in a multi-select.
	Picked []Value `json:"picked,omitempty"`
	// Buttons says that the prompt had tappable buttons.
	Buttons bool `json:"buttons,omitempty"`
}

// Heard is something that was said before there was a case to keep it on.
type Heard struct {
	Input Input `json:"input"`
}

// State is all that is remembered of one contact's conversation. There is no stored position: Next asks the
// first gap. The zero State is a person never heard of.
type State struct {
	Flow int `json:"flow"` // version of the conversation that wrote it
	// Scope marks the buttons of this conversation; a new one is drawn for every case.
	Scope string `json:"scope,omitempty"`
	Lang  string `json:"lang,omitempty"`
	// Case is the code of the case being filled; empty before there is one.
	Case string `json:"case,omitempty"`
	// Older are the codes of this contact's earlier cases, newest last. Nothing of them is ever echoed.
	Older   []string          `json:"older,omitempty"`
	Answers map[StepID]Answer `json:"answers,omitempty"`
	Shown   *Shown            `json:"shown,omitempty"`
	// Ask is a question out of order (a confirmation, a correction by UBAH); empty asks the first gap.
	Ask StepID `json:"ask,omitempty"`
	// Paused is true after BERHENTI until LANJUT: no question is asked.
	Paused bool `json:"paused,omitempty"`
	// Optional is true once the person chose to go on with the questions after the confirmation.
	Optional bool `json:"optional,omitempty"`
	// Heard is kept by Next while there is no case: what was said so far, the last input included.
	Heard   []Heard   `json:"heard,omitempty"`
	FirstAt time.Time `json:"first_at,omitzero"`
	LastAt  time.Time `json:"last_at,omitzero"`
	// Memo holds small facts of a step between two messages (a place offered for confirmation, wrong codes tried).
	Memo map[string]string `json:"memo,omitempty"`
}

// CaseView is what the conversation may know of the case it is filling: officers change it meanwhile.
type CaseView struct {
	Code string
	// Safety is the level in force, never lowered without an officer: safe, watched, danger or "" (unknown).
	Safety Value
	Stage  string
	Closed bool
	// Read is true once an officer has seen the case: another mission is then asked before the case changes hands.
	Read bool
	// Muted is true while nothing unprompted may be sent (BERHENTI).
	Muted    bool
	CodeWord string // normalised (Answer.Norm of code_word); empty when none was set
	// JoinCode is what members of the group that this case leads send after GABUNG; empty when it leads none.
	JoinCode string
	// Withdrawn is when an earlier permission to contact the person ended last: answers from before it do not hold.
	Withdrawn time.Time
	// Reporter says that the report is about somebody else who has not agreed that the reporter is told of them: only
	// that it was received may be said.
	Reporter bool
	// Rescue are the items of the rescue packet that an officer asked for at RescueAt and that are still open; empty
	// for everybody else.
	Rescue   []StepID
	RescueAt time.Time
}

// Env is everything that Next may know beside state and input.
type Env struct {
	// NewCode is an unused case code and NewScope a fresh scope: chance comes in from outside.
	NewCode  string
	NewScope string
	// Waiting is the number of cases on the mission's queue.
	Waiting int
	// Case is the case that State.Case names; nil when there is none.
	Case *CaseView
	Can  Can
	// Group is what is known of the group whose code was sent with GABUNG. Nil means that nobody has looked: Next then
	// returns JoinGroup, and the caller who can look it up does so and calls Next again with the answer.
	Group *GroupView
	// MaySend says, for a turn that a timer begins, whether a message that nobody asked for would leave now; SendAt is
	// when it will, when that is known.
	MaySend bool
	SendAt  time.Time
}

// TimerRescue is the contact's timer that the desk sets when an officer starts the rescue packet: the first item is
// asked as soon as a message may leave.
const TimerRescue = "rescue"

// GroupView is the answer to whether there is a group.
type GroupView struct {
	Code  string
	Known bool
}

// Can says what a channel is able to do.
type Can struct {
	Buttons    bool // inline buttons below a message
	AskPlace   bool // a button that sends the current location
	AskContact bool // a button that sends the person's own number
	Delete     bool // deleting messages on both sides
}

// Choice is one numbered line of a prompt. Number is what the person may type ("1", "0").
type Choice struct {
	Number string
	Value  Value
	Label  Text
	Picked bool // toggled on in a multi-select
}

// Reply is one message to the person. Parts are rendered in order and joined by a blank line; the numbered lines
// of the choices follow.
type Reply struct {
	Parts []Text
	// Step and Choices make the message a prompt; Scope goes into its buttons.
	Step    StepID
	Scope   string
	Choices []Choice
	// Bare suppresses the numbered lines: the text itself names the numbers (silent mode). Buttons then show the
	// number alone.
	Bare bool
	// AskPlace and AskContact ask for the channel's own button, where it has one.
	AskPlace, AskContact bool
	// Protect asks the channel to hinder forwarding and saving.
	Protect bool
	// Safety marks what must overtake everything else (the answer to danger).
	Safety bool
	// Lang is the language to render in.
	Lang string
}

// Turn is the outcome of one input: the state to store, what to say and what to do. The caller stores all of it
// at once and only then acknowledges the input.
type Turn struct {
	State   State
	Replies []Reply
	Effects []Effect
	// Quiet says, in one word for tests and traces, why there is no reply: "paused", "live", "blocked", "timer", ….
	// Empty when there is one.
	Quiet string
}

// Effect is one of a closed set of things that follow from an input.
type Effect interface{ effect() }

type (
	// OpenCase creates the case that State.Case names and queues its callback. It stands first in Turn.Effects. Heard
	// is what was said before this input and goes to the timeline; the input itself is appended by the caller, as
	// always.
	OpenCase struct {
		Code  string
		Heard []Heard
	}
	// Record puts an answer on the case. Locations are appended to a history, never overwritten.
	Record struct {
		Step   StepID
		Answer Answer
	}
	// Signal puts a fact on the case that was read from words rather than asked, such as "self_harm",
	// "medical_emergency", "duress", "ransom_asked", "safety_lowered", "officer_wanted", "erasure_requested",
	// "impostor_check", "nationality_other". Words are the person's own.
	Signal struct {
		Name  string
		Words string
	}
	// Mute (true: BERHENTI; false: LANJUT) holds back or releases everything unprompted.
	Mute struct{ On bool }
	// Wake sets the contact's timer of that name; a zero At removes it.
	Wake struct {
		Timer string
		At    time.Time
	}
	// DeleteChat removes the messages of this chat as far as the channel is able to.
	DeleteChat struct{}
	// JoinGroup links the case to the group with this join code.
	JoinGroup struct{ Code string }
	// CheckOfficer asks whether this is the code of an officer on duty; the answer comes with a later message.
	CheckOfficer struct{ Code string }
)

func (OpenCase) effect()     {}
func (Record) effect()       {}
func (Signal) effect()       {}
func (Mute) effect()         {}
func (Wake) effect()         {}
func (DeleteChat) effect()   {}
func (JoinGroup) effect()    {}
func (CheckOfficer) effect() {}
