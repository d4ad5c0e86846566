package lexicon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulang/flows"
)

var noonOfMessages = time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)

// hoursIn is what is taken from a message about hours: windows, "21:00" for a single time, "?" before hours that are
// to be asked about, "" for nothing.
func hoursIn(text string, step flows.StepID) string {
	r := Default().Read(text, Context{Step: step, Country: "KH", At: noonOfMessages})
	join := func(ws [][2]string) string {
		var out []string
		for _, w := range ws {
			out = append(out, strings.TrimSuffix(w[0]+"-"+w[1], "-"))
		}
		return strings.Join(out, " ")
	}
	switch {
	case len(r.SafeTime) > 0:
		return join(r.SafeTime)
	case r.SafeFrom != "":
		return r.SafeFrom
	case len(r.SafeOr) > 0:
		return "?" + join(r.SafeOr)
	}
	return ""
}

// What tired people answer to "from what time to what time is it safe?".
func TestHoursAnswered(t *testing.T) {
	for text, want := range map[string]string{
		// the 24-hour clock
		"21-22": "21:00-22:00", "01-02": "01:00-02:00", "0-1": "00:00-01:00", "00-01": "00:00-01:00", "00.30-01.00": "00:30-01:00",
		"02.00-03.00": "02:00-03:00", "13.00-14.00": "13:00-14:00", "09.00 - 11.00": "09:00-11:00", "23-24": "23:00-00:00", "22-1": "22:00-01:00",
		"01.30 sampai 02.15": "01:30-02:15", "jam 01 sampai 02": "01:00-02:00", "12.30 - 13.00": "12:30-13:00", "11.30-00.30": "23:30-00:30",
		"08.00-17.00": "08:00-17:00", "20:00-05:00": "20:00-05:00", "dari jam 20 sampai jam 21": "20:00-21:00",
		// neither morning nor evening
		"1-2": "?01:00-02:00 13:00-14:00", "2-3": "?02:00-03:00 14:00-15:00", "jam 2 sampai 3": "?02:00-03:00 14:00-15:00",
		"12-1": "?00:00-01:00 12:00-13:00", "9-10": "?09:00-10:00 21:00-22:00", "jam 9 s/d 10": "?09:00-10:00 21:00-22:00", "11-12": "?11:00-12:00 23:00-00:00",
		"10.00-11.00": "?10:00-11:00 22:00-23:00", "stgh 2 sampe jam 2": "?01:30-02:00 13:30-14:00", "satu sampai dua": "?01:00-02:00 13:00-14:00",
		"10-2": "?10:00-14:00 22:00-02:00", "setengah 1 - 1": "?00:30-01:00 12:30-13:00", "from 7 to 9": "?07:00-09:00 19:00-21:00",
		"9": "?09:00 21:00", "jam 2": "?02:00 14:00", "jam 2 aja": "?02:00 14:00", "sekitar jam 10": "?10:00 22:00", "setengah 9": "?08:30 20:30",
		// too long to be taken unasked
		"9-5": "?09:00-17:00 21:00-05:00", "9-17": "?09:00-17:00", "8-21": "20:00-21:00", "1-6 malam": "?13:00-18:00", "20-8": "?20:00-08:00", "09-17": "?09:00-17:00",
		"9 sampai 5 sore": "?09:00-17:00", "11-9 malam": "?11:00-21:00",
		// the part of the day belongs to both ends
		"11-12 malem": "23:00-00:00", "jam 8 sampai 9 pagi": "08:00-09:00", "10-11 siang": "10:00-11:00", "9-10 malam": "21:00-22:00",
		"10-2 malam": "22:00-02:00", "12-1 malam": "00:00-01:00", "12-1 siang": "12:00-13:00", "11-1 siang": "11:00-13:00", "1-2 malem": "01:00-02:00",
		"2-4 dini hari": "02:00-04:00", "jam 1 sampai 2 dini hari": "01:00-02:00", "3-4 pagi": "03:00-04:00", "3-4 sore": "15:00-16:00",
		"malam jam 9 sampai 10": "21:00-22:00", "malam 9-10": "21:00-22:00", "jam 1 siang sampai jam 2": "13:00-14:00", "jam 9 malam sampai setengah 10": "21:00-21:30",
		"sore jam 3 - setengah 4": "15:00-15:30", "sore jam 3 sampai setengah 4": "15:00-15:30", "09.00-10.00 malam": "21:00-22:00", "09.30 malam - 10.15": "21:30-22:15",
		"12.30-01.00 malam": "00:30-01:00", "02.00-03.00 siang": "14:00-15:00", "11 malam - 1 pagi": "23:00-01:00", "besok malam jam 9-10": "21:00-22:00",
		"jam 9-10 nanti malam": "21:00-22:00", "23.00-01.00 malam": "23:00-01:00", "pas jam makan 12-1": "12:00-13:00", "malam di atas jam 11 sampai 12": "23:00-00:00",
		"pagi jam 6-7 atau malam jam 9-10": "06:00-07:00 21:00-22:00", "9 malam sampai jam 10": "21:00-22:00", "tiap jam istirahat 12.00-13.00": "12:00-13:00",
		"jam 9 malam atau jam 10 malam": "21:00", "jam 8 - 9 pagi / 7 - 8 malam": "08:00-09:00 19:00-20:00", "jam 9 malam dan jam 11 malam": "21:00", "antara jam 1 dan jam 2 siang": "13:00-14:00", "between 9 and 10 pm": "21:00-22:00", "12-13": "12:00-13:00",
		// only the end is said
		"sebelum jam 8 pagi": "", "sampai jam 10 malam": "", "until 10pm": "", "before 9pm": "", "maksimal jam 10 malam": "", "paling lambat jam 9 malam": "",
		// English
		"from 7pm to 9pm": "19:00-21:00", "7-9pm": "19:00-21:00", "9 pm - 10 pm": "21:00-22:00", "11pm-1am": "23:00-01:00", "12am-1am": "00:00-01:00",
		"12-1pm": "12:00-13:00", "9 p.m. to 10 p.m.": "21:00-22:00", "9 to 10 at night": "21:00-22:00", "2 to 3 in the morning": "02:00-03:00", "9am": "09:00", "7:30pm - 8pm": "19:30-20:00",
		// one time
		"jam 9 malam": "21:00", "jam 2 malam": "02:00", "jam 3 pagi waktu sini": "03:00", "cuma aman jam 2 malam": "02:00", "jam 10 pagi": "10:00", "09.30 malam": "21:30",
		"jam 1 malam": "01:00", "jam 12 malam": "00:00", "tengah malam jam 12": "00:00", "setengah 1 malam": "00:30", "jam 2 dini hari": "02:00", "jam 2 nanti malam": "02:00",
		"21": "21:00", "21.30": "21:30", "01": "01:00", "jam 02.00": "02:00", "mulai besok telpon jam 9 malam aja": "21:00", "malem diatas jam 11": "23:00",
		// what is no time, or not safe
		"selain jam 9 sampai 5": "", "kecuali jam 9 sampai 5 sore": "", "bebas kecuali jam 9 pagi sampai 5 sore": "", "except 9am to 5pm": "", "outside 9am-5pm": "", "other than 9am to 5pm": "", "unless 9-10pm": "", "di luar jam 9 sampai 5": "", "bukan jam 9-10 malam": "", "jam 9 malam, selain itu jangan": "21:00",
		"jangan jam 9 sampai 10 malam": "", "jangan pernah telepon saya di jam 9 - 10 malam": "", "jam 9 sampai 10 malam jangan telepon": "", "jam 9 pagi sampai 5 sore kerja": "",
		"kerja jam 9 pagi sampai jam 9 malam": "", "jam 9 sampai 10 malam tidak aman": "", "jam 8 sampai 10 malam ada bos": "", "pulang kerja jam 10 malam": "22:00",
		"tidak ada bos jam 9 sampai 10 malam": "21:00-22:00", "gak ada yang jaga jam 2 sampai 3 malam": "02:00-03:00", "jam 8 siang": "", "jam 8-9 siang": "",
		"20-01-2026": "", "012-345-678": "", "1-2 jam": "", "2 jam lagi": "", "3 hari": "", "25-26": "", "lantai 14": "", "kamar 15": "", "9 malam sampai 9 malam": "",
		"pagi pak, jam 9 sampai 10 malam": "21:00-22:00", "selamat malam jam 9-10": "?09:00-10:00 21:00-22:00", "malam kak jam 9-10": "?09:00-10:00 21:00-22:00",
		"9-10 malam, 1-2 siang": "21:00-22:00 13:00-14:00", "9-10 atau 2-3": "",
	} {
		if got := hoursIn(text, flows.StepSafeTime); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Hours in passing count where it is said that they are safe, or that the phone may ring.
func TestHoursInPassing(t *testing.T) {
	for text, want := range map[string]string{
		"jam 2 malem baru aman": "02:00", "cuma aman jam 2 malam": "02:00", "jam 3 pagi waktu sini aman": "03:00", "telpon jam 10 pagi": "10:00",
		"boleh telp jam 10 pagi": "10:00", "mulai besok telpon jam 9 malam aja": "21:00", "aman jam 2": "?02:00 14:00", "telepon jam 9 - 10": "?09:00-10:00 21:00-22:00",
		"bs ditelp jam 1 siang ampe jam 2 doang": "13:00-14:00", "call me from 7pm to 9pm": "19:00-21:00", "you can call from 7pm to 9pm": "19:00-21:00",
		"bos telpon saya jam 9 malam": "", "kemarin ditelepon polisi jam 9 malam": "", "tidak aman jam 9 malam": "", "saya kerja jam 9 pagi sampai jam 9 malam": "",
		"kami ditangkap jam 2 malam": "", "telepon kbri 012-345-678": "", "boleh telepon, saya di kamar 15": "", "telepon selain jam 9 sampai 5": "",
	} {
		if got := hoursIn(text, ""); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"jam 1 malam": "01:00", "jam 10 pagi": "10:00", "boleh telp jam 10 pagi": "10:00", "jam 10": "?10:00 22:00", "2": "", "no 2, jam istirahat": "", "telepon kapan saja": "",
		"2 jam 9-10 malam": "21:00-22:00", "1-2": "",
	} {
		if got := hoursIn(text, flows.StepContactPref); got != want {
			t.Errorf("asked how to reach them, %q: %q, want %q", text, got, want)
		}
	}
}

// "Morning or evening?" is answered by a part of the day, or by the hours with it.
func TestPartOfDayChosen(t *testing.T) {
	for text, want := range map[string]string{
		"malam": "01:00-02:00", "malem pak": "01:00-02:00", "yg siang": "13:00-14:00", "dini hari": "01:00-02:00", "siang hari": "13:00-14:00", "night": "01:00-02:00", "pm": "13:00-14:00",
		"sore": "13:00-14:00", "jam 1-2 malam": "01:00-02:00", "1-2": "?01:00-02:00 13:00-14:00", "malam atau siang?": "", "jangan siang": "", "2": "", "ya": "",
	} {
		r := Default().Read(text, Context{Step: flows.StepSafeTimePart, Country: "KH", At: noonOfMessages, Choices: []flows.Value{"01.00-02.00", "13.00-14.00", flows.No}})
		got := ""
		if len(r.SafeTime) > 0 {
			got = r.SafeTime[0][0] + "-" + r.SafeTime[0][1]
		} else if len(r.SafeOr) == 2 {
			got = "?" + r.SafeOr[0][0] + "-" + r.SafeOr[0][1] + " " + r.SafeOr[1][0] + "-" + r.SafeOr[1][1]
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func minutesOf(t interface{ Fatalf(string, ...any) }, at string) int {
	var h, m int
	if _, err := fmt.Sscanf(at, "%d:%d", &h, &m); err != nil {
		t.Fatalf("%q is no time of day", at)
	}
	return h*60 + m
}

// Two hours of the twelve-hour clock without a part of the day are never taken: both readings are asked for.
func TestBareHoursAreNeverTaken(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := rapid.IntRange(1, 12).Draw(r, "a"), rapid.IntRange(1, 12).Draw(r, "b")
		form := rapid.SampledFrom([]string{"%d-%d", "%d - %d", "jam %d sampai %d", "dari jam %d ke jam %d", "jam %d s/d jam %d", "%d sampe %d", "from %d to %d", "pukul %d hingga %d", "setengah %d sampai %d", "%d.30-%d.45", "telpon jam %d-%d", "jam %d sampai %d aman"}).Draw(r, "form")
		step := rapid.SampledFrom([]flows.StepID{flows.StepSafeTime, flows.StepContactPref, flows.StepSafeTimePart, ""}).Draw(r, "step")
		text := fmt.Sprintf(form, a, b)
		if a < 10 && strings.HasPrefix(form, "%d.30") {
			text = fmt.Sprintf("%d.30 - %d.45", a, b)
		}
		got := Default().Read(text, Context{Step: step, Country: "KH", At: noonOfMessages})
		if len(got.SafeTime) > 0 || got.SafeFrom != "" {
			r.Fatalf("%q at %q: %v %q", text, step, got.SafeTime, got.SafeFrom)
		}
		if step == flows.StepSafeTime && a != b {
			if len(got.SafeOr) != 2 {
				r.Fatalf("%q: %v is no choice of two", text, got.SafeOr)
			}
			x, y := minutesOf(r, got.SafeOr[0][0]), minutesOf(r, got.SafeOr[1][0])
			if y-x != 720 {
				r.Fatalf("%q: %v", text, got.SafeOr)
			}
		}
	})
}

// A part of the day said once goes for both ends, wherever it stands, and no window is longer than the numbers say:
// the hours between them, or those until the same hour of the clock comes again.
func TestWindowsAreNoLongerThanSaid(t *testing.T) {
	parts := map[string]dayPart{"malam": evening, "siang": noon, "sore": afternoon, "pagi": morning, "subuh": dawn, "dini hari": dawn, "pm": pm, "am": am}
	names := []string{"malam", "siang", "sore", "pagi", "subuh", "dini hari", "pm", "am"}
	rapid.Check(t, func(r *rapid.T) {
		a, b := rapid.IntRange(1, 12).Draw(r, "a"), rapid.IntRange(1, 12).Draw(r, "b")
		name := rapid.SampledFrom(names).Draw(r, "part")
		zero := rapid.SampledFrom([]string{"%d", "%02d", "%02d.00"}).Draw(r, "writing")
		x, y := fmt.Sprintf(zero, a), fmt.Sprintf(zero, b)
		text := rapid.SampledFrom([]string{x + "-" + y + " " + name, x + " sampai " + y + " " + name, "jam " + x + " " + name + " sampai " + y, "jam " + x + " - jam " + y + " " + name}).Draw(r, "text")
		got := Default().Read(text, Context{Step: flows.StepSafeTime, Country: "KH", At: noonOfMessages})
		if got.SafeFrom != "" || len(got.SafeTime) > 1 {
			r.Fatalf("%q: %v %q", text, got.SafeTime, got.SafeFrom)
		}
		for _, w := range got.SafeTime {
			from, to := minutesOf(r, w[0]), minutesOf(r, w[1])
			n := (to - from + 1440) % 1440
			if said := ((b-a)*60 + 720) % 720; n != said || n > longestGuess {
				r.Fatalf("%q: %v lasts %d minutes, said were %d", text, w, n, said)
			}
			if p := parts[name]; !p.holdsTime(from) && !p.holdsTime(to) {
				r.Fatalf("%q: %v is not in that part of the day", text, w)
			}
			x, okx := inPart(a*60, parts[name])
			y, oky := inPart(b*60, parts[name])
			if okx && oky && y > x && y-x <= longestGuess && (x != from || y != to) {
				r.Fatalf("%q: %v, want %s-%s", text, w, hhmm(x), hhmm(y))
			}
		}
	})
}
