// Package tray is what runs in a person's desktop session: it shows messages as
// notifications of the desktop, and an icon in the tray. It is a client of the
// service's API like any other.
package tray

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"

	"messngr/control"
	"messngr/tray/card"
	"messngr/tray/desktop"
	"messngr/tray/feed"
	"messngr/tray/icon"
	"messngr/tray/lock"
	"messngr/tray/notification"
	"messngr/tray/sound"
)

const (
	// busName is owned by the one instance of a session.
	busName = "org.messngr.Tray"
	busPath = dbus.ObjectPath("/org/messngr/Tray")
)

// ErrNoSession says that there is no desktop session to show anything in.
var ErrNoSession = errors.New("there is no desktop session here")

// ErrRunning says that another instance serves this session. It has been asked
// to open the list, unless it was to be minimized.
var ErrRunning = errors.New("it is running already")

// Options say how to run.
type Options struct {
	// Socket is the socket of the service; "": the one that control.FindSocket
	// finds, anew whenever the service went away.
	Socket string
	Getenv func(string) string
	Log    *slog.Logger
	// Minimized begins as an icon; otherwise the list is opened, where the
	// desktop program is installed.
	Minimized bool
	// PopUp overrides the configuration's key of that name, unless it is "".
	PopUp string
}

// Run shows messages until ctx ends, the person quits or the session ends. It
// returns ErrNoSession, ErrRunning, or what is wrong with the configuration.
func Run(ctx context.Context, o Options) error {
	cfg, err := load(o.Getenv)
	if err != nil {
		return err
	}
	if o.PopUp != "" {
		cfg.PopUp = o.PopUp
		if err := cfg.check(); err != nil {
			return err
		}
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	conn, err := dialSession(ctx, o.Getenv)
	if err != nil {
		return err
	}
	defer conn.Close()
	reply, err := conn.RequestName(busName, dbus.NameFlagDoNotQueue)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrNoSession, err)
	case reply != dbus.RequestNameReplyPrimaryOwner && o.Minimized:
		return ErrRunning
	case reply != dbus.RequestNameReplyPrimaryOwner:
		_ = conn.Object(busName, busPath).CallWithContext(ctx, busName+".Show", dbus.FlagNoAutoStart).Err
		return ErrRunning
	}
	a := newAgent(o, cfg, quit)
	if err := a.connect(ctx, conn); err != nil {
		return err
	}
	return a.run(ctx)
}

// SetDoNotDisturb says whether the person wants to be left alone from now on,
// and tells the instance of this session, if there is one.
func SetDoNotDisturb(ctx context.Context, getenv func(string) string, on bool) error {
	if err := disturbFile(getenv).set(on); err != nil {
		return err
	}
	conn, err := dialSession(ctx, getenv)
	if err != nil {
		return nil // nobody to tell; the file counts
	}
	defer conn.Close()
	// It may not run: it reads the file when it does.
	_ = conn.Object(busName, busPath).CallWithContext(ctx, busName+".Refresh", dbus.FlagNoAutoStart).Err
	return nil
}

// DoNotDisturb reports whether the person wants to be left alone.
func DoNotDisturb(getenv func(string) string) bool { return disturbFile(getenv).off() }

// DesktopProgram finds the program of the pop-ups and the window; "" if it is not
// installed.
func DesktopProgram() string { return desktop.Find() }

// dialSession connects to the bus of the session.
func dialSession(ctx context.Context, getenv func(string) string) (*dbus.Conn, error) {
	address := getenv("DBUS_SESSION_BUS_ADDRESS")
	if dir := getenv("XDG_RUNTIME_DIR"); address == "" && filepath.IsAbs(dir) {
		if _, err := os.Stat(filepath.Join(dir, "bus")); err == nil {
			address = "unix:path=" + dbus.EscapeBusAddressValue(filepath.Join(dir, "bus"))
		}
	}
	if address == "" {
		return nil, fmt.Errorf("%w: DBUS_SESSION_BUS_ADDRESS is not set", ErrNoSession)
	}
	conn, err := dbus.Connect(address, dbus.WithContext(context.WithoutCancel(ctx)), dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoSession, err)
	}
	return conn, nil
}

// dialSystem connects to the bus of the machine; nil if there is none.
func dialSystem(ctx context.Context, getenv func(string) string) *dbus.Conn {
	address := getenv("DBUS_SYSTEM_BUS_ADDRESS")
	if address == "" {
		address = "unix:path=/run/dbus/system_bus_socket"
	}
	conn, err := dbus.Connect(address, dbus.WithContext(context.WithoutCancel(ctx)), dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		return nil
	}
	return conn
}

// remote are the methods that other instances call.
func (a *agent) remote() map[string]any {
	tell := func(call string) func() *dbus.Error {
		return func() *dbus.Error {
			select {
			case a.calls <- call:
				return nil
			case <-time.After(remoteTime):
				return dbus.NewError("org.freedesktop.DBus.Error.Timeout", []any{"busy"})
			}
		}
	}
	return map[string]any{"Show": tell(callShow), "Refresh": tell(callRefresh)}
}

// The calls of other instances: to open the list, and to read the files of the
// person again.
const (
	callShow    = "show"
	callRefresh = "refresh"
)

// remoteTime is how long such a call may wait for the loop.
const remoteTime = 10 * time.Second

// connect connects the agent to the session.
func (a *agent) connect(ctx context.Context, conn *dbus.Conn) error {
	var err error
	a.conn = conn
	conn.Signal(a.signals)
	if err = conn.ExportMethodTable(a.remote(), busPath, busName); err != nil {
		return err
	}
	if a.notes, err = notification.New(ctx, conn, a.words.App); err != nil {
		return err
	}
	a.icon, err = icon.New(ctx, conn, a.words.App, func(key, token string) {
		select {
		case a.clicks <- click{key, token}:
		case <-ctx.Done():
		}
	})
	if err != nil {
		return err
	}
	if a.system = dialSystem(ctx, a.o.Getenv); a.system != nil {
		a.system.Signal(a.systemSignals)
	}
	a.screen, err = lock.New(ctx, conn, a.system, a.o.Getenv("XDG_SESSION_ID"))
	a.locked = err == nil && a.screen.Locked()
	return err
}

// newAgent makes an agent that is not connected yet.
func newAgent(o Options, cfg Config, quit context.CancelFunc) *agent {
	a := &agent{
		o: o, cfg: cfg, log: o.Log, quit: quit, words: card.Choose(o.Getenv), gate: newGate(&cfg),
		popUp: mustThreshold(cfg.PopUp), breakThrough: mustThreshold(cfg.BreakThrough),
		disturb: disturbFile(o.Getenv), progress: progressFile(o.Getenv),
		sounds:  sound.New(dataDirs(o.Getenv)),
		program: desktop.New(o.Socket, o.Log),
		shown:   make(map[messageID]*shown), byNote: make(map[uint32]messageID), owed: make(map[messageID]bool),
		signals: make(chan *dbus.Signal, 64), systemSignals: make(chan *dbus.Signal, 16),
		daemon: calls{done: make(chan func(), 1)}, clicks: make(chan click), calls: make(chan string), results: make(chan func()),
	}
	a.client = func() *control.Client { return control.NewClient(control.FindSocket(o.Socket, o.Getenv)) }
	a.feed = feed.New(a.client)
	return a
}
