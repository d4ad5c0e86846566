package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
)

// citizen is an invented person of the demo: where they are, what happened, and how they write.
type citizen struct {
	at       time.Time
	contact  bot.Contact
	lang     string
	rnd      *rand.Rand
	patience int // messages until they put the phone away
	goesOn   bool
	slang    bool

	kind   string
	place  simPlace
	people int
	months int
	values map[flows.StepID][]flows.Value
	texts  map[flows.StepID]string

	state flows.State // as the last commit left it
}

// simPlace is a place people wrote from, with a point for those who share one.
type simPlace struct {
	name     string
	lat, lon float64
}

var simPlaces = []simPlace{
	{"Phnom Penh", 11.5564, 104.9282}, {"Phnom Penh", 11.5390, 104.9290}, {"Sihanoukville", 10.6270, 103.5220}, {"Poipet", 13.6570, 102.5630},
	{"Bavet", 11.0630, 106.1330}, {"Kampot", 10.6100, 104.1800}, {"Chrey Thom", 10.9330, 105.0680}, {"Siem Reap", 13.3620, 103.8600},
	{"Svay Rieng", 11.0870, 105.7990}, {"O'Smach", 14.4130, 103.7010}, {"Takeo", 10.9900, 104.7850}, {"Pailin", 12.8490, 102.6090},
}

// simKinds are the situations, with how often each comes.
var simKinds = []struct {
	name  string
	share int
}{{"stranded", 52}, {"travelling", 14}, {"ready", 18}, {"watched", 4}, {"danger", 1}, {"family", 4}, {"detained", 3}, {"sick", 4}}

// newest are the situations of the last to arrive, whom no simulated officer has met: every demo has them waiting.
var newest = []string{"stranded", "watched", "ready", "danger", "sick", "travelling", "detained", "family"}

// begin draws the i-th person. Two runs with one seed draw the same people.
func (p *citizen) begin(w *wave, i int) {
	p.rnd = rand.New(rand.NewPCG(w.mark.Seed, uint64(i)+1000)) //nolint:gosec // a simulation wants to be repeatable
	p.contact, p.lang = simContact(i), "id"
	if p.one(33) {
		p.lang = "en"
	}
	p.patience = 11 + p.rnd.IntN(6)
	if p.one(9) { // the battery, the guard, the bus
		p.patience = 1 + p.rnd.IntN(5)
	}
	p.goesOn, p.slang = p.one(5), p.one(2)
	p.place = simPlaces[p.rnd.IntN(len(simPlaces))]
	p.people, p.months = 2+p.rnd.IntN(9), 1+p.rnd.IntN(20)
	total := 0
	for _, k := range simKinds {
		total += k.share
	}
	n := p.rnd.IntN(total)
	for _, k := range simKinds {
		if n -= k.share; n < 0 {
			p.kind = k.name
			break
		}
	}
	if last := i - (w.mark.People - len(newest)); last >= 0 {
		p.kind, p.patience = newest[last], 16
	}
	p.values = map[flows.StepID][]flows.Value{
		flows.StepSafetyNow: {flows.Safe}, flows.StepWhoFor: {"self"},
		flows.StepPlaceKind:      {p.any("guesthouse", "guesthouse", "outdoors", "shelter", "at_mission")},
		flows.StepUrgentNeeds:    {flows.None},
		flows.StepPassportStatus: {p.any("held_by_employer", "held_by_employer", "lost_stolen", "held_by_other", "with_me_expired", "never_had", "unknown")},
		flows.StepPassportCopy:   {p.any("photo", "number", "none", "none")},
		flows.StepImmigration:    {p.any("overstay", "overstay", "overstay", "no_entry_stamp", "unknown")},
		flows.StepContactPref:    {p.any("call_anytime", "call_anytime", "call_window", "text_only")},
		flows.StepReturnPlan:     {p.any("return_self_funded", "return_needs_help", "return_needs_help", "unsure")},
		flows.StepSex:            {p.any("male", "male", "female")},
		flows.StepConsentShare:   {p.any("agree", "agree", "mission_only", "ask_officer")},
		flows.StepFamilyConsent:  {p.any("may_tell_safe", "no_contact", "may_ask_documents")},
	}
	p.situation()
	if p.people > 3 && p.one(6) && p.kind != "family" {
		p.values[flows.StepWhoFor] = []flows.Value{"group"}
	}
	if p.values[flows.StepSex][0] == "female" && p.one(3) && p.kind != "watched" {
		p.need("female_officer")
	}
	p.words()
}

