// Package bot is the hotline's own side of a chat: what a contact, a message and an outgoing row are, how one
// message becomes a committed turn (Hotline.Handle), and how rows leave again (Relay). It knows no messenger and
// no database; adapters and the store satisfy its small interfaces.
package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

// Contact is a person's address on one account of one channel. Address is opaque to everybody but the channel.
type Contact struct {
	Channel string // telegram, whatsapp, webchat
	Account string // which of the line's accounts, e.g. the bot's id
	Address string
}

// ContactOf is where a case's contact is written to.
func ContactOf(c casework.Contact) Contact {
	return Contact{Channel: c.Channel, Account: c.Account, Address: c.Address}
}

// LogValue keeps the address out of every log.
func (c Contact) LogValue() slog.Value { return slog.StringValue(c.Channel) }

// String keeps the address out of every error text.
func (c Contact) String() string { return c.Channel + ":…" }

// GoString keeps the address out of %#v.
func (c Contact) GoString() string { return c.String() }

// Tag tells the contacts of one case apart, in its sealed timeline. It is not to be stored in clear: a phone number can
// be found out from it by trying.
func (c Contact) Tag() string {
	sum := sha256.Sum256([]byte(c.Channel + "\x00" + c.Account + "\x00" + c.Address))
	return hex.EncodeToString(sum[:6])
}

// Message is one update of a messenger, converted by its adapter.
type Message struct {
	// UpdateID is what dedupe goes by: unique within the contact's channel account, also for edits and taps.
	UpdateID string
	// Number is the messenger's running number of the update, by which a missing one shows; 0 where it has none.
	Number int64
	Line   string
	From   Contact
	Input  flows.Input
	Can    flows.Can
}

// Lane orders what leaves: a lower lane first.
type Lane int

// The lanes, most urgent first.
const (
	LaneSafety Lane = iota
	LaneOfficer
	LaneBot
	LaneStatus
	LaneBroadcast
	Lanes = int(LaneBroadcast) + 1
)

// RowState is how far an outgoing row has come.
type RowState string

// The states of a row.
const (
	RowQueued    RowState = "queued"
	RowHeld      RowState = "held" // MaySend said no for now; leaves with the person's next message or in the window
	RowSending   RowState = "sending"
	RowSent      RowState = "sent"
	RowDelivered RowState = "delivered"
	RowRead      RowState = "read"
	RowFailed    RowState = "failed"    // dead letter
	RowUnknown   RowState = "unknown"   // the send's outcome was never learnt
	RowWithdrawn RowState = "withdrawn" // of a broadcast that was stopped: never leaves
)

// WhyDamaged is the Why of a dead letter whose stored form cannot be read any more: nothing of it can be sent.
const WhyDamaged = "damaged"

// Button is one tappable choice below a message. Data is at most 64 bytes and ends in STEP:VALUE.
type Button struct {
	Label string `json:"label"`
	Data  string `json:"data"`
}

// Outgoing is what a channel is asked to send.
type Outgoing struct {
	Text    string   `json:"text"`
	Buttons []Button `json:"buttons,omitempty"`
	// AskPlace and AskContact are the labels of the channel's own buttons; empty for none.
	AskPlace   string `json:"ask_place,omitempty"`
	AskContact string `json:"ask_contact,omitempty"`
	Protect    bool   `json:"protect,omitempty"`
	// Delete asks the channel to delete the messages of this chat that it still can, before sending Text (which
	// may then be empty).
	Delete bool `json:"delete,omitempty"`
	// DeleteIDs are the provider's message ids to delete, filled in by the relay.
	DeleteIDs []string `json:"delete_ids,omitempty"`
}

// Row is one line of the outbox.
type Row struct {
	ID       string
	Line     string
	To       Contact
	CaseID   string // empty before there is a case
	Lane     Lane
	Kind     string // reply, officer, nudge, stage, safety, again, broadcast
	Out      Outgoing
	State    RowState
	Attempts int
	// NotBefore is the earliest time to send; zero is now.
	NotBefore time.Time
	CreatedAt time.Time
	By        string // the officer's account name, empty for the bot
	// Force is a supervisor's reason for sending against the gate.
	Force string
	// Why says, as a catalogue key, why the row is held or failed.
	Why string
	// ProviderID is the messenger's id of the sent message.
	ProviderID string
	// Lease is the store's mark on a row that it handed out for sending. Finish wants it back as it was.
	Lease string
}

// Entry is one line of a case's timeline.
type Entry struct {
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // in, out, note, event
	// Input is what the person did (kind in).
	Input *flows.Input `json:"input,omitempty"`
	// Text is the sent text, the note or the event's catalogue key with Args.
	Text string     `json:"text,omitempty"`
	Args flows.Args `json:"args,omitempty"`
	By   string     `json:"by,omitempty"`
	// Row is the outbox row of a sent text: its state is shown beside it.
	Row     string `json:"row,omitempty"`
	Channel string `json:"channel,omitempty"`
	// Contact is the Tag of the contact that an in or out entry came from or went to; "" in entries of before there were
	// tags.
	Contact string `json:"contact,omitempty"`
	// Clear marks an out entry that took the earlier messages off the person's screen.
	Clear bool `json:"clear,omitempty"`
	// Update is the UpdateID of an in entry.
	Update string `json:"update,omitempty"`
}

