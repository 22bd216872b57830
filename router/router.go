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

	"messngr"
	"messngr/names"
	"messngr/policy"
	"messngr/router/copies"
	"messngr/router/recipients"
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
	// Asked says that it is tried only if it is asked for by name, since it shows a
	// message to more people than the best routes do.
	Asked bool
	// Rich says that it carries level, title, answers and the like in fields of
	// their own, and brings receipts later; for all others they are written into
	// the text, and what Send returned is all that will ever be known.
	Rich bool
	// Best is the best state that it can report at once.
	Best messngr.State
}

// Sessions says who uses this host, and who could.
type Sessions interface {
	recipients.Sessions
	// Account returns the login name that name stands for, whatever its case, if
	// there is such an account on this host.
	Account(name string) (login string, ok bool)
}

// Rights are what people may do who do not administer the service, besides what
// everybody may.
type Rights struct {
	// Emergency: send messages of the level emergency, which reach terminals that
	// take no others, and stay on the screen until somebody acknowledges them.
	Emergency bool
	// Delete: delete messages that are for the machine for everybody, not for
	// oneself alone.
	Delete bool
}

// Config is what a Router is made of.
type Config struct {
	Store    store.Store
	Names    *names.Table
	Policy   *policy.Policy
	Sessions Sessions
	Resolver recipients.Resolver
	// Routes in the order in which they are tried.
	Routes []Route
	Rights Rights
	Log    *slog.Logger
	// Host and Workgroup are this machine's own names.
	Host, Workgroup string
	Retention       store.Retention
}

// Router moves messages. Its methods may be called by several goroutines at
// once.
type Router struct {
	cfg      Config
	paused   atomic.Bool
	failing  atomic.Bool // the store did not take the last message
	copies   *copies.Recent
	counters Counters

	arrive   signal // a message was stored
	people   signal // somebody logged on or off
	evidence signal // something became known of a sent message
	surplus  signal // many messages were stored since the last were removed

	ledger ledger
	lost   sync.Map // of recipientKey: the error that kept its outcome from the books

	// running is done when Run ends; attempts live under it, not under the
	// context of whoever asked for them.
	running context.Context
	stop    context.CancelFunc
	closing sync.Mutex // held to start a job, and to end running
	jobs    sync.WaitGroup
	slots   *slots
	resumed chan struct{} // closed when what the last run left has been read
}

// Counters count since the start.
type Counters struct {
	Taken, Copies, Repeated, Refused, Busy, UnknownName, Failed, Shown, Digests, Sent atomic.Int64
}

// New returns a router. Run must be called for it to send anything.
func New(cfg Config) *Router {
	r := &Router{
		cfg:     cfg,
		copies:  copies.New(),
		ledger:  ledger{running: make(map[int64]messngr.Evidence)},
		slots:   newSlots(),
		resumed: make(chan struct{}),
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

// Run does what has to be done besides answering: it finishes what a crash left
// behind, tries messages again that may wait, and removes what the retention
// does not keep. It returns when ctx has ended and every attempt has finished.
func (r *Router) Run(ctx context.Context) error {
	defer r.jobs.Wait()
	defer r.end()
	if err := r.resume(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("outbox: %w", err)
	}
	r.pruneNowAndThen(ctx)
	return nil
}

// spawn runs job in a goroutine that Run waits for. It does not when Run is
// about to end.
func (r *Router) spawn(job func()) {
	r.closing.Lock()
	defer r.closing.Unlock()
	if r.running.Err() == nil {
		r.jobs.Go(job)
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

// Await returns the messages that q selects, oldest first, as soon as there are
// any. It returns nothing and no error when ctx ends.
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

// unavailable makes err, which kept something from being stored, one that the
// other side may try again after.
func unavailable(err error) error {
	if errors.Is(err, messngr.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
}
