// Package card writes what the notifications of the tray say, in the language of
// the person: nothing that a sender claims can pass for what is proven.
package card

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"messngr"
	"messngr/control"
	"messngr/tray/notification"
	"messngr/wire/oem"
)

// The most that a notification shows of a message; daemons cut what is longer
// without saying so.
const (
	maxName  = 24   // characters of a name, so that there is room for what is proven
	maxLines = 12   // lines of a text
	maxText  = 1000 // characters of it
	// maxButtons is how many answers become buttons; daemons have no room for more.
	maxButtons = 3
)

// The keys of the actions of a notification, beside those of package
// notification and those that Answer reads.
const (
	KeyAcknowledge = "acknowledge"
	KeyRead        = "read-all" // of a digest
)

// keyAnswer is the key of an answer, with its number behind.
const keyAnswer = "answer-"

// Answer returns the number, from 0, of the answer among those of m that the
// action with that key gives; ok is false if it gives none.
func Answer(m *control.Message, key string) (number int, ok bool) {
	digits, ok := strings.CutPrefix(key, keyAnswer)
	number, err := strconv.Atoi(digits)
	return number, ok && err == nil && number >= 0 && number < len(m.Answers)
}

// Card is a message as a notification shows it.
type Card struct {
	notification.Note
	// Whole says that all of the message can be read on it.
	Whole bool
}

// Message makes the card of m. A text that is hidden leaves who sent it and how
// important it is.
func (w *Words) Message(m *control.Message, hidden bool, now time.Time) Card {
	c := Card{Whole: !hidden}
	c.Summary = w.Headline(m)
	if hidden {
		c.Body = w.hidden
	} else {
		c.Body, c.Whole = w.body(m, now)
	}
	c.Icon = "messngr"
	c.Urgency, c.Stays = notification.Normal, false
	if m.Level >= messngr.LevelUrgent {
		c.Urgency, c.Stays = notification.Critical, true
	}
	c.Actions = w.actions(m, hidden)
	return c
}

// Headline names the sender, and the level and a drill in words. A name that is
// not proven never stands alone, and what a sender calls itself cannot take the
// form of the words in brackets.
func (w *Words) Headline(m *control.Message) string {
	var marks []string
	if m.Drill {
		marks = append(marks, w.drill)
	}
	switch {
	case m.Level >= messngr.LevelEmergency:
		marks = append(marks, w.emergency)
	case m.Level == messngr.LevelUrgent:
		marks = append(marks, w.urgent)
	}
	return strings.Join(append(marks, w.sender(m)), ": ")
}

// sender says who sent m, how that is proven, and the way it came:
//
//	ALICE (unverified, SMB from 10.0.0.7)
func (w *Words) sender(m *control.Message) string {
	name, proven := Name(m.From), Name(m.Proven)
	trust := ""
	if int(m.Trust) < len(w.trust) {
		trust = w.trust[m.Trust]
	}
	switch {
	case name == "":
		name = proven
	case proven != "" && !strings.EqualFold(name, proven):
		trust += ": " + proven
	}
	if name == "" {
		name = w.somebody
	}
	way := oem.CleanLine(m.Via)
	switch way {
	case "local":
		way = w.local
	case "smb":
		way = "SMB"
	}
	if m.Address != "" {
		way += " " + w.from + " " + oem.CleanLine(m.Address)
	}
	return name + " (" + strings.Trim(trust+", "+way, ", ") + ")"
}

// Name makes a name fit for the headline. Some daemons take the headline
// for markup although it is none, so that it has no angle brackets.
func Name(name string) string {
	name = strings.NewReplacer("(", "[", ")", "]", "<", "‹", ">", "›").Replace(oem.CleanLine(name))
	if utf8.RuneCountInString(name) > maxName {
		name = string([]rune(name)[:maxName-1]) + "…"
	}
	return name
}

// body is what stands below the headline; whole says that nothing is left out.
func (w *Words) body(m *control.Message, now time.Time) (body string, whole bool) {
	var parts []string
	add := func(s string) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if m.Warning != "" {
		add("[" + oem.CleanLine(m.Warning) + "]")
	}
	add(oem.CleanLine(m.Title))
	text, left := shorten(strings.TrimRight(oem.Clean(oem.Normalize(m.Text)), "\n"))
	add(text)
	switch {
	case left == 1:
		add(fmt.Sprintf(w.more[0], m.Seq))
	case left > 1:
		add(fmt.Sprintf(w.more[1], left, m.Seq))
	}
	if len(m.Answers) > 0 {
		var answers []string
		for _, a := range m.Answers {
			answers = append(answers, oem.CleanLine(a))
		}
		add(w.answers + " " + strings.Join(answers, " / "))
	}
	if m.ExpiresAt != nil {
		add(fmt.Sprintf(w.until, clock(*m.ExpiresAt, now)))
	}
	if now.Sub(m.ReceivedAt) > time.Minute {
		add(clock(m.ReceivedAt, now))
	}
	return strings.Join(parts, "\n"), left == 0
}

// shorten returns as much of a text as is shown, and how many lines that leaves
// out.
func shorten(text string) (shown string, left int) {
	lines := strings.Split(text, "\n")
	kept, room := 0, maxText
	for _, line := range lines {
		n := utf8.RuneCountInString(line)
		if kept == maxLines || n > room && kept > 0 {
			break
		}
		if n > room { // the first line alone is too long
			lines[0] = string([]rune(line)[:room])
			return lines[0], len(lines)
		}
		room -= n
		kept++
	}
	return strings.Join(lines[:kept], "\n"), len(lines) - kept
}

// clock writes a time as short as it can be understood.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// actions are the buttons of a message. Where the text is hidden nothing can be
// answered.
func (w *Words) actions(m *control.Message, hidden bool) []notification.Action {
	list := []notification.Action{{Key: notification.ActionDefault, Label: w.open}}
	if hidden {
		return list
	}
	_, answerable := control.ReplyTo(m)
	if answerable && len(m.Answers) > 0 && len(m.Answers) <= maxButtons {
		for i, a := range m.Answers {
			list = append(list, notification.Action{Key: fmt.Sprint(keyAnswer, i), Label: Name(a)})
		}
		return list
	}
	if answerable {
		list = append(list, notification.Action{Key: notification.ActionReply, Label: w.reply})
	}
	return append(list, notification.Action{Key: KeyAcknowledge, Label: w.acknowledge})
}
