package tty

import (
	"strings"

	"messngr"
	"messngr/display"
	"messngr/wire/oem"
)

// Columns is the width of a message: that of wall(1), for terminals of 80.
const Columns = 79

// indent is before each line that came with a message, so that no text can look
// like a headline of ours.
const indent = "  "

// Wall is how wall(1) writes a message: a banner and the text in lines that are
// filled up with blanks, so that what stood there before does not shine
// through. It takes at most so many columns, and so many lines of the message;
// 0: all of them.
func Wall(m *messngr.Message, columns, lines int) string {
	var b strings.Builder
	fill := func(line, end string) {
		b.WriteString(line)
		b.WriteString(strings.Repeat(" ", max(columns-oem.Columns(line), 0)))
		b.WriteString(end + "\r\n")
	}
	b.WriteString("\r")
	fill("", "")
	banner := display.Wrap([]string{display.Headline(m)}, columns)
	for i, line := range banner {
		if i == len(banner)-1 {
			fill(line, "\a\a")
		} else {
			fill(line, "")
		}
	}
	fill("", "")
	for _, line := range display.Body(m, columns-len(indent), lines) {
		fill(indent+line, "")
	}
	fill("", "")
	return b.String()
}

// Write is how write(1) writes a message: a line that tells whose it is, the
// text, and EOF. It takes at most so many columns, and so many lines of the
// message; 0: all of them.
func Write(m *messngr.Message, columns, lines int) string {
	var b strings.Builder
	b.WriteString("\r\n\a\a\a")
	for _, line := range display.Wrap([]string{display.Headline(m)}, columns) {
		b.WriteString(line + "\r\n")
	}
	for _, line := range display.Body(m, columns-len(indent), lines) {
		b.WriteString(strings.TrimRight(indent+line, " ") + "\r\n")
	}
	b.WriteString("EOF\r\n")
	return b.String()
}
