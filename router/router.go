// Package router is the middle of the service: it takes messages in, has them
// stored and shown, and finds the way for messages that go out.
package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"messngr"
	"messngr/names"
	"messngr/policy"
	"messngr/store"
)

// Local is the name of the route that never leaves this host.
const Local = "local"

// Route is one way out.
type Route struct {
	// Via is the transport's name.
	Via    string
	Sender messngr.Sender
	// Group says that it carries messages to groups; otherwise to one device.
	// Directed says that it is also tried for one device if it is asked for by
	// name.
	Group, Directed bool
	// Rich says that it carries level, title, answers and the like in fields of
	// their own; for all others they are written into the text.
	Rich bool
	// Best is the best state that it can report at once.
	Best messngr.State
}

// Sessions says who has an open session on this host, for "/users".
type Sessions interface {
	// People returns login names and names of machines, each once.
	People(ctx context.Context) ([]string, error)
}

// Config is what a Router is made of.
type Config struct {
	Store    store.Store
	Names    *names.Table
	Policy   *policy.Policy
	Sessions Sessions
	Resolver Resolver
	// Routes in the order in which they are tried.
	Routes []Route
	Log    *slog.Logger
	// Host and Workgroup are this machine's own names.
	Host, Workgroup string
	Retention       store.Retention
}

// Router moves messages. Its methods may be called by several goroutines.
type Router struct {
	cfg      Config
	paused   atomic.Bool
	copies   copies
	arrive   *signal
	people   *signal
	evidence *signal
	jobs     sync.WaitGroup
	slots    chan struct{}

	// running is done when Run ends; attempts live under it, not under the
	// context of whoever asked for them.
	running context.Context
	stop    context.CancelFunc
	closing sync.Mutex // held to start a job, and to end running

	counters Counters
}

// Counters count since the start.
type Counters struct {
	Taken, Copies, Repeated, Refused, Busy, UnknownName, Failed, Shown, Digests, Sent atomic.Int64
}

// maxAttempts is how many attempts to reach devices run at once.
const maxAttempts = 64

// New returns a router. Run must be called for it to do its work.
func New(cfg Config) *Router {
	r := &Router{
		cfg:      cfg,
		copies:   newCopies(),
		arrive:   newSignal(),
		people:   newSignal(),
		evidence: newSignal(),
		slots:    make(chan struct{}, maxAttempts),
	}
	r.running, r.stop = context.WithCancel(context.Background())
	return r
}

// Counters returns the counters by the names that status prints.
func (r *Router) Counters() map[string]int64 {
	c := &r.counters
	return map[string]int64{
		"taken": c.Taken.Load(), "copies": c.Copies.Load(), "repeated": c.Repeated.Load(),
		"refused": c.Refused.Load(), "busy": c.Busy.Load(), "unknown_name": c.UnknownName.Load(),
		"failed": c.Failed.Load(), "shown": c.Shown.Load(), "digests": c.Digests.Load(), "sent": c.Sent.Load(),
	}
}

// Pause makes Accept answer messngr.ErrPaused until Continue.
func (r *Router) Pause() { r.paused.Store(true) }

// Continue ends a Pause.
func (r *Router) Continue() { r.paused.Store(false) }

// Paused reports whether the router is paused.
func (r *Router) Paused() bool { return r.paused.Load() }

// Accept implements messngr.Accept.
func (r *Router) Accept(ctx context.Context, in messngr.Inbound) (messngr.Results, error) {
	results := make(messngr.Results, len(in.To))
	var taken bool
	var failed error
	for i, to := range in.To {
		err := r.accept(ctx, in, i)
		results[i] = messngr.Result{To: to, Err: err}
		r.count(err)
		if err == nil {
			taken = true
		} else if failed == nil {
			failed = err
		}
	}
	switch {
	case taken:
		return results, nil
	case failed == nil:
		failed = fmt.Errorf("no recipient: %w", messngr.ErrUnknownName)
	}
	return results, failed
}

