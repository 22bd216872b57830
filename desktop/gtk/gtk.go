// Package gtk puts the part of GTK 3 that messngr-desktop uses behind Go
// methods, without cgo: the libraries are loaded when the program runs, and a
// machine without them gets a message instead of a failed start.
//
// GTK knows one thread. Open locks the calling goroutine to its thread; from
// then on every method of this package belongs to that goroutine, but Post and
// Quit, which may be called by all. Functions that are handed to a widget are
// called on that thread as well.
//
// A widget that was put into another one lives as long as that one, a window
// until Destroy. The Go values are handles: they may be copied, and hold
// nothing. Text that is no UTF-8 is repaired before GTK sees it.
package gtk

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
)

// ErrNoDisplay says that there is no screen to show anything on.
var ErrNoDisplay = errors.New("no display: neither DISPLAY nor WAYLAND_DISPLAY leads to one")

// App is the program as GTK sees it. There is one in a process.
type App struct {
	c      *lib
	app    ptr
	calls  calls
	mu     sync.Mutex
	posted []func()
}

// Options says what Open shall set up.
type Options struct {
	// ID is the application's name on the session bus, such as
	// "org.messngr.Window". One process of a session has it.
	ID string
	// Name is what people call the program.
	Name string
	// Backends is the order in which ways to the screen are tried, as
	// gdk_set_allowed_backends takes it; "" leaves it to GTK.
	Backends string
}

// Open loads GTK and connects to the display. It returns ErrMissing or
// ErrNoDisplay, wrapped, when it cannot.
func Open(o Options) (*App, error) {
	runtime.LockOSThread()
	// Two thirds of the memory of a small GTK program is OpenGL, which windows
	// of buttons and text do not need.
	if os.Getenv("GDK_GL") == "" {
		_ = os.Setenv("GDK_GL", "disable") // it only costs memory
	}
	c, err := load()
	if err != nil {
		return nil, err
	}
	a := &App{c: c}
	a.calls.init(a)
	c.g_set_prgname(o.ID)
	c.g_set_application_name(o.Name)
	if o.Backends != "" {
		c.gdk_set_allowed_backends(o.Backends)
	}
	if c.gtk_init_check(0, 0) == 0 {
		return nil, ErrNoDisplay
	}
	a.app = c.gtk_application_new(o.ID, 0)
	return a, nil
}

// Register takes the application's name on the session bus. It returns false if
// another process has it: that one is then reached by Remote. Without a session
// bus every process is the first.
func (a *App) Register() bool {
	return a.c.g_application_register(a.app, 0, 0) == 0 || a.c.g_application_get_is_remote(a.app) == 0
}

// Remote asks the process that has the application's name to do what it handles
// under that name with Handle.
func (a *App) Remote(action, value string) {
	a.c.g_action_group_activate_action(a.app, action, a.c.g_variant_new_string(clean(value)))
	if bus := a.c.g_application_get_dbus_connection(a.app); bus != 0 {
		a.c.g_dbus_connection_flush_sync(bus, 0, 0)
	}
}

// Handle does f when a process asks for the action by Remote, or anybody on the
// session bus by org.gtk.Actions.
func (a *App) Handle(action string, f func(value string)) {
	t := a.c.g_variant_type_new("s")
	defer a.c.g_variant_type_free(t)
	act := a.c.g_simple_action_new(action, t)
	defer a.c.g_object_unref(act)
	a.calls.connect(act, "activate", func(args [3]ptr) ptr {
		f(a.c.g_variant_get_string(args[0], 0))
		return 0
	})
	a.c.g_action_map_add_action(a.app, act)
}

// Run calls start and then serves windows until Quit. It does not end when the
// last window is closed.
func (a *App) Run(start func()) {
	a.calls.connect(a.app, "activate", func([3]ptr) ptr { return 0 })
	a.c.g_application_hold(a.app)
	a.Post(start)
	a.c.g_application_run(a.app, 0, 0)
}

// Quit ends Run. It may be called by any goroutine.
func (a *App) Quit() { a.Post(func() { a.c.g_application_quit(a.app) }) }

// Post has f called on GTK's thread, after everything that was posted before.
// It may be called by any goroutine, and never waits.
func (a *App) Post(f func()) {
	a.mu.Lock()
	a.posted = append(a.posted, f)
	first := len(a.posted) == 1
	a.mu.Unlock()
	if first {
		a.calls.idle(a.runPosted)
	}
}

func (a *App) runPosted() {
	a.mu.Lock()
	posted := a.posted
	a.posted = nil
	a.mu.Unlock()
	for _, f := range posted {
		f()
	}
}

// Beep makes the sound that the desktop has for attention.
func (a *App) Beep() { a.c.gdk_display_beep(a.c.gdk_display_get_default()) }

// clean makes a text fit for C: valid UTF-8 without zero bytes.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
