package casework

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulang/flows"
)

// The missions of the tests, with numbers of their own: what one lifts after a day the other lifts after three.
var (
	missionsByCountry = map[string]string{"KH": "kh", "MM": "mm", "TH": "th"}
	missionRules      = map[string]Rules{"kh": testRules(), "mm": otherRules("MM"), "th": otherRules("TH")}
)

func otherRules(country string) Rules {
	r := DefaultRules()
	r.Country, r.Zone = country, time.FixedZone("", 6*3600+1800)
	r.Targets = map[Class]time.Duration{P1: 10 * time.Minute, P2: time.Hour, P3: 6 * time.Hour, P4: 12 * time.Hour}
	r.LiftP4, r.LiftP3 = 72*time.Hour, 72*time.Hour
	return r
}

// in is the person's statement of being in that country.
func in(country string, at time.Time) flows.Record {
	return flows.Record{Step: flows.StepLocation, Answer: flows.Answer{
		At: at, Location: &flows.Location{Kind: "pin", HasPoint: true, Lat: 1, Lon: 1, Country: country, At: at},
	}}
}

func read(c *Case) *Case {
	c.MarkRead("officer.kh", t0.Add(time.Minute))
	return c
}

func TestHandOverAndBack(t *testing.T) {
	r := missionRules["kh"]
	c := read(newCase(t, safe(), needs("sick", "no_shelter"), anytime()))
	class := Effective(c, t0)
	now := clock(10, 0)
	for _, x := range []struct{ to, reason, why string }{{"kh", "salah", RefusedUnknownValue}, {"", "salah", RefusedUnknownValue}, {"mm", "", RefusedNoReason}} {
		if _, err := Propose(c, x.to, x.reason, "officer.kh", now); refusal(err) != x.why {
			t.Errorf("to %q because %q: %v", x.to, x.reason, err)
		}
	}
	events, err := Propose(c, "mm", "sudah di Myawaddy", "officer.kh", now)
	if err != nil || len(events) != 1 || !events[0].Alert || !slices.Equal(events[0].For, []string{"mm"}) {
		t.Fatalf("%+v, %v", events, err)
	}
	if again, err := Propose(c, "mm", "sudah di Myawaddy", "officer.kh", now.Add(time.Second)); err != nil || again != nil || c.Offer.At != now {
		t.Errorf("the same proposal again: %v, %v", again, err)
	}
	if _, err := Propose(c, "th", "lain", "officer.kh", now); refusal(err) != RefusedOffered {
		t.Errorf("a second proposal: %v", err)
	}
	if c.Mission != "kh" || !slices.Contains(Timers(c, now, r), TimerAt{TimerHandover, now.Add(r.Target(class))}) {
		t.Errorf("while it is offered: at %s, timers %v", c.Mission, Timers(c, now, r))
	}
	if _, err := Accept(c, "th", "officer.th", now, missionRules["th"]); refusal(err) != RefusedNotOffered {
		t.Errorf("accepted by somebody else: %v", err)
	}
	if err := StartAttempt(c, "1", ViaPhone, "officer.kh", now, r, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := Accept(c, "mm", "officer.mm", now, missionRules["mm"]); refusal(err) != RefusedOpenAttempt {
		t.Errorf("accepted while a phone rings: %v", err)
	}
	if _, err := EndAttempt(c, "1", NoAnswer, "", time.Time{}, now, r); err != nil {
		t.Fatal(err)
	}
	if _, err := Return(c, "mm", "", now, r); refusal(err) != RefusedNoReason {
		t.Errorf("returned without a reason: %v", err)
	}
	if _, err := Return(c, "mm", "masih di Kamboja", now, r); err != nil || c.Offer != nil || !c.open(SignalReturned) || c.Mission != "kh" {
		t.Errorf("returned: %v, %+v", err, c.Offer)
	}
	if _, err := Accept(c, "mm", "officer.mm", now, missionRules["mm"]); refusal(err) != RefusedNotOffered {
		t.Errorf("accepted after it was returned: %v", err)
	}
	if _, err := Propose(c, "mm", "kini sungguh di Myawaddy", "officer.kh", now); err != nil {
		t.Fatal(err)
	}
	if c.open(SignalReturned) {
		t.Error("offered again, and the return is still to be dealt with")
	}
	due := c.DueAt
	if _, err := Accept(c, "mm", "officer.mm", now.Add(time.Minute), missionRules["mm"]); err != nil {
		t.Fatal(err)
	}
	if c.Mission != "mm" || c.Offer != nil || !c.DueAt.Equal(due) || Effective(c, now) != class || len(c.Attempts) != 1 || c.LastReadBy != "officer.mm" {
		t.Errorf("accepted: %+v", c)
	}
	if slices.ContainsFunc(Timers(c, now, missionRules["mm"]), func(x TimerAt) bool { return x.Name == TimerHandover }) {
		t.Error("the timer of an answered offer goes on")
	}
}

// An offer that nobody answers comes back to the sender by itself, with an alert to both, and somebody's act is due.
func TestUnansweredOfferComesBack(t *testing.T) {
	r := missionRules["kh"]
	c := read(newCase(t, safe()))
	if _, err := Settle(c, clock(9, 5), r); err != nil {
		t.Fatal(err)
	}
	if _, err := Propose(c, "mm", "di Myawaddy", "officer.kh", clock(9, 10)); err != nil {
		t.Fatal(err)
	}
	ends := OfferEnds(c, r)
	if early := OnTimer(c, TimerHandover, ends.Add(-time.Second), r); early != nil || c.Offer == nil {
		t.Fatalf("before its time: %v", early)
	}
	events := OnTimer(c, TimerHandover, ends, r)
	if len(events) == 0 || events[0].ID != EventUnanswered || !events[0].Alert || !slices.Equal(events[0].For, []string{"kh", "mm"}) {
		t.Fatalf("%+v", events)
	}
	c.Rescore(ends, r)
	if c.Offer != nil || c.Mission != "kh" || !c.open(SignalUnanswered) || !Queued(c) || !c.DueAt.After(ends) {
		t.Errorf("afterwards: %+v", c)
	}
	if again := OnTimer(c, TimerHandover, ends.Add(time.Hour), r); again != nil {
		t.Errorf("twice: %v", again)
	}
}

// A P1 goes on alarming at the sender until it is accepted, whoever was asked.
func TestOfferedP1KeepsItsAlarm(t *testing.T) {
	r := missionRules["kh"]
	c := newCase(t, say(flows.StepSafetyNow, t0, flows.Danger))
	before := Timers(c, t0, r)
	if _, err := Propose(c, "mm", "di Myawaddy", "officer.kh", t0); err != nil {
		t.Fatal(err)
	}
	after := Timers(c, t0, r)
	for _, x := range before {
		if !slices.Contains(after, x) {
			t.Errorf("lost %v", x)
		}
	}
	events := OnTimer(c, TimerEscalate5, t0.Add(5*time.Minute), r)
	if len(events) != 1 || !events[0].Alert || len(events[0].For) != 0 {
		t.Errorf("the alarm: %+v", events)
	}
}

// The place moves a case that nobody has read, offers one that somebody has, and does neither twice.
func TestPlaceMovesOrOffers(t *testing.T) {
	place := func(c *Case, country string, at time.Time) []Event {
		c.Apply(in(country, at), at, missionRules[c.Mission])
		return Place(c, missionsByCountry[country], at)
	}
	c := newCase(t, safe())
	if events := place(c, "MM", clock(9, 1)); c.Mission != "mm" || c.Offer != nil || len(events) != 1 || events[0].ID != EventMoved {
		t.Fatalf("unread: %s, %+v", c.Mission, events)
	}
	if events := place(c, "FR", clock(9, 2)); events != nil || c.Mission != "mm" {
		t.Errorf("a country without a mission here: %v", events)
	}
	c = read(newCase(t, safe()))
	if events := place(c, "MM", clock(9, 1)); c.Mission != "kh" || c.Offer == nil || c.Offer.To != "mm" || c.Offer.By != "" || len(events) != 1 {
		t.Fatalf("read: %+v, %+v", c.Offer, events)
	}
	if events := place(c, "MM", clock(9, 2)); events != nil || c.Offer.At != clock(9, 1) {
		t.Errorf("the live location goes on: %v", events)
	}
	if place(c, "TH", clock(9, 3)); c.Offer == nil || c.Offer.To != "th" {
		t.Errorf("and on to Thailand: %+v", c.Offer)
	}
	if place(c, "KH", clock(9, 4)); c.Offer != nil {
		t.Errorf("and back: %+v", c.Offer)
	}
	place(c, "MM", clock(9, 5))
	if _, err := Return(c, "mm", "pin salah", clock(9, 6), missionRules["kh"]); err != nil {
		t.Fatal(err)
	}
	if events := place(c, "MM", clock(9, 7)); events != nil || c.Offer != nil {
		t.Errorf("offered again although it was just returned: %v", events)
	}
	place(c, "KH", clock(9, 8))
	if place(c, "MM", clock(9, 9)); c.Offer == nil {
		t.Error("a new journey is not offered")
	}
	if _, err := Close(c, "returned", "officer.kh", clock(10, 0)); err != nil || c.Offer != nil {
		t.Errorf("closed: %v, %+v", err, c.Offer)
	}
	// An officer's decision against the place stands while the place is the same.
	c = read(newCase(t, safe()))
	place(c, "KH", clock(9, 1))
	_, _ = Propose(c, "th", "keluarga di Mae Sot", "officer.kh", clock(9, 2))
	if events := place(c, "MM", clock(9, 3)); events != nil || c.Offer.To != "th" {
		t.Errorf("the rule took the officer's proposal away: %+v", c.Offer)
	}
	if _, err := Accept(c, "th", "officer.th", clock(9, 4), missionRules["th"]); err != nil {
		t.Fatal(err)
	}
	if events := place(c, "MM", clock(9, 5)); events != nil || c.Mission != "th" {
		t.Errorf("the rule took the case away: %v", events)
	}
}

// passed is a life with several missions: what the model knows of where the case is.
type passed struct {
	*life
	mission, offered string
	officers         bool // an officer has read it
}

// Over random sequences of messages, journeys, proposals, answers, calls, closings and timers a case is always on
// exactly one mission's queue, or on the sender's and offered to one other; and what a hand-over must not touch stays.
func TestHandOverNeverLosesACase(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := &life{T: rt, r: testRules(), now: t0}
		l.c = New("01", "K7M4-692Q", "kh", "kh", "telegram", t0)
		l.c.LastIn, l.c.Leads, l.c.Group = t0, "K7ABCDEF", "K7GHJKLM"
		l.c.Rescore(t0, l.r)
		p := &passed{life: l, mission: "kh"}
		for range rapid.IntRange(1, 30).Draw(rt, "acts") {
			l.now = l.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 5, 16, 61, 300, 1500}).Draw(rt, "minutes")) * time.Minute)
			p.step()
			p.check()
		}
	})
}

