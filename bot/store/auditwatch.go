package store

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"fmt"
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
	p, last, err := s.verifyPart(ctx, head.Line, head.Seq)
	switch {
	case err != nil:
		return 0, err
	case p.chained < head.Seq:
		return 0, &AuditBroken{head.Line, p.chained + 1, "cut"}
	case head.Seq > 0 && p.from == head.Seq && hex.EncodeToString(p.before) != head.Link:
		return 0, &AuditBroken{head.Line, head.Seq, "changed"}
	}
	head.Seq, head.Link = p.from+int64(len(p.links)), hex.EncodeToString(last)
	return len(p.links), nil
}

// VerifyAuditFrom verifies at most one batch of chained rows behind row from, against the links that stand in the store,
// and gives the row to go on from: 0 when the end of the chain was reached. Asked again and again it goes through a log of
// any length at little cost. Its error is an *AuditBroken where a row is not as it was written.
func (s *Store) VerifyAuditFrom(ctx context.Context, line string, from int64) (int64, error) {
	p, _, err := s.verifyPart(ctx, line, from)
	if err != nil {
		return from, err
	}
	if next := p.from + int64(len(p.links)); len(p.links) > 0 && next < p.chained {
		return next, nil
	}
	return 0, nil
}

// verifyPart recomputes the links of what follows row from, beginning with the link of that row, and gives the last.
func (s *Store) verifyPart(ctx context.Context, line string, from int64) (p auditPart, last []byte, err error) {
	log := &auditReader{store: s, line: line}
	if p, err = log.after(ctx, from); err != nil {
		return p, nil, log.broken(err, from+1)
	}
	last = p.before
	for i, link := range p.links {
		seq := p.from + int64(i) + 1
		if i >= len(p.rows) {
			return p, nil, &AuditBroken{line, seq, "missing"}
		}
		last = s.auditLink(line, seq, last, []byte(p.rows[i]))
		if !hmac.Equal(last, []byte(link)) {
			return p, nil, &AuditBroken{line, seq, "changed"}
		}
	}
	return p, last, nil
}
