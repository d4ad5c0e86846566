package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"pulang/bot"
)

var (
	auditAppendScript = newScript("audit_append")
	auditChainScript  = newScript("audit_chain")
	unlockScript      = newScript("unlock")
)

// auditRow is an audit row as it is stored. Mission is the desk that did it: a desk's acts on the cases of another
// line stand in that line's log.
type auditRow struct {
	bot.Audit
	Mission string `json:"mission,omitempty"`
}

// auditRows seals rows for a script to append to the line's log. Rows without a What are left out, so that a caller
// with nothing to say may pass a zero row.
func (s *Store) auditRows(ctx context.Context, line string, rows ...bot.Audit) ([]any, error) {
	return s.auditRowsOf(ctx, line, "", rows...)
}

func (s *Store) auditRowsOf(ctx context.Context, line, mission string, rows ...bot.Audit) ([]any, error) {
	var out []any
	for _, a := range rows {
		if a.What == "" {
			continue
		}
		of := mission
		if a.Mission != "" {
			of = a.Mission
		}
		if of == line {
			of = "" // the line's own mission reads the whole log
		}
		sealed, err := s.sealLineJSON(ctx, line, "audit", keyAudit(line), auditRow{Audit: a, Mission: of})
		if err != nil {
			return nil, fmt.Errorf("audit row: %w", err)
		}
		out = append(out, sealed)
	}
	return out, nil
}

