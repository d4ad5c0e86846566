package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"pulang/bot/store"
)

// auditCmd proves that the audit log is as it was written.
type auditCmd struct {
	Verify auditVerify `cmd:"" help:"Verifies the chain of every audit log and names the first row that is not as it was written."`
	Head   auditHead   `cmd:"" help:"Prints the end of every chain, one JSON object a line, to be kept where nobody with access to the store can change it."`
}

type auditVerify struct {
	Anchor string `placeholder:"FILE" help:"Heads that were kept elsewhere (of 'hotline audit head', any number of them): shows what was cut off at the end."`
}

// Run prints PASS or FAIL for each log.
func (c *auditVerify) Run(ctx context.Context, s *Settings, io *streams) error {
	heads, err := readAnchor(c.Anchor)
	if err != nil {
		return err
	}
	return withStore(ctx, s, io, func(st *opened) error {
		var failed error
		known := map[string]bool{}
		for _, line := range logs(st) {
			known[line] = true
			r, err := st.store.VerifyAudit(ctx, line, heads...)
			if err != nil {
				return fmt.Errorf("audit verify: %w", err)
			}
			if r.Broken != 0 {
				failed = errReported
				fmt.Fprintf(io.out, "FAIL  %-10s row %d of %d: %s\n", line, r.Broken, r.Gone+max(r.Rows, r.Chained), brokenRow[r.Why])
				continue
			}
			anchors := 0
			for _, h := range heads {
				if h.Line == line && h.Seq >= r.Gone {
					anchors++
				}
			}
			fmt.Fprintf(io.out, "PASS  %-10s %d rows, %d of them chained, %d kept heads agree", line, r.Rows, r.Chained, anchors)
			if r.Gone > 0 {
				fmt.Fprintf(io.out, "; rows 1 to %d went by age", r.Gone)
			}
			fmt.Fprintln(io.out)
		}
		for _, h := range heads {
			if !known[h.Line] {
				failed = errReported
				fmt.Fprintf(io.out, "FAIL  %-10s a head was kept of this log, and there is no such line here\n", h.Line)
				known[h.Line] = true
			}
		}
		result := auditRow("audit_verify", "")
		op := store.OpVerify
		result.Result = "ok"
		if failed != nil {
			op, result.Result = store.OpVerifyBroken, "broken"
		}
		return errors.Join(failed, st.store.Record(ctx, "", result), st.store.NoteOp(ctx, op, store.Op{At: time.Now().UTC()}))
	})
}

// brokenRow says what is wrong with a row.
var brokenRow = map[string]string{
	"changed": "it or its place was changed, or a row before it was removed or put in",
	"missing": "rows were removed from the end",
	"copied":  "it is a copy of a row before it",
	"foreign": "it was not written by this program under these keys",
	"cut":     "it and all that followed were cut off since a head was kept",
}

type auditHead struct{}

// Run chains what is not chained yet, and prints the ends.
func (auditHead) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		enc := json.NewEncoder(io.out)
		for _, line := range logs(st) {
			if _, err := st.store.SealAudit(ctx, line); err != nil {
				return fmt.Errorf("audit head: %w", err)
			}
			h, err := st.store.AuditHead(ctx, line)
			if err != nil {
				return fmt.Errorf("audit head: %w", err)
			}
			if h.Seq == 0 {
				continue
			}
			if err := enc.Encode(h); err != nil {
				return err
			}
		}
		return nil
	})
}

// logs are the lines that keep an audit log, the staff area among them.
func logs(st *opened) []string {
	return append(missionCodes(st.missions), store.StaffLine)
}

// readAnchor reads kept heads, one JSON object a line; no file is none.
func readAnchor(path string) ([]store.AuditHead, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("--anchor: %v", withoutPath(err))
	}
	var heads []store.AuditHead
	err = eachHead(raw, func(n int, line []byte) error {
		var h store.AuditHead
		if json.Unmarshal(line, &h) != nil || h.Line == "" || h.Seq < 1 || len(h.Link) != 64 {
			return usagef("--anchor: line %d is not what 'hotline audit head' prints", n)
		}
		heads = append(heads, h)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(heads) == 0 {
		return nil, usagef("--anchor: there is no head in the file")
	}
	return heads, nil
}

// eachHead gives every line of a file of heads that is not empty, with its number.
func eachHead(raw []byte, f func(n int, line []byte) error) error {
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := f(n, lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}
