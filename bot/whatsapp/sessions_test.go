package whatsapp

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// A person who writes while being written to: neither side's encryption undoes a step of the other's.
func TestBothWriteAtOnce(t *testing.T) {
	for name, again := range map[string]bool{"undisturbed": false, "copies asked for": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil).link().start().up()
			budi := r.srv.Citizen("+62 812 0000 002")
			budi.Say(r.number, "0")
			from := r.keeper.wait(t, 1)[0].From
			const each = 40
			var both sync.WaitGroup
			both.Go(func() {
				for i := range each {
					budi.WaitAccepted(budi.Say(r.number, fmt.Sprint(i+1)))
					if again && i%10 == 9 {
						// The phone's next message begins a new session, and so does the copy that it asks for.
						budi.AskAgain(r.number, MessageID("row0"))
					}
				}
			})
			both.Go(func() {
				for i := range each {
					until(t, "a send", func() bool {
						_, err := r.send(from, fmt.Sprintf("row%d", i), fmt.Sprintf("answer %d", i))
						return err == nil
					})
				}
			})
			both.Wait()
			all := r.keeper.wait(t, each+1)
			shown := func() map[string]bool {
				ids := map[string]bool{}
				for _, m := range budi.Messages() {
					ids[m.ID] = true
				}
				return ids
			}
			until(t, "every answer", func() bool { return len(shown()) == each })
			if again {
				return // sessions that begin anew cross each other: copies are asked for, and come
			}
			for i, m := range all {
				if m.Input.Text != fmt.Sprint(i) {
					t.Fatalf("message %d is %q", i, m.Input.Text)
				}
			}
			if n := strings.Count(r.log.String(), "could not be decrypted"); n+len(budi.Broken()) > 0 {
				t.Errorf("%d messages could not be read here, and there: %v", n, budi.Broken())
			}
		})
	}
}
