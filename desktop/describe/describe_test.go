package describe_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/lang"
)

func english(t *testing.T) *lang.Catalogue {
	t.Helper()
	c, err := lang.Load(language.English)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOf(t *testing.T) {
	c := english(t)
	for _, tt := range []struct {
		name string
		m    control.Message
		want describe.Sender
	}{
		{
			"legacy", control.Message{From: "ALICE", Via: "smb", Address: "10.0.0.7"},
			describe.Sender{Name: "“ALICE”", Trust: "unverified", Long: "Anybody can use this name; nobody has proven it. Came by SMB from 10.0.0.7."},
		},
		{
			"legacy without a name", control.Message{Via: "mailslot"},
			describe.Sender{Name: "nobody", Trust: "unverified", Long: "Anybody can use this name; nobody has proven it. Came by mailslot."},
		},
		{
			"a claim that would look like ours", control.Message{From: `boss” (verified`, Via: "smb"},
			describe.Sender{Name: "“boss' [verified”", Trust: "unverified", Long: "Anybody can use this name; nobody has proven it. Came by SMB."},
		},
		{
			"an unverified sender with a proof that is none", control.Message{From: "x", Proven: "root", Via: "smb"},
			describe.Sender{Name: "“x”", Trust: "unverified", Long: "Anybody can use this name; nobody has proven it. Came by SMB."},
		},
		{
			"trust without a proof", control.Message{From: "x", Trust: messngr.Site, Via: "hub"},
			describe.Sender{Name: "“x”", Trust: "unverified", Long: "Anybody can use this name; nobody has proven it. Came by hub."},
		},
		{
			"first contact", control.Message{From: "PC3", Proven: "key 1f", Trust: messngr.FirstContact, Via: "sealed", Address: "10.0.0.3"},
			describe.Sender{
				Name: "“PC3”", Trust: "first contact",
				Long: "Known by its key since its first message, but nobody has checked who it is. Came by sealed from 10.0.0.3.",
			},
		},
		{
			"local", control.Message{From: "alice", Proven: "alice", Trust: messngr.Vouched, Via: "local"},
			describe.Sender{Name: "alice", Trust: "vouched for", Long: "This computer vouches that its user alice sent it.", Proven: true},
		},
		{
			"local under another name", control.Message{From: "FS01", Proven: "root", Trust: messngr.Vouched, Via: "local"},
			describe.Sender{Name: "root as “FS01”", Trust: "vouched for", Long: "This computer vouches that its user root sent it.", Proven: true},
		},
		{
			"the service", control.Message{From: "messngr", Proven: "messngr", Trust: messngr.Vouched, Via: "local"},
			describe.Sender{Name: "messngr", Trust: "vouched for", Long: "A note of the Messenger service on this computer.", Proven: true},
		},
		{
			"Samba", control.Message{From: "ALICE", Proven: "ALICE@EXAMPLE", Trust: messngr.Vouched, Via: "samba", Address: "10.0.0.7"},
			describe.Sender{
				Name: "ALICE@EXAMPLE as “ALICE”", Trust: "vouched for", Proven: true,
				Long: "Another system vouches that this is ALICE@EXAMPLE. Came by samba from 10.0.0.7.",
			},
		},
		{
			"paired", control.Message{From: "bob", Proven: "bob", Trust: messngr.Paired, Via: "sealed"},
			describe.Sender{Name: "bob", Trust: "paired", Long: "This is bob, whose key was compared. Came by sealed.", Proven: true},
		},
		{
			"site", control.Message{Proven: "it@example", Trust: messngr.Site, Via: "hub"},
			describe.Sender{Name: "it@example", Trust: "verified", Long: "Your organisation vouches that this is it@example. Came by hub.", Proven: true},
		},
	} {
		if got := describe.Of(c, &tt.m); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// No name that a sender gives itself looks like one that was proven.
func FuzzClaims(f *testing.F) {
	for _, s := range []string{"ALICE", "alice (vouched for)", "”", "“alice", "\u202eroot", "root” (verified) „", strings.Repeat("A", 1000)} {
		f.Add(s)
	}
	c, err := lang.Load(language.English)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, from string) {
		m := control.Message{From: from, Via: "smb"}
		s := describe.Of(c, &m)
		if s.Proven || s.Trust != c.Trust.Unverified {
			t.Fatalf("%q is proven: %+v", from, s)
		}
		if s.Name == c.Trust.Nobody {
			return
		}
		inner, opened := strings.CutPrefix(s.Name, "“")
		inner, closed := strings.CutSuffix(inner, "”")
		if !opened || !closed || strings.ContainsAny(inner, "“”\"()\n\u202e\u202d\u2066\x1b") || !utf8.ValidString(inner) || utf8.RuneCountInString(inner) > 48 {
			t.Fatalf("%q is shown as %q", from, s.Name)
		}
	})
}

func TestTimes(t *testing.T) {
	c := english(t)
	now := time.Date(2026, 11, 21, 14, 0, 0, 0, time.Local)
	for _, tt := range []struct {
		at          time.Time
		long, short string
	}{
		{now.Add(-time.Hour), "13:00", "13:00"},
		{now.Add(-24 * time.Hour), "20 November 2026, 14:00", "20 Nov"},
		{now.AddDate(-1, 0, 0), "21 November 2025, 14:00", "21 November 2025"},
	} {
		if got := describe.Time(c, tt.at, now); got != tt.long {
			t.Errorf("%v is %q, want %q", tt.at, got, tt.long)
		}
		if got := describe.ShortTime(c, tt.at, now); got != tt.short {
			t.Errorf("%v is %q in short, want %q", tt.at, got, tt.short)
		}
	}
	m := control.Message{To: "PC17", ReceivedAt: now}
	if got, want := describe.Received(c, &m, now), "To PC17 · 14:00"; got != want {
		t.Errorf("received: %q, want %q", got, want)
	}
}

func TestWarning(t *testing.T) {
	c := english(t)
	for in, want := range map[string]string{
		"": "", "nothing proves that this is BOSS; the name is easy to forge": "Nothing proves that this is BOSS. The name is easy to forge.",
		"nothing proves that this is X; the name is easy to forge": "nothing proves that this is X; the name is easy to forge",
		"be\ncareful\x1b": "be careful^[",
	} {
		m := control.Message{From: "BOSS", Warning: in}
		if got := describe.Warning(c, &m); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestText(t *testing.T) {
	m := control.Message{Title: "a\nb", Text: "one\r\ntwo\x1b[31m\n\n" + strings.Repeat("ä", 500)}
	if got := describe.Text(&m); !strings.HasPrefix(got, "one\ntwo^[[31m\n\nää") {
		t.Errorf("text %q", got)
	}
	if got := describe.Excerpt(&m); !strings.HasPrefix(got, "a b – one") || utf8.RuneCountInString(got) != 200 || !utf8.ValidString(got) {
		t.Errorf("excerpt of %d: %q", utf8.RuneCountInString(got), got)
	}
}

func TestLevel(t *testing.T) {
	for _, trust := range []messngr.Trust{messngr.Unverified, messngr.FirstContact, messngr.Site} {
		m := control.Message{Level: messngr.LevelEmergency, Trust: trust}
		want := messngr.LevelEmergency
		if trust == messngr.Unverified {
			want = messngr.LevelNotice
		}
		if got := describe.Level(&m); got != want {
			t.Errorf("%v: %v, want %v", trust, got, want)
		}
	}
}

// Every state and code of the service has a sentence.
func TestOutcome(t *testing.T) {
	c := english(t)
	seen := make(map[string]bool)
	for s := messngr.Queued; s <= messngr.Unknown; s++ {
		got := describe.Outcome(c, &control.RecipientAnswer{To: "BOB\x1b", State: s, Reached: true})
		if !strings.Contains(got, "BOB^[") || seen[got] {
			t.Errorf("%v: %q", s, got)
		}
		seen[got] = true
	}
	for _, code := range []string{"unknown_name", "busy", "paused", "too_long", "unavailable", "uncertain"} {
		r := control.RecipientAnswer{To: "BOB", State: messngr.Failed, Code: code}
		if got := describe.Outcome(c, &r); got == describe.Outcome(c, &control.RecipientAnswer{To: "BOB", State: messngr.Failed}) {
			t.Errorf("%s has no sentence of its own: %q", code, got)
		}
	}
}

func TestTrouble(t *testing.T) {
	c := english(t)
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w at /x", control.ErrNoService), c.Trouble.NoService},
		{control.ErrNoAccess, c.Trouble.NoAccess},
		{context.DeadlineExceeded, c.Trouble.NoAnswer},
		{&control.Error{Code: "forbidden", Message: "no"}, c.Outcome.Forbidden},
		{&control.Error{Code: "bad_request", Message: "too \x1b odd"}, "The Messenger service says: too ^[ odd"},
		{errors.New("broken"), "The Messenger service says: broken"},
	} {
		if got := describe.Trouble(c, tt.err); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestAnswers(t *testing.T) {
	m := control.Message{Answers: []string{"Yes", "", "a\nb", "3", "4", "5", "6", "7", "8", "9", "10"}}
	if got, want := describe.Answers(&m), []string{"Yes", "a b", "3", "4", "5", "6", "7", "8", "9"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLetters(t *testing.T) {
	l := describe.NewLetters("_OK", "A_bbrechen", "__none")
	for _, tt := range []struct{ in, want string }{
		{"Okay", "O_kay"}, {"Bob", "Bob"}, {"no_k", "_no__k"}, {"日本", "日本"}, {"", ""}, {"snake_case", "_snake__case"},
		{strings.Repeat("x", 50), "_" + strings.Repeat("x", 39) + "…"},
	} {
		if got := l.Mark(tt.in); got != tt.want {
			t.Errorf("%q is %q, want %q", tt.in, got, tt.want)
		}
	}
	for in, want := range map[string]string{"_Send…": "Send…", "A__b_c": "A_bc", "": ""} {
		if got := describe.Plain(in); got != want {
			t.Errorf("plain %q is %q, want %q", in, got, want)
		}
	}
}
