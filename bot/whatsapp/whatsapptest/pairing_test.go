package whatsapptest

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"
)

func TestPairByCode(t *testing.T) {
	srv := New(t)
	hotline := srv.Account("+62 811 0000 001")
	p := newProgram(t, srv, filepath.Join(t.TempDir(), "device.db"))
	codes, _ := p.GetQRChannel(t.Context())
	p.connect()
	<-codes
	if _, err := p.PairPhone(t.Context(), "628119999999", true, whatsmeow.PairClientChrome, "Chrome (Linux)"); err == nil {
		t.Error("a number without WhatsApp got a code")
	}
	if _, err := p.PairPhone(t.Context(), hotline.Number(), true, whatsmeow.PairClientChrome, "Pulang"); err == nil {
		t.Error("a name that WhatsApp does not know was taken")
	}
	_, err := p.PairPhone(t.Context(), hotline.Number(), true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	if err != nil {
		t.Fatal(err)
	}
	if err := hotline.EnterCode("AAAA-BBBB"); err == nil || !strings.Contains(err.Error(), "code is wrong") {
		t.Errorf("a wrong code: %v", err)
	}
	// The client forgot nothing by the wrong one, but its key is spent; it asks for a new code.
	code, err := p.PairPhone(t.Context(), hotline.Number(), true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	if err != nil {
		t.Fatal(err)
	}
	if err := hotline.EnterCode(code); err != nil {
		t.Fatal(err)
	}
	expect[*events.Connected](p)
	if p.Store.ID.User != hotline.Number() || p.Store.LID.User != hotline.LID().User {
		t.Error(p.Store.ID, p.Store.LID)
	}
}

func TestAQRCodeOfAnotherConnectionLinksNobody(t *testing.T) {
	srv := New(t)
	hotline := srv.Account("+62 811 0000 001")
	p := newProgram(t, srv, filepath.Join(t.TempDir(), "device.db"))
	codes, _ := p.GetQRChannel(t.Context())
	p.connect()
	code := (<-codes).Code
	ref, rest, _ := strings.Cut(code, ",")
	keys := strings.Split(rest, ",")
	for what, bad := range map[string]string{
		"nonsense":       "halo",
		"an old ref":     "https://wa.me/settings/linked_devices#2@old," + rest,
		"swapped keys":   ref + "," + strings.Join([]string{keys[1], keys[0], keys[2], keys[3]}, ","),
		"another secret": ref + "," + strings.Join([]string{keys[0], keys[1], keys[0], keys[3]}, ","),
	} {
		if err := hotline.Scan(bad); err == nil {
			t.Errorf("%s linked a device", what)
		}
	}
	if len(hotline.Devices()) != 0 {
		t.Error("a device is linked")
	}
	if e := expect[*events.PairError](p); e.Error != whatsmeow.ErrPairInvalidDeviceIdentityHMAC {
		t.Error(e.Error)
	}
}

func TestLoginAgain(t *testing.T) {
	srv, hotline, p := linked(t)
	if d := hotline.Devices(); len(d) != 1 || d[0].ID() != 1 {
		t.Error(d)
	}
	again := p.reopen()
	again.connect()
	expect[*events.Connected](again)
	if n := len(hotline.Logins()); n != 2 {
		t.Errorf("%d logins", n)
	}
	id := srv.Citizen("628120000002").Say(hotline, "masih di sana?")
	if m := expect[*events.Message](again); m.Info.ID != id {
		t.Error(m.Info.ID)
	}
	if n := hotline.MostConnections(); n != 1 {
		t.Errorf("%d connections at once", n)
	}
}

func TestASecondConnectionReplacesTheFirst(t *testing.T) {
	_, hotline, p := linked(t)
	second := newProgram(t, p.srv, p.path)
	second.connect()
	expect[*events.StreamReplaced](p)
	expect[*events.Connected](second)
	if n := hotline.MostConnections(); n != 2 {
		t.Errorf("%d connections at once", n)
	}
}

func TestKicked(t *testing.T) {
	_, hotline, p := linked(t)
	hotline.Replace()
	expect[*events.StreamReplaced](p)
	hotline.WaitGone()
}

func TestUnlinkedByTheHandset(t *testing.T) {
	_, hotline, p := linked(t)
	hotline.Unlink()
	if e := expect[*events.LoggedOut](p); e.OnConnect {
		t.Error("at connect")
	}
	hotline.WaitGone()
}

func TestUnlinkedWhileAway(t *testing.T) {
	_, hotline, p := linked(t)
	again := p.reopen()
	hotline.Unlink()
	again.connect()
	if e := expect[*events.LoggedOut](again); !e.OnConnect || e.Reason != events.ConnectFailureLoggedOut {
		t.Errorf("%+v", e)
	}
}

func TestLogout(t *testing.T) {
	_, hotline, p := linked(t)
	if err := p.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(hotline.Devices()) != 0 {
		t.Error("still linked")
	}
}

func TestRefusedLogins(t *testing.T) {
	for name, c := range map[string]struct {
		refusal Refusal
		check   func(*program)
	}{
		"banned for a while": {Refusal{Reason: 402, Code: 101, Expire: time.Hour}, func(p *program) {
			if e := expect[*events.TemporaryBan](p); e.Code != events.TempBanSentToTooManyPeople || e.Expire != time.Hour {
				p.t.Errorf("%+v", e)
			}
		}},
		"banned": {Refusal{Reason: 403}, func(p *program) {
			if e := expect[*events.LoggedOut](p); e.Reason != events.ConnectFailureMainDeviceGone {
				p.t.Errorf("%+v", e)
			}
		}},
		"outdated": {Refusal{Reason: 405}, func(p *program) { expect[*events.ClientOutdated](p) }},
		"unknown":  {Refusal{Reason: 418}, func(p *program) { expect[*events.ConnectFailure](p) }},
		"trouble":  {Refusal{Reason: 503}, func(p *program) { expect[*events.Connected](p) }}, // comes back by itself
	} {
		t.Run(name, func(t *testing.T) {
			_, hotline, p := linked(t)
			again := p.reopen()
			again.t = t
			hotline.RefuseLogins(1, c.refusal)
			again.connect()
			c.check(again)
		})
	}
}

func TestVersions(t *testing.T) {
	srv, _, p := linked(t)
	again := p.reopen()
	srv.RequireVersion([3]uint32{2, 3000, 1_999_999_999})
	again.connect()
	expect[*events.ClientOutdated](again)
	latest, err := whatsmeow.GetLatestVersion(t.Context(), srv.HTTPClient())
	if err != nil || latest[2] != 1_999_999_999 {
		t.Error(latest, err)
	}
	srv.LatestVersion(0)
	if _, err := whatsmeow.GetLatestVersion(t.Context(), srv.HTTPClient()); err == nil {
		t.Error("a version from a page that fails")
	}
}
