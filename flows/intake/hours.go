package intake

import (
	"slices"
	"strings"
	"time"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// safeTimePart asks what hours mean that may be those of the morning or of the evening, and whether very long ones are
// meant. They are never guessed: a phone that rings when it is not safe can cost a life. Until it is answered nobody
// rings. The values are the hours themselves, so that an old button cannot choose others than it shows.
var safeTimePart = question{
	id: flows.StepSafeTimePart, silent: true, cond: "contact_pref=call_window, the hours may be morning or evening", forget: memoHours,
	due: func(t *turn) bool {
		a := t.answer(flows.StepSafeTime)
		return t.memo(memoHours) != "" && a.Review && a.Norm == "" && t.told(flows.StepSafeTime) &&
			t.answered(flows.StepContactPref) && t.value(flows.StepContactPref) == flows.CallWindow
	},
	dynamic: func(t *turn) []flows.Value { return append(t.hoursOffered(), flows.No) },
	label: func(t *turn, v flows.Value) flows.Text {
		if v == flows.No {
			return t.text("choice.safe_time_part.no")
		}
		return t.text("choice.safe_time_part."+partOf(string(v)), "Span", string(v))
	},
	text: func(t *turn) []flows.Text {
		offered := t.hoursOffered()
		id, args := flows.TextID("ask.safe_time_part"), []any(nil)
		if len(offered) == 1 {
			id += ".one"
		}
		if t.silent() { // the labels of the choices are not shown there
			id += ".silent"
			for i, v := range offered[:min(len(offered), 2)] {
				args = append(args, string(rune('A'+i)), string(v))
			}
		}
		return []flows.Text{t.text(id, args...)}
	},
	read: func(t *turn, _ string) (flows.Answer, bool) {
		if a, ok := hours(&t.r); ok {
			return a, a.Norm != "" || offer(&t.r) != t.memo(memoHours) // the same again says nothing new
		}
		offered := t.hoursOffered()
		switch {
		case t.r.YesNo == flows.Yes && len(offered) == 1:
			return one(offered[0])
		case t.r.YesNo == flows.No:
			return one(flows.No)
		case len(t.r.Chosen) == 1 && slices.Contains(offered, t.r.Chosen[0]): // "nomor 2"
			return one(t.r.Chosen[0])
		}
		return flows.Answer{}, false
	},
	keep: func(t *turn, a flows.Answer) {
		v := a.Value()
		switch {
		case v == "": // said anew
			keepHours(t, a)
		case v == flows.No:
			t.note(memoHours, "")
			t.content, t.known = true, true
			t.s.Ask = flows.StepSafeTime
		case slices.Contains(t.hoursOffered(), v):
			t.note(memoHours, "")
			said := t.answer(flows.StepSafeTime)
			t.record(flows.StepSafeTime, flows.Answer{Text: said.Text, From: said.From, Norm: strings.ReplaceAll(string(v), ".", ":")})
		}
	},
}

// hours is the answer that a reading gives to "what hours are safe?". One without Norm has to be asked about.
func hours(r *lexicon.Reading) (flows.Answer, bool) {
	switch {
	case len(r.SafeTime) > 0:
		return flows.Answer{Norm: spans(r.SafeTime)}, true
	case r.SafeFrom != "":
		return flows.Answer{Norm: spans([][2]string{{r.SafeFrom}})}, true
	case len(r.SafeOr) > 0:
		return flows.Answer{Review: true}, true
	}
	return flows.Answer{}, false
}

// keepHours records hours, and remembers what is to be asked about them.
func keepHours(t *turn, a flows.Answer) {
	offered := ""
	if a.Norm == "" {
		offered = offer(&t.r)
	}
	t.note(memoHours, offered)
	t.record(flows.StepSafeTime, a)
	if q := t.byID(flows.StepSafeTimePart); q.due(t) && t.mayAsk(q) {
		t.s.Ask = q.id // at once, while the person has it in mind
	}
}

// newHours reports whether hours told in passing are news. They replace those that are known, unless they are asked
// back: the latest word counts.
func (t *turn) newHours(a flows.Answer) bool {
	switch {
	case !t.told(flows.StepSafeTime):
		return true
	case t.unread(flows.StepSafeTime):
		return a.Norm != "" || offer(&t.r) != t.memo(memoHours)
	}
	return a.Norm != t.answer(flows.StepSafeTime).Norm && !t.asking()
}

// saidHours takes hours told in passing, and reads them back where they replace others or the end is ours.
func (t *turn) saidHours(a flows.Answer) {
	if !t.newHours(a) {
		return
	}
	replaces := t.told(flows.StepSafeTime)
	t.accept(t.byID(flows.StepSafeTime), a)
	if a.Norm != "" && (replaces || len(t.r.SafeTime) == 0) && t.mode() == flows.Safe { // elsewhere it would tell a guard when
		t.say("hours.noted", "Hours", a.Norm)
	}
}

// offer is what hours may mean, as the memo keeps it: "01.00-02.00 13.00-14.00".
func offer(r *lexicon.Reading) string {
	return strings.NewReplacer(":", ".", ",", " ").Replace(spans(r.SafeOr))
}

// hoursOffered are the readings that are offered, as values.
func (t *turn) hoursOffered() []flows.Value {
	var vs []flows.Value
	for w := range strings.FieldsSeq(t.memo(memoHours)) {
		vs = append(vs, flows.Value(w))
	}
	return vs
}

// partOf names the part of the day in which hours begin, as the choices call it.
func partOf(hours string) flows.TextID {
	switch {
	case hours < "04":
		return "night"
	case hours < "11":
		return "morning"
	case hours < "15":
		return "day"
	case hours < "18.30":
		return "afternoon"
	}
	return "night"
}

// spans joins hours as Answer.Norm has them. Hours of which only the beginning was said end after half an hour, as the
// question announces: the shorter reading counts.
func spans(w [][2]string) string {
	parts := make([]string, len(w))
	for i, s := range w {
		if s[1] == "" {
			s[1] = halfAnHourLater(s[0])
		}
		parts[i] = s[0] + "-" + s[1]
	}
	return strings.Join(parts, ",")
}

func halfAnHourLater(from string) string {
	at, err := time.Parse("15:04", from)
	if err != nil {
		return from
	}
	return at.Add(30 * time.Minute).Format("15:04")
}