func (r *Router) count(err error) {
	switch {
	case err == nil:
	case errors.Is(err, messngr.ErrUnknownName):
		r.counters.UnknownName.Add(1)
	case errors.Is(err, messngr.ErrBusy):
		r.counters.Busy.Add(1)
	case errors.Is(err, messngr.ErrRefused), errors.Is(err, messngr.ErrPaused):
		r.counters.Refused.Add(1)
	default:
		r.counters.Failed.Add(1)
	}
}

// accept takes the message for one of its recipients.
func (r *Router) accept(ctx context.Context, in messngr.Inbound, recipient int) error {
	if r.paused.Load() {
		return messngr.ErrPaused
	}
	entry, ok := r.cfg.Names.Lookup(in.To[recipient], in.Group)
	if !ok {
		return fmt.Errorf("%s: %w", in.To[recipient], messngr.ErrUnknownName)
	}
	m := in.Message
	m.Audience = entry.User
	if m.From.Trust == messngr.Unverified {
		m.Level = min(m.Level, messngr.LevelNotice)
	}
	judgement, err := r.cfg.Policy.Judge(&m)
	if err != nil {
		return err
	}
	m.Warning = judgement.Warning
	undo, copied := r.copies.seen(&in, time.Now())
	if copied {
		r.counters.Copies.Add(1)
		return nil
	}
	origin := in.Origin
	if origin != "" && recipient > 0 {
		origin += messngr.Origin(fmt.Sprintf("#%d", recipient))
	}
	if err := r.take(ctx, &m, store.Incoming{Origin: origin, Quiet: judgement.Quiet}); err != nil {
		undo()
		return err
	}
	return nil
}

// take gives the message its id and time and stores it.
func (r *Router) take(ctx context.Context, m *messngr.Message, in store.Incoming) error {
	if len(m.Text) > messngr.MaxText {
		return &messngr.TooLongError{Limit: messngr.MaxText, Length: len(m.Text)}
	}
	id, err := messngr.NewID()
	if err != nil {
		return fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	m.ID, m.Time = id, time.Now()
	in.Message = m
	_, repeated, err := r.cfg.Store.Take(ctx, in)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	case repeated:
		r.counters.Repeated.Add(1)
		return nil
	}
	r.counters.Taken.Add(1)
	r.arrive.raise()
	return nil
}

// Run does what has to be done besides answering: it finishes what a crash left
// behind, tries messages again that may wait, and removes what the retention
// does not keep. It returns when ctx has ended and every attempt has finished.
func (r *Router) Run(ctx context.Context) error {
	defer r.jobs.Wait()
	defer r.end()
	if err := r.resume(ctx); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	prune := time.NewTicker(time.Hour)
	defer prune.Stop()
	for {
		if n, err := r.cfg.Store.Prune(ctx, r.cfg.Retention, time.Now()); err != nil {
			r.cfg.Log.Error("prune the store", "err", err)
		} else if n > 0 {
			r.cfg.Log.Info("removed old messages", "count", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-prune.C:
		}
	}
}

func (r *Router) end() {
	r.closing.Lock()
	defer r.closing.Unlock()
	r.stop()
}

// PeopleChanged tells the router that somebody logged on or off, so that
// messages that waited for an audience are shown now.
func (r *Router) PeopleChanged() { r.people.raise() }

// Await returns the messages after the given sequence number, oldest first, as
// soon as there are any. It returns nothing and no error when ctx ends.
func (r *Router) Await(ctx context.Context, q store.Query) ([]store.Entry, error) {
	q.Oldest = true
	for {
		arrived := r.arrive.wait()
		entries, err := r.cfg.Store.Inbox(ctx, q)
		if ctx.Err() != nil {
			return nil, nil
		}
		if err != nil || len(entries) > 0 {
			return entries, err
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-arrived:
		}
	}
}

// signal wakes everybody who waits for it.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func newSignal() *signal { return &signal{ch: make(chan struct{})} }

// wait returns a channel that is closed by the next raise.
func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

func (s *signal) raise() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}
