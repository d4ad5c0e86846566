package lexicon

import (
	"strings"

	"pulang/flows"
)

// language tells Indonesian from English by their little words, and reads a request for a language.
func (s *reader) language() {
	for _, h := range s.hits {
		if s.topics[s.topicOf[h.section]] == "lang" && (!s.denied(h) || s.c.Step == flows.StepLanguage) {
			v := string(s.valueOf[h.section])
			if s.c.Step == flows.StepLanguage || s.says("cmd", "language") {
				s.r.Language = v
			}
		}
	}
	if s.r.Language != "" {
		return
	}
	en, id := 0, 0
	for _, t := range s.all {
		switch {
		case s.lists["english"].has(t.id) || s.common["en:"+t.raw]:
			en++
		case t.id != 0 && t.num < 0 && !t.fuzzy:
			id++
		}
	}
	raw := 0
	for f := range strings.FieldsSeq(s.text) {
		if englishWords[strings.ToLower(strings.Trim(f, ".,!?'\""))] {
			raw++
		}
	}
	n := len(s.all)
	if raw >= 2 && raw*3 >= n || raw >= 3 && raw*4 >= n {
		s.r.Language = "en"
	}
}

// englishWords are little words that no Indonesian message has many of.
var englishWords = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`i im i'm my me you your he she we they them us our his her its is are was were am be been the a an this that these those there
		and or but not don't dont didn't doesn't can't cant cannot can could will would please to of from in at for with have has had
		want need get got keep take took taken what where when how who why do does did let go out now still since ago only very sir hello help
		lost passport boss company people here by on no yes know it if about because every tomorrow yesterday sorry wrong number thanks thank yes hi say says said must everybody give so one just some any then next much more after before again back today already yet never always
		been being into over take taking work working told tell run ran escape escaped beat someone nobody talk real `) {
		m[w] = true
	}
	for _, w := range []string{"passport", "boss", "company", "no", "help", "hello", "in", "do", "go", "am", "an", "at", "a", "i", "me", "or", "on"} {
		delete(m, w) // written in Indonesian messages too
	}
	for _, w := range []string{"i", "me", "at", "in", "a", "am", "help", "sir"} {
		m[w] = true
	}
	return m
}()

// yesNo reads agreement, refusal and not knowing: the answer to a question that takes them, or a message that is
// nothing else. Doubt outweighs both, and refusal outweighs agreement.
func (s *reader) yesNo() {
	question := yesNoSteps[s.c.Step]
	if !question && len(s.toks) > 4 {
		return
	}
	yes, no, unknown := false, false, false
	covered := make([]bool, len(s.toks))
	for _, h := range s.hits {
		if s.topics[s.topicOf[h.section]] != "yn" {
			continue
		}
		for i := h.start; i < h.end; i++ {
			covered[i] = true
		}
		switch s.valueOf[h.section] {
		case "yes":
			if h.start > 0 && s.toks[h.start].gap == space && s.on.Negator.has(s.toks[h.start-1].id) {
				no = true
			} else {
				yes = true
			}
		case "no":
			no = true
		case "unknown":
			unknown = true
		}
	}
	if !question {
		for i, c := range covered {
			if !c && !s.on.Plain.has(s.toks[i].id) {
				return
			}
		}
	}
	if question && !yes && !no && !unknown && len(s.toks) == 1 && s.asks && s.toks[0].id == 0 {
		unknown = true
	}
	switch {
	case unknown:
		s.r.YesNo = flows.Unknown
	case no && yes && !s.toks[0].quoted && len(s.toks) > 0 && s.startsWith("yes") && !s.startsWith("no"):
		s.r.YesNo = flows.Unknown
		if s.on.Negator.has(s.toks[len(s.toks)-1].id) || !question {
			s.r.YesNo = flows.No
		}
		if len(s.toks) <= 3 && s.toks[0].gap == space { // ya bukan
			s.r.YesNo = flows.No
		}
	case no:
		s.r.YesNo = flows.No
	case yes:
		s.r.YesNo = flows.Yes
	}
	if len(s.toks) == 0 && strings.TrimSpace(s.text) == "?" {
		s.r.YesNo = flows.Unknown
	}
}

