package face_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/xtest"
)

// drill and lockdown are what a school sends.
func drill() control.Message {
	m := local("headmaster", "Lock your door, switch off the light, stay away from windows.")
	m.Title, m.Level, m.Drill = "Lockdown", messngr.LevelEmergency, true
	return m
}

func lockdown() control.Message {
	m := drill()
	m.Drill = false
	return m
}

// covers finds the windows of an emergency: alerts, by place and size.
func covers(tree xtest.Node) (list []xtest.Node) {
	for n := range tree.All() {
		if n.Role == "alert" && n.Is("showing") {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b xtest.Node) int { return a.X - b.X })
	return list
}

func TestEmergencyCoversBothMonitors(t *testing.T) {
	t.Parallel()
	xtest.RequireRoot(t)
	s := setUp(t, xtest.Options{TwoMonitors: true}, lockdown())
	s.popup()
	var list []xtest.Node
	s.Until("a window on each monitor", func() bool {
		list = covers(s.reader.Tree())
		return len(list) == 2 && list[0].Width == 1280 && list[1].Width == 1024
	})
	for i, want := range [][4]int{{0, 0, 1280, 800}, {1280, 0, 1024, 768}} {
		if got := [4]int{list[i].X, list[i].Y, list[i].Width, list[i].Height}; got != want {
			t.Errorf("window %d is at %v, want %v", i, got, want)
		}
		for _, text := range []string{"EMERGENCY", "Lockdown"} {
			if _, ok := list[i].Find("label", text); !ok {
				t.Errorf("window %d does not say %q:\n%s", i, text, list[i])
			}
		}
		if strings.Contains(list[i].String(), "DRILL") {
			t.Errorf("window %d calls it a drill", i)
		}
	}

	// A monitor that is pulled out and plugged in while it lasts.
	s.PlugSecond(false)
	s.Until("one window", func() bool { return len(covers(s.reader.Tree())) == 1 })
	s.PlugSecond(true)
	s.Until("two windows", func() bool {
		list = covers(s.reader.Tree())
		return len(list) == 2 && list[1].X == 1280 && list[1].Width == 1024
	})

	// It can be acknowledged on the second one.
	readable()
	b, ok := list[1].Find("push button", "I have read this")
	if !ok {
		t.Fatalf("no button on the second monitor:\n%s", list[1])
	}
	s.Click(b.X+b.Width/2, b.Y+b.Height/2)
	s.Until("the mark", func() bool { return s.message(0).AcknowledgedAt != nil })
	s.Until("empty screens", func() bool { return len(covers(s.reader.Tree())) == 0 })
	s.clean()
}

func TestEmergencyDrillSaysSo(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{Width: 1920, Height: 1080}, drill())
	s.popup()
	s.reader.Await("push button", "I have read this")
	list := covers(s.reader.Tree())
	if len(list) != 1 || list[0].Width != 1920 || list[0].Height != 1080 {
		t.Fatalf("it covers %v", list)
	}
	alert := list[0]
	if !strings.HasPrefix(alert.Name, "DRILL. This is an exercise. There is no emergency. Message from headmaster") {
		t.Errorf("screen readers are told %q first", alert.Name)
	}
	s.announced(alert.Name)
	for _, text := range []string{"DRILL", "DRILL   DRILL   DRILL", "This is an exercise. There is no emergency.", "Lockdown"} {
		if _, ok := alert.Find("label", text); !ok {
			t.Errorf("it does not say %q:\n%s", text, alert)
		}
	}
	if strings.Contains(alert.String(), "EMERGENCY") {
		t.Error("a drill calls itself an emergency")
	}
	// A line of 100 pixels has capitals of 52: 14 mm on a screen of 24 inches,
	// which a person with ordinary sight reads from over five metres.
	for _, n := range []string{"DRILL", "Lockdown"} {
		if l, _ := alert.Find("label", n); l.CharHeight < 100 {
			t.Errorf("%q is %d pixels high, want 100 or more", n, l.CharHeight)
		}
	}
	if text, _ := alert.Find("text", "Message"); text.CharHeight < 100 {
		t.Errorf("the text is %d pixels high, want 100 or more", text.CharHeight)
	}
	for n := range alert.All() {
		if n.Is("showing") && n.Height > 0 && (n.Y < 0 || n.Y+n.Height > 1080 || n.X < 0 || n.X+n.Width > 1920) && n.Role != "text" {
			t.Errorf("%s %q is not on the screen: %d,%d %d by %d", n.Role, n.Name, n.X, n.Y, n.Width, n.Height)
		}
	}
}

