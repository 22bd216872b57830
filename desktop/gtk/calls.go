package gtk

import (
	"sync"
	"time"

	"github.com/ebitengine/purego"
)

// calls keeps the Go functions that C may call. C functions made from Go ones
// are never freed, and there can be 2,000 of them: so there is one for each
// signature, and which function is meant travels as a number in the pointer for
// user data. GTK tells when it has forgotten the number.
type calls struct {
	c    *lib
	mu   sync.Mutex
	last uintptr
	// The functions by number: handlers of signals, and what the main loop does
	// once.
	handlers map[uintptr]func(args [3]ptr) ptr
	sources  map[uintptr]func()

	onSignal, onSource, freeHandler, freeSource, matchAll ptr
}

func (c *calls) init(a *App) {
	c.c = a.c
	c.handlers = make(map[uintptr]func([3]ptr) ptr)
	c.sources = make(map[uintptr]func())
	// GCallback, connected swapped: the number comes first, then what the signal
	// brings, then the object. Arguments beyond those that the signal has are
	// what happened to be in the registers, and are not looked at.
	c.onSignal = purego.NewCallback(func(id, a1, a2, a3 uintptr) uintptr {
		c.mu.Lock()
		f := c.handlers[id]
		c.mu.Unlock()
		if f == nil {
			return 0
		}
		return f([3]ptr{a1, a2, a3})
	})
	// GSourceFunc
	c.onSource = purego.NewCallback(func(id uintptr) uintptr {
		c.mu.Lock()
		f := c.sources[id]
		c.mu.Unlock()
		if f != nil {
			f()
		}
		return 0 // once
	})
	// GClosureNotify
	c.freeHandler = purego.NewCallback(func(id, closure uintptr) uintptr {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.handlers, id)
		return 0
	})
	// GDestroyNotify
	c.freeSource = purego.NewCallback(func(id uintptr) uintptr {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.sources, id)
		return 0
	})
	// GtkEntryCompletionMatchFunc: the model has only what matches.
	c.matchAll = purego.NewCallback(func(completion, key, iter, data uintptr) uintptr { return 1 })
}

// connect has f called at every signal of that name, until the object ends.
func (c *calls) connect(object ptr, signal string, f func(args [3]ptr) ptr) {
	const swapped = 2
	c.mu.Lock()
	c.last++
	id := c.last
	c.handlers[id] = f
	c.mu.Unlock()
	c.c.g_signal_connect_data(object, signal, c.onSignal, id, c.freeHandler, swapped)
}

// idle has f called once on GTK's thread, after keys and clicks that came before
// and ahead of what is drawn next. It may be called on any thread.
func (c *calls) idle(f func()) {
	const priorityHighIdle = 100
	c.c.g_idle_add_full(priorityHighIdle, c.onSource, c.source(f), c.freeSource)
}

// after has f called once, after d.
func (c *calls) after(d time.Duration, f func()) uint32 {
	const priorityDefault = 0
	return c.c.g_timeout_add_full(priorityDefault, uint32(d.Milliseconds()), c.onSource, c.source(f), c.freeSource)
}

func (c *calls) source(f func()) uintptr {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.sources[c.last] = f
	return c.last
}

// A Timer calls a function later. The zero Timer does nothing.
type Timer struct {
	a  *App
	id uint32
	// done is shared by copies of the timer: an id may be used again by others
	// when its timer has ended.
	done *bool
}

// After calls f once, after d.
func (a *App) After(d time.Duration, f func()) Timer {
	done := new(bool)
	id := a.calls.after(d, func() {
		*done = true
		f()
	})
	return Timer{a: a, id: id, done: done}
}

// Stop ends the timer if it has not ended yet.
func (t Timer) Stop() {
	if t.done == nil || *t.done {
		return
	}
	*t.done = true
	t.a.c.g_source_remove(t.id)
}
