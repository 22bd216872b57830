//go:build linux

package interop_test

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"
	"time"

	"messngr/interop/screen"
)

// The colors of the icon.
var (
	calm   = color.RGBA{0x2f, 0x6f, 0xb5, 255}
	loud   = color.RGBA{0xc6, 0x28, 0x28, 255} // the number, and the bubble when something urgent waits
	silent = color.RGBA{0x80, 0x88, 0x90, 255}
)

// In a real panel the icon shows what waits, and its menu works by the mouse and by the keyboard.
func TestDesktopTray(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 2*time.Minute, "", "xfce4-panel", "dunst")
	s := d.login("games", 1000, 600)
	d.start(s, "org.freedesktop.Notifications", "dunst")
	if _, err := s.Daemon("panel", "env", "XFCE_PANEL_MIGRATE_DEFAULT=1", "xfce4-panel", "--disable-wm-check"); err != nil {
		t.Fatal(err)
	}
	if err := s.Owned(d.ctx, "org.kde.StatusNotifierWatcher"); err != nil {
		t.Fatal(err)
	}
	d.tray(s)
	panel := image.Rect(0, 0, 1000, 30)
	var icon image.Rectangle
	has := func(what string, c color.RGBA, least int) {
		t.Helper()
		d.until(s, what, func() error {
			found := d.look(s).Find(c, panel)
			if found.Dx() < least {
				return fmt.Errorf("found %v", found)
			}
			if icon.Empty() {
				icon = found
			}
			return nil
		})
	}
	has("the icon", calm, 10)
	if r := d.look(s).Find(loud, panel); !r.Empty() {
		t.Errorf("it shows a number at %v, and nothing is unread", r)
	}
	d.send("ALPHA", "Please call me")
	has("a number", loud, 4)
	d.keep(s, "unread")
	d.says("send", "--level", "urgent", "ALPHA", "Out of paper")
	has("urgent", loud, 10)
	d.keep(s, "urgent")
	d.asks(s, "inbox", "mark", "1", "2")
	d.until(s, "nothing is unread", func() error {
		if r := d.look(s).Find(loud, panel); !r.Empty() {
			return fmt.Errorf("it is red at %v", r)
		}
		return nil
	})

	before := d.look(s)
	at := icon.Min.Add(icon.Size().Div(2))
	if err := s.Click(d.ctx, at.X, at.Y, 3); err != nil {
		t.Fatal(err)
	}
	d.appears(s, "the menu", before)
	d.keep(s, "menu")
	// Show unread messages, Mark all as read, Do not disturb.
	d.keys(s, "Down", "Down", "Down", "Return")
	has("do not disturb", silent, 10)
	if _, err := os.Stat(filepath.Join(s.Home(), ".config/messngr/do-not-disturb")); err != nil {
		t.Error(err)
	}
	d.send("ALPHA", "Lunch?")
	has("a number on the silent icon", loud, 4)
	d.keep(s, "do-not-disturb")
	if r := before.Differs(d.look(s)); r.Max.Y > 40 {
		t.Errorf("a message is shown at %v although nobody is to be disturbed", r)
	}
	if out, err := s.Output(d.ctx, d.ours.Path(), "tray", "--dnd", "off"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	d.until(s, "the message that was held back", func() error {
		if r := before.Differs(d.look(s)); r.Max.Y < 60 {
			return errors.New("nothing is below the panel")
		}
		return nil
	})
	has("the icon again", calm, 10)
}

// keys presses keys.
func (d *desktop) keys(s *screen.Session, names ...string) {
	d.t.Helper()
	if out, err := s.Output(d.ctx, append([]string{"xdotool", "key", "--delay", "150"}, names...)...); err != nil {
		d.t.Fatalf("xdotool: %v: %s", err, out)
	}
}
