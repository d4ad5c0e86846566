package whatsapp

import (
	"context"
	"fmt"
	"time"
)

// keepSent is how long a sent text stays in the device store for a phone that asks for it again.
const keepSent = 24 * time.Hour

// tidyEvery is how often the device store is tidied. A secret outlives one round and not two: a person may correct a
// message for a quarter of an hour, and the correction is sealed with the message's secret.
var tidyEvery = time.Hour

// secret names a row of the table of message secrets.
type secret struct{ chat, sender, id string }

// tidy removes what the library would keep: sent texts for a week, and the secrets of every message for ever. It
// removes the secrets that were there at the call before.
func (d *devices) tidy(ctx context.Context) error {
	_, err := d.db.ExecContext(ctx, "DELETE FROM whatsmeow_retry_buffer WHERE timestamp < $1", time.Now().Add(-keepSent).UnixMilli())
	if err != nil {
		return fmt.Errorf("whatsapp device store: %w", plain(err))
	}
	for _, s := range d.secrets {
		_, err := d.db.ExecContext(ctx, "DELETE FROM whatsmeow_message_secrets WHERE chat_jid = $1 AND sender_jid = $2 AND message_id = $3", s.chat, s.sender, s.id)
		if err != nil {
			return fmt.Errorf("whatsapp device store: %w", plain(err))
		}
	}
	d.secrets = nil
	rows, err := d.db.QueryContext(ctx, "SELECT chat_jid, sender_jid, message_id FROM whatsmeow_message_secrets")
	if err != nil {
		return fmt.Errorf("whatsapp device store: %w", plain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var s secret
		if err := rows.Scan(&s.chat, &s.sender, &s.id); err != nil {
			return fmt.Errorf("whatsapp device store: %w", plain(err))
		}
		d.secrets = append(d.secrets, s)
	}
	return rows.Err()
}

// keepTidy tidies for as long as the session lives.
func (s *session) keepTidy() {
	for sleep(s.life, tidyEvery) {
		if err := s.dev.tidy(s.life); err != nil && s.life.Err() == nil {
			s.c.log.Warn("whatsapp device store", "err", clean(err))
		}
	}
}
