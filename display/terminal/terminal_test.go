package terminal_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"messngr"
	"messngr/display"
	"messngr/display/displaytest"
	"messngr/display/terminal"
)

type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestSuite(t *testing.T) {
	displaytest.Run(t, displaytest.Harness{
		New: func(*testing.T) (messngr.Display, func() string) {
			var s screen
			return terminal.New(&s, true), s.String
		},
		Stuck: func(*testing.T) (messngr.Display, func()) {
			r, w := io.Pipe()
			return terminal.New(w, true), func() { r.Close() }
		},
	})
}

func TestLook(t *testing.T) {
	var s screen
	m := displaytest.Message(t, "one\n\ntwo "+strings.Repeat("0123456789 ", 12))
	y, mo, day := time.Now().Date()
	m.Time = time.Date(y, mo, day, 14, 2, 0, 0, time.Local)
	m.Level = messngr.LevelUrgent
	if err := terminal.New(&s, true).Show(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := "URGENT message from ALICE (unverified, SMB from 10.0.0.7) to PC17 at 14:02:\n" +
		"  one\n\n  two " + strings.TrimSpace(strings.Repeat("0123456789 ", 12)) + "\n\n"
	if got := s.String(); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestBroken(t *testing.T) {
	if err := terminal.New(broken{}, false).Show(t.Context(), displaytest.Message(t, "x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

func TestKind(t *testing.T) {
	kind := terminal.Kind()
	if d, err := kind.New(display.Env{}, kind.Config()); d != nil || err != nil {
		t.Errorf("without a terminal: %v, %v, want nothing", d, err)
	}
	var s screen
	if d, err := kind.New(display.Env{Stdout: &s}, kind.Config()); d == nil || err != nil {
		t.Errorf("with a terminal: %v, %v", d, err)
	}
	if d, err := kind.New(display.Env{Stdout: &s}, &terminal.Config{}); d != nil || err != nil {
		t.Errorf("switched off: %v, %v, want nothing", d, err)
	}
	if _, err := kind.New(display.Env{Stdout: &s}, "wrong"); err == nil {
		t.Error("a foreign configuration is taken")
	}
}
