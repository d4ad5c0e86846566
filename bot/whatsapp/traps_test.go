package whatsapp

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"pulang/bot"
	"pulang/bot/whatsapp/whatsapptest"
	"pulang/flows"
)

// shorten replaces a time of the package for a test.
func shorten(t *testing.T, d *time.Duration, to time.Duration) {
	t.Helper()
	was := *d
	*d = to
	t.Cleanup(func() { *d = was })
}

// first lets a citizen write, and returns the contact.
func (r *rig) first(c *whatsapptest.Citizen) bot.Contact {
	r.t.Helper()
	n := len(r.keeper.all())
	c.Say(r.number, "halo")
	return r.keeper.wait(r.t, n+1)[n].From
}

// The library waits for ever for a line that ended before WhatsApp said "connect again".
func TestLinkWhenTheLineEndsTooEarly(t *testing.T) {
	shorten(t, &connectedWithin, time.Second)
	r := newRig(t, nil)
	r.srv.Watch(func(st whatsapptest.Stanza) whatsapptest.Verdict {
		if st.Node.Tag == "stream:error" {
			return whatsapptest.Cut
		}
		return whatsapptest.Pass
	})
	r.link()
	if d := r.number.Devices(); len(d) != 1 || d[0].Name() != "Pulang" {
		t.Errorf("the phone lists %v", d)
	}
}

func TestStartsWhileWhatsAppIsAway(t *testing.T) {
	r := newRig(t, nil).link()
	r.srv.Dark(true)
	r.start()
	until(t, "an attempt", func() bool { return strings.Contains(r.log.String(), "no line") })
	r.srv.Dark(false)
	r.up()
}

// The first message after a restart reaches every device of a person.
func TestBothPhonesAfterARestart(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	budi.LinkDevice()
	from := r.first(budi)
	r.end()
	r.number.WaitGone()
	r.start().up()
	id, err := r.send(from, "01R", "jawaban")
	if err != nil {
		t.Fatal(err)
	}
	budi.WaitFor("jawaban")
	if n := budi.Reached(id); n != 2 {
		t.Errorf("%d of two devices have it", n)
	}
}

// A line that is up and on which nothing moves is built anew, whatever the library believes.
func TestDeafLineIsBuiltAnew(t *testing.T) {
	shorten(t, &lookAtLine, 50*time.Millisecond)
	shorten(t, &deafAfter, 2*time.Second)
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	r.first(budi)
	logins := len(r.number.Logins())
	var deaf atomic.Bool
	deaf.Store(true)
	r.srv.Watch(func(st whatsapptest.Stanza) whatsapptest.Verdict {
		if st.Node.Tag == "success" || st.Node.Tag == "iq" {
			deaf.Store(deaf.Load() && len(r.number.Logins()) == logins)
		}
		if deaf.Load() && !st.ToUs {
			return whatsapptest.Lose
		}
		return whatsapptest.Pass
	})
	budi.Say(r.number, "masih di sana?")
	if m := r.keeper.wait(t, 2)[1]; m.Input.Text != "masih di sana?" {
		t.Errorf("got %q", m.Input.Text)
	}
}

// Pings without answer end the line after the second, not after three minutes.
func TestKeepAlive(t *testing.T) {
	shorten(t, &whatsmeow.KeepAliveIntervalMin, 100*time.Millisecond)
	shorten(t, &whatsmeow.KeepAliveIntervalMax, 200*time.Millisecond)
	shorten(t, &whatsmeow.KeepAliveResponseDeadline, 200*time.Millisecond)
	r := newRig(t, nil).link()
	var half atomic.Bool
	r.srv.Watch(func(st whatsapptest.Stanza) whatsapptest.Verdict {
		if half.Load() && st.ToUs && st.Node.Tag == "iq" && st.Node.Attrs["xmlns"] == "w:p" {
			return whatsapptest.Lose
		}
		return whatsapptest.Pass
	})
	r.start().up()
	logins := len(r.number.Logins())
	half.Store(true)
	until(t, "a new line", func() bool { return len(r.number.Logins()) > logins })
	half.Store(false)
	r.up()
}

// Refusals for other reasons than a ban or an old version have their alarm, and are not repeated at once.
func TestRefusedLogins(t *testing.T) {
	shorten(t, &refusedWait, 300*time.Millisecond)
	for _, c := range []struct {
		reason int
		alarm  Alarm
		after  State
	}{{403, AlarmLoggedOut, Unlinked}, {406, AlarmLoggedOut, Unlinked}, {418, AlarmRefused, Up}} {
		t.Run(fmt.Sprint(c.reason), func(t *testing.T) {
			r := newRig(t, nil).link().start().up()
			r.number.RefuseLogins(1, whatsapptest.Refusal{Reason: c.reason})
			r.number.Drop()
			select {
			case a := <-r.alarms:
				if a != c.alarm {
					t.Errorf("alarm %q", a)
				}
			case <-time.After(time.Minute):
				t.Fatal("no alarm")
			}
			until(t, string(c.after), func() bool { return r.c.Health().State == c.after })
		})
	}
}

