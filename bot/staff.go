package bot

import (
	"time"

	"pulang/flows/casework"
)

// A claim is a lease: the officer's page renews it while somebody works on it; after ClaimWarn without a sign of
// life the officer is warned, after ClaimLease the case returns to the queue.
const (
	ClaimLease = 30 * time.Minute
	ClaimWarn  = 15 * time.Minute
)

// SeenFor is how long an officer who gives no sign of life is still shown as looking at a case.
const SeenFor = 2 * time.Minute

// ClaimedError says who holds the case that was to be claimed; errors.Is finds ErrClaimed in it.
type ClaimedError struct{ Claim Claim }

func (e *ClaimedError) Error() string { return ErrClaimed.Error() }

// Unwrap makes it an ErrClaimed.
func (e *ClaimedError) Unwrap() error { return ErrClaimed }

// QueueFilter narrows the queue page on the store's side; the zero filter is everything.
type QueueFilter struct {
	Classes []casework.Class
}

// Claim is an officer's lease on a case.
type Claim struct {
	Officer string
	Since   time.Time
	Until   time.Time
}

// CaseFile is a case as the case page shows it.
type CaseFile struct {
	Case    *casework.Case
	Version int64
	Entries []Entry
	// Rows are the outbox rows of the case by id: their state is shown beside the text; waiting, held and failed
	// ones are listed.
	Rows  map[string]Row
	Claim *Claim
	// From names, by entry, the other case from whose timeline an entry was put in; nil when there is none.
	From map[string]string
}

// QueueItem is one case of the queue page.
type QueueItem struct {
	Case    *casework.Case
	Claim   *Claim
	Viewers []string // officers who have the case open now
}

// QueuePage is what the queue page shows.
type QueuePage struct {
	// Items are the open cases in the order in which Next offers them, at most Limit; then the claimed ones, then
	// those with a later attempt.
	Items []QueueItem
	// Total counts all open cases by class; Later those that wait for a scheduled attempt, Claimed the taken ones.
	Total   map[casework.Class]int
	Later   int
	Claimed int
	// Offered counts the cases of other missions that this one is asked to take over; they are not in Total.
	Offered int
	// OldestP1 is when the oldest waiting P1 began to wait; zero when none waits.
	OldestP1 time.Time
	// Dead counts dead letters, Held held rows, Aside updates put aside.
	Dead, Held, Aside int
	// Asking are the accounts whose requests for a file with personal data wait for another person, one entry a request,
	// in no order.
	Asking []string
}

// Account is a member of staff.
type Account struct {
	Name     string
	Role     casework.Role
	Missions []string
	// Female marks an officer to whom female_officer cases are offered first.
	Female   bool
	Lang     string
	Disabled bool
	Created  time.Time
	// Hash is the argon2id hash of the password; empty until the one-time link was used.
	Hash string
	// Code is the officer's short code that a citizen may check with CEK.
	Code string
	// SignedOutAt ends every session that began before it: a new password, another role, a disabled account.
	SignedOutAt time.Time
	// Read is what the store knows this state of the account by: it is saved only in place of that. "" for a new one, and
	// for one that replaces whatever there is.
	Read string `json:"-"`
}
