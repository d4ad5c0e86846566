package export

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"pulang/flows"
)

// WriteJSON writes the copy for machines; ReadCopy reads it again.
func (p Copy) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(p)
}

// ReadCopy reads what WriteJSON wrote.
func ReadCopy(r io.Reader) (p Copy, err error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return p, fmt.Errorf("copy of a case: %w", err)
	}
	return p, nil
}

// WriteText writes the copy to be read, in the language and by the clock of the set.
func (p Copy) WriteText(w io.Writer, s *Set) error {
	var b strings.Builder
	line := func(parts ...string) {
		var all []string
		for _, x := range parts {
			if x = plain(x); x != "" {
				all = append(all, x)
			}
		}
		b.WriteString(strings.Join(all, "  ") + "\n")
	}
	head := func(key string) { b.WriteString("\n" + s.t("export.copy."+key) + "\n") }
	line(s.t("export.copy.title", "Code", p.Code))
	line(s.t("export.copy.made", "At", s.minute(p.MadeAt), "Mission", p.Mission))
	line(s.t("export.copy.since", "At", s.minute(p.CreatedAt)))
	line(s.t("export.copy.now", "Stage", s.t("stage."+string(p.Stage)), "Class", string(p.Class)))
	if p.ClosedAs != "" {
		line(s.t("closed." + p.ClosedAs))
	}
	for _, r := range p.Reasons {
		line("- ", s.t("reason."+r))
	}
	line(s.t("desk.step.safety_now")+":", s.value(flows.StepSafetyNow, p.Safety))
	line(s.t("desk.step.contact_pref")+":", s.value(flows.StepContactPref, p.Permission), strings.Join(p.SafeTime, ", "))
	line(s.t("export.copy.channels")+":", strings.Join(p.Channels, ", "), p.Language)
	head("answers")
	for _, a := range p.Answers {
		by := ""
		if a.Officer {
			by = s.t("export.copy.officer")
		}
		understood := a.Understood
		if understood == a.Words {
			understood = ""
		}
		line(s.minute(a.At), s.step(a.Step)+":", s.values(a.Step, a.Values), a.Words, understood, by)
	}
	head("places")
	for _, l := range p.Locations {
		point := ""
		if l.Lat != nil && l.Lon != nil {
			point = fmt.Sprintf("%.6f, %.6f", *l.Lat, *l.Lon)
		}
		line(s.minute(l.At), l.Place, point, l.Words)
	}
	head("signals")
	for _, x := range p.Signals {
		line(s.minute(x.At), s.t("signal."+x.Name), x.Words)
	}
	head("way")
	for _, m := range p.Milestones {
		d := m.Detail
		if text := s.t("detail." + d); text != "detail."+d {
			d = text
		} else if text := s.t("closed." + d); text != "closed."+d {
			d = text
		}
		line(s.minute(m.At), s.t("stage."+string(m.Stage)), d)
	}
	head("attempts")
	for _, a := range p.Attempts {
		outcome := ""
		if a.Outcome != "" {
			outcome = s.t("outcome." + string(a.Outcome))
		}
		line(s.minute(a.At), s.t("desk.via."+a.Via), outcome)
	}
	head("chat")
	for _, l := range p.Chat {
		file := ""
		if l.File != "" {
			file = "[" + s.t("desk.media."+l.File) + "]"
		}
		line(s.minute(l.At), s.t("export.copy."+l.From)+":", l.Text, file)
	}
	b.WriteString("\n")
	if p.NotesLeftOut > 0 {
		line(s.t("export.copy.no_notes", "N", p.NotesLeftOut))
	}
	if p.WordsLeftOut {
		line(s.t("export.copy.no_words"))
	}
	if p.NumbersLeftOut {
		line(s.t("export.copy.no_numbers"))
	}
	line(s.t("export.copy.rights"))
	_, err := io.WriteString(w, b.String())
	return err
}

// step is what a question is called.
func (s *Set) step(id flows.StepID) string {
	if text := s.t("desk.step." + string(id)); text != "desk.step."+string(id) {
		return text
	}
	return string(id)
}
