package places

import (
	"math"
	"strings"
	"testing"
	"testing/fstest"
)

func TestFind(t *testing.T) {
	for text, want := range map[string]string{
		"saya di bavek":  "Bavet",
		"di poypat pak":  "Poipet",
		"POIPET":         "Poipet",
		"poi pet":        "Poipet",
		"sihanouk ville": "Sihanoukville",
		"sianokvil":      "Sihanoukville",
		"pnompeng":       "Phnom Penh",
		"phnom-penh":     "Phnom Penh",
		"jinbian":        "Phnom Penh",
		"ខ្ញុំនៅភ្នំពេញ": "Phnom Penh",
		"我在金边":                          "Phnom Penh",
		"在凯博园区":                         "Otres (Chinatown)",
		"o'smach":                       "O'Smach",
		"o smach":                       "O'Smach",
		"mộc bài":                       "Moc Bai complex (Bavet)",
		"moc bai vietnam":               "Moc Bai (Vietnam side)",
		"bkk1":                          "Boeng Keng Kang",
		"bkk 1":                         "Boeng Keng Kang",
		"kk park":                       "KK Park",
		"kampung cham":                  "Kampong Cham",
		"siem riep":                     "Siem Reap",
		"ｂａｖｅｔ":                         "Bavet",
		"https://x.example/?q=Bavet":    "Bavet",
		"gate 25":                       "Myawaddy",
		"perbatasan dekat kampot situ?": "Kampot",
	} {
		var names []string
		for _, m := range Default().Find(text) {
			if !m.CountryOnly {
				names = append(names, m.Place.Name)
			}
		}
		if len(names) != 1 || names[0] != want {
			t.Errorf("%q gives %q, want %s", text, names, want)
		}
	}
}

// The traps of colloquial Indonesian: words and towns that only look like a place of the gazetteer.
func TestTraps(t *testing.T) {
	for _, text := range []string{"kk saya ilang", "orang palu", "dari kendal", "kampung apa ini", "tk", "kb", "kirim lok", "aran", "paling", "sampai", "malam", "medan",
		"komplek", "bangkrut", "kempes", "papat", "bapak", "sekarang", "kamar", "bengkok", "makanan", "anggur", "kandas", "rangin", "padang", "batam"} {
		for _, m := range Default().Find(text) {
			if !m.Weak {
				t.Errorf("%q gives %s", text, m.Place.Name)
			}
		}
	}
	for _, text := range []string{"pp", "kep", "boten", "bkk", "kbri", "muse"} {
		if ms := Default().Find(text); len(ms) != 1 || !ms[0].Weak {
			t.Errorf("%q must count only where the text says that somebody is there: %+v", text, ms)
		}
	}
}

func TestSpellingIsToldFromGuess(t *testing.T) {
	g := Default()
	if m := g.Find("bavet"); len(m) != 1 || !m[0].Exact {
		t.Errorf("bavet: %+v", m)
	}
	if m := g.Find("bavek"); len(m) != 1 || m[0].Exact {
		t.Errorf("bavek is a guess: %+v", m)
	}
	if m := g.Find("kamboja"); len(m) != 1 || !m[0].CountryOnly || m[0].Place.Country != "KH" {
		t.Errorf("kamboja: %+v", m)
	}
}

func TestCoordinates(t *testing.T) {
	for text, want := range map[string][2]float64{
		`10°37'33.0"N 103°30'08.7"E`:                              {10.6258, 103.5024},
		"10°37’33.0”N, 103°30’08.7”E":                             {10.6258, 103.5024},
		"10º37´33,0´´N 103º30´08,7´´E":                            {10.6258, 103.5024},
		"N10°37'33\" E103°30'09\"":                                {10.6258, 103.5025},
		"10 derajat 37 menit 33 detik LU 103 derajat 30 menit BT": {10.6258, 103.5},
		"11.0829,106.1561":                                        {11.0829, 106.1561},
		"11.0829, 106.1561 tolong":                                {11.0829, 106.1561},
		"11,0829 106,1561":                                        {11.0829, 106.1561},
		"11,0829, 106,1561":                                       {11.0829, 106.1561},
		"lat 11,5621 long 104,9165":                               {11.5621, 104.9165},
		"106.1561,11.0829":                                        {11.0829, 106.1561},
		"１１.０８２９,１０６.１５６１":                                        {11.0829, 106.1561},
		"geo:11.0829,106.1561":                                    {11.0829, 106.1561},
		"geo:0,0?q=11.0829,106.1561(saya)":                        {11.0829, 106.1561},
		"https://maps.google.com/?q=13.6559,102.5641":             {13.6559, 102.5641},
		"https://www.google.com/maps/@10.6093,103.5296,15z":       {10.6093, 103.5296},
		"https://www.google.com/maps/place/X/@1.0,1.0,17z/data=!3d11.0829!4d106.1561": {11.0829, 106.1561},
		"https://maps.google.com/maps?q=11.0829%2C106.1561&z=17":                      {11.0829, 106.1561},
		"https://maps.apple.com/?ll=11.0829,106.1561":                                 {11.0829, 106.1561},
		"https://www.openstreetmap.org/#map=17/11.0829/106.1561":                      {11.0829, 106.1561},
		"7P25R3FP+XH": {10.824938, 103.086438},
	} {
		ps := Coordinates(text)
		if len(ps) == 0 || math.Abs(ps[0].Lat-want[0]) > 1e-3 || math.Abs(ps[0].Lon-want[1]) > 1e-3 {
			t.Errorf("%q gives %+v, want %v", text, ps, want)
		}
	}
	for _, text := range []string{"ditagih 11.500 usd nambah 104.9 tiap minggu", "0812-3456-7890", "0,0", "0.0000,0.0000", "jam 19.30 - 20.15", "17.08.2001", "gaji 12.500 sampai 104.500", "lantai 3 kamar 12",
		"200.1234,300.1234", "https://maps.app.goo.gl/Xy12abCDeFgh", "3174050101900001", ""} {
		if ps := Coordinates(text); len(ps) != 0 {
			t.Errorf("%q gives %+v", text, ps)
		}
	}
	if MapLink("lihat https://maps.app.goo.gl/Xy12 ya") != "https://maps.app.goo.gl/Xy12" {
		t.Error("a short link is kept as it came")
	}
}

