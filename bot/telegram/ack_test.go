package telegram

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"pulang/bot"
)

// OnAck is told once for each update that Telegram may forget, and not for one that has to come again.
func TestAcknowledgementsAreTold(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"poll", "webhook"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			var acks, odd atomic.Int64
			b := newBench(t, func(o *Options) {
				o.OnAck = func(took time.Duration) {
					acks.Add(1)
					if took <= 0 || took > time.Minute {
						odd.Add(1)
					}
				}
			})
			b.srv.Speed(50)
			b.hot.refuseWith(func(bot.Message) error { return errors.New("store down") })
			for range 3 {
				b.srv.User("id").Send("halo")
			}
			if way == "poll" {
				b.poll(t)
			} else {
				b.listen(t)
			}
			b.hot.wait(t, "tries", func() bool { return b.hot.calls > 9 })
			if n := acks.Load(); n != 0 {
				t.Errorf("%d updates were told as acknowledged while the store was down", n)
			}
			b.hot.refuseWith(nil)
			b.hot.wait(t, "all", func() bool { return len(b.hot.got) == 3 && acks.Load() == 3 && b.srv.Pending() == 0 })
			if odd.Load() != 0 {
				t.Errorf("%d acknowledgements took no time, or more than the test", odd.Load())
			}
		})
	}
}
