package face_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/control"
	"messngr/desktop/xtest"
)

// three messages, like those in WinPopup's picture.
func three() []control.Message {
	return []control.Message{legacy("BOSS", "Please call me."), legacy("FS01", "Reboot at 18:00"), local("alice", "Lunch?")}
}

const counterThree = "Current message: 3   Total number of messages: 3"

func TestWindowShowsAndWalks(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window()
	s.reader.Await("status bar", counterThree)
	tree := s.reader.Tree()
	if _, ok := tree.Find("frame", "(2) Messages – PC17"); !ok {
		t.Errorf("the title does not say that two messages are new:\n%s", tree)
	}
	if n := tree.Count("list item"); n != 3 {
		t.Errorf("the list has %d rows, want 3", n)
	}
	for _, row := range []string{"alice, vouched for,*", "New: “FS01”, unverified,*", "New: “BOSS”, unverified,*"} {
		if _, ok := tree.Find("list item", row); !ok {
			t.Errorf("no row %q in\n%s", row, tree)
		}
	}
	shown := func(text string, buttons ...bool) {
		t.Helper()
		s.Until(text, func() bool {
			n, _ := s.reader.Tree().Find("text", "Text of the message")
			return n.Text == text
		})
		tree := s.reader.Tree()
		for i, name := range []string{"Previous", "Next"} {
			if b, _ := tree.Find("push button", name); b.Is("sensitive") != buttons[i] {
				t.Errorf("%s can be used: %v, want %v", name, !buttons[i], buttons[i])
			}
		}
	}
	shown("Lunch?", true, false)
	s.Keys("alt+p")
	shown("Reboot at 18:00", true, true)
	s.Keys("alt+Left")
	shown("Please call me.", false, true)
	s.reader.Await("status bar", "Current message: 1   Total number of messages: 3")
	s.Keys("alt+n")
	shown("Reboot at 18:00", true, true)
	s.reader.Press("push button", "Next", 1)
	shown("Lunch?", true, false)
	s.Until("the marks", func() bool { return s.message(0).ReadAt != nil && s.message(1).ReadAt != nil })
	if s.message(0).AcknowledgedAt != nil {
		t.Error("a message that was looked at is acknowledged")
	}
	s.clean()
}

func TestWindowDiscardAndUndo(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window()
	s.reader.Await("status bar", counterThree)
	s.Keys("ctrl+d")
	s.reader.Await("label", "The message was discarded.")
	s.reader.Await("status bar", "Current message: 2   Total number of messages: 2")
	s.Keys("alt+u")
	s.reader.Await("status bar", counterThree)
	if n := s.reader.Tree().Count("list item"); n != 3 {
		t.Errorf("the list has %d rows, want 3 again", n)
	}
	s.Keys("ctrl+d")
	s.reader.Await("label", "The message was discarded.")
	s.Keys("ctrl+q")
	select {
	case <-s.face.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("it does not end")
	}
	s.fake.Lock()
	defer s.fake.Unlock()
	if n := len(s.fake.Messages); n != 2 || s.fake.Messages[1].From != "FS01" {
		t.Errorf("%d messages are left, want the two that were not discarded", n)
	}
}

func TestWindowSearch(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window()
	s.reader.Await("status bar", counterThree)
	s.Keys("ctrl+f")
	s.Type("reboot")
	s.reader.Await("status bar", "Current message: 1   Found: 1")
	s.Keys("ctrl+a", "BackSpace")
	s.Type("nothing at all")
	s.reader.Await("label", "Nothing was found")
	s.Keys("Escape")
	s.reader.Await("status bar", counterThree)
	s.clean()
}