// The examples of the Open Location Code specification's test data (decoding.csv).
func TestPlusCodes(t *testing.T) {
	for code, want := range map[string][2]float64{
		"7FG49Q00+":      {20.375, 2.775},
		"7FG49QCJ+2V":    {20.3700625, 2.7821875},
		"7FG49QCJ+2VX":   {20.3701125, 2.782234375},
		"7FG49QCJ+2VXGJ": {20.3701135, 2.78223535156},
		"8FVC2222+22":    {47.0000625, 8.0000625},
		"4VCPPQGP+Q9":    {-41.2730625, 174.7859375},
		"62G20000+":      {0.5, -179.5},
		"22220000+":      {-89.5, -179.5},
		"7FG40000+":      {20.5, 2.5},
		"22222222+22":    {-89.9999375, -179.9999375},
		"6VGX0000+":      {0.5, 179.5},
		"6FH32222+222":   {1.0000125, 1.000015625},
	} {
		lat, lon, ok := DecodePlus(code)
		if !ok || math.Abs(lat-want[0]) > 1e-6 || math.Abs(lon-want[1]) > 1e-6 {
			t.Errorf("%s gives %v, %v, %v; want %v", code, lat, lon, ok, want)
		}
	}
	for _, bad := range []string{"8FWC2345+G", "8FWC2_45+G6", "8FWC2345-G6", "WC2300+G6g", "8FW_CX2345+G6", "A2345678+22", "0000+", "7P25R3FP", "++++++++++", "8FWC2300+22", "hello123+ab"} {
		if _, _, ok := DecodePlus(bad); ok {
			t.Errorf("%s is no full plus code", bad)
		}
	}
	// shortCodeTests.csv of the specification
	for _, c := range []struct {
		short    string
		lat, lon float64
		full     string
	}{{"CJ+2VX", 0, 0, ""}, {"9QCJ+2VX", 20.3701, 2.7822, "7FG49QCJ+2VX"}, {"9C3W9QCJ+2VX", 0, 0, ""}, {"9QCJ+2VX", 20.8, 2.4, "7FG49QCJ+2VX"}} {
		lat, lon, ok := ShortPlus(c.short, c.lat, c.lon)
		if c.full == "" {
			if ok {
				t.Errorf("%s is no short code of four or six symbols", c.short)
			}
			continue
		}
		wlat, wlon, _ := DecodePlus(c.full)
		if !ok || math.Abs(lat-wlat) > 1e-6 || math.Abs(lon-wlon) > 1e-6 {
			t.Errorf("%s near %v,%v gives %v,%v", c.short, c.lat, c.lon, lat, lon)
		}
	}
}

