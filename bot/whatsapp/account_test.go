package whatsapp

import (
	"errors"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/store"

	"pulang/bot/whatsapp/whatsapptest"
)

func TestLinkByPhoneCode(t *testing.T) {
	r := newRig(t, nil)
	number, err := Link(t.Context(), LinkOptions{Store: r.o.Store, Phone: "+" + r.number.Number(), Log: r.o.Log, Transport: r.o.Transport,
		ShowCode: func(code string) {
			go func() {
				if err := r.number.EnterCode(code); err != nil {
					t.Error(err)
				}
			}()
		}})
	if err != nil || number != r.number.Number() {
		t.Fatal(number, err)
	}
	all, err := List(t.Context(), r.o.Store)
	if err != nil || len(all) != 1 || all[0].Number != number {
		t.Fatal(all, err)
	}
	if _, err := Link(t.Context(), LinkOptions{Store: r.o.Store, Log: r.o.Log, Transport: r.o.Transport}); !errors.Is(err, ErrLinked) {
		t.Errorf("linked twice: %v", err)
	}
	r.start().up()
	if err := Unlink(t.Context(), r.o.Store, "", false, Version{}, r.o.Log, r.o.Transport); !errors.Is(err, ErrLocked) {
		t.Errorf("unlinked under a running service: %v", err)
	}
	r.end()
	if err := Unlink(t.Context(), r.o.Store, "", false, Version{}, r.o.Log, r.o.Transport); err != nil {
		t.Fatal(err)
	}
	if len(r.number.Devices()) != 0 {
		t.Error("the phone still lists the device")
	}
	if err := Unlink(t.Context(), r.o.Store, "", false, Version{}, r.o.Log, r.o.Transport); !errors.Is(err, ErrNotLinked) {
		t.Errorf("unlinked twice: %v", err)
	}
}

func TestAccountTroubles(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	expect := func(want Alarm) {
		t.Helper()
		select {
		case got := <-r.alarms:
			if got != want {
				t.Errorf("alarm %q, want %q", got, want)
			}
		case <-time.After(time.Minute):
			t.Errorf("no alarm %q", want)
		}
	}
	// A server that restarts is nobody's fault.
	r.number.RefuseLogins(2, whatsapptest.Refusal{Reason: 503})
	before := len(r.number.Logins())
	r.number.Drop()
	until(t, "the line after 503", func() bool { return len(r.number.Logins()) > before && !r.c.Idle() })

	r.number.RefuseLogins(1, whatsapptest.Refusal{Reason: 402, Code: 104, Expire: 2 * time.Hour})
	r.number.Drop()
	expect(AlarmBanned)
	until(t, "the ban", func() bool {
		h := r.c.Health()
		return h.State == Banned && time.Until(h.Until) > time.Hour
	})
	if !r.c.Idle() {
		t.Error("sends while banned")
	}
	logins := len(r.number.Logins())
	r.end()
	r.start().up()
	if len(r.number.Logins()) != logins+1 {
		t.Error("logged in while banned")
	}

	r.number.Unlink()
	expect(AlarmLoggedOut)
	until(t, "the unlinked state", func() bool { return r.c.Health().State == Unlinked })
	if all, err := List(t.Context(), r.o.Store); err != nil || len(all) != 0 {
		t.Errorf("the device is still there: %v %v", all, err)
	}
	r.link() // beside the running service
	r.up()
}

func TestReplacedGivesUp(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	r.number.Replace()
	if a := <-r.alarms; a != AlarmReplaced {
		t.Errorf("alarm %q", a)
	}
	until(t, "the end", func() bool { return r.c.Health().State == Standby })
	if err := r.stop(); !errors.Is(err, ErrReplaced) {
		t.Errorf("ended with %v", err)
	}
}

func TestSecondProcessStandsBy(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	c, err := New(r.o)
	if err != nil {
		t.Fatal(err)
	}
	second := &rig{t: t, o: r.o, c: c}
	second.start()
	until(t, "the lock", func() bool { return second.c.Health().State == Locked })
	r.end()
	until(t, "the takeover", func() bool { return !second.c.Idle() })
	second.end()
	if r.number.MostConnections() > 1 {
		t.Error("two connections of one device")
	}
}

func TestOutdatedVersionIsFetched(t *testing.T) {
	was, wait := store.GetWAVersion(), outdatedWait
	outdatedWait = 10 * time.Millisecond
	t.Cleanup(func() { outdatedWait = wait; useVersion(was, true) })
	r := newRig(t, func(o *Options) { o.Version = Version{Fetch: true, File: t.TempDir() + "/version"} }).link()
	newer := was
	newer[2] += 1000
	r.srv.RequireVersion(newer)
	r.start().up()
	logins := r.number.Logins()
	if v := logins[len(logins)-1].Version; v != newer {
		t.Errorf("logged in as %v, want %v", v, newer)
	}
	useVersion(was, true)
	if got := (Version{File: r.o.Version.File}).Known(); got != newer.String() {
		t.Errorf("kept %s, want %s", got, newer)
	}
}
