package webchat

import (
	"net/http"
	"slices"

	"pulang/bot"
	"pulang/flows"
)

// session is the conversation of the browser that sends this cookie. The first time in this process it is read back
// from the person's case; while the store does not answer the page shows what there is, and the next request asks
// again.
func (c *Channel) session(r *http.Request, cookie string) *session {
	c.sessions.trim() // before, or a new one would be the first to go
	s := c.sessions.get(address(cookie), c.o.Clock())
	if !s.mustRecall() {
		return s
	}
	if c.o.Past == nil {
		s.recall(nil, false)
		return s
	}
	past, err := c.o.Past(r.Context(), c.contact(cookie))
	if err != nil {
		c.o.Log.Warn("conversation not read back", "channel", Name, "line", c.o.Line, "err", err)
		return s
	}
	s.recall(bubbles(past), c.hasLeft(r))
	return s
}

// bubbles are the parts of a timeline that the person saw on this page, since it was last cleared.
func bubbles(past []bot.Entry) []message {
	var ms []message
	for _, e := range past {
		if e.Channel != Name {
			continue
		}
		switch {
		case e.Clear:
			ms = nil
			fallthrough
		case e.Kind == "out":
			if e.Text != "" {
				ms = append(ms, message{ID: e.Row, Text: e.Text, At: e.At})
			}
		case e.Kind == "in" && e.Input != nil:
			m := message{ID: e.Input.ID, Mine: true, Text: e.Input.Text, At: e.At}
			switch e.Input.Kind {
			case flows.KindLocation:
				m.Key = "web.place_sent"
			case flows.KindText:
			default:
				continue // a tap's label is not kept, and a blocked chat says nothing
			}
			ms = append(ms, m)
		}
	}
	if len(ms) > Recent {
		ms = ms[len(ms)-Recent:]
	}
	return ms
}

func (s *session) mustRecall() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.recalled && !s.ended
}

// recall puts the past before what has happened in this process already. Everything gets new numbers: an open page
// then begins anew.
func (s *session) recall(past []message, covered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recalled || s.ended {
		return
	}
	s.recalled = true
	now := slices.Clone(s.log) // forget clears what the slice shared
	past = slices.DeleteFunc(past, func(m message) bool {
		return slices.ContainsFunc(now, func(x message) bool { return x.ID == m.ID && x.Mine == m.Mine })
	})
	if len(past) == 0 {
		return
	}
	s.covered = s.covered || covered
	s.forget(len(s.log))
	s.log = nil
	s.from = s.seq + 1
	s.add(append(past, now...)...)
	s.tell()
}