func TestPins(t *testing.T) {
	g := Default()
	for _, c := range []struct {
		lat, lon       float64
		country, place string
	}{
		{11.082, 106.155, "KH", "Bavet"}, {11.070, 106.190, "VN", "Moc Bai (Vietnam side)"}, {13.656, 102.563, "KH", "Poipet"}, {13.693, 102.501, "TH", "Aranyaprathet"},
		{16.689, 98.509, "MM", "Myawaddy"}, {16.713, 98.574, "TH", "Mae Sot"}, {11.55, 104.91, "KH", ""}, {12.7, 104.0, "KH", ""}, {20.355, 100.100, "LA", "Golden Triangle SEZ"},
		{-6.2, 106.8, "ID", ""}, {3.14, 101.7, "MY", ""}, {14.6, 121.0, "PH", ""}, {15.87, 100.99, "TH", ""}, {19.9, 102.13, "LA", ""}, {16.07, 108.15, "VN", ""}, {21.9, 96.1, "MM", ""}, {1.35, 103.82, "SG", ""},
	} {
		if got, how := g.CountryAt(c.lat, c.lon); got != c.country || how == "" {
			t.Errorf("%v, %v lies in %q (%s), want %s", c.lat, c.lon, got, how, c.country)
		}
		if p, km := g.Nearest(c.lat, c.lon); c.place != "" && (p.Name != c.place || km > 2) {
			t.Errorf("%v, %v: nearest %s at %.1f km, want %s", c.lat, c.lon, p.Name, km, c.place)
		}
	}
	if got, how := g.CountryAt(0, -150); got != "" || how != "" {
		t.Errorf("the Pacific is %q (%s)", got, how)
	}
	if name, km := g.NearestBorder(11.082, 106.155); name != "Bavet - Moc Bai" || km > 3 {
		t.Errorf("nearest border %s at %.1f km", name, km)
	}
	if km, ok := g.ToMission(11.082, 106.155, "KH"); !ok || km < 130 || km > 150 {
		t.Errorf("to the mission %.1f km, %v", km, ok)
	}
	if _, ok := g.ToMission(11, 106, "SG"); ok {
		t.Error("no mission of the gazetteer stands in Singapore")
	}
}

func TestCompetent(t *testing.T) {
	for country, want := range map[string]string{"KH": "KH", "MM": "MM", "LA": "LA", "TH": "TH", "VN": "VN", "PH": "PH", "MY": "MY", "ID": "ID", "FR": ""} {
		if got := Default().Competent(country); got != want {
			t.Errorf("%s: %q, want %q", country, got, want)
		}
	}
}

func TestEveryPlaceIsSound(t *testing.T) {
	g := Default()
	kinds := map[string]bool{"city": true, "town": true, "district": true, "province": true, "compound": true, "border": true, "airport": true, "mission": true}
	for _, p := range g.All() {
		if !kinds[p.Kind] || p.Source == "" || p.PrecisionKm <= 0 || !strings.Contains("SGtn", p.Reported) {
			t.Errorf("%+v", p)
		}
		if c, how := g.CountryAt(p.Lat, p.Lon); c != p.Country {
			t.Errorf("%s lies in %s by %s, the file says %s", p.Name, c, how, p.Country)
		}
		found := false
		for _, m := range g.Find(strings.Split(p.Name, "(")[0]) {
			found = found || m.Place.Name == p.Name || hasPlace(m.Others, p.Name)
		}
		if !found {
			t.Errorf("%s is not found by its own name", p.Name)
		}
	}
}

func TestAFileThatCannotBeRead(t *testing.T) {
	files := fstest.MapFS{}
	for _, f := range []string{"gazetteer.csv", "countries.csv", "borders.csv", "outlines.csv", "homonyms.txt", "ordinary.txt"} {
		b, err := embedded.ReadFile("data/" + f)
		if err != nil {
			t.Fatal(err)
		}
		files[f] = &fstest.MapFile{Data: b}
	}
	if _, err := New(files); err != nil {
		t.Fatal(err)
	}
	head := "name,country,province,lat,lon,kind,reported,precision_km,source,variants\n"
	for _, bad := range []string{"", "name\nx\n", head + "X,KH,Y,north,104,city,n,5,me,x\n", head + "X,KH,Y,95,104,city,n,5,me,x\n", head + "X,KH,Y,11,104,city,n,0,me,x\n", head + "X,KH,Y,11,104,city,n,5,,x\n"} {
		files["gazetteer.csv"] = &fstest.MapFile{Data: []byte(bad)}
		if _, err := New(files); err == nil || !strings.Contains(err.Error(), "gazetteer.csv") {
			t.Errorf("%q gives %v", bad, err)
		}
	}
}

func FuzzCoordinates(f *testing.F) {
	for _, s := range []string{`10°37'33.0"N 103°30'08.7"E`, "11,0829 106,1561", "geo:1,2?q=3,4", "https://maps.google.com/?q=%2C%", "7FG49QCJ+2VX", "@1,2", "!3d1!4d", "#map=1/2/3", "1°", "°'\"", "1d2m3s", "\xff1.1111,2.2222", "-90.0000,-180.0000", "1.1234 -2.1234"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range Coordinates(text) {
			if !(p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180) {
				t.Fatalf("%q gives %+v", text, p)
			}
			Default().CountryAt(p.Lat, p.Lon)
		}
		MapLink(text)
		ShortPlus(text, 11, 104)
	})
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"bavek", "o'smach", "金边", "sihanouk ville", "k k k k k k", "កំពត", "\xff", "’’a’"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range Default().Find(text) {
			if m.Start < 0 || m.End < m.Start || m.End > len(text) {
				t.Fatalf("%q: a place at %d-%d", text, m.Start, m.End)
			}
		}
	})
}
