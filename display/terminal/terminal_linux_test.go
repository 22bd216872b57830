package terminal_test

import (
	"strings"
	"testing"

	"messngr"
	"messngr/display/displaytest"
	"messngr/display/terminal"
)

// On a real terminal: colour, its width, and its characters.
func TestRealTerminal(t *testing.T) {
	p := displaytest.OpenPTY(t)
	seen := p.Read(t)
	tty := p.File(t)
	m := displaytest.Message(t, "Größe "+strings.Repeat("0123456789 ", 12)+"end.")
	m.Level = messngr.LevelEmergency
	if err := terminal.New(tty, true).Show(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := displaytest.See(t, seen, "end.")
	if !strings.HasPrefix(got, "\x1b[1;37;41mEMERGENCY message from ALICE") || !strings.Contains(got, "\n  Größe 0123456789") {
		t.Errorf("seen %q", got)
	}
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "\x1b") && len(line) > 82 {
			t.Errorf("too long for the terminal: %q", line)
		}
	}

	p.SetUTF8(t, false)
	if err := terminal.New(tty, false).Show(t.Context(), displaytest.Message(t, "5 € für Û.")); err != nil {
		t.Fatal(err)
	}
	got = displaytest.See(t, seen, "5 EUR fur U.")
	if strings.Count(got, "\x1b") != 2 {
		t.Errorf("colour that was not asked for: %q", got)
	}
}
