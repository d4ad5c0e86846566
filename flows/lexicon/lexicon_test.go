package lexicon

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"pulang/flows"
	"pulang/flows/places"
)

func read(text string, step flows.StepID) Reading {
	return Default().Read(text, Context{Step: step, At: now, Country: "KH"})
}

// sentences are ordinary messages, safe ones among them, that properties vary.
func sentences(t testing.TB) []string {
	var out []string
	for _, f := range []string{"messages_dev.jsonl", "messages_own.jsonl"} {
		for _, m := range messages(t, f) {
			out = append(out, m.Text)
		}
	}
	return out
}

// Every sentence with every danger word before or behind it, at every kind of question: all of them with PULANG_SOAK=1,
// the same 31st part of them otherwise.
func TestADangerWordNeverLowersSafety(t *testing.T) {
	words := []string{"bahaya", "disekap", "dipukuli", "dikejar", "tolong kami disiksa", "mau dibunuh", "dijual", "disetrum", "🆘", "ada pistol"}
	n, soak := 0, os.Getenv("PULANG_SOAK") == "1"
	for _, text := range sentences(t) {
		for _, step := range []flows.StepID{"", flows.StepSafetyNow, flows.StepLocation, flows.StepPassportStatus} {
			for _, word := range words {
				for _, after := range []string{text + ". " + word, word + ". " + text} {
					if n++; !soak && n%31 > 0 {
						continue
					}
					before, got := read(text, step).SafetyNow, read(after, step).SafetyNow
					// Whoever is safe and writes of one who is held is asked again: that is no lower.
					if before != flows.Safe && level[got] < level[before] {
						t.Errorf("at %q %q: %q, but %q: %q", step, text, before, after, got)
					}
					if got == flows.Safe {
						t.Errorf("at %q %q is read as safe", step, after)
					}
				}
			}
		}
	}
	if n < 100_000 {
		t.Errorf("only %d", n)
	}
}

// A danger word that is a sentence of its own is the writer's answer where their safety was asked for, whoever else the
// message tells of.
func TestADangerWordAloneIsTheWritersAnswer(t *testing.T) {
	for _, text := range []string{"dipukuli. 3, ponakan sama istrinya", "disetrum. 3, ponakan sama istrinya", "adik saya juga di sini. dipukuli"} {
		if got := read(text, flows.StepSafetyNow).SafetyNow; got != flows.Danger {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := read("ponakan saya dipukuli, saya di rumah", flows.StepSafetyNow).SafetyNow; got == flows.Danger {
		t.Errorf("what is told of somebody else: %q", got)
	}
}

func TestDeniedAmanIsNeverSafe(t *testing.T) {
	no := []string{"tidak", "ga", "gak", "nggak", "ngga", "kagak", "ora", "mboten", "teu", "indak", "dak", "kada", "sonde", "tra", "belum", "blm", "kurang", "bukan", "nda", "ndak", "tdk", "henteu", "gk", "not"}
	between := []string{"", "terlalu ", "begitu ", "bisa dibilang ", "merasa ", "pernah ", "akan ", "benar2 ", "ngerasa "}
	front := []string{"", "saya ", "kami ", "di sini ", "pak ", "jujur ", "sekarang ", "kalo dibilang gimana ya, "}
	back := []string{"", " pak", " sama sekali", " di sini", " bgt", "!!", " tolong", " kok", " lah", " mas"}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(front).Draw(t, "f") + rapid.SampledFrom(no).Draw(t, "n") + " " + rapid.SampledFrom(between).Draw(t, "b") + "aman" + rapid.SampledFrom(back).Draw(t, "e")
		for _, step := range []flows.StepID{"", flows.StepSafetyNow, flows.StepContactPref} {
			if got := read(text, step); got.SafetyNow == flows.Safe || slices.Contains(got.Chosen, flows.Safe) {
				t.Fatalf("%q at %q is read as safe", text, step)
			}
		}
	})
}

func TestAmanWithADoubtIsNotSafe(t *testing.T) {
	for _, text := range []string{"aman tapi diawasi", "aman tapi ada bos", "aman, cuma ada cctv", "aman kalau bos pergi", "aman tp takut ketauan", "aman asal jangan telpon",
		"katanya aman", "bos bilang aman", "disuruh bilang aman", "mana ada aman", "1 tapi ada leader", "aman apanya", "jauh dari aman", "dibilang aman ya gak juga"} {
		if got := read(text, flows.StepSafetyNow); got.SafetyNow == flows.Safe {
			t.Errorf("%q is read as safe", text)
		}
	}
}

