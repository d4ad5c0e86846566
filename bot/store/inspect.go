package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Found is what was seen in a backup that was loaded into a redis-server of its own.
type Found struct {
	Lines []LineCensus
	Audit []AuditHead
	Heard map[string]map[string]time.Time
	// Opened is how many cases, drawn at random, were opened, each with its whole timeline; Chained how many audit
	// rows were verified.
	Opened  int
	Chained int64
	// Took is how long it took to load the copy.
	Took time.Duration
}

// openCases is how many cases of each line are drawn and opened.
const openCases = 20

// inspect loads a backup and looks at it with this store's keys: the mark opens, cases drawn at random open, the
// audit chains hold. In a Cluster each primary's part is looked at by itself.
func (s *Store) inspect(ctx context.Context, m Manifest) (Found, error) {
	all := Found{Heard: map[string]map[string]time.Time{}}
	marked := false
	for _, f := range m.Files {
		err := s.withLoaded(ctx, filepath.Join(m.Dir, f.Name), func(sc *scratch, took time.Duration) error {
			all.Took += took
			has, err := sc.client.Exists(ctx, keyMark()).Result()
			if err != nil {
				return err
			}
			marked = marked || has == 1
			part, err := s.on(sc.client).look(ctx)
			all.Lines = append(all.Lines, part.Lines...)
			all.Audit = append(all.Audit, part.Audit...)
			for line, heard := range part.Heard {
				all.Heard[line] = heard
			}
			all.Opened += part.Opened
			all.Chained += part.Chained
			return err
		})
		if err != nil {
			return all, err
		}
	}
	if !marked {
		return all, errors.New("the copy does not bear the mark of a store")
	}
	return all, nil
}

// Try loads a backup into a redis-server of its own and says what is there; it fails unless that is what the
// manifest says, the cases open under this store's keys, and the audit chains hold up to the manifest's ends.
func (s *Store) Try(ctx context.Context, m Manifest) (Found, error) {
	if err := m.CheckFiles(); err != nil {
		return Found{}, err
	}
	found, err := s.inspect(ctx, m)
	if err != nil {
		return found, err
	}
	return found, m.agrees(found.Lines, found.Audit)
}

func (m Manifest) agrees(lines []LineCensus, heads []AuditHead) error {
	if !reflect.DeepEqual(byLine(lines), byLine(m.Lines)) {
		return errors.New("the counts are not those of the manifest")
	}
	ends := map[AuditHead]bool{}
	for _, h := range heads {
		ends[h] = true
	}
	for _, h := range m.Audit {
		if !ends[h] {
			return fmt.Errorf("the audit chain of %s does not end as the manifest says", h.Line)
		}
	}
	return nil
}

func byLine(all []LineCensus) map[string]LineCensus {
	out := map[string]LineCensus{}
	for _, l := range all {
		l.beats = nil
		out[l.Line] = l
	}
	return out
}

// withLoaded runs f on a server that has loaded the copy.
func (s *Store) withLoaded(ctx context.Context, rdb string, f func(*scratch, time.Duration) error) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Dir(rdb)), unfinished)
	if err != nil {
		dir, err = os.MkdirTemp("", unfinished) // backups on a disk that is only read
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Symlink(mustAbs(rdb), filepath.Join(dir, "dump.rdb")); err != nil {
		return err
	}
	began := time.Now()
	sc, err := startScratch(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sc.close()) }()
	return f(sc, time.Since(began))
}

func mustAbs(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// on is this store on another Redis: same keys and lines, nothing remembered.
func (s *Store) on(rdb redis.UniversalClient) *Store {
	o := &Store{
		rdb: rdb, keys: s.keys, rules: s.rules, cache: newRecent[string, dataKey](64), lines: s.lines, codes: s.codes, clock: s.clock,
		lease: s.lease, log: s.log, tallies: newRecent[string, tally](broadcastsListed), lineKeys: map[string]dataKey{}, fences: map[string]fence{}, self: token(),
	}
	return o
}

// look counts and opens what is there.
func (s *Store) look(ctx context.Context) (Found, error) {
	f := Found{Heard: map[string]map[string]time.Time{}}
	check, err := s.rdb.HGet(ctx, keyMark(), "check").Result()
	if err == nil {
		if _, err := s.keys.unwrap(check, keyMark()); err != nil {
			return f, &KeyError{Path: s.keys.file}
		}
	} else if !isNil(err) {
		return f, fmt.Errorf("redis: %w", err)
	}
	if f.Lines, err = s.Census(ctx); err != nil {
		return f, err
	}
	for i, l := range f.Lines {
		f.Lines[i].beats = nil
		if l.Audit > 0 {
			r, err := s.VerifyAudit(ctx, l.Line)
			if err != nil {
				return f, err
			}
			if r.Broken != 0 {
				return f, fmt.Errorf("the audit log of %s is broken at row %d (%s)", l.Line, r.Broken, r.Why)
			}
			f.Chained += r.Chained
			head, err := s.AuditHead(ctx, l.Line)
			if err != nil {
				return f, err
			}
			f.Audit = append(f.Audit, head)
		}
		if _, known := s.lines[l.Line]; !known || l.Cases == 0 {
			continue
		}
		n, err := s.openSome(ctx, l.Line, min(openCases, l.Cases))
		if err != nil {
			return f, err
		}
		f.Opened += n
		if f.Heard[l.Line], err = s.heard(ctx, l.Line, l.beats); err != nil {
			return f, err
		}
	}
	return f, nil
}

// openSome opens n cases of a line, drawn at random, with their timelines.
func (s *Store) openSome(ctx context.Context, line string, n int) (int, error) {
	opened := 0
	for try := 0; opened < n && try < 50; try++ { // an erased case's code stays in the list
		ids, err := s.rdb.HRandFieldWithValues(ctx, keyCodes(line), n-opened).Result()
		if err != nil {
			return opened, fmt.Errorf("redis: %w", err)
		}
		for _, kv := range ids {
			if kv.Value == "" {
				continue
			}
			c, _, err := s.LoadCase(ctx, line, kv.Value)
			if err != nil {
				return opened, fmt.Errorf("a case does not open: %w", err)
			}
			d, err := s.recordKey(ctx, keyCase(line, kv.Value), false)
			if err != nil {
				return opened, err
			}
			timeline := keyTimeline(line, c.ID)
			entries, err := s.rdb.LRange(ctx, timeline, 0, -1).Result()
			if err != nil {
				return opened, fmt.Errorf("redis: %w", err)
			}
			for _, e := range entries {
				if _, err := openEntry(timeline, d.dataKey, e); err != nil {
					return opened, fmt.Errorf("a timeline does not open: %w", err)
				}
			}
			opened++
		}
	}
	return opened, nil
}

// heard is when each account was last known to be heard, from the names of their beats.
func (s *Store) heard(ctx context.Context, line string, beats []string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	for _, name := range beats {
		at, err := s.rdb.Get(ctx, name).Int64()
		if err != nil {
			return nil, fmt.Errorf("redis: %w", err)
		}
		out[strings.TrimPrefix(name, keyBeat(line, ""))] = fromMillis(at)
	}
	return out, nil
}
