package casework

import (
	"time"

	"pulang/flows"
)

// Message is what MaySend needs to know of an outgoing row.
type Message struct {
	// Kind is reply, officer, nudge, stage, safety, again or broadcast. An unknown kind is one that nobody asked for.
	Kind      string
	CreatedAt time.Time
	// Force is a supervisor's reason for sending against the gate; empty for none.
	Force string
}

// The kinds of outgoing rows.
const (
	KindReply     = "reply"     // the bot's answer to what the person just did
	KindOfficer   = "officer"   // an officer's words
	KindNudge     = "nudge"     // a reminder or check-in that nobody asked for
	KindStage     = "stage"     // news of a stage reached
	KindSafety    = "safety"    // the answer to danger
	KindAgain     = "again"     // the last question, asked again after an outage
	KindBroadcast = "broadcast" // the same words to many; only to people who are safe
)

// The reasons for which a row is held: catalogue keys below "hold.".
const (
	HoldMuted       = "muted"        // BERHENTI: leaves after LANJUT
	HoldNotSafe     = "not_safe"     // only for people who said that they are safe
	HoldWindow      = "window"       // leaves when the stated hours open
	HoldNextMessage = "next_message" // leaves with the person's next message
	HoldNoConsent   = "no_consent"   // news of a person of age goes to a reporter only with that person's consent
)

// HoldWhys lists every SendVerdict.Why, for the catalogue's test.
var HoldWhys = []string{HoldMuted, HoldNotSafe, HoldWindow, HoldNextMessage, HoldNoConsent}

// PromptedFor is how long a person's message asks for an answer: whoever just wrote is holding the phone.
const PromptedFor = 15 * time.Minute

// SendVerdict is what MaySend says.
type SendVerdict struct {
	OK bool
	// Why is the reason for holding the row, a catalogue key below "hold."; empty when OK.
	Why string
	// NotBefore is when to ask again: the next opening of the stated hours. Zero means that only the person's next
	// message, LANJUT or an officer can release the row.
	NotBefore time.Time
}

// MaySend decides at the moment of sending whether a row may leave. c is nil for a row that belongs to no case, of
// whose reader nothing is known; lastIn is the person's last message on that contact, zero for never.
func MaySend(m Message, c *Case, lastIn, now time.Time, r Rules) SendVerdict {
	if m.Force != "" {
		return SendVerdict{OK: true}
	}
	prompted := Prompted(lastIn, now)
	if c == nil {
		if prompted {
			return SendVerdict{OK: true}
		}
		return SendVerdict{Why: HoldNextMessage}
	}
	if c.Muted {
		return sendMuted(m, c, lastIn, prompted)
	}
	switch m.Kind {
	case KindNudge, KindStage, KindBroadcast:
		if c.Safety != flows.Safe {
			return SendVerdict{Why: HoldNotSafe}
		}
		if m.Kind == KindStage && Reporter(c) {
			return SendVerdict{Why: HoldNoConsent}
		}
	case KindAgain:
		if c.Safety != flows.Safe && !prompted {
			return SendVerdict{Why: HoldNextMessage}
		}
	}
	if prompted || c.Safety == flows.Safe && c.Permission != flows.WaitForMe {
		return SendVerdict{OK: true}
	}
	if _, open := OpenSpan(c.Windows, r.zone(), now); open {
		return SendVerdict{OK: true}
	}
	if next, ok := NextSpan(c.Windows, r.zone(), now); ok {
		return SendVerdict{Why: HoldWindow, NotBefore: next.From}
	}
	return SendVerdict{Why: HoldNextMessage}
}

// Prompted reports whether the person wrote so recently that an answer is expected. A messenger's clock that runs
// ahead of ours by as much is forgiven.
func Prompted(lastIn, now time.Time) bool {
	d := now.Sub(lastIn)
	return !lastIn.IsZero() && d <= PromptedFor && d >= -PromptedFor
}

// sendMuted: after BERHENTI only the answer to what was written at that moment or since leaves. The word BERHENTI
// itself asks for its own acknowledgement, not for an officer's message or for rows that had been waiting.
func sendMuted(m Message, c *Case, lastIn time.Time, prompted bool) SendVerdict {
	since := !m.CreatedAt.Before(c.MutedAt)
	switch m.Kind {
	case KindReply, KindSafety:
		if prompted && since {
			return SendVerdict{OK: true}
		}
	case KindOfficer:
		if prompted && since && lastIn.After(c.MutedAt) {
			return SendVerdict{OK: true}
		}
	}
	return SendVerdict{Why: HoldMuted}
}
