package face_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"messngr/desktop/xtest"
)

// A long text scrolls; the window and its buttons stay on the screen.
func TestLongTextScrolls(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, legacy("BOSS", strings.Repeat("All work and no play makes Jack a dull boy.\n", 2000)))
	s.popup()
	b := s.reader.Await("push button", "OK")
	alert := s.reader.Await("alert", "Message from “BOSS” (unverified).")
	if alert.Height > s.Size[1] || b.Y+b.Height > s.Size[1] {
		t.Errorf("the window is %d high, OK ends at %d, of %d", alert.Height, b.Y+b.Height, s.Size[1])
	}
	readable()
	if bar, ok := alert.Find("scroll bar", ""); !ok {
		t.Errorf("there is nothing to scroll with:\n%s", bar)
	}
	s.Keys("shift+Tab", "shift+Tab", "ctrl+End")
	s.Keys("Return")
	s.Until("the mark", func() bool { return s.message(0).AcknowledgedAt != nil })
	s.clean()
}

// The longest text that the service takes, in one line, and names to match.
func TestHugeMessage(t *testing.T) {
	t.Parallel()
	m := legacy(strings.Repeat("W", 500), strings.Repeat("word ", 50_000))
	m.Title, m.To, m.Warning = strings.Repeat("title ", 200), strings.Repeat("X", 500), strings.Repeat("careful ", 50)
	s := setUp(t, xtest.Options{}, m)
	s.popup()
	b := s.reader.Await("push button", "OK")
	if b.X+b.Width > s.Size[0] || b.Y+b.Height > s.Size[1] {
		t.Errorf("OK is not on the screen: %d,%d", b.X, b.Y)
	}
	readable()
	s.Keys("Return")
	s.Until("the mark", func() bool { return s.message(0).AcknowledgedAt != nil })
	s.clean()
}

// Markup, control and direction characters are shown, not obeyed.
func TestHostileText(t *testing.T) {
	t.Parallel()
	m := legacy("<b>root</b>\u202e\x1b[31m", "<span foreground='red'>click</span> &amp; %s\x00\x07 _File")
	m.Answers = []string{"<i>_Yes</i>", "%d\u202e"}
	s := setUp(t, xtest.Options{}, m)
	s.popup()
	alert := s.reader.Await("alert", "Message from “<b>root</b><U+202E>^[[31m” (unverified).")
	if text, _ := alert.Find("text", "Message"); text.Text != "<span foreground='red'>click</span> &amp; %s^@^G _File" {
		t.Errorf("the text is %q", text.Text)
	}
	for _, want := range []string{"<i>_Yes</i>", "%d<U+202E>"} {
		if _, ok := alert.Find("push button", want); !ok {
			t.Errorf("no answer %q in\n%s", want, alert)
		}
	}
	s.clean()
}

// Each paragraph has the direction of its own script.
func TestDirections(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, local("מנהל", "שלום לכולם, נפגשים בשעה 10:00.\nمرحبا بالجميع\n皆さん、こんにちは。\nHello everybody"))
	s.popup()
	text := s.reader.Await("text", "Message")
	s.Until("the text's places", func() bool { text = s.reader.Await("text", "Message"); return len(text.LineStarts) == 4 })
	left, right := text.X+text.Width/4, text.X+text.Width*3/4
	for i, fromRight := range []bool{true, true, false, false} {
		if x := text.LineStarts[i]; fromRight != (x > right) || !fromRight != (x < left) {
			t.Errorf("line %d begins at %d of %d..%d", i, x, text.X, text.X+text.Width)
		}
	}
	s.clean()
}

// gtkSettings writes what the desktop's settings would tell GTK.
func gtkSettings(t *testing.T, s *stage, lines ...string) {
	t.Helper()
	dir := filepath.Join(s.Dir(), "home/.config/gtk-3.0")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/settings.ini", []byte("[Settings]\n"+strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The size of the desktop's text is the size of ours, and everything stays on
// the screen.
func TestLargeText(t *testing.T) {
	t.Parallel()
	height := func(dpi, points int) int {
		s := setUp(t, xtest.Options{}, legacy("BOSS", "Please call me as soon as you can."), legacy("BOSS", "two"))
		gtkSettings(t, s, fmt.Sprintf("gtk-font-name=Sans %d", points))
		resources := filepath.Join(s.Dir(), "resources")
		if err := os.WriteFile(resources, fmt.Appendf(nil, "Xft.dpi: %d\n", dpi), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Run("xrdb", "-nocpp", "-merge", resources)
		s.popup()
		s.reader.Await("push button", "OK")
		tree := s.reader.Tree()
		for n := range tree.All() {
			if n.Is("showing") && n.X+n.Width > s.Size[0] {
				t.Errorf("%s %q ends at %d, beyond the screen", n.Role, n.Name, n.X+n.Width)
			}
		}
		text, _ := tree.Find("text", "Message")
		return text.CharHeight
	}
	normal := height(96, 10)
	for what, large := range map[string]int{"resolution": height(192, 10), "font": height(96, 20)} {
		if large < 2*normal-2 {
			t.Errorf("twice the %s makes letters of %d pixels %d high, want twice as large", what, normal, large)
		}
	}
}

// High contrast is the desktop's choice: its colours are ours.
func TestHighContrast(t *testing.T) {
	t.Parallel()
	for theme, dark := range map[string]bool{"HighContrastInverse": true, "HighContrast": false} {
		s := setUp(t, xtest.Options{}, legacy("BOSS", "Please call me."))
		gtkSettings(t, s, "gtk-theme-name="+theme)
		s.popup()
		b := s.reader.Await("push button", "OK")
		alert := s.reader.Await("alert", "Message from “BOSS” (unverified).")
		readable()
		shot := filepath.Join(s.Dir(), "shot.png")
		s.Screenshot(shot)
		got := s.Run("convert", shot, "-format", fmt.Sprintf("%%[fx:u.p{%d,%d}.intensity]", alert.X+4, b.Y+b.Height/2), "info:")
		light, err := strconv.ParseFloat(got, 64)
		if err != nil || dark && light > 0.2 || !dark && light < 0.95 {
			t.Errorf("%s: the ground has the brightness %s", theme, got)
		}
	}
}