// kept is what no hand-over changes.
type kept struct {
	Due, P1, Wait, Later, Settled, Promised time.Time
	Class                                   Class
	Attempts, Told                          int
	Leads, Group, Stage                     string
	Safety, Permission                      flows.Value
}

func keptOf(c *Case, now time.Time) kept {
	return kept{c.DueAt, c.P1Since, c.WaitSince, c.LaterUntil, c.SettledAt, c.PromisedAt, Effective(c, now), len(c.Attempts), c.P1Told,
		c.Leads, c.Group, string(c.Stage), c.Safety, c.Permission}
}

func (p *passed) step() {
	p.r = missionRules[p.c.Mission]
	p.c.Rescore(p.now, p.r)
	was := keptOf(p.c, p.now)
	to := rapid.SampledFrom([]string{"kh", "mm", "th"}).Draw(p.T, "to")
	same := func(what string) {
		if is := keptOf(p.c, p.now); is != was {
			p.Fatalf("%s changed %+v\ninto %+v", what, was, is)
		}
	}
	switch rapid.IntRange(0, 9).Draw(p.T, "what") {
	case 0, 1:
		_, err := Propose(p.c, to, "alasan", "officer."+p.mission, p.now)
		if want := p.offered == "" && to != p.mission && !p.c.Closed(); want {
			if err != nil {
				p.Fatalf("proposing: %v", err)
			}
			p.offered = to
		} else if err == nil && p.offered != to {
			p.Fatal("proposed twice, to itself or when closed")
		}
		same("a proposal")
	case 2:
		_, open := OpenAttempt(p.c)
		_, err := Accept(p.c, to, "officer."+to, p.now, missionRules[to])
		if ok := p.offered == to && !p.c.Closed() && !open; ok != (err == nil) {
			p.Fatalf("%s accepts what is offered to %q: %v", to, p.offered, err)
		}
		if err == nil {
			p.mission, p.offered, p.officers = to, "", true
			is := keptOf(p.c, p.now)
			if is.Class.Above(was.Class) { // its own rules may know an advisory
				is.Class, is.Due, is.P1, is.Told, is.Later, is.Settled = was.Class, was.Due, was.P1, was.Told, was.Later, was.Settled
			}
			if is.Later.IsZero() && p.c.LastIn.After(was.Wait) { // its shorter targets bring what was put off back sooner
				is.Later = was.Later
				if is.Due.Before(was.Due) {
					is.Due = was.Due
				}
			}
			if is != was {
				p.Fatalf("accepting changed %+v\ninto %+v", was, is)
			}
		}
	case 3:
		if _, err := Return(p.c, to, "alasan", p.now, p.r); (err == nil) != (p.offered == to && p.offered != "") {
			p.Fatalf("%s returns what is offered to %q: %v", to, p.offered, err)
		} else if err == nil {
			p.offered = ""
			if !p.c.Closed() && !Queued(p.c) {
				p.Fatal("returned, and nobody's act is due")
			}
		}
	case 4:
		Withdraw(p.c)
		p.offered = ""
		same("taking it back")
	case 5, 6:
		country := rapid.SampledFrom([]string{"KH", "MM", "TH", "VN"}).Draw(p.T, "country")
		p.c.Apply(in(country, p.now), p.now, p.r)
		p.c.LastIn = p.now
		Place(p.c, missionsByCountry[country], p.now)
		if p.c.Mission != p.mission {
			if !p.c.LastRead.IsZero() {
				p.Fatal("a case that somebody has read moved by itself")
			}
			p.mission, p.offered = p.c.Mission, ""
		}
		if o := p.c.Offer; o == nil {
			p.offered = ""
		} else {
			p.offered = o.To
		}
	default:
		closed := p.c.Closed()
		p.act()
		if p.c.Offer == nil && p.offered != "" {
			unanswered := !p.c.Signals[SignalUnanswered].At.IsZero()
			if !unanswered && !p.c.Closed() && !closed {
				p.Fatal("an offer ended although nobody answered, closed or waited")
			}
			p.offered = ""
		}
	}
	p.c.Rescore(p.now, missionRules[p.c.Mission])
}

