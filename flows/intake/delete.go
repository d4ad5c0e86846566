package intake

import "pulang/flows"

const (
	delChat   flows.Value = "chat"
	delData   flows.Value = "data"
	delSure   flows.Value = "sure"
	delReally flows.Value = "really"
)

// deleteQuestions: HAPUS deletes the chat where the channel can, or asks for erasure of the data, confirmed twice. Each
// confirmation has a value of its own, so that one finger tapping twice confirms once.
var deleteQuestions = []question{{
	id: flows.StepDelete, part: aside, forget: memoDelete,
	dynamic: func(t *turn) []flows.Value {
		switch t.memo(memoDelete) {
		case string(delData):
			return []flows.Value{delSure, flows.None}
		case string(delSure):
			return []flows.Value{delReally, flows.None}
		}
		if t.env.Can.Delete {
			return []flows.Value{delChat, delData, flows.None}
		}
		return []flows.Value{delData, flows.None}
	},
	text: func(t *turn) []flows.Text {
		switch t.memo(memoDelete) {
		case string(delData):
			return []flows.Text{t.text("ask.delete.sure")}
		case string(delSure):
			return []flows.Text{t.text("ask.delete.really")}
		}
		if t.env.Can.Delete {
			return []flows.Text{t.text("ask.delete")}
		}
		return []flows.Text{t.text("delete.how"), t.text("ask.delete")}
	},
	pick: func(t *turn, v flows.Value) {
		t.s.Ask, t.s.Shown = "", nil
		t.note(memoDelete, "")
		switch v {
		case delChat:
			t.deleteChat()
		case delData, delSure:
			t.note(memoDelete, string(v))
			t.s.Ask = flows.StepDelete
		case delReally:
			t.signal("erasure_requested", t.in.Text)
			t.say("delete.requested")
		}
	},
}}

// erase is HAPUS. From a person who is watched or in danger it only clears the chat: no questions, no traces. So it
// does before there is a case, when nobody knows who looks at the phone; the case that it opens can be erased by HAPUS
// again.
func (t *turn) erase() bool {
	if t.silent() || t.danger() {
		t.s.Shown = nil
		t.deleteChat()
		return true
	}
	t.note(memoDelete, "")
	if t.s.Case == "" {
		t.content = true
		t.deleteChat()
		return true
	}
	return t.out(flows.StepDelete, true)
}

// deleteChat removes the messages where that is possible, and says honestly where it is not.
func (t *turn) deleteChat() {
	if t.env.Can.Delete {
		t.effects = append(t.effects, flows.DeleteChat{})
	}
	switch {
	case (t.silent() || t.danger()) && t.env.Can.Delete:
		t.say("delete.silent")
	case t.silent() || t.danger():
		t.say("delete.silent.how") // nothing is revoked there: that leaves a trace
	case t.env.Can.Delete:
		t.say("delete.chat")
	default:
		t.say("delete.how")
	}
}
