package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.mau.fi/whatsmeow/types"
)

// WhatsApp knows a person by two addresses: the number, and a LID that tells no number. A message bears one of them
// or both, and either may come first. The address under which a person's conversation is kept is chosen once, at the
// first message: the LID where there is one. hotline_people remembers it for both halves, so that a half that is
// learnt later leads to the same conversation and nothing has to be moved.

const peopleTable = `CREATE TABLE IF NOT EXISTS hotline_people (
	jid     TEXT PRIMARY KEY,
	address TEXT NOT NULL,
	expires BIGINT NOT NULL DEFAULT 0
)`

func (d *devices) upgradePeople(ctx context.Context) error {
	if _, err := d.db.ExecContext(ctx, peopleTable); err != nil {
		return fmt.Errorf("whatsapp device store: %w", plain(err))
	}
	return nil
}

// errNoPerson is an address that is neither a number nor a LID.
var errNoPerson = errors.New("not a person's address")

// halves sorts the known addresses of one person. Hosted addresses are the same people on a hosted server.
func halves(js ...types.JID) (lid, number types.JID) {
	for _, j := range js {
		j = j.ToNonAD()
		if j.User == "" {
			continue
		}
		switch j.Server {
		case types.HiddenUserServer, types.HostedLIDServer:
			j.Server = types.HiddenUserServer
			lid = j
		case types.DefaultUserServer, types.HostedServer, types.LegacyUserServer:
			j.Server = types.DefaultUserServer
			number = j
		}
	}
	return lid, number
}

// address is the address under which this person's conversation is kept, and the number if it is known. A hidden
// number stays hidden: nothing here asks WhatsApp.
func (s *session) address(ctx context.Context, js ...types.JID) (address string, number types.JID, err error) {
	lid, number := halves(js...)
	switch {
	case lid.IsEmpty() && number.IsEmpty():
		return "", number, errNoPerson
	case lid.IsEmpty():
		lid, err = s.dev.container.LIDMap.GetLIDForPN(ctx, number)
	case number.IsEmpty():
		number, err = s.dev.container.LIDMap.GetPNForLID(ctx, lid)
	}
	if err != nil {
		return "", number, fmt.Errorf("whatsapp device store: %w", plain(err))
	}
	address, err = s.dev.addressOf(ctx, lid, number)
	return address, number, err
}

// addressOf looks the address up, or chooses it. Where both halves had a conversation of their own before anybody
// knew that they are one person, each keeps it: officers link cases, not this.
func (d *devices) addressOf(ctx context.Context, lid, number types.JID) (string, error) {
	kept := map[string]string{}
	rows, err := d.db.QueryContext(ctx, "SELECT jid, address FROM hotline_people WHERE jid IN ($1, $2)", lid.String(), number.String())
	if err != nil {
		return "", fmt.Errorf("whatsapp device store: %w", plain(err))
	}
	for rows.Next() {
		var jid, address string
		if err = rows.Scan(&jid, &address); err != nil {
			break
		}
		kept[jid] = address
	}
	if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
		return "", fmt.Errorf("whatsapp device store: %w", plain(err))
	}
	address := kept[lid.String()]
	if address == "" || lid.IsEmpty() {
		address = kept[number.String()]
	}
	if address == "" {
		address = number.String()
		if !lid.IsEmpty() {
			address = lid.String()
		}
	}
	for _, j := range []types.JID{lid, number} {
		if j.IsEmpty() || kept[j.String()] != "" {
			continue
		}
		_, err := d.db.ExecContext(ctx, "INSERT INTO hotline_people (jid, address) VALUES ($1, $2) ON CONFLICT (jid) DO NOTHING", j.String(), address)
		if err != nil {
			return "", fmt.Errorf("whatsapp device store: %w", plain(err))
		}
	}
	return address, nil
}

// setExpiry remembers after how many seconds messages of this chat disappear: what we say there should as well.
func (d *devices) setExpiry(ctx context.Context, address string, seconds uint32) error {
	if d.expiry(ctx, address) == seconds {
		return nil // nearly always, and reading keeps nobody from writing
	}
	_, err := d.db.ExecContext(ctx, "UPDATE hotline_people SET expires = $1 WHERE address = $2 AND expires <> $1", int64(seconds), address)
	return err
}

