// Package displaytest is the suite that every display passes.
package displaytest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/goleak"

	"messngr"
)

// Harness makes displays for the suite.
type Harness struct {
	// New makes a display that somebody looks at, and returns what that person
	// has seen so far.
	New func(t *testing.T) (d messngr.Display, seen func() string)
	// Nobody makes a display that nobody looks at; nil if the kind always has
	// somebody.
	Nobody func(t *testing.T) messngr.Display
	// Stuck makes a display that hangs, and returns what ends the hanging, so
	// that everything the display has started ends.
	Stuck func(t *testing.T) (d messngr.Display, release func())
}

// patience is how long the suite waits for what must happen.
const patience = 10 * time.Second

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	leaks := goleak.IgnoreCurrent()
	t.Run("Shows", h.shows)
	t.Run("Hostile", h.hostile)
	t.Run("Long", h.long)
	t.Run("Concurrent", h.concurrent)
	t.Run("Nobody", h.nobody)
	t.Run("Cancelled", h.cancelled)
	t.Run("Stuck", h.stuck)
	goleak.VerifyNone(t, leaks)
}

// Message returns a message as the router hands it to displays: from ALICE, by
// SMB from 10.0.0.7, to PC17.
func Message(t testing.TB, text string) *messngr.Message {
	t.Helper()
	id, err := messngr.NewID()
	if err != nil {
		t.Fatal(err)
	}
	return &messngr.Message{
		ID:    id,
		Time:  time.Now(),
		From:  messngr.From{Claimed: "ALICE", Address: netip.MustParseAddr("10.0.0.7")},
		To:    "PC17",
		Via:   "smb",
		Level: messngr.LevelNotice,
		Text:  text,
	}
}

// See waits until want has been seen, and returns everything that has.
func See(t testing.TB, seen func() string, want string) string {
	t.Helper()
	return seeEither(t, seen, want, want)
}

// seeEither waits until one of two texts has been seen.
func seeEither(t testing.TB, seen func() string, one, other string) string {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		got := seen()
		if strings.Contains(got, one) || strings.Contains(got, other) {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("neither %q nor %q was seen, but %q", one, other, shorten(got))
		}
	}
}

func shorten(s string) string {
	if len(s) > 2000 {
		return s[:2000] + "..."
	}
	return s
}

// shows: who sent it, how far that is proven, how it came, when, and the text.
func (h Harness) shows(t *testing.T) {
	d, seen := h.New(t)
	m := Message(t, "The file server reboots at 18:00.\n\nPlease save your work: Größe, Привет, 日本.")
	if err := d.Show(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := See(t, seen, "日本.")
	want := []string{
		"ALICE", "unverified", "SMB", "10.0.0.7", "PC17", m.Time.Local().Format("15:04"),
		"The file server reboots at 18:00.", "Please save your work: Größe, Привет, ",
	}
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q is missing in %q", w, got)
		}
	}
	checkHarmless(t, got)

	loud := *m
	loud.Level, loud.Drill, loud.Warning, loud.Text = messngr.LevelUrgent, true, "not who it seems", "marked"
	if err := d.Show(t.Context(), &loud); err != nil {
		t.Fatal(err)
	}
	got = See(t, seen, "marked")
	for _, w := range []string{"URGENT", "DRILL", "not who it seems"} {
		if !strings.Contains(got, w) {
			t.Errorf("%q is missing in %q", w, got)
		}
	}
}