// TestEveryChoice reads every value of every menu by its number, by its name and, for a yes-or-no question, by word.
func TestEveryChoice(t *testing.T) {
	for step, menu := range flows.Menus {
		for i, v := range menu {
			n := i + 1
			if flows.ZeroIsNone[step] && v == flows.None {
				n = 0
			}
			for _, text := range []string{itoa(n), itoa(n) + ".", "nomor " + itoa(n), "pilih " + itoa(n) + " kak", string(v)} {
				got := read(text, step)
				if len(got.Chosen) != 1 || got.Chosen[0] != v {
					t.Errorf("%s: %q gives %v, want %s", step, text, got.Chosen, v)
				}
			}
		}
		if slices.Contains(menu, flows.Yes) && slices.Contains(menu, flows.No) {
			for text, want := range map[string]flows.Value{"iya kak": flows.Yes, "tidak": flows.No, "ga": flows.No, "nggih": flows.Yes} {
				if got := read(text, step); len(got.Chosen) != 1 || got.Chosen[0] != want {
					t.Errorf("%s: %q gives %v, want %s", step, text, got.Chosen, want)
				}
			}
		}
	}
}

func TestChoiceWords(t *testing.T) {
	for _, c := range []struct {
		step flows.StepID
		text string
		want []flows.Value
	}{
		{flows.StepSex, "cowok", []flows.Value{"male"}},
		{flows.StepSex, "perempuan kak", []flows.Value{"female"}},
		{flows.StepRelation, "saya ibunya", []flows.Value{"parent"}},
		{flows.StepRelation, "adik kandung", []flows.Value{"sibling"}},
		{flows.StepReturnPlan, "mau pulang tp ga ada uang", []flows.Value{"return_needs_help"}},
		{flows.StepReturnPlan, "bisa beli tiket sendiri", []flows.Value{"return_self_funded"}},
		{flows.StepReturnPlan, "belum mau pulang", []flows.Value{"not_now"}},
		{flows.StepConsentShare, "setuju", []flows.Value{"agree"}},
		{flows.StepConsentShare, "kbri aja dulu", []flows.Value{"mission_only"}},
		{flows.StepConfirm, "lanjut", []flows.Value{"continue"}},
		{flows.StepConfirm, "nanti aja", []flows.Value{"later"}},
		{flows.StepFamilyConsent, "jangan hubungi keluarga", []flows.Value{"no_contact"}},
		{flows.StepIDProof, "ktp sama kk", []flows.Value{"ktp", "kk"}},
		{flows.StepIDProof, "1,4", []flows.Value{"passport_photo", "birth_certificate"}},
		{flows.StepIDProof, "2 5", []flows.Value{"ktp", "driving_licence"}},
		{flows.StepPassportCopy, "ada fotonya di galeri", []flows.Value{"photo"}},
		{flows.StepUrgentNeeds, "1 dan 4", []flows.Value{"injured", "child"}},
		{flows.StepUrgentNeeds, "1 4 7", []flows.Value{"injured", "child", "no_food_water"}},
		{flows.StepUrgentNeeds, "0", []flows.Value{flows.None}},
		{flows.StepCountry, "myanmar", []flows.Value{"MM"}},
		{flows.StepGroupSamePlace, "iya semua di sini", []flows.Value{flows.Yes}},
		{flows.StepSafetyNow, "3 orang di sini", nil},
		{flows.StepPlaceKind, "lantai 3", nil},
	} {
		if got := read(c.text, c.step); !slices.Equal(got.Chosen, c.want) {
			t.Errorf("%s: %q gives %v, want %v", c.step, c.text, got.Chosen, c.want)
		}
	}
}

func TestChoicesOfAnotherOrder(t *testing.T) {
	c := Context{Step: flows.StepPassportStatus, Choices: []flows.Value{"with_me_valid", "never_had", "held_by_other"}, At: now}
	if got := Default().Read("2", c); !slices.Equal(got.Chosen, []flows.Value{"never_had"}) || got.Passport != "never_had" {
		t.Errorf("2 of a shorter menu gives %v", got.Chosen)
	}
	if got := Default().Read("7", c); len(got.Chosen) != 0 {
		t.Errorf("7 of three choices gives %v", got.Chosen)
	}
}

func TestNIK(t *testing.T) {
	p, ok := ParseNIK("31 7405 410190 0001")
	if !ok || !p.Female || p.Day != 1 || p.Month != 1 || p.Year != 90 || p.Province != "31" {
		t.Errorf("got %+v, %v", p, ok)
	}
	for _, bad := range []string{"3174050101900", "9974050101900001", "3174053201900001", "3174050113900001", "31740501019000O1"} {
		if _, ok := ParseNIK(bad); ok {
			t.Errorf("%s is taken for a NIK", bad)
		}
	}
}

