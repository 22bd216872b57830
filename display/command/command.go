// Package command runs a command for each message, with the text on its
// standard input.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"messngr"
	"messngr/display"
	"messngr/wire/oem"
)

// maxSeconds is the longest that a command may run: a day.
const maxSeconds = 24 * 60 * 60

// Config is the section display.command of the configuration.
type Config struct {
	Command []string `toml:"command" comment:"program with its full path, and its arguments, of which {from}, {to}, {title}, ... are filled in; no shell sees them"`
	User    string   `toml:"user" comment:"user to run it as; must be named if the service runs as root, and cannot be root"`
	Seconds int      `toml:"seconds" comment:"how long it may run"`
	AtOnce  int      `toml:"at_once" comment:"how many of it may run at the same time"`
}

// Kind returns the description of this display.
func Kind() display.Kind {
	return display.Kind{
		Name:    "command",
		Summary: "a command for each message",
		Config:  func() any { return &Config{Seconds: 30, AtOnce: 4} },
		New: func(env display.Env, config any) (messngr.Display, error) {
			cfg, ok := config.(*Config)
			switch {
			case !ok:
				return nil, fmt.Errorf("command: config is %T", config)
			case len(cfg.Command) == 0:
				return nil, nil
			}
			return New(env, *cfg)
		},
	}
}

const (
	// maxOutput is how much of what a command prints is kept for the log.
	maxOutput = 4 << 10
	// maxValue bounds a placeholder or variable, in bytes.
	maxValue = 1 << 10
	// nobodyStatus is the exit status by which a command says that nobody is
	// there to see the message just now: EX_TEMPFAIL of sysexits(3).
	nobodyStatus = 75
)

// Display runs a command for each message. Use New to make one.
type Display struct {
	argv     []string
	log      *slog.Logger
	account  account
	timeout  time.Duration
	turns    chan struct{}
	platform platform
}

// New makes the display. It fails if the command is not the full path of a
// program, if an argument has a placeholder that is unknown or not all of the
// argument, or if the command would run as root.
func New(env display.Env, cfg Config) (*Display, error) {
	if len(cfg.Command) == 0 || !filepath.IsAbs(cfg.Command[0]) {
		return nil, fmt.Errorf("command: %q: want a program with its full path and its arguments", cfg.Command)
	}
	if _, err := exec.LookPath(cfg.Command[0]); err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	known := values(&messngr.Message{})
	for i, arg := range cfg.Command {
		if err := checkArgument(cfg.Command[max(i-1, 0)], arg, known); err != nil {
			return nil, fmt.Errorf("command: %w", err)
		}
	}
	if cfg.Seconds < 1 || cfg.Seconds > maxSeconds || cfg.AtOnce < 1 {
		return nil, fmt.Errorf("command: seconds %d, at_once %d: want at least 1, and no more seconds than a day has", cfg.Seconds, cfg.AtOnce)
	}
	as, err := lookupAccount(cfg.User)
	if err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	d := &Display{
		argv: cfg.Command, log: env.Log, account: as,
		timeout: time.Duration(cfg.Seconds) * time.Second,
		turns:   make(chan struct{}, cfg.AtOnce),
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	return d, nil
}

// checkArgument refuses placeholders that would not be filled in as meant, or
// would be run as a program.
func checkArgument(before, arg string, known []value) error {
	for _, v := range known {
		if arg != v.placeholder() && strings.Contains(arg, v.placeholder()) {
			return fmt.Errorf("argument %q: %s must be an argument of its own", arg, v.placeholder())
		}
		if arg == v.placeholder() && (before == "-c" || before == "-e") {
			return fmt.Errorf("argument %q: what a sender wrote must not be run, as it would be after %s", arg, before)
		}
		if arg == v.placeholder() {
			return nil
		}
	}
	if strings.HasPrefix(arg, "{") && strings.HasSuffix(arg, "}") {
		return fmt.Errorf("argument %q: unknown placeholder", arg)
	}
	return nil
}

// Show implements messngr.Display: it runs the command and returns when it has
// ended. Exit status 75 says that nobody is there to see the message, any other
// than 0 is an error. The command is killed, with all that it has started, when
// its time is over or ctx ends.
func (d *Display) Show(ctx context.Context, m *messngr.Message) error {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-ctx.Done():
		return fmt.Errorf("command: %s: too many of it run: %w", d.argv[0], ctx.Err())
	}
	vals := values(m)
	cmd := exec.CommandContext(ctx, d.argv[0], arguments(d.argv[1:], vals)...)
	cmd.Dir = "/"
	cmd.Env = append(d.account.env(), environment(vals)...)
	cmd.Stdin = strings.NewReader(text(m))
	out := &head{limit: maxOutput}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second
	err := d.platform.run(cmd, d.account)
	var exit *exec.ExitError
	switch {
	case err == nil:
		d.log.Debug("command", "command", d.argv[0], "id", m.ID, "output", out.String())
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("command: %s: %w", d.argv[0], ctx.Err())
	case errors.As(err, &exit) && exit.ExitCode() == nobodyStatus:
		return fmt.Errorf("command: %s: %w", d.argv[0], messngr.ErrNobody)
	}
	return fmt.Errorf("command: %s: %w: %q", d.argv[0], err, out.String())
}

// text is what the command reads: the text alone, safe to show, with a newline
// at its end.
func text(m *messngr.Message) string {
	return strings.TrimRight(oem.Clean(oem.Normalize(m.Text)), "\n") + "\n"
}

// head keeps the beginning of what is written to it, and takes all of it. It
// does not embed its buffer, whose ReadFrom would know no limit.
type head struct {
	kept  bytes.Buffer
	limit int
}

func (h *head) Write(b []byte) (int, error) {
	h.kept.Write(b[:min(len(b), h.limit-h.kept.Len())])
	return len(b), nil
}

func (h *head) String() string { return h.kept.String() }
