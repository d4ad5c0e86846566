package intake

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulang/flows"
)

// A person in the middle of the conversation goes on after an upgrade: every state that a released version stored is
// read, answered, and led to its end. Files are added for each release and never changed.
func TestStoredStatesGoOn(t *testing.T) {
	files, err := filepath.Glob("testdata/state_v*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 8 {
		t.Fatalf("only %d stored states", len(files))
	}
	f := New(testConfig(plain{}))
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s flows.State
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatal(err)
			}
			k := newTalk(t, f)
			k.state = s
			k.now = s.LastAt.Add(time.Minute)
			if s.Case != "" {
				k.view = &flows.CaseView{Code: s.Case, Safety: flows.Value(s.Memo[memoSafety]), Stage: "reported"}
			}
			if s.Shown != nil { // a number still means what the person saw
				q := f.byID[s.Shown.Step]
				if q == nil {
					t.Fatalf("the step %q is gone", s.Shown.Step)
				}
				if len(s.Shown.Choices) > 0 && len(q.menu) > 0 {
					want := s.Shown.Choices[len(s.Shown.Choices)-1]
					k.say(q.number(s.Shown.Choices, len(s.Shown.Choices)-1))
					if a := k.state.Answers[q.id]; want != flows.Done && want != flows.Skip && !a.Has(want) {
						t.Errorf("%s: the last number gave %v, not %q", q.id, a.Values, want)
					}
				}
			}
			for step, a := range s.Answers {
				if now, ok := k.state.Answers[step]; !ok && step != flows.StepContactPref {
					t.Errorf("the answer to %s is lost: %+v", step, a)
				} else if f.byID[step] == nil {
					t.Errorf("the step %q of an answer is gone: %+v", step, now)
				}
			}
			k.say("LANJUT")
			v := flows.CaseView{Code: k.state.Case, Safety: flows.Safe}
			k.view = &v
			for range 120 {
				if _, ok := k.state.Answers[flows.StepConfirm]; ok && k.shown() == "" {
					return
				}
				k.say("LEWATI")
				if k.view == nil {
					k.view = &flows.CaseView{Code: k.state.Case, Safety: flows.Safe}
				}
			}
			t.Errorf("stuck at %q", k.shown())
		})
	}
}
