package tray

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"messngr"
	"messngr/control"
	"messngr/tray/card"
	"messngr/tray/desktop"
	"messngr/tray/feed"
	"messngr/tray/icon"
	"messngr/tray/lock"
	"messngr/tray/notification"
	"messngr/tray/sound"
)

type messageID = messngr.ID

// agent is one run. All of its fields belong to the goroutine of run, but for
// notes and sounds, which are lent to the call that is on its way. The service is
// asked by errands, whose results come back to it.
type agent struct {
	o     Options
	cfg   Config
	log   *slog.Logger
	quit  context.CancelFunc
	words *card.Words
	gate  *gate
	// From which level messages pop up, and break through.
	popUp, breakThrough messngr.Level

	conn, system *dbus.Conn
	notes        *notification.Daemon
	icon         *icon.Icon
	screen       *lock.Screen
	sounds       *sound.Player
	program      *desktop.Program
	disturb      disturb
	progress     progress
	client       func() *control.Client
	feed         *feed.Feed

	signals, systemSignals chan *dbus.Signal
	clicks                 chan click
	calls                  chan string
	results                chan func()
	errands                sync.WaitGroup

	daemon calls
	// shown are the messages that are on the screen one by one, or should be.
	shown  map[messageID]*shown
	byNote map[uint32]messageID
	digest digest
	hint   uint32 // the notification that says how to do something
	locked bool
	muted  bool  // as the icon shows it
	away   error // why the service cannot be asked
	unread int
	// last is the number of the last message that was dealt with; heldFrom is
	// that of the first one that is held back, 0 if none is.
	last, heldFrom int64
	begun          bool        // the inbox was reached
	sighted        []messageID // shown, and the service does not know it yet
	// owed are those that the person has acknowledged, and the service does not
	// know it yet.
	owed      map[messageID]bool
	sounded   time.Time     // when a sound was played last
	soundedAs messngr.Level // and for what

	// When something has to be done; zero: nothing has.
	retryAt, countAt, iconAt, sightAt, saveAt, popUpAt time.Time
	retryPause                                         time.Duration
	counted, drawn                                     time.Time // when it was done last
}

// click is something that a person chose at the icon.
type click struct{ key, token string }

// How long small things are put off so that several are done at once.
const (
	countPause = 300 * time.Millisecond
	iconPause  = 200 * time.Millisecond
	sightPause = 200 * time.Millisecond
	savePause  = time.Second
)

// errSessionEnded says that the bus has gone.
var errSessionEnded = errors.New("the desktop session has ended")

// run serves the session until ctx or the session ends.
func (a *agent) run(ctx context.Context) error {
	var following sync.WaitGroup
	following.Go(func() { a.feed.Run(ctx) })
	defer following.Wait()
	defer a.close()
	defer a.errands.Wait()
	a.refresh(ctx)
	if !a.o.Minimized {
		a.program.Window(nil, "", func() {})
	}
	a.draw()
	for {
		a.work(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-a.conn.Context().Done():
			defer a.quit()
			if ctx.Err() == nil {
				return errSessionEnded
			}
			return nil
		case n := <-a.feed.News():
			a.heard(ctx, n)
		case s := <-a.signals:
			a.signal(ctx, s)
		case s := <-a.systemSignals:
			a.systemSignal(ctx, s)
		case c := <-a.clicks:
			a.clicked(ctx, c)
		case call := <-a.calls:
			a.called(ctx, call)
		case err := <-a.program.Ended():
			a.popUpsEnded(err)
		case done := <-a.daemon.done:
			a.answered(ctx, done)
		case result := <-a.results:
			result()
		case <-a.alarm():
		}
	}
}

// work does what is due.
func (a *agent) work(ctx context.Context) {
	now := time.Now()
	due := func(t *time.Time) bool {
		if t.IsZero() || now.Before(*t) {
			return false
		}
		*t = time.Time{}
		return true
	}
	a.expire(now)
	if due(&a.retryAt) {
		a.retry(now)
	}
	if due(&a.countAt) {
		a.count(ctx)
	}
	if due(&a.iconAt) {
		a.draw()
	}
	a.popIfDue(ctx, now)
	if due(&a.sightAt) {
		a.tellSighted(ctx)
	}
	if due(&a.saveAt) {
		a.save()
	}
	a.ask(ctx, now)
}