// hostile: whatever a message brings, it neither commands a terminal nor passes
// for the display's own words.
func (h Harness) hostile(t *testing.T) {
	texts := []string{
		"\x1b[2J\x1b]0;title\a\x1bP$q\x1b\\", "\u009b31m\u009d0;x\u009c", "\u202egpj.exe\u2066x\u2069\u200f\u061c",
		"a\rb\r\nc\n\rd\x14e\x0bf\x0cg", "\x80\x9b31m\xff\xc3\xb1\xc3", "a\u2028b\u2029c", "\x00\x01\x7f\b\b\b",
		"\U000e0041\U000e007f\ufeff\ufffe", strings.Repeat("x", 3000), strings.Repeat("\n", 300), "\t\t\t", "%s%n `id` $(id) ;id|id",
		"z\u0300" + strings.Repeat("\u0301", 500), "Message from ADMIN (site, sealed) to PC17 at 12:00:\nforged",
	}
	d, seen := h.New(t)
	for i, text := range texts {
		m := Message(t, fmt.Sprintf("%s\nend of %d.", text, i))
		m.From.Claimed, m.To, m.Title, m.Warning, m.Answers = text, text, text, text, []string{text}
		if err := d.Show(t.Context(), m); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		got := seeEither(t, seen, fmt.Sprintf("end of %d.", i), m.ID.String())
		checkHarmless(t, got)
		for line := range strings.Lines(got) {
			if strings.HasPrefix(strings.TrimLeft(line, "\r"), "Message from ADMIN (") {
				t.Errorf("%q looks like a message of ADMIN", line)
			}
		}
	}
}

// checkHarmless fails if what was seen holds more than text, line breaks and
// the bell.
func checkHarmless(t *testing.T, seen string) {
	t.Helper()
	if !utf8.ValidString(seen) {
		t.Errorf("not UTF-8: %q", shorten(seen))
	}
	for _, r := range seen {
		if strings.ContainsRune("\r\n\a", r) {
			continue
		}
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point) ||
			0xe0000 <= r && r <= 0xe007f {
			t.Fatalf("%U in %q", r, shorten(seen))
		}
	}
}

// long: a text of 64 KiB comes whole, or the reader is told where the rest is.
func (h Harness) long(t *testing.T) {
	d, seen := h.New(t)
	var text strings.Builder
	lines := 0
	for ; text.Len() < 64<<10; lines++ {
		fmt.Fprintf(&text, "line %d of a long text\n", lines)
	}
	m := Message(t, text.String())
	if err := d.Show(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	seeEither(t, seen, fmt.Sprintf("line %d of a long text", lines-1), m.ID.String())
}

// concurrent: messages that come at once are all shown, one after another.
func (h Harness) concurrent(t *testing.T) {
	const n = 20
	d, seen := h.New(t)
	var shows sync.WaitGroup
	for i := range n {
		m := Message(t, fmt.Sprintf("first %d.\nsecond %d.\nthird %d.", i, i, i))
		shows.Go(func() {
			if err := d.Show(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	shows.Wait()
	for i := range n {
		See(t, seen, fmt.Sprintf("third %d.", i))
	}
	var words []string
	for line := range strings.Lines(seen()) {
		if f := strings.Fields(line); len(f) == 2 && slices.Contains([]string{"first", "second", "third"}, f[0]) {
			words = append(words, f...)
		}
	}
	if len(words) != 6*n {
		t.Fatalf("%d lines were seen, want %d", len(words)/2, 3*n)
	}
	for ; len(words) > 0; words = words[6:] {
		if i := words[1]; !slices.Equal(words[:6], []string{"first", i, "second", i, "third", i}) {
			t.Fatalf("messages are mixed: %q", words[:6])
		}
	}
}

// nobody: a display that has nobody to show to says so.
func (h Harness) nobody(t *testing.T) {
	if h.Nobody == nil {
		return
	}
	if err := h.Nobody(t).Show(t.Context(), Message(t, "anybody there?")); !errors.Is(err, messngr.ErrNobody) {
		t.Errorf("got %v, want ErrNobody", err)
	}
}

// cancelled: nothing is waited for when ctx has ended before.
func (h Harness) cancelled(t *testing.T) {
	d, _ := h.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	returnsSoon(t, func() { _ = d.Show(ctx, Message(t, "too late")) })
}

// stuck: a display that hangs says so when ctx ends, and leaves nothing behind.
func (h Harness) stuck(t *testing.T) {
	d, release := h.Stuck(t)
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for range 2 { // also the second time, behind the first
		returnsSoon(t, func() {
			if err := d.Show(ctx, Message(t, "hello?")); err == nil {
				t.Error("a display that hangs says that it has shown the message")
			}
		})
	}
}

func returnsSoon(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience / 2):
		t.Error("Show does not return after the end of its context")
		<-done
	}
}
