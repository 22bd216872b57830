package tty

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"messngr"
	"messngr/display"
	"messngr/session"
)

const (
	// patience is how long a terminal that takes nothing is waited for, behind
	// the back of everybody else.
	patience = time.Minute
	// grace is how long Show itself waits if no terminal takes the message.
	grace = 2 * time.Second
	// maxWaiting is how many messages wait for one terminal; further ones are
	// given up at once.
	maxWaiting = 32
)

// Display shows messages on terminals. Use New to make one.
type Display struct {
	env      display.Env
	lines    int
	override messngr.Level // from this level on mesg n is ignored
	patience time.Duration

	background sync.WaitGroup
	mu         sync.Mutex
	lanes      map[string]*lane // by name of terminal
}

// lane lets one message at a time onto a terminal.
type lane struct {
	turn  chan struct{}
	users int
}

func newDisplay(env display.Env, cfg Config) (messngr.Display, error) { return New(env, cfg) }

// New makes the display. The foreground terminal of the service, if env has
// one, is left out: it has a display of its own.
func New(env display.Env, cfg Config) (*Display, error) {
	d := &Display{env: env, lines: cfg.Lines, patience: patience, lanes: make(map[string]*lane)}
	if d.env.Log == nil {
		d.env.Log = slog.New(slog.DiscardHandler)
	}
	switch cfg.IgnoreMesg {
	case "never":
		d.override = messngr.LevelEmergency + 1
	case "urgent", "emergency":
		if err := d.override.UnmarshalText([]byte(cfg.IgnoreMesg)); err != nil {
			return nil, fmt.Errorf("tty: ignore_mesg: %w", err)
		}
	default:
		return nil, fmt.Errorf("tty: ignore_mesg %q: want urgent, emergency or never", cfg.IgnoreMesg)
	}
	if cfg.Lines < 0 {
		return nil, fmt.Errorf("tty: lines %d: want 0 or more", cfg.Lines)
	}
	return d, nil
}

// Wait returns when no message waits for a terminal any more, which takes at
// most a minute after the last Show.
func (d *Display) Wait() { d.background.Wait() }

// The reasons why a terminal does not show a message.
var (
	errMesg    = errors.New("takes no messages (mesg n)")
	errBlocked = errors.New("takes no output")
	errOther   = errors.New("is somebody else's by now")
	errOurs    = errors.New("is the service's own")
)

// Show implements messngr.Display. A message to a user goes to all terminals of
// that user, or to the one that it names; a message to the machine goes to all
// terminals. Each of them gets the message in one write. Show returns nil when
// one terminal has it; a terminal that takes no output is waited for in the
// background, for a minute. If no terminal has it within two seconds the
// message is withdrawn from all of them, and Show returns an error.
func (d *Display) Show(ctx context.Context, m *messngr.Message) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("tty: %w", err)
	}
	sessions, err := d.env.Sessions.Sessions(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist): // a host on which nobody is counted
		return fmt.Errorf("tty: %w: %w", messngr.ErrNobody, err)
	case err != nil:
		return fmt.Errorf("tty: %w", err)
	}
	list := audience(sessions, m)
	looks := newLooks(m, d.lines)
	late := make(chan error, len(list)) // one result for each job
	var jobs []*job
	var reasons []error
	shown := false
	for _, s := range list {
		j, err := d.begin(ctx, s, m, looks, late)
		switch {
		case err != nil:
			reasons = append(reasons, fmt.Errorf("%s %w", s.TTY, err))
		case j != nil:
			jobs = append(jobs, j)
		default:
			shown = true
		}
	}
	if shown || await(ctx, jobs, late) {
		return nil
	}
	for _, j := range jobs {
		reasons = append(reasons, fmt.Errorf("%s %w", j.terminal, errBlocked))
	}
	return failure(reasons)
}

// failure is the error of a Show that has shown nothing. Nobody is there if
// there is no terminal but those whose owners do not want to be disturbed.
func failure(reasons []error) error {
	why, nobody := error(nil), true
	for _, r := range reasons {
		if why == nil {
			why = r
		} else {
			why = fmt.Errorf("%w; %w", why, r)
		}
		if !errors.Is(r, errMesg) && !errors.Is(r, errOther) && !errors.Is(r, errOurs) && !errors.Is(r, fs.ErrNotExist) {
			nobody = false
		}
	}
	switch {
	case why == nil:
		return fmt.Errorf("tty: %w", messngr.ErrNobody)
	case nobody:
		return fmt.Errorf("tty: %w: %w", messngr.ErrNobody, why)
	}
	return fmt.Errorf("tty: %w", why)
}

