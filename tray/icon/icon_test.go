package icon_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"go.uber.org/goleak"

	"messngr/tray/icon"
	"messngr/tray/traytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type picture struct {
	Width, Height int32
	Data          []byte
}

func newIcon(t *testing.T, bus string) (i *icon.Icon, conn *dbus.Conn, chosen chan string) {
	t.Helper()
	conn, chosen = traytest.Dial(t, bus), make(chan string, 10)
	i, err := icon.New(t.Context(), conn, "Messages", func(key, token string) { chosen <- key + " " + token })
	if err != nil {
		t.Fatal(err)
	}
	return i, conn, chosen
}

func pictures(t *testing.T, bus, item string) []picture {
	t.Helper()
	var v dbus.Variant
	conn := traytest.Dial(t, bus)
	defer conn.Close()
	if err := conn.Object(item, "/StatusNotifierItem").Call("org.freedesktop.DBus.Properties.Get", 0, "org.kde.StatusNotifierItem", "IconPixmap").Store(&v); err != nil {
		t.Fatal(err)
	}
	var list []picture
	if err := dbus.Store([]any{v.Value()}, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestProperties(t *testing.T) {
	bus := traytest.Bus(t)
	host := traytest.StartHost(t, bus)
	i, _, _ := newIcon(t, bus)
	item := host.Item()
	i.Set(icon.State{Unread: 3, ToolTip: "Messages", Detail: "3 < 4 & more\nlines"})
	for name, want := range map[string]string{
		"Id": "messngr", "Title": "Messages", "Category": "Communications", "Status": "Active", "IconName": "", "ItemIsMenu": "false", "Menu": "/MenuBar",
	} {
		if got, err := host.Property(item, name); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s = %v, %v; want %s", name, got, err, want)
		}
	}
	if tip, err := host.Property(item, "ToolTip"); err != nil || !strings.Contains(fmt.Sprint(tip), "3 &lt; 4 &amp; more<br/>lines") {
		t.Errorf("ToolTip = %v, %v", tip, err)
	}
	if v, err := host.Property(item, "Nonsense"); err == nil {
		t.Errorf("a property that is none is %v", v)
	}
	for _, p := range pictures(t, bus, item) {
		if p.Width != p.Height || len(p.Data) != int(4*p.Width*p.Height) || p.Width < 16 {
			t.Errorf("a picture of %d by %d with %d bytes", p.Width, p.Height, len(p.Data))
		}
	}
}

// What a person has to know looks different at every size.
func TestPicturesDiffer(t *testing.T) {
	bus := traytest.Bus(t)
	host := traytest.StartHost(t, bus)
	i, _, _ := newIcon(t, bus)
	item := host.Item()
	states := []icon.State{{}, {Unread: 1}, {Unread: 7}, {Unread: 8}, {Unread: 42}, {Unread: 42, Attention: true}, {Attention: true}, {Muted: true}, {Away: true}, {Away: true, Unread: 8}}
	for n := range 10 {
		states = append(states, icon.State{Unread: 50 + n})
	}
	seen := map[string]icon.State{}
	for _, s := range states {
		i.Set(s)
		for _, p := range pictures(t, bus, item) {
			key := fmt.Sprint(p.Width, " ", string(p.Data))
			if other, known := seen[key]; known {
				t.Errorf("%d pixels: %+v looks like %+v", p.Width, s, other)
			}
			seen[key] = s
		}
	}
	i.Set(icon.State{Unread: 99})
	most := pictures(t, bus, item)
	i.Set(icon.State{Unread: 1234567})
	for n, p := range pictures(t, bus, item) {
		if string(p.Data) != string(most[n].Data) {
			t.Error("more than 99 is not shown as 99")
		}
	}
}

func TestSignals(t *testing.T) {
	bus := traytest.Bus(t)
	conn := traytest.Dial(t, bus)
	signals := make(chan *dbus.Signal, 20)
	conn.Signal(signals)
	for _, name := range []string{"org.kde.StatusNotifierItem", "com.canonical.dbusmenu"} {
		if err := conn.AddMatchSignal(dbus.WithMatchInterface(name)); err != nil {
			t.Fatal(err)
		}
	}
	i, _, _ := newIcon(t, bus)
	names := func() string {
		var list []string
		for {
			select {
			case s := <-signals:
				if !strings.HasPrefix(s.Name, "org.freedesktop.DBus.") {
					list = append(list, s.Name[strings.LastIndexByte(s.Name, '.')+1:])
				}
			case <-time.After(100 * time.Millisecond):
				return strings.Join(list, " ")
			}
		}
	}
	menu := []icon.Item{{Key: "a", Label: "A"}}
	for _, tt := range []struct {
		state icon.State
		want  string
	}{
		{icon.State{Unread: 1, ToolTip: "T", Menu: menu}, "NewIcon NewToolTip LayoutUpdated"},
		{icon.State{Unread: 1, ToolTip: "T", Menu: menu}, ""},
		{icon.State{Unread: 1, ToolTip: "T", Menu: menu, Attention: true}, "NewIcon NewAttentionIcon NewStatus"},
		{icon.State{Unread: 1, ToolTip: "T", Menu: append(menu, icon.Item{}), Attention: true}, "LayoutUpdated"},
	} {
		i.Set(tt.state)
		if got := names(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.state, got, tt.want)
		}
	}
}

