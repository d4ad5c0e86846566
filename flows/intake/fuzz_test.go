package intake

import (
	"strings"
	"testing"
	"time"

	"pulang/flows"
)

// FuzzNext feeds hostile words and buttons to the conversation. talk.check holds after every turn.
func FuzzNext(f *testing.F) {
	flow := New(testConfig(plain{}))
	for _, s := range []string{
		"halo\n1\n1\nbavet\n2\n1,4\n3\n1\n2\n1", "@safety_now:danger\n\U0001F198", "@menu:stop\nLANJUT\n@delete:really", "/gabung \u202e\n٣\n１\n1️⃣",
		"UBAH\n1\nKEMBALI\nLEWATI", strings.Repeat("a", 5000), "\xff\xfe\x00", "@edit:full_name\n@place_confirm:p9\n@x:", "@number_country:KH\n999999999999999",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		k := newTalk(t, flow)
		for i, line := range strings.Split(strings.ToValidUTF8(script, "�"), "\n") {
			if i > 40 {
				return
			}
			if tap, ok := strings.CutPrefix(line, "@"); ok {
				step, value, _ := strings.Cut(tap, ":")
				k.tap(flows.StepID(step), flows.Value(value))
				continue
			}
			k.say(line)
		}
	})
}

// BenchmarkNext measures one typed answer in the middle of the conversation, without the reader.
func BenchmarkNext(b *testing.B) {
	flow := New(testConfig(plain{}))
	for name, in := range map[string]flows.Input{
		"number": {Kind: flows.KindText, ID: "m1", Text: "2"},
		"tap":    {Kind: flows.KindTap, ID: "m1", Tap: &flows.Tap{Scope: "s1", Step: flows.StepPassportStatus, Value: "lost_stolen"}},
		"words":  {Kind: flows.KindText, ID: "m1", Text: "paspor ditahan bos"},
	} {
		s := asked(flow, flows.StepPassportStatus, flows.Safe, "id")
		s.Ask = ""
		in.At = time.Date(2026, 1, 19, 14, 0, 0, 0, time.UTC)
		env := flows.Env{NewCode: "K7M4-692Q", NewScope: "s2", Waiting: 3}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				flow.Next(env, s, in)
			}
		})
	}
}
