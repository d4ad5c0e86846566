package intake

import (
	"testing"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// Words by which a number is gone, and words that only speak of a telephone.
func TestNumberThatIsGone(t *testing.T) {
	for text, gone := range map[string]bool{
		"nomor lama udah ga aktif": true, "hp saya diambil bos": true, "hp dijual buat makan": true, "nomor itu bukan punya saya": true,
		"yg lama jangan dipake": true, "salah nomor kak": true, "nomor yg kemarin jangan dipakai lagi": true, "HP saya hilang.": true,
		"mau ganti nomor": true, "my phone was taken": true, "the old number is not active": true, "wrong number": true,
		"hp saya masih ada, paspor diambil bos": false, "nomor saya masih aktif": false, "boleh ke nomor ini": false, "hp mau mati": false,
		"paspor hilang": false, "nomor paspor hilang": false, "kartu saya diblokir": false, "sim saya hilang": false, "hp teman saya hilang": false, "ini nomor saya": false, "hp tidak ada pulsa": false, "ada nomor lain": false,
	} {
		if lostNumber(fold(text)) != gone {
			t.Errorf("%q: gone is %v", text, !gone)
		}
	}
}

// After words by which the number is gone the old one is on the case no more and nobody may ring it, whether or not the
// new one was understood, whatever is answered to the question for it.
func TestOldNumberIsNotRung(t *testing.T) {
	f := New(testConfig(lexicon.Default()))
	const old = "+855882345678"
	for _, words := range []string{
		"nomor lama udah ga aktif", "hp saya diambil bos", "nomor saya ganti jadi 12 yg lama jangan dipake", "salah nomor kak yg bener 0812 345 678",
		"nomor baru saya +62 812 3456 7890", "hp saya dijual nomor baru 0971112222",
	} {
		for _, first := range []string{"saya aman di bavet", "saya diawasi di bavet", "saya disekap di bavet"} {
			for _, after := range []string{"LEWATI", "tidak tahu", "xyzzy", "LANJUT"} {
				w := &ringing{walker: &walker{talk: newTalk(t, f), flow: f}}
				for _, say := range []string{first, "telp aja +855 88 234 5678", words, after, after, after} {
					w.say(say)
					w.follow()
					if say == "telp aja +855 88 234 5678" && (!w.mayCall() || w.c.Answers[flows.StepCallbackNumber].Norm != old) {
						t.Fatalf("after %q the number is not on the case", first)
					}
				}
				if n := w.c.Answers[flows.StepCallbackNumber].Norm; n == old || n == "" && w.mayCall() && !w.c.Answers[flows.StepCallbackNumber].Has(ambiguous) {
					t.Errorf("after %q, %q, %q the number is %q and may be rung: %v", first, words, after, n, w.mayCall())
				}
			}
		}
	}
}
