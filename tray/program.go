package tray

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

// program is messngr-desktop, the pop-ups and the window, where it is installed.
type program struct {
	socket string // the --socket that was given; ""
	log    *slog.Logger

	stays sync.WaitGroup // pop-ups that end with us
	ended chan error     // the end of the pop-ups, with room for one

	popUps *exec.Cmd // that we started; nil: none run
	screen *os.File  // where they read whether the screen is locked; nil: none run
	level  messngr.Level
	once   bool
	began  time.Time
	// failures counts how often they have failed in a row, last at the time failed.
	failures int
	failed   time.Time
}

const (
	programName = "messngr-desktop"
	// popUpPause is the least time between two starts of the pop-ups. After each
	// failure it is twice as long, up to popUpAgain, unless they have lasted.
	popUpPause = 2 * time.Second
	popUpAgain = 5 * time.Minute
	popUpLasts = time.Minute
)

// DesktopProgram finds the program of the pop-ups and the window: in $PATH,
// beside this one, or where packages may put it; "" if it is not installed.
func DesktopProgram() string {
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
func (p *program) start(ctx context.Context, token string, stdin *os.File, args ...string) *exec.Cmd {
	path := DesktopProgram()
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

func (p *program) wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	if errors.Is(err, context.Canceled) {
		return nil // we ended it
	}
	if err != nil {
		p.log.Warn("the desktop program failed", "args", cmd.Args[1:], "err", err)
	}
	return err
}

// window opens the window with such options. If it cannot, it calls otherwise,
// later and from another goroutine; it reports whether there is such a program.
func (p *program) window(options []string, token string, otherwise func()) bool {
	cmd := p.start(context.Background(), token, nil, append([]string{"window"}, options...)...)
	if cmd == nil {
		return false
	}
	go func() { // it outlives us
		if p.wait(cmd) != nil {
			otherwise()
		}
	}()
	return true
}

// pop sees that what is at least so important pops up. The program follows the
// inbox by itself, and hears from us whether the screen is locked; with once it
// ends when everything has been answered, and outlives us.
func (p *program) pop(ctx context.Context, level messngr.Level, once, locked bool, now time.Time) {
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
	p.popUps, p.screen, p.level, p.once, p.began = cmd, screen, level, once, now
	p.tellLocked(locked)
	end := func() { p.ended <- p.wait(cmd) }
	if once {
		go end()
	} else {
		p.stays.Go(end)
	}
}

// tellLocked tells the pop-ups whether the screen is locked: nobody sees what
// they show behind a lock.
func (p *program) tellLocked(on bool) {
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

// leave waits for the pop-ups that end with us, and leaves the others alone.
func (p *program) leave() {
	p.stays.Wait()
	p.hangUp()
}

func (p *program) hangUp() {
	if p.screen != nil {
		p.screen.Close()
		p.screen = nil
	}
}

// stop ends pop-ups that stay until they are stopped.
func (p *program) stop() {
	if p.popUps != nil && !p.once {
		_ = p.popUps.Process.Signal(os.Interrupt) // it may have ended by itself
	}
}

// over takes note of how the pop-ups have ended.
func (p *program) over(err error, now time.Time) {
	p.popUps = nil
	p.hangUp()
	if err == nil || now.Sub(p.began) > popUpLasts {
		p.failures = 0
	}
	if err != nil {
		p.failures++
		p.failed = now
	}
}

// again is when pop-ups may be tried again; the zero time: at once.
func (p *program) again() time.Time {
	if p.failures == 0 {
		return time.Time{}
	}
	pause := popUpAgain
	if p.failures < 8 {
		pause = min(popUpPause<<(p.failures-1), popUpAgain)
	}
	return p.failed.Add(pause)
}
