// Package export makes files of the store's cases: lists and figures as CSV and XLSX, and one case for the person whom
// it is about. It reads nothing by itself and writes to a writer; who may have what is decided by its caller.
package export

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Format is the form of a file.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Table is what a file holds: a row of headers, the rows, and behind them notes, one sentence a row.
type Table struct {
	Title string // of the sheet
	Heads []string
	Rows  [][]Cell
	Notes []string
}

// Cell is one field: a text, or a number to reckon with. Digits that name something (NIK, phone, passport) are a text.
type Cell struct {
	text   string
	number bool
}

// Text is a cell that stays as it is written, whoever wrote it.
func Text(s string) Cell { return Cell{text: plain(s)} }

// Number is a cell to reckon with.
func Number(n int) Cell { return Cell{text: strconv.Itoa(n), number: true} }

func texts(all ...string) []Cell {
	out := make([]Cell, len(all))
	for i, s := range all {
		out[i] = Text(s)
	}
	return out
}

// mostRunes bounds a cell: Excel takes 32,767 characters, nobody reads that many.
const mostRunes = 2000

// plain makes a hostile text one line of visible characters: no control characters, nothing that reorders or hides what
// follows.
func plain(s string) string {
	n := 0
	s = strings.Map(func(r rune) rune {
		if n++; n > mostRunes {
			return -1
		}
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar || r >= 0xFFFE && r <= 0xFFFF || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(s, "")))
	return strings.Join(strings.Fields(s), " ")
}

// starts are the characters with which a spreadsheet begins a formula, in every width that it reads as the same.
const starts = "=+-@＝＋－＠﹦﹢﹣﹫−"

// breaks are what some spreadsheet takes for the end of a field: which one depends on the country that the machine is
// set to, and not on the file.
const breaks = ",;|\t\r\n\"'"

// guard makes a text one that no spreadsheet computes: an apostrophe goes before whatever would begin a formula, at the
// start of the text and wherever a spreadsheet of another country would see the start of a field.
func guard(s string) string {
	var b strings.Builder
	begin := true
	for _, r := range s {
		if begin && strings.ContainsRune(starts, r) {
			b.WriteByte('\'')
		}
		switch {
		case strings.ContainsRune(breaks, r):
			begin = true
		case begin && !unicode.IsSpace(r):
			begin = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// guarded is the cell's text as it stands in a file. A CSV says of no field whether it is a text, so that one which
// looks like a number has an apostrophe before it: without it Excel rounds a NIK and drops a leading zero.
func (c Cell) guarded(f Format) string {
	if c.number {
		return c.text
	}
	if f == CSV && numeric(c.text) {
		return "'" + c.text
	}
	return guard(c.text)
}

// numeric reports whether a spreadsheet would take the text for a number.
func numeric(s string) bool {
	if s == "" {
		return false
	}
	_, err := strconv.ParseFloat(strings.NewReplacer(" ", "", ",", "", ".", "").Replace(s), 64)
	return err == nil
}
