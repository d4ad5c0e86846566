package store

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"pulang/bot"
)

// KeepAudit is how long a row of an audit log is kept.
const KeepAudit = 5 * 365 * 24 * time.Hour

var auditShortenScript = newScript("audit_shorten")

// auditBegin says where a log begins: how many rows were cut off by age, the link of the last of them and when it was
// written. The zero value is a log that begins with its first row. It is sealed: whoever can write to Redis but has no
// key can cut a log, but not make it begin elsewhere.
type auditBegin struct {
	Gone int64     `json:"gone"`
	Link []byte    `json:"link"`
	At   time.Time `json:"at"`
}

func (s *Store) openAuditBegin(ctx context.Context, line, sealed string) (auditBegin, error) {
	var b auditBegin
	if sealed == "" {
		return b, nil
	}
	err := s.openLineJSON(ctx, line, "audit", keyAuditBegins(line), sealed, &b)
	return b, err
}

// auditReader reads a log batch by batch. Rows have the numbers that they were given when they were written, counted
// from 1, whatever was cut off since.
type auditReader struct {
	store *Store
	line  string
	begin auditBegin
	raw   string // begin as it is stored
}

// auditPart is what follows row from: at most auditBatch rows and as many links.
type auditPart struct {
	from          int64
	before        []byte // the link of row from; nil for 0
	rows, links   []string
	last, chained int64 // numbers of the last row and of the last link that there are
}

// after reads what follows a row, or the first that is there when that one was cut off. Its error is errSealed when
// the note of where the log begins was not written by this program.
func (a *auditReader) after(ctx context.Context, from int64) (auditPart, error) {
	for {
		p := auditPart{from: max(from, a.begin.Gone)}
		at := p.from - a.begin.Gone
		pipe := a.store.rdb.TxPipeline() // a row and its link must not come between two reads
		begins := pipe.Get(ctx, keyAuditBegins(a.line))
		rows, links := pipe.LLen(ctx, keyAudit(a.line)), pipe.LLen(ctx, keyAuditChain(a.line))
		before := pipe.LIndex(ctx, keyAuditChain(a.line), max(at, 1)-1)
		rowsCmd := pipe.LRange(ctx, keyAudit(a.line), at, at+auditBatch-1)
		linksCmd := pipe.LRange(ctx, keyAuditChain(a.line), at, at+auditBatch-1)
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
			return p, err
		}
		if raw := begins.Val(); raw != a.raw { // it was cut since, or this is the first look
			begin, err := a.store.openAuditBegin(ctx, a.line, raw)
			if err != nil {
				return p, err
			}
			a.begin, a.raw = begin, raw
			continue
		}
		p.rows, p.links = rowsCmd.Val(), linksCmd.Val()
		p.last, p.chained = a.begin.Gone+rows.Val(), a.begin.Gone+links.Val()
		if p.before = a.begin.Link; at > 0 {
			p.before = []byte(before.Val())
		}
		return p, nil
	}
}

// ShortenAudit cuts off the rows of a log that were written before a time, from the oldest to the first one that is
// younger, is not chained yet, or tells of a case under a legal hold. It gives how many went; row tells of it in the same
// log. A log that is not as it was written is left as it is, as evidence: its error is an *AuditBroken.
func (s *Store) ShortenAudit(ctx context.Context, line string, before time.Time, row bot.Audit) (int64, error) {
	token := ulid.Make().String()
	got, err := s.hold(ctx, keyAuditLease(line), token, 30*time.Second)
	if err != nil || !got {
		return 0, err
	}
	defer s.run(context.WithoutCancel(ctx), unlockScript, []string{keyAuditLease(line)}, token)
	a := &auditReader{store: s, line: line}
	first, err := a.after(ctx, 0)
	if err != nil {
		return 0, a.broken(err, 1)
	}
	was := a.raw
	goes, err := a.aged(ctx, first, before)
	if err != nil || goes.Gone == first.from {
		return 0, err
	}
	n := goes.Gone - first.from
	begin, err := s.sealLineJSON(ctx, line, "audit", keyAuditBegins(line), goes)
	if err != nil {
		return 0, fmt.Errorf("shorten audit: %w", err)
	}
	row.Field = fmt.Sprintf("%d-%d", first.from+1, goes.Gone)
	told, err := s.auditRows(ctx, line, row)
	if err != nil {
		return 0, fmt.Errorf("shorten audit: %w", err)
	}
	args := append([]any{s.nextToken(), token, n, was, begin, first.rows[0], first.links[0]}, told...)
	done, err := s.run(ctx, auditShortenScript, []string{lineKey(line)}, args...).Bool()
	if err != nil {
		return 0, fmt.Errorf("shorten audit: %w", err)
	}
	if !done {
		return 0, nil // the lease was lost to somebody who goes on
	}
	return n, nil
}

// aged verifies the rows that are old enough, from part on, and gives where the log would begin without them.
func (a *auditReader) aged(ctx context.Context, part auditPart, before time.Time) (auditBegin, error) {
	goes := auditBegin{Gone: part.from, Link: part.before}
	held := map[string]bool{} // case code
	for {
		for i, link := range part.links {
			seq := part.from + int64(i) + 1
			if i >= len(part.rows) {
				return goes, &AuditBroken{a.line, seq, "missing"}
			}
			row, err := a.store.openAudit(ctx, a.line, part.rows[i])
			if err != nil {
				return goes, a.broken(err, seq)
			}
			if !row.At.Before(before) {
				return goes, nil
			}
			if made := a.store.auditLink(a.line, seq, goes.Link, []byte(part.rows[i])); !hmac.Equal(made, []byte(link)) {
				return goes, &AuditBroken{a.line, seq, "changed"}
			}
			if row.Code != "" {
				if _, asked := held[row.Code]; !asked {
					if held[row.Code], err = a.store.isHeld(ctx, a.line, row.Code); err != nil {
						return goes, fmt.Errorf("shorten audit: %w", err)
					}
				}
				if held[row.Code] {
					return goes, nil
				}
			}
			goes = auditBegin{Gone: seq, Link: []byte(link), At: row.At}
		}
		if len(part.links) < auditBatch {
			return goes, nil
		}
		// The lease is for one batch; a long log takes many. Whoever lost it meanwhile is refused by the cut itself.
		if err := a.store.rdb.PExpire(ctx, keyAuditLease(a.line), 30*time.Second).Err(); err != nil {
			return goes, fmt.Errorf("shorten audit: %w", err)
		}
		var err error
		if part, err = a.after(ctx, goes.Gone); err != nil {
			return goes, a.broken(err, goes.Gone+1)
		}
	}
}

// broken is what a failed read of row seq means: a row that this program did not write, or an error of Redis.
func (a *auditReader) broken(err error, seq int64) error {
	if errors.Is(err, errSealed) {
		return &AuditBroken{a.line, seq, "foreign"}
	}
	return fmt.Errorf("audit log: %w", err)
}

// isHeld tells whether the case with that code is under a legal hold, or goes on in one that is. One that is gone is not.
func (s *Store) isHeld(ctx context.Context, line, code string) (bool, error) {
	id, err := s.CaseID(ctx, line, code)
	for err == nil {
		c, _, e := s.LoadCase(ctx, line, id)
		if e != nil {
			err = e
			break
		}
		if c.Hold != nil || c.Into == nil {
			return c.Hold != nil, nil
		}
		id = c.Into.ID
	}
	if errors.Is(err, bot.ErrNotFound) {
		return false, nil
	}
	return false, err
}
