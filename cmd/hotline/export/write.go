package export

import (
	"archive/zip"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Write writes the table.
func (t *Table) Write(w io.Writer, f Format) error {
	if f == XLSX {
		return t.xlsx(w)
	}
	return t.csv(w)
}

// csv begins with the mark by which Excel knows UTF-8.
func (t *Table) csv(w io.Writer) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	for row := range t.lines {
		fields := make([]string, len(row))
		for i, c := range row {
			fields[i] = c.guarded(CSV)
		}
		if err := out.Write(fields); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// lines are the heads, the rows, and the notes, all of the same width.
func (t *Table) lines(yield func([]Cell) bool) {
	if !yield(texts(t.Heads...)) {
		return
	}
	for _, r := range t.Rows {
		if !yield(r) {
			return
		}
	}
	for _, n := range t.Notes {
		row := make([]Cell, len(t.Heads))
		row[0] = Text(n)
		if !yield(row) {
			return
		}
	}
}

// The parts of a workbook with one sheet. Style 1 is a text, 2 a bold text; a cell of neither is a number. A library
// for this costs every process 4 MB of program and 5 MB of memory from its start (measured with excelize 2.11.0).
const (
	xlsxTypes = xml.Header + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>`
	xlsxRels = xml.Header + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	xlsxBook = xml.Header + `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
		`<sheets><sheet name="%s" sheetId="1" r:id="rId1"/></sheets></workbook>`
	xlsxBookRels = xml.Header + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`
	xlsxStyles = xml.Header + `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
		`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
		`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
		`<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs>` +
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`
)

func (t *Table) xlsx(w io.Writer) (err error) {
	z := zip.NewWriter(w)
	defer func() { err = errors.Join(err, z.Close()) }()
	for _, part := range []struct{ name, text string }{
		{"[Content_Types].xml", xlsxTypes}, {"_rels/.rels", xlsxRels}, {"xl/workbook.xml", fmt.Sprintf(xlsxBook, escaped(sheetName(t.Title)))},
		{"xl/_rels/workbook.xml.rels", xlsxBookRels}, {"xl/styles.xml", xlsxStyles},
	} {
		p, err := z.Create(part.name)
		if err == nil {
			_, err = io.WriteString(p, part.text)
		}
		if err != nil {
			return err
		}
	}
	p, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return err
	}
	return t.sheet(p)
}

func (t *Table) sheet(w io.Writer) error {
	var b strings.Builder
	b.WriteString(xml.Header + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>`)
	for i, width := range t.widths() {
		fmt.Fprintf(&b, `<col min="%d" max="%d" width="%d" customWidth="1"/>`, i+1, i+1, width)
	}
	b.WriteString(`</cols><sheetData>`)
	n := 0
	for row := range t.lines {
		n++
		fmt.Fprintf(&b, `<row r="%d">`, n)
		for i, c := range row {
			at := fmt.Sprintf("%s%d", columnName(i), n)
			switch {
			case c.text == "":
			case c.number:
				fmt.Fprintf(&b, `<c r="%s"><v>%s</v></c>`, at, c.text)
			default:
				style := 1
				if n == 1 {
					style = 2
				}
				fmt.Fprintf(&b, `<c r="%s" s="%d" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, at, style, escaped(c.guarded(XLSX)))
			}
		}
		b.WriteString(`</row>`)
		if _, err := io.WriteString(w, b.String()); err != nil {
			return err
		}
		b.Reset()
	}
	_, err := io.WriteString(w, `</sheetData></worksheet>`)
	return err
}

// widths are those of the columns, in characters: as wide as the widest cell, within reason. Notes run over.
func (t *Table) widths() []int {
	out := make([]int, len(t.Heads))
	for i, h := range t.Heads {
		out[i] = utf8.RuneCountInString(h)
		for _, r := range t.Rows {
			out[i] = max(out[i], utf8.RuneCountInString(r[i].text))
		}
		out[i] = min(max(out[i]+2, 6), 48)
	}
	return out
}

func columnName(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}

// sheetName is a name that spreadsheets allow: at most 31 characters and none of []:*?/\.
func sheetName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\'`, r) {
			return -1
		}
		return r
	}, plain(s))
	if r := []rune(s); len(r) > 31 {
		s = string(r[:31])
	}
	if s == "" {
		return "1"
	}
	return s
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