// situation sets what differs from an ordinary stranded person.
func (p *citizen) situation() {
	set := func(step flows.StepID, v ...flows.Value) { p.values[step] = v }
	switch p.kind {
	case "stranded":
		if p.one(4) {
			p.need(p.any("no_shelter", "no_food_water"))
		}
	case "travelling":
		set(flows.StepPlaceKind, p.any("moving", "moving", "border"))
	case "ready":
		set(flows.StepPassportStatus, "with_me_valid")
		set(flows.StepImmigration, p.any("valid", "overstay"))
		set(flows.StepReturnPlan, "return_self_funded")
	case "watched":
		set(flows.StepSafetyNow, flows.Watched)
		set(flows.StepPlaceKind, "in_compound")
		set(flows.StepPassportStatus, "held_by_employer")
		set(flows.StepContactPref, p.any("text_only", "wait_for_me", "call_window"))
	case "danger":
		set(flows.StepSafetyNow, flows.Danger)
		set(flows.StepPlaceKind, "in_compound")
		p.need("held_or_threatened")
	case "family":
		set(flows.StepWhoFor, "other_person")
		set(flows.StepRelation, p.any("parent", "spouse", "sibling", "friend"))
		set(flows.StepSubjectSafe, p.any("yes", "no", "unknown"))
		if p.one(8) {
			p.need("held_or_threatened")
			set(flows.StepRansomAsked, "yes")
		}
	case "detained":
		set(flows.StepPlaceKind, p.any("police", "immigration_detention"))
		set(flows.StepPassportStatus, "held_by_authority")
		p.need("detained")
	case "sick":
		p.need(p.any("sick", "sick", "sick", "sick", "pregnant", "pregnant", "child", "child", "injured"))
	}
}

func (p *citizen) need(v flows.Value) {
	have := p.values[flows.StepUrgentNeeds]
	if slices.Equal(have, []flows.Value{flows.None}) {
		have = nil
	}
	p.values[flows.StepUrgentNeeds] = append(have, v)
}

var (
	simFirst  = []string{"Adit", "Bayu", "Citra", "Dimas", "Eka", "Fajar", "Galih", "Hana", "Indra", "Joko", "Kiki", "Laras", "Mega", "Nanda", "Oki", "Putri", "Rina", "Sigit", "Tika", "Wulan"}
	simSecond = []string{"Contohwan", "Misalnya", "Umpama", "Seandainya", "Rekaan", "Andaikata", "Percobaan", "Teladan"}
	simTowns  = []string{"Medan, Sumatera Utara", "Batam", "Manado", "Palembang", "Bekasi", "Subang", "Pontianak", "Banyuwangi", "Lampung Timur", "Indramayu"}
)

// words are the answers that are typed. Names are made so that nobody bears them.
func (p *citizen) words() {
	name := simFirst[p.rnd.IntN(len(simFirst))] + " " + simSecond[p.rnd.IntN(len(simSecond))]
	other := simFirst[p.rnd.IntN(len(simFirst))] + " " + simSecond[p.rnd.IntN(len(simSecond))]
	p.texts = map[flows.StepID]string{
		flows.StepLocation:       p.say("di {tempat}", "{tempat}", "saya sekarang di {tempat}", "dekat pasar {tempat}", "{tempat} kamboja", "sekitar terminal bus {tempat}", "tidak tahu"),
		flows.StepLocationHint:   p.say("gedung 6 lantai cat putih, banyak tulisan cina, dekat kasino", "ada pom bensin besar dan sinyal smart, 3 jam naik mobil dari phnom penh", "ruko warna kuning, dekat sungai"),
		flows.StepSafeTime:       p.say("jam 9 malam", "habis isya", "13.00-14.00", "jam 12 siang sampai jam 1", "pagi jam 7-8"),
		flows.StepCallbackNumber: p.say("+855 99 000 {n3}", "099000{n3}", "+62 812-0000-0{n3}", "nomor ini aja kak +85599000{n3}"),
		flows.StepCodeWord:       p.say("melati", "kopi susu", "layangan", "perahu", "rembulan", "kelapa muda"),
		flows.StepDuressWord:     p.say("durian", "salak", "nangka"),
		flows.StepFullName:       name,
		flows.StepSubjectName:    other,
		flows.StepBirthDate:      fmt.Sprintf("%d-%02d-%02d", 1985+p.rnd.IntN(20), 1+p.rnd.IntN(12), 1+p.rnd.IntN(28)),
		flows.StepHomeArea:       simTowns[p.rnd.IntN(len(simTowns))],
		flows.StepGroupSize:      fmt.Sprint(p.people),
		flows.StepSubjectContact: p.say("+855 99 000 {n3}", "tidak ada", "cuma telegram"),
		flows.StepLastContact:    p.say("kemarin malam", "3 hari lalu", "tgl 12 januari", "seminggu yang lalu"),
		flows.StepOverstaySince:  p.say("{bulan} bulan", "sejak tahun lalu", "kira kira {bulan} bulan"),
		flows.StepEntryDate:      p.say("2025-03-{n1}0", "maret 2025", "lupa"),
		flows.StepEntryPoint:     p.say("bandara phnom penh", "lewat bavet dari vietnam", "lewat poipet jalan darat"),
		flows.StepHealthDetail:   p.say("demam dan batuk sudah seminggu", "asma, obat habis", "maag, lemas belum makan"),
		flows.StepFamilyContact:  p.say("ibu saya +62 812-0000-1{n3}", "lewati", "kakak di rumah 081200001{n3}"),
		flows.StepExtra:          p.say("terima kasih banyak kak", "tolong dibantu ya pak", "lewati"),
	}
}

