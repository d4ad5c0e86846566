package intake

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"pulang/flows"
	"pulang/flows/lexicon"
	"pulang/locales"
)

// catalogue are the real texts.
var catalogue = func() *locales.Catalogue {
	c, err := locales.New()
	if err != nil {
		panic(err)
	}
	return c
}()

// testConfig is an embassy with every placeholder filled.
func testConfig(r Reader) Config {
	return Config{
		Mission: "KBRI Phnom Penh", Service: "KBRI Phnom Penh", Country: "KH", Address: "Jl. Contoh 1", Hours: "08.00-16.00",
		Number: "+855 00 000 000", Currency: "USD",
		CountryName: map[string]string{"id": "Kamboja", "en": "Cambodia"},
		ZoneName:    map[string]string{"id": "waktu Kamboja = WIB", "en": "Cambodia time"},
		Zone:        time.FixedZone("", 7*3600),
		Offices: map[string]Office{
			"TH": {Name: "KBRI Bangkok", Number: "+66 00 000 0000"}, "VN": {Name: "KJRI Ho Chi Minh City"},
			"MM": {Name: "KBRI Yangon", Number: "+95 0 000 0000", Here: true},
		},
		Reader: r,
		Nearest: func(lat, lon float64) (Near, bool) {
			switch {
			case lat > 13 && lat < 14 && lon > 102:
				return Near{Place: "Poipet", Province: "Banteay Meanchey", Country: "KH", Km: 2.4}, true
			case lat > 13 && lon < 101:
				return Near{Place: "Bangkok", Province: "Bangkok", Country: "TH", Km: 5}, true
			case lat < 0:
				return Near{Place: "Jakarta", Province: "DKI Jakarta", Country: "ID", Km: 1}, true
			}
			return Near{}, false
		},
		Text: catalogue.Text,
	}
}

// talk is one person's conversation with everything around it: the store (state through JSON), the case as officers
// see it, a clock.
type talk struct {
	t     testing.TB
	flow  *Flow
	state flows.State
	view  *flows.CaseView
	env   flows.Env
	now   time.Time
	n     int // inputs so far
	cases int
	light bool  // without what check looks at, for tests that only count
	known *bool // what the store answers to a group's code; nil: nobody looks
	last  flows.Turn
}

func newTalk(t testing.TB, f *Flow) *talk {
	return &talk{
		t: t, flow: f, now: time.Date(2026, 1, 19, 14, 0, 0, 0, time.FixedZone("", 7*3600)),
		env: flows.Env{Waiting: 12, Can: flows.Can{Buttons: true, AskPlace: true, AskContact: true}},
	}
}

// codes are the case codes and scopes that chance would give.
func (k *talk) fresh() flows.Env {
	env := k.env
	env.NewCode = fmt.Sprintf("K7M4-%03dQ", 692+k.cases)
	env.NewScope = fmt.Sprintf("s%d", k.cases+1)
	env.Case = k.view
	return env
}

// send gives one input to the conversation and does what the store and the desk would do.
func (k *talk) send(in flows.Input) flows.Turn {
	k.t.Helper()
	if in.At.IsZero() {
		k.now = k.now.Add(time.Minute)
		in.At = k.now
	}
	if in.Kind != flows.KindTimer {
		k.n++
		if in.ID == "" {
			in.ID = fmt.Sprint("m", k.n)
		}
	}
	before := ""
	if !k.light {
		before = mustJSON(k.t, k.state)
	}
	turn := k.flow.Next(k.fresh(), k.state, in)
	for _, e := range turn.Effects {
		if j, ok := e.(flows.JoinGroup); ok && k.known != nil { // looked up, and decided again
			env := k.fresh()
			env.Group = &flows.GroupView{Code: j.Code, Known: *k.known}
			turn = k.flow.Next(env, k.state, in)
			break
		}
	}
	back := turn.State
	if !k.light {
		if after := mustJSON(k.t, k.state); after != before {
			k.t.Fatalf("Next changed the state it was given:\n%s\n%s", before, after)
		}
		back = flows.State{}
		raw := mustJSON(k.t, turn.State)
		if err := json.Unmarshal([]byte(raw), &back); err != nil {
			k.t.Fatal(err)
		}
		if again := mustJSON(k.t, back); again != raw {
			k.t.Fatalf("state does not survive storage:\n%s\n%s", raw, again)
		}
		k.check(turn, in)
	}
	old := k.state.Case
	k.state = back
	if back.Case != old {
		k.view = nil
		if back.Case != "" {
			k.cases++
			k.view = &flows.CaseView{Code: back.Case, Stage: "reported"}
		} else {
			k.cases++ // BARU: a new scope was drawn
		}
	}
	for _, e := range turn.Effects {
		k.apply(e)
	}
	k.last = turn
	return turn
}