// audience returns the sessions whose terminals m is for, each terminal once.
func audience(sessions []session.Session, m *messngr.Message) []session.Session {
	var list []session.Session
	seen := make(map[string]bool)
	for _, s := range sessions {
		if s.TTY == "" || seen[s.TTY] ||
			m.Audience != "" && s.User != m.Audience ||
			m.Terminal != "" && s.TTY != m.Terminal {
			continue
		}
		seen[s.TTY] = true
		list = append(list, s)
	}
	return list
}

// begin writes the message to a terminal if it can be done at once. Otherwise
// it returns the job that goes on with it.
func (d *Display) begin(ctx context.Context, s session.Session, m *messngr.Message, looks *looks, late chan<- error) (*job, error) {
	t, err := openTerminal(s.TTY)
	if err != nil {
		return nil, err
	}
	if err := d.allowed(t, s, m); err != nil {
		t.Close()
		return nil, err
	}
	l, ok := d.enter(s.TTY)
	if !ok {
		t.Close()
		d.env.Log.Warn("terminal gives up a message", "terminal", s.TTY, "user", s.User, "id", m.ID, "waiting", maxWaiting)
		return nil, errBlocked
	}
	j := &job{terminal: s.TTY, file: t, lane: l, rest: looks.of(t.look)}
	select {
	case l.turn <- struct{}{}:
		j.has = true
		n, err := t.tryWrite(j.rest)
		if j.rest = j.rest[n:]; err != nil || len(j.rest) == 0 {
			d.leave(j)
			return nil, err
		}
	default:
	}
	// The rest goes on behind the back of Show, and even of its context.
	var background context.Context
	background, j.cancel = context.WithTimeout(context.WithoutCancel(ctx), d.patience)
	d.background.Go(func() {
		defer j.cancel()
		err := j.finish(background)
		d.leave(j)
		if err != nil {
			d.env.Log.Warn("terminal gives up a message", "terminal", s.TTY, "user", s.User, "id", m.ID, "err", err)
		}
		late <- err
	})
	return j, nil
}

// allowed says whether m may be written to a terminal of the session s.
func (d *Display) allowed(t *terminal, s session.Session, m *messngr.Message) error {
	switch {
	case t.is(d.env.Stdout):
		return errOurs
	case m.Audience != "" && s.UID >= 0 && t.owner != s.UID:
		// The session has ended, and the terminal has got another owner.
		return errOther
	case !t.writable && m.Level < d.override:
		return errMesg
	}
	return nil
}

// enter joins the queue for a terminal; ok is false if it is too long.
func (d *Display) enter(terminal string) (l *lane, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l = d.lanes[terminal]
	if l == nil {
		l = &lane{turn: make(chan struct{}, 1)}
		d.lanes[terminal] = l
	}
	if l.users > maxWaiting {
		return nil, false
	}
	l.users++
	return l, true
}

// leave ends what enter began, and closes the terminal.
func (d *Display) leave(j *job) {
	j.file.Close()
	if j.has {
		<-j.lane.turn
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if j.lane.users--; j.lane.users == 0 {
		delete(d.lanes, j.terminal)
	}
}

// looks is what a message looks like on different terminals.
type looks struct {
	m     *messngr.Message
	lines int
	made  map[look][]byte
}

// look is what of a terminal matters for the look.
type look struct {
	columns int
	utf8    bool
}

func newLooks(m *messngr.Message, lines int) *looks {
	return &looks{m: m, lines: lines, made: make(map[look][]byte)}
}

// of gives messages to one person the look of write(1), and all others that of
// wall(1).
func (l *looks) of(t look) []byte {
	if b, ok := l.made[t]; ok {
		return b
	}
	layout := Wall
	if l.m.Audience != "" {
		layout = Write
	}
	text := layout(l.m, t.columns, l.lines)
	if !t.utf8 {
		text = display.ASCII(text)
	}
	l.made[t] = []byte(text)
	return l.made[t]
}
