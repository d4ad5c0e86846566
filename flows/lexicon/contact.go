package lexicon

import (
	"regexp"

	"pulang/flows"
)

// dontCall is read in the letters: to the lists "don't call" and "nobody calls" are the same words.
var dontCall = regexp.MustCompile(`(?i)\b(?:don[’']?t|do not|never|no) (?:phone )?calls?\b`)

// contact reads how an officer may reach the person. What forbids a call outweighs what allows one.
func (s *reader) contact() {
	got := map[flows.Value]bool{}
	if dontCall.MatchString(s.text) {
		got[flows.TextOnly] = true
	}
	for _, h := range s.hits {
		switch s.topics[s.topicOf[h.section]] {
		case "contact", "@contact_pref":
			v := s.valueOf[h.section]
			if s.denied(h) {
				if s.notNow(h) {
					got[flows.CallWindow] = true
					continue
				}
				if (v == flows.CallAnytime || v == flows.CallWindow && s.holds(h, "telepon")) && (s.c.Step == flows.StepContactPref || s.forbidden(h)) { // not: jangan siang; kok tidak ditelepon
					got[flows.TextOnly] = true
				}
				continue
			}
			if v == flows.TextOnly && s.c.Step != flows.StepContactPref && s.holds(h, "chat") && s.theirs(h) {
				continue // dia minta tolong lewat wa: the way in which somebody else wrote
			}
			if s.on.Condition.has(s.wordBefore(h)) && v != flows.TextOnly {
				continue // kalau mau nelpon
			}
			if (v == flows.CallAnytime || v == flows.CallWindow) && (s.c.Step != flows.StepContactPref && s.otherCall(h) || s.rings(h)) {
				continue
			}
			if p, _ := s.partAt(h.end); v == flows.TextOnly && p != anyPart && s.holds(h, "telepon") && s.says("clock", "safe") {
				v = flows.CallWindow // jangan telepon siang, saya bebas jam 10 malam
			}
			got[v] = true
		}
	}
	for _, v := range []flows.Value{flows.WaitForMe, flows.TextOnly, flows.CallWindow, flows.CallAnytime} {
		if got[v] {
			s.r.Contact = v
			return
		}
	}
}

// notNow says whether a phrase is denied for the moment only: "telepon boleh, tapi jangan sekarang".
func (s *reader) notNow(h hit) bool {
	return h.end+1 < len(s.toks) && s.names[s.toks[h.end].id] == "jangan" && s.on.Now.has(s.toks[h.end+1].id)
}

// forbidden says whether it is "jangan" that stands before a phrase, and not a complaint that nobody rang.
func (s *reader) forbidden(h hit) bool {
	for _, t := range s.before(h.start, 4) {
		if s.names[t.id] == "jangan" || s.names[t.id] == "tidak_usah" {
			return true
		}
	}
	return false
}

// holds says whether a word stands in a phrase.
func (s *reader) holds(h hit, name string) bool {
	for i := h.start; i < h.end; i++ {
		if s.names[s.toks[i].id] == name {
			return true
		}
	}
	return false
}

// otherCall says whether a phrase about calling gives no leave to ring the writer: somebody else is to be rung ("tolong
// telepon ibu saya"), somebody rang ("tadi petugas telepon saya"), or it is a question.
func (s *reader) otherCall(h hit) bool {
	if s.asks {
		return true
	}
	other := func(t token) bool {
		return s.kind[t.id]&personNoun != 0 || s.on.Employer.has(t.id) || s.on.Authority.has(t.id) || s.on.Callee.has(t.id)
	}
	for i := h.start; i < len(s.toks) && i < h.end+2; i++ {
		if i > h.start && s.toks[i].gap != space {
			break
		}
		if other(s.toks[i]) {
			return true
		}
	}
	for i, t := range s.before(h.start, 4) {
		if other(t) || s.on.Past.has(t.id) || i == 0 && s.on.Called.has(t.id) {
			return true
		}
	}
	return false
}

// rings says whether somebody else is to be rung: "telepon istri saya saja".
func (s *reader) rings(h hit) bool {
	return h.end < len(s.toks) && s.toks[h.end].gap == space && s.holds(h, "telepon") && s.on.Relative.has(s.toks[h.end].id)
}

func (s *reader) wordBefore(h hit) word {
	for i := h.start - 1; i >= 0 && h.start-i <= 2; i-- {
		if s.on.Condition.has(s.toks[i].id) {
			return s.toks[i].id
		}
	}
	return 0
}