// alarm fires when something is due.
func (a *agent) alarm() <-chan time.Time {
	var next time.Time
	times := []time.Time{a.retryAt, a.countAt, a.iconAt, a.sightAt, a.saveAt, a.popUpAt}
	if !a.daemon.busy {
		times = append(times, a.digest.due)
	}
	for _, s := range a.shown {
		times = append(times, s.again)
		if s.m.ExpiresAt != nil {
			times = append(times, *s.m.ExpiresAt)
		}
	}
	for _, t := range times {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if next.IsZero() {
		return nil
	}
	return time.After(min(time.Until(next), glance))
}

// glance is how long a timer may run at the most: it stands still while the
// machine sleeps, and what has expired meanwhile is to go soon after.
const glance = time.Minute

// soon puts a job off for a pause after it was done last, but not further than
// it is put off already.
func soon(at *time.Time, last time.Time, pause time.Duration) {
	if !at.IsZero() {
		return
	}
	*at = last.Add(pause)
}

// close takes everything off the screen and remembers how far it got.
func (a *agent) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if a.begun {
		a.save()
	}
	select {
	case done := <-a.daemon.done:
		done() // it knows what is on the screen
	default:
	}
	if a.conn.Connected() {
		notes := slices.Collect(maps.Keys(a.byNote))
		for _, note := range []uint32{a.digest.note, a.hint} {
			if note != 0 {
				notes = append(notes, note)
			}
		}
		a.notes.Close(ctx, append(notes, a.daemon.closing...)...)
	}
	if a.system != nil {
		_ = a.system.Close()
	}
	a.program.Leave()
	a.sounds.Wait()
}

func (a *agent) save() {
	if err := a.progress.save(a.reached()); err != nil {
		a.log.Warn("remember what was shown", "err", err)
	}
}

// reached is up to which message the next session need not look: neither held
// back nor still on the screen. It looks for urgent ones in any case.
func (a *agent) reached() int64 {
	reached := a.last
	if a.heldFrom > 0 {
		reached = min(reached, a.heldFrom-1)
	}
	for _, s := range a.shown {
		if s.m.Level < messngr.LevelUrgent {
			reached = min(reached, s.m.Seq-1)
		}
	}
	return reached
}

// errand asks the service something, apart from the loop, and has done called
// in the loop with what came of it; nil for nothing.
func (a *agent) errand(ctx context.Context, ask func(context.Context, *control.Client) (done func(), err error)) {
	a.errands.Go(func() {
		done, err := ask(ctx, a.client())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			a.log.Warn("ask the service", "err", err)
			return
		case done == nil:
			return
		}
		select {
		case a.results <- done:
		case <-ctx.Done():
		}
	})
}

// count asks how many messages are unread.
func (a *agent) count(ctx context.Context) {
	a.counted = time.Now()
	a.errand(ctx, func(ctx context.Context, c *control.Client) (func(), error) {
		l, err := c.Messages(ctx, control.MessageQuery{Own: true, Limit: 1})
		return func() {
			a.unread = l.Unread
			soon(&a.iconAt, a.drawn, iconPause)
		}, err
	})
}

// draw brings the icon up to date.
func (a *agent) draw() {
	a.drawn = time.Now()
	w := a.words
	s := icon.State{Unread: a.unread, Attention: a.isUrgent(), Muted: a.muted, Away: a.away != nil, ToolTip: w.App}
	switch a.unread {
	case 0:
		s.Detail = w.Unread[0]
	case 1:
		s.Detail = w.Unread[1]
	default:
		s.Detail = fmt.Sprintf(w.Unread[2], a.unread)
	}
	label := s.Detail
	if a.muted {
		s.Detail += "\n" + w.Muted
	}
	if a.away != nil {
		label = w.Trouble(a.away)
		s.Detail += "\n" + label
	}
	show := icon.Item{Key: clickShow, Label: w.MenuShow}
	if desktop.Find() != "" {
		show = icon.Item{Key: icon.Activated, Label: w.MenuWindow}
	}
	s.Menu = []icon.Item{
		{Label: label}, show, {Key: clickRead, Label: w.MenuRead}, {},
		{Key: clickMute, Label: w.MenuMuted, Check: true, On: a.muted}, {}, {Key: clickQuit, Label: w.MenuQuit},
	}
	a.icon.Set(s)
}

// isUrgent reports whether something urgent waits for a person.
func (a *agent) isUrgent() bool {
	for _, s := range a.shown {
		if s.m.Level >= messngr.LevelUrgent {
			return true
		}
	}
	return a.digest.count() > 0 && a.digest.level >= messngr.LevelUrgent
}
