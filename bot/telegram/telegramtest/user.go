package telegramtest

import (
	"fmt"
	"strings"
	"time"
)

// person is somebody with a Telegram account.
type person struct {
	id          int64
	name        string
	lang        string
	deactivated bool
}

// User is a person as one bot sees them. Its methods do what a person does with the app, and return the id of the
// message that this makes.
type User struct {
	srv  *Server
	bot  *Bot
	self *person
}

// User adds a person whose app speaks lang ("id", "en", "" for unknown), writing to the first bot.
func (s *Server) User(lang string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &person{id: s.nextUser, lang: lang, name: fmt.Sprintf("Orang %d", s.nextUser%1000)}
	s.nextUser++
	return &User{srv: s, bot: s.first, self: p}
}

// With is the same person writing to another bot.
func (u *User) With(b *Bot) *User { return &User{srv: u.srv, bot: b, self: u.self} }

// ID is the person's id, which is also that of their chat with the bot.
func (u *User) ID() int64 { return u.self.id }

// Name is the person's first name.
func (u *User) Name() string { return u.self.name }

func (u *User) asUser() map[string]any {
	m := map[string]any{"id": u.self.id, "is_bot": false, "first_name": u.self.name}
	if u.self.lang != "" {
		m["language_code"] = u.self.lang
	}
	return m
}

// say adds a message of the person and tells the bot.
func (u *User) say(m *Message) int64 {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	return u.sayLocked(m)
}

func (u *User) sayLocked(m *Message) int64 {
	c := u.bot.chatOf(u.self)
	if c.blocked {
		u.unblockLocked(c) // whoever writes has unblocked first: the app asks for it
	}
	c.started = true
	c.add(m)
	u.bot.push("message", c.id, c.asMessage(m, u.asUser()))
	return m.ID
}

// change edits a message of the person and tells the bot.
func (u *User) change(id int64, f func(m *Message)) {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	c := u.bot.chatOf(u.self)
	m := c.find(id)
	if m == nil || m.FromBot {
		u.srv.fatal("edit: the person has no message %d", id)
		return
	}
	f(m)
	m.Edited = true
	obj := c.asMessage(m, u.asUser())
	obj["edit_date"] = u.srv.nowLocked().Unix()
	u.bot.push("edited_message", c.id, obj)
	u.srv.wakeLocked()
}

// Send types a text.
func (u *User) Send(text string) int64 { return u.say(&Message{Text: text}) }

// Edit corrects an earlier text or caption.
func (u *User) Edit(id int64, text string) { u.change(id, func(m *Message) { m.Text = text }) }

// Forward passes on a text that somebody else wrote. kind is that of the origin: user, hidden_user, chat, channel,
// or one that no program knows yet.
func (u *User) Forward(text, kind string) int64 {
	return u.say(&Message{Text: text, Content: map[string]any{"forward_origin": map[string]any{"type": kind, "date": 1}}})
}

// Location sends a point.
func (u *User) Location(lat, lon float64) int64 { return u.LocationWithin(lat, lon, 0) }

// LocationWithin sends a point with the accuracy that the phone claims, in metres.
func (u *User) LocationWithin(lat, lon, metres float64) int64 {
	return u.say(&Message{Content: map[string]any{"location": point(lat, lon, metres, 0)}})
}

// Live begins to share a live location; Move and StopLive go on with it.
func (u *User) Live(lat, lon float64, period time.Duration) int64 {
	return u.say(&Message{Content: map[string]any{"location": point(lat, lon, 0, period)}})
}

// Move moves a live location.
func (u *User) Move(id int64, lat, lon float64, left time.Duration) {
	u.change(id, func(m *Message) { m.Content = map[string]any{"location": point(lat, lon, 0, left)} })
}

// StopLive ends a live location at its last point.
func (u *User) StopLive(id int64, lat, lon float64) { u.Move(id, lat, lon, 0) }

func point(lat, lon, metres float64, period time.Duration) map[string]any {
	p := map[string]any{"latitude": lat, "longitude": lon}
	if metres > 0 {
		p["horizontal_accuracy"] = metres
	}
	if period > 0 {
		p["live_period"] = int(period.Seconds())
	}
	return p
}

