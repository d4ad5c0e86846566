package casework

// Refused is the error of an act that the rules do not allow. Why is a catalogue key below "refused.", or the
// MayCall reason below "call." when Call is true.
type Refused struct {
	Why  string
	Call bool
}

func (e *Refused) Error() string { return "refused: " + e.Why }

// Key is the catalogue key that tells staff the reason.
func (e *Refused) Key() string {
	if e.Call {
		return "call." + e.Why
	}
	return "refused." + e.Why
}

// What Refused.Why may be beside the reasons of MayCall.
const (
	RefusedClosed       = "closed"
	RefusedNotClosed    = "not_closed"
	RefusedNoReason     = "no_reason"
	RefusedUnknownValue = "unknown_value"
	RefusedNoAttempt    = "no_attempt"
	RefusedEnded        = "attempt_ended"
	RefusedOpenAttempt  = "outcome_first"
	RefusedNoTime       = "no_time"       // this outcome needs the time of the next attempt
	RefusedTimePast     = "time_past"     // the next attempt would lie in the past
	RefusedTimeUnsafe   = "time_unsafe"   // outside the stated hours
	RefusedNotAgreed    = "not_agreed"    // a message left needs the permission to call
	RefusedStageOrder   = "stage_order"   // this stage may not follow the present one
	RefusedStageDetail  = "stage_detail"  // the stage's detail is not one of the list
	RefusedStageClosing = "stage_closing" // closed is reached by closing with a reason
	RefusedNoRescue     = "no_rescue"     // nothing says that the person is held, threatened or in danger
	RefusedSameCase     = "same_case"     // a case cannot be linked with itself, nor with another line's
	RefusedLinked       = "linked"        // one of the two is part of another link already
	RefusedNotLinked    = "not_linked"    // these two are not one
	RefusedNoConsent    = "no_consent"    // how the person agreed has to be written down
	RefusedOffered      = "offered"       // another mission has still to answer
	RefusedNotOffered   = "not_offered"   // the offer was taken back, or answered already
)

// RefusedWhys lists every Refused.Why that is not MayCall's, for the catalogue's test.
var RefusedWhys = []string{
	RefusedSameCase, RefusedLinked, RefusedNotLinked,
	RefusedClosed, RefusedNotClosed, RefusedNoReason, RefusedUnknownValue, RefusedNoAttempt, RefusedEnded,
	RefusedOpenAttempt, RefusedNoTime, RefusedTimePast, RefusedTimeUnsafe, RefusedNotAgreed, RefusedStageOrder,
	RefusedStageDetail, RefusedStageClosing, RefusedNoRescue, RefusedNoConsent,
	RefusedOffered, RefusedNotOffered,
}

// The ways to reach a person.
const (
	ViaPhone    = "phone"
	ViaChat     = "chat"
	ViaInPerson = "in_person"
)

// The outcomes of an attempt.
const (
	ReachedOK          Outcome = "reached_ok"
	ReachedCutOff      Outcome = "reached_cut_off"
	ReachedWantsText   Outcome = "reached_wants_text"
	Rescheduled        Outcome = "rescheduled"
	NoAnswer           Outcome = "no_answer"
	Unreachable        Outcome = "unreachable"
	WrongNumber        Outcome = "wrong_number"
	WrongPerson        Outcome = "wrong_person"
	DeclinedHelp       Outcome = "declined_help"
	CameInPerson       Outcome = "came_in_person"
	MessageLeft        Outcome = "message_left_neutral"
	UnsafeDoNotContact Outcome = "unsafe_do_not_contact"
	IsDuplicate        Outcome = "duplicate"
	NotWNI             Outcome = "not_wni"
	SuspectedImpostor  Outcome = "suspected_impostor"
	InDanger           Outcome = "danger" // one click: P1, the supervisor is told, nothing automatic is sent
)

// OutcomeRule is what follows from an outcome.
type OutcomeRule struct {
	// Spoken means that somebody spoke to the person: the class follows the facts again, the row of unanswered rings
	// ends, and the stage becomes contacted.
	Spoken bool
	// Settles means that nobody waits for a human until the next message or the agreed time. A P1 comes back to the
	// queue after an hour all the same.
	Settles bool
	// Again means that a further attempt is scheduled, or the case becomes dormant when they are exhausted.
	Again bool
	// Withdraws ends the permission to call.
	Withdraws bool
	// NeedsNext refuses the outcome without the time of the next attempt; Promise makes that time a promise.
	NeedsNext, Promise bool
	// Signals are set on the case; Suggest is a reason for closing that is offered.
	Signals []string
	Suggest string
}

// Outcomes is the table of all outcomes.
var Outcomes = map[Outcome]OutcomeRule{
	ReachedOK:          {Spoken: true, Settles: true, Promise: true},
	ReachedCutOff:      {Again: true},
	ReachedWantsText:   {Spoken: true, Promise: true},
	Rescheduled:        {Spoken: true, NeedsNext: true, Promise: true},
	NoAnswer:           {Again: true},
	Unreachable:        {Again: true},
	WrongNumber:        {Signals: []string{SignalWrongNumber}},
	WrongPerson:        {Withdraws: true, Signals: []string{SignalWrongPerson, SignalReview}},
	DeclinedHelp:       {Spoken: true, Settles: true, Signals: []string{SignalDeclined}, Suggest: "withdrawn"},
	CameInPerson:       {Spoken: true, Settles: true},
	MessageLeft:        {Again: true},
	UnsafeDoNotContact: {Withdraws: true},
	IsDuplicate:        {Settles: true, Suggest: "duplicate"},
	NotWNI:             {Settles: true, Suggest: "not_wni"},
	SuspectedImpostor:  {Withdraws: true, Signals: []string{SignalImpostor, SignalReview}},
	InDanger:           {Withdraws: true, Signals: []string{SignalReview}},
}

// OutcomeOrder lists the outcomes as a form shows them, the frequent and the urgent first.
var OutcomeOrder = []Outcome{
	ReachedOK, ReachedCutOff, ReachedWantsText, Rescheduled, NoAnswer, Unreachable, InDanger, WrongPerson, WrongNumber,
	UnsafeDoNotContact, MessageLeft, CameInPerson, DeclinedHelp, IsDuplicate, NotWNI, SuspectedImpostor,
}
