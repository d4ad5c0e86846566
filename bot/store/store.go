// Package store keeps the hotline in Redis, and nothing but Redis: conversations and cases, the outbox, timers, the
// queue and the staff's side. Whatever belongs together is written by one script; whatever is personal is sealed
// with a data key of its own record (see keys.go for the layout).
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/flows/casework"
)

// The modes of a store: one that holds real people's cases, or a demo's.
const (
	ModeReal = "real"
	ModeDemo = "demo"
)

// Line is a line as the store knows it: Code is its hash tag. Missions are the missions whose queues may hold its
// cases, the line's own first; empty means only the line's own, of the same code.
type Line struct {
	Code     string
	Missions []string
	// Rules are the numbers of the line's own mission: by them its queue is ordered. The zero Rules are usable.
	Rules casework.Rules
}

// Options are what a Store is made of.
type Options struct {
	// URL names the Redis: redis, rediss, unix, redis+sentinel or redis+cluster. Client is used instead when not nil;
	// it must have been made with MaxRetries -1.
	URL    string
	Client redis.UniversalClient
	// Keys seal what is personal. When nil they are read from KeyFile, which is made for an empty store only.
	Keys    *Keyring
	KeyFile string
	Lines   []Line
	// Mode is ModeReal or ModeDemo; a store made in the other one is refused (*ModeError). Empty means ModeReal.
	Mode string
	// Clock is what commits date their work by; nil means time.Now.
	Clock func() time.Time
	// Wait is how many replicas must have a write before it is acknowledged; nil means one within a second where a
	// failover may happen by itself (Sentinel, Cluster), none elsewhere.
	Wait *Wait
	// Patience is how long a write is tried again while a failover is under way. 0 means 12 seconds.
	Patience time.Duration
	// Owner names this process and those before it, of which only one can run at a time (see FreeOrphans); it has no "~".
	// Empty: none of them is known.
	Owner string
	// Journal is a file outside Redis in which this process keeps what it acknowledged, without any content, for
	// WatchLosses. Empty: none.
	Journal string
	// RowLease is how long rows handed over by a commit stay with the committing process. 0 means bot.RowLease.
	RowLease time.Duration
	Log      *slog.Logger
}

// Store is the hotline's memory. It satisfies bot.Store, bot.Outbox, and the desk's interfaces. It is safe for
// concurrent use.
type Store struct {
	rdb    redis.UniversalClient
	owned  bool // rdb was made by Open
	keys   *Keyring
	cache  *recent[string, dataKey]  // data keys by the Redis key of their record
	fields *recent[string, fieldsAt] // of cases that were written here, by the same
	lines  map[string]Line
	codes  []string                  // of lines, in the order of Options
	rules  map[string]casework.Rules // by mission
	clock  func() time.Time
	lease  time.Duration
	log    *slog.Logger
	self   string // this process, in tokens
	owner  string // of this process and of those before it on the same data

	journal        *journal // nil: none
	to             primaries
	hand           *atHand
	loads, commits *batchers
	finishing      finishing
	tallies        *recent[string, tally] // of broadcasts, by the key of their rows

	mu       sync.Mutex
	lineKeys map[string]dataKey // by line and use
	fences   map[string]fence   // by line and account
	seq      uint64             // of tokens
}

var lineCode = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Open connects to Redis, checks that the store is of this mode and sealed under these keys, and loads the scripts.
// It does not check durability; see CheckDurability. Errors: *ModeError, *KeyError, *SchemaError, or the connection's.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{
		rdb: o.Client, keys: o.Keys, rules: map[string]casework.Rules{}, cache: newRecent[string, dataKey](8192), fields: newRecent[string, fieldsAt](mostAtHand), lines: map[string]Line{}, clock: o.Clock, lease: o.RowLease,
		log: o.Log, hand: newAtHand(), tallies: newRecent[string, tally](2 * broadcastsListed), lineKeys: map[string]dataKey{}, fences: map[string]fence{},
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.lease == 0 {
		s.lease = bot.RowLease
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for _, l := range o.Lines {
		if len(l.Missions) == 0 {
			l.Missions = []string{l.Code}
		}
		for _, code := range append([]string{l.Code}, l.Missions...) {
			if !lineCode.MatchString(code) || code == StaffLine {
				return nil, fmt.Errorf("open store: %q cannot be the code of a mission", code)
			}
		}
		s.lines[l.Code] = l
		s.rules[l.Missions[0]] = l.Rules
		s.codes = append(s.codes, l.Code)
	}
	if s.rdb == nil {
		c, err := Dial(o.URL)
		if err != nil {
			return nil, err
		}
		s.rdb, s.owned = c, true
	}
	s.to = newPrimaries(s.rdb, o.Wait, o.Patience)
	if err := s.start(ctx, o); err != nil {
		if s.owned {
			err = errors.Join(err, s.rdb.Close())
		}
		return nil, err
	}
	return s, nil
}

func (s *Store) start(ctx context.Context, o Options) error {
	if err := s.mark(ctx, o); err != nil {
		return err
	}
	if err := loadScripts(ctx, s.rdb); err != nil {
		return err
	}
	var err error
	if s.journal, err = openJournal(o.Journal, s.log); err != nil {
		return err
	}
	s.self, s.owner = ownedBy(o.Owner)+token(), o.Owner
	s.loads = newBatchers(s.to, true)
	s.commits = newBatchers(s.to, false)
	s.finishing.open = map[finishKey]*finished{}
	return nil
}

// Close ends the batches under way and closes the connections that Open made.
func (s *Store) Close() error {
	s.loads.close()
	s.commits.close()
	s.journal.close()
	if s.owned {
		return s.rdb.Close()
	}
	return nil
}

// Ping tells whether Redis answers and takes writes.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.rdb.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

// Keys is the keyring, for blind values.
func (s *Store) Keys() *Keyring { return s.keys }

// line knows the line or says that it does not.
func (s *Store) line(code string) (Line, error) {
	l, ok := s.lines[code]
	if !ok {
		return Line{}, fmt.Errorf("no line %q in this installation", code)
	}
	return l, nil
}