func TestWindowComposeCompletesAndRemembers(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window()
	s.reader.Await("status bar", counterThree)
	s.Keys("ctrl+n")
	to := s.reader.Await("text", "To:")
	if !to.Is("focused") {
		t.Error("the recipient has not got the keyboard")
	}
	s.Type("bo")
	time.Sleep(500 * time.Millisecond)
	s.Keys("Down", "Return")
	s.Type(", fs")
	time.Sleep(500 * time.Millisecond)
	s.Keys("Down", "Return")
	if to := s.reader.Await("text", "To:"); to.Text != "BOSS, FS01" {
		t.Fatalf("the recipients are %q", to.Text)
	}
	s.Keys("alt+m")
	s.Type("Hello")
	s.Keys("ctrl+Return")
	s.reader.Await("label", "Accepted by BOSS. Whether anybody saw it is unknown.\nAccepted by FS01. Whether anybody saw it is unknown.")
	if got := s.lastSend(); !slices.Equal(got.To, []string{"BOSS", "FS01"}) || got.Text != "Hello" {
		t.Errorf("sent %+v", got)
	}
	file := filepath.Join(s.Dir(), "home/.config/messngr/desktop.toml")
	s.Until("the file", func() bool {
		b, _ := os.ReadFile(file)
		return strings.Contains(string(b), "recipients = ['BOSS', 'FS01']")
	})
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has the mode %v, %v", info.Mode(), err)
	}
	s.clean()
}

// Whoever was not reached stays in the field.
func TestWindowComposeFailure(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window()
	s.reader.Await("status bar", counterThree)
	s.Keys("alt+s")
	s.reader.Await("text", "To:")
	s.Type("ALICE, NOBODY")
	s.Keys("alt+m")
	s.Type("Hello")
	s.reader.Press("push button", "Send", 1)
	s.reader.Await("label", "Accepted by ALICE.*")
	if to := s.reader.Await("text", "To:"); to.Text != "NOBODY" {
		t.Errorf("the recipients are %q, want those who were not reached", to.Text)
	}
	s.Keys("Escape")
	time.Sleep(300 * time.Millisecond)
	if to := s.reader.Await("text", "To:"); to.Text != "NOBODY" {
		t.Error("Escape has thrown away what was written")
	}
	s.Keys("alt+c")
	s.Until("one window", func() bool { return len(s.Windows("Send a message")) == 0 })
}

func TestWindowComposeToWorkgroup(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window()
	s.reader.Await("status bar", counterThree)
	s.Keys("alt+s")
	s.reader.Await("text", "To:")
	s.reader.Press("radio button", "Workgroup", 1)
	s.reader.Await("label", "This goes to everybody in WORKGROUP, and nobody can take it back.")
	s.Keys("alt+m")
	s.Type("Coffee")
	s.reader.Press("push button", "Send to everybody", 1)
	s.Until("the message", func() bool { return s.lastSend().Text == "Coffee" })
	if got := s.lastSend(); !slices.Equal(got.To, []string{"/domain"}) {
		t.Errorf("sent %+v", got)
	}
	s.reader.Await("label", "Sent to /domain. Nobody can tell whether it was received.")
}

func TestWindowReplyQuotes(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, legacy("BOSS", "Please call me.\n\nNow."))
	s.options("quote = true\n")
	s.window()
	s.reader.Await("status bar", "Current message: 1*")
	s.Keys("alt+r")
	s.reader.Await("label", "Reply to BOSS (10.0.0.7)")
	s.Type("Yes")
	s.Keys("ctrl+Return")
	s.Until("the reply", func() bool { return s.lastSend().Text != "" })
	if got, want := s.lastSend().Text, "BOSS wrote:\n| Please call me.\n|\n| Now.\n\nYes"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	if got := s.lastSend(); got.InReplyTo != s.message(0).ID || got.Address != "10.0.0.7" {
		t.Errorf("sent %+v", got)
	}
}

// The button of a notification opens the window to write an answer, whether the
// window runs or not.
func TestWindowReplyFromOutside(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window("--reply", s.message(0).ID.String())
	s.reader.Await("label", "Reply to BOSS (10.0.0.7)")
	s.Type("Yes")
	s.Keys("ctrl+Return")
	s.Until("the reply", func() bool { return s.lastSend().Text == "Yes" })
	s.Until("one window", func() bool { return len(s.Windows("^Reply$")) == 0 })
	s.Until("the message beside it", func() bool {
		n, _ := s.reader.Tree().Find("text", "Text of the message")
		return n.Text == "Please call me."
	})
	second := s.Start(program, "window", "--socket", s.socket, "--reply", s.message(1).ID.String())
	if out := second.Output(); out != "" || second.ProcessState.ExitCode() != 0 {
		t.Errorf("the second one ends with %d: %s", second.ProcessState.ExitCode(), out)
	}
	s.reader.Await("label", "Reply to FS01 (10.0.0.7)")
	s.clean()
}

