package intake

import (
	"strings"
	"testing"

	"pulang/flows"
)

// An officer learns by telephone that somebody is watched, or in danger, while a long question stands in the chat. It
// still takes its answer, but nothing the person does makes it come again: not words that fit nothing, not an old
// button, not a browser that is loaded anew.
func TestLongQuestionIsNotRepeatedOnceAnOfficerRaised(t *testing.T) {
	f := New(testConfig(plain{}))
	for _, level := range []flows.Value{flows.Watched, flows.Danger} {
		for _, step := range []flows.StepID{flows.StepWhoFor, flows.StepPassportCopy, flows.StepCountry, flows.StepFullName} {
			ask := func(how func(k *talk)) *talk {
				k := newTalk(t, f)
				k.state = asked(f, step, flows.Safe, "id")
				k.view = &flows.CaseView{Code: k.state.Case, Safety: level}
				how(k)
				return k
			}
			text := func(id flows.TextID) string { return catalogue.Text("id", id, f.base["id"]) }
			question := text("ask." + flows.TextID(step))
			for name, how := range map[string]func(k *talk){
				"words":      func(k *talk) { k.say("xyzzy plugh") },
				"old button": func(k *talk) { k.tap(flows.StepMenu, "stop") },
				"twice":      func(k *talk) { k.say("xyzzy plugh"); k.say("xyzzy plugh") },
			} {
				k := ask(how)
				for _, r := range k.last.Replies {
					if strings.Contains(render(r), question) {
						t.Errorf("%s, %s after %s: %s", level, step, name, render(r))
					}
				}
			}
			k := ask(func(*talk) {})
			k.state.Ask = ""
			if r, ok := f.Prompt(k.fresh(), k.state); ok && strings.Contains(render(r), question) {
				t.Errorf("%s, %s loaded anew: %s", level, step, render(r))
			}
			if step == flows.StepFullName {
				continue
			}
			k = ask(func(k *talk) { k.say("1") })
			if a := k.state.Answers[step]; len(a.Values) != 1 || a.Review {
				t.Errorf("%s, %s: the number under the question gave %+v", level, step, a)
			}
		}
	}
}

// A corrected answer can be the first word of being watched. The list that is open just then is not shown again.
func TestListIsNotShownAgainAfterACorrectedAnswer(t *testing.T) {
	f := New(testConfig(plain{}))
	k := newTalk(t, f)
	k.say("halo")
	k.send(flows.Input{Kind: flows.KindText, ID: "answer", Text: "1"})
	k.say("HAPUS")
	if k.shown() != flows.StepDelete {
		t.Fatal("HAPUS asks", k.shown())
	}
	k.send(flows.Input{Kind: flows.KindText, ID: "answer", Edit: true, Text: "saya diawasi"})
	if k.state.Ask != "" || k.shown() == flows.StepDelete {
		t.Fatalf("still asked: %q, shown %q", k.state.Ask, k.shown())
	}
	k.send(flows.Input{Kind: flows.KindMedia, Media: &flows.Media{Kind: "sticker"}}) // checkSilent looks at the answer
}
