package intake

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulang/flows"
)

// often runs a property 1,000 times, 10,000 in the soak.
func often(t *testing.T, prop func(*rapid.T)) {
	t.Helper()
	n := "1000"
	if os.Getenv("PULANG_SOAK") != "" {
		n = "10000"
	}
	if testing.Short() {
		n = "100"
	}
	f := flag.Lookup("rapid.checks")
	old := f.Value.String()
	_ = f.Value.Set(n)
	defer func() { _ = f.Value.Set(old) }()
	rapid.Check(t, prop)
}

var phrases = []string{
	"halo", "p", "1", "2", "3", "4", "0", "9", "10", "99", "1,4", "1 dan 2", "2️⃣", "ya", "tidak", "tidak tahu", "bavet", "bavett",
	"saya diawasi", "disekap", "aman tapi ada bos", "saya sakit", "anak saya hilang", "paspor ditahan bos", "overstay", "0812345678",
	"855123456789", "jam 9 malam", "bunuh diri", "kelapa", "durian", "BAHAYA", "BERHENTI", "x", "LANJUT", "STATUS", "PETUGAS",
	"jangan telp", "tunggu saya", "telepon jam 9 malam", "telepon saja", "telepon saja 855123456789", "UBAH", "KEMBALI", "LEWATI", "MENU", "BAHASA", "HAPUS", "BARU", "SUDAH AMAN", "GABUNG", "/gabung K7M-689-6A9", "CEK", "/cek 12",
	"/start", "/status", "/status K7M4-692Q", "/bahasa en", "/bahasa id", "selesai", "🆘", "Budi Santoso", "", "   ", "\u202e\x00", "safe",
}

// walker makes inputs at random. Everything it can do a person or a messenger can do.
type walker struct {
	*talk
	flow  *Flow
	lower bool // officers lower safety now and then
}

func (w *walker) step(r *rapid.T) {
	switch rapid.IntRange(0, 24).Draw(r, "what") {
	case 0, 1, 2, 3, 4, 5, 6:
		w.say(rapid.SampledFrom(phrases).Draw(r, "words"))
	case 7:
		w.say(rapid.String().Draw(r, "any words"))
	case 8, 9, 10, 11: // a button of the prompt
		if sh := w.state.Shown; sh != nil && len(sh.Choices) > 0 {
			w.tap(sh.Step, rapid.SampledFrom(sh.Choices).Draw(r, "choice"))
			return
		}
		w.say("LANJUT")
	case 12, 13: // any button there ever was
		q := rapid.SampledFrom(w.flow.list).Draw(r, "step")
		v := rapid.SampledFrom([]flows.Value{flows.Yes, flows.No, flows.Done, flows.Skip, flows.None, "chat", "data", "sure", "really", "both", "p1", "new"}).Draw(r, "value")
		if len(q.menu) > 0 {
			v = rapid.SampledFrom(q.menu).Draw(r, "value")
		}
		scope := rapid.SampledFrom([]string{w.state.Scope, w.state.Scope, "other"}).Draw(r, "scope")
		w.send(flows.Input{Kind: flows.KindTap, Tap: &flows.Tap{Scope: scope, Step: q.id, Value: v}})
	case 14:
		lat := rapid.SampledFrom([]float64{0, 13.65, 13.7, -6.2, 11}).Draw(r, "lat")
		lon := rapid.SampledFrom([]float64{0, 102.5, 100.4, 106.8}).Draw(r, "lon")
		w.send(flows.Input{Kind: flows.KindLocation, Edit: rapid.Bool().Draw(r, "moved"),
			Location: &flows.Location{Kind: "pin", HasPoint: true, Lat: lat, Lon: lon}})
	case 15, 16:
		kind := rapid.SampledFrom([]string{"photo", "voice", "sticker", "document", "video", "other"}).Draw(r, "media")
		caption := rapid.SampledFrom([]string{"", "", "bavet", "disekap", "1", "STATUS"}).Draw(r, "caption")
		w.send(flows.Input{Kind: flows.KindMedia, Text: caption, Media: &flows.Media{Kind: kind}})
	case 17:
		w.send(flows.Input{Kind: flows.KindContact, Contact: &flows.Card{
			Phone: rapid.SampledFrom([]string{"+6281234567890", "85512345678", "x"}).Draw(r, "phone"), Own: rapid.Bool().Draw(r, "own")}})
	case 18:
		id := fmt.Sprint("m", rapid.IntRange(1, w.n+1).Draw(r, "message"))
		w.send(flows.Input{Kind: flows.KindText, Edit: true, ID: id, Text: rapid.SampledFrom(phrases).Draw(r, "words")})
	case 19:
		w.send(flows.Input{Kind: flows.KindTimer, Timer: rapid.SampledFrom([]string{"incomplete", "nudge", "again", "?"}).Draw(r, "timer")})
	case 20:
		w.now = w.now.Add(rapid.SampledFrom([]time.Duration{time.Hour, 13 * time.Hour, 80 * time.Hour}).Draw(r, "silence"))
	case 21:
		w.send(flows.Input{Kind: rapid.SampledFrom([]flows.Kind{flows.KindBlocked, flows.KindUnblock}).Draw(r, "block")})
	case 22:
		w.env.Can = flows.Can{Buttons: rapid.Bool().Draw(r, "buttons"), Delete: rapid.Bool().Draw(r, "delete")}
	default:
		if w.view == nil {
			return
		}
		v := *w.view
		v.Closed = rapid.Bool().Draw(r, "closed")
		if w.lower && v.Safety != "" {
			v.Safety = rapid.SampledFrom([]flows.Value{flows.Safe, flows.Watched}).Draw(r, "lowered")
		}
		v.JoinCode = rapid.SampledFrom([]string{"", "K7M-689-6A9"}).Draw(r, "join")
		w.view = &v
	}
}

