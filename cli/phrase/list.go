package phrase

import (
	"strconv"
	"strings"
	"time"

	"messngr"
)

// ShortID is how much of an id people see: the end of it, which is random.
func ShortID(id messngr.ID) string {
	s := id.String()
	return s[len(s)-6:]
}

// Clock writes a time as short as it can be understood.
func Clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	case t.Year() == now.Year():
		return t.Format("02 Jan 15:04")
	}
	return t.Format("2006-01-02")
}

// Emphasis is what a list says of a message before its text: that it is no ordinary
// one.
func Emphasis(drill bool, level messngr.Level) string {
	words := ""
	if drill {
		words = "DRILL "
	}
	if level >= messngr.LevelUrgent {
		words += strings.ToUpper(level.String()) + " "
	}
	if words == "" {
		return ""
	}
	return "[" + strings.TrimSpace(words) + "] "
}

// Titled is a text in a list, behind its title.
func Titled(title, text string) string {
	if title != "" && strings.TrimSpace(text) != "" {
		title += ": "
	}
	return strings.TrimSpace(title + text)
}

// Count is "1 message", or so many of them.
func Count(n int) string {
	if n == 1 {
		return "1 message"
	}
	return strconv.Itoa(n) + " messages"
}