func (d *devices) expiry(ctx context.Context, address string) uint32 {
	var n int64
	if d.db.QueryRowContext(ctx, "SELECT MAX(expires) FROM hotline_people WHERE address = $1", address).Scan(&n) != nil || n < 0 || n > 1<<31 {
		return 0
	}
	return uint32(n)
}

// forget removes a person from every table of the device store that knows people.
func (d *devices) forget(ctx context.Context, address string) error {
	known := map[string]types.JID{}
	add := func(s string) {
		if j, err := types.ParseJID(s); err == nil && j.User != "" {
			known[j.ToNonAD().String()] = j.ToNonAD()
		}
	}
	add(address)
	for _, q := range []string{
		"SELECT jid FROM hotline_people WHERE address = $1", "SELECT address FROM hotline_people WHERE jid = $1",
	} {
		rows, err := d.db.QueryContext(ctx, q, address)
		if err != nil {
			return fmt.Errorf("whatsapp device store: %w", plain(err))
		}
		for rows.Next() {
			var s string
			if rows.Scan(&s) == nil {
				add(s)
			}
		}
		_ = rows.Close()
	}
	for _, j := range known {
		var other string
		col, from := "pn", "lid"
		if j.Server == types.DefaultUserServer {
			col, from = "lid", "pn"
		}
		if d.db.QueryRowContext(ctx, "SELECT "+col+" FROM whatsmeow_lid_map WHERE "+from+" = $1", j.User).Scan(&other) == nil {
			server := types.DefaultUserServer
			if col == "lid" {
				server = types.HiddenUserServer
			}
			o := types.NewJID(other, server)
			known[o.String()] = o
		}
	}
	for full, j := range known {
		user := j.User
		for _, q := range []struct {
			sql string
			arg string
		}{
			{"DELETE FROM whatsmeow_contacts WHERE their_jid = $1", full},
			{"DELETE FROM whatsmeow_chat_settings WHERE chat_jid = $1", full},
			{"DELETE FROM whatsmeow_message_secrets WHERE chat_jid = $1", full},
			{"DELETE FROM whatsmeow_message_secrets WHERE sender_jid = $1", full},
			{"DELETE FROM whatsmeow_sender_keys WHERE sender_id LIKE $1", likeUser(user, ":")},
			{"DELETE FROM whatsmeow_sender_keys WHERE sender_id LIKE $1", likeUser(user, "_1:")},
			{"DELETE FROM whatsmeow_privacy_tokens WHERE their_jid = $1", full},
			{"DELETE FROM whatsmeow_retry_buffer WHERE chat_jid = $1", full},
			{"DELETE FROM whatsmeow_lid_map WHERE lid = $1", user},
			{"DELETE FROM whatsmeow_lid_map WHERE pn = $1", user},
			{"DELETE FROM whatsmeow_sessions WHERE their_id LIKE $1", likeUser(user, ":")},
			{"DELETE FROM whatsmeow_sessions WHERE their_id LIKE $1", likeUser(user, "_1:")},
			{"DELETE FROM whatsmeow_identity_keys WHERE their_id LIKE $1", likeUser(user, ":")},
			{"DELETE FROM whatsmeow_identity_keys WHERE their_id LIKE $1", likeUser(user, "_1:")},
			{"DELETE FROM hotline_people WHERE jid = $1", full},
		} {
			if _, err := d.db.ExecContext(ctx, q.sql, q.arg); err != nil {
				return fmt.Errorf("whatsapp device store: %w", plain(err))
			}
		}
	}
	if d.lock != nil {
		// What was deleted is overwritten in the file (secure_delete); the log beside it is emptied too.
		if _, err := d.db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			return fmt.Errorf("whatsapp device store: %w", plain(err))
		}
	}
	return nil
}

// likeUser is a LIKE pattern; a user part is digits, anything else matches nothing.
func likeUser(user, sep string) string {
	if strings.Trim(user, "0123456789") != "" {
		return ""
	}
	return user + sep + "%"
}

// Forget removes a person from the device store, for erasure. It needs the store to be open here; elsewhere the
// caller repeats it where Serve runs. bot erasure goes on without it: the error says so.
func (c *Channel) Forget(ctx context.Context, address string) error {
	s := c.current.Load()
	if s == nil {
		return errors.New("whatsapp: the device store is not open in this process")
	}
	s.unheard.forget(address)
	return s.dev.forget(ctx, address)
}
