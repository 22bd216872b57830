// Package face is the command line of messngr-desktop: it starts the pop-ups or
// the window, or says in one line why it cannot.
package face

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"sync"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/gtk"
	"messngr/desktop/inbox"
	"messngr/desktop/lang"
	"messngr/desktop/popup"
)

// Env is what the program gets from the system that it runs on.
type Env struct {
	Args           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // there is no screen, no GTK, or something else is missing
	exitMisuse = 2 // the command was not understood
)

const usage = `messngr-desktop shows the messages of the Messenger service on a desktop.

Usage:
  messngr-desktop popup [--level LEVEL] [--once] [--screen]
                                                   show what has to be seen, as it comes
  messngr-desktop window [--min] [--tray] [--message ID] [--reply ID]
                                                   the window with all messages
  messngr-desktop version

Options:
  --level LEVEL   show only what is at least so important: info, notice, urgent
                  or emergency; questions are always shown (default info)
  --once          end when nothing is left to show
  --screen        read from the standard input whether the screen is locked: a
                  line "locked" or "unlocked" whenever it changes; what is put
                  on a locked screen counts as shown when that is unlocked
  --min           start as an icon
  --tray          be an icon of the tray alone: another start brings it back
  --message ID    show this message first
  --reply ID      show this message, and write an answer to it
  --socket PATH   the service's socket
`

// lastWords is for how long the end waits until the service knows what the
// person did.
const lastWords = 2 * time.Second

// program is one run.
type program struct {
	env    Env
	ctx    context.Context
	words  *lang.Catalogue
	socket string
	// away says that the service does not answer, and met that it once did. They
	// belong to the feed, until that has ended.
	away, met bool
}

// Main runs the program and returns the exit code of the process.
func Main(ctx context.Context, env Env) int {
	words, err := lang.Choose(env.Getenv)
	if err != nil {
		fmt.Fprintf(env.Stderr, "messngr-desktop: %v\n", err)
		return exitFailed
	}
	p := &program{env: env, ctx: ctx, words: words}
	command := ""
	if len(env.Args) > 1 {
		command = env.Args[1]
	}
	switch command {
	case "popup":
		return p.popup(env.Args[2:])
	case "window":
		return p.window(env.Args[2:])
	case "version", "--version":
		fmt.Fprintln(env.Stdout, version())
		return exitOK
	case "help", "--help", "-h":
		fmt.Fprint(env.Stdout, usage)
		return exitOK
	}
	fmt.Fprint(env.Stderr, usage)
	return exitMisuse
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "messngr-desktop"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "messngr-desktop " + s.Value[:min(len(s.Value), 12)]
		}
	}
	return "messngr-desktop " + info.Main.Version
}

// flags reads the options of a command; ok is false if they were not understood.
func (p *program) flags(args []string, define func(*flag.FlagSet)) (ok bool) {
	set := flag.NewFlagSet("messngr-desktop", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&p.socket, "socket", "", "")
	define(set)
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(p.env.Stdout, usage)
		return false
	case err == nil && set.NArg() > 0:
		err = fmt.Errorf("%q was not expected", set.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(p.env.Stderr, "messngr-desktop: %v\n\n%s", err, usage)
	}
	return err == nil
}

func (p *program) client() *control.Client {
	return control.NewClient(control.FindSocket(p.socket, p.env.Getenv))
}

// open connects to the screen, or says in one line why it cannot.
func (p *program) open(o gtk.Options) *gtk.App {
	app, err := gtk.Open(o)
	switch {
	case err == nil:
		return app
	case errors.Is(err, gtk.ErrMissing):
		fmt.Fprintf(p.env.Stderr, "messngr-desktop: %v; install it (Debian: apt install libgtk-3-0)\n", err)
	default:
		fmt.Fprintf(p.env.Stderr, "messngr-desktop: %v\n", err)
	}
	return nil
}

func (p *program) popup(args []string) int {
	var level messngr.Level
	var once, screen bool
	if !p.flags(args, func(set *flag.FlagSet) {
		set.TextVar(&level, "level", messngr.LevelInfo, "")
		set.BoolVar(&once, "once", false, "")
		set.BoolVar(&screen, "screen", false, "")
	}) {
		return exitMisuse
	}
	// A Wayland desktop does not let a window stay above others; the X server
	// that it brings along does.
	app := p.open(gtk.Options{ID: "org.messngr.Popup", Name: p.words.Window.Title, Backends: "x11,*"})
	if app == nil {
		return exitFailed
	}
	if !app.Register() {
		return exitOK // they are shown already
	}
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	cfg := popup.Config{App: app, Words: p.words, Client: p.client(), Level: level, OpenList: p.openList}
	if once {
		cfg.Idle = app.Quit
	}
	show := popup.New(cfg)
	feed := inbox.Feed{
		Client: cfg.Client,
		Unread: func(list []control.Message) { app.Post(func() { show.Unread(list) }) },
		Event:  func(e control.Event) { app.Post(func() { show.Event(e) }) },
		State:  p.state(once, app),
	}
	start := func() {}
	if screen {
		show.Locked(true) // until somebody says that it is not
		// Nothing ends the reading but the end of the program, or of whoever tells.
		start = func() { go p.followScreen(func(on bool) { app.Post(func() { show.Locked(on) }) }) }
	}
	p.run(ctx, app, start, feed.Run)
	last, done := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer done()
	show.Finish(last)
	if once && p.away {
		return exitFailed
	}
	return exitOK
}

// followScreen tells whether the screen is locked, as it stands on the standard
// input. It stays as it was when nobody tells any more.
func (p *program) followScreen(locked func(bool)) {
	for lines := bufio.NewScanner(p.env.Stdin); lines.Scan(); {
		switch lines.Text() {
		case "locked":
			locked(true)
		case "unlocked":
			locked(false)
		}
	}
}

// state says on the terminal, once each time, that the service cannot be asked.
// Whoever wanted to see once what waits is not kept waiting for it; but what is
// on the screen stays there when the service goes away.
func (p *program) state(once bool, app *gtk.App) func(error) {
	return func(err error) {
		if err != nil && !p.away {
			fmt.Fprintf(p.env.Stderr, "messngr-desktop: %v\n", err)
			if once && !p.met {
				app.Quit()
			}
		}
		p.away = err != nil
		p.met = p.met || err == nil
	}
}

// run serves the windows while follow brings messages, until one of the two or
// the process ends.
func (p *program) run(ctx context.Context, app *gtk.App, start func(), follow func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	app.Run(func() {
		start()
		following.Go(func() {
			follow(ctx)
			app.Quit()
		})
	})
	cancel()
	following.Wait()
}

// openList starts the window with all messages, or brings it to the front.
func (p *program) openList() {
	self, err := os.Executable()
	if err != nil {
		return
	}
	args := []string{"window"}
	if p.socket != "" {
		args = append(args, "--socket", p.socket)
	}
	cmd := exec.Command(self, args...)
	if cmd.Start() == nil {
		go cmd.Wait()
	}
}
