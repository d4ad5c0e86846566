package desk

import (
	"fmt"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// person describes a case for tests in a line or two.
type person struct {
	n        int // code
	ago      time.Duration
	safety   flows.Value
	needs    []flows.Value
	passport flows.Value
	permit   flows.Value
	place    string
	kind     flows.Value
	pref     flows.Value
	hours    string
	number   string
	word     string
	name     string
	who      flows.Value
	says     []string
	signal   string
	origin   string
	sim      bool
	pin      bool
}

// caseCode is a valid code by number.
func caseCode(n int) string {
	return casework.NewCode("K7", [5]byte{byte(n), byte(n * 7), byte(n * 13), 3, byte(n / 32)})
}

// make opens the case as the bot would have done.
func (f *fake) make(p person) *casework.Case {
	now := f.clock()
	at := now.Add(-p.ago)
	if p.origin == "" {
		p.origin = "telegram"
	}
	c := casework.New(newID(at), caseCode(p.n), "kh", "kh", p.origin, at)
	c.Simulated, c.Lang = p.sim, "id"
	c.LastIn = at.Add(2 * time.Minute)
	if c.LastIn.After(now) {
		c.LastIn = now
	}
	c.Contacts = []casework.Contact{{Channel: p.origin, Account: "1", Address: fmt.Sprint(9000 + p.n), LastIn: c.LastIn}}
	rec := func(s flows.StepID, a flows.Answer) {
		a.At = at
		c.Apply(flows.Record{Step: s, Answer: a}, at, f.rules)
	}
	one := func(s flows.StepID, v flows.Value) {
		if v != "" {
			rec(s, flows.Answer{Values: []flows.Value{v}})
		}
	}
	one(flows.StepSafetyNow, p.safety)
	one(flows.StepWhoFor, p.who)
	if p.needs != nil {
		text := ""
		if len(p.says) > 0 {
			text = p.says[0]
		}
		rec(flows.StepUrgentNeeds, flows.Answer{Values: p.needs, Text: text})
	}
	if p.place != "" {
		l := placeIn(p.place, at)
		if p.pin && l.Place != "" {
			g, _ := gaz(l.Place)
			l.Kind, l.HasPoint, l.Lat, l.Lon, l.AccuracyM, l.Text = "pin", true, g[0]+0.012345, g[1]-0.023456, 65, ""
		}
		rec(flows.StepLocation, flows.Answer{Location: l, Text: l.Text})
	}
	one(flows.StepPlaceKind, p.kind)
	one(flows.StepPassportStatus, p.passport)
	one(flows.StepImmigration, p.permit)
	one(flows.StepContactPref, p.pref)
	if p.hours != "" {
		rec(flows.StepSafeTime, flows.Answer{Norm: p.hours, Text: p.hours})
	}
	if p.number != "" {
		rec(flows.StepCallbackNumber, flows.Answer{Norm: p.number, Text: p.number})
	}
	if p.word != "" {
		rec(flows.StepCodeWord, flows.Answer{Text: p.word, Norm: p.word})
	}
	if p.name != "" {
		rec(flows.StepFullName, flows.Answer{Text: p.name})
	}
	if p.signal != "" && len(p.says) > 0 {
		c.Apply(flows.Signal{Name: p.signal, Words: p.says[0]}, at, f.rules)
	}
	var entries []bot.Entry
	for i, s := range p.says {
		t := at.Add(time.Duration(i) * 40 * time.Second)
		e := said(t, s)
		e.Channel = p.origin
		reply := bot.Entry{ID: newID(t), At: t.Add(time.Second), Kind: "out", Text: "Baik, pesan sudah masuk. Anda sekarang di mana?", Channel: p.origin}
		row := bot.Row{ID: reply.ID, Line: "kh", CaseID: c.ID, State: bot.RowDelivered, Kind: "reply", To: bot.Contact{Channel: p.origin, Account: "1", Address: "x"}, CreatedAt: t}
		reply.Row = row.ID
		f.rows[row.ID] = &row
		entries = append(entries, e, reply)
	}
	f.put(c, entries...)
	return c
}

// seed fills the desk with a little of everything. All names and numbers are invented.
func (f *fake) seed() {
	now := f.clock()
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	for _, p := range []person{
		{n: 1, ago: minutes(6), safety: "danger", needs: []flows.Value{"held_or_threatened", "child"}, passport: "held_by_employer", place: "Poipet", kind: "in_compound", pin: true, says: []string{"tolong pak, saya mau dipindah malam ini, anak saya ikut", "HP diambil kalau ketahuan"}, signal: "threatened", name: "Sari Contoh Wulandari", who: "self"},
		{n: 2, ago: minutes(19), safety: "watched", passport: "held_by_employer", place: "Bavet", kind: "in_compound", pref: "text_only", says: []string{"jangan telepon ya, hp dipakai bersama"}, word: "nasi goreng", origin: "webchat"},
		{n: 3, ago: minutes(112), safety: "safe", needs: []flows.Value{"pregnant", "no_shelter"}, passport: "lost_stolen", permit: "overstay", place: "Sihanoukville", pref: "call_window", hours: hoursAround(now, f), number: "+85512345678", says: []string{"saya hamil 5 bulan, tidak ada tempat tidur"}, name: "Dewi Misal", pin: true, word: "mangga muda"},
		{n: 4, ago: minutes(300), safety: "safe", passport: "with_me_expired", permit: "overstay", place: "Phnom Penh", kind: "guesthouse", pref: "call_anytime", number: "+6281234567890", says: []string{"izin tinggal saya habis, mau pulang sendiri"}, name: "Budi Andaian"},
		{n: 5, ago: minutes(1500), safety: "safe", needs: []flows.Value{"sick"}, passport: "never_had", place: "Kampot", pref: "call_anytime", number: "+85599887766", says: []string{"sakit demam tiga hari, obat habis"}},
		{n: 6, ago: minutes(2000), needs: []flows.Value{"female_officer", "no_food_water"}, passport: "held_by_other", place: "di gedung merah dekat pasar", pref: "wait_for_me", says: []string{"mau bicara sama petugas perempuan saja", "nomor saya 0812 3456 7890 jangan ditelepon"}, sim: true},
		{n: 7, ago: minutes(30), safety: "safe", passport: "with_me_valid", permit: "valid", place: "Siem Reap", pref: "call_anytime", number: "+85577112233", says: []string{"cara lapor diri bagaimana?"}, sim: true},
		{n: 8, ago: minutes(3), says: []string{"halo, ada orang?"}, origin: "webchat"},
		{n: 9, ago: minutes(700), safety: "safe", who: "group", passport: "held_by_other", permit: "overstay", place: "Bavet", pref: "call_anytime", number: "+85512000111", needs: []flows.Value{"no_shelter"}, says: []string{"kami 12 orang di pinggir jalan dekat perbatasan"}},
	} {
		f.make(p)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.cases[caseCode(2)].open()
	hold := bot.Row{ID: newID(now), Line: "kh", CaseID: c.ID, Kind: "officer", State: bot.RowHeld, Why: "next_message", By: "sri", CreatedAt: now.Add(-5 * time.Minute), Out: bot.Outgoing{Text: "Ok. Kapan jam yang tenang?"}, To: bot.Contact{Channel: "webchat", Account: "1", Address: "x"}}
	f.rows[hold.ID] = &hold
	f.cases[caseCode(2)].entries = append(f.cases[caseCode(2)].entries, bot.Entry{ID: hold.ID, At: hold.CreatedAt, Kind: "out", Text: hold.Out.Text, Row: hold.ID, By: "sri", Channel: "webchat"})
	dead := bot.Row{ID: newID(now), Line: "kh", CaseID: f.cases[caseCode(5)].open().ID, Kind: "officer", State: bot.RowFailed, Why: "blocked", By: "sri", Attempts: 1, CreatedAt: now.Add(-time.Hour), Out: bot.Outgoing{Text: "Apa kabar hari ini?"}, To: bot.Contact{Channel: "telegram", Account: "1", Address: "x"}}
	f.rows[dead.ID] = &dead
	f.channels = []bot.ChannelState{
		{Line: "kh", Channel: "telegram", Account: "7000001", Process: "alpha/1f2e3d", Leads: true, State: "up", Since: now.Add(-30 * time.Hour), LastIn: now.Add(-time.Minute), LastOut: now.Add(-50 * time.Second), At: now},
		{Line: "kh", Channel: "telegram", Account: "7000001", Process: "beta/4a5b6c", State: "standby", Since: now.Add(-30 * time.Hour), At: now},
		{Line: "kh", Channel: "whatsapp", Account: "wa-kh", Process: "alpha/1f2e3d", Leads: true, State: "restricted", Since: now.Add(-3 * time.Hour), Until: now.Add(12 * time.Minute), LastIn: now.Add(-2 * time.Minute), Number: "628110000001", Version: "2.3000.1045649367", At: now},
		{Line: "kh", Channel: "webchat", Account: "kh", Process: "gamma/7d8e9f", Leads: true, State: "up", Since: now.Add(-9 * time.Hour), At: now.Add(-5 * time.Minute)},
	}
	f.asides = []bot.Aside{{ID: newID(now), At: now.Add(-8 * time.Minute), Channel: "telegram", Why: "unreadable", Raw: []byte(`{"update_id":1,"message":{"text":"<script>alert(1)</script>"}}`)}}
	f.cases[caseCode(4)].claim = &bot.Claim{Officer: "petugas b", Since: now.Add(-4 * time.Minute), Until: now.Add(26 * time.Minute)}
}

// hoursAround is a safe window that is open at now and closes in 25 minutes.
func hoursAround(now time.Time, f *fake) string {
	t := now.In(f.rules.Zone)
	return t.Add(-30*time.Minute).Format("15:04") + "-" + t.Add(25*time.Minute).Format("15:04")
}
