package face_test

import (
	"slices"
	"strings"
	"testing"

	"messngr"
	"messngr/control"
	"messngr/desktop/xtest"
)

// isControl reports whether a person can do something with it.
func isControl(n xtest.Node) bool {
	return n.Is("showing") && (n.Is("focusable") || len(n.Actions) > 0) && n.Role != "label" && n.Role != "separator" && n.Role != "icon"
}

// roles are what screen readers have words for, of all that the windows are made
// of.
var roles = []string{"push button", "toggle button", "radio button", "check box", "text", "list box", "list item", "menu item", "scroll bar", "split pane"}

// checkControls checks that every control that is seen has a name and a role,
// and says whether it can be used; it returns their names.
func (s *stage) checkControls(where string, least int) (names []string) {
	s.t.Helper()
	tree := s.reader.Tree()
	for c := range tree.All() {
		if !isControl(c) {
			continue
		}
		names = append(names, c.Name)
		if c.Name == "" && c.LabelledBy == "" && c.Role != "scroll bar" && c.Role != "split pane" {
			s.t.Errorf("%s: a %s has no name:\n%s", where, c.Role, tree)
		}
		if !slices.Contains(roles, c.Role) {
			s.t.Errorf("%s: %q is a %s", where, c.Name, c.Role)
		}
		if !c.Is("enabled") && c.Is("sensitive") {
			s.t.Errorf("%s: %q has the states %q", where, c.Name, c.States)
		}
	}
	if len(names) < least {
		s.t.Errorf("%s: only %q were found, want %d or more", where, names, least)
	}
	return names
}

// Whatever a person can do something with has a role, a name and a state for
// screen readers, in every window.
func TestEveryControlHasAName(t *testing.T) {
	t.Parallel()
	q := local("alice", "Are you in?")
	q.Answers = []string{"Yes", "No"}
	s := setUp(t, xtest.Options{}, append(three(), q)...)
	s.window()
	s.reader.Await("push button", "Yes")
	s.checkControls("window", 10)
	s.Keys("F10")
	s.reader.Await("menu item", "Options…")
	s.checkControls("menu", 13)
	s.Keys("o")
	s.reader.Await("check box", "Always on top")
	s.checkControls("options", 16)
	s.Keys("Escape")
	s.Until("the options to go", func() bool { return len(s.Windows("^Options$")) == 0 })
	s.Keys("F10")
	s.reader.Await("menu item", "About")
	s.Keys("a")
	about := s.reader.Await("frame", "About")
	if b, ok := about.Find("push button", "Close"); !ok || !b.Is("focused") {
		t.Errorf("About has no button that has the keyboard and closes it:\n%s", about)
	}
	for _, want := range []string{"Messages", "messngr-desktop*", "Messages shows what arrives for you*"} {
		if _, ok := about.Find("label", want); !ok {
			t.Errorf("About does not say %q:\n%s", want, about)
		}
	}
	s.checkControls("about", 11)
	s.Keys("Escape")
	s.Until("About to go", func() bool { return len(s.Windows("^About$")) == 0 })
	s.reader.Press("push button", "I have read this", 1)
	s.Until("the mark", func() bool { return s.message(3).AcknowledgedAt != nil })
	s.Keys("ctrl+n")
	s.reader.Await("text", "To:")
	s.checkControls("compose", 14)
	s.face.Stop()
	s.popup()
	s.reader.Await("push button", "OK")
	readable()
	s.Keys("alt+r")
	s.reader.Await("push button", "Send")
	s.checkControls("pop-up", 4)
}

func TestEveryControlOfAnEmergencyHasAName(t *testing.T) {
	t.Parallel()
	q := lockdown()
	q.Answers = []string{"I am safe", "I need help"}
	s := setUp(t, xtest.Options{}, q, drill())
	s.popup()
	s.reader.Await("push button", "I need help")
	names := s.checkControls("emergency", 3)
	for _, want := range []string{"I am safe", "I need help", "Message"} {
		if !slices.Contains(names, want) {
			t.Errorf("nothing is called %q: %q", want, names)
		}
	}
}

func TestEveryControlOfADigestHasAName(t *testing.T) {
	t.Parallel()
	var list []control.Message
	for range 10 {
		list = append(list, legacy("BOSS", "Hello"))
	}
	s := setUp(t, xtest.Options{}, list...)
	s.popup()
	s.reader.Await("push button", "Open the list")
	s.checkControls("digest", 3)
}

// tabs presses Tab until the keyboard is where it was, and checks that it was on
// every control of the window that can be used.
func (s *stage) tabs(where string, window func() xtest.Node) {
	s.t.Helper()
	key := func(n xtest.Node) string { return n.Role + " " + n.Name + n.LabelledBy }
	reached := map[string]bool{}
	focus := func() string {
		for n := range window().All() {
			if n.Is("focused") && n.Is("showing") {
				return key(n)
			}
		}
		return ""
	}
	first := ""
	s.Until("the keyboard in the "+where, func() bool { first = focus(); return first != "" })
	now := first
	const most = 30
	for range most {
		reached[now] = true
		s.Keys("Tab")
		before := now
		s.Until("the next control after "+before, func() bool {
			now = focus()
			return now != "" && now != before
		})
		if now == first {
			break
		}
	}
	radio := false
	for n := range window().All() {
		if !isControl(n) || !n.Is("sensitive") || !n.Is("focusable") {
			continue
		}
		switch n.Role {
		case "list item", "scroll bar", "split pane", "menu item":
			continue // arrows go there, or nobody needs to
		case "radio button": // arrows go from one to the others
			radio = radio || reached[key(n)]
			continue
		}
		if !reached[key(n)] {
			s.t.Errorf("%s: Tab does not get to the %s %q, only to %v", where, n.Role, n.Name, reached)
		}
	}
	if window().Count("radio button") > 0 && !radio {
		s.t.Errorf("%s: Tab gets to no radio button", where)
	}
	if len(reached) < 3 {
		s.t.Errorf("%s: Tab gets to %v only", where, reached)
	}
}

// Everything can be done without a pointer.
func TestTabGetsEverywhere(t *testing.T) {
	t.Parallel()
	q := local("alice", "Are you in?")
	q.Answers, q.Level = []string{"Yes", "No"}, messngr.LevelUrgent
	s := setUp(t, xtest.Options{}, append(three(), q)...)
	named := func(role, name string) func() xtest.Node {
		return func() xtest.Node { return s.reader.Await(role, name) }
	}
	s.window()
	s.reader.Await("push button", "Yes")
	s.tabs("window", func() xtest.Node { // its title counts
		for n := range s.reader.Tree().All() {
			if n.Role == "frame" && strings.HasSuffix(n.Name, "Messages – PC17") {
				return n
			}
		}
		return xtest.Node{}
	})
	if s.message(0).ReadAt != nil {
		t.Error("a message is read because the keyboard went through the list")
	}
	s.Keys("ctrl+f", "Tab", "shift+Tab")
	if n := s.reader.Await("text", "Search"); !n.Is("focused") {
		t.Error("Shift and Tab do not lead back from the list")
	}
	s.Keys("ctrl+n")
	s.reader.Await("text", "To:")
	s.Type("BOSS")
	s.Keys("alt+m")
	s.Type("Hello")
	s.tabs("compose", named("frame", "Send a message"))
	s.reader.Press("push button", "I have read this", 1)
	s.Until("the mark", func() bool { return s.message(3).AcknowledgedAt != nil })
	s.face.Stop()
	s.popup()
	s.reader.Await("push button", "Next")
	readable()
	s.tabs("pop-up", named("alert", "Message from “BOSS” (unverified)."))
}
