package bot

import (
	"slices"
	"time"

	"pulang/flows/casework"
)

// place follows the person's place: which mission's case this is, or who is asked to take it over.
func (h *Hotline) place(ch *Change, l *Line, now time.Time) {
	c := ch.Case
	if h.Lines[c.Mission] == nil {
		c.Mission, c.Offer = l.Mission.Code, nil // its mission has left the installation: nobody would see it
	}
	if c.Offer != nil && h.Lines[c.Offer.To] == nil {
		casework.Withdraw(c)
	}
	from := c.Mission
	events := casework.Place(c, h.competent(l, c), now)
	h.happened(ch, events, now)
	for _, e := range events {
		if e.ID != casework.EventOffered && e.ID != casework.EventMoved {
			continue
		}
		to, _ := e.Args["To"].(string)
		for _, mission := range []string{from, to} {
			ch.Audit = append(ch.Audit, Audit{At: now, Who: "system", What: e.ID, Code: c.Code, Field: from + ">" + to, Mission: mission})
		}
	}
}

// competent is the mission of this installation that answers for the country where the person last was: the case's own
// where several do, else the first of them by code; the line's own for a country whose mission is not here, because a
// case must not be with a mission that nobody asked.
func (h *Hotline) competent(l *Line, c *casework.Case) string {
	country := casework.Country(c)
	if country == "" {
		return ""
	}
	if own := h.Lines[c.Mission]; own != nil && own.Mission.Serves(country) {
		return c.Mission
	}
	if l.Mission.Serves(country) {
		return l.Mission.Code
	}
	var all []string
	for code, other := range h.Lines {
		if other.Mission.Serves(country) {
			all = append(all, code)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return slices.Min(all)
}

// rulesOf are the numbers of the mission whose case it is: its targets, its clock. Without a case they are the line's.
func (h *Hotline) rulesOf(line string, c *casework.Case) casework.Rules {
	if c != nil {
		if r, ok := h.rules[c.Mission]; ok {
			return r
		}
	}
	return h.rules[line]
}

// flowOf is the conversation in the words of the mission whose case it is: its name, number and hours. What was asked
// and answered before goes on, since all lines ask the same questions.
func (h *Hotline) flowOf(l *Line, c *casework.Case) Flow {
	if c != nil {
		if other := h.Lines[c.Mission]; other != nil {
			return other.Flow
		}
	}
	return l.Flow
}

// deskMissions are the missions whose officers may be in touch with the person.
func deskMissions(l *Line, c *casework.Case) []string {
	out := []string{l.Mission.Code}
	if c == nil {
		return out
	}
	for _, m := range append([]string{c.Mission}, offeredTo(c)...) {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

func offeredTo(c *casework.Case) []string {
	if c.Offer == nil {
		return nil
	}
	return []string{c.Offer.To}
}
