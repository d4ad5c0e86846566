package store

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"pulang/bot"
)

// A stored row is a line in clear that the scripts need, then the sealed rest:
//
//	lane not-before state attempts contact account case created why\n<sealed rowBody>
//
// "-" stands for an empty word; times are in milliseconds, not-before 0 is now. The clear line changes as the row
// is tried; the sealed part is written once (and again when a supervisor's reason is added).
type rowHead struct {
	lane      bot.Lane
	notBefore int64
	state     bot.RowState
	attempts  int
	contact   string
	account   string
	caseID    string
	created   int64
	why       string
}

// rowBody is the sealed part.
type rowBody struct {
	To    bot.Contact  `json:"to"`
	Kind  string       `json:"kind"`
	Out   bot.Outgoing `json:"out"`
	By    string       `json:"by,omitempty"`
	Force string       `json:"force,omitempty"`
}

var errRow = errors.New("a stored row cannot be read")

// damagedRow stands for one that cannot be read; ok is false for one that is sealed and was not put aside as such.
func damagedRow(line, id, blob string) (r bot.Row, ok bool) {
	r = bot.Row{ID: id, Line: line, State: bot.RowFailed, Why: bot.WhyDamaged}
	h, _, err := splitRow(blob)
	if err != nil {
		return r, true
	}
	r.CaseID, r.Lane, r.Attempts, r.CreatedAt = h.caseID, h.lane, h.attempts, fromMillis(h.created)
	return r, h.why == bot.WhyDamaged
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	// the words of the clear line are ours (ids, catalogue keys); a stray space must not shift them
	return strings.Map(func(r rune) rune {
		if r <= ' ' {
			return '_'
		}
		return r
	}, s)
}

func undash(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

func (h rowHead) append(b []byte) []byte {
	b = strconv.AppendInt(b, int64(h.lane), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, h.notBefore, 10)
	b = append(b, ' ')
	b = append(b, dash(string(h.state))...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(h.attempts), 10)
	for _, w := range []string{h.contact, h.account, h.caseID} {
		b = append(b, ' ')
		b = append(b, dash(w)...)
	}
	b = append(b, ' ')
	b = strconv.AppendInt(b, h.created, 10)
	b = append(b, ' ')
	b = append(b, dash(h.why)...)
	return append(b, '\n')
}

// splitRow parts a stored row.
func splitRow(blob string) (h rowHead, sealed string, err error) {
	head, sealed, ok := strings.Cut(blob, "\n")
	w := strings.Split(head, " ")
	if !ok || len(w) != 9 {
		return h, "", errRow
	}
	lane, err1 := strconv.Atoi(w[0])
	nb, err2 := strconv.ParseInt(w[1], 10, 64)
	attempts, err3 := strconv.Atoi(w[3])
	created, err4 := strconv.ParseInt(w[7], 10, 64)
	if errors.Join(err1, err2, err3, err4) != nil {
		return h, "", errRow
	}
	return rowHead{
		lane: bot.Lane(lane), notBefore: nb, state: bot.RowState(w[2]), attempts: attempts, contact: w[4], account: undash(w[5]),
		caseID: undash(w[6]), created: created, why: undash(w[8]),
	}, sealed, nil
}

// sealRow makes a row's stored form with its contact's data key.
func sealRow(line, contact string, d dataKey, r bot.Row) ([]byte, error) {
	h := rowHead{
		lane: r.Lane, notBefore: millis(r.NotBefore), state: r.State, attempts: r.Attempts, contact: contact,
		account: r.To.Account, caseID: r.CaseID, created: millis(r.CreatedAt), why: r.Why,
	}
	var head [256]byte
	return d.sealJSON(h.append(head[:0]), keyRows(line), r.ID, 0, &rowBody{To: r.To, Kind: r.Kind, Out: r.Out, By: r.By, Force: r.Force})
}

// openRow is the row of a stored form.
func openRow(line, id string, d dataKey, blob string) (bot.Row, error) {
	h, sealed, err := splitRow(blob)
	if err != nil {
		return bot.Row{}, err
	}
	plain, err := d.open(keyRows(line), id, 0, sealed)
	if err != nil {
		return bot.Row{}, err
	}
	var b rowBody
	if err := decode(plain, &b); err != nil {
		return bot.Row{}, errRow
	}
	return bot.Row{
		ID: id, Line: line, To: b.To, CaseID: h.caseID, Lane: h.lane, Kind: b.Kind, Out: b.Out, State: h.state,
		Attempts: h.attempts, NotBefore: fromMillis(h.notBefore), CreatedAt: fromMillis(h.created), By: b.By, Force: b.Force,
		Why: h.why,
	}, nil
}

// millis is a time as scores and fields hold it; 0 for the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// ms is millis as text, "" for the zero time.
func ms(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}
