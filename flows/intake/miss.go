package intake

import "pulang/flows"

// miss answers what could not be understood: the first time the question comes again, the second time the words are
// kept for an officer and the conversation goes on.
func (t *turn) miss() {
	q := t.current()
	switch {
	case t.s.Paused || t.closed() && t.s.Ask == "":
		t.aside()
	case q == nil && t.first && t.s.Case == "": // an empty first message says as much as a greeting
		t.greet()
	case q == nil || t.danger() && q.id == flows.StepLocation, t.away:
		t.known = true
		if t.complains() {
			t.waits()
		}
		t.goOn()
	case !t.mayAsk(q): // shown before the person was watched or in danger: the words are kept, the question is over
		t.keep(q)
		t.goOn()
	case t.rescueGap() != "" && !q.rescue && q.part != aside: // an officer waits for something more urgent
		t.known = true
		t.goOn()
	case t.memo(memoAgain) != "":
		t.note(memoAgain, "")
		t.say(t.againNote())
		t.show(q)
	case t.s.Shown.Misses == 0:
		t.s.Shown.Misses = 1
		switch {
		case t.complains():
			t.waits()
			t.show(q)
			return
		case t.cries():
			if t.mode() == flows.Safe {
				t.say("plea")
			}
			t.show(q)
			return
		case t.silent() && !q.open:
			t.say("miss.silent")
			t.show(q)
			return
		case q.open:
			if !t.silent() {
				t.say("miss.open")
			}
			t.show(q)
			return
		}
		t.parts = append(t.parts, t.missText(q))
		t.offer(q)
	default:
		t.keep(q)
		t.goOn()
	}
}

// missText names the numbers that may be typed.
func (t *turn) missText(q *question) flows.Text {
	choices := q.choices(t)
	var ns []string
	zero := false
	for i := range choices {
		switch n := q.number(choices, i); n {
		case "":
		case "0":
			zero = true
		default:
			ns = append(ns, n)
		}
	}
	switch {
	case len(ns) == 0:
		return t.text("miss.open")
	case len(ns) == 1:
		return t.text("miss.one", "A", ns[0])
	case zero:
		return t.text("miss.zero", "A", ns[0], "B", ns[len(ns)-1])
	case len(ns) == 2:
		return t.text("miss.two", "A", ns[0], "B", ns[1])
	case len(ns) == 3:
		return t.text("miss.three", "A", ns[0], "B", ns[1], "C", ns[2])
	}
	return t.text("miss.many", "A", ns[0], "B", ns[len(ns)-1])
}

// keep stores words that were not understood and lets the conversation go on. What was understood earlier stays.
func (t *turn) keep(q *question) {
	t.content = true
	if q.part == aside {
		t.cancel(q)
	} else {
		a, had := t.s.Answers[q.id]
		if !had || a.Skipped || q.id == flows.StepSafeTime || q.id == flows.StepContactPref && mayRing(t) { // what was not understood may have been a no to calls, or to the old hours
			a = flows.Answer{}
		}
		a.Text, a.Review, a.At, a.From = t.in.Text, true, t.in.At, ""
		t.record(q.id, a)
		t.done(q)
		t.missed(q)
		if q.forget != "" { // what the question waited for
			t.note(q.forget, "")
		}
	}
	switch {
	case t.silent():
		t.say("silent.ok")
	case !t.danger(): // who is in danger hears that it came in, and nothing else
		t.say("kept")
	}
}

// cancel leaves a question that a command had asked.
func (t *turn) cancel(q *question) {
	t.done(q)
	t.note(memoDelete, "")
	t.known = true
	if q.id == flows.StepSameMatter { // no clear answer: better two reports in one than a lost one
		t.reopen()
		t.note(memoSame, "1")
	}
}
