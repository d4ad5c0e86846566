package casework

import (
	"testing"
	"time"

	"pulang/flows"
)

// What leaves, what is held, and until when: the table of architecture by kind of row and by what the person said.
func TestMaySend(t *testing.T) {
	now := clock(12, 0)
	never := time.Time{}
	justNow := now.Add(-10 * time.Minute)
	longAgo := now.Add(-16 * time.Minute)
	window := func(effects ...flows.Effect) []flows.Effect { return append(effects, hours("13:00-14:00")...) }
	open := func(effects ...flows.Effect) []flows.Effect { return append(effects, hours("11:30-12:30")...) }
	danger := say(flows.StepSafetyNow, t0, flows.Danger)
	wait := say(flows.StepContactPref, t0, flows.WaitForMe)

	for _, x := range []struct {
		name    string
		effects []flows.Effect
		kinds   string // r reply, o officer, n nudge, s stage, d safety, a again, b broadcast
		lastIn  time.Time
		why     string // empty: leaves
		until   time.Time
	}{
		{"safe: everything", []flows.Effect{safe()}, "ronsdab", longAgo, "", never},
		{"safe, chat only: everything", []flows.Effect{safe(), say(flows.StepContactPref, t0, flows.TextOnly)}, "ronsdab", longAgo, "", never},
		{"safe, never wrote here", []flows.Effect{safe()}, "ob", never, "", never},
		{"safe but wait for me", []flows.Effect{safe(), wait}, "ronsdb", longAgo, HoldNextMessage, never},
		{"safe but wait for me, just wrote", []flows.Effect{safe(), wait}, "ronsdab", justNow, "", never},

		{"unknown safety", nil, "rod", longAgo, HoldNextMessage, never},
		{"unknown safety, just wrote", nil, "roda", justNow, "", never},
		{"unknown safety: no nudge, no news, no broadcast", nil, "nsb", justNow, HoldNotSafe, never},
		{"unknown safety, before the window", window(), "rod", longAgo, HoldWindow, clock(13, 0)},
		{"unknown safety, in the window", open(), "rod", longAgo, "", never},

		{"watched", []flows.Effect{watched()}, "rod", longAgo, HoldNextMessage, never},
		{"watched, just wrote", []flows.Effect{watched()}, "roda", justNow, "", never},
		{"watched: no nudge, no news, no broadcast, ever", open(watched()), "nsb", justNow, HoldNotSafe, never},
		{"watched, before the window", window(watched()), "rod", longAgo, HoldWindow, clock(13, 0)},
		{"watched, in the window", open(watched()), "rod", longAgo, "", never},
		{"watched: asked again with the next message only", open(watched()), "a", longAgo, HoldNextMessage, never},
		{"hours from before watched are not trusted", append(open(), watched()), "rod", longAgo, HoldNextMessage, never},

		{"danger", []flows.Effect{danger}, "rod", longAgo, HoldNextMessage, never},
		{"danger, just wrote", []flows.Effect{danger}, "roda", justNow, "", never},
		{"danger, in the window", open(danger), "rod", longAgo, "", never},
		{"an unknown kind counts as unasked", []flows.Effect{watched()}, "?", longAgo, HoldNextMessage, never},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := newCase(t, x.effects...)
			for _, k := range x.kinds {
				kind := map[rune]string{'r': KindReply, 'o': KindOfficer, 'n': KindNudge, 's': KindStage, 'd': KindSafety, 'a': KindAgain, 'b': KindBroadcast, '?': "new"}[k]
				v := MaySend(Message{Kind: kind, CreatedAt: now}, c, x.lastIn, now, testRules())
				if v.OK != (x.why == "") || v.Why != x.why || !v.NotBefore.Equal(x.until) {
					t.Errorf("%s: %+v, want %q until %v", kind, v, x.why, x.until)
				}
				if f := MaySend(Message{Kind: kind, CreatedAt: now, Force: "atas permintaan"}, c, x.lastIn, now, testRules()); !f.OK {
					t.Errorf("%s: a supervisor's reason does not release it: %+v", kind, f)
				}
			}
		})
	}
}