func TestUnknownStreamErrorIsSurvived(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	for _, code := range []string{"503", "599"} {
		logins := len(r.number.Logins())
		r.number.StreamError(code)
		until(t, "a new line after "+code, func() bool { return len(r.number.Logins()) > logins && !r.c.Idle() })
	}
}

// "available" would keep the handset from ringing: it is said while an answer is being written, and at no other time.
func TestPresence(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Typing = 100 * time.Millisecond }).link()
	r.number.Named("Hotline")
	r.start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	from := r.first(budi)
	until(t, "the name", func() bool { s := r.c.current.Load(); return s != nil && s.client.Store.PushName != "" })
	if _, err := r.send(from, "01R", "jawaban"); err != nil {
		t.Fatal(err)
	}
	budi.WaitFor("jawaban")
	until(t, "the presences", func() bool {
		p := r.number.Presence()
		return len(p) >= 2 && slices.Equal(p[len(p)-2:], []string{"available", "unavailable"})
	})
	if !slices.Contains(budi.Typing(), "composing") {
		t.Errorf("typing: %v", budi.Typing())
	}
}

// Senders choose the ids of their messages: two people may choose the same.
func TestSameIDOfTwoPeople(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi, siti := r.srv.Citizen("+62 812 0000 002"), r.srv.Citizen("+62 812 0000 003")
	budi.Say(r.number, "satu", whatsapptest.WithID("SAMA"))
	siti.Say(r.number, "dua", whatsapptest.WithID("SAMA"))
	r.keeper.wait(t, 2)
}

// Two ticks, a time that is WhatsApp's and hours old, and what is none of ours: the handset's own words, groups, status.
func TestWhatIsOursAndWhen(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	at := time.Now().Add(-5 * time.Hour).Truncate(time.Second).UTC()
	id := budi.Say(r.number, "lama", whatsapptest.SentAt(at))
	budi.WaitReadBy(id)
	until(t, "two ticks", func() bool { return slices.Contains(budi.Receipts(id), "") })
	r.number.Say(budi, "dari telepon petugas")
	budi.Say(r.number, "status", whatsapptest.InGroup("status@broadcast"))
	budi.Revoke(r.number, id)
	r.number.WaitSettled()
	if all := r.keeper.all(); len(all) != 1 || !all[0].Input.At.Equal(at) {
		t.Errorf("got %+v", all)
	}
}

func TestUnreadableMessages(t *testing.T) {
	shorten(t, &lostAfter, 300*time.Millisecond)
	r := newRig(t, func(o *Options) { o.Words.Again = "kirim lagi" }).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	r.first(budi)
	r.number.Say(budi, "dari telepon petugas") // the handset and the program have a session
	r.number.WaitSettled()
	budi.Garble(1)
	id := budi.Say(r.number, "penting")
	if m := r.keeper.wait(t, 2)[1]; m.Input.ID != id || m.Input.Text != "penting" {
		t.Errorf("got %+v", m.Input)
	}
	// The library asks the phone of the sender, and the number's own.
	if len(r.number.PeerMessages()) == 0 {
		t.Error("the handset was not asked")
	}
	// One that never becomes readable: its sender is asked for it.
	var lose atomic.Bool
	lose.Store(true)
	r.srv.Watch(func(st whatsapptest.Stanza) whatsapptest.Verdict {
		if lose.Load() && st.ToUs && st.Node.Tag == "receipt" && st.Node.Attrs["type"] == "retry" {
			return whatsapptest.Lose
		}
		return whatsapptest.Pass
	})
	budi.Garble(1)
	budi.Say(r.number, "hilang")
	budi.WaitFor("kirim lagi")
}

// A correction as newer phones seal it, and one that cannot be opened: nobody's correction is dropped without a word.
func TestSealedCorrections(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Words.Again = "kirim lagi" }).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	id := budi.Say(r.number, "Damaskus", whatsapptest.WithSecret())
	r.keeper.wait(t, 1)
	budi.EditSealed(r.number, id, "Aleppo")
	if m := r.keeper.wait(t, 2)[1]; !m.Input.Edit || m.Input.ID != id || m.Input.Text != "Aleppo" {
		t.Errorf("got %+v", m.Input)
	}
	dev := r.c.current.Load().dev
	for range 2 { // the second round removes what the first has seen
		if err := dev.tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	budi.EditSealed(r.number, id, "Homs")
	budi.WaitFor("kirim lagi")
}