func (s *reader) startsWith(v string) bool {
	for _, h := range s.hits {
		if h.start == 0 && s.sections[h.section] == "yn."+v {
			return true
		}
	}
	return false
}

var yesNoSteps = map[flows.StepID]bool{flows.StepConfirmYesNo: true, flows.StepPlaceConfirm: true, flows.StepSubjectSafe: true, flows.StepRansomAsked: true,
	flows.StepGroupConsent: true, flows.StepGroupSamePlace: true, flows.StepTrustedAdult: true, flows.StepSameMatter: true, flows.StepDelete: true, flows.StepNew: true,
	flows.StepConfirm: true, flows.StepConsentShare: true}

// commands reads commands, with typos. A command is a message of its own or an unmistakable request; a plight told
// in a sentence is none.
func (s *reader) commands() {
	type found struct {
		v string
		h hit
	}
	var best *found
	rank := map[string]int{"danger": 9, "safe_now": 8, "join": 8, "check_officer": 8, "delete": 7, "stop": 6, "edit": 6, "language": 6, "new": 5, "status": 5, "officer": 4, "back": 3, "resume": 3, "skip": 3, "menu": 2}
	for _, h := range s.hits {
		if s.topics[s.topicOf[h.section]] != "cmd" {
			continue
		}
		v := string(s.valueOf[h.section])
		if s.denied(h) || v == "not" {
			continue
		}
		if v == "officer" && s.hasNeed("female_officer") {
			continue
		}
		if v == "safe_now" && (level[s.r.SafetyNow] > 1 || s.c.Step == flows.StepSafetyNow || s.hasNeed("detained")) {
			continue
		}
		if best == nil || rank[v] > rank[best.v] {
			best = &found{v, h}
		}
	}
	if best == nil && s.panic() {
		s.r.Command = "danger"
	}
	if best != nil && best.v == "resume" && s.c.Step != "" && strings.HasPrefix(strings.ToLower(s.text), "next") {
		best.v = "skip"
	}
	if best != nil {
		s.r.Command = best.v
		s.r.CommandArg = s.argument(best.v, best.h)
	}
	if s.r.Command == "danger" {
		s.r.SafetyNow = flows.Danger
	}
	s.greeting()
}

// panic reads a bare cry for help: "tolong!!", "toloooong", "tolong tolong".
func (s *reader) panic() bool {
	if len(s.toks) != 1 || s.names[s.toks[0].id] != "tolong" {
		return false
	}
	return s.exclaims >= 2 || s.long || s.toks[0].end-s.toks[0].start > len("tolong")+2
}

// argument is what follows a command that takes a code or a language.
func (s *reader) argument(v string, h hit) string {
	switch v {
	case "language":
		return s.r.Language
	case "join", "status", "check_officer":
		var code []string
		fields := strings.Fields(s.text[s.toks[h.start].start:])
		for i, f := range fields {
			f = strings.ToUpper(strings.Trim(f, ".,:;!?()\"'"))
			part := f != "" && strings.Trim(f, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == "" &&
				(strings.ContainsAny(f, "0123456789") || len(f) == 4 && f == strings.Trim(fields[i], ".,:;!?()\"'"))
			if !part {
				if len(code) > 0 {
					break
				}
				continue
			}
			if code = append(code, f); len(strings.ReplaceAll(strings.Join(code, ""), "-", "")) >= 8 {
				break
			}
		}
		if !strings.ContainsAny(strings.Join(code, ""), "0123456789") && len(code) < 2 {
			return ""
		}
		return strings.Join(code, " ")
	}
	return ""
}

// greeting marks a message that is nothing but a greeting.
func (s *reader) greeting() {
	if s.r.Command != "" {
		return
	}
	for _, t := range s.toks {
		if !s.on.Greet.has(t.id) {
			return
		}
	}
	s.r.Greeting = len(s.all) > 0
}
