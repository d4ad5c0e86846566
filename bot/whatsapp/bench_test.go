package whatsapp

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/whatsapp/whatsapptest"
)

// Messages a second through the adapter, with client, server and people in one process on loopback: encryption both
// ways, the device store, and a hotline that keeps what it accepts in memory. The pace that spares the number is off.
func BenchmarkMessages(b *testing.B) {
	server := whatsapptest.Postgres(b)
	for _, store := range []string{"sqlite", "postgres"} {
		b.Run("in/"+store, func(b *testing.B) {
			r, people := benchRig(b, store, server)
			r.end() // what is said meanwhile waits at the server, so that the people's own work is not measured
			r.number.WaitGone()
			before := len(r.keeper.all())
			for i := range b.N {
				people[i%len(people)].Say(r.number, fmt.Sprintf("catatan %d", i))
			}
			b.ResetTimer()
			r.start()
			for len(r.keeper.all()) < before+b.N || r.number.PendingMessages() > 0 {
				time.Sleep(time.Millisecond)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
		b.Run("out/"+store, func(b *testing.B) {
			r, people := benchRig(b, store, server)
			b.ResetTimer()
			for i := range b.N {
				to := r.c.contact(people[i%len(people)].LID().String())
				_, err := r.c.Send(context.Background(), bot.Row{ID: fmt.Sprintf("row%d", i), To: to, Lane: bot.LaneBot, Out: bot.Outgoing{Text: "jawaban"}})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// benchRig is a linked number that is up, and 50 people who have written to it.
func benchRig(b *testing.B, store, server string) (*rig, []*whatsapptest.Citizen) {
	b.Helper()
	r := newRig(b, func(o *Options) {
		if store == "postgres" {
			o.Store = freshDatabase(b, server)
		}
		o.PerSecond, o.Burst, o.Log = 1e6, 1e6, nil
	}).link().start().up()
	var people []*whatsapptest.Citizen
	for i := range 50 {
		c := r.srv.Citizen(fmt.Sprintf("+62 812 0000 1%02d", i))
		c.Say(r.number, "halo")
		people = append(people, c)
	}
	r.keeper.wait(b, len(people))
	r.number.WaitSettled()
	return r, people
}

var databases int

func freshDatabase(b *testing.B, server string) string {
	b.Helper()
	databases++
	name := fmt.Sprintf("devices%d", databases)
	db, err := sql.Open("pgx", server)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(b.Context(), "CREATE DATABASE "+name); err != nil {
		b.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		b.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}