// apply is what casework does with an effect, as far as the conversation sees it.
func (k *talk) apply(e flows.Effect) {
	if k.view == nil {
		return
	}
	v := *k.view
	switch e := e.(type) {
	case flows.Record:
		switch e.Step {
		case flows.StepSafetyNow:
			if rank(e.Answer.Value()) > rank(v.Safety) {
				v.Safety = e.Answer.Value()
			}
		case flows.StepCodeWord:
			v.CodeWord = e.Answer.Norm
		case flows.StepWhoFor:
			v.Reporter = v.Reporter || e.Answer.Value() == otherPerson
		}
		if i := slices.Index(v.Rescue, e.Step); i >= 0 {
			v.Rescue = slices.Delete(slices.Clone(v.Rescue), i, i+1)
		}
	case flows.Signal:
		if e.Name == "duress" {
			v.Safety = flows.Danger
		}
	case flows.Mute:
		v.Muted = e.On
	}
	k.view = &v
}

// check holds for every turn, whatever was said.
func (k *talk) check(turn flows.Turn, in flows.Input) {
	k.t.Helper()
	if len(turn.Replies) > 1 {
		k.t.Fatalf("%d replies to one input", len(turn.Replies))
	}
	if len(turn.Replies) == 0 && turn.Quiet == "" {
		k.t.Fatal("no reply and no reason why")
	}
	if turn.State.Flow != flows.Version || turn.State.Scope == "" {
		k.t.Fatalf("state without version or scope: %+v", turn.State)
	}
	for _, r := range turn.Replies {
		if len(r.Parts) == 0 {
			k.t.Fatalf("a reply without words: %s\n%s", mustJSON(k.t, in), mustJSON(k.t, k.state))
		}
		for _, c := range r.Choices {
			if n := len("v1:" + r.Scope + "xxxxxxxx:" + string(r.Step) + ":" + string(c.Value)); n > 64 {
				k.t.Fatalf("button data too long: %d", n)
			}
		}
		if mode := (&turnMode{turn.State}).mode(); mode != flows.Safe {
			if bad := revealing(render(r)); bad != "" {
				k.t.Fatalf("the lock screen of a person who is %q shows %q:\n%s", mode, bad, render(r))
			}
		}
	}
	k.checkSilent(turn, in)
	opened := false
	for i, e := range turn.Effects {
		switch e.(type) {
		case flows.OpenCase:
			if i != 0 || opened {
				k.t.Fatal("OpenCase is not the first effect")
			}
			opened = true
		case flows.Record, flows.Signal, flows.JoinGroup:
			if turn.State.Case == "" {
				k.t.Fatalf("%T without a case", e)
			}
		}
	}
}

// checkSilent holds for a person who is watched: a few plain words, no numbered lines, no pictures, nothing that was not
// asked for.
func (k *talk) checkSilent(turn flows.Turn, in flows.Input) {
	k.t.Helper()
	before := k.flow.begin(k.fresh(), k.state, in) // with what officers have raised meanwhile
	if (&turnMode{turn.State}).mode() != flows.Watched || before.mode() != flows.Watched {
		return
	}
	for _, r := range turn.Replies {
		text := render(r)
		entered := slices.ContainsFunc(r.Parts, func(p flows.Text) bool { return p.ID == "watched.start" })
		if n := len([]rune(text)); n > 120 && !entered && r.Step != flows.StepLanguage && turn.State.Case != "" {
			k.t.Fatalf("%d characters to a person who is watched, for %s:\n%s\nafter %s, with the case %s", n, mustJSON(k.t, in), text, mustJSON(k.t, k.state), mustJSON(k.t, k.view))
		}
		if strings.ContainsFunc(text, func(c rune) bool { return unicode.Is(unicode.So, c) || c == '\ufe0f' }) {
			k.t.Fatalf("a picture to a person who is watched:\n%s", text)
		}
		if !r.Bare && len(r.Choices) > 0 && r.Step != flows.StepLanguage {
			k.t.Fatalf("a list to a person who is watched:\n%s", text)
		}
		if r.AskPlace || r.AskContact {
			k.t.Fatalf("a large button to a person who is watched:\n%s", text)
		}
		if q := k.flow.byID[r.Step]; q != nil && !q.silent && q.part != aside {
			k.t.Fatalf("%s is not asked of a person who is watched:\n%s", q.id, text)
		}
		if in.Kind == flows.KindTimer && in.Timer != flows.TimerRescue {
			k.t.Fatalf("nobody asked for %q", text)
		}
	}
}

// turnMode reads the shown safety of a stored state.
type turnMode struct{ s flows.State }

func (m *turnMode) mode() flows.Value { return (&turn{s: m.s}).mode() }

