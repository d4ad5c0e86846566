package bot

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a mission's zone has to exist on a machine without a zone database too

	"github.com/BurntSushi/toml"

	"pulang/flows/casework"
)

//go:embed mission_example.toml
var missionExample string

// ExampleMission is a commented mission file for an embassy in Phnom Penh: what `hotline mission example` prints, and
// what demo and chat use. Its numbers were seen in the press; a mission confirms every one before it uses them.
func ExampleMission() string { return missionExample }

// LoadMissions reads a mission file, or every *.toml of a directory in the order of their names. No two missions may
// have the same code or prefix. An error is one line that names the file and the key and says what to do.
func LoadMissions(path string) ([]*Mission, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("mission file %s: %w: print one with `hotline mission example` and name it in HOTLINE_MISSION", path, cause(err))
	}
	files := []string{path}
	if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*.toml")); err != nil {
			return nil, fmt.Errorf("mission directory %s: %w", path, err)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("mission directory %s: no *.toml in it: print one with `hotline mission example`", path)
		}
	}
	var all []*Mission
	from := map[string]string{} // code or prefix -> file
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("mission file %s: %w", f, cause(err))
		}
		m, err := ParseMission(b)
		if err != nil {
			return nil, fmt.Errorf("mission file %s: %w", f, err)
		}
		for _, x := range [][2]string{{"code", m.Code}, {"prefix", m.Prefix}} {
			if other := from[x[0]+x[1]]; other != "" {
				return nil, fmt.Errorf("mission file %s: %s: %q is taken by %s: choose another", f, x[0], x[1], other)
			}
			from[x[0]+x[1]] = f
		}
		all = append(all, m)
	}
	return all, nil
}