func TestWindowAnswersQuestion(t *testing.T) {
	t.Parallel()
	m := local("alice", "Are you in?")
	m.Answers = []string{"Yes", "No"}
	s := setUp(t, xtest.Options{}, m)
	s.window()
	s.reader.Await("push button", "Yes")
	s.reader.Press("push button", "No", 1)
	s.Until("the mark", func() bool { return s.message(0).AcknowledgedAt != nil })
	if got := s.lastSend(); got.Text != "No" || got.InReplyTo != s.message(0).ID {
		t.Errorf("sent %+v", got)
	}
}

// options writes the person's options before the window starts.
func (s *stage) options(text string) {
	s.t.Helper()
	dir := filepath.Join(s.Dir(), "home/.config/messngr")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/desktop.toml", []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// It starts as an icon, and comes up when a message arrives, if that is chosen.
func TestWindowMinimizedComesUp(t *testing.T) {
	t.Parallel()
	for _, popUp := range []bool{true, false} {
		s := setUp(t, xtest.Options{}, three()...)
		s.options(fmt.Sprintf("pop_up = %v\n", popUp))
		s.window("-min")
		s.reader.Await("frame", "(3) Messages – PC17")
		if n := len(s.Windows("Messages – PC17")); n != 0 {
			t.Fatal("it did not start as an icon")
		}
		s.arrive(local("bob", "Wake up"))
		s.Until("the message", func() bool { _, ok := s.reader.Tree().Find("frame", "(4) Messages – PC17"); return ok || popUp })
		if popUp {
			s.Until("the window", func() bool { return len(s.Windows("Messages – PC17")) == 1 })
			s.Until("the new message", func() bool {
				n, _ := s.reader.Tree().Find("text", "Text of the message")
				return n.Text == "Wake up"
			})
		} else if time.Sleep(time.Second); len(s.Windows("Messages – PC17")) != 0 {
			t.Error("it came up, which was not chosen")
		}
		s.clean()
	}
}

// Minimized it is the icon in the tray and nothing else; a message brings it up,
// and so does a click on the icon, which starts it once more.
func TestWindowMinimizesToTheTray(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window("--tray", "--min")
	s.Until("the program", func() bool { return s.reader.Tree().Role == "application" })
	time.Sleep(500 * time.Millisecond)
	listed := func() bool {
		for id := range strings.FieldsSeq(strings.TrimPrefix(s.Run("xprop", "-root", "-notype", "_NET_CLIENT_LIST"), "_NET_CLIENT_LIST: window id #")) {
			if strings.Contains(s.Run("xprop", "-id", strings.TrimSuffix(id, ","), "WM_CLASS"), "messngr") {
				return true
			}
		}
		return false
	}
	up := func() bool { return len(s.Windows("Messages – PC17")) == 1 }
	if up() || listed() {
		t.Error("the desktop lists the window at the beginning")
	}
	s.arrive(local("bob", "Wake up"))
	s.Until("the window when a message comes", up)
	for range 2 {
		s.Run("xdotool", "windowminimize", s.Windows("Messages – PC17")[0])
		s.Until("the desktop to forget the window", func() bool { return !up() && !listed() })
		s.Start(program, "window", "--tray", "--socket", s.socket)
		s.Until("the window after a click on the icon", up)
	}
	// What is being written stays where it can be found.
	s.Keys("ctrl+n")
	s.reader.Await("text", "To:")
	s.Run("xdotool", "windowminimize", s.Windows("Messages – PC17")[0])
	s.Until("the window as an icon", func() bool { return !up() })
	time.Sleep(200 * time.Millisecond)
	if !listed() {
		t.Error("what is being written is nowhere to be seen")
	}
	s.clean()
}

// Starting it again brings it to the front, with the message that was asked for.
func TestWindowOnlyOnce(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window("--min")
	s.reader.Await("frame", "(3) Messages – PC17")
	second := s.Start(program, "window", "--socket", s.socket, "--message", s.message(0).ID.String())
	select {
	case <-second.Done():
	case <-time.After(5 * time.Second):
		t.Error("the second one stays")
	}
	s.Until("the window", func() bool { return len(s.Windows("Messages – PC17")) == 1 })
	s.Until("the message", func() bool {
		n, _ := s.reader.Tree().Find("text", "Text of the message")
		return n.Text == "Please call me."
	})
}

func TestWindowOptions(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.options("recipients = ['ALICE']\n")
	s.window()
	s.reader.Await("status bar", counterThree)
	s.Keys("F10")
	s.reader.Await("menu item", "Options…")
	s.Keys("o")
	for name, on := range map[string]bool{
		"Play a sound when a new message arrives": true, "Always on top": false, "Pop up when a message arrives": true,
		"Quote the message in a reply": false, "Remember recipients": true,
	} {
		if box := s.reader.Await("check box", name); box.Is("checked") != on {
			t.Errorf("%q is %v, want %v", name, !on, on)
		}
	}
	s.Keys("alt+a")
	file := filepath.Join(s.Dir(), "home/.config/messngr/desktop.toml")
	s.Until("the file", func() bool {
		b, _ := os.ReadFile(file)
		return strings.Contains(string(b), "always_on_top = true")
	})
	s.Keys("alt+f")
	s.Until("the file", func() bool {
		b, _ := os.ReadFile(file)
		return strings.Contains(string(b), "recipients = []")
	})
	s.Keys("Escape")
	s.Until("the options to go", func() bool { return len(s.Windows("^Options$")) == 0 })
	id := s.Windows("Messages – PC17")[0]
	s.Until("the window above others", func() bool {
		return strings.Contains(s.Run("xprop", "-id", id, "_NET_WM_STATE"), "_NET_WM_STATE_ABOVE")
	})
	s.clean()
}

// The list goes on as far as there are messages.
func TestWindowLoadsOlderMessages(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{})
	for i := range 450 {
		m := legacy("PC01", fmt.Sprintf("message %d", i+1))
		m.ReadAt = &m.ReceivedAt
		s.add(m)
	}
	s.window()
	s.reader.Await("status bar", "Current message: 450   Total number of messages: 450")
	s.Keys("End")
	s.reader.Await("status bar", "Current message: 251*")
	s.Until("older messages", func() bool {
		s.Keys("End")
		_, ok := s.reader.Tree().Find("status bar", "Current message: 1 *")
		return ok
	})
	s.clean()
}

