package bot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulang/flows/casework"
)

func TestExampleMissionIsValid(t *testing.T) {
	m, err := ParseMission([]byte(ExampleMission()))
	if err != nil {
		t.Fatal(err)
	}
	if m.Code != "kh" || m.Prefix != "K7" || m.Country != "KH" {
		t.Errorf("code %q, prefix %q, country %q", m.Code, m.Prefix, m.Country)
	}
	if got := m.Location().String(); got != "Asia/Phnom_Penh" {
		t.Errorf("zone %q", got)
	}
	if len(m.Numbers) == 0 {
		t.Error("the example names no number")
	}
	if o, ok := m.Other("TH"); !ok || o.Name == "" {
		t.Error("the example does not know the mission in Thailand")
	}
	if _, ok := m.Other("FR"); ok {
		t.Error("a mission was found for a country that the file does not name")
	}
	if !m.Serves("kh") || m.Serves("TH") || m.Serves("") {
		t.Error("Serves takes the wrong countries")
	}
}

func TestMissionRules(t *testing.T) {
	m, err := ParseMission([]byte(ExampleMission()))
	if err != nil {
		t.Fatal(err)
	}
	r := m.Rules()
	want := map[casework.Class]time.Duration{
		casework.P1: 15 * time.Minute, casework.P2: 2 * time.Hour, casework.P3: 12 * time.Hour, casework.P4: 24 * time.Hour,
	}
	for class, d := range want {
		if r.Target(class) != d {
			t.Errorf("target of %s: %v, want %v", class, r.Target(class), d)
		}
	}
	if !r.Conflict["banteay meanchey"] {
		t.Error("a province of the advisory is missing")
	}
	if r.Zone.String() != "Asia/Phnom_Penh" || r.Country != "KH" || r.CallCap != 4 {
		t.Errorf("zone %v, country %q, cap %d", r.Zone, r.Country, r.CallCap)
	}

	own := (&Mission{Targets: Targets{P3: Duration(6 * time.Hour), LiftP4: Duration(time.Hour)}}).Rules()
	if own.Target(casework.P3) != 6*time.Hour || own.LiftP4 != time.Hour || own.Target(casework.P1) != 15*time.Minute {
		t.Errorf("own targets: %+v", own)
	}
}

// Every mistake ends in one line that names the key and says what to do.
func TestParseMissionMistakes(t *testing.T) {
	for _, x := range []struct{ name, old, new, want string }{
		{"syntax", `code    = "kh"`, `code    = kh`, "line 7: code"},
		{"code", `code    = "kh"`, `code    = "K H"`, "code:"},
		{"prefix letter", `prefix  = "K7"`, `prefix  = "K0"`, "prefix:"},
		{"prefix length", `prefix  = "K7"`, `prefix  = "K77"`, "prefix:"},
		{"name", `name    = "KBRI Phnom Penh"`, `name    = " "`, "name:"},
		{"country", `country  = "KH"`, `country  = "Cambodia"`, "country:"},
		{"zone unknown", `zone = "Asia/Phnom_Penh"`, `zone = "Asia/Phnom-Penh"`, "zone:"},
		{"zone missing", `zone = "Asia/Phnom_Penh"`, ``, "zone:"},
		{"zone local", `zone = "Asia/Phnom_Penh"`, `zone = "Local"`, "zone:"},
		{"lang", `lang = "id"`, `lang = "fr"`, "lang:"},
		{"country name", `en = "Cambodia"`, ``, "country_name.en:"},
		{"zone name", `id = "waktu Kamboja = WIB"`, `id = ""`, "zone_name.id:"},
		{"unknown key", `currency = "USD"`, "currency = \"USD\"\nprefixx = \"K8\"", "prefixx: unknown key"},
		{"unknown nested key", `public       = true`, "public = true\nconfirmed = true", "numbers.confirmed: unknown key"},
		{"type", `lat      = 11.539`, `lat = "north"`, "lat"},
		{"number", `+855 12 813 282`, `call us`, "numbers[1].number:"},
		{"confirmed", `confirmed_on = "2025-12-01"`, `confirmed_on = "December"`, "numbers[1].confirmed_on:"},
		{"target", `p2      = "2h"`, `p2 = "soon"`, "line 56: targets.p2"},
		{"target order", `p2      = "2h"`, `p2 = "5m"`, "targets.p2:"},
		{"target tiny", `p1      = "15m"`, `p1 = "15s"`, "targets.p1:"},
		{"countries", `countries = []`, `countries = ["Laos"]`, "countries:"},
		{"served twice", `countries = []`, `countries = ["TH"]`, "others[1].country:"},
		{"alert http", `# [[alerts]]`, "[[alerts]]\nurl = \"http://alerts.example.org/s3cret\"", "alerts[1].url:"},
		{"alert both", `# [[alerts]]`, "[[alerts]]\nurl = \"https://alerts.example.org\"\ntelegram = \"-100123\"", "alerts[1]:"},
		{"alert none", `# [[alerts]]`, "[[alerts]]\n", "alerts[1]:"},
		{"alert chat", `# [[alerts]]`, "[[alerts]]\ntelegram = \"staff chat\"", "alerts[1].telegram:"},
	} {
		t.Run(x.name, func(t *testing.T) {
			text := strings.Replace(ExampleMission(), x.old, x.new, 1)
			if text == ExampleMission() {
				t.Fatalf("the example does not contain %q", x.old)
			}
			_, err := ParseMission([]byte(text))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q does not name %q in one line", err, x.want)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("error %q repeats an address that may bear a secret", err)
			}
		})
	}
}

func TestLoadMissions(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fails := func(path string, want ...string) {
		t.Helper()
		_, err := LoadMissions(path)
		if err == nil {
			t.Fatalf("%s: accepted", path)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q does not name %q", err, w)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q is more than one line", err)
		}
	}

	fails(filepath.Join(dir, "missing.toml"), "missing.toml", "hotline mission example")
	fails(dir, dir, "no *.toml")

	kh := write("kh.toml", ExampleMission())
	write("notes.txt", "no mission")
	all, err := LoadMissions(kh)
	if err != nil || len(all) != 1 {
		t.Fatalf("one file: %d missions, %v", len(all), err)
	}

	mm := strings.NewReplacer(`code    = "kh"`, `code = "mm"`, `prefix  = "K7"`, `prefix = "M5"`).Replace(ExampleMission())
	write("mm.toml", mm)
	all, err = LoadMissions(dir)
	if err != nil || len(all) != 2 || all[0].Code != "kh" || all[1].Code != "mm" {
		t.Fatalf("a directory: %d missions, %v", len(all), err)
	}

	write("mm.toml", strings.Replace(mm, `prefix = "M5"`, `prefix = "K7"`, 1))
	fails(dir, "mm.toml", "prefix", "K7", "kh.toml")
	write("mm.toml", strings.Replace(mm, `zone = "Asia/Phnom_Penh"`, `zone = "Mars/Base"`, 1))
	fails(dir, "mm.toml", "zone")
}
