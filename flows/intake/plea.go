package intake

import (
	"pulang/flows"
	"pulang/flows/lexicon"
)

// A cry and a complaint answer no question, and are none that was not understood either: who writes "tolong saya" or asks
// why nobody has rung for ten days hears what those who wait need, and the open question.
var (
	cryWords  = lexicon.Plain("cry")
	waitWords = lexicon.Plain("wait")
	deskWords = lexicon.Plain("desk")
	newsWords = lexicon.Plain("news")
	doorWords = lexicon.Plain("door")
	doorAsks  = lexicon.Plain("door_ask")
)

// cries reports whether the message calls for help, complains whether it says that nothing happens.
func (t *turn) cries() bool     { return t.has(cryWords) }
func (t *turn) complains() bool { return t.has(waitWords) && t.has(deskWords) || t.asksAfter() }

// asksAfter reports whether somebody who reported another person asks how that person is.
func (t *turn) asksAfter() bool {
	return t.value(flows.StepWhoFor) == otherPerson && t.has(askWords) && t.has(newsWords)
}

// door answers who asks where the mission is or when it is open: what the mission file says of it. It is false when nothing
// of that was asked, nothing is known, or a guard may see the answer.
func (t *turn) door() bool {
	if t.silent() || t.f.cfg.Address == "" || !t.has(doorWords) || !t.has(doorAsks) {
		return false
	}
	t.say("door.address")
	if t.f.cfg.Hours != "" {
		t.say("door.hours")
	}
	t.known = true
	return true
}

// waits answers a complaint as STATUS does, where the stage may be told without more; else that the words have come in.
func (t *turn) waits() {
	switch {
	case t.mode() != flows.Safe:
	case t.s.Case != "" && t.told(flows.StepConfirm) && (t.env.Case == nil || t.env.Case.CodeWord == ""):
		t.stage()
	default:
		t.say("plea")
	}
}