// Audit is one line of the audit log. It never holds a citizen's words, name or number.
type Audit struct {
	At      time.Time `json:"at"`
	Who     string    `json:"who"`
	Role    string    `json:"role,omitempty"`
	Session string    `json:"session,omitempty"` // hash
	What    string    `json:"what"`              // open, reveal, claim, call, outcome, reply, …
	Code    string    `json:"code,omitempty"`    // the case's code
	Field   string    `json:"field,omitempty"`
	Purpose string    `json:"purpose,omitempty"`
	Result  string    `json:"result,omitempty"`
	// Mission is whose log the row stands in as well; empty for the one whose desk did it.
	Mission string `json:"-"`
}

// Timer is a row of the timer set. It survives a restart and is taken with a lease.
type Timer struct {
	Line string
	// Name is the timer's kind: contact timers (set by flows.Wake) and case timers ("lift", "escalate1", "escalate5",
	// "escalate10", "later", "lease").
	Name string
	// CaseID names the case of a case timer; Contact the contact of a contact timer.
	CaseID  string
	Contact Contact
	At      time.Time // zero removes the timer
}

// Snapshot is what Load finds for one contact.
type Snapshot struct {
	// Seen is true when UpdateID was committed before: acknowledge and do nothing.
	Seen    bool
	Version int64 // of the conversation, 0 when there is none
	State   flows.State
	Case    *casework.Case // the case that State.Case names; nil when there is none
	CaseVer int64
	Waiting int // cases on the queue of the case's mission (of the line's own before there is a case)
}

// Change is everything that one decision changes; it is committed whole or not at all.
type Change struct {
	Line string
	// Request makes the change happen once: a citizen's update id, a form's idempotency key, a timer's id. A
	// repeat returns the first result.
	Request string
	// Number is that of the message that led to this (see Message).
	Number int64

	// Who, State and Version are the conversation's; Who is nil for a change made at the desk.
	Who     *Contact
	State   *flows.State
	Version int64

	// Case is written when not nil; CaseVer 0 creates it (ErrCodeTaken when the code is in use).
	Case    *casework.Case
	CaseVer int64

	Entries []Entry // appended to Case's timeline
	Rows    []Row
	Timers  []Timer
	Audit   []Audit
	// Claim, when not empty, is the officer who must hold the case's lease for the change to be allowed.
	Claim string
	// Release gives the lease back; with Next zero the case returns to the queue unless closed or later.
	Release bool
	// Take, when not empty, is the officer who gets the case's lease with the change, for ClaimLease. Together with Claim
	// it is one officer's handing over to another. A case that changes its mission loses the lease of the former one.
	Take string
	// Wrote marks the contact's message as a person's own act: held rows may leave again.
	Wrote bool
}

// CaseLink makes one of two cases of the same person, or parts them again. It is committed whole or not at all.
type CaseLink struct {
	Line    string
	Request string // makes it happen once
	// Main goes on for both; Other goes on in it, or is itself again with Part.
	Main, Other       *casework.Case
	MainVer, OtherVer int64
	Part              bool
	// Contacts are Other's: conversations of theirs that fill Other fill Main from now on, and with Part the other way
	// round. What they wrote and were sent meanwhile moves to Other's timeline with Part.
	Contacts                  []Contact
	MainEntries, OtherEntries []Entry
	Timers                    []Timer
	Audit                     []Audit
	// Claim is the officer who must hold Main's lease. Other may be held by nobody else; its lease ends.
	Claim string
}

// Committed is what a commit gives back.
type Committed struct {
	// Repeat is true when Request had been committed before; nothing was changed now.
	Repeat bool
	// Mine are the new rows whose contact was idle: they are leased to the caller, which sends them at once.
	Mine []Row
}

// Leased are the rows that a commit of c handed over, with what MaySend needs to know; lastIn is when the person behind
// a contact last wrote.
func (d Committed) Leased(c Change, lastIn func(Contact) time.Time) []Leased {
	out := make([]Leased, len(d.Mine))
	for i, r := range d.Mine {
		out[i] = Leased{Row: r, Case: c.Case, LastIn: lastIn(r.To)}
		if c.Case != nil && r.CaseID == c.Case.ID {
			out[i].CaseVer = c.CaseVer + 1
		}
	}
	return out
}

