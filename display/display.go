// Package display is the family of ways to show a message: what a display
// tells about itself, and what it is given when it is made.
package display

import (
	"io"
	"log/slog"

	"messngr"
	"messngr/session"
)

// Kind describes one display.
type Kind struct {
	// Name is what status and the configuration call it, such as "tty".
	Name string
	// Summary is one line for people.
	Summary string
	// Config returns a pointer to the display's own section of the
	// configuration with the defaults filled in; nil if it has none.
	Config func() any
	// New makes the display; config is what Config returned, after the file was
	// read into it. It returns nil and no error if the display is switched off
	// by its configuration or has no use on this host.
	New func(env Env, config any) (messngr.Display, error)
}

// Env is what a display is given.
type Env struct {
	Log *slog.Logger
	// Stdout is the foreground terminal of the service; nil if it has none.
	Stdout io.Writer
	// Host is this machine's own name.
	Host string
	// Sessions says who is logged on to this host.
	Sessions session.Lister
}
