package bot_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
)

// link makes one of the cases of two people, or parts them, as the desk does.
func (l *line) link(one, two string, part bool) error {
	l.t.Helper()
	open := func(who string) bot.CaseFile { return l.file(who) }
	a := open(one)
	var b bot.CaseFile
	var err error
	if part {
		b, err = l.store.Open(l.t.Context(), "kh", two, l.now(), bot.Audit{})
	} else {
		b = open(two)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.step++
	x := bot.CaseLink{Line: "kh", Request: "link" + a.Case.Code + b.Case.Code + string(rune('a'+l.step)), Main: a.Case, MainVer: a.Version,
		Other: b.Case, OtherVer: b.Version, Part: part, Claim: "siti", Audit: []bot.Audit{{At: l.now(), Who: "siti", What: "link_cases"}},
		MainEntries: []bot.Entry{{ID: "x", At: l.now(), Kind: "event", Text: "event.cases_linked"}}}
	var contacts []casework.Contact
	if part {
		for _, was := range a.Case.Linked {
			contacts = append(contacts, was.Contacts...)
		}
		_, err = casework.Part(a.Case, b.Case, l.now())
	} else {
		contacts = b.Case.Contacts
		_, err = casework.Link(a.Case, b.Case, "siti", l.now())
	}
	if err != nil {
		l.t.Fatal(err)
	}
	a.Case.Rescore(l.now(), casework.DefaultRules())
	for _, k := range contacts {
		x.Contacts = append(x.Contacts, bot.Contact{Channel: k.Channel, Account: k.Account, Address: k.Address})
	}
	if err := l.store.LinkCases(l.t.Context(), x); err != nil {
		return err
	}
	return l.store.LinkCases(l.t.Context(), x) // an answer that was lost: the same again changes nothing
}

func (l *line) claim(who string) {
	l.t.Helper()
	if _, err := l.store.Claim(l.t.Context(), "kh", l.file(who).Case.Code, casework.Officer{Name: "siti"}, l.now(), "claim"+who,
		bot.Audit{At: l.now(), Who: "siti", What: "claim"}); err != nil {
		l.t.Fatal(err)
	}
}

func heardIn(f bot.CaseFile) string {
	var b strings.Builder
	for _, e := range f.Entries {
		if e.Kind == "in" {
			b.WriteString(e.Input.Text + "|")
		}
	}
	return b.String()
}

// The same person on two contacts: once linked, both write into one case, danger told on one counts for the other,
// rows to each are judged by it; parted, each has its own again with what was written on its contact meanwhile.
func TestTwoContactsOneCase(t *testing.T) {
	storetest.Both(t, store.Options{}, func(t *testing.T, s *store.Store, _ redis.UniversalClient) {
		l := newLine(t, s)
		l.talk("telegram", "aman, saya di bavet")
		l.talk("whatsapp", "tolong, saya di poipet")
		mine, other := l.file("telegram").Case, l.file("whatsapp").Case
		if err := l.link("telegram", "whatsapp", false); err == nil {
			t.Fatal("linked by somebody who does not hold the case")
		}
		l.claim("telegram")
		if err := l.link("telegram", "whatsapp", false); err != nil {
			t.Fatal(err)
		}
		l.talk("whatsapp", "ini dari whatsapp")
		l.talk("telegram", "ini dari telegram")
		f := l.file("whatsapp")
		if f.Case.Code != mine.Code || len(f.Case.Contacts) != 2 {
			t.Fatalf("leads to %s with %d contacts", f.Case.Code, len(f.Case.Contacts))
		}
		if got := heardIn(f); !strings.HasSuffix(got, "ini dari whatsapp|ini dari telegram|") {
			t.Errorf("heard %s", got)
		}
		if page, err := s.Queue(t.Context(), "kh", l.now(), 10); err != nil || len(page.Items) != 1 || page.Items[0].Case.Code != mine.Code {
			t.Errorf("on the queue: %d, %v", len(page.Items), err)
		}
		l.talk("whatsapp", "bahaya")
		if f = l.file("telegram"); f.Case.Safety != flows.Danger || casework.Effective(f.Case, l.now()) != casework.P1 {
			t.Errorf("safety %s, class %s", f.Case.Safety, casework.Effective(f.Case, l.now()))
		}
		// An officer's words to either contact, unprompted: held on both.
		l.forward(time.Hour)
		to := []bot.Contact{{Channel: "test", Account: "a", Address: "telegram"}, {Channel: "test", Account: "a", Address: "whatsapp"}}
		l.act("telegram", func(c *casework.Case, ch *bot.Change) {
			for _, who := range to {
				ch.Rows = append(ch.Rows, bot.Row{ID: "01ROW" + who.Address, Line: "kh", To: who, CaseID: c.ID, Lane: bot.LaneOfficer, Kind: casework.KindOfficer,
					State: bot.RowQueued, CreatedAt: l.now(), Out: bot.Outgoing{Text: "Ok " + who.Address}})
				ch.Entries = append(ch.Entries, bot.Entry{ID: "01ROW" + who.Address, At: l.now(), Kind: "out", Text: "Ok", Row: "01ROW" + who.Address, Contact: who.Tag()})
			}
		})
		until(t, "held rows", func() bool {
			rows := l.file("telegram").Rows
			return rows["01ROWtelegram"].State == bot.RowHeld && rows["01ROWwhatsapp"].State == bot.RowHeld
		})
		l.talk("whatsapp", "sudah baca")
		until(t, "the one that was prompted", func() bool {
			rows := l.file("telegram").Rows
			return rows["01ROWtelegram"].State == bot.RowHeld && rows["01ROWwhatsapp"].State == bot.RowSent
		})

		l.claim("telegram")
		if err := l.link("telegram", other.Code, true); err != nil {
			t.Fatal(err)
		}
		l.talk("whatsapp", "sendiri lagi")
		a, b := l.file("telegram"), l.file("whatsapp")
		if b.Case.Code != other.Code || a.Case.Code != mine.Code || len(a.Case.Contacts) != 1 || len(a.Case.Linked) != 0 {
			t.Fatalf("%s and %s, %d contacts", a.Case.Code, b.Case.Code, len(a.Case.Contacts))
		}
		if got := heardIn(a); strings.Contains(got, "whatsapp") || strings.Contains(got, "sudah baca") || !strings.Contains(got, "ini dari telegram") {
			t.Errorf("the first case holds %s", got)
		}
		if got := heardIn(b); got != "tolong, saya di poipet|ini dari whatsapp|bahaya|sudah baca|sendiri lagi|" {
			t.Errorf("the other case holds %s", got)
		}
		if b.Rows["01ROWwhatsapp"].State != bot.RowSent || a.Rows["01ROWwhatsapp"].State != "" || a.Rows["01ROWtelegram"].State != bot.RowHeld {
			t.Errorf("states %v and %v", a.Rows, b.Rows)
		}
		if len(a.Case.Locations) != 1 || len(b.Case.Locations) != 1 || a.Case.Safety != flows.Danger || b.Case.Safety != flows.Danger {
			t.Errorf("%d and %d places, %s and %s", len(a.Case.Locations), len(b.Case.Locations), a.Case.Safety, b.Case.Safety)
		}
		if b.Case.Closed() || !slices.ContainsFunc(queueOf(t, l), func(code string) bool { return code == other.Code }) {
			t.Error("the other case is not on the queue again")
		}
		rows, err := s.AuditLog(t.Context(), "kh", 50)
		links := slices.DeleteFunc(rows, func(r bot.Audit) bool { return r.What != "link_cases" })
		if err != nil || len(links) != 2 {
			t.Errorf("%d audit rows, %v", len(links), err)
		}
	})
}

func queueOf(t *testing.T, l *line) []string {
	t.Helper()
	page, err := l.store.Queue(t.Context(), "kh", l.now(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, it := range page.Items {
		out = append(out, it.Case.Code)
	}
	return out
}

// A message that comes in while the link is decided is not lost: the link is refused, the officer looks again.
func TestLinkIsDecidedOnWhatIsThere(t *testing.T) {
	storetest.Both(t, store.Options{}, func(t *testing.T, s *store.Store, _ redis.UniversalClient) {
		l := newLine(t, s)
		l.talk("one", "aman, saya di bavet")
		l.talk("two", "aman, saya di poipet")
		l.claim("one")
		a, b := l.file("one"), l.file("two")
		l.talk("two", "sebentar")
		if _, err := casework.Link(a.Case, b.Case, "siti", l.now()); err != nil {
			t.Fatal(err)
		}
		err := s.LinkCases(t.Context(), bot.CaseLink{Line: "kh", Request: "late", Main: a.Case, MainVer: a.Version, Other: b.Case, OtherVer: b.Version,
			Claim: "siti", Contacts: []bot.Contact{{Channel: "test", Account: "a", Address: "two"}}})
		if err != bot.ErrConflict { //nolint:errorlint // exactly this
			t.Fatal(err)
		}
		if f := l.file("two"); f.Case.Code != b.Case.Code || f.Case.Into != nil || len(f.Entries) != len(b.Entries)+2 {
			t.Errorf("%+v", f.Case)
		}
		// Erasing the one erases the other that goes on in it.
		if err := l.link("one", "two", false); err != nil {
			t.Fatal(err)
		}
		if err := s.Erase(t.Context(), "kh", a.Case.ID); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{a.Case.ID, b.Case.ID} {
			if _, _, err := s.LoadCase(t.Context(), "kh", id); err != bot.ErrNotFound { //nolint:errorlint // exactly this
				t.Errorf("%s: %v", id, err)
			}
		}
	})
}

// A case that goes on in another one cannot be erased apart from it, whoever asked for that before: what was said on it is on
// both, and a legal hold that was on it stands on the other. Erasing the other erases both.
func TestALinkedCaseIsErasedWithItsMain(t *testing.T) {
	storetest.Both(t, store.Options{}, func(t *testing.T, s *store.Store, _ redis.UniversalClient) {
		l := newLine(t, s)
		l.talk("one", "aman, saya di bavet")
		l.talk("two", "aman, saya di poipet")
		l.act("two", func(c *casework.Case, ch *bot.Change) {
			if _, err := casework.SetHold(c, "perkara", "sri", l.now()); err != nil {
				t.Fatal(err)
			}
		})
		mine, other := l.file("one").Case, l.file("two").Case
		ask := func(code string) error {
			return s.AskErase(t.Context(), "kh", bot.EraseAsk{Code: code, By: "sri", Reason: "x", At: l.now(), Until: l.now().Add(time.Hour)}, bot.Audit{Who: "sri", What: "erase_asked"})
		}
		l.act("two", func(c *casework.Case, ch *bot.Change) { c.Hold = nil })
		if err := ask(other.Code); err != nil {
			t.Fatal(err)
		}
		l.act("two", func(c *casework.Case, ch *bot.Change) {
			c.Hold = &casework.Hold{By: "sri", Reason: "perkara", At: l.now()}
		})
		l.claim("one")
		if err := l.link("one", "two", false); err != nil {
			t.Fatal(err)
		}
		if l.file("one").Case.Hold == nil {
			t.Fatal("the hold did not go along")
		}
		for what, err := range map[string]error{
			"asked for":        ask(other.Code),
			"confirmed":        s.EraseAsked(t.Context(), "kh", other.Code, "budi", bot.Audit{Who: "budi", What: "erase"}),
			"command line":     s.Erase(t.Context(), "kh", other.ID),
			"main, under hold": s.Erase(t.Context(), "kh", mine.ID),
		} {
			if !errors.Is(err, bot.ErrLinked) && !errors.Is(err, bot.ErrHeld) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if c, _, err := s.LoadCase(t.Context(), "kh", other.ID); err != nil || c.Into == nil {
			t.Fatalf("erased under a hold: %v", err)
		}
		l.act("one", func(c *casework.Case, ch *bot.Change) { c.Hold = nil })
		if err := s.Erase(t.Context(), "kh", mine.ID); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{mine.ID, other.ID} {
			if _, _, err := s.LoadCase(t.Context(), "kh", id); !errors.Is(err, bot.ErrNotFound) {
				t.Errorf("%s: %v", id, err)
			}
		}
	})
}