// Venue sends a named place.
func (u *User) Venue(lat, lon float64, title, address string) int64 {
	p := point(lat, lon, 0, 0)
	return u.say(&Message{Content: map[string]any{
		"location": p, "venue": map[string]any{"location": p, "title": title, "address": address},
	}})
}

// ShareNumber sends the person's own contact card, as the contact button does.
func (u *User) ShareNumber(phone string) int64 { return u.Contact(phone, u.self.name, u.self.id) }

// Contact sends anybody's contact card; user is 0 for one without a Telegram account.
func (u *User) Contact(phone, name string, user int64) int64 {
	card := map[string]any{"phone_number": phone, "first_name": name}
	if user != 0 {
		card["user_id"] = user
	}
	return u.say(&Message{Content: map[string]any{"contact": card}})
}

// Photo sends a picture in two sizes, the larger one last, as Telegram does.
func (u *User) Photo(content []byte, caption string) int64 {
	return u.media("photo", content, caption, func(id string) any {
		return []any{
			map[string]any{"file_id": id + "s", "file_unique_id": "s" + id, "width": 90, "height": 67, "file_size": 1000},
			map[string]any{"file_id": id, "file_unique_id": "l" + id, "width": 1280, "height": 960, "file_size": len(content)},
		}
	})
}

// Voice sends a voice message.
func (u *User) Voice(content []byte, seconds int) int64 {
	return u.media("voice", content, "", func(id string) any {
		return map[string]any{"file_id": id, "file_unique_id": "u" + id, "duration": seconds, "mime_type": "audio/ogg", "file_size": len(content)}
	})
}

// Document sends a file.
func (u *User) Document(content []byte, name, mime, caption string) int64 {
	return u.media("document", content, caption, func(id string) any {
		return map[string]any{"file_id": id, "file_unique_id": "u" + id, "file_name": name, "mime_type": mime, "file_size": len(content)}
	})
}

func (u *User) media(kind string, content []byte, caption string, object func(id string) any) int64 {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	return u.sayLocked(&Message{Text: caption, Content: map[string]any{kind: object(u.bot.store(kind, content))}})
}

// Tap presses the newest button with this label: below a message, else on the reply keyboard, whose location button
// needs Location and whose contact button needs ShareNumber instead.
func (u *User) Tap(label string) {
	u.srv.mu.Lock()
	c := u.bot.chatOf(u.self)
	for i := len(c.messages) - 1; i >= 0; i-- {
		m := c.messages[i]
		if b, ok := m.button(label); ok && !m.Deleted {
			u.tapLocked(c, m.ID, b.Data)
			u.srv.mu.Unlock()
			return
		}
	}
	for _, row := range c.keyboard {
		for _, k := range row {
			if k.Text == label && !k.Location && !k.Contact {
				u.sayLocked(&Message{Text: label})
				u.srv.mu.Unlock()
				return
			}
		}
	}
	shown := c.lastLabels()
	u.srv.mu.Unlock()
	u.srv.fatal("tap: there is no button %q; the newest are %q", label, shown)
}

func (c *chat) lastLabels() []string {
	for i := len(c.messages) - 1; i >= 0; i-- {
		if l := c.messages[i].Labels(); len(l) > 0 {
			return l
		}
	}
	return nil
}

// TapData sends a tap with this data as from message id, whatever is on that message: the API says that the data of
// a tap need not be. It returns the tap's update id.
func (u *User) TapData(id int64, data string) int64 {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	return u.tapLocked(u.bot.chatOf(u.self), id, data)
}

func (u *User) tapLocked(c *chat, id int64, data string) int64 {
	qid := randomHex(8)
	u.bot.queries[qid] = &query{expires: u.srv.nowLocked().Add(keepTap)}
	msg := map[string]any{"message_id": id, "chat": c.asChat(), "date": 0} // inaccessible: deleted, or too old
	if m := c.find(id); m != nil && u.srv.nowLocked().Sub(m.At) < deletable {
		msg = c.asMessage(m, u.bot.asUser())
	}
	return u.bot.push("callback_query", u.self.id, map[string]any{
		"id": qid, "from": u.asUser(), "message": msg, "chat_instance": "1", "data": data,
	})
}

