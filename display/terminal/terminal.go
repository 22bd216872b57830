// Package terminal shows messages on the foreground terminal of the service, as
// they come.
package terminal

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"messngr"
	"messngr/display"
)

// Config is the section display.terminal of the configuration.
type Config struct {
	Enabled bool `toml:"enabled" comment:"show messages on the terminal that the service was started from"`
}

// Kind returns the description of this display.
func Kind() display.Kind {
	return display.Kind{
		Name:    "terminal",
		Summary: "the terminal that the service was started from",
		Config:  func() any { return &Config{Enabled: true} },
		New: func(env display.Env, config any) (messngr.Display, error) {
			cfg, ok := config.(*Config)
			switch {
			case !ok:
				return nil, fmt.Errorf("terminal: config is %T", config)
			case !cfg.Enabled || env.Stdout == nil:
				return nil, nil
			}
			return New(env.Stdout, os.Getenv("NO_COLOR") == ""), nil
		},
	}
}

// Display shows messages by writing them to one place. Use New to make one.
type Display struct {
	out   io.Writer
	tty   *os.File // out, if that is a terminal
	color bool
	turn  chan struct{} // holds one value while a message is being written
}

// New makes a display that writes to out. If that is a terminal lines are
// wrapped at its width, in the characters that it knows, and if color is true
// the level of a message shows in colour too; it always stands in words.
func New(out io.Writer, color bool) *Display {
	d := &Display{out: out, turn: make(chan struct{}, 1)}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		d.tty, d.color = f, color
	}
	return d
}

// Show implements messngr.Display. A message is written in one call.
func (d *Display) Show(ctx context.Context, m *messngr.Message) error {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("terminal: %w", ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		<-d.turn
		return fmt.Errorf("terminal: %w", err)
	}
	// Writing cannot be interrupted, and a terminal may be stopped (Ctrl-S).
	written := make(chan error, 1)
	go func() {
		defer func() { <-d.turn }()
		_, err := io.WriteString(d.out, d.render(m))
		written <- err
	}()
	select {
	case err := <-written:
		if err != nil {
			return fmt.Errorf("terminal: %w", err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("terminal: it takes no output: %w", ctx.Err())
	}
}

// indent is before each line that came with a message, so that no text can look
// like a headline of ours.
const indent = "  "

// render lays a message out.
func (d *Display) render(m *messngr.Message) string {
	columns := 1 << 20 // not a terminal: lines as they are
	if d.tty != nil {
		columns = 80
		if width, _, err := term.GetSize(int(d.tty.Fd())); err == nil && width > 20 {
			columns = width
		}
	}
	var b strings.Builder
	begin, end := d.colors(m.Level)
	for _, line := range display.Wrap([]string{display.Headline(m)}, columns) {
		b.WriteString(begin + line + end + "\n")
	}
	for _, line := range display.Body(m, columns-len(indent), 0) {
		b.WriteString(strings.TrimRight(indent+line, " ") + "\n")
	}
	b.WriteString("\n")
	if d.tty != nil && !display.KnowsUTF8(d.tty) {
		return display.ASCII(b.String())
	}
	return b.String()
}

// colors returns what begins and ends the colour of a level: ECMA-48 8.3.117.
func (d *Display) colors(l messngr.Level) (begin, end string) {
	switch {
	case !d.color:
		return "", ""
	case l >= messngr.LevelEmergency:
		return "\x1b[1;37;41m", "\x1b[0m"
	case l == messngr.LevelUrgent:
		return "\x1b[1;31m", "\x1b[0m"
	}
	return "\x1b[1m", "\x1b[0m"
}
