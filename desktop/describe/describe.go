// Package describe says in a person's language what is known of a message: who
// sent it and how that is proven, when it came, and what became of one that was
// sent. Everything that it returns is safe to show.
package describe

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"messngr"
	"messngr/control"
	"messngr/desktop/lang"
	"messngr/wire/oem"
)

// maxName is how many characters of a sender's name are shown.
const maxName = 48

// Sender is who sent a message.
type Sender struct {
	// Name is what to call the sender. A name that nobody has proven stands in
	// quotation marks.
	Name string
	// Trust says in a word how the name is proven, Long in a sentence.
	Trust, Long string
	// Proven says that the name is proven at all.
	Proven bool
}

// Of says who sent m.
func Of(c *lang.Catalogue, m *control.Message) Sender {
	claimed, proven := name(m.From), name(m.Proven)
	trust := m.Trust
	if proven == "" && trust > messngr.FirstContact {
		trust = messngr.Unverified // nothing says who it is that was proven
	}
	s := Sender{Proven: trust > messngr.FirstContact}
	switch {
	case !s.Proven && claimed == "":
		s.Name = c.Trust.Nobody
	case !s.Proven:
		s.Name = fmt.Sprintf(c.Popup.Claims, claimed)
	case claimed == "" || strings.EqualFold(claimed, proven):
		s.Name = proven
	default:
		s.Name = fmt.Sprintf(c.Trust.As, proven, claimed)
	}
	way := Way(c, m)
	switch trust {
	case messngr.FirstContact:
		s.Trust, s.Long = c.Trust.FirstContact, fmt.Sprintf(c.Trust.FirstContactLong, way)
	case messngr.Vouched:
		s.Trust, s.Long = c.Trust.Vouched, vouched(c, m, proven, way)
	case messngr.Paired:
		s.Trust, s.Long = c.Trust.Paired, fmt.Sprintf(c.Trust.PairedLong, proven, way)
	case messngr.Site:
		s.Trust, s.Long = c.Trust.Site, fmt.Sprintf(c.Trust.SiteLong, proven, way)
	default:
		s.Trust, s.Long = c.Trust.Unverified, fmt.Sprintf(c.Trust.UnverifiedLong, way)
	}
	return s
}

// serviceName is under which the service itself writes to its people.
const serviceName = "messngr"

// IsService reports whether m is a note of the service itself.
func IsService(m *control.Message) bool { return m.Via == localVia && m.Proven == serviceName }

func vouched(c *lang.Catalogue, m *control.Message, proven, way string) string {
	switch {
	case IsService(m):
		return c.Trust.Service
	case m.Via == localVia:
		return fmt.Sprintf(c.Trust.VouchedHere, proven)
	}
	return fmt.Sprintf(c.Trust.VouchedLong, proven, way)
}

// Line names a sender in one line: ALICE never stands there alone.
func Line(c *lang.Catalogue, m *control.Message) string {
	s := Of(c, m)
	return fmt.Sprintf(c.Popup.Sender, s.Name, s.Trust)
}

// localVia is the way of messages that never left this host.
const localVia = "local"

// Way says how m came, such as "by SMB from 10.0.0.7".
func Way(c *lang.Catalogue, m *control.Message) string {
	via := oem.CleanLine(m.Via)
	switch {
	case via == localVia:
		return c.Way.Here
	case via == "smb":
		via = "SMB"
	}
	if m.Address == "" {
		return fmt.Sprintf(c.Way.By, via)
	}
	return fmt.Sprintf(c.Way.From, via, oem.CleanLine(m.Address))
}

// name makes a name fit to stand beside words of ours: it has no brackets or
// quotation marks that could end it early, and is not endless.
func name(s string) string {
	s = strings.NewReplacer("(", "[", ")", "]", "“", "'", "”", "'", "„", "'", `"`, "'", "«", "'", "»", "'").Replace(oem.CleanLine(s))
	if utf8.RuneCountInString(s) > maxName {
		s = string([]rune(s)[:maxName-1]) + "…"
	}
	return s
}

// Received says whom m was addressed to and when it came.
func Received(c *lang.Catalogue, m *control.Message, now time.Time) string {
	return fmt.Sprintf(c.Popup.Received, To(m), Time(c, m.ReceivedAt, now))
}

// To names the addressee as the sender wrote it.
func To(m *control.Message) string { return name(m.To) }

// Time says when something was: the time of day alone if it was today.
func Time(c *lang.Catalogue, t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(c.Today)
	}
	return t.Format(c.Both)
}

// ShortTime is as short as it may be for a list: the time of day if it was
// today, otherwise the day, and the year if it is another one.
func ShortTime(c *lang.Catalogue, t, now time.Time) string {
	t, now = t.Local(), now.Local()
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format(c.Today)
	case t.Year() == now.Year():
		return t.Format(c.ThisYear)
	}
	return t.Format(c.Day)
}

// forged is the service's warning of a reserved name, which it says in English.
const forged = "nothing proves that this is %s; the name is easy to forge"

// Warning is why a reader should be careful with m; "" if there is nothing to say.
func Warning(c *lang.Catalogue, m *control.Message) string {
	if m.Warning != "" && m.Warning == fmt.Sprintf(forged, m.From) {
		return fmt.Sprintf(c.Popup.Forged, name(m.From))
	}
	return oem.CleanLine(m.Warning)
}

// Text is the text of m; Title its headline, or "".
func Text(m *control.Message) string {
	return strings.TrimRight(oem.Clean(oem.Normalize(m.Text)), "\n")
}

// Title is the headline of m, or "".
func Title(m *control.Message) string { return oem.CleanLine(m.Title) }

// Excerpt is the beginning of the text of m in one line, after its headline.
func Excerpt(m *control.Message) string {
	const most = 200
	text := oem.CleanLine(strings.TrimSpace(firstBytes(m.Text, 4*most)))
	if title := Title(m); title != "" {
		text = title + " – " + text
	}
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most-1]) + "…"
	}
	return text
}

func firstBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Level is the level that m may claim: nothing that nobody has proven is more
// urgent than a notice, whatever brought it here.
func Level(m *control.Message) messngr.Level {
	if m.Trust == messngr.Unverified {
		return min(m.Level, messngr.LevelNotice)
	}
	return m.Level
}

// Clean makes one safe line of any text from elsewhere.
func Clean(s string) string { return oem.CleanLine(s) }

// Person names a recipient in one safe line: somebody on this computer by the
// login name alone, to which an answer is addressed as alice@localhost.
func Person(to string) string { return Clean(strings.TrimSuffix(to, "@localhost")) }
