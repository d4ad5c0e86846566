package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pulang/bot"
)

var openCaseScript = newScript("open_case")

// Open reads a case by its code with its whole timeline and what became of its rows, and appends the audit row in
// the same script; a row without What is not written. It leaves LastRead alone: having read is the caller's to say.
// bot.ErrNotFound when the mission has no such case (any more).
func (s *Store) Open(ctx context.Context, mission, code string, now time.Time, audit bot.Audit) (bot.CaseFile, error) {
	file, err := s.openFile(ctx, mission, code, fieldMission, now, audit)
	if err != nil {
		return bot.CaseFile{}, fmt.Errorf("open case: %w", err)
	}
	return file, nil
}

func (s *Store) openFile(ctx context.Context, mission, code, field string, now time.Time, audit bot.Audit) (bot.CaseFile, error) {
	var file bot.CaseFile
	line, id, err := s.locateBy(ctx, mission, code, field)
	if err != nil {
		return file, err
	}
	if audit.Code == "" {
		audit.Code = code
	}
	rows, err := s.auditRowsOf(ctx, line, mission, audit)
	if err != nil {
		return file, err
	}
	res, err := s.run(ctx, openCaseScript, []string{lineKey(line)}, append([]any{mission, id, s.nextToken(), field}, rows...)...).Slice()
	if err != nil {
		return file, fmt.Errorf("redis: %w", err)
	}
	if len(res) == 0 {
		return file, bot.ErrNotFound
	}
	if len(res) != 9 {
		return file, errors.New("redis: an unknown answer")
	}
	f := texts(res[:6])
	if file.Case, file.Version, err = s.openCase(line, id, f[0], f[1], f[2]); err != nil {
		return file, err
	}
	if f[3] != "" {
		names, err := s.officerNames(ctx, line, map[string]bool{f[3]: true})
		if err != nil {
			return file, err
		}
		file.Claim = claimFrom(names, f[3], f[4], f[5], now)
	}
	timeline := keyTimeline(line, id)
	d, err := s.unwrapped(keyCase(line, id), f[1])
	if err != nil {
		return file, err
	}
	for _, stored := range list(res[6]) {
		file.Entries = append(file.Entries, s.entry(line, timeline, d, stored))
	}
	file.Rows, err = s.rowsOf(line, id, list(res[7]), list(res[8]))
	return file, err
}

// rowsOf opens the rows of a case: of a row that was sent there is only its state, the others are whole.
func (s *Store) rowsOf(line, caseID string, states, kept []string) (map[string]bot.Row, error) {
	rows := make(map[string]bot.Row, len(states)/2)
	for i := 0; i+1 < len(states); i += 2 {
		w := strings.Fields(states[i+1])
		if len(w) != 3 {
			w = []string{string(bot.RowUnknown), "", ""}
		}
		rows[states[i]] = bot.Row{ID: states[i], Line: line, CaseID: caseID, State: bot.RowState(w[0]), ProviderID: undash(w[2])}
	}
	for ; len(kept) >= 3; kept = kept[3:] {
		r, err := s.keptRow(line, kept[0], kept[1], kept[2])
		if errors.Is(err, errRow) || errors.Is(err, errSealed) {
			var ok bool
			if r, ok = damagedRow(line, kept[0], kept[1]); !ok {
				continue // its contact was erased: the state is all there is
			}
			r.CaseID = caseID
		} else if err != nil {
			return nil, err
		}
		rows[r.ID] = r
	}
	return rows, nil
}

// keptRow opens a row of the outbox with its contact's wrapped key; errSealed when the contact was erased.
func (s *Store) keptRow(line, id, blob, wrapped string) (bot.Row, error) {
	h, _, err := splitRow(blob)
	if err != nil {
		return bot.Row{}, err
	}
	if wrapped == "" {
		return bot.Row{}, errSealed
	}
	d, err := s.unwrapped(keyConv(line, h.contact), wrapped)
	if err != nil {
		return bot.Row{}, err
	}
	return openRow(line, id, d, blob)
}

// list is a list within a script's result.
func list(v any) []string {
	l, _ := v.([]any)
	return texts(l)
}