// Any input is answered or has a reason why not; the state survives storage; no reply gives a person away; no effect
// comes without its case: talk.check holds in every turn of every walk.
func TestAnyInputIsAnswered(t *testing.T) {
	f := New(testConfig(plain{}))
	often(t, func(r *rapid.T) {
		w := &walker{talk: newTalk(t, f), flow: f, lower: true}
		for range rapid.IntRange(1, 40).Draw(r, "length") {
			w.step(r)
		}
	})
}

// What a person says never lowers the safety in force: within one case only an officer does.
func TestSafetyIsNeverLowered(t *testing.T) {
	f := New(testConfig(plain{}))
	often(t, func(r *rapid.T) {
		w := &walker{talk: newTalk(t, f), flow: f}
		level, code := flows.Value(""), ""
		for range rapid.IntRange(1, 40).Draw(r, "length") {
			w.step(r)
			tn := turn{s: w.state}
			if w.state.Case == code && rank(tn.level()) < rank(level) {
				t.Fatalf("%q became %q after %s", level, tn.level(), mustJSON(t, w.last))
			}
			if w.state.Case == code && w.view != nil && rank(w.view.Safety) < rank(level) {
				t.Fatalf("the case fell to %q", w.view.Safety)
			}
			level, code = tn.level(), w.state.Case
		}
	})
}