func TestPassportNumbers(t *testing.T) {
	for in, want := range map[string]string{"c0000123": "C0000123", "C OOOO123": "C0000123", "xd123456": "XD123456", "E 1234567": "E1234567"} {
		if got, ok := ParsePassport(in); !ok || got != want {
			t.Errorf("%s gives %s, %v; want %s", in, got, ok, want)
		}
	}
	for _, bad := range []string{"paspor", "1234567", "C12", "ABC1234567", "bavet"} {
		if got, ok := ParsePassport(bad); ok {
			t.Errorf("%s is taken for %s", bad, got)
		}
	}
}

func TestSignals(t *testing.T) {
	for text, want := range map[string]string{
		"minta tebusan 80 juta": "ransom_asked", "teman pingsan darah keluar terus": "medical_emergency",
		"saya mau bunuh diri": "self_harm", "diancam terus sama bos": "threatened", "umur saya 16": "minor",
	} {
		if got := read(text, ""); !slices.Contains(got.Signals, want) {
			t.Errorf("%q gives %v, want %s", text, got.Signals, want)
		}
	}
}

func TestGreetingsSayNothing(t *testing.T) {
	for _, text := range []string{"p", "halo kak", "assalamualaikum", "selamat pagi pak", "min", "permisi bu", "hai", "test"} {
		got := read(text, "")
		if !got.Greeting || got.SafetyNow != "" || got.Command != "" {
			t.Errorf("%q gives %+v", text, got)
		}
	}
	for _, text := range []string{"halo tolong saya di bavet", "p tolong!!", "saya disekap"} {
		if got := read(text, ""); got.Greeting {
			t.Errorf("%q is taken for a greeting", text)
		}
	}
}

func TestCommandArguments(t *testing.T) {
	for text, want := range map[string][2]string{
		"GABUNG K7M4-692Q": {"join", "K7M4-692Q"}, "gabung K7M4 692Q saya tono": {"join", "K7M4 692Q"}, "status K7M4-692Q": {"status", "K7M4-692Q"},
		"CEK KH-17": {"check_officer", "KH-17"}, "use english please": {"language", "en"},
	} {
		if got := read(text, ""); got.Command != want[0] || got.CommandArg != want[1] {
			t.Errorf("%q gives %q %q, want %q", text, got.Command, got.CommandArg, want)
		}
	}
}