// say picks one and fills it in, in this person's spelling.
func (p *citizen) say(of ...string) string {
	s := of[p.rnd.IntN(len(of))]
	s = strings.NewReplacer("{tempat}", p.place.name, "{orang}", fmt.Sprint(p.people), "{bulan}", fmt.Sprint(p.months),
		"{n3}", fmt.Sprintf("%03d", p.rnd.IntN(1000)), "{n1}", fmt.Sprint(1+p.rnd.IntN(2))).Replace(s)
	if p.slang {
		s = strings.NewReplacer("tidak", p.pick("gak", "ga", "tdk", "nggak"), "saya", p.pick("sy", "aku", "gw", "saya"),
			"sekarang", p.pick("skrg", "skr"), " yang ", " yg ", "sudah", p.pick("udah", "sdh"), "dengan", "dgn", "tolong", p.pick("tlg", "tolongg", "tolong"),
			"bagaimana", "gmn", "teman", p.pick("temen", "kawan"), "paspor", p.pick("paspor", "pasport", "paspot")).Replace(s)
	}
	return s
}

var openings = map[string][]string{
	"stranded": {
		"tolong saya di {tempat}, paspor ditahan bos", "saya WNI di {tempat} mau pulang tapi tidak punya paspor dan tidak ada uang",
		"halo KBRI, saya dan {orang} teman baru keluar dari kantor di {tempat}. paspor kami tidak dikasih", "min mau tanya, saya overstay {bulan} bulan, bagaimana caranya pulang?",
		"assalamualaikum, saya kabur dari tempat kerja di {tempat} sudah 3 hari, sekarang bingung mau ke mana",
		"selamat siang pak, saya mau lapor diri. paspor saya hilang di {tempat}",
	},
	"travelling": {"saya sedang di bus dari {tempat} ke phnom penh, mau ke KBRI", "kak kami {orang} orang lagi di jalan dari {tempat}, kira2 KBRI buka jam berapa?", "baru keluar dari {tempat}, naik taksi ke phnom penh"},
	"ready":      {"saya mau pulang ke indonesia, paspor ada di saya, visa masih ada. harus bagaimana?", "selamat pagi, saya sudah beli tiket tapi kena denda overstay {bulan} bulan", "paspor aman di saya. cuma mau tanya soal exit permit"},
	"watched":    {"tolong", "pak saya tidak bisa keluar dari gedung, hp dicek", "kak tlg jgn telp ya. saya di {tempat}, dijaga"},
	"danger":     {"TOLONG kami dikunci di lantai 4 di {tempat}", "saya dipukul dan diancam, tolong cepat", "bahaya pak, mereka mau pindahkan kami malam ini"},
	"family":     {"adik saya di {tempat} sudah seminggu tidak ada kabar", "anak saya kerja di {tempat}, dia minta tolong tidak bisa pulang, paspornya diambil", "suami saya disekap di kamboja, mereka minta uang tebusan"},
	"detained":   {"saya ditahan imigrasi di {tempat}, sudah 5 hari", "kami {orang} orang dibawa polisi dari {tempat}, paspor disita"},
	"sick":       {"saya sakit demam tinggi di {tempat}, belum makan, tidak ada uang", "istri saya hamil 7 bulan, kami di {tempat} mau pulang", "teman saya jatuh dari tangga kakinya luka parah, kami di {tempat}"},
}