func TestClicks(t *testing.T) {
	bus := traytest.Bus(t)
	host := traytest.StartHost(t, bus)
	i, _, chosen := newIcon(t, bus)
	item := host.Item()
	i.Set(icon.State{Menu: []icon.Item{{Label: "just text"}, {}, {Key: "mute", Label: "Do_not disturb", Check: true, On: true}}})
	object := traytest.Dial(t, bus).Object(item, "/StatusNotifierItem")
	if err := object.Call("org.kde.StatusNotifierItem.ProvideXdgActivationToken", 0, "token").Err; err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := host.Activate(item); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := <-chosen, <-chosen; a != icon.Activated+" token" || b != icon.Activated+" " {
		t.Errorf("%q, %q", a, b)
	}
	lines, err := host.Menu(item)
	if err != nil || len(lines) != 3 {
		t.Fatalf("%+v, %v", lines, err)
	}
	if lines[0].Properties["enabled"].Value() != false || lines[1].Properties["type"].Value() != "separator" ||
		lines[2].Properties["label"].Value() != "Do__not disturb" || lines[2].Properties["toggle-state"].Value() != int32(1) {
		t.Errorf("%+v", lines)
	}
	for _, label := range []string{"just text", "Do__not disturb"} {
		if ok, err := host.Choose(item, label); !ok || err != nil {
			t.Errorf("%q: %v, %v", label, ok, err)
		}
	}
	if got := <-chosen; got != "mute " || len(chosen) != 0 {
		t.Errorf("%q and %d more", got, len(chosen))
	}
}

// Hosts ask for all of this; libdbusmenu-gtk for one.
func TestMenuQuestions(t *testing.T) {
	bus := traytest.Bus(t)
	host := traytest.StartHost(t, bus)
	i, _, chosen := newIcon(t, bus)
	item := host.Item()
	i.Set(icon.State{Menu: []icon.Item{{Key: "a", Label: "A"}, {Key: "b", Label: "B"}}})
	menu := traytest.Dial(t, bus).Object(item, "/MenuBar")
	type line struct {
		ID         int32
		Properties map[string]dbus.Variant
	}
	var lines []line
	if err := menu.Call("com.canonical.dbusmenu.GetGroupProperties", 0, []int32{}, []string{}).Store(&lines); err != nil || len(lines) != 3 {
		t.Errorf("all: %+v, %v", lines, err)
	}
	if err := menu.Call("com.canonical.dbusmenu.GetGroupProperties", 0, []int32{2, 9}, []string{}).Store(&lines); err != nil || len(lines) != 1 || lines[0].ID != 2 {
		t.Errorf("one of two: %+v, %v", lines, err)
	}
	var v dbus.Variant
	if err := menu.Call("com.canonical.dbusmenu.GetProperty", 0, int32(1), "label").Store(&v); err != nil || v.Value() != "A" {
		t.Errorf("label: %v, %v", v, err)
	}
	for _, args := range [][]any{{int32(9), "label"}, {int32(1), "nonsense"}} {
		if err := menu.Call("com.canonical.dbusmenu.GetProperty", 0, args...).Err; err == nil {
			t.Errorf("%v has a value", args)
		}
	}
	if err := menu.Call("com.canonical.dbusmenu.GetLayout", 0, int32(-5), int32(-1), []string{}).Err; err == nil {
		t.Error("a line that is none has a layout")
	}
	type event struct {
		ID    int32
		Event string
		Data  dbus.Variant
		Time  uint32
	}
	var unknown []int32
	group := []event{{1, "hovered", dbus.MakeVariant(""), 0}, {2, "clicked", dbus.MakeVariant(""), 0}, {7, "clicked", dbus.MakeVariant(""), 0}}
	if err := menu.Call("com.canonical.dbusmenu.EventGroup", 0, group).Store(&unknown); err != nil || len(unknown) != 1 || unknown[0] != 7 {
		t.Errorf("EventGroup = %v, %v", unknown, err)
	}
	if got := <-chosen; got != "b " || len(chosen) != 0 {
		t.Errorf("%q and %d more", got, len(chosen))
	}
	var update bool
	if err := menu.Call("com.canonical.dbusmenu.AboutToShow", 0, int32(0)).Store(&update); err != nil || update {
		t.Errorf("AboutToShow = %v, %v", update, err)
	}
	for _, path := range []dbus.ObjectPath{"/MenuBar", "/StatusNotifierItem"} {
		var xml string
		err := traytest.Dial(t, bus).Object(item, path).Call("org.freedesktop.DBus.Introspectable.Introspect", 0).Store(&xml)
		if err != nil || !strings.HasSuffix(xml, "</interface></node>") {
			t.Errorf("%s: %q, %v", path, xml, err)
		}
	}
	if err := menu.Call("org.freedesktop.DBus.Properties.Set", 0, "com.canonical.dbusmenu", "Status", dbus.MakeVariant("x")).Err; err == nil {
		t.Error("a property can be set")
	}
}

func TestATrayThatComesLater(t *testing.T) {
	bus := traytest.Bus(t)
	conn := traytest.Dial(t, bus)
	signals := make(chan *dbus.Signal, 10)
	conn.Signal(signals)
	i, err := icon.New(t.Context(), conn, "Messages", func(string, string) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for s := range signals {
			i.Signal(ctx, s)
		}
	}()
	for range 2 {
		host := traytest.StartHost(t, bus)
		if item := host.Item(); !strings.HasPrefix(item, "org.kde.StatusNotifierItem-") {
			t.Errorf("the icon is called %q", item)
		}
		host.Stop()
	}
}