func TestAListThatCannotBeRead(t *testing.T) {
	base := func() fstest.MapFS {
		m := fstest.MapFS{}
		for _, f := range []string{"numbers.txt", "words.txt", "verbs.txt", "fillers.txt", "lists.txt", "common.txt", "topic_safety.txt"} {
			b, err := embedded.ReadFile("data/" + f)
			if err != nil {
				t.Fatal(err)
			}
			m[f] = &fstest.MapFile{Data: b}
		}
		return m
	}
	if _, err := New(base(), places.Default()); err != nil {
		t.Fatalf("the built-in lists: %v", err)
	}
	for file, line := range map[string]string{"topic_safety.txt": "[safety.danger]\n<nobody> lari", "words.txt": "kata tanpa titik dua", "numbers.txt": "banyak: sekali", "lists.txt": "[me]\n"} {
		m := base()
		if file == "lists.txt" {
			m[file] = &fstest.MapFile{Data: []byte("[only]\nsaya\n")}
		} else {
			m[file] = &fstest.MapFile{Data: append(m[file].Data, []byte("\n"+line+"\n")...)}
		}
		_, err := New(m, places.Default())
		if err == nil || !strings.Contains(err.Error(), file) && file != "lists.txt" {
			t.Errorf("a broken %s gives %v", file, err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	all := sentences(b)
	l := Default()
	c := Context{At: now, Country: "KH"}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		l.Read(all[i%len(all)], c)
		i++
	}
}

// BenchmarkReadLong reads the longest messages only.
func BenchmarkReadLong(b *testing.B) {
	all := sentences(b)
	slices.SortFunc(all, func(x, y string) int { return len(y) - len(x) })
	l := Default()
	c := Context{At: now, Country: "KH"}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		l.Read(all[i%10], c)
		i++
	}
}

func itoa(n int) string {
	if n >= 10 {
		return string(rune('0'+n/10)) + string(rune('0'+n%10))
	}
	return string(rune('0' + n))
}

func TestCommands(t *testing.T) {
	for want, texts := range map[string][]string{
		"danger": {"BAHAYA", "bahayaaa", "bhaya", "SOS", "🆘", "tolong!!", "toloooong"}, "stop": {"BERHENTI", "stop", "stopp", "x", "X", "brhenti", "berenti"},
		"resume": {"LANJUT", "lanjutkan", "lanjt"}, "status": {"STATUS", "setatus", "sttaus", "cek status"}, "officer": {"PETUGAS", "orang", "cs", "ptgs"},
		"edit": {"UBAH", "ganti", "salah pencet"}, "back": {"KEMBALI", "balik", "back"}, "skip": {"LEWATI", "skip", "lompati", "lewat"}, "menu": {"MENU", "bantuan", "help"},
		"language": {"BAHASA", "ganti bahasa"}, "delete": {"HAPUS", "hapus chat"}, "join": {"GABUNG K7M4-692Q"}, "safe_now": {"SUDAH AMAN", "udah aman kak"},
		"new": {"BARU", "laporan baru"}, "check_officer": {"CEK A17", "cek kode petugas A17"},
	} {
		for _, text := range texts {
			if got := read(text, ""); got.Command != want {
				t.Errorf("%q gives %q, want %s", text, got.Command, want)
			}
		}
	}
	for _, text := range []string{"tolong", "lewat mana ya", "orang tua saya khawatir", "saya lanjut nanti malam", "nomor baru saya", "cek dulu ya", "saya stop kerja bulan lalu"} {
		if got := read(text, ""); got.Command != "" {
			t.Errorf("%q is taken for the command %s", text, got.Command)
		}
	}
}

// hostile are messages that are long and say little; the longest a messenger passes on has 4,096 characters.
var hostile = []string{
	strings.Repeat("saya sama kami bos paspor ", 400), strings.Repeat("dipegang bos ", 1000), strings.Repeat("1 ", 4000),
	strings.Repeat("a", 9000), strings.Repeat("di bavet ", 900), strings.Repeat("ga ", 3000), strings.Repeat("金边", 2000),
}

// The words behind a wall of others are read all the same.
func TestDangerBehindAWallOfWords(t *testing.T) {
	for _, text := range hostile {
		if got := read(text+". saya disekap, tolong", flows.StepUrgentNeeds); got.SafetyNow != flows.Danger {
			t.Errorf("%.20q… hides the danger behind it: %q", text, got.SafetyNow)
		}
	}
}

func BenchmarkReadHostile(b *testing.B) {
	l := Default()
	for b.Loop() {
		for _, text := range hostile {
			l.Read(text, Context{Step: flows.StepUrgentNeeds})
		}
	}
}

// What a tired person writes behind a name is not a part of it, and a name may be any words.
func TestNameEndsWhereTheSentenceGoesOn(t *testing.T) {
	for text, want := range map[string]string{
		"nama saya Sulistyowandari bosnya Hartawan":      "Sulistyowandari",
		"nama saya Putu Wiranatha mandornya galak":       "Putu Wiranatha",
		"nama saya dewi putri lestari":                   "dewi putri lestari",
		"nama saya Anak Agung Ngurah":                    "Anak Agung Ngurah",
		"nama saya Yusup visa saya mati":                 "Yusup",
		"nama saya Marlina istri dari pak Darto":         "Marlina",
		"perkenalkan nama saya Togar paspor ditahan bos": "Togar",
	} {
		if got := Default().Read(text, Context{Country: "KH"}).FullName; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"panggil aja Wulan": "Wulan", "Sulistyowandari, bosnya Hartawan": "Sulistyowandari"} {
		if got := Default().Read(text, Context{Step: flows.StepFullName, Country: "KH"}).FullName; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Who is no Indonesian citizen is listened to and flagged; who only speaks of other countries is not.
func TestNationality(t *testing.T) {
	for text, want := range map[string]bool{
		"saya bukan wni": true, "sy bkn WNI tp istri saya orang indonesia": true, "saya bukan orang indonesia": true,
		"bukan warga negara indonesia": true, "saya orang malaysia": true, "i am filipino": true, "not indonesian people": true,
		"saya wna pak": true, "paspor malaysia": true, "sy bukan warga indonesia": true,
		"saya wni": false, "saya wni bukan wna": false, "saya bukan orang jahat": false, "bosnya orang malaysia": false,
		"saya di kamboja": false, "i am in cambodia": false, "kami 5 wni di bavet": false, "paspor saya di malaysia": false,
		"kami 3 orang indonesia": false, "dijanjikan kerja di thailand": false, "temen saya orang vietnam": false,
	} {
		r := Default().Read(text, Context{Country: "KH"})
		if got := slices.Contains(r.Signals, "nationality_other"); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]int{"kami 5 wni di bavet": 5, "kami 3 orang indonesia": 3, "ada 12 wni di sini": 12} {
		if got := Default().Read(text, Context{Country: "KH"}).GroupSize; got != want {
			t.Errorf("%q: %d people, want %d", text, got, want)
		}
	}
}
