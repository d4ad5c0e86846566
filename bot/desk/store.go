package desk

import (
	"context"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// Queue is what the desk needs of the store for cases. Every method that changes something takes its audit rows
// along, so that no act goes unrecorded.
type Queue interface {
	Queue(ctx context.Context, mission string, now time.Time, limit int) (bot.QueuePage, error)
	// Next claims the most urgent case that officer may take and returns its code; ErrNotFound when none waits.
	// skip are codes that the officer passed over in the last ten minutes. request makes it happen once.
	Next(ctx context.Context, mission string, officer casework.Officer, now time.Time, skip []string, request string, audit bot.Audit) (string, error)
	// Claim takes one case by code; ErrClaimed with the holder's Claim when somebody else has it.
	Claim(ctx context.Context, mission, code string, officer casework.Officer, now time.Time, request string, audit bot.Audit) (bot.Claim, error)
	// Renew extends the lease while the officer's page is open.
	Renew(ctx context.Context, mission, code, officer string, now time.Time) (bot.Claim, error)
	// Release gives the lease back without an outcome.
	Release(ctx context.Context, mission, code, officer, request string, audit bot.Audit) error
	// Open reads a case by code with its timeline, and writes the audit row. An audit row without What is not
	// written: the case is read for an act whose own row goes with its Commit.
	Open(ctx context.Context, mission, code string, now time.Time, audit bot.Audit) (bot.CaseFile, error)
	// LoadCase reads a case by its internal id, for a row that names only that.
	LoadCase(ctx context.Context, line, id string) (*casework.Case, int64, error)
	// Commit writes a change made at the desk (bot.Change with Who nil).
	Commit(ctx context.Context, c bot.Change) (bot.Committed, error)
	// LinkCases makes one of two cases of the same person, or parts them again.
	LinkCases(ctx context.Context, l bot.CaseLink) error
	// Mine are the cases that officer holds.
	Mine(ctx context.Context, mission, officer string) ([]bot.QueueItem, error)
	// Find looks a case up by code, phone number (E.164), passport or NIK: exact, by blind index.
	Find(ctx context.Context, mission, what string, audit bot.Audit) ([]bot.QueueItem, error)
	// Group lists the mission's cases of the group with that join code, in no order, and counts those of other missions.
	Group(ctx context.Context, mission, code string) (own []bot.QueueItem, elsewhere map[string]int, err error)
	// Offered lists the cases of other missions that this one is asked to take over; OpenOffered reads one of them.
	Offered(ctx context.Context, mission string, now time.Time, limit int) ([]bot.QueueItem, error)
	OpenOffered(ctx context.Context, mission, code string, now time.Time, audit bot.Audit) (bot.CaseFile, error)
	// Letters lists held rows and dead letters; Retry queues a dead letter or releases a held row again.
	Letters(ctx context.Context, mission string, state bot.RowState, limit int) ([]bot.Row, error)
	Retry(ctx context.Context, mission, row, force string, audit bot.Audit) error
	// Asides lists the updates that were put aside; Dismiss removes one.
	Asides(ctx context.Context, mission string, limit int) ([]bot.Aside, error)
	Dismiss(ctx context.Context, mission, id string, audit bot.Audit) error
	// AskErase asks to erase a case, ErrConflict when somebody asks already; Erasures lists what waits for a second
	// person; WithdrawErase takes a request back; EraseAsked erases it as the second person: ErrRefused for the same
	// one, ErrClaimed while an officer works on it, ErrNotFound when nobody asks.
	AskErase(ctx context.Context, mission string, a bot.EraseAsk, audit bot.Audit) error
	Erasures(ctx context.Context, mission string) ([]bot.EraseAsk, error)
	WithdrawErase(ctx context.Context, mission, code string, audit bot.Audit) error
	EraseAsked(ctx context.Context, mission, code, by string, audit bot.Audit) error
	// AskExport asks for a file with personal data; the same request again is nothing new. Exports lists the requests of
	// all missions that have not lapsed; DecideExport answers one of a mission as the second person: ErrOwnExport for the
	// same one, ErrExportState with the request when it was answered already, ErrNotFound when there is none (any more).
	AskExport(ctx context.Context, a bot.ExportAsk, audit bot.Audit) error
	Exports(ctx context.Context, now time.Time) ([]bot.ExportAsk, error)
	DecideExport(ctx context.Context, mission, id, second string, allow bool, now time.Time, audit bot.Audit) (bot.ExportAsk, error)
	// WithdrawExport takes a request back that nobody has used: by is who asked. Its errors are those of DecideExport;
	// somebody else's request is not found. ExportsAsking is bot.QueuePage's Asking for who does not see the queue.
	WithdrawExport(ctx context.Context, mission, id, by string, now time.Time, audit bot.Audit) (bot.ExportAsk, error)
	ExportsAsking(ctx context.Context, mission string, now time.Time) ([]string, error)
	// EachCase reads every case of a mission, the closed ones too, in no order, until f gives an error.
	EachCase(ctx context.Context, mission string, f func(*casework.Case) error) error
	// AskBroadcast keeps a broadcast for a second person, once by its ID; Broadcasts lists the latest, the newest first;
	// ConfirmBroadcast begins it as the second person: ErrRefused for the same one, ErrNotFound when it waits for nobody;
	// StopBroadcast stops it or takes it back: ErrNotFound when it is over.
	AskBroadcast(ctx context.Context, mission string, b bot.Broadcast, audit bot.Audit) error
	Broadcasts(ctx context.Context, mission string) ([]bot.Broadcast, error)
	ConfirmBroadcast(ctx context.Context, mission, id, by string, now time.Time, audit bot.Audit) error
	StopBroadcast(ctx context.Context, mission, id, by string, now time.Time, audit bot.Audit) error
	// SecondAsked are the accounts whose requests wait at now for a second person, one entry a request, in no order: to
	// erase a case, to send a broadcast.
	SecondAsked(ctx context.Context, mission string, now time.Time) (erase, send []string, err error)
	// Record appends an audit row that goes with no other change (reveal, list view, sign-in). An empty mission is
	// the staff area: sign-ins and accounts.
	Record(ctx context.Context, mission string, a bot.Audit) error
	// AuditLog reads the newest n rows; an empty mission reads the staff area's.
	AuditLog(ctx context.Context, mission string, n int) ([]bot.Audit, error)
	// Watch calls f after every change of the mission's cases until ctx ends; seq grows, kind is "case", "p1" or
	// "claim". No personal data.
	Watch(ctx context.Context, mission string, f func(seq int64, kind string)) error
	// Seen notes that officer has the case open now, for the viewers shown in the queue.
	Seen(ctx context.Context, mission, code, officer string, now time.Time) error
}

// Staff is what the desk needs of the store for accounts, throttles and sessions.
type Staff interface {
	Account(ctx context.Context, name string) (bot.Account, error)
	Accounts(ctx context.Context) ([]bot.Account, error)
	// SaveAccount creates or replaces an account.
	SaveAccount(ctx context.Context, a bot.Account, audit bot.Audit) error
	// NewLink stores a one-time link token (as a hash) for the account, valid until then; UseLink spends it.
	NewLink(ctx context.Context, name, token string, until time.Time) error
	UseLink(ctx context.Context, token string) (name string, err error)
	// PeekLink tells whose link it is without spending it.
	PeekLink(ctx context.Context, token string) (name string, err error)
	// Throttle counts one try under key and says how long to wait before the next is evaluated; it fails closed.
	Throttle(ctx context.Context, key string, limit int, per time.Duration) (wait time.Duration, err error)
	// Bucket takes a token out of a bucket of that size, of which one comes back after every; it fails closed.
	Bucket(ctx context.Context, key string, size int, every time.Duration) (wait time.Duration, err error)
	// Factor reads an account's second factor; the zero Factor when it has none.
	Factor(ctx context.Context, name string) (bot.Factor, error)
	// SetFactor gives an account its second factor, confirmed by the code of step; ErrConflict when it has one.
	SetFactor(ctx context.Context, name, secret string, since time.Time, step int64, audit ...bot.Audit) error
	// UseFactor uses the code of one step; ErrConflict when that step or a later one was used.
	UseFactor(ctx context.Context, name string, f bot.Factor, step int64, audit ...bot.Audit) error
	// AskFactorReset asks for a reset, or takes it back (no Until); ErrConflict when there is nothing to ask for.
	AskFactorReset(ctx context.Context, name string, r bot.FactorReset, audit ...bot.Audit) error
	// ResetFactor confirms it by a second person: factor, password and sessions end; ErrRefused for the same person.
	ResetFactor(ctx context.Context, name, by string, audit ...bot.Audit) error
	// EndSessions ends all sessions of an account.
	EndSessions(ctx context.Context, name string) error
}

// Channels is what the desk needs of the store for the channels and the lines' own numbers.
type Channels interface {
	// ChannelStates reads what the processes last said of a line's channels.
	ChannelStates(ctx context.Context, line string) ([]bot.ChannelState, error)
	// AskNumber asks something of the process that has the number of that account; one without Do ends what was asked.
	AskNumber(ctx context.Context, line, account string, a bot.NumberAsk, audit bot.Audit) error
	// Number reads what is asked and how far it has come; zero values for nothing.
	Number(ctx context.Context, line, account string) (bot.NumberAsk, bot.NumberShow, error)
}
