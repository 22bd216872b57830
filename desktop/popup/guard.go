package popup

import (
	"strings"
	"time"
	"unicode"

	"messngr/desktop/gtk"
)

const (
	// clickGuard and keyGuard are for how long a window that has just come up
	// takes no click and no key: either may have been meant for what was there
	// before.
	clickGuard = 500 * time.Millisecond
	keyGuard   = time.Second
	// typingPause is how long a person who writes must have paused before a key is
	// meant for the window.
	typingPause = 1500 * time.Millisecond
)

// guard keeps a window from taking for an answer what was meant for another one:
// a click in the first moment, or a key of somebody who is writing and has not
// looked up yet.
type guard struct {
	since time.Time // when the window came up
	typed time.Time // when a key came last that was part of a text
}

// watch guards a window from the moment at which it comes up. While writes
// returns true a text is written in the window itself.
func (g *guard) watch(w gtk.Window, writes func() bool) {
	g.since = time.Now()
	w.OnMapped(func() { g.since, g.typed = time.Now(), time.Time{} })
	w.OnKey(func(k gtk.Key) bool { return g.key(k, writes(), time.Now()) })
}

// never is for windows in which nobody can write.
func never() bool { return false }

// click makes a handler that does nothing while the window is too new to have
// been read.
func (g *guard) click(f func()) func() {
	return func() {
		if time.Since(g.since) >= clickGuard {
			f()
		}
	}
}

// key reports whether a key was meant for another window: it comes too early, or
// is part of a text. The window is not to see it. Enter pressed in haste is late
// enough soon, whereas a text goes on with every letter and blank.
func (g *guard) key(k gtk.Key, writes bool, now time.Time) bool {
	typing := !g.typed.IsZero() && now.Sub(g.typed) < typingPause
	early := typing || now.Sub(g.since) < keyGuard
	if isModifier(k) || !early && (writes || !isText(k)) {
		return false
	}
	if isText(k) || typing && k.Char == ' ' {
		g.typed = now
	}
	return true
}

// isText reports whether a key is part of a text and no order: it writes
// something, and no button listens to it.
func isText(k gtk.Key) bool {
	return !k.Ctrl && !k.Alt && k.Char != ' ' && unicode.IsGraphic(k.Char)
}

// isModifier reports whether a key does nothing by itself, as Shift_L.
func isModifier(k gtk.Key) bool {
	for _, end := range []string{"_L", "_R", "_Lock", "_Shift"} {
		if strings.HasSuffix(k.Name, end) {
			return true
		}
	}
	return false
}