var openingsEn = []string{"hello i am indonesian citizen in {tempat}, my passport is with my boss", "Hi, I need help to go home. I am in {tempat}.", "please help, no passport, overstay {bulan} months"}

// next is the n-th thing this person does; more is false when it is the last.
func (p *citizen) next(n int) (in flows.Input, more bool) {
	if n == 0 {
		return p.first(), true
	}
	shown := p.state.Shown
	if shown == nil {
		return flows.Input{Kind: flows.KindText, Text: p.say("terima kasih", "baik, saya tunggu", "ok kak makasih", "tolong segera ya")}, false
	}
	if shown.Step == flows.StepConfirm {
		if p.goesOn {
			return p.choose(shown, "continue"), true
		}
		return p.choose(shown, "later"), false
	}
	if shown.Step == flows.StepLocation {
		if p.one(3) {
			// Some metres to every side: nobody's roof is meant.
			return flows.Input{Kind: flows.KindLocation, Location: &flows.Location{Kind: "pin", HasPoint: true,
				Lat: p.place.lat + (p.rnd.Float64()-0.5)/20, Lon: p.place.lon + (p.rnd.Float64()-0.5)/20, AccuracyM: float64(10 + p.rnd.IntN(90))}}, true
		}
		return flows.Input{Kind: flows.KindText, Text: p.texts[flows.StepLocation]}, true
	}
	for _, v := range p.values[shown.Step] {
		if slices.Contains(shown.Choices, v) {
			if flows.Multi[shown.Step] {
				return p.several(shown), true
			}
			return p.choose(shown, v), true
		}
	}
	if text := p.texts[shown.Step]; text != "" {
		return flows.Input{Kind: flows.KindText, Text: text}, true
	}
	if len(shown.Choices) > 0 {
		return p.choose(shown, shown.Choices[0]), true
	}
	return flows.Input{Kind: flows.KindText, Text: "lewati"}, true
}

// first is the first message: a greeting, the whole story at once, a picture, or a pin.
func (p *citizen) first() flows.Input {
	of := openings[p.kind]
	if p.lang == "en" {
		of = openingsEn
	}
	switch n := p.rnd.IntN(100); {
	case n < 40:
		return flows.Input{Kind: flows.KindText, Text: p.say("halo", "assalamualaikum", "permisi", "selamat malam", "hallo min", "/start", "/start", "/start", "p")}
	case n < 93:
		return flows.Input{Kind: flows.KindText, Text: p.say(of...)}
	case n < 96:
		return flows.Input{Kind: flows.KindMedia, Text: p.say("ini foto paspor saya", ""), Media: &flows.Media{Kind: "photo", Ref: "simulated", Bytes: 180_000, MIME: "image/jpeg"}}
	default:
		return flows.Input{Kind: flows.KindMedia, Media: &flows.Media{Kind: "voice", Ref: "simulated", Seconds: 6 + p.rnd.IntN(40), MIME: "audio/ogg"}}
	}
}

// choose answers a closed question: mostly by a tap, sometimes by its number.
func (p *citizen) choose(s *flows.Shown, v flows.Value) flows.Input {
	i := slices.Index(s.Choices, v)
	if s.Buttons && !p.one(4) || i < 0 {
		return flows.Input{Kind: flows.KindTap, Tap: &flows.Tap{Scope: p.state.Scope, Step: s.Step, Value: v}}
	}
	return flows.Input{Kind: flows.KindText, Text: number(s, i)}
}

// several answers a question that takes more than one value: typed as "1,4".
func (p *citizen) several(s *flows.Shown) flows.Input {
	var numbers []string
	for _, v := range p.values[s.Step] {
		if i := slices.Index(s.Choices, v); i >= 0 {
			numbers = append(numbers, number(s, i))
		}
	}
	return flows.Input{Kind: flows.KindText, Text: strings.Join(numbers, p.pick(",", " dan ", ", "))}
}

// number is what stands before the i-th choice.
func number(s *flows.Shown, i int) string {
	if s.Choices[i] == flows.None && flows.ZeroIsNone[s.Step] {
		return "0"
	}
	return fmt.Sprint(i + 1)
}

// pause is how long this person takes for an answer.
func (p *citizen) pause() time.Duration {
	return time.Duration(6+p.rnd.IntN(70)) * time.Second
}

// one is true once in n.
func (p *citizen) one(n int) bool { return p.rnd.IntN(n) == 0 }

func (p *citizen) any(of ...flows.Value) flows.Value { return of[p.rnd.IntN(len(of))] }

func (p *citizen) pick(of ...string) string { return of[p.rnd.IntN(len(of))] }
