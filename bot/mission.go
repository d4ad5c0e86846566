package bot

import "time"

// Mission is an embassy or consulate as its mission file (TOML) describes it. Numbers, hours and addresses go
// stale: each number bears the date on which somebody confirmed it.
type Mission struct {
	Code    string `toml:"code"`   // "kh": the line's hash tag and the value of --mission
	Prefix  string `toml:"prefix"` // the two leading symbols of its case codes, e.g. "K7"
	Name    string `toml:"name"`   // "KBRI Phnom Penh"
	Service string `toml:"service"`
	// Country is ISO 3166-1 alpha-2; CountryName per language.
	Country     string            `toml:"country"`
	CountryName map[string]string `toml:"country_name"`
	Currency    string            `toml:"currency"`
	Address     string            `toml:"address"`
	Hours       string            `toml:"hours"`
	Lat         float64           `toml:"lat"`
	Lon         float64           `toml:"lon"`
	// Zone is the IANA time zone, ZoneName how people call it ("waktu Kamboja = WIB") per language.
	Zone     string            `toml:"zone"`
	ZoneName map[string]string `toml:"zone_name"`
	Lang     string            `toml:"lang"`
	Numbers  []Number          `toml:"numbers"`
	// Countries are the other countries this mission is competent for.
	Countries []string      `toml:"countries"`
	Others    []OtherOffice `toml:"others"` // missions that are not on this installation, by country
	Targets   Targets       `toml:"targets"`
	Alerts    []AlertTarget `toml:"alerts"`
	// TelegramTokenFile names the file of the line's own bot token, where several lines run in one installation.
	TelegramTokenFile string `toml:"telegram_token_file"`
	// WhatsAppNumber is the line's own linked number in international form, where several lines run in one
	// installation.
	WhatsAppNumber string `toml:"whatsapp_number"`
	// ConflictPlaces are provinces with a travel advisory: they add points.
	ConflictPlaces []string `toml:"conflict_provinces"`

	location *time.Location
}

// Number is a telephone number of a mission with the date on which it was last confirmed.
type Number struct {
	Label       string `toml:"label"`
	Number      string `toml:"number"`
	ConfirmedOn string `toml:"confirmed_on"` // YYYY-MM-DD
	Public      bool   `toml:"public"`
}

// OtherOffice is a mission that this installation does not serve.
type OtherOffice struct {
	Country string   `toml:"country"`
	Name    string   `toml:"name"`
	Numbers []Number `toml:"numbers"`
}

// Targets are the times within which a human acts, per class.
type Targets struct {
	P1, P2, P3, P4 Duration
	LiftP4         Duration `toml:"lift_p4"` // waiting that lifts P4 to P3
	LiftP3         Duration `toml:"lift_p3"` // and P3 to P2
}

// AlertTarget gets "P1 menunggu 5 menit", without any personal data.
type AlertTarget struct {
	Telegram string `toml:"telegram"` // chat id of a staff chat
	URL      string `toml:"url"`      // https URL that takes a POST
}

// Duration is a time.Duration written as "15m" in a mission file.
type Duration time.Duration

// UnmarshalText reads "15m", "12h".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}
