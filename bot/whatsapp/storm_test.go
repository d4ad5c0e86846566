package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"pulang/bot"
)

// Lines that end at random instants, a store that fails now and then, and processes that end in between: nothing is
// lost, nothing doubled, everybody's order kept, and an answer is repeated only under the same id.
func TestNothingLostWhenLinesDrop(t *testing.T) {
	people, each, drops := 5, 20, 20
	if os.Getenv("PULANG_SOAK") != "" {
		people, each, drops = 10, 50, 100
	}
	r := newRig(t, nil).link()
	n := 0
	r.keeper.hook = func(bot.Message) error {
		if n++; n%37 == 0 {
			return errors.New("the store hiccups")
		}
		return nil
	}
	r.start().up()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 1))
	var writing sync.WaitGroup
	for i := range people {
		c := r.srv.Citizen(fmt.Sprintf("+62 812 0000 1%02d", i))
		writing.Go(func() {
			for k := range each {
				c.Say(r.number, fmt.Sprintf("%d", k))
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	for i := range drops {
		time.Sleep(time.Duration(chance.IntN(120)) * time.Millisecond)
		if i%10 == 9 {
			r.end()
			r.number.WaitGone()
			r.start()
			continue
		}
		r.number.Drop()
	}
	writing.Wait()
	r.keeper.wait(t, people*each)
	r.up()
	until(t, "everything acknowledged", func() bool { return r.number.PendingMessages() == 0 })
	all := r.keeper.all()
	if len(all) != people*each {
		t.Fatalf("%d messages, want %d", len(all), people*each)
	}
	next := map[string]int{}
	for _, m := range all {
		if want := fmt.Sprintf("%d", next[m.From.Address]); m.Input.Text != want {
			t.Errorf("somebody's message %s came when %s was next", m.Input.Text, want)
		}
		next[m.From.Address]++
	}
	if r.number.MostConnections() > 1 {
		t.Error("two connections of one device")
	}

	// Answers while lines drop: tried again until taken, as the relay does.
	c := r.srv.Citizen("+62 812 0000 100")
	to := r.c.contact(c.LID().String())
	for i := range 10 {
		go func() {
			time.Sleep(time.Duration(i) * time.Millisecond)
			r.number.Drop()
		}()
		row := fmt.Sprintf("row%d", i)
		until(t, "the answer", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := r.c.Send(ctx, bot.Row{ID: row, To: to, Lane: bot.LaneBot, Out: bot.Outgoing{Text: row}})
			return err == nil
		})
		c.WaitFor(row)
	}
	seen := map[string]int{}
	for _, m := range c.Messages() {
		if m.Copy == 0 {
			seen[m.Text]++
		}
	}
	for text, n := range seen {
		if n != 1 {
			t.Errorf("%q was shown %d times", text, n)
		}
	}
}
