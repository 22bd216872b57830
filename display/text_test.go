package display_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"messngr"
	"messngr/display"
	"messngr/wire/oem"
)

func today(hour, minute int) time.Time {
	y, m, d := time.Now().Date()
	return time.Date(y, m, d, hour, minute, 0, 0, time.Local)
}

func TestHeadline(t *testing.T) {
	alice := messngr.From{Claimed: "ALICE", Address: netip.MustParseAddr("10.0.0.7")}
	for _, tt := range []struct {
		name string
		m    messngr.Message
		want string
	}{
		{"legacy", messngr.Message{From: alice, Via: "smb", To: "PC17", Time: today(14, 2)},
			"Message from ALICE (unverified, SMB from 10.0.0.7) to PC17 at 14:02:"},
		{"another day", messngr.Message{From: alice, Via: "mailslot", To: "*", Time: time.Date(2001, 2, 3, 4, 5, 6, 0, time.Local)},
			"Message from ALICE (unverified, mailslot from 10.0.0.7) to * on 2001-02-03 at 04:05:"},
		{"local", messngr.Message{From: messngr.From{Claimed: "bob", Proven: "bob", Trust: messngr.Vouched}, Via: "local", Time: today(0, 0)},
			"Message from bob (vouched, local) at 00:00:"},
		{"proven as another", messngr.Message{From: messngr.From{Claimed: "HELPDESK", Proven: "bob", Trust: messngr.Site}, Via: "sealed", Time: today(9, 9)},
			"Message from HELPDESK (site as bob, sealed) at 09:09:"},
		{"nothing known", messngr.Message{Time: today(9, 9)}, "Message from somebody (unverified) at 09:09:"},
		{"urgent drill", messngr.Message{Level: messngr.LevelEmergency, Drill: true, Time: today(9, 9)},
			"DRILL, EMERGENCY message from somebody (unverified) at 09:09:"},
		{"a name like a label", messngr.Message{From: messngr.From{Claimed: "BOSS (site)\n\x1b[2J"}, To: "A\nB", Via: "smb", Time: today(9, 9)},
			"Message from BOSS [site] ^[[2J (unverified, SMB) to A B at 09:09:"},
	} {
		if got := display.Headline(&tt.m); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

func TestBody(t *testing.T) {
	id := messngr.ID{1, 2, 3}
	for _, tt := range []struct {
		name           string
		m              messngr.Message
		columns, lines int
		want           []string
	}{
		{"empty", messngr.Message{}, 79, 0, []string{""}},
		{"text", messngr.Message{Text: "one\n\ntwo\n\n"}, 79, 0, []string{"one", "", "two"}},
		{"everything", messngr.Message{Warning: "reserved\nname", Title: "Title", Text: "a b c", Answers: []string{"yes", "no\x1b"}}, 79, 0,
			[]string{"[reserved name]", "Title", "", "a b c", "", "Answers: yes / no^["}},
		{"hostile", messngr.Message{Text: "a\x1b[2J\u202e\xff\r\nb"}, 79, 0, []string{"a^[[2J<U+202E>\ufffd", "b"}},
		{"left out", messngr.Message{ID: id, Text: "1\n2\n3\n4\n5"}, 79, 3,
			[]string{"1", "2", "[3 more lines: messngr inbox show 01020300-0000-0000-0000-000000000000]"}},
		{"as many as allowed", messngr.Message{Text: "1\n2\n3"}, 79, 3, []string{"1", "2", "3"}},
	} {
		if diff := cmp.Diff(tt.want, display.Body(&tt.m, tt.columns, tt.lines)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		columns int
		line    string
		want    []string
	}{
		{10, "", []string{""}},
		{10, "0123456789", []string{"0123456789"}},
		{10, "01234567890", []string{"0123456789", "0"}},
		{10, "one two three four", []string{"one two", "three four"}},
		{10, "one two th ree four", []string{"one two th", "ree four"}},
		{10, "one two three     four", []string{"one two", "three", "four"}},
		{10, "  indented line", []string{"  indented", "line"}},
		{10, "a 0123456789012", []string{"a", "0123456789", "012"}},
		{10, "a\tb", []string{"a       b"}},
		{10, "日本語日本語", []string{"日本語日本", "語"}},
		{9, "日本語日本語", []string{"日本語日", "本語"}},
		{3, "u\u0308u\u0308u\u0308u\u0308", []string{"u\u0308u\u0308u\u0308", "u\u0308"}},
	} {
		if diff := cmp.Diff(tt.want, display.Wrap([]string{tt.line}, tt.columns)); diff != "" {
			t.Errorf("%q in %d columns: -want +got:\n%s", tt.line, tt.columns, diff)
		}
	}
}

// Nothing is lost by wrapping but blanks, and no line is too long.
func TestWrapProperties(t *testing.T) {
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.StringOf(rapid.SampledFrom([]rune("ab  \tü日\u0308😀"))).Draw(t, "line")
		columns := rapid.IntRange(0, 30).Draw(t, "columns")
		lines := display.Wrap([]string{line}, columns)
		if got := bare(strings.Join(lines, "")); got != bare(line) {
			t.Fatalf("%q became %q", line, lines)
		}
		for _, l := range lines {
			if oem.Columns(l) > max(columns, 2) || strings.Contains(l, "\t") {
				t.Fatalf("%q takes more than %d columns", l, columns)
			}
		}
	})
}

func TestASCII(t *testing.T) {
	if got, want := display.ASCII("Größe: 5 € – Û"), "Grosse: 5 EUR - U"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzText(f *testing.F) {
	f.Add("ALICE", "Größe\x1b[2J\u202e\xff", "PC17")
	f.Fuzz(func(t *testing.T, from, text, to string) {
		m := &messngr.Message{From: messngr.From{Claimed: from, Proven: to}, To: to, Title: from, Warning: to, Text: text}
		lines := append([]string{display.Headline(m)}, display.Body(m, 79, 0)...)
		for i, line := range lines {
			if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) || i > 0 && oem.Columns(line) > 79 {
				t.Fatalf("line %d is %q", i, line)
			}
		}
		ascii := display.ASCII(strings.Join(lines, " "))
		if strings.ContainsFunc(ascii, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q is not ASCII", ascii)
		}
	})
}