// Record appends a row that goes with no other change. An empty mission is the staff area (sign-in, accounts).
func (s *Store) Record(ctx context.Context, mission string, a bot.Audit) error {
	line := mission
	if line == "" {
		line = StaffLine
	}
	rows, err := s.auditRows(ctx, line, a)
	if err != nil || len(rows) == 0 {
		return err
	}
	if err := s.run(ctx, auditAppendScript, []string{lineKey(line)}, append([]any{s.nextToken()}, rows...)...).Err(); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// replicated waits until the replicas, where the store waits for any, have what a line's primary has: for an answer that
// says of something done before that it is done. The call that did it may have met too few replicas.
func (s *Store) replicated(ctx context.Context, line string) error {
	if s.to.wait.Replicas == 0 {
		return nil
	}
	return s.run(ctx, auditAppendScript, []string{lineKey(line)}, "").Err() // no rows: it writes nothing
}

// AuditLog reads the newest n rows of what a mission's desk did and of what was done to its line's cases, newest
// first. An empty mission is the staff area.
func (s *Store) AuditLog(ctx context.Context, mission string, n int) ([]bot.Audit, error) {
	if n < 1 {
		return nil, nil
	}
	lines := []string{mission}
	if mission == "" {
		lines[0] = StaffLine
	} else {
		for _, l := range s.codes {
			if l != mission {
				lines = append(lines, l)
			}
		}
	}
	var all []bot.Audit
	for _, line := range lines {
		sealed, err := s.rdb.LRange(ctx, keyAudit(line), int64(-n), -1).Result()
		if err != nil {
			return nil, fmt.Errorf("audit log: %w", err)
		}
		for _, b := range sealed {
			row, err := s.openAudit(ctx, line, b)
			if errors.Is(err, errSealed) {
				// A row that somebody else wrote. VerifyAudit names it; the others are still to be read.
				row.Audit = bot.Audit{What: "unreadable", Result: "broken"}
			} else if err != nil {
				return nil, fmt.Errorf("audit log: %w", err)
			}
			if line == lines[0] || row.Mission == mission {
				all = append(all, row.Audit)
			}
		}
	}
	slices.Reverse(all)
	if len(lines) > 1 {
		slices.SortStableFunc(all, func(a, b bot.Audit) int { return b.At.Compare(a.At) })
	}
	return all[:min(n, len(all))], nil
}

// deskOf is the mission whose desk made a change.
func deskOf(c *bot.Change) string {
	if c.Case == nil {
		return ""
	}
	return c.Case.Mission
}

func (s *Store) openAudit(ctx context.Context, line string, sealed string) (auditRow, error) {
	var row auditRow
	err := s.openLineJSON(ctx, line, "audit", keyAudit(line), sealed, &row)
	return row, err
}

// auditBatch is how many rows are chained at once.
const auditBatch = 500

// SealAudit chains the rows that were appended since it last ran and gives their number. Rows are appended by many
// without contention; the chain is made by one, under a lease. When another process holds the lease there is
// nothing to do.
func (s *Store) SealAudit(ctx context.Context, line string) (int, error) {
	token := ulid.Make().String()
	got, err := s.hold(ctx, keyAuditLease(line), token, 30*time.Second)
	if err != nil {
		return 0, fmt.Errorf("seal audit: %w", err)
	}
	if !got {
		return 0, nil
	}
	defer s.run(context.WithoutCancel(ctx), unlockScript, []string{keyAuditLease(line)}, token)
	done := 0
	for {
		n, err := s.chainAudit(ctx, line, token)
		done += n
		if err != nil || n < auditBatch {
			return done, err
		}
		// the lease is for one batch; a long log takes many
		if err := s.rdb.PExpire(ctx, keyAuditLease(line), 30*time.Second).Err(); err != nil {
			return done, fmt.Errorf("seal audit: %w", err)
		}
	}
}

func (s *Store) chainAudit(ctx context.Context, line, token string) (int, error) {
	// Under the lease nobody else chains or cuts: what these two ask is of one state.
	end, err := s.auditEnd(ctx, line)
	if err != nil {
		return 0, fmt.Errorf("seal audit: %w", err)
	}
	rows, err := s.rdb.LRange(ctx, keyAudit(line), end.have, end.have+auditBatch-1).Result()
	if err != nil {
		return 0, fmt.Errorf("seal audit: %w", err)
	}
	if len(rows) == 0 {
		return 0, nil
	}
	last := end.link
	args := []any{end.have, token}
	for i, row := range rows {
		last = s.auditLink(line, end.seq+int64(i)+1, last, []byte(row))
		args = append(args, last)
	}
	ok, err := s.run(ctx, auditChainScript, []string{keyAuditChain(line), keyAuditLease(line)}, args...).Bool()
	if err != nil {
		return 0, fmt.Errorf("seal audit: %w", err)
	}
	if !ok {
		return 0, nil // another process has gone on
	}
	return len(rows), nil
}

// auditLink binds a row to its number, counted from 1, and to everything before it.
func (s *Store) auditLink(line string, seq int64, before, row []byte) []byte {
	b := append([]byte(line), 0)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = binary.BigEndian.AppendUint32(b, uint32(len(before)))
	b = append(append(b, before...), row...)
	return s.keys.mac("audit chain", string(b))
}

// AuditHead is the end of a line's chain. Kept outside the store it shows later that nothing was cut off since.
type AuditHead struct {
	Line string `json:"line"`
	Seq  int64  `json:"seq"`  // number of the last chained row
	Link string `json:"link"` // hex
}

// AuditHead reads the end of the chain, to be kept where nobody with access to the store can change it.
func (s *Store) AuditHead(ctx context.Context, line string) (AuditHead, error) {
	end, err := s.auditEnd(ctx, line)
	if err != nil {
		return AuditHead{}, fmt.Errorf("audit head: %w", err)
	}
	return AuditHead{Line: line, Seq: end.seq, Link: hex.EncodeToString(end.link)}, nil
}

// auditEnd is the end of a chain as the store has it.
type auditEnd struct {
	have int64 // links that are there
	seq  int64 // number of the last, counted from the first row there ever was
	link []byte
}

func (s *Store) auditEnd(ctx context.Context, line string) (auditEnd, error) {
	pipe := s.rdb.TxPipeline()
	n := pipe.LLen(ctx, keyAuditChain(line))
	last := pipe.LIndex(ctx, keyAuditChain(line), -1)
	begins := pipe.Get(ctx, keyAuditBegins(line))
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return auditEnd{}, err
	}
	begin, err := s.openAuditBegin(ctx, line, begins.Val())
	if err != nil {
		return auditEnd{}, err
	}
	end := auditEnd{have: n.Val(), seq: begin.Gone + n.Val(), link: begin.Link}
	if end.have > 0 {
		end.link = []byte(last.Val())
	}
	return end, nil
}

