package bot

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// ExportLife is how long a request for a file with personal data waits for a second person, and how long what that
// person allowed may be written.
const ExportLife = 24 * time.Hour

// ExportsPerDay is how many files one person may write in 24 hours.
const ExportsPerDay = 3

// ExportMostRows bounds a file.
const ExportMostRows = 10_000

// ExportKinds are the sets that name people, which a request may be for, in the order of a menu. The queue is one of them
// where it is asked for with names.
var ExportKinds = []string{"operational", "nominal", "splp", "waiver", "shelter", "manifest"}

// ExportReasonFits reports whether a reason says enough to stand in the file and in the audit log: 4 to 300 characters.
func ExportReasonFits(reason string) bool {
	n := utf8.RuneCountInString(reason)
	return n >= 4 && n <= 300
}

// Errors of requests for files with personal data.
var (
	ErrOwnExport   = fmt.Errorf("the same person: %w", ErrRefused)
	ErrExportState = fmt.Errorf("not in that state: %w", ErrRefused)
)

// The states of an ExportAsk.
const (
	ExportAsked     = "asked"
	ExportAllowed   = "allowed"
	ExportRefused   = "refused"
	ExportWithdrawn = "withdrawn" // taken back by who asked, before or after it was allowed
	ExportTaken     = "taken"     // the file was written: it is not written again
)

// ExportAsk is one person's request for a file with personal data, which another person has to allow.
type ExportAsk struct {
	ID      string `json:"id"`
	Mission string `json:"mission"`
	Kind    string `json:"kind"`
	// From and To are the first and the last day, YYYY-MM-DD; empty for no bound.
	From   string    `json:"from,omitempty"`
	To     string    `json:"to,omitempty"`
	Reason string    `json:"reason"`
	By     string    `json:"by"` // account name
	At     time.Time `json:"at"`
	// Second is the account that allowed or refused it; empty while nobody has.
	Second string `json:"-"`
	State  string `json:"-"`
	// Until is when it lapses.
	Until time.Time `json:"-"`
}
