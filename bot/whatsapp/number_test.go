package whatsapp

import (
	"context"
	"errors"
	"testing"
	"time"
)

// scan has the phone take each code that is shown.
func (r *rig) scan(qr string, _ time.Duration) {
	go func() {
		if err := r.number.Scan(qr); err != nil {
			r.t.Error(err)
		}
	}()
}

// A number is linked, unlinked and linked again by whoever serves it: one connection at a time, no alarm about what
// an admin wanted, and what came in between arrives.
func TestServeLinksAndUnlinks(t *testing.T) {
	r := newRig(t, nil).start()
	until(t, "nothing to be linked", func() bool { return r.c.Health().State == Unlinked })
	if err := r.c.Unlink(t.Context(), false); !errors.Is(err, ErrNotLinked) {
		t.Errorf("unlinked nothing: %v", err)
	}
	given, giveUp := context.WithCancel(t.Context())
	_, err := r.c.Link(given, "", func(string, time.Duration) { giveUp() }, nil)
	if err == nil {
		t.Error("linked although it was taken back")
	}
	number, err := r.c.Link(t.Context(), "", r.scan, nil)
	if err != nil || number != r.number.Number() {
		t.Fatal(number, err)
	}
	r.up()
	if _, err := r.c.Link(t.Context(), "", r.scan, nil); !errors.Is(err, ErrLinked) {
		t.Errorf("linked twice: %v", err)
	}
	budi := r.srv.Citizen("+62 812 0000 002")
	budi.Say(r.number, "halo")
	r.keeper.wait(t, 1)

	if err := r.c.Unlink(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if len(r.number.Devices()) != 0 {
		t.Error("the phone still lists the device")
	}
	until(t, "nothing to be linked", func() bool { return r.c.Health().State == Unlinked })
	if all, err := List(t.Context(), r.o.Store); err != nil || len(all) != 0 {
		t.Errorf("left in the store: %v %v", all, err)
	}
	if _, err := r.c.Link(t.Context(), "", r.scan, nil); err != nil {
		t.Fatal(err)
	}
	r.up()
	budi.Say(r.number, "masih ada?")
	r.keeper.wait(t, 2)
	if n := r.number.MostConnections(); n != 1 {
		t.Errorf("%d connections at once", n)
	}
	select {
	case a := <-r.alarms:
		t.Errorf("alarm %q", a)
	default:
	}
}

// A phone with another number than the line's is unlinked again; a device whose server cannot be told goes only when
// that is what was asked.
func TestServeRefusesOtherNumber(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Number = "628990000009" }).start()
	number, err := r.c.Link(t.Context(), "", r.scan, nil)
	if !errors.Is(err, ErrOtherNumber) || number != r.number.Number() {
		t.Fatal(number, err)
	}
	if all, err := List(t.Context(), r.o.Store); err != nil || len(all) != 0 || len(r.number.Devices()) != 0 {
		t.Errorf("left: %v %v, on the phone %d", all, err, len(r.number.Devices()))
	}
}