func (p *passed) check() {
	c := p.c
	offered := ""
	if c.Offer != nil {
		offered = c.Offer.To
	}
	switch {
	case c.Mission != p.mission || offered != p.offered:
		p.Fatalf("at %q offered to %q, the model says %q and %q", c.Mission, offered, p.mission, p.offered)
	case missionRules[c.Mission].Country == "":
		p.Fatalf("at no mission: %q", c.Mission)
	case offered == c.Mission || c.Closed() && offered != "":
		p.Fatalf("at %q and offered to %q, closed %v", c.Mission, offered, c.Closed())
	}
	timer := slices.ContainsFunc(Timers(c, p.now, missionRules[c.Mission]), func(x TimerAt) bool { return x.Name == TimerHandover })
	if timer != (offered != "") {
		p.Fatalf("timer %v of an offer to %q", timer, offered)
	}
	b, err := json.Marshal(c)
	if err != nil {
		p.Fatal(err)
	}
	var back Case
	if err := json.Unmarshal(b, &back); err != nil || back.PlacedIn != c.PlacedIn || (back.Offer == nil) != (c.Offer == nil) {
		p.Fatalf("stored and read back: %v", err)
	}
}

// A case that goes on in another one follows it to the other mission, and is parted from it there as that mission's.
func TestLinkedCaseFollows(t *testing.T) {
	c, other := read(newCase(t, safe())), New("02", "K7M4-693R", "kh", "kh", "whatsapp", t0)
	other.Rescore(t0, testRules())
	if _, err := Link(c, other, "officer.kh", clock(9, 5)); err != nil {
		t.Fatal(err)
	}
	if Follow(other, c) {
		t.Error("it follows although nothing moved")
	}
	if _, err := Propose(c, "mm", "alasan", "officer.kh", clock(9, 6)); err != nil {
		t.Fatal(err)
	}
	if _, err := Accept(c, "mm", "officer.mm", clock(9, 7), missionRules["mm"]); err != nil {
		t.Fatal(err)
	}
	if !Follow(other, c) || other.Mission != "mm" || !other.Closed() {
		t.Errorf("it stayed at %s", other.Mission)
	}
	if _, err := Part(c, other, clock(9, 8)); err != nil || other.Mission != "mm" || other.Closed() {
		t.Errorf("parted: %v, at %s, closed %v", err, other.Mission, other.Closed())
	}
	if _, err := Propose(other, "kh", "alasan", "officer.mm", clock(9, 9)); err != nil {
		t.Fatal(err)
	}
	if _, err := Link(c, other, "officer.mm", clock(9, 10)); refusal(err) != RefusedOffered {
		t.Errorf("an offered case was made one with another: %v", err)
	}
}
