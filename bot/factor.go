package bot

import "time"

// Factor is an account's second factor: an authenticator app that shows a new code every 30 seconds (RFC 6238). The
// zero value is an account without one.
type Factor struct {
	// ID tells this enrolment from a later one of the same account.
	ID string
	// Secret is the key that the app shares, in base32.
	Secret string
	// Since is when the first code confirmed it.
	Since time.Time
	// Reset is what an admin asks; nil when nobody does, or when it is too late to confirm it.
	Reset *FactorReset
}

// FactorReset asks to take an account's second factor away. It needs a second person.
type FactorReset struct {
	ID string
	// By is the admin who asks; "" for the command line.
	By        string
	At, Until time.Time
}

// FactorResetLife is how long a reset may be confirmed.
const FactorResetLife = 24 * time.Hour
