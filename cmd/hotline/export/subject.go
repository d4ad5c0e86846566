package export

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// Copy is what the hotline holds of a person, for that person. It leaves out the officers' own notes and names, the
// secret words (whoever finds the copy must not learn them), and numbers where the case says that nobody may ring.
type Copy struct {
	Code      string    `json:"code"`
	Mission   string    `json:"mission"`
	Language  string    `json:"language,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	MadeAt    time.Time `json:"made_at"`

	Safety     flows.Value     `json:"safety,omitempty"`
	Permission flows.Value     `json:"contact_permission,omitempty"`
	SafeTime   []string        `json:"safe_time,omitempty"` // "21:00-22:00", by the mission's clock
	Class      casework.Class  `json:"class"`
	Reasons    []string        `json:"class_reasons,omitempty"` // catalogue keys below "reason."
	Stage      casework.Stage  `json:"stage"`
	ClosedAs   string          `json:"closed_as,omitempty"`
	Channels   []string        `json:"channels,omitempty"`
	Answers    []CopyAnswer    `json:"answers,omitempty"`
	Locations  []CopyLocation  `json:"locations,omitempty"` // oldest first
	Signals    []CopySignal    `json:"signals,omitempty"`
	Milestones []CopyMilestone `json:"milestones,omitempty"`
	Attempts   []CopyAttempt   `json:"attempts,omitempty"`
	Chat       []CopyLine      `json:"chat,omitempty"`

	// NotesLeftOut counts the officers' notes; WordsLeftOut and NumbersLeftOut say that there were some.
	NotesLeftOut   int  `json:"notes_left_out,omitempty"`
	WordsLeftOut   bool `json:"secret_words_left_out,omitempty"`
	NumbersLeftOut bool `json:"numbers_left_out,omitempty"`
}

// CopyAnswer is an answer: the values chosen, the words, and what was understood. Officer is true for one that was
// entered at the desk.
type CopyAnswer struct {
	Step       flows.StepID  `json:"step"`
	Values     []flows.Value `json:"values,omitempty"`
	Words      string        `json:"words,omitempty"`
	Understood string        `json:"understood,omitempty"`
	At         time.Time     `json:"at"`
	Officer    bool          `json:"officer,omitempty"`
}

// CopyLocation is one statement of where the person was.
type CopyLocation struct {
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"`
	Lat   *float64  `json:"lat,omitempty"`
	Lon   *float64  `json:"lon,omitempty"`
	Place string    `json:"place,omitempty"`
	Words string    `json:"words,omitempty"`
}

// CopySignal is a fact that was read from the person's words.
type CopySignal struct {
	Name  string    `json:"name"`
	Words string    `json:"words,omitempty"`
	At    time.Time `json:"at"`
}

// CopyMilestone is a stage that was reached.
type CopyMilestone struct {
	Stage  casework.Stage `json:"stage"`
	Detail string         `json:"detail,omitempty"`
	At     time.Time      `json:"at"`
}

// CopyAttempt is one try to reach the person.
type CopyAttempt struct {
	At      time.Time        `json:"at"`
	Via     string           `json:"via"`
	Outcome casework.Outcome `json:"outcome,omitempty"`
}

// CopyLine is a message: From is person, bot or officer. A file is named by its kind only.
type CopyLine struct {
	At   time.Time `json:"at"`
	From string    `json:"from"`
	Text string    `json:"text,omitempty"`
	File string    `json:"file,omitempty"`
}

