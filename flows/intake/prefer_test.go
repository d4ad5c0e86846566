package intake

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulang/flows"
	"pulang/flows/casework"
	"pulang/flows/lexicon"
)

// ringing keeps the real case beside a walk, so that the gate itself can be asked.
type ringing struct {
	*walker
	c *casework.Case
}

func (w *ringing) follow() {
	if w.state.Case == "" {
		w.c = nil
		return
	}
	if w.c == nil || w.c.Code != w.state.Case {
		w.c = casework.New("1", w.state.Case, "kh", "kh", "telegram", w.now)
	}
	for _, e := range w.last.Effects {
		w.c.Apply(e, w.now, casework.Rules{})
	}
}

func (w *ringing) mayCall() bool {
	return w.c != nil && casework.MayCall(w.c, w.now, casework.Rules{}).OK
}

// Whatever was answered before, whatever is asked now and in whatever mode: after "do not call" the phone may not ring.
func TestAfterNoTheTelephoneIsSilent(t *testing.T) {
	f := New(testConfig(plain{}))
	allowed := 0
	often(t, func(r *rapid.T) {
		w := &ringing{walker: &walker{talk: newTalk(t, f), flow: f, lower: true}}
		step := func(do func()) {
			w.last = flows.Turn{}
			do()
			w.follow()
		}
		if rapid.Bool().Draw(r, "with leave") {
			step(func() { w.say("1") })
			step(func() { w.say(rapid.SampledFrom([]string{"saya sakit", "disekap", "saya diawasi"}).Draw(r, "first")) })
			step(func() { w.say("telepon saja 855123456789") })
		}
		for range rapid.IntRange(0, 20).Draw(r, "length") {
			step(func() { w.step(r) })
		}
		if w.mayCall() {
			allowed++
		}
		text := rapid.SampledFrom([]string{"jangan telp", "saya sakit jangan telp", "tunggu saya dulu", "disekap jangan telp", "bunuh diri jangan telp"}).Draw(r, "no")
		step(func() {
			switch rapid.IntRange(0, 3).Draw(r, "how") {
			case 0:
				w.send(flows.Input{Kind: flows.KindMedia, Text: text, Media: &flows.Media{Kind: "photo"}})
			case 1:
				w.send(flows.Input{Kind: flows.KindText, Text: text, ID: "m1", Edit: true})
			default:
				w.say(text)
			}
		})
		if w.mayCall() {
			t.Fatalf("the telephone rings after %q: %s\n%s", text, mustJSON(t, w.last), mustJSON(t, w.c.Answers))
		}
		if w.state.Case == "" {
			t.Fatalf("%q is on no case", text)
		}
	})
	if allowed < 10 && !testing.Short() {
		t.Errorf("only %d walks ended with a permission to take back", allowed)
	}
}

// The words of the trials, in the real reader: each of them ends a permission, safe, watched or in danger.
func TestWordsThatForbidACall(t *testing.T) {
	f := New(testConfig(lexicon.Default()))
	for _, no := range []string{
		"jangan telpon lagi", "tolong jangan ditelepon", "jgn telp", "jangan hubungi dulu", "chat aja ya jangan telp",
		"nomor hp saya mati jangan ditelp", "jangan telp lagi bos dateng",
	} {
		for _, first := range []string{"saya aman di bavet", "saya diawasi di bavet", "saya disekap di bavet"} {
			w := &ringing{walker: &walker{talk: newTalk(t, f), flow: f}}
			for _, words := range []string{first, "telp aja +855 88 234 5678"} {
				w.say(words)
				w.follow()
			}
			if !w.mayCall() {
				t.Fatalf("%q gives no permission after %q", "telp aja", first)
			}
			w.now = w.now.Add(time.Minute)
			w.say(no)
			w.follow()
			if w.mayCall() {
				t.Errorf("the telephone rings after %q, %q", first, no)
			}
		}
	}
}

// "Lewat WA" answers by what way he was heard of last; it takes no permission back. A no there does.
func TestWayOfHearingIsNoPreference(t *testing.T) {
	f := New(testConfig(lexicon.Default()))
	for words, want := range map[string]flows.Value{"seminggu lalu lewat WA": flows.CallAnytime, "kemarin, tapi jangan telp saya": flows.TextOnly} {
		k := at(t, f, flows.StepLastContact)
		k.state.Answers[flows.StepWhoFor] = flows.Answer{Values: []flows.Value{otherPerson}, At: k.now}
		k.state.Answers[flows.StepContactPref] = flows.Answer{Values: []flows.Value{flows.CallAnytime}, At: k.now}
		k.say(words)
		if got := k.state.Answers[flows.StepContactPref].Value(); got != want {
			t.Errorf("after %q: %s", words, got)
		}
		if k.state.Answers[flows.StepLastContact].Text == "" {
			t.Errorf("%q is no answer", words)
		}
	}
}
