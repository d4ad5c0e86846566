// Package intake is the citizen's conversation: the questions in order, what counts as an answer to each, and the
// commands that work at any time. It is pure: Next takes what is remembered and what the person did, and says what to
// remember, what to answer and what is to happen.
package intake

import (
	"time"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// Reader takes from a person's words what they say. *lexicon.Lexicon is one.
type Reader interface {
	Read(text string, c lexicon.Context) lexicon.Reading
}

// Config is what the conversation knows of the mission. Everything but Reader may be empty.
type Config struct {
	Mission  string // "KBRI Phnom Penh"
	Service  string // how the service calls itself in the greeting; empty is Mission
	Country  string // ISO 3166-1 alpha-2 of the mission's country
	Address  string
	Hours    string
	Number   string // the public telephone number
	Currency string
	// CountryName and ZoneName are per language: "Kamboja", "waktu Kamboja = WIB".
	CountryName map[string]string
	ZoneName    map[string]string
	Zone        *time.Location
	// Langs are the languages that a person may choose; the first one is the default. Empty means id and en.
	Langs []string
	// Offices are the missions in other countries, by ISO code: a person there is told whom to turn to.
	Offices map[string]Office

	Reader Reader
	// Nearest names the place closest to a point; nil leaves pins without a name.
	Nearest func(lat, lon float64) (Near, bool)
	// Text is the catalogue (locales.Catalogue.Text). With it a person may type a choice by its label, and countries
	// have names; nil does without.
	Text func(lang string, id flows.TextID, args flows.Args) string
}

// Office is a mission that is competent for another country.
type Office struct {
	Name   string
	Number string // empty when none is confirmed
	// Here is true when that mission works with this installation, so that the case can be passed on.
	Here bool
}

// Near is a known place close to a point.
type Near struct {
	Place, Province, Country string
	Km                       float64
}

// Flow conducts the conversation. It is never changed after New and may be used from many goroutines.
type Flow struct {
	cfg    Config
	list   []*question
	byID   map[flows.StepID]*question
	base   map[string]flows.Args // the mission's placeholders by language
	labels map[flows.StepID]map[string]flows.Value
}

// families is the table of contents: the questions in the order in which they are asked. A family's questions stand in
// its own file. Those marked core are asked before the confirmation, the rest after it, as far as each one applies.
func families() [][]question {
	return [][]question{
		safetyQuestions,   // safety_now
		rescueQuestions,   // rescue_location, …: only after an officer's decision
		whoQuestions,      // who_for
		locationQuestions, // location, place_confirm, country, location_hint, place_kind
		needsQuestions,    // urgent_needs
		minorQuestions,    // trusted_adult
		passportQuestions, // passport_status, passport_copy
		permitQuestions,   // immigration_status
		contactQuestions,  // contact_pref, safe_time, safe_time_part, callback_number, number_country
		wordQuestions,     // code_word, duress_word
		confirmQuestions,  // confirm

		groupQuestions,   // group_size, group_vulnerable, group_consent, group_same_place, group_members
		otherQuestions,   // relation, subject_name, subject_contact, …, documents_available
		personQuestions,  // full_name, sex, birth_date, home_area, nationality
		papersQuestions,  // id_proof
		journeyQuestions, // overstay_since, entry_date, entry_point
		healthQuestions,  // health_detail
		homeQuestions,    // return_plan, family_contact, family_consent, consent_share
		laterQuestions,   // code_word for everybody else
		extraQuestions,   // extra

		// Questions out of order: asked by a command, or by what happened meanwhile.
		menuQuestions, editQuestions, deleteQuestions, languageQuestions, statusQuestions, closedQuestions,
	}
}

// New returns the conversation of one mission.
func New(cfg Config) *Flow {
	if len(cfg.Langs) == 0 {
		cfg.Langs = []string{"id", "en"}
	}
	if cfg.Service == "" {
		cfg.Service = cfg.Mission
	}
	f := &Flow{cfg: cfg, byID: map[flows.StepID]*question{}, base: map[string]flows.Args{}}
	for _, family := range families() {
		for i := range family {
			q := family[i]
			if q.menu == nil && !q.open {
				q.menu = flows.Menus[q.id]
			}
			f.list = append(f.list, &q)
			if f.byID[q.id] == nil {
				f.byID[q.id] = &q
			}
		}
	}
	for _, lang := range cfg.Langs {
		f.base[lang] = flows.Args{
			"Mission": cfg.Mission, "Service": cfg.Service, "Country": cfg.CountryName[lang], "Zone": cfg.ZoneName[lang],
			"Address": cfg.Address, "Hours": cfg.Hours, "Number": cfg.Number, "Currency": cfg.Currency,
		}
	}
	f.labels = f.indexLabels()
	return f
}

// lang returns a language that there are texts for.
func (f *Flow) lang(l string) string {
	if f.base[l] != nil {
		return l
	}
	return f.cfg.Langs[0]
}

// read asks the Reader, if there is one.
func (f *Flow) read(text string, c lexicon.Context) lexicon.Reading {
	if f.cfg.Reader == nil {
		return lexicon.Reading{}
	}
	return f.cfg.Reader.Read(text, c)
}

// countryName is the country's name in lang, or its code where no catalogue was given.
func (f *Flow) countryName(lang, iso string) string {
	if n := f.cfg.CountryName[lang]; n != "" && iso == f.cfg.Country {
		return n
	}
	if f.cfg.Text == nil || !knownCountry(iso) {
		return iso
	}
	return f.cfg.Text(lang, flows.TextID("country."+iso), f.base[lang])
}