func TestMaySendWithoutCase(t *testing.T) {
	now := clock(12, 0)
	if v := MaySend(Message{Kind: KindReply}, nil, now.Add(-time.Minute), now, testRules()); !v.OK {
		t.Errorf("an answer to a greeting: %+v", v)
	}
	for _, kind := range []string{KindReply, KindNudge, KindBroadcast} {
		if v := MaySend(Message{Kind: kind}, nil, now.Add(-time.Hour), now, testRules()); v.OK || v.Why != HoldNextMessage {
			t.Errorf("%s to somebody of whom nothing is known: %+v", kind, v)
		}
	}
}

func TestPromptedEndsAfterAQuarterOfAnHour(t *testing.T) {
	now := clock(12, 0)
	for _, x := range []struct {
		lastIn time.Time
		want   bool
	}{
		{now, true}, {now.Add(-PromptedFor), true}, {now.Add(-PromptedFor - time.Second), false}, {time.Time{}, false},
		{now.Add(2 * time.Minute), true}, {now.Add(5 * time.Hour), false}, // a messenger's clock that runs ahead
	} {
		if got := Prompted(x.lastIn, now); got != x.want {
			t.Errorf("%v before now: %v", now.Sub(x.lastIn), got)
		}
	}
}

// After BERHENTI nothing leaves but the answer to what is written at that moment; LANJUT releases everything.
func TestBerhenti(t *testing.T) {
	r := testRules()
	stop := clock(12, 0)
	c := newCase(t, safe(), anytime())
	c.Apply(flows.Mute{On: true}, stop, r)
	c.Apply(flows.Mute{On: true}, stop.Add(time.Hour), r) // said twice: the first time counts
	for _, x := range []struct {
		name            string
		kind            string
		created, lastIn time.Time
		now             time.Time
		ok              bool
	}{
		{"its own acknowledgement", KindReply, stop, stop, stop.Add(time.Second), true},
		{"a row that was waiting", KindReply, stop.Add(-time.Minute), stop, stop.Add(time.Second), false},
		{"an officer's message that was waiting", KindOfficer, stop.Add(-time.Minute), stop, stop.Add(time.Second), false},
		{"an officer's message just after", KindOfficer, stop.Add(time.Minute), stop, stop.Add(time.Minute), false},
		{"an officer's answer to later words", KindOfficer, stop.Add(10 * time.Minute), stop.Add(9 * time.Minute), stop.Add(10 * time.Minute), true},
		{"the line that offers LANJUT", KindReply, stop.Add(9 * time.Minute), stop.Add(9 * time.Minute), stop.Add(9 * time.Minute), true},
		{"the answer to danger", KindSafety, stop.Add(9 * time.Minute), stop.Add(9 * time.Minute), stop.Add(9 * time.Minute), true},
		{"a late answer", KindReply, stop.Add(9 * time.Minute), stop.Add(9 * time.Minute), stop.Add(40 * time.Minute), false},
		{"a nudge", KindNudge, stop.Add(time.Minute), stop, stop.Add(time.Minute), false},
		{"stage news", KindStage, stop.Add(time.Minute), stop, stop.Add(time.Minute), false},
		{"a broadcast", KindBroadcast, stop.Add(time.Minute), stop, stop.Add(time.Minute), false},
		{"the last question again", KindAgain, stop.Add(time.Minute), stop, stop.Add(time.Minute), false},
	} {
		v := MaySend(Message{Kind: x.kind, CreatedAt: x.created}, c, x.lastIn, x.now, r)
		if v.OK != x.ok || !x.ok && (v.Why != HoldMuted || !v.NotBefore.IsZero()) {
			t.Errorf("%s: %+v", x.name, v)
		}
	}
	c.Apply(flows.Mute{}, stop.Add(2*time.Hour), r)
	if v := MaySend(Message{Kind: KindOfficer, CreatedAt: stop.Add(-time.Minute)}, c, stop, stop.Add(2*time.Hour), r); !v.OK {
		t.Errorf("after LANJUT: %+v", v)
	}
}