// No step is a trap: wherever a walk ends, LEWATI alone, or a number alone, leads past the confirmation.
func TestNoStepIsATrap(t *testing.T) {
	f := New(testConfig(plain{}))
	often(t, func(r *rapid.T) {
		w := &walker{talk: newTalk(t, f), flow: f, lower: true}
		for range rapid.IntRange(0, 30).Draw(r, "length") {
			w.step(r)
		}
		way := rapid.SampledFrom([]string{"LEWATI", "1", "tidak masuk akal"}).Draw(r, "way")
		if w.state.Paused {
			w.say("LANJUT")
		}
		if w.view != nil {
			v := *w.view
			v.Safety, v.Closed = flows.Safe, false
			w.view = &v
		}
		was := mustJSON(t, w.state)
		for range 120 {
			if _, ok := w.state.Answers[flows.StepConfirm]; ok && w.shown() == "" {
				return
			}
			w.say(way)
			if way == "1" && w.state.Paused { // "1" chose BERHENTI in a menu
				w.say("LANJUT")
			}
			if w.view != nil && w.view.Safety != flows.Safe {
				v := *w.view
				v.Safety = flows.Safe
				w.view = &v
			}
		}
		t.Fatalf("%q never reached the end; stuck at %q, asked %q\nfrom %s\nnow %s", way, w.shown(), w.state.Ask, was, mustJSON(t, w.state))
	})
}

// Every value of every menu can be tapped, and typed as a number, as its value and as its label, in both languages and
// in both modes.
func TestEveryValueIsReachable(t *testing.T) {
	f := New(testConfig(plain{}))
	n := 0
	for _, q := range f.list {
		if len(q.menu) == 0 || q.part == aside || f.byID[q.id] != q {
			continue
		}
		for _, mode := range []flows.Value{flows.Safe, flows.Watched} {
			if mode == flows.Watched && !q.silent {
				continue
			}
			for _, lang := range f.cfg.Langs {
				tn := &turn{f: f, s: flows.State{Lang: lang, Memo: map[string]string{memoSafety: string(mode)}}}
				values := q.values(tn)
				for i, v := range values {
					label := q.labelOf(tn, v)
					for way, text := range map[string]string{
						"tap": "", "number": q.number(values, i), "value": string(v), "spoken value": strings.ReplaceAll(string(v), "_", " "),
						"label": catalogue.Text(lang, label.ID, label.Args), "loud label": strings.ToUpper(catalogue.Text(lang, label.ID, label.Args)) + "!",
						"number with a point": q.number(values, i) + ".", "line": q.number(values, i) + ". " + catalogue.Text(lang, label.ID, label.Args),
					} {
						k := newTalk(t, f)
						k.state = asked(f, q.id, mode, lang)
						k.view = &flows.CaseView{Code: k.state.Case, Safety: mode}
						if way == "tap" {
							k.tap(q.id, v)
							if flows.Multi[q.id] && mode == flows.Safe && v != flows.None {
								k.tap(q.id, flows.Done)
							}
						} else {
							k.say(text)
						}
						got := k.state.Answers[q.id].Values
						if q.id == flows.StepConfirm && mode == flows.Watched {
							continue // told, not asked
						}
						if want := expand([]flows.Value{v}); !slices.Equal(got, want) {
							t.Errorf("%s %s, %s: %s %q gives %v, want %v", lang, mode, q.id, way, text, got, want)
						}
						n++
					}
				}
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d ways tried", n)
	}
}

// asked is the state of a person before whom the question stands.
func asked(f *Flow, step flows.StepID, mode flows.Value, lang string) flows.State {
	at := time.Date(2026, 1, 19, 13, 59, 0, 0, time.UTC)
	s := flows.State{
		Flow: flows.Version, Scope: "s1", Lang: lang, Case: "K7M4-692Q", Ask: step, FirstAt: at, LastAt: at,
		Memo: map[string]string{memoSafety: string(mode), memoPhone: "", memoNudge: "sent"},
		Answers: map[flows.StepID]flows.Answer{
			flows.StepSafetyNow: {Values: []flows.Value{mode}, At: at}, flows.StepWhoFor: {Values: []flows.Value{self}, At: at},
		},
	}
	if step == flows.StepWhoFor || step == flows.StepSafetyNow {
		delete(s.Answers, step)
	}
	t := f.begin(flows.Env{}, s, flows.Input{At: at})
	t.show(f.byID[step])
	return t.s
}
