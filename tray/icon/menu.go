package icon

import (
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

const (
	menu     = "com.canonical.dbusmenu"
	menuPath = dbus.ObjectPath("/MenuBar")
)

// node is a line of the menu with those below it, as dbusmenu sends it: line 0
// is the menu itself, and the others have their place in State.Menu plus one.
type node struct {
	ID         int32
	Properties map[string]dbus.Variant
	Children   []dbus.Variant
}

func sameMenu(a, b []Item) bool { return slices.Equal(a, b) }

// lineProperties describes one line.
func lineProperties(it Item) map[string]dbus.Variant {
	p := map[string]dbus.Variant{}
	if it.Label == "" {
		p["type"] = dbus.MakeVariant("separator")
		return p
	}
	// An underscore marks the key of a line; two are one.
	p["label"] = dbus.MakeVariant(strings.ReplaceAll(it.Label, "_", "__"))
	p["enabled"] = dbus.MakeVariant(it.Key != "")
	if it.Check {
		p["toggle-type"] = dbus.MakeVariant("checkmark")
		state := int32(0)
		if it.On {
			state = 1
		}
		p["toggle-state"] = dbus.MakeVariant(state)
	}
	return p
}

func (i *Icon) line(id int32) (node, bool) {
	s, _ := i.now()
	switch {
	case id == 0:
		root := node{Properties: map[string]dbus.Variant{"children-display": dbus.MakeVariant("submenu")}, Children: []dbus.Variant{}}
		for n, it := range s.Menu {
			root.Children = append(root.Children, dbus.MakeVariant(node{int32(n + 1), lineProperties(it), []dbus.Variant{}}))
		}
		return root, true
	case id > 0 && int(id) <= len(s.Menu):
		return node{id, lineProperties(s.Menu[id-1]), []dbus.Variant{}}, true
	}
	return node{}, false
}

func menuProperties() map[string]dbus.Variant {
	return map[string]dbus.Variant{
		"Version":       dbus.MakeVariant(uint32(3)),
		"TextDirection": dbus.MakeVariant("ltr"),
		"Status":        dbus.MakeVariant("normal"),
		"IconThemePath": dbus.MakeVariant([]string{}),
	}
}

func noSuchLine() *dbus.Error {
	return dbus.NewError("org.freedesktop.DBus.Error.InvalidArgs", []any{"no such line"})
}

// menuMethods are the methods of com.canonical.dbusmenu.
func (i *Icon) menuMethods() map[string]any {
	return map[string]any{
		"GetLayout": i.layout, "GetGroupProperties": i.lines, "GetProperty": i.lineProperty,
		"Event": i.event, "EventGroup": i.events,
		// Whether the menu has changed since it was asked for: no, for every change
		// is told at once.
		"AboutToShow": func(int32) (bool, *dbus.Error) { return false, nil },
		"AboutToShowGroup": func([]int32) ([]int32, []int32, *dbus.Error) {
			return []int32{}, []int32{}, nil
		},
	}
}

// layout returns a line and those below it.
func (i *Icon) layout(parent, depth int32, _ []string) (uint32, node, *dbus.Error) {
	_, revision := i.now()
	n, ok := i.line(parent)
	if !ok {
		return 0, node{}, noSuchLine()
	}
	if depth == 0 {
		n.Children = []dbus.Variant{}
	}
	return revision, n, nil
}

// lineOf is a line in the answer of lines.
type lineOf struct {
	ID         int32
	Properties map[string]dbus.Variant
}

// lines returns the properties of several lines; of all for none.
func (i *Icon) lines(ids []int32, _ []string) ([]lineOf, *dbus.Error) {
	if len(ids) == 0 {
		s, _ := i.now()
		for n := range len(s.Menu) + 1 {
			ids = append(ids, int32(n))
		}
	}
	list := []lineOf{}
	for _, id := range ids {
		if n, ok := i.line(id); ok {
			list = append(list, lineOf{id, n.Properties})
		}
	}
	return list, nil
}

// lineProperty returns one property of a line.
func (i *Icon) lineProperty(id int32, name string) (dbus.Variant, *dbus.Error) {
	n, ok := i.line(id)
	v, has := n.Properties[name]
	if !ok || !has {
		return dbus.Variant{}, noSuchLine()
	}
	return v, nil
}

// event takes what a person did to a line.
func (i *Icon) event(id int32, event string, _ dbus.Variant, _ uint32) *dbus.Error {
	s, _ := i.now()
	if event != "clicked" || id < 1 || int(id) > len(s.Menu) {
		return nil
	}
	if key := s.Menu[id-1].Key; key != "" {
		i.choose(key)
	}
	return nil
}

// eventOf is one of several events.
type eventOf struct {
	ID    int32
	Event string
	Data  dbus.Variant
	Time  uint32
}

// events is event for several lines; it returns the lines that there are not.
func (i *Icon) events(events []eventOf) ([]int32, *dbus.Error) {
	unknown := []int32{}
	for _, e := range events {
		if _, ok := i.line(e.ID); !ok {
			unknown = append(unknown, e.ID)
			continue
		}
		_ = i.event(e.ID, e.Event, e.Data, e.Time)
	}
	return unknown, nil
}