// Only an answer ends it, or its sender.
func TestEmergencyStays(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, lockdown())
	s.popup()
	s.reader.Await("push button", "I have read this")
	readable()
	s.Keys("Escape", "alt+F4", "ctrl+w", "ctrl+q")
	time.Sleep(300 * time.Millisecond)
	if len(covers(s.reader.Tree())) != 1 {
		t.Fatal("a key has closed it")
	}
	// It was deleted or taken back, the person has acknowledged it elsewhere, or its time is over.
	screens := func(n int) {
		t.Helper()
		s.Until(fmt.Sprintf("%d screens that are covered", n), func() bool { return len(covers(s.reader.Tree())) == n })
	}
	s.delete(0)
	screens(0)
	s.arrive(drill())
	screens(1)
	s.fake.Mark("acknowledged", s.message(0).ID)
	screens(0)
	s.arrive(lockdown())
	screens(1)
	s.fake.Mark("retracted", s.message(1).ID)
	screens(0)
	m, until := lockdown(), time.Now().Add(3*time.Second)
	m.ExpiresAt = &until
	s.arrive(m)
	screens(1)
	screens(0)
	if time.Now().Before(until) {
		t.Error("it went before its time")
	}
	s.clean()
}

// A real emergency comes before a drill, and a drill before everything else.
func TestEmergencyComesFirst(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, legacy("BOSS", "Lunch?"))
	s.popup()
	s.reader.Await("push button", "OK")
	s.arrive(drill())
	s.reader.Await("label", "DRILL")
	if n := len(covers(s.reader.Tree())); n != 1 {
		t.Errorf("there are %d windows, want 1", n)
	}
	s.arrive(lockdown())
	s.reader.Await("label", "EMERGENCY")
	tree := s.reader.Tree()
	if _, ok := tree.Find("label", "DRILL"); ok {
		t.Errorf("the drill is still there:\n%s", tree)
	}
	readable()
	s.Keys("Return")
	s.reader.Await("label", "DRILL")
	readable()
	s.Keys("alt+r")
	s.reader.Await("push button", "OK")
	s.Until("the marks", func() bool { return s.message(1).AcknowledgedAt != nil && s.message(2).AcknowledgedAt != nil })
	s.clean()
}

func TestEmergencyQuestion(t *testing.T) {
	t.Parallel()
	m := lockdown()
	m.Answers = []string{"I am safe", "I need help"}
	s := setUp(t, xtest.Options{}, m)
	s.popup()
	s.reader.Await("push button", "I need help")
	readable()
	s.reader.Press("push button", "I need help", 1)
	s.Until("the answer", func() bool { return s.lastSend().Text == "I need help" })
	s.Until("an empty screen", func() bool { return len(covers(s.reader.Tree())) == 0 })
}

// Nobody is locked behind a question that cannot be answered.
func TestEmergencyQuestionThatCannotBeAnswered(t *testing.T) {
	t.Parallel()
	m := lockdown()
	m.From, m.Proven, m.Answers = "PAUSED", "PAUSED", []string{"I am safe"}
	m.Via, m.Address = "samba", "10.0.0.7"
	s := setUp(t, xtest.Options{}, m)
	s.popup()
	s.reader.Await("push button", "I am safe")
	readable()
	s.Keys("alt+i")
	s.reader.Await("label", "PAUSED has paused receiving messages.")
	s.reader.Press("push button", "I have read this", 1)
	s.Until("the mark", func() bool { return s.message(0).AcknowledgedAt != nil })
}
