// Package lexicon reads what people really type: slang, dialect, fragments, several answers in one breath. Where
// two readings remain it takes the more dangerous one for safety and says nothing for the rest.
package lexicon

import (
	"time"

	"pulang/flows"
)

// Reading is what was taken from one message; every field is absent when unknown. Its JSON is the output of
// `hotline understand`.
type Reading struct {
	SafetyNow flows.Value   `json:"safety_now,omitempty"`
	WhoFor    flows.Value   `json:"who_for,omitempty"`
	Location  *Place        `json:"location,omitempty"`
	PlaceKind flows.Value   `json:"place_kind,omitempty"`
	Needs     []flows.Value `json:"urgent_needs,omitempty"`
	Passport  flows.Value   `json:"passport_status,omitempty"`
	Permit    flows.Value   `json:"immigration_status,omitempty"`
	Contact   flows.Value   `json:"contact_pref,omitempty"`
	SafeTime  [][2]string   `json:"safe_time,omitempty"`       // {"21:00","22:00"} in the person's time zone
	Phone     string        `json:"callback_number,omitempty"` // E.164, or "ambiguous"
	GroupSize int           `json:"group_size,omitempty"`
	FullName  string        `json:"full_name,omitempty"`
	BirthDate string        `json:"birth_date,omitempty"` // YYYY-MM-DD
	Age       int           `json:"age,omitempty"`
	Language  string        `json:"language,omitempty"`
	YesNo     flows.Value   `json:"yes_no,omitempty"` // yes, no, unknown
	SelfHarm  bool          `json:"self_harm,omitempty"`
	Command   string        `json:"command,omitempty"`

	// SafeFrom is a single time of day, "21:00", in a message that names no end; empty when SafeTime is there.
	SafeFrom string `json:"-"`
	// SafeOr are hours of which nobody knows whether morning or evening is meant, {"01:00","02:00"} and {"13:00","14:00"},
	// or which are too long to be taken unasked. The end is empty when only the beginning was said. Never with the above.
	SafeOr [][2]string `json:"-"`
	// Chosen are the values of the current step that were read (also of steps that have no field of their own).
	Chosen []flows.Value `json:"-"`
	// Signals are facts for the case: medical_emergency, self_harm, ransom_asked, threatened, minor, …
	Signals []string `json:"-"`
	// Alone is true where the person says to have nobody with them ("sendirian"), or no adult.
	Alone bool `json:"-"`
	// Approx marks a GroupSize such as "10an".
	Approx bool `json:"-"`
	// CommandArg is what follows a command: a code after GABUNG, STATUS or CEK.
	CommandArg string `json:"-"`
	// Greeting is true for a bare greeting or ping that says nothing else.
	Greeting bool `json:"-"`
	// Passport and NIK numbers found, normalised; empty when there is none.
	PassportNo string `json:"-"`
	NIK        string `json:"-"`
	// PhoneRaw is the number as typed.
	PhoneRaw string `json:"-"`
}

// Place is the location part of a Reading.
type Place struct {
	Place    string   `json:"place,omitempty"`
	Province string   `json:"province,omitempty"`
	Country  string   `json:"country,omitempty"`
	Lat      *float64 `json:"lat,omitempty"`
	Lon      *float64 `json:"lon,omitempty"`
	Unknown  bool     `json:"unknown,omitempty"`
	// Kind is map_link, coords_text, place_text or unknown.
	Kind string `json:"-"`
	// Others are further places that match as well: ask which one is meant.
	Others []Place `json:"-"`
	// Sure is false when the match tolerated a spelling error: ask for confirmation.
	Sure bool `json:"-"`
}

// Context is what the reading of a message depends on.
type Context struct {
	// Step is the question that was asked last; empty for a first message.
	Step flows.StepID
	// Choices are the values of the last prompt in the order of their numbers, when they differ from flows.Menus.
	Choices []flows.Value
	// At is the time of the message, Zone the person's time zone (nil: Asia/Phnom_Penh's UTC+7).
	At   time.Time
	Zone *time.Location
	// Country is where the mission is (ISO 3166-1 alpha-2): it decides which numbers are ambiguous.
	Country string
}
