package store

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// AuditBroken says that a line's audit chain is not the one that was known: Seq is the first row that is not as it was
// written, counted from 1, and Why one of AuditReport's words.
type AuditBroken struct {
	Line string
	Seq  int64
	Why  string
}

func (e *AuditBroken) Error() string {
	return fmt.Sprintf("audit log of %s: row %d: %s", e.Line, e.Seq, e.Why)
}

// ContinueAudit verifies that a line's chain still goes through a head that was kept outside the store, and every row
// that was chained since; it gives the new head. The zero head of a line verifies the whole chain. What was changed
// before the kept head does not show here: see VerifyAuditFrom. Its error is an *AuditBroken where the chain is not that.
func (s *Store) ContinueAudit(ctx context.Context, line string, kept AuditHead) (AuditHead, error) {
	head := kept
	head.Line = line
	for {
		n, err := s.continueAudit(ctx, &head)
		if err != nil || n < auditBatch {
			return head, err
		}
	}
}

// continueAudit goes on by one batch and gives how many rows there were.
func (s *Store) continueAudit(ctx context.Context, head *AuditHead) (int, error) {
	n, chained, link, err := s.verifyBatch(ctx, head.Line, head.Seq)
	switch {
	case err != nil:
		return 0, err
	case chained < head.Seq:
		return 0, &AuditBroken{head.Line, chained + 1, "cut"}
	case head.Seq > 0 && link.before != head.Link:
		return 0, &AuditBroken{head.Line, head.Seq, "changed"}
	}
	if n > 0 {
		head.Seq, head.Link = head.Seq+int64(n), link.last
	}
	return n, nil
}

// VerifyAuditFrom verifies at most one batch of chained rows behind row from, against the links that stand in the store,
// and gives the row to go on from: 0 when the end of the chain was reached. Asked again and again it goes through a log of
// any length at little cost. Its error is an *AuditBroken where a row is not as it was written.
func (s *Store) VerifyAuditFrom(ctx context.Context, line string, from int64) (int64, error) {
	n, chained, _, err := s.verifyBatch(ctx, line, from)
	if err != nil {
		return from, err
	}
	if next := from + int64(n); n > 0 && next < chained {
		return next, nil
	}
	return 0, nil
}

// auditLinks are the links, in hex, before and at the end of a batch; "" before the first row.
type auditLinks struct{ before, last string }

// verifyBatch recomputes the links of at most auditBatch rows behind row from, beginning with the link of that row.
func (s *Store) verifyBatch(ctx context.Context, line string, from int64) (n int, chained int64, at auditLinks, err error) {
	pipe := s.rdb.TxPipeline()
	length := pipe.LLen(ctx, keyAuditChain(line))
	before := pipe.LIndex(ctx, keyAuditChain(line), max(from, 1)-1)
	rowsCmd := pipe.LRange(ctx, keyAudit(line), from, from+auditBatch-1)
	linksCmd := pipe.LRange(ctx, keyAuditChain(line), from, from+auditBatch-1)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return 0, 0, at, fmt.Errorf("verify audit: %w", err)
	}
	var last []byte
	if from > 0 {
		last = []byte(before.Val())
		at.before = hex.EncodeToString(last)
	}
	rows, links := rowsCmd.Val(), linksCmd.Val()
	for i, link := range links {
		seq := from + int64(i) + 1
		if i >= len(rows) {
			return i, length.Val(), at, &AuditBroken{line, seq, "missing"}
		}
		last = s.auditLink(line, seq, last, []byte(rows[i]))
		if !hmac.Equal(last, []byte(link)) {
			return i, length.Val(), at, &AuditBroken{line, seq, "changed"}
		}
	}
	at.last = hex.EncodeToString(last)
	return len(links), length.Val(), at, nil
}
