package popup

import (
	"testing"
	"time"

	"messngr/desktop/gtk"
)

// A key is an answer when somebody has had time to look, and is not writing.
func TestGuardKey(t *testing.T) {
	enter, space, escape := gtk.Key{Name: "Return"}, gtk.Key{Name: "space", Char: ' '}, gtk.Key{Name: "Escape"}
	letter, umlaut := gtk.Key{Name: "a", Char: 'a'}, gtk.Key{Name: "adiaeresis", Char: 'ä'}
	shift := gtk.Key{Name: "Shift_L"}
	type press struct {
		at     time.Duration // after the window came up
		key    gtk.Key
		writes bool
		taken  bool // the window gets it
	}
	for name, presses := range map[string][]press{
		"somebody who waits":    {{1100 * time.Millisecond, enter, false, true}},
		"too early":             {{900 * time.Millisecond, enter, false, false}},
		"early, and once more":  {{900 * time.Millisecond, escape, false, false}, {1100 * time.Millisecond, escape, false, true}},
		"a modifier is no text": {{time.Millisecond, shift, false, true}, {1100 * time.Millisecond, enter, false, true}},
		"somebody who writes slowly": {
			{1200 * time.Millisecond, letter, false, false}, {2500 * time.Millisecond, umlaut, false, false},
			{3800 * time.Millisecond, space, false, false}, {5000 * time.Millisecond, enter, false, false}, {6600 * time.Millisecond, enter, false, true},
		},
		"who chooses by keys": {
			{1200 * time.Millisecond, gtk.Key{Name: "Tab"}, false, true}, {1300 * time.Millisecond, space, false, true},
			{1400 * time.Millisecond, gtk.Key{Name: "y", Char: 'y', Alt: true}, false, true}, {1500 * time.Millisecond, gtk.Key{Name: "a", Char: 'a', Ctrl: true}, false, true},
		},
		"who writes in the window": {
			{500 * time.Millisecond, letter, true, false}, {2100 * time.Millisecond, letter, true, true}, {2200 * time.Millisecond, enter, true, true},
		},
	} {
		start := time.Now()
		g := guard{since: start}
		for _, p := range presses {
			if swallowed := g.key(p.key, p.writes, start.Add(p.at)); swallowed == p.taken {
				t.Errorf("%s: the window gets %s after %v: %v, want %v", name, p.key.Name, p.at, !swallowed, p.taken)
			}
		}
	}
}
