package intake

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulang/flows"
	"pulang/flows/casework"
	"pulang/flows/lexicon"
)

// classOf lets a person write these messages and returns the class that the case stands in: conversation, reader and
// triage together, as they work.
func classOf(f *Flow, says []string) (casework.Class, []casework.Reason) {
	at := time.Date(2026, 1, 19, 14, 0, 0, 0, time.UTC)
	rules := casework.DefaultRules()
	var s flows.State
	var c *casework.Case
	for _, words := range says {
		at = at.Add(time.Minute)
		turn := f.Next(flows.Env{NewCode: "K7M6-89AA", NewScope: "s1", Case: casework.View(c)}, s,
			flows.Input{Kind: flows.KindText, ID: at.String(), Text: words, At: at})
		s = turn.State
		for _, e := range turn.Effects {
			if o, ok := e.(flows.OpenCase); ok {
				c = casework.New("1", o.Code, "kh", "kh", "test", at)
			}
			if c != nil {
				c.Apply(e, at, rules)
			}
		}
		if c != nil {
			c.LastIn = at
			c.Rescore(at, rules)
		}
	}
	if c == nil {
		return "", nil
	}
	return casework.Effective(c, at), c.Triage.Reasons
}

// dangers are words that tell of danger, in several tongues and spellings.
var dangers = []string{
	"disekap", "saya disekap", "dikurung", "dipukul", "disiksa", "disetrum", "diancam mau dibunuh", "ada pistol", "tolong bahaya",
	"dikejar", "mau dijual", "minta tebusan", "pingsan", "banyak darah", "luka parah", "mau bunuh diri", "diperkosa", "🆘", "sos", "BAHAYA",
	"dsekap", "di pukulin", "I am locked up", "they beat me",
}

var plainMessages = []string{
	"halo", "aman", "1", "2", "3", "0", "saya sendiri", "saya di bavet", "di poipet", "tidak tahu", "penginapan", "paspor ditahan bos",
	"paspor hilang", "paspor ada", "overstay 3 bulan", "visa masih berlaku", "chat saja", "telepon jam 9 malam", "boleh telepon", "ga punya uang",
	"lapar belum makan", "sakit demam", "hamil 3 bulan", "saya umur 16", "kami 7 orang", "anak saya di sana", "adik saya hilang kontak", "mau pulang",
	"terima kasih", "selesai", "lanjut", "nanti", "lewati", "siti aminah", "1,4",
}

// Adding a word of danger to a message never lowers the class, wherever in the conversation it stands: through the
// real reader, the conversation and the triage. (Where the message before it was an answer, a danger may take its
// place; it then weighs more than the answer.)
func TestDangerNeverLowersTheClass(t *testing.T) {
	f := New(testConfig(lexicon.Default()))
	often(t, func(r *rapid.T) {
		says := rapid.SliceOfN(rapid.SampledFrom(plainMessages), 1, 8).Draw(r, "says")
		was, reasons := classOf(f, says)
		i := rapid.IntRange(0, len(says)-1).Draw(r, "where")
		word := rapid.SampledFrom(dangers).Draw(r, "danger")
		worse := slices.Clone(says)
		switch rapid.IntRange(0, 2).Draw(r, "how") {
		case 0:
			worse[i] += " " + word
		case 1:
			worse[i] = word + ", " + worse[i]
		default:
			worse = slices.Insert(worse, i+1, word)
		}
		now, because := classOf(f, worse)
		if was != "" && was.Above(now) {
			t.Fatalf("%q is %s %v\n%q is %s %v", says, was, reasons, worse, now, because)
		}
	})
}

// The same over messages as people write them.
func TestDangerNeverLowersRealMessages(t *testing.T) {
	raw, err := os.ReadFile("../lexicon/testdata/messages_own.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	f := New(testConfig(lexicon.Default()))
	n := 0
	for _, line := range strings.Split(string(raw), "\n") {
		_, rest, ok := strings.Cut(line, `"text":`)
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, " \"")
		words, _, _ := strings.Cut(rest, `"`)
		was, reasons := classOf(f, []string{words})
		for _, d := range []string{"disekap", "dipukul", "tolong bahaya", "mau dibunuh"} {
			for _, worse := range []string{words + " " + d, words + ". saya " + d} {
				if now, because := classOf(f, []string{worse}); was != "" && was.Above(now) {
					t.Errorf("%q is %s %v; with %q %s %v", words, was, reasons, d, now, because)
				}
				n++
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d messages tried", n)
	}
}