// Where messages disappear, ours do too.
func TestDisappearingMessages(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	budi.Send(r.number, &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: proto.String("halo"), ContextInfo: &waE2E.ContextInfo{Expiration: proto.Uint32(86400)},
	}})
	from := r.keeper.wait(t, 1)[0].From
	until(t, "the timer", func() bool { return r.c.current.Load().dev.expiry(t.Context(), from.Address) == 86400 })
	if _, err := r.send(from, "01R", "jawaban"); err != nil {
		t.Fatal(err)
	}
	got := budi.WaitFor("jawaban").Message.GetExtendedTextMessage().GetContextInfo().GetExpiration()
	if got != 86400 {
		t.Errorf("expires after %d s", got)
	}
}

// A copy is found for a person who knows us by number and asks by LID.
func TestCopyForEitherAddress(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002").Shows(whatsapptest.OnlyNumber)
	from := r.first(budi)
	id, err := r.send(from, "01R", "jawaban")
	if err != nil {
		t.Fatal(err)
	}
	budi.WaitFor("jawaban")
	budi.AskAgain(r.number, id)
	budi.Wait(func(m whatsapptest.Received) bool { return m.ID == id && m.Copy > 0 })
}

// A new phone, or WhatsApp installed again: new keys on both ways.
func TestPersonWithNewKeys(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	from := r.first(budi)
	budi.Reinstall()
	if r.first(budi) != from {
		t.Error("another person")
	}
	if _, err := r.send(from, "01R", "jawaban"); err != nil {
		t.Fatal(err)
	}
	budi.WaitFor("jawaban")
}

// A lost answer ends the wait, and the same id makes the repeat recognisable.
func TestLostAnswer(t *testing.T) {
	shorten(t, &answerWithin, 300*time.Millisecond)
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	from := r.first(budi)
	var lose atomic.Bool
	lose.Store(true)
	r.srv.Watch(func(st whatsapptest.Stanza) whatsapptest.Verdict {
		if lose.Load() && !st.ToUs && st.Node.Tag == "ack" && st.Node.Attrs["class"] == "message" {
			return whatsapptest.Lose
		}
		return whatsapptest.Pass
	})
	var se *bot.SendError
	if _, err := r.send(from, "01R", "jawaban"); !errors.As(err, &se) || se.Do != bot.SendUnknown {
		t.Errorf("got %v", err)
	}
	lose.Store(false)
	answerWithin = time.Minute // this one is answered, on a slow machine too
	if _, err := r.send(from, "01R", "jawaban"); err != nil {
		t.Error(err)
	}
	until(t, "the repeat", func() bool { return budi.Repeats() == 1 })
	if n := len(budi.Messages()); n != 1 {
		t.Errorf("shown %d times", n)
	}
}

// WhatsApp takes a message for a phone whose keys it does not have at the moment; nobody gets it, and it is sent again.
func TestUnheardMessageIsSentOnceMore(t *testing.T) {
	shorten(t, &unheardAfter, 3*time.Second) // what the test does between two steps takes less
	r := newRig(t, nil).link().start().up()
	from := r.first(r.srv.Citizen("+62 812 0000 002"))
	siti := r.srv.Citizen("+62 812 0000 003")
	siti.Keyless(true)
	from.Address = siti.LID().String()
	id, err := r.send(from, "01R", "jawaban")
	if err != nil {
		t.Fatal(err)
	}
	if len(siti.Messages()) > 0 {
		t.Fatal("somebody got it")
	}
	siti.Keyless(false)
	if m := siti.WaitFor("jawaban"); m.ID != id {
		t.Errorf("came as %q", m.ID)
	}
	// A phone that says nothing gets one repeat under the same id, which it does not show.
	siti.Mute(true)
	if _, err := r.send(from, "02R", "kedua"); err != nil {
		t.Fatal(err)
	}
	until(t, "the repeat", func() bool { return siti.Repeats() == 1 })
	until(t, "the end of the watch", func() bool { return len(r.c.current.Load().unheard.late()) == 0 })
	if n := len(siti.Messages()); n != 2 {
		t.Errorf("%d messages shown", n)
	}
	// Nothing more is sent to somebody who is forgotten meanwhile.
	if _, err := r.send(from, "03R", "ketiga"); err != nil {
		t.Fatal(err)
	}
	if err := r.c.Forget(t.Context(), from.Address); err != nil {
		t.Fatal(err)
	}
	u := &r.c.current.Load().unheard
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.sent) > 0 {
		t.Error("a forgotten person's message would be sent again")
	}
}