// cause is the reason without the path, which the caller names once.
func cause(err error) error {
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// ParseMission reads one mission file. An error is one line: the key, what is wrong with it, what to do.
func ParseMission(b []byte) (*Mission, error) {
	var m Mission
	meta, err := toml.Decode(string(b), &m)
	if err != nil {
		if p := (toml.ParseError{}); errors.As(err, &p) {
			where := fmt.Sprintf("line %d", p.Position.Line)
			if p.LastKey != "" {
				where += ": " + p.LastKey
			}
			return nil, fmt.Errorf("%s: %s: correct the line (see `hotline mission example`)", where, oneLine(p.Message))
		}
		return nil, fmt.Errorf("%s: correct the value (see `hotline mission example`)", oneLine(strings.TrimPrefix(err.Error(), "toml: ")))
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s: unknown key: remove it or correct its spelling (see `hotline mission example`)", unknown[0])
	}
	m.Country = strings.ToUpper(m.Country)
	if m.Lang == "" {
		m.Lang = "id"
	}
	if m.Service == "" {
		m.Service = m.Name
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return &m, nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

var (
	codeForm     = regexp.MustCompile(`^[a-z0-9]{2,12}$`)
	countryForm  = regexp.MustCompile(`^[A-Z]{2}$`)
	phoneForm    = regexp.MustCompile(`^\+?[0-9][0-9 -]{1,22}[0-9]$`)
	whatsappForm = regexp.MustCompile(`^\+[1-9][0-9 -]{5,22}[0-9]$`)
	chatForm     = regexp.MustCompile(`^(-?[0-9]{3,20}|@[A-Za-z][A-Za-z0-9_]{3,31})$`)
)

// check goes through the file from top to bottom and returns the first thing that is wrong.
func (m *Mission) check() error {
	wrong := func(key, format string, args ...any) error {
		return fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...))
	}
	switch {
	case !codeForm.MatchString(m.Code):
		return wrong("code", "%q is not 2 to 12 small letters or digits: write one such as \"kh\"", m.Code)
	case !casework.ValidPrefix(m.Prefix):
		return wrong("prefix", "%q is not two symbols of %s: choose two, such as \"K7\"", m.Prefix, casework.Alphabet)
	case strings.TrimSpace(m.Name) == "":
		return wrong("name", "is missing: write the mission's name, such as \"KBRI Phnom Penh\"")
	case !countryForm.MatchString(m.Country):
		return wrong("country", "%q is not two letters: write the ISO 3166-1 code, such as \"KH\"", m.Country)
	case m.Lat < -90 || m.Lat > 90:
		return wrong("lat", "%v is not between -90 and 90: write degrees", m.Lat)
	case m.Lon < -180 || m.Lon > 180:
		return wrong("lon", "%v is not between -180 and 180: write degrees", m.Lon)
	case m.Lang != "id" && m.Lang != "en":
		return wrong("lang", "%q is not a language of the hotline: write \"id\" or \"en\"", m.Lang)
	case m.Zone == "" || m.Zone == "Local":
		return wrong("zone", "is missing: write an IANA time zone, such as \"Asia/Phnom_Penh\"")
	}
	zone, err := time.LoadLocation(m.Zone)
	if err != nil {
		return wrong("zone", "there is no time zone %q: write an IANA name, such as \"Asia/Phnom_Penh\"", m.Zone)
	}
	m.location = zone
	for _, t := range []struct {
		key string
		in  map[string]string
	}{{"country_name", m.CountryName}, {"zone_name", m.ZoneName}} {
		for _, lang := range []string{"id", "en"} {
			if strings.TrimSpace(t.in[lang]) == "" {
				return wrong(t.key+"."+lang, "is missing: write it as people there call it")
			}
		}
	}
	if err := checkNumbers("numbers", m.Numbers); err != nil {
		return err
	}
	if m.WhatsAppNumber != "" && !whatsappForm.MatchString(m.WhatsAppNumber) {
		return wrong("whatsapp_number", "is not a telephone number: write it in international form, as +855 12 345 678")
	}
	for i, c := range m.Countries {
		if !countryForm.MatchString(c) {
			return wrong("countries", "%q is not a code of two capital letters: write ISO 3166-1 codes", c)
		}
		if c == m.Country || slices.Contains(m.Countries[:i], c) {
			return wrong("countries", "%q stands twice: list only further countries, each once", c)
		}
	}
	for i, o := range m.Others {
		key := fmt.Sprintf("others[%d]", i+1)
		switch {
		case !countryForm.MatchString(o.Country):
			return wrong(key+".country", "%q is not a code of two capital letters: write the ISO 3166-1 code", o.Country)
		case m.Serves(o.Country):
			return wrong(key+".country", "%q is served by this mission itself: remove it here or there", o.Country)
		case strings.TrimSpace(o.Name) == "":
			return wrong(key+".name", "is missing: write the office's name")
		}
		if err := checkNumbers(key+".numbers", o.Numbers); err != nil {
			return err
		}
	}
	if err := m.Targets.check(); err != nil {
		return err
	}
	for i, a := range m.Alerts {
		if err := a.check(fmt.Sprintf("alerts[%d]", i+1)); err != nil {
			return err
		}
	}
	return nil
}

// checkNumbers: a number without the date on which somebody called it is not to be trusted.
func checkNumbers(key string, all []Number) error {
	for i, n := range all {
		key := fmt.Sprintf("%s[%d]", key, i+1)
		if strings.TrimSpace(n.Label) == "" {
			return fmt.Errorf("%s.label: is missing: say whose number it is", key)
		}
		if !phoneForm.MatchString(n.Number) {
			return fmt.Errorf("%s.number: is not a telephone number: write it as +855 12 345 678", key)
		}
		if _, err := time.Parse(time.DateOnly, n.ConfirmedOn); err != nil {
			return fmt.Errorf("%s.confirmed_on: %q is not a date: write the day on which the number was called and answered, as 2026-01-31", key, n.ConfirmedOn)
		}
	}
	return nil
}

func (t Targets) check() error {
	for _, x := range []struct {
		key string
		d   Duration
	}{{"p1", t.P1}, {"p2", t.P2}, {"p3", t.P3}, {"p4", t.P4}, {"lift_p4", t.LiftP4}, {"lift_p3", t.LiftP3}} {
		if x.d < 0 || x.d > 0 && time.Duration(x.d) < time.Minute {
			return fmt.Errorf("targets.%s: %v is less than a minute: write a time such as \"15m\" or \"12h\"", x.key, time.Duration(x.d))
		}
	}
	r := (&Mission{Targets: t}).Rules()
	for i := 1; i < len(casework.Classes); i++ {
		above, below := casework.Classes[i-1], casework.Classes[i]
		if r.Target(below) < r.Target(above) {
			return fmt.Errorf("targets.%s: %v is shorter than that of %s (%v): a less urgent class waits at least as long",
				strings.ToLower(string(below)), r.Target(below), above, r.Target(above))
		}
	}
	return nil
}

// check: an alert holds no personal data, but it tells that somebody waits in danger; it travels encrypted.
func (a AlertTarget) check(key string) error {
	switch {
	case (a.Telegram == "") == (a.URL == ""):
		return fmt.Errorf("%s: needs either telegram or url: give exactly one", key)
	case a.Telegram != "":
		if !chatForm.MatchString(a.Telegram) {
			return fmt.Errorf("%s.telegram: %q is not a chat id: write the number of the staff chat, such as \"-1001234567890\"", key, a.Telegram)
		}
		return nil
	}
	u, err := url.Parse(a.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		// The address itself may bear a secret and stays out of the message.
		return fmt.Errorf("%s.url: is not an https address without a name and password in it: write https://…", key)
	}
	return nil
}