// revealing returns the word that betrays the conversation in its first forty characters, or "".
func revealing(text string) string {
	r := []rune(text)
	head := strings.ToLower(string(r[:min(40, len(r))]))
	for _, w := range []string{
		"kbri", "kedutaan", "embassy", "paspor", "passport", "lapor", "report", "korban", "victim", "phnom penh",
		"imigrasi", "immigration", "splp", "polisi", "police", "disekap", "locked up",
	} {
		if strings.Contains(head, w) {
			return w
		}
	}
	return ""
}

// render is what a person sees, as bot.Render writes it on a channel without buttons.
func render(r flows.Reply) string {
	var b strings.Builder
	for i, p := range r.Parts {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(catalogue.Text(r.Lang, p.ID, p.Args))
	}
	first := true
	for _, c := range r.Choices {
		if r.Bare || c.Number == "" {
			continue
		}
		if first {
			b.WriteString("\n")
			first = false
		}
		mark := ""
		if c.Picked {
			mark = "✓ "
		}
		fmt.Fprintf(&b, "\n%s. %s%s", c.Number, mark, catalogue.Text(r.Lang, c.Label.ID, c.Label.Args))
	}
	return b.String()
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// say and tap are the two things most tests do.
func (k *talk) say(text string) flows.Turn {
	k.t.Helper()
	return k.send(flows.Input{Kind: flows.KindText, Text: text})
}

func (k *talk) tap(step flows.StepID, v flows.Value) flows.Turn {
	k.t.Helper()
	return k.send(flows.Input{Kind: flows.KindTap, Tap: &flows.Tap{Scope: k.state.Scope, Step: step, Value: v}})
}

// shown is the step that waits for an answer.
func (k *talk) shown() flows.StepID {
	if k.state.Shown == nil {
		return ""
	}
	return k.state.Shown.Step
}

// plain is a reader of a few words: enough for tests that are not about understanding.
type plain struct{}

func (plain) Read(text string, c lexicon.Context) lexicon.Reading {
	var r lexicon.Reading
	t := " " + fold(text) + " "
	has := func(w string) bool { return strings.Contains(t, " "+w+" ") }
	switch {
	case has("disekap"):
		r.SafetyNow, r.Needs = flows.Danger, []flows.Value{"held_or_threatened"}
	case has("diawasi") || has("aman tapi"):
		r.SafetyNow = flows.Watched
	case has("aman") && c.Step == flows.StepSafetyNow:
		r.SafetyNow = flows.Safe
	}
	if has("sakit") {
		r.Needs = append(r.Needs, "sick")
	}
	if has("anak saya") {
		r.WhoFor = "other_person"
	}
	if has("bunuh diri") {
		r.SelfHarm = true
	}
	if has("bavet") {
		r.Location = &lexicon.Place{Place: "Bavet", Province: "Svay Rieng", Country: "KH", Kind: "place_text", Sure: true}
	}
	if has("bavett") {
		r.Location = &lexicon.Place{Place: "Bavet", Province: "Svay Rieng", Country: "KH", Kind: "place_text"}
	}
	if has("tidak tahu") && c.Step == flows.StepLocation {
		r.Location = &lexicon.Place{Unknown: true, Kind: "unknown"}
		if has("kamboja") {
			r.Location.Country = "KH"
		}
	}
	if has("samraong") {
		r.Location = &lexicon.Place{Place: "Samraong", Province: "Oddar Meanchey", Country: "KH", Kind: "place_text",
			Others: []lexicon.Place{{Place: "Samraong", Province: "Takeo", Country: "KH"}}}
	}
	if has("paspor ditahan bos") {
		r.Passport = "held_by_employer"
	}
	if has("overstay") {
		r.Permit = "overstay"
	}
	if has("0812345678") {
		r.Phone, r.PhoneRaw = "ambiguous", "0812345678"
	}
	if has("855123456789") {
		r.Phone = "+855123456789"
	}
	switch {
	case has("jangan telp"):
		r.Contact = flows.TextOnly
	case has("tunggu saya"):
		r.Contact = flows.WaitForMe
	case has("telepon jam"):
		r.Contact = flows.CallWindow
	case has("telepon saja"):
		r.Contact = flows.CallAnytime
	}
	if has("jam 9 malam") {
		r.SafeTime = [][2]string{{"21:00", "22:00"}}
	} else if has("jam 9") {
		r.SafeOr = [][2]string{{"09:00", ""}, {"21:00", ""}}
	}
	if reflect.DeepEqual(r, lexicon.Reading{}) {
		switch strings.TrimSpace(t) {
		case "halo", "p", "min":
			r.Greeting = true
		case "ya":
			r.YesNo = flows.Yes
		case "tidak":
			r.YesNo = flows.No
		}
	}
	return r
}