// Sent texts leave the device store after a day.
func TestDeviceStoreIsTidied(t *testing.T) {
	shorten(t, &tidyEvery, 50*time.Millisecond)
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	from := r.first(budi)
	for _, row := range []string{"01R", "02R"} {
		if _, err := r.send(from, row, "jawaban"); err != nil {
			t.Fatal(err)
		}
	}
	db := r.c.current.Load().dev.db
	if _, err := db.ExecContext(t.Context(), "UPDATE whatsmeow_retry_buffer SET timestamp = $1 WHERE message_id = $2",
		time.Now().Add(-keepSent-time.Minute).UnixMilli(), MessageID("01R")); err != nil {
		t.Fatal(err)
	}
	left := func() (ids []string) {
		rows, err := db.QueryContext(t.Context(), "SELECT message_id FROM whatsmeow_retry_buffer")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			_ = rows.Scan(&id)
			ids = append(ids, id)
		}
		return ids
	}
	until(t, "the old text to go", func() bool { return !slices.Contains(left(), MessageID("01R")) })
	if !slices.Contains(left(), MessageID("02R")) {
		t.Error("a text of today is gone")
	}
}

// The number's own pace: what nobody waits for in danger waits, safety and officers do not.
func TestPace(t *testing.T) {
	r := newRig(t, func(o *Options) { o.PerSecond, o.Burst = 0.1, 1 })
	c, err := New(r.o)
	if err != nil {
		t.Fatal(err)
	}
	r.c = c
	if err := c.pace(t.Context(), bot.LaneBot); err != nil {
		t.Fatal(err)
	}
	var se *bot.SendError
	if err := c.pace(t.Context(), bot.LaneBot); !errors.As(err, &se) || se.Why != whyRate || se.After <= 0 {
		t.Errorf("a second message at once: %v", err)
	}
	for _, lane := range []bot.Lane{bot.LaneSafety, bot.LaneOfficer} {
		if err := c.pace(t.Context(), lane); err != nil {
			t.Errorf("lane %v waits: %v", lane, err)
		}
	}
}

// Many people at once: no message fails because the device store is busy.
func TestManyWriteAtOnce(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	const people = 60
	for i := range people {
		c := r.srv.Citizen(fmt.Sprintf("+62 812 0000 1%02d", i))
		c.Say(r.number, "satu")
		c.Say(r.number, "dua")
	}
	next := map[string]string{}
	for _, m := range r.keeper.wait(t, 2*people) {
		next[m.From.Address] += m.Input.Text
		if m.Input.Kind != flows.KindText {
			t.Error("not a text")
		}
	}
	for who, said := range next {
		if said != "satudua" {
			t.Errorf("%d people, one of them said %q", len(who), said)
		}
	}
	for _, bad := range []string{"locked", "BUSY", "Error decrypting"} {
		if strings.Contains(r.log.String(), bad) {
			t.Errorf("%q in the log", bad)
		}
	}
}

// More messages wait than the library keeps in order: each person's order is kept all the same.
func TestLongBacklogKeepsItsOrder(t *testing.T) {
	people, each := 4, 10
	if os.Getenv("PULANG_SOAK") != "" {
		each = 1000
	}
	r := newRig(t, nil).link()
	for i := range each {
		for k := range people {
			r.srv.Citizen(fmt.Sprintf("+62 812 0000 1%02d", k)).Say(r.number, fmt.Sprint(i))
		}
	}
	r.keeper.hook = func(m bot.Message) error {
		if each < 1000 && m.Input.Text == "3" {
			r.c.current.Load().client.Log.Warnf("Handler queue is full, message ordering is no longer guaranteed")
			r.c.current.Load().ordered.CompareAndSwap(stillOrdered, 2)
		}
		return nil
	}
	r.start()
	for end := time.Now().Add(5 * time.Minute); len(r.keeper.all()) < people*each; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d messages came", len(r.keeper.all()), people*each)
		}
	}
	next := map[string]int{}
	for _, m := range r.keeper.all() {
		if want := fmt.Sprint(next[m.From.Address]); m.Input.Text != want {
			t.Fatalf("somebody's message %s came when %s was next", m.Input.Text, want)
		}
		next[m.From.Address]++
	}
	if len(r.keeper.all()) != people*each || len(r.number.Logins()) < 3 {
		t.Errorf("%d messages in %d logins", len(r.keeper.all()), len(r.number.Logins()))
	}
	r.number.WaitSettled()
}

// stuck is a network on which nothing answers.
type stuck struct{ asked chan struct{} }

func (s stuck) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A login that hangs is given up with the lease: it must not succeed after another process has taken over.
func TestHangingLoginEndsWithTheLease(t *testing.T) {
	r := newRig(t, nil).link()
	dial := stuck{make(chan struct{}, 1)}
	r.o.Transport = dial
	r.start()
	<-dial.asked
	ended := make(chan error, 1)
	go func() { ended <- r.stop() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("still dialling")
	}
}