// Store keeps conversations and cases. Errors are sorted by what the caller does next: ErrConflict and
// ErrCodeTaken mean load again and decide again; any other error means that nothing may be acknowledged.
type Store interface {
	Load(ctx context.Context, line string, who Contact, updateID string) (Snapshot, error)
	Commit(ctx context.Context, c Change) (Committed, error)
	// LoadCase reads a case by its internal id for a timer.
	LoadCase(ctx context.Context, line, id string) (*casework.Case, int64, error)
	// TakeTimers leases up to n timers that are due.
	TakeTimers(ctx context.Context, line string, now time.Time, n int, lease time.Duration) ([]Timer, error)
	// SetAside keeps an update that could not be understood or handled, where staff see it.
	SetAside(ctx context.Context, line string, s Aside) error
}

// Aside is an update that was put aside. Raw is sealed at rest.
type Aside struct {
	ID      string
	At      time.Time
	Channel string
	Contact Contact // zero when even that could not be read
	Why     string  // in words, without content
	Raw     []byte
	Lost    *Lost `json:"lost,omitempty"` // set when this tells of a loss and not of an update
}

// Lost is what a messenger or an officer was told is stored, and the store does not have (any more): a replaced primary
// took it along, or an older copy was put back.
type Lost struct {
	// Count is how many messages or changes. From and To are when the first and the last of them was acknowledged; zero
	// when only their numbers are known.
	Count    int
	From, To time.Time
	// Cases are the codes of the cases in which they were, as far as they are known.
	Cases []string `json:",omitempty"`
	// Updates are the messenger's numbers of the messages, single ones and ranges such as 17-20.
	Updates []string `json:",omitempty"`
}

// Leased is a row taken for sending, with what MaySend needs to know at this moment.
type Leased struct {
	Row     Row
	Case    *casework.Case // nil when the row belongs to no case
	CaseVer int64          // the version of Case, 0 without one
	LastIn  time.Time      // the person's last message on this contact
}

// Sent is what became of a leased row.
type Sent struct {
	Row Row // with State, Attempts, NotBefore, Why and ProviderID as they are now
	// CaseVer and LastIn are what a held row was judged by, as Leased gave them. When the case was changed or the person
	// has written since, the row is not held but asked about again: the gate may have been opened meanwhile.
	CaseVer int64
	LastIn  time.Time
	// Freeze, when not zero, holds back all rows of the account until then (429 of the whole account).
	Freeze time.Time
	// Blocked marks the contact as unreachable on the case.
	Blocked bool
	// Named is true when the row's case is known to name the contact: the store need not look.
	Named bool

	began time.Time // when the send that succeeded began
}

// Outbox is what the relay needs of the store.
type Outbox interface {
	// Take leases at most n contacts of the account whose first waiting row is due and whose most urgent waiting row
	// is in a lane up to upTo, most urgent lane first, and returns the first row of each. Rows of one contact never
	// overlap.
	Take(ctx context.Context, line, account string, now time.Time, n int, upTo Lane, lease time.Duration) ([]Leased, error)
	// Finish stores the results, frees the contacts, and returns those contacts' next due rows, leased again for
	// lease (0: none are taken, the process is about to stop).
	Finish(ctx context.Context, line string, now time.Time, done []Sent, lease time.Duration) ([]Leased, error)
	// Receipt moves a row that was sent to delivered or read.
	Receipt(ctx context.Context, line string, who Contact, providerID string, state RowState, at time.Time) error
	// Handles returns the provider's ids of this contact's messages of the last 48 h, both ways, for DeleteChat.
	Handles(ctx context.Context, line string, who Contact) ([]string, error)
}

// Channel sends to one account of a messenger.
type Channel interface {
	// Name is the channel's name, Account the id of the account.
	Name() string
	Account() string
	// Send sends one row and returns the messenger's id of the message. Its errors are *SendError.
	Send(ctx context.Context, r Row) (providerID string, err error)
}

// SendError says what the caller does next.
type SendError struct {
	// Do is what comes next.
	Do SendNext
	// After is the wait before a retry; Account widens it to all rows of the account.
	After   time.Duration
	Account bool
	// Why is a catalogue key below "send." that tells staff the reason.
	Why string
	Err error
}

// SendNext is what to do after a send that failed.
type SendNext int

// What to do next.
const (
	SendRetry   SendNext = iota // try again after After
	SendGone                    // the person cannot be reached on this contact any more
	SendBad                     // this row can never be sent
	SendUnknown                 // it may have been sent; try again where the messenger recognises a repeat
)

func (e *SendError) Error() string { return fmt.Sprintf("send: %s: %v", e.Why, e.Err) }

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// Errors of Store, sorted by what the caller does next.
var (
	ErrConflict  = errors.New("changed meanwhile: load again")
	ErrCodeTaken = errors.New("case code taken: draw again")
	ErrNotFound  = errors.New("not found")
	ErrClaimed   = errors.New("claimed by another officer")
	ErrLease     = errors.New("the lease is not held any more")
	ErrRefused   = errors.New("refused")
	ErrHeld      = errors.New("the case is under a legal hold")
	ErrLinked    = errors.New("the case goes on in another one")
	// ErrPanic is a turn that panicked: after a few tries the adapter puts the update aside.
	ErrPanic = errors.New("panic while handling a message")
)
