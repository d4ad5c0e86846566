package desk

import (
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// An officer starts the rescue packet by a click and with the person's consent in words; the checklist stands on the
// page, masked as ever, and the sheet in full is for whoever holds the case.
func TestRescuePacket(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Hour, safety: "watched", passport: "held_by_employer", place: "Bavet", says: []string{"diawasi"}})
	w.f.make(person{n: 2, ago: time.Hour, safety: "safe", pref: "call_anytime", says: []string{"mau pulang"}})
	code, calm := caseCode(1), caseCode(2)
	path := "/case/" + code
	b := w.as("officer")
	b.get(path).want(200).lacks("/rescue\"")
	b.submit(path + "/claim")
	b.submit(path+"/rescue", "consent", "").want(422, "Tulis dulu bagaimana")
	if w.f.cases[code].open().Rescue != nil || w.f.timers["/"+flows.TimerRescue] != (time.Time{}) {
		t.Fatal("started without consent")
	}
	b.submit(path+"/rescue", "consent", "setuju lewat chat jam 10").want(200, "Paket dimulai", "0 dari 6", "setuju lewat chat jam 10", "pertanyaan ditahan")
	if w.f.cases[code].open().Rescue == nil || w.f.timers["/"+flows.TimerRescue].IsZero() {
		t.Fatal("the conversation is not told to ask")
	}

	// The answers come in by chat.
	c := w.f.cases[code].open()
	at := w.clock()
	answer := func(s flows.StepID, a flows.Answer) {
		a.At = at
		c.Apply(flows.Record{Step: s, Answer: a}, at, w.f.rules)
	}
	point := &flows.Location{Kind: "pin", HasPoint: true, Lat: 11.071234, Lon: 106.173456, At: at}
	answer(flows.StepRescueLocation, flows.Answer{Location: point})
	answer(flows.StepRescueBuilding, flows.Answer{Values: []flows.Value{"photo"}, From: "m9"})
	answer(flows.StepRescuePhoto, flows.Answer{Skipped: true})
	answer(flows.StepRescueContact, flows.Answer{Text: "+6281234567890", Norm: "+6281234567890"})
	photo := bot.Entry{ID: newID(at), At: at, Kind: "in", Channel: "telegram", Input: &flows.Input{
		Kind: flows.KindMedia, ID: "m9", Media: &flows.Media{Kind: "photo", Ref: "r"}}}
	w.f.put(c, photo)
	b.get(path).want(200, "3 dari 6", "foto ada", "dilewati").lacks("11.071234", "6281234567890", "tel:")
	if !strings.Contains(b.body, `name="entry" value="`+photo.ID+`"`) {
		t.Error("the photo cannot be opened from the checklist")
	}
	b.submit(path+"/rescue/sheet").want(200, "11.071234, 106.173456", "+6281234567890", "Jangan menelepon", "DICETAK oleh officer").lacks("tel:", "wa.me")
	b.get(path).submit(path+"/rescue/end").want(200, "Pertanyaan dihentikan")
	if c := w.f.cases[code].open(); c.Rescuing() || len(casework.RescueList(c)) != 6 {
		t.Error("ending the packet loses it")
	}
	for _, what := range []string{"rescue", "rescue_sheet", "rescue_end"} {
		if w.audited(what, code) == 0 {
			t.Errorf("no audit row for %s", what)
		}
	}

	// Whoever does not hold the case gets no sheet; who is safe gets no packet.
	other := w.as("supervisor")
	other.get(path).lacks("rescue/sheet")
	other.post(path+"/rescue/sheet").want(409).lacks("11.071234", "6281234567890")
	b.get("/case/" + calm).submit("/case/" + calm + "/claim").lacks("/rescue\"")
	b.post("/case/"+calm+"/rescue", "consent", "setuju").want(422, "hanya untuk kasus P1")
}

// The page of a case shows its group: codes, classes and safety, whoever needs care first, names of the leader's list
// masked, and nothing that a member said.
func TestGroupOnTheCasePage(t *testing.T) {
	w := newWorld(t)
	const join = "K7M-689-6A9"
	leader := w.f.make(person{n: 1, ago: time.Hour, safety: "safe", who: "group", pref: "text_only", says: []string{"kami bertiga"}})
	leader.Leads = join
	leader.Apply(flows.Record{Step: flows.StepGroupMembers, Answer: flows.Answer{Text: "Budi", Norm: "Budi Santoso\nSiti", At: w.clock()}}, w.clock(), w.f.rules)
	w.f.put(leader)
	member := func(n int, p person) string {
		p.n, p.ago = n, time.Hour
		c := w.f.make(p)
		c.Group = join
		w.f.put(c)
		return c.Code
	}
	fine := member(2, person{safety: "safe", says: []string{"rahasia saya"}})
	watched := member(3, person{safety: "watched", passport: "held_by_employer", says: []string{"bos jahat"}})
	pregnant := member(4, person{safety: "safe", needs: []flows.Value{"pregnant"}, says: []string{"hamil lima bulan"}})
	w.f.make(person{n: 5, ago: time.Hour, safety: "safe", says: []string{"orang lain"}})

	b := w.as("officer")
	b.get("/case/"+leader.Code).want(200, "Kelompok "+join, "pelapor kelompok", "B••• S•••", "Kasus ini melaporkan kelompok")
	b.lacks("Budi Santoso", "rahasia saya", "bos jahat", "hamil lima bulan", caseCode(5))
	last := -1
	for _, code := range []string{leader.Code, pregnant, watched, fine} {
		i := strings.LastIndex(b.body, ">"+code+"<")
		if i < last {
			t.Errorf("%s stands too early", code)
		}
		last = i
	}
	if !strings.Contains(b.body, `href="/case/`+watched+`"`) {
		t.Error("no link to the member's case")
	}
	b.get("/case/"+watched).want(200, "Kasus ini bergabung", leader.Code).lacks("kami bertiga")
	b.get("/case/" + caseCode(5)).want(200).lacks("Kelompok " + join)
}
