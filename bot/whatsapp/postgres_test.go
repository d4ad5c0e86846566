package whatsapp

import (
	"context"
	"testing"
	"time"

	"pulang/bot/whatsapp/whatsapptest"
)

// On Postgres any replica finds the device, who is who, and what was sent.
func TestPostgres(t *testing.T) {
	url := whatsapptest.Postgres(t)
	r := newRig(t, func(o *Options) { o.Store = url }).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	budi.Say(r.number, "satu")
	from := r.keeper.wait(t, 1)[0].From
	r.end()
	r.number.WaitGone()
	budi.Say(r.number, "dua")
	r.start().up() // as another replica would
	if m := r.keeper.wait(t, 2)[1]; m.Input.Text != "dua" || m.From != from {
		t.Fatalf("got %+v", m.Input)
	}
	if _, err := r.send(from, "01R", "jawaban"); err != nil {
		t.Fatal(err)
	}
	budi.WaitFor("jawaban")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.c.Forget(ctx, from.Address); err != nil {
		t.Fatal(err)
	}
	for table, col := range map[string]string{"hotline_people": "jid", "whatsmeow_lid_map": "lid", "whatsmeow_sessions": "their_id", "whatsmeow_retry_buffer": "chat_jid"} {
		var n int
		q := "SELECT COUNT(*) FROM " + table + " WHERE " + col + " LIKE '" + budi.LID().User + "%' OR " + col + " LIKE '" + budi.Number() + "%'"
		if err := r.c.current.Load().dev.db.QueryRowContext(ctx, q).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s still knows the person: %d %v", table, n, err)
		}
	}
	if all, err := List(ctx, url); err != nil || len(all) != 1 {
		t.Errorf("%v %v", all, err)
	}
}
