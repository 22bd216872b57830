// Package console prints to people's terminals: nothing that it prints can
// command a terminal, whatever came from the network.
package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"messngr/wire/oem"
)

// JSON prints v as one line. Beside what JSON demands, it escapes what a
// terminal could take for a command or a change of direction.
func JSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		switch {
		case r < 0x7f || unicode.IsPrint(r):
			out.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	_, err := fmt.Fprintln(w, out.String())
	return err
}

// Indent prints text, made safe for a terminal, with blanks before every line.
func Indent(w io.Writer, text string) {
	for line := range strings.SplitSeq(oem.Clean(oem.Normalize(text)), "\n") {
		fmt.Fprintln(w, strings.TrimRight("  "+line, " "))
	}
}

// Cut shortens a clean text to n columns, and shows that it did.
func Cut(s string, n int) string {
	if oem.Columns(s) <= n {
		return s
	}
	used := 1 // the ellipsis
	for i, r := range s {
		if used += oem.RuneColumns(r); used > n {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}

// Table prints rows in columns; every cell is made safe. The last column is cut
// so that a row fits into the line; total 0 does not cut.
func Table(w io.Writer, total int, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i := range row {
			row[i] = oem.CleanLine(row[i])
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], oem.Columns(row[i]))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		used := 0
		for i, cell := range row {
			if i == len(row)-1 {
				if total > 0 {
					cell = Cut(cell, max(total-used, 10))
				}
				line.WriteString(cell)
				break
			}
			pad := widths[i] - oem.Columns(cell) + 2
			line.WriteString(cell + strings.Repeat(" ", pad))
			used += widths[i] + 2
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
