package telegramtest

import "strconv"

// Group is a chat of several people that the bot is in, such as a staff chat.
type Group struct {
	srv *Server
	c   *chat
}

// Group adds a group with the first bot in it and tells the bot.
func (s *Server) Group(title string) *Group { return s.first.Group(title) }

// Group adds a group with this bot in it and tells the bot.
func (b *Bot) Group(title string) *Group {
	s := b.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups++
	c := &chat{bot: b, id: -1_000_000_000_000 - s.groups, kind: "supergroup", title: title, nextID: 1, started: true}
	b.chats[c.id] = c
	b.push("my_chat_member", c.id, map[string]any{
		"chat": c.asChat(), "from": map[string]any{"id": 1, "is_bot": false, "first_name": "Admin"}, "date": s.nowLocked().Unix(),
		"old_chat_member": map[string]any{"user": b.asUser(), "status": "left"},
		"new_chat_member": map[string]any{"user": b.asUser(), "status": "member"},
	})
	return &Group{srv: s, c: c}
}

// ID is the group's chat id, Address the same as an alert target spells it.
func (g *Group) ID() int64       { return g.c.id }
func (g *Group) Address() string { return strconv.FormatInt(g.c.id, 10) }

// Say lets a member write.
func (g *Group) Say(text string) {
	g.srv.mu.Lock()
	defer g.srv.mu.Unlock()
	m := g.c.add(&Message{Text: text})
	g.c.bot.push("message", g.c.id, g.c.asMessage(m, map[string]any{"id": 1, "is_bot": false, "first_name": "Admin"}))
}

// Migrate makes the group a supergroup with a new id, and returns the new one.
func (g *Group) Migrate() *Group {
	g.srv.mu.Lock()
	defer g.srv.mu.Unlock()
	g.srv.groups++
	n := &chat{bot: g.c.bot, id: -1_000_000_000_000 - g.srv.groups, kind: "supergroup", title: g.c.title, nextID: 1, started: true}
	g.c.bot.chats[n.id] = n
	g.c.migrated = n.id
	return &Group{srv: g.srv, c: n}
}

// Kick removes the bot.
func (g *Group) Kick() {
	g.srv.mu.Lock()
	defer g.srv.mu.Unlock()
	g.c.blocked = true
}

// Messages is the chat so far.
func (g *Group) Messages() []Message {
	g.srv.mu.Lock()
	defer g.srv.mu.Unlock()
	return g.c.copies()
}

// Wait waits like User.Wait.
func (g *Group) Wait(match func(m Message) bool) Message {
	if g.srv.t != nil {
		g.srv.t.Helper()
	}
	return g.c.wait(match)
}
