package intake

import (
	"testing"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// at puts a person before a question, with the real reader.
func at(t *testing.T, f *Flow, step flows.StepID) *talk {
	k := newTalk(t, f)
	k.state = asked(f, step, flows.Safe, "id")
	k.view = &flows.CaseView{Code: k.state.Case, Safety: flows.Safe, Stage: "reported"}
	return k
}

// The confirmation takes a yes or a no, and no sentence in which one of them stands.
func TestConfirmationTakesOnlyItsAnswer(t *testing.T) {
	f := New(testConfig(lexicon.Default()))
	for words, want := range map[string]flows.Value{
		"iya": goOn, "lanjut aja pak": goOn, "ya lanjut": goOn, "oke siap": goOn, "mau pak": goOn, "boleh kak": goOn, "iya saya mau lanjut sekarang": goOn,
		"nanti aja ya kak": later, "gak usah": later, "tidak dulu pak": later, "ga dulu makasih": later, "yes please": goOn, "later": later, "👍": goOn,
		"iya 50 juta": "", "maunya sama bu petugas perempuan": "", "gak ada yg sakit cuma capek": "", "jangan telp": "", "sekarang boleh telpon": "",
		"iya bos masih pegang paspor saya": "", "tidak ada makanan dari kemarin": "", "mau tanya": "",
	} {
		k := at(t, f, flows.StepConfirm)
		k.say(words)
		if got := k.state.Answers[flows.StepConfirm].Value(); got != want {
			t.Errorf("%q is taken as %q", words, got)
		}
	}
}

// A sentence is no name, and a name in any number of words is one.
func TestNameIsNoSentence(t *testing.T) {
	f := New(testConfig(lexicon.Default()))
	for words, name := range map[string]string{
		"blm periksa dokter tdk ada uang": "", "paspor saya ditahan": "", "kapan saya dijemput": "", "jangan telp": "",
		"Budi": "Budi", "Siti Nur Aisyah binti Ahmad": "Siti Nur Aisyah binti Ahmad",
		"nama saya Agus Salim": "Agus Salim",
	} {
		k := at(t, f, flows.StepFullName)
		k.state.Answers[flows.StepConfirm] = flows.Answer{Values: []flows.Value{goOn}, At: k.now}
		k.state.Optional = true
		k.say(words)
		if got := k.state.Answers[flows.StepFullName].Norm; got != name {
			t.Errorf("%q is the name %q", words, got)
		}
	}
}

// Words for later or no are no secret, safe or watched; the person is asked no more.
func TestPuttingOffIsNoSecretWord(t *testing.T) {
	f := New(testConfig(lexicon.Default()))
	for _, step := range []flows.StepID{flows.StepCodeWord, flows.StepDuressWord} {
		for words, secret := range map[string]bool{
			"tar aja": false, "ntar aja kak": false, "nanti dulu": false, "ga usah": false, "skip": false, "lewatin aja": false, "maybe later": false,
			"terserah": false, "kelapa": true, "kucing hitam": true,
		} {
			k := at(t, f, step)
			k.state.Answers[flows.StepPlaceKind] = flows.Answer{Values: []flows.Value{"in_compound"}, At: k.now}
			if step == flows.StepDuressWord {
				k.state.Answers[flows.StepCodeWord] = flows.Answer{Norm: "pintu", At: k.now}
			}
			k.say(words)
			if a := k.state.Answers[step]; (a.Norm != "") != secret {
				t.Errorf("%s: %q gives %q", step, words, a.Norm)
			}
		}
	}
}