// An empty window says so, and what it is for; the first message fills it.
func TestWindowEmpty(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{})
	s.window()
	s.reader.Await("status bar", "No messages")
	for _, want := range []string{"No messages", "What is sent to you or to PC17 appears here."} {
		s.Until(want, func() bool { l, ok := s.reader.Tree().Find("label", want); return ok && l.Is("showing") })
	}
	if l, ok := s.reader.Tree().Find("label", "Message from:"); ok && l.Is("showing") {
		t.Error("it shows the lines of a message that there is not")
	}
	s.arrive(legacy("BOSS", "Hello"))
	s.reader.Await("status bar", "Current message: 1*")
	s.Until("a row", func() bool { return s.reader.Tree().Count("list item") == 1 })
	s.clean()
}

func TestWindowWithoutService(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.socket = filepath.Join(s.Dir(), "none")
	s.window()
	s.reader.Await("label", "The Messenger service is not running. New messages appear when it runs again.")
	if _, ok := s.reader.Tree().Find("status bar", "No messages"); ok {
		t.Error("it says that there are no messages, which nobody knows")
	}
	s.fake.Serve(t, s.socket)
	s.reader.Await("status bar", counterThree)
	if _, ok := s.reader.Tree().Find("label", "The Messenger service is not running. New messages appear when it runs again."); ok {
		t.Error("it still says that the service does not run")
	}
	s.clean()
}