// AuditReport is the outcome of VerifyAudit.
type AuditReport struct {
	Rows    int64 // rows of the log
	Gone    int64 // rows before them, which were cut off by age
	Chained int64 // rows that are chained; the others are newer than the last SealAudit
	// Broken is the number, counted from the first row there ever was, of the first row that is not as it was written; 0 when all are.
	Broken int64
	// Why says what is wrong with it: "changed", "missing", "foreign", "copied", "cut".
	Why string
}

// VerifyAudit recomputes the chain of a line and names the first row that was changed, removed, moved or put in.
// What was cut off at the end together with its links shows only against heads that were kept elsewhere. A copy of a row
// that was put at the end is a row like any other but for one thing: no two rows are sealed alike.
func (s *Store) VerifyAudit(ctx context.Context, line string, heads ...AuditHead) (AuditReport, error) {
	var r AuditReport
	broken := func(seq int64, why string) (AuditReport, error) {
		r.Broken, r.Why = seq, why
		return r, nil
	}
	kept := map[int64]string{}
	for _, h := range heads {
		if h.Line == line {
			kept[h.Seq] = h.Link
		}
	}
	log := &auditReader{store: s, line: line}
	seen := map[[16]byte]bool{}
	var last []byte
	for next, chained := int64(0), int64(-1); ; {
		p, err := log.after(ctx, next)
		if errors.Is(err, errSealed) {
			return broken(next+1, "foreign")
		} else if err != nil {
			return r, fmt.Errorf("verify audit: %w", err)
		}
		if p.from > next || chained < 0 { // the first look, or rows were cut off by age meanwhile
			last = p.before
			if link, ok := kept[p.from]; ok && link != hex.EncodeToString(last) {
				return broken(p.from, "changed")
			}
		}
		if chained < 0 {
			chained = p.chained
		}
		r.Rows, r.Chained, r.Gone = p.last-log.begin.Gone, p.chained-log.begin.Gone, log.begin.Gone
		for i := range max(len(p.rows), len(p.links)) {
			seq := p.from + int64(i) + 1
			if i >= len(p.rows) {
				return broken(seq, "missing")
			}
			if _, err := s.openLine(ctx, line, "audit", keyAudit(line), p.rows[i]); err != nil {
				if errors.Is(err, errSealed) {
					return broken(seq, "foreign")
				}
				return r, fmt.Errorf("verify audit: %w", err)
			}
			sum := sha256.Sum256([]byte(p.rows[i]))
			copied := seen[[16]byte(sum[:16])]
			seen[[16]byte(sum[:16])] = true
			if i >= len(p.links) {
				switch {
				case seq <= chained:
					return broken(seq, "changed")
				case copied:
					return broken(seq, "copied")
				}
				continue // not chained yet
			}
			last = s.auditLink(line, seq, last, []byte(p.rows[i]))
			if !hmac.Equal(last, []byte(p.links[i])) {
				return broken(seq, "changed")
			}
			if link, ok := kept[seq]; ok && link != hex.EncodeToString(last) {
				return broken(seq, "changed")
			}
			if copied {
				return broken(seq, "copied")
			}
		}
		next = p.from + auditBatch
		if max(len(p.rows), len(p.links)) < auditBatch {
			break
		}
	}
	end := r.Gone + r.Chained
	for seq := range kept {
		if seq > end {
			return broken(end+1, "cut")
		}
	}
	return r, nil
}