// Block blocks the bot; Unblock lets it write again.
func (u *User) Block() {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	c := u.bot.chatOf(u.self)
	c.blocked = true
	u.member(c, "member", "kicked")
}

// Unblock lets the bot write again.
func (u *User) Unblock() {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	u.unblockLocked(u.bot.chatOf(u.self))
}

func (u *User) unblockLocked(c *chat) {
	c.blocked = false
	u.member(c, "kicked", "member")
}

func (u *User) member(c *chat, from, to string) {
	who := u.bot.asUser()
	u.bot.push("my_chat_member", c.id, map[string]any{
		"chat": c.asChat(), "from": u.asUser(), "date": u.srv.nowLocked().Unix(),
		"old_chat_member": map[string]any{"user": who, "status": from},
		"new_chat_member": map[string]any{"user": who, "status": to},
	})
}

// Deactivate deletes the person's account.
func (u *User) Deactivate() {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	u.self.deactivated = true
}

// Messages is the chat so far, deleted messages included.
func (u *User) Messages() []Message {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	return u.bot.chatOf(u.self).copies()
}

// FromBot are the bot's messages so far.
func (u *User) FromBot() []Message {
	var out []Message
	for _, m := range u.Messages() {
		if m.FromBot {
			out = append(out, m)
		}
	}
	return out
}

// Keyboard is the reply keyboard that is up.
func (u *User) Keyboard() [][]Key {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	return u.bot.chatOf(u.self).keyboard
}

// Transcript is the chat as text, one message after the other.
func (u *User) Transcript() string { return transcript(u.Messages()) }

// Wait waits at most a minute for a message of the bot that matches and that no earlier Wait has passed, and
// returns it. Without one the test fails, or the program panics where there is no test.
func (u *User) Wait(match func(m Message) bool) Message {
	if u.srv.t != nil {
		u.srv.t.Helper()
	}
	u.srv.mu.Lock()
	c := u.bot.chatOf(u.self)
	u.srv.mu.Unlock()
	return c.wait(match)
}

// WaitFor waits like Wait for a message with these words in its text.
func (u *User) WaitFor(words string) Message {
	if u.srv.t != nil {
		u.srv.t.Helper()
	}
	return u.Wait(func(m Message) bool { return strings.Contains(m.Text, words) })
}

func (c *chat) copies() []Message {
	out := make([]Message, len(c.messages))
	for i, m := range c.messages {
		out[i] = *m
	}
	return out
}

func (c *chat) wait(match func(m Message) bool) Message {
	s := c.bot.srv
	if s.t != nil {
		s.t.Helper()
	}
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		for _, m := range c.copies() {
			if m.FromBot && m.ID > c.seen && match(m) {
				c.seen = m.ID
				s.mu.Unlock()
				return m
			}
		}
		changed, all := s.changed, c.copies()
		s.mu.Unlock()
		select {
		case <-changed:
		case <-deadline.C:
			s.fatal("no such message came; the chat is:\n%s", transcript(all))
			return Message{}
		}
	}
}

func transcript(list []Message) string {
	var b strings.Builder
	for _, m := range list {
		who := "orang"
		if m.FromBot {
			who = "bot"
		}
		fmt.Fprintf(&b, "%s %d: %s", who, m.ID, m.Text)
		for k := range m.Content {
			fmt.Fprintf(&b, " <%s>", k)
		}
		if m.Deleted {
			b.WriteString(" (deleted)")
		}
		for _, row := range m.Buttons {
			b.WriteString("\n   ")
			for _, k := range row {
				fmt.Fprintf(&b, " [%s]", k.Text)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// fatal ends the test, or the program where there is none. The lock must not be held by what t.Fatalf runs later, so
// callers that hold it return at once.
func (s *Server) fatal(format string, args ...any) {
	if s.t == nil {
		panic("telegramtest: " + fmt.Sprintf(format, args...))
	}
	s.t.Helper()
	s.t.Fatalf("telegramtest: "+format, args...)
}
