package whatsapptest

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
)

func TestWhatCameWhileAwayIsDelivered(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	budi.WaitAccepted(budi.Say(hotline, "0"))
	again := p.reopen()
	hotline.WaitGone()
	for i := 1; i <= 5; i++ {
		budi.Say(hotline, fmt.Sprint(i))
	}
	again.connect()
	if e := expect[*events.OfflineSyncPreview](again); e.Messages != 5 {
		t.Errorf("%+v", e)
	}
	for i := 1; i <= 5; i++ {
		if m := expect[*events.Message](again); m.Message.GetConversation() != fmt.Sprint(i) {
			t.Errorf("%d: %v", i, m.Message)
		}
	}
	expect[*events.OfflineSyncCompleted](again)
	hotline.WaitSettled()
}

func TestRedeliveryAfterARefusal(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	refused := make(chan string, 10)
	p.accept = func(m *events.Message) bool { refused <- m.Info.ID; return false }
	id := budi.Say(hotline, "penting")
	if got := <-refused; got != id {
		t.Fatal(got)
	}
	if r := budi.Receipts(id); len(r) != 0 || hotline.PendingMessages() != 1 {
		t.Errorf("acknowledged all the same: %q", r)
	}
	again := p.reopen()
	again.connect()
	if m := expect[*events.Message](again); m.Info.ID != id || m.Message.GetConversation() != "penting" {
		t.Errorf("%+v", m)
	}
	budi.WaitAccepted(id)
	if hotline.PendingMessages() != 0 || len(refused) != 0 {
		t.Error(hotline.PendingMessages(), len(refused))
	}
}

func TestRedeliveryWhenTheReceiptIsLost(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	var cuts atomic.Int32
	srv.Watch(func(st Stanza) Verdict {
		if st.ToUs && st.Node.Tag == "receipt" && cuts.Add(1) == 1 {
			return Cut
		}
		return Pass
	})
	id := budi.Say(hotline, "sekali")
	expect[*events.Message](p)
	expect[*events.Connected](p)
	budi.WaitAccepted(id)
	hotline.WaitSettled()
	for len(p.events) > 0 { // the decrypted event buffer knows that the program has had it
		if m, ok := (<-p.events).(*events.Message); ok {
			t.Errorf("came twice: %v", m.Message)
		}
	}
	if cuts.Load() < 2 {
		t.Error("no second receipt")
	}
}

func TestTheSameIDIsShownOnce(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	var cut atomic.Bool
	srv.Watch(func(st Stanza) Verdict { // the message arrives, its ack does not
		if st.ToUs && st.Node.Tag == "message" && !cut.Swap(true) {
			return CutAfter
		}
		return Pass
	})
	id := p.GenerateMessageID()
	// The ack may still slip out before the line ends, and a send may then meet the end of the line: whatever is told,
	// the message is sent until it has been taken twice.
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	for taken := 0; taken < 2; {
		_, err := p.SendMessage(ctx, budi.LID(), &waE2E.Message{Conversation: proto.String("halo")}, whatsmeow.SendRequestExtra{ID: id})
		switch {
		case err == nil:
			taken++
		case ctx.Err() != nil:
			t.Fatal(err)
		default:
			hotline.WaitConnected()
		}
	}
	budi.WaitFor("halo")
	if !srv.await(func() bool { return budi.repeats >= 1 }) || len(budi.Messages()) != 1 {
		t.Errorf("%d messages, %d repeats", len(budi.Messages()), budi.Repeats())
	}
}

func TestDropsAtManyInstants(t *testing.T) {
	srv, hotline, p := linked(t)
	var seen atomic.Int32
	srv.Watch(func(st Stanza) Verdict {
		if n := seen.Add(1); n%23 == 0 && st.Account != nil {
			return []Verdict{Cut, CutAfter}[n/23%2]
		}
		return Pass
	})
	const citizens, each = 5, 20
	for i := range each {
		for c := range citizens {
			srv.Citizen(fmt.Sprintf("62812000010%d", c)).Say(hotline, fmt.Sprint(i))
		}
	}
	// whatsmeow may show a message twice, and a neighbour before it: the handler of the line that broke still runs
	// while the next line delivers. By id each comes, and the server sends them in order.
	ids := map[string]bool{}
	for len(ids) < citizens*each {
		ids[expect[*events.Message](p).Info.ID] = true
	}
	srv.Watch(nil)
	if n := len(hotline.Logins()); n < 3 {
		t.Errorf("only %d logins", n)
	}
	hotline.WaitSettled()
}

func TestAnotherProcess(t *testing.T) {
	srv := New(t)
	transport, err := Redirect(srv.Address())
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: transport}).Get("https://mmg.whatsapp.net/v/none")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 404 {
		t.Error(res.Status)
	}
	if _, err := Redirect("nowhere"); err == nil {
		t.Error("an address without a key")
	}
}
