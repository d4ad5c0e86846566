package casework

import (
	"reflect"
	"slices"
	"time"

	"pulang/flows"
)

// One person may have reported twice, on two messengers. An officer who is sure of it makes one of the two cases: the
// contacts of both then lead to the first, and what holds for either holds for it, where they differ the stricter of
// the two. The second case stays as it was, closed, so that they can be parted again.

// Linked is a case that was made one with this one.
type Linked struct {
	ID       string    `json:"id"`
	Code     string    `json:"code"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Contacts []Contact `json:"contacts,omitempty"` // that came with it
	// What was taken over, to be given back when the cases are parted: answers that this case had not, places, signals
	// by name, attempts by id.
	Answers  []flows.StepID `json:"answers,omitempty"`
	Places   int            `json:"places,omitempty"`
	Signals  []string       `json:"signals,omitempty"`
	Attempts []string       `json:"attempts,omitempty"`
	// Leads and Group are the join codes that were taken over.
	Leads string `json:"leads,omitempty"`
	Group string `json:"group,omitempty"`
	// What was in force once they were one: what became stricter since may have been said on either contact.
	Safety     flows.Value `json:"safety,omitempty"`
	Permission flows.Value `json:"permission,omitempty"`
	Windows    []Window    `json:"windows,omitempty"`
	Muted      bool        `json:"muted,omitempty"`
	Reported   bool        `json:"reported,omitempty"`
}

// Into says that the case was made one with another, which goes on for both.
type Into struct {
	ID   string    `json:"id"`
	Code string    `json:"code"`
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	// Was is the case as it was.
	Was *Case `json:"was"`
}

// CloseLinked is how a case is closed that goes on in another. It is no choice of an officer's.
const CloseLinked = "linked"

// ownAnswers are not taken over: what they stand for is decided by the stricter of both, or asked again.
var ownAnswers = []flows.StepID{flows.StepSafetyNow, flows.StepContactPref, flows.StepSafeTime, flows.StepSafeTimePart, flows.StepCallbackNumber, flows.StepNumberCountry}

// Link makes one of two cases of the same person: other goes on in c. The more dangerous safety counts; a permission
// that only one of them gave is not a permission; what was muted stays muted. Rescore of c has to follow.
func Link(c, other *Case, by string, now time.Time) ([]Event, error) {
	switch {
	case c.ID == other.ID || c.Line != other.Line:
		return nil, &Refused{Why: RefusedSameCase}
	case c.Into != nil, other.Into != nil, len(other.Linked) > 0:
		return nil, &Refused{Why: RefusedLinked}
	case c.Closed():
		return nil, &Refused{Why: RefusedClosed}
	case other.Offer != nil: // another mission still decides whose it is
		return nil, &Refused{Why: RefusedOffered}
	case c.openAttempt() != nil, other.openAttempt() != nil:
		return nil, &Refused{Why: RefusedOpenAttempt}
	}
	was := *other
	l := Linked{ID: other.ID, Code: other.Code, At: now, By: by}
	for _, k := range other.Contacts {
		if !slices.ContainsFunc(c.Contacts, k.same) {
			l.Contacts = append(l.Contacts, k)
		}
	}
	c.Contacts = slices.Concat(c.Contacts, l.Contacts)
	c.takeFacts(other, &l)
	c.stricter(other, now)
	l.Safety, l.Permission, l.Windows, l.Muted, l.Reported = c.Safety, c.Permission, slices.Clone(c.Windows), c.Muted, c.Reported
	rested := !c.SettledAt.IsZero() || !c.LaterUntil.IsZero()
	if !other.Closed() {
		c.takeWait(other, now)
	}
	if other.LastIn.After(c.LastIn) {
		c.LastIn = other.LastIn
	}
	events := []Event{{ID: EventLinked, Args: map[string]any{"Code": other.Code}}}
	if rested && c.SettledAt.IsZero() && c.LaterUntil.IsZero() {
		events = append(events, Event{ID: EventBack})
	}
	c.Linked = append(slices.Clone(c.Linked), l)
	if c.Hold == nil { // nothing of either goes while it stands
		c.Hold = copied(other.Hold)
	}

	other.Hold = nil // it stands on c now, and is lifted there
	other.Into = &Into{ID: c.ID, Code: c.Code, At: now, By: by, Was: &was}
	other.ClosedAs, other.ClosedAt, other.SeenIn = CloseLinked, now, other.LastIn
	other.LaterUntil, other.SettledAt, other.PromisedAt, other.DormantAt, other.CheckInAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	other.P1Since, other.P1Told, other.LiftAt = time.Time{}, 0, nil
	if l.Leads != "" {
		other.Leads = "" // c leads it now; the list of the group has the person once
	}
	if l.Group != "" {
		other.Group = ""
	}
	return events, nil
}

// takeWait: whoever waits for a human on either case waits on c, from the earlier time on and until the earlier one. What
// was promised on either is promised.
func (c *Case) takeWait(other *Case, now time.Time) {
	if b := base(other); b.Above(base(c)) {
		// An officer's class counts as well as a computed one, which Peak carries.
		o := copied(c.Override)
		if x := other.Override; x != nil && x.Ended.IsZero() {
			o = copied(x)
			o.Seen = slices.Clone(x.Seen)
		} else if o != nil && o.Ended.IsZero() {
			o.Ended = now
		}
		c.Override = o
	}
	if c.Permission != "" || c.WithdrawnAt.IsZero() {
		c.PromisedAt = earlier(c.PromisedAt, other.PromisedAt)
	}
	switch {
	case !other.SettledAt.IsZero():
		return
	case !c.SettledAt.IsZero():
		c.SettledAt, c.DormantAt, c.CheckInAt, c.SeenIn = time.Time{}, time.Time{}, time.Time{}, c.LastIn
		c.WaitSince, c.DueAt, c.DueFor, c.Lifted, c.LaterUntil = other.WaitSince, other.DueAt, other.DueFor, other.Lifted, other.LaterUntil
		return
	}
	c.WaitSince, c.DueAt = earlier(c.WaitSince, other.WaitSince), earlier(c.DueAt, other.DueAt)
	if other.LaterUntil.IsZero() {
		c.LaterUntil = time.Time{}
	} else if !c.LaterUntil.IsZero() {
		c.LaterUntil = earlier(c.LaterUntil, other.LaterUntil)
	}
}

// earlier is the first of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (k Contact) same(x Contact) bool {
	return k.Channel == x.Channel && k.Account == x.Account && k.Address == x.Address
}

// takeFacts fills what c does not know from the other case.
func (c *Case) takeFacts(other *Case, l *Linked) {
	answers := map[flows.StepID]flows.Answer{}
	for s, a := range c.Answers {
		answers[s] = a
	}
	for s, a := range other.Answers {
		if _, known := answers[s]; !known && !slices.Contains(ownAnswers, s) {
			answers[s] = a
			l.Answers = append(l.Answers, s)
		}
	}
	slices.Sort(l.Answers)
	c.Answers = answers
	if len(c.Locations) == 0 {
		c.Locations, l.Places = slices.Clone(other.Locations), len(other.Locations)
	}
	signals := map[string]Signal{}
	for name, s := range c.Signals {
		signals[name] = s
	}
	for name, s := range other.Signals {
		if _, known := signals[name]; !known {
			signals[name] = s
			l.Signals = append(l.Signals, name)
		}
	}
	slices.Sort(l.Signals)
	c.Signals = signals
	// The code that members of the group were told has to lead to the case that goes on.
	if c.Leads == "" {
		c.Leads, l.Leads = other.Leads, other.Leads
	}
	if c.Group == "" {
		c.Group, l.Group = other.Group, other.Group
	}
	// The rings of both count: it is one person's phone that rang.
	c.Attempts = slices.Clone(c.Attempts)
	for _, a := range other.Attempts {
		a.Note = ""
		c.Attempts = append(c.Attempts, a)
		l.Attempts = append(l.Attempts, a.ID)
	}
	slices.SortStableFunc(c.Attempts, func(a, b Attempt) int { return a.At.Compare(b.At) })
}

// stricter puts in force what is stricter of the two cases.
func (c *Case) stricter(other *Case, now time.Time) {
	if safetyRank(other.Safety) > safetyRank(c.Safety) || c.Safety == "" && other.Safety != "" {
		c.setSafety(other.Safety, now)
	}
	if other.Muted && !c.Muted {
		c.Muted, c.MutedAt = true, now
	}
	if Reporter(other) {
		c.Reported = true // whoever wrote on the other contact is told no more than before
	}
	if other.Peak.Above(c.Peak) {
		c.Peak = other.Peak
	}
	calls := c.Permission == flows.CallAnytime || c.Permission == flows.CallWindow
	if calls && other.Permission == "" && other.WithdrawnAt.After(c.PermissionAt) {
		c.withdraw(now)
	}
	have, want := permissionRank(c.Permission), permissionRank(other.Permission)
	if want > 0 && want < have || have == 0 && (other.Permission == flows.WaitForMe || other.Permission == flows.TextOnly) {
		c.Permission, c.PermissionAt = other.Permission, other.PermissionAt
	}
	// Hours that only one of them named are not hours that are safe on both.
	careful := c.Safety != flows.Safe || c.Permission == flows.WaitForMe
	if (careful || len(other.Windows) > 0) && !slices.Equal(c.Windows, other.Windows) {
		if c.Permission == flows.CallAnytime && len(c.Windows) > 0 {
			c.withdraw(now) // without its hours it would allow more
		}
		c.Windows = nil
	}
}

// permissionRank orders the answers to contact_pref by what they allow.
func permissionRank(v flows.Value) int {
	switch v {
	case flows.WaitForMe:
		return 1
	case flows.TextOnly:
		return 2
	case flows.CallWindow:
		return 3
	case flows.CallAnytime:
		return 4
	}
	return 0
}

// Part takes a linked case out again: other is as it was, its contacts lead to it, and what c took from it is gone
// unless it was changed since. What the link made stricter stays so until an officer establishes it anew. Rescore of
// both has to follow.
func Part(c, other *Case, now time.Time) ([]Event, error) {
	i := slices.IndexFunc(c.Linked, func(l Linked) bool { return l.ID == other.ID })
	if i < 0 || other.Into == nil || other.Into.ID != c.ID || other.Into.Was == nil {
		return nil, &Refused{Why: RefusedNotLinked}
	}
	if c.openAttempt() != nil {
		return nil, &Refused{Why: RefusedOpenAttempt}
	}
	l, was := c.Linked[i], other.Into.Was
	lastIn := was.LastIn
	c.Contacts = slices.DeleteFunc(slices.Clone(c.Contacts), func(k Contact) bool {
		gone := slices.ContainsFunc(l.Contacts, k.same)
		if gone {
			for j := range was.Contacts {
				if was.Contacts[j].same(k) {
					was.Contacts[j] = k // when the person last wrote there, and whether they blocked us
				}
			}
			if k.LastIn.After(lastIn) {
				lastIn = k.LastIn
			}
		}
		return gone
	})
	for _, s := range l.Answers {
		if reflect.DeepEqual(c.Answers[s], was.Answers[s]) {
			delete(c.Answers, s)
		}
	}
	if n := l.Places; n > 0 && len(c.Locations) >= n && reflect.DeepEqual(c.Locations[:n], was.Locations) {
		c.Locations = slices.Clone(c.Locations[n:])
	}
	for _, name := range l.Signals {
		if c.Signals[name] == was.Signals[name] {
			delete(c.Signals, name)
		}
	}
	c.Attempts = slices.DeleteFunc(slices.Clone(c.Attempts), func(a Attempt) bool { return slices.Contains(l.Attempts, a.ID) })
	c.Linked = slices.Delete(slices.Clone(c.Linked), i, i+1)
	if len(c.Linked) == 0 {
		c.Linked = nil
	}

	*other = *was
	other.LastIn = lastIn
	if c.Leads == l.Leads {
		c.Leads = ""
	}
	if c.Group == l.Group {
		c.Group = ""
	}
	other.sinceLinked(c, l, now)
	return []Event{{ID: EventParted, Args: map[string]any{"Code": other.Code}}}, nil
}

// sinceLinked puts in force on a case that was parted from main what became stricter while they were one: it may have been
// said on either contact.
func (c *Case) sinceLinked(main *Case, l Linked, now time.Time) {
	if safetyRank(main.Safety) > safetyRank(l.Safety) {
		c.setSafety(main.Safety, now)
	}
	if main.Muted && !l.Muted && !c.Muted {
		c.Muted, c.MutedAt = true, main.MutedAt
	}
	if main.Reported && !l.Reported {
		c.Reported = true
	}
	if main.Permission != l.Permission {
		switch v := main.Permission; v {
		case "":
			c.withdraw(now)
		case flows.WaitForMe, flows.TextOnly:
			if have := permissionRank(c.Permission); have == 0 || permissionRank(v) < have {
				c.Permission, c.PermissionAt = v, main.PermissionAt
			}
		}
	}
	calls := c.Permission == flows.CallAnytime || c.Permission == flows.CallWindow
	if calls && !slices.Equal(main.Windows, l.Windows) && !slices.Equal(main.Windows, c.Windows) {
		c.withdraw(now) // other hours were named, perhaps by this person
	}
	if h := main.Hold; h != nil && c.Hold == nil && !h.At.Before(l.At) {
		c.Hold = copied(h) // it was put on both
	}
}
