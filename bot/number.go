package bot

import (
	"strings"
	"time"
)

// ChannelState is how one channel account of a line is doing, as a process that runs it tells the others.
type ChannelState struct {
	Line    string `json:"line"`
	Channel string `json:"channel"`
	Account string `json:"account"`
	// Process names the process that says so; Leads is true where it is the one that sends and receives.
	Process string `json:"process"`
	Leads   bool   `json:"leads,omitempty"`
	// State is up, down, standby or what else the channel knows; Why says more. Both are parts of catalogue keys, below
	// "desk.channels.state." and "desk.channels.why.".
	State string `json:"state"`
	Why   string `json:"why,omitempty"`
	// Since is when the state began; Until is the end of a ban or a restriction, zero otherwise.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// LastIn and LastOut are the last stored message and the last sent one; zero is "not yet".
	LastIn  time.Time `json:"last_in,omitzero"`
	LastOut time.Time `json:"last_out,omitzero"`
	// Number is the line's own number, digits, where the channel has one; Version the protocol's.
	Number  string `json:"number,omitempty"`
	Version string `json:"version,omitempty"`
	// At is when this was said.
	At time.Time `json:"at"`
}

// ChannelSilent is how long after its last word a process is taken for gone.
const ChannelSilent = 30 * time.Second

// What can be asked of the process that has a line's number.
const (
	NumberLink   = "link"   // link by a QR code
	NumberCode   = "code"   // link by a code that is typed on the phone
	NumberUnlink = "unlink" // take the program off the phone
	NumberDrop   = "drop"   // forget the device here, although the messenger cannot be told
)

// NumberAsk is what an admin asks at the desk of the process that has the lease of a line's number, which may be
// another one than serves the desk. Only the newest is in force.
type NumberAsk struct {
	ID    string    `json:"id"`
	Do    string    `json:"do"`
	Phone string    `json:"phone,omitempty"` // for NumberCode: international, digits
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// The steps of a NumberAsk.
const (
	NumberWorking = "working" // taken up
	NumberShowQR  = "qr"      // QR is to be scanned
	NumberType    = "type"    // Code is to be typed on the phone
	NumberDone    = "done"
	NumberFailed  = "failed" // Why is part of a catalogue key below "desk.channels.failed."
)

// NumberShow is how far a NumberAsk has come. A QR or a code links whoever takes it: it lives for as long as Until.
type NumberShow struct {
	Ask    string    `json:"ask"` // its ID
	Step   string    `json:"step"`
	QR     string    `json:"qr,omitempty"`
	Code   string    `json:"code,omitempty"`
	Number string    `json:"number,omitempty"`
	Why    string    `json:"why,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// KeepsPeople reports whether a channel keeps the people who wrote to it in a store of its own, which an erasure has to
// reach: WhatsApp's encryption needs to remember whom it speaks with.
func KeepsPeople(channel string) bool { return channel == "whatsapp" }

// NumberDigits is a number as a person writes it without the plus, spaces and dashes; empty where there is no digit.
func NumberDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
