// Package icon puts an icon with a menu into the tray of a desktop session:
// StatusNotifierItem, as hosts from KDE to Xfce know it, with a menu in the form
// of com.canonical.dbusmenu.
package icon

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/godbus/dbus/v5"
)

const (
	watcher  = "org.kde.StatusNotifierWatcher"
	item     = "org.kde.StatusNotifierItem"
	itemPath = dbus.ObjectPath("/StatusNotifierItem")
	bus      = "org.freedesktop.DBus"
)

// State is what the icon shows.
type State struct {
	// Unread is shown as a number on the icon; 0 shows none.
	Unread int
	// Attention asks for a look: something important is unread.
	Attention bool
	// Muted shows that nothing pops up, and Away that nothing is known.
	Muted, Away bool
	// ToolTip and its Detail are plain text.
	ToolTip, Detail string
	Menu            []Item
}

// Item is a line of the menu. One without a label is a separating line.
type Item struct {
	// Key is told when it is chosen; "" for a line that cannot be.
	Key   string
	Label string
	// Check says that the line has a mark, which is On or not.
	Check, On bool
}

// Activated is the key of a click on the icon itself.
const Activated = "activated"

// Icon is an icon in the tray. It may be used by several goroutines at once.
type Icon struct {
	conn   *dbus.Conn
	name   string
	title  string
	chosen func(key, token string)

	mu       sync.Mutex
	state    State
	revision uint32
	token    string // of the click that comes next
}

// New puts an icon into the tray, now or when there is one: where no host shows
// such icons, it waits for one. The signals of conn have to be handed to Signal
// from now on. When a person chooses something, chosen is called with its key,
// and with a token by which a program that is started now can take the focus.
func New(ctx context.Context, conn *dbus.Conn, title string, chosen func(key, token string)) (*Icon, error) {
	i := &Icon{conn: conn, title: title, chosen: chosen, name: fmt.Sprintf("%s-%d-1", item, os.Getpid())}
	if err := i.export(); err != nil {
		return nil, fmt.Errorf("icon: %w", err)
	}
	if _, err := conn.RequestName(i.name, dbus.NameFlagDoNotQueue); err != nil {
		return nil, fmt.Errorf("icon: %w", err)
	}
	err := conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(bus), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, watcher))
	if err != nil {
		return nil, fmt.Errorf("icon: %w", err)
	}
	i.register(ctx)
	return i, nil
}

// Signal takes a signal of the bus: a tray that comes later, or anew, is told of
// the icon.
func (i *Icon) Signal(ctx context.Context, s *dbus.Signal) {
	var name, before, after string
	if s.Name == bus+".NameOwnerChanged" && dbus.Store(s.Body, &name, &before, &after) == nil && name == watcher && after != "" {
		i.register(ctx)
	}
}

func (i *Icon) register(ctx context.Context) {
	// Without a watcher there is no tray: it will be heard of when it comes.
	i.conn.Object(watcher, "/StatusNotifierWatcher").GoWithContext(ctx, watcher+".RegisterStatusNotifierItem", dbus.FlagNoAutoStart|dbus.FlagNoReplyExpected, nil, i.name)
}

// Set changes what the icon shows.
func (i *Icon) Set(s State) {
	i.mu.Lock()
	before := i.state
	i.state = s
	menuChanged := !sameMenu(before.Menu, s.Menu)
	if menuChanged {
		i.revision++
	}
	revision := i.revision
	i.mu.Unlock()
	// A signal that cannot be sent means that the session ends.
	if before.Unread != s.Unread || before.Muted != s.Muted || before.Away != s.Away || before.Attention != s.Attention {
		_ = i.conn.Emit(itemPath, item+".NewIcon")
	}
	if before.Attention != s.Attention {
		_ = i.conn.Emit(itemPath, item+".NewAttentionIcon")
		_ = i.conn.Emit(itemPath, item+".NewStatus", status(s))
	}
	if before.ToolTip != s.ToolTip || before.Detail != s.Detail {
		_ = i.conn.Emit(itemPath, item+".NewToolTip")
	}
	if menuChanged {
		_ = i.conn.Emit(menuPath, menu+".LayoutUpdated", revision, int32(0))
	}
}

func (i *Icon) now() (State, uint32) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.state, i.revision
}

// choose tells of something that a person chose.
func (i *Icon) choose(key string) {
	i.mu.Lock()
	token := i.token
	i.token = ""
	i.mu.Unlock()
	i.chosen(key, token)
}

func status(s State) string {
	if s.Attention {
		return "NeedsAttention"
	}
	return "Active"
}

// pixmap is one size of a picture, as the specification wants it.
type pixmap struct {
	Width, Height int32
	Data          []byte
}

// toolTip is the structure of the property of that name.
type toolTip struct {
	Icon        string
	Pixmaps     []pixmap
	Title, Text string
}

// properties returns all properties of the item.
func (i *Icon) properties() map[string]dbus.Variant {
	s, _ := i.now()
	pictures := pixmaps(s)
	return map[string]dbus.Variant{
		"Category":            dbus.MakeVariant("Communications"),
		"Id":                  dbus.MakeVariant("messngr"),
		"Title":               dbus.MakeVariant(i.title),
		"Status":              dbus.MakeVariant(status(s)),
		"WindowId":            dbus.MakeVariant(int32(0)),
		"IconName":            dbus.MakeVariant(""),
		"IconThemePath":       dbus.MakeVariant(""),
		"IconPixmap":          dbus.MakeVariant(pictures),
		"OverlayIconName":     dbus.MakeVariant(""),
		"OverlayIconPixmap":   dbus.MakeVariant([]pixmap{}),
		"AttentionIconName":   dbus.MakeVariant(""),
		"AttentionIconPixmap": dbus.MakeVariant(pictures),
		"AttentionMovieName":  dbus.MakeVariant(""),
		"ToolTip":             dbus.MakeVariant(toolTip{Pixmaps: []pixmap{}, Title: s.ToolTip, Text: escape(s.Detail)}),
		"ItemIsMenu":          dbus.MakeVariant(false),
		"Menu":                dbus.MakeVariant(menuPath),
	}
}

// itemMethods are the methods that a host calls.
func (i *Icon) itemMethods() map[string]any {
	return map[string]any{
		"Activate": func(_, _ int32) *dbus.Error {
			i.choose(Activated)
			return nil
		},
		"SecondaryActivate": func(_, _ int32) *dbus.Error { return nil },
		// A click with the right button on hosts that do not show the menu
		// themselves; we have no other way to show one.
		"ContextMenu": func(_, _ int32) *dbus.Error { return nil },
		"Scroll":      func(int32, string) *dbus.Error { return nil },
		"ProvideXdgActivationToken": func(token string) *dbus.Error {
			i.mu.Lock()
			defer i.mu.Unlock()
			i.token = token // of the click that follows
			return nil
		},
	}
}
