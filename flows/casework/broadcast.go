package casework

import (
	"slices"
	"time"

	"pulang/flows"
)

// Unstated stands in an Audience for an answer that a case does not have.
const Unstated = "none"

// Audience says for which open cases a broadcast is. Values of one list are alternatives; an empty list asks for
// nothing.
type Audience struct {
	Classes   []Class       `json:"classes,omitempty"`
	Stages    []Stage       `json:"stages,omitempty"`
	Passports []flows.Value `json:"passports,omitempty"`
	Kinds     []flows.Value `json:"kinds,omitempty"`     // of the place where the person is
	Provinces []string      `json:"provinces,omitempty"` // in which the person was last
}

// Has reports whether the broadcast is for the case: one that is open and that each list names.
func (a Audience) Has(c *Case, now time.Time) bool {
	return !c.Closed() && among(a.Classes, Effective(c, now)) && among(a.Stages, c.Stage) &&
		among(a.Passports, stated(c, flows.StepPassportStatus)) && among(a.Kinds, stated(c, flows.StepPlaceKind)) &&
		among(a.Provinces, LastProvince(c))
}

func among[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

func stated(c *Case, s flows.StepID) flows.Value {
	if v := c.Answers[s].Value(); v != "" {
		return v
	}
	return Unstated
}

// LastProvince is that of the newest place that has one; Unstated for none.
func LastProvince(c *Case) string {
	for i := len(c.Locations) - 1; i >= 0; i-- {
		if p := c.Locations[i].Province; p != "" {
			return p
		}
	}
	return Unstated
}

// Why a person gets no broadcast: catalogue keys below "desk.broadcast.not.", beside HoldNotSafe and HoldMuted.
const (
	NoBroadcastContact = "no_contact" // has no chat, or blocked us on all of them
	NoBroadcastChannel = "channel"    // only on a channel that takes no broadcasts
)

// NoBroadcastWhys lists the reasons in the order of a page.
var NoBroadcastWhys = []string{HoldNotSafe, HoldMuted, NoBroadcastContact, NoBroadcastChannel}

// Broadcast says on which of the case's contacts a broadcast goes to the person: the one on which the person wrote
// last, of those that take one. off names the channels that take none. why is "" when it may go, and v then tells
// whether it would leave at once. Whoever is not safe, or said BERHENTI, gets none, not even one that is held back:
// there must be nothing that a later mistake could send.
func Broadcast(c *Case, off []string, now time.Time, r Rules) (at int, v SendVerdict, why string) {
	switch {
	case c.Safety != flows.Safe:
		return -1, v, HoldNotSafe
	case c.Muted:
		return -1, v, HoldMuted
	}
	at, why = -1, NoBroadcastContact
	for i, k := range c.Contacts {
		switch {
		case k.Blocked || k.Channel == "":
		case slices.Contains(off, k.Channel):
			if at < 0 {
				why = NoBroadcastChannel
			}
		case at < 0 || k.LastIn.After(c.Contacts[at].LastIn):
			at, why = i, ""
		}
	}
	if at < 0 {
		return at, v, why
	}
	return at, MaySend(Message{Kind: KindBroadcast, CreatedAt: now}, c, c.Contacts[at].LastIn, now, r), ""
}
