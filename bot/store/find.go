package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"pulang/bot"
	"pulang/flows/casework"
)

var findScript = newScript("find")

// findMost bounds what Find gives: a number that so many cases share is no search.
const findMost = 50

// Find looks up a mission's cases, closed ones too, by code, phone number, passport number or NIK: exact, by blind
// index. A number without a country code is read as one of Indonesia and as one of the mission's country. The audit
// row is written whether or not something is found; it must not hold what was looked for.
func (s *Store) Find(ctx context.Context, mission, what string, audit bot.Audit) ([]bot.QueueItem, error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	code := ""
	if c, ok := casework.ParseCode(what); ok {
		code = c
	}
	var sets []any
	for _, n := range phonesIn(what, s.rules[mission].Country) {
		sets = append(sets, blindPhone+":"+s.keys.Blind(blindPhone, n))
	}
	for kind, value := range documents(what) {
		sets = append(sets, kind+":"+s.keys.Blind(kind, value))
	}
	var found []place
	for i, line := range lines {
		args := append([]any{mission, findMost, code, s.nextToken(), len(sets)}, sets...)
		if i == 0 {
			rows, err := s.auditRowsOf(ctx, line, mission, audit)
			if err != nil {
				return nil, fmt.Errorf("find: %w", err)
			}
			args = append(args, rows...)
		}
		ids, err := s.run(ctx, findScript, []string{lineKey(line)}, args...).StringSlice()
		if err != nil {
			return nil, fmt.Errorf("find: %w", err)
		}
		for _, id := range ids {
			found = append(found, place{line: line, id: id})
		}
	}
	items, err := s.cards(ctx, mission, fieldMission, s.clock(), found)
	if err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	return items, nil
}

// phonesIn are the phone numbers (E.164) that a text may mean.
func phonesIn(what, country string) []string {
	what = strings.TrimSpace(what)
	if rest, ok := strings.CutPrefix(what, "00"); ok {
		what = "+" + rest
	}
	var out []string
	for _, region := range []string{"ID", country} {
		n, err := phonenumbers.Parse(what, region)
		if err != nil || !phonenumbers.IsPossibleNumber(n) {
			continue
		}
		e := phonenumbers.Format(n, phonenumbers.E164)
		if len(out) == 0 || out[0] != e {
			out = append(out, e)
		}
	}
	return out
}
