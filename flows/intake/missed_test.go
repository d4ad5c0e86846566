package intake

import (
	"testing"

	"pulang/flows"
)

// Whichever core question is missed twice comes back exactly once, and an answer then counts as if it had been given the
// first time.
func TestMissedQuestionComesBackOnce(t *testing.T) {
	f := New(testConfig(plain{}))
	for _, step := range []flows.StepID{flows.StepSafetyNow, flows.StepWhoFor, flows.StepPlaceKind, flows.StepUrgentNeeds, flows.StepPassportStatus, flows.StepImmigration, flows.StepContactPref} {
		for _, answers := range []bool{true, false} {
			k := newTalk(t, f)
			k.say("halo")
			times, in := 0, false
			for range 40 {
				sh := k.shown()
				if sh == "" {
					break
				}
				if sh == step && !in {
					times++
				}
				in = sh == step
				switch {
				case sh == step && times == 2 && answers:
					k.say("2")
				case sh == step:
					k.say("xyzzy plugh")
				case sh == flows.StepLocation:
					k.say("bavet")
				case sh == flows.StepSafeTime:
					k.say("jam 9 malam")
				case sh == flows.StepCallbackNumber:
					k.say("855123456789")
				case sh == flows.StepConfirm:
					k.say("2")
				default:
					k.say("1")
				}
			}
			if times != 2 {
				t.Errorf("%s came %d times", step, times)
			}
			if a := k.state.Answers[step]; len(a.Values) > 0 != answers {
				t.Errorf("%s, answered when it came back %v: %+v", step, answers, a)
			}
		}
	}
}