// CopyOf makes the copy of a case as it is at now.
func CopyOf(f bot.CaseFile, mission string, now time.Time, r casework.Rules) Copy {
	c := f.Case
	p := Copy{
		Code: c.Code, Mission: mission, Language: c.Lang, CreatedAt: c.CreatedAt.UTC(), MadeAt: now.UTC().Truncate(time.Second), Safety: c.Safety, Permission: c.Permission,
		Class: casework.Effective(c, now), Stage: c.Stage, ClosedAs: c.ClosedAs,
	}
	own := func(s string) string {
		if casework.MayCall(c, now, r).OK {
			return s
		}
		hidden := noNumbersButNIK(s)
		p.NumbersLeftOut = p.NumbersLeftOut || hidden != s
		return hidden
	}
	for _, w := range c.Windows {
		p.SafeTime = append(p.SafeTime, fmt.Sprintf("%02d:%02d-%02d:%02d", w.From/60, w.From%60, w.To/60, w.To%60))
	}
	for _, x := range c.Triage.Reasons {
		p.Reasons = append(p.Reasons, x.ID)
	}
	for _, to := range c.Contacts {
		if !slices.Contains(p.Channels, to.Channel) {
			p.Channels = append(p.Channels, to.Channel)
		}
	}
	secrets := secretWords(c)
	keep := func(s string) string {
		for _, w := range secrets {
			if strings.EqualFold(strings.Join(strings.Fields(s), " "), w) {
				p.WordsLeftOut = true
				return "•••"
			}
		}
		return own(s)
	}
	for step, a := range c.Answers {
		if step == flows.StepCodeWord || step == flows.StepDuressWord {
			p.WordsLeftOut = true
			continue
		}
		p.Answers = append(p.Answers, CopyAnswer{Step: step, Values: a.Values, Words: keep(a.Text), Understood: own(a.Norm), At: a.At.UTC(), Officer: a.By != ""})
	}
	slices.SortFunc(p.Answers, func(a, b CopyAnswer) int {
		if d := a.At.Compare(b.At); d != 0 {
			return d
		}
		return strings.Compare(string(a.Step), string(b.Step))
	})
	for _, l := range c.Locations {
		x := CopyLocation{At: l.At.UTC(), Kind: l.Kind, Place: strings.Trim(l.Place+", "+l.Province+", "+l.Country, ", "), Words: own(l.Text)}
		if l.HasPoint {
			x.Lat, x.Lon = &l.Lat, &l.Lon
		}
		p.Locations = append(p.Locations, x)
	}
	for name, s := range c.Signals {
		p.Signals = append(p.Signals, CopySignal{Name: name, Words: keep(s.Words), At: s.At.UTC()})
	}
	slices.SortFunc(p.Signals, func(a, b CopySignal) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range c.Milestones {
		p.Milestones = append(p.Milestones, CopyMilestone{m.Stage, own(m.Detail), m.At.UTC()})
	}
	for _, a := range c.Attempts {
		p.Attempts = append(p.Attempts, CopyAttempt{a.At.UTC(), a.Via, a.Outcome})
	}
	p.chat(f.Entries, keep)
	return p
}

// secretWords are the code word and the word for duress, as they may stand in a message.
func secretWords(c *casework.Case) (out []string) {
	for _, step := range []flows.StepID{flows.StepCodeWord, flows.StepDuressWord} {
		for _, w := range []string{c.Answers[step].Text, c.Answers[step].Norm} {
			if w = strings.Join(strings.Fields(w), " "); w != "" {
				out = append(out, w)
			}
		}
	}
	return out
}

func (p *Copy) chat(entries []bot.Entry, keep func(string) string) {
	for _, e := range entries {
		l := CopyLine{At: e.At.UTC()}
		switch {
		case e.Kind == "note":
			p.NotesLeftOut++
			continue
		case e.Kind == "in" && e.Input != nil:
			in := e.Input
			l.From, l.Text = "person", keep(in.Text)
			switch {
			case in.Tap != nil:
				l.Text = string(in.Tap.Step) + ": " + string(in.Tap.Value)
			case in.Location != nil && in.Location.HasPoint:
				l.Text = strings.TrimSpace(fmt.Sprintf("%s %.6f, %.6f", l.Text, in.Location.Lat, in.Location.Lon))
			case in.Media != nil:
				l.File = in.Media.Kind
			case in.Contact != nil:
				l.Text = strings.TrimSpace(l.Text + " " + keep(in.Contact.Name) + " " + keep(in.Contact.Phone))
			}
		case e.Kind == "out":
			l.From, l.Text = "bot", keep(e.Text)
			if e.By != "" {
				l.From = "officer"
			}
		default:
			continue // what the program noted of the case stands in the stages and attempts
		}
		p.Chat = append(p.Chat, l)
	}
	slices.SortStableFunc(p.Chat, func(a, b CopyLine) int { return a.At.Compare(b.At) })
}
