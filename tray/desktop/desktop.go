// Package desktop starts and watches messngr-desktop, the program of the pop-ups
// and the window, where it is installed.
package desktop

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"messngr"
)

// Program is messngr-desktop. Its methods may be called by one goroutine at a
// time.
type Program struct {
	socket string // the --socket that was given; ""
	log    *slog.Logger

	stays sync.WaitGroup // pop-ups that end with us
	ended chan error     // the end of the pop-ups, with room for one

	popUps *exec.Cmd // that were started; nil: none run
	screen *os.File  // where they read whether the screen is locked; nil: none run
	once   bool
	began  time.Time
	// failures counts how often they have failed in a row, last at the time failed.
	failures int
	failed   time.Time
}

const (
	// Pause is the least time between two starts of the pop-ups. After each failure
	// it is twice as long, up to Longest, unless they have lasted.
	Pause   = 2 * time.Second
	Longest = 5 * time.Minute

	programName = "messngr-desktop"
	lasts       = time.Minute
)

// New returns the program. It is told of the socket of the service, unless that
// is "".
func New(socket string, log *slog.Logger) *Program {
	return &Program{socket: socket, log: log, ended: make(chan error, 1)}
}

// Ended tells how the pop-ups have ended, which is to be handed to Over; nil if
// they have done what they had to.
func (p *Program) Ended() <-chan error { return p.ended }

// Began is when the pop-ups were started last; the zero time: never.
func (p *Program) Began() time.Time { return p.began }

// Failing reports whether the pop-ups have failed when they ran last.
func (p *Program) Failing() bool { return p.failures > 0 }

// Forgive forgets that they have failed.
func (p *Program) Forgive() { p.failures = 0 }

// Find finds the program of the pop-ups and the window: in $PATH,
// beside this one, or where packages may put it; "" if it is not installed.
func Find() string {
	if path, err := exec.LookPath(programName); err == nil {
		return path
	}
	places := []string{filepath.Join("/usr/lib/messngr", programName)}
	if self, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(self), programName))
	}
	for _, path := range places {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	return ""
}

// start starts the program with a token that lets it take the focus, and with
// what it may read, or nil. The caller waits for it; nil if it cannot be started.
func (p *Program) start(ctx context.Context, token string, stdin *os.File, args ...string) *exec.Cmd {
	path := Find()
	if path == "" {
		return nil
	}
	if p.socket != "" {
		args = append(args, "--socket", p.socket)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 2 * time.Second
	cmd.Stderr = os.Stderr
	if stdin != nil {
		cmd.Stdin = stdin
	}
	if token != "" {
		cmd.Env = append(os.Environ(), "XDG_ACTIVATION_TOKEN="+token, "DESKTOP_STARTUP_ID="+token)
	}
	if err := cmd.Start(); err != nil {
		p.log.Error("start the desktop program", "path", path, "err", err)
		return nil
	}
	return cmd
}

func (p *Program) wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	if errors.Is(err, context.Canceled) {
		return nil // we ended it
	}
	if err != nil {
		p.log.Warn("the desktop program failed", "args", cmd.Args[1:], "err", err)
	}
	return err
}

// Window opens the window with such options. If it cannot, it calls otherwise,
// later and from another goroutine; it reports whether there is such a program.
func (p *Program) Window(options []string, token string, otherwise func()) bool {
	cmd := p.start(context.Background(), token, nil, append([]string{"window"}, options...)...)
	if cmd == nil {
		return false
	}
	go func() { // it outlives the caller
		if p.wait(cmd) != nil {
			otherwise()
		}
	}()
	return true
}

// Pop sees that what is at least so important pops up. The program follows the
// inbox by itself, and hears from TellLocked whether the screen is locked; with once it
// ends when everything has been answered, and outlives the caller.
func (p *Program) Pop(ctx context.Context, level messngr.Level, once, locked bool, now time.Time) {
	if p.popUps != nil {
		return
	}
	stdin, screen, err := os.Pipe()
	if err != nil {
		p.log.Error("start the desktop program", "err", err)
		return
	}
	defer stdin.Close()
	args := []string{"popup", "--screen", "--level", level.String()}
	if once {
		args = append(args, "--once")
		ctx = context.WithoutCancel(ctx)
	}
	cmd := p.start(ctx, "", stdin, args...)
	if cmd == nil {
		screen.Close()
		return
	}
	p.popUps, p.screen, p.once, p.began = cmd, screen, once, now
	p.TellLocked(locked)
	end := func() { p.ended <- p.wait(cmd) }
	if once {
		go end()
	} else {
		p.stays.Go(end)
	}
}

// TellLocked tells the pop-ups whether the screen is locked: nobody sees what
// they show behind a lock.
func (p *Program) TellLocked(on bool) {
	if p.screen == nil {
		return
	}
	line := "unlocked\n"
	if on {
		line = "locked\n"
	}
	// They read at once, unless they have ended or stand still.
	_ = p.screen.SetWriteDeadline(time.Now().Add(time.Millisecond))
	_, _ = p.screen.WriteString(line)
}

// Leave waits for the pop-ups that end with the context of Pop, and leaves the others alone.
func (p *Program) Leave() {
	p.stays.Wait()
	p.hangUp()
}

func (p *Program) hangUp() {
	if p.screen != nil {
		p.screen.Close()
		p.screen = nil
	}
}

// Stop ends pop-ups that stay until they are stopped.
func (p *Program) Stop() {
	if p.popUps != nil && !p.once {
		_ = p.popUps.Process.Signal(os.Interrupt) // it may have ended by itself
	}
}

// Over takes note of how the pop-ups have ended.
func (p *Program) Over(err error, now time.Time) {
	p.popUps = nil
	p.hangUp()
	if err == nil || now.Sub(p.began) > lasts {
		p.failures = 0
	}
	if err != nil {
		p.failures++
		p.failed = now
	}
}

// Again is when pop-ups may be tried again; the zero time: at once.
func (p *Program) Again() time.Time {
	if p.failures == 0 {
		return time.Time{}
	}
	pause := Longest
	if p.failures < 8 {
		pause = min(Pause<<(p.failures-1), Longest)
	}
	return p.failed.Add(pause)
}
