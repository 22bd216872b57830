package display

import (
	"fmt"
	"strings"
	"time"

	"messngr"
	"messngr/wire/oem"
)

// Headline is the line that tells whose message m is, what of that is proven,
// and when it came:
//
//	Message from ALICE (unverified, SMB from 10.0.0.7) to PC17 at 14:02:
//
// It names the level and a drill in words, and is safe to show. What a sender
// calls itself cannot take the form of the words in brackets.
func Headline(m *messngr.Message) string {
	var b strings.Builder
	if m.Drill {
		b.WriteString("DRILL, ")
	}
	switch m.Level {
	case messngr.LevelUrgent, messngr.LevelEmergency:
		b.WriteString(strings.ToUpper(m.Level.String()) + " message")
	default:
		b.WriteString("Message")
	}
	b.WriteString(" from " + sender(m))
	if to := claimed(m.To); to != "" {
		b.WriteString(" to " + to)
	}
	at := m.Time.Local()
	if at.Format(time.DateOnly) != time.Now().Format(time.DateOnly) {
		b.WriteString(" on " + at.Format(time.DateOnly))
	}
	b.WriteString(" at " + at.Format("15:04") + ":")
	return b.String()
}

// sender says who sent m: what it calls itself, how that is proven, and the way
// it came. A name that is not proven never stands alone.
func sender(m *messngr.Message) string {
	name, trust := claimed(m.From.Claimed), m.From.Trust.String()
	if m.From.Proven != "" {
		proven := claimed(m.From.Proven)
		if name == "" {
			name = proven
		}
		if name != proven {
			trust += " as " + proven
		}
	}
	if name == "" {
		name = "somebody"
	}
	way := claimed(m.Via)
	if way == "smb" {
		way = "SMB"
	}
	if m.From.Address.IsValid() {
		way += " from " + m.From.Address.String()
	}
	return name + " (" + strings.Trim(trust+", "+way, ", ") + ")"
}

// claimed makes a name fit for the headline.
func claimed(name string) string {
	return strings.NewReplacer("(", "[", ")", "]").Replace(oem.CleanLine(name))
}

// Body is what follows the headline: a warning, the title, the text and the
// answers to choose from, safe to show, in lines of at most so many columns.
// If there are more than so many lines (0: any number) the last one says how
// many are left out, and how to read them.
func Body(m *messngr.Message, columns, lines int) []string {
	var body []string
	if warning := oem.CleanLine(m.Warning); warning != "" {
		body = append(body, "["+warning+"]")
	}
	if title := oem.CleanLine(m.Title); title != "" {
		body = append(body, title, "")
	}
	text := strings.TrimRight(oem.Clean(oem.Normalize(m.Text)), "\n")
	body = append(body, strings.Split(text, "\n")...)
	if len(m.Answers) > 0 {
		var answers []string
		for _, a := range m.Answers {
			answers = append(answers, oem.CleanLine(a))
		}
		body = append(body, "", "Answers: "+strings.Join(answers, " / "))
	}
	body = Wrap(body, columns)
	if lines > 0 && len(body) > lines {
		left := len(body) - lines + 1
		body = append(body[:lines-1], Wrap([]string{fmt.Sprintf("[%d more lines: messngr inbox show %s]", left, m.ID)}, columns)...)
	}
	return body
}

// Wrap breaks clean lines so that none takes more than so many columns of a
// terminal, at blanks where it can. Tabs become blanks.
func Wrap(lines []string, columns int) []string {
	columns = max(columns, 2)
	var out []string
	for _, line := range lines {
		out = append(out, wrap(line, columns)...)
	}
	return out
}

const tabStop = 8

func wrap(line string, columns int) []string {
	var out []string
	var row []rune
	used, blank := 0, -1 // blank is where the row may be broken
	flush := func(end, next int) {
		out = append(out, strings.TrimRight(string(row[:end]), " "))
		row = append(row[:0], row[next:]...)
		used, blank = oem.Columns(string(row)), -1
	}
	for _, r := range line {
		n := oem.RuneColumns(r)
		if r == '\t' {
			r, n = ' ', 1
			for ; (used+1)%tabStop != 0 && used+1 < columns; used++ {
				row = append(row, ' ')
			}
		}
		if used+n > columns {
			switch {
			case r == ' ':
				flush(len(row), len(row))
				continue
			case blank >= 0:
				flush(blank, blank+1)
			}
			if used+n > columns { // a word that is longer than a line
				flush(len(row), len(row))
			}
		}
		if r == ' ' && len(row) > 0 {
			blank = len(row)
		}
		row = append(row, r)
		used += n
	}
	return append(out, strings.TrimRight(string(row), " "))
}

// ASCII spells s for terminals that know nothing else: é as e, the euro sign as
// EUR, and what has no spelling as a question mark. Such a terminal could take
// the bytes of UTF-8 for commands.
func ASCII(s string) string {
	b, _ := oem.ASCII().Encode(s)
	return string(b)
}
