package face_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/xtest"
)

// What a person must not miss, and must not confirm by mistake.

// Somebody who writes in another window and has not looked up yet confirms
// nothing, however long it takes.
func TestNobodyConfirmsWhileWriting(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, legacy("BOSS", "Read me"))
	s.popup()
	s.reader.Await("push button", "OK")
	readable()
	for _, keys := range [][]string{{"d", "e", "a", "r"}, {"space"}, {"b", "o", "s"}, {"Return"}, {"t", "h", "e"}, {"space"}, {"Return"}} {
		s.Keys(keys...)
		time.Sleep(300 * time.Millisecond)
	}
	if len(s.Windows("^Message from")) != 1 || s.message(0).AcknowledgedAt != nil {
		t.Fatal("the message was confirmed by somebody who writes")
	}
	time.Sleep(1600 * time.Millisecond)
	s.Keys("Return")
	s.Until("the mark", func() bool { return s.message(0).AcknowledgedAt != nil })
	s.clean()
}

// The window that comes up for every message does not take an emergency away,
// nor the keyboard from it.
func TestEmergencyAndTheWindow(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window("-min")
	s.reader.Await("frame", "(3) Messages – PC17")
	popups := s.Reader(popupApp)
	s.Start(program, "popup", "--level", "urgent", "--socket", s.socket)
	time.Sleep(500 * time.Millisecond)
	s.arrive(lockdown())
	popups.Await("push button", "I have read this")
	s.Until("the window behind it", func() bool { return len(s.Windows("Messages – PC17")) == 1 })
	time.Sleep(1500 * time.Millisecond)
	if m := s.message(3); m.ReadAt != nil || m.AcknowledgedAt != nil {
		t.Error("an emergency is read because the window came up behind it")
	}
	if b := popups.Await("push button", "I have read this"); !b.Is("focused") {
		t.Error("the emergency has not got the keyboard")
	}
	s.Keys("Return")
	s.Until("the marks", func() bool { m := s.message(3); return m.ReadAt != nil && m.AcknowledgedAt != nil })
	s.Until("the emergency to go", func() bool { return len(covers(popups.Tree())) == 0 })
	s.clean()
}

// To have read an emergency somewhere is not to have acknowledged it, also when
// the service was away in between.
func TestEmergencyStaysUntilItIsAcknowledged(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, lockdown(), drill())
	s.popup()
	s.reader.Await("label", "EMERGENCY")
	stays := func(what, label string) {
		t.Helper()
		time.Sleep(500 * time.Millisecond)
		if _, ok := s.reader.Tree().Find("label", label); !ok {
			t.Fatalf("%s took it away", what)
		}
	}
	s.fake.Mark("read", s.message(0).ID, s.message(1).ID)
	stays("reading it elsewhere", "EMERGENCY")
	s.fake.HangUp()
	stays("a new connection", "EMERGENCY")
	s.fake.Mark("acknowledged", s.message(0).ID)
	s.reader.Await("label", "DRILL")
	// What nobody tells of is asked for.
	s.fake.Lock()
	at := time.Now()
	s.fake.Messages[1].AcknowledgedAt = &at
	s.fake.Unlock()
	stays("nothing", "DRILL")
	s.fake.HangUp()
	s.Until("an empty screen", func() bool { return len(covers(s.reader.Tree())) == 0 })
	s.clean()
}

// What is behind a lock was not shown to anybody, until the screen is unlocked.
func TestNothingIsShownOnALockedScreen(t *testing.T) {
	t.Parallel()
	first := local("alice", "Please come to room 4.")
	first.Level = messngr.LevelUrgent
	s := setUp(t, xtest.Options{}, first)
	told := filepath.Join(s.Dir(), "told")
	if err := syscall.Mkfifo(told, 0o600); err != nil {
		t.Fatal(err)
	}
	screen, err := os.OpenFile(told, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	s.reader = s.Reader(popupApp)
	s.face = s.Start("sh", "-c", `exec "$0" popup --screen --socket "$1" <"$2"`, program, s.socket, told)
	s.reader.Await("push button", "OK")
	hidden := func(i int) {
		t.Helper()
		time.Sleep(500 * time.Millisecond)
		if s.message(i).ShownAt != nil {
			t.Fatal("what nobody can see counts as shown")
		}
	}
	hidden(0) // nobody has said yet that the screen is not locked
	say := func(line string) {
		t.Helper()
		if _, err := screen.WriteString(line + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	say("locked")
	hidden(0)
	say("unlocked")
	s.Until("the first one to be shown", func() bool { return s.message(0).ShownAt != nil })
	say("locked")
	time.Sleep(200 * time.Millisecond)
	s.arrive(lockdown())
	s.reader.Await("label", "EMERGENCY")
	hidden(1)
	say("nonsense")
	hidden(1)
	say("unlocked")
	s.Until("the emergency to be shown", func() bool { return s.message(1).ShownAt != nil })
	s.clean()
}

// What a person has acknowledged while the service could not be told is not
// asked for again: it is told as soon as it can be.
func TestAcknowledgedWhileTheServiceIsAway(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, lockdown())
	s.popup()
	s.reader.Await("push button", "I have read this")
	deny := func(on bool) {
		s.fake.Lock()
		defer s.fake.Unlock()
		s.fake.Deny = on
	}
	deny(true)
	readable()
	s.Keys("Return")
	s.Until("an empty screen", func() bool { return len(covers(s.reader.Tree())) == 0 })
	time.Sleep(300 * time.Millisecond)
	if s.message(0).AcknowledgedAt != nil {
		t.Fatal("the service has taken it")
	}
	deny(false)
	s.fake.HangUp()
	s.Until("the mark", func() bool { return s.message(0).AcknowledgedAt != nil })
	if n := len(covers(s.reader.Tree())); n != 0 {
		t.Error("it was shown again")
	}
	s.clean()
}

// Pop-ups that are to end when everything is done stay when the service goes
// away: with the message, and with what the person has said to it.
func TestOnceAndTheServiceGoesAway(t *testing.T) {
	t.Parallel()
	m := local("alice", "Please come to room 4.")
	m.Level = messngr.LevelUrgent
	s := setUp(t, xtest.Options{}, m)
	s.popup("--level", "urgent", "--once")
	s.reader.Await("push button", "OK")
	s.fake.HangUp()
	readable()
	if len(s.Windows("Message from")) != 1 {
		t.Fatal("the message went away with the service")
	}
	s.fake.Lock()
	s.fake.Deny = true
	s.fake.Unlock()
	s.Keys("Return")
	s.Until("an empty screen", func() bool { return len(s.Windows("Message from")) == 0 })
	time.Sleep(500 * time.Millisecond)
	select {
	case <-s.face.Done():
		t.Fatalf("it ended before the service knew of the answer: %s", s.face.Output())
	default:
	}
	s.fake.Lock()
	s.fake.Deny = false
	s.fake.Unlock()
	s.fake.HangUp()
	select {
	case <-s.face.Done():
	case <-time.After(15 * time.Second):
		t.Error("it does not end when everything is done")
	}
	if m := s.message(0); m.AcknowledgedAt == nil || m.ReadAt == nil || s.face.ProcessState.ExitCode() != 0 {
		t.Errorf("exit code %d, %+v", s.face.ProcessState.ExitCode(), m)
	}
}

// In the window, what is urgent stays new until somebody says to have read it.
func TestWindowAcknowledges(t *testing.T) {
	t.Parallel()
	urgent := local("alice", "Please come to room 4.")
	urgent.Level = messngr.LevelUrgent
	s := setUp(t, xtest.Options{}, urgent, legacy("BOSS", "Hello"))
	s.window()
	s.Until("the mark of what was only looked at", func() bool { return s.message(1).ReadAt != nil })
	s.Keys("alt+p")
	s.reader.Await("label", "Urgent")
	seen := s.reader.Await("push button", "I have read this")
	time.Sleep(300 * time.Millisecond)
	if s.message(0).ReadAt != nil {
		t.Error("it is read because somebody looked at it")
	}
	s.Click(seen.X+seen.Width/2, seen.Y+seen.Height/2)
	s.Until("the marks", func() bool { m := s.message(0); return m.ReadAt != nil && m.AcknowledgedAt != nil })
	s.Until("the button to go", func() bool { return s.reader.Tree().Count("push button") == 5 })
	s.reader.Await("frame", "Messages – PC17")
	s.clean()
}

// asked is a question with as many answers as there can be.
func asked(level messngr.Level) control.Message {
	m := local("alice", "Which room are you in?")
	m.Level = level
	for i := range 9 {
		m.Answers = append(m.Answers, fmt.Sprintf("%d, on the floor with the number %d", i+1, i+1))
	}
	return m
}

// onScreen checks that what the windows of a face show is on the screen, and
// every button of them that does not have to be scrolled to.
func (s *stage) onScreen(where string, buttons ...string) {
	s.t.Helper()
	tree := s.reader.Tree()
	for n := range tree.All() {
		if (n.Role == "alert" || n.Role == "frame") && n.Is("showing") && (n.X < 0 || n.Y < 0 || n.X+n.Width > s.Size[0] || n.Y+n.Height > s.Size[1]) {
			s.t.Errorf("%s: the window is at %d,%d, %d by %d", where, n.X, n.Y, n.Width, n.Height)
		}
	}
	for _, name := range buttons {
		b, ok := tree.Find("push button", name)
		if !ok || b.X < 0 || b.Y < 0 || b.X+b.Width > s.Size[0] || b.Y+b.Height > s.Size[1] {
			s.t.Errorf("%s: %q is at %d,%d, %d by %d", where, name, b.X, b.Y, b.Width, b.Height)
		}
	}
}

// Nine answers leave room for what they answer, on a large screen and on a small
// one, where they scroll.
func TestNineAnswers(t *testing.T) {
	t.Parallel()
	for size, last := range map[[2]int]int{{1280, 800}: 8, {640, 480}: 2} {
		where := fmt.Sprint(size)
		s := setUp(t, xtest.Options{Width: size[0], Height: size[1]}, asked(messngr.LevelNotice))
		answers := asked(0).Answers[:last+1]
		s.popup()
		s.reader.Await("push button", answers[last])
		s.onScreen(where+" card", append(answers, "Reply")...)
		s.face.Stop()
		s.window()
		s.reader.Await("push button", answers[2])
		s.onScreen(where+" window", answers[:3]...)
		s.face.Stop()
		s.fake.Mark("acknowledged", s.message(0).ID)
		s.fake.Mark("read", s.message(0).ID)
		s.add(asked(messngr.LevelEmergency))
		s.popup()
		s.reader.Await("push button", answers[last])
		s.onScreen(where+" emergency", answers...)
		if l, ok := s.reader.Tree().Find("label", "EMERGENCY"); !ok || l.X < 0 || l.Y < 0 || l.X+l.Width > size[0] {
			t.Errorf("%s: the word is at %d,%d, %d wide", where, l.X, l.Y, l.Width)
		}
		readable()
		s.reader.Press("push button", answers[last], 1)
		s.Until("the answer", func() bool { return s.lastSend().Text == answers[last] })
		s.clean()
	}
}

// On the smallest screen with the largest letters the buttons are still there.
func TestLargeTextOnASmallScreen(t *testing.T) {
	t.Parallel()
	m := legacy("ADMINISTRATOR", "Your password has expired. Send it to me.")
	m.Warning = "nothing proves that this is ADMINISTRATOR; the name is easy to forge"
	s := setUp(t, xtest.Options{Width: 640, Height: 480}, m, legacy("BOSS", "two"))
	gtkSettings(t, s, "gtk-font-name=Sans 20")
	s.popup()
	s.reader.Await("push button", "OK")
	s.Until("the window in its place", func() bool {
		b, _ := s.reader.Tree().Find("push button", "OK")
		return b.Y > 0 && b.Y+b.Height <= 480
	})
	s.onScreen("card", "OK", "Reply", "Next")
	readable()
	s.Keys("alt+r")
	s.reader.Await("push button", "Send")
	time.Sleep(300 * time.Millisecond)
	s.onScreen("reply", "Send", "Cancel")
	s.Type("Yes")
	s.face.Stop()

	for i := range 9 {
		s.add(legacy(fmt.Sprint("PC0", i), "Disk full"))
	}
	s.popup()
	s.reader.Await("push button", "Open the list")
	s.onScreen("digest", "Open the list", "One by one", "Close")
	s.face.Stop()

	s.window()
	s.reader.Await("push button", "Discard") // it has no text, but a name
	for _, name := range []string{"Previous", "Next", "Reply", "Send…"} {
		if b, ok := s.reader.Tree().Find("push button", name); !ok || b.X+b.Width > 640 {
			t.Errorf("window: %q ends at %d", name, b.X+b.Width)
		}
	}
	s.Keys("ctrl+n")
	s.reader.Await("text", "To:")
	time.Sleep(300 * time.Millisecond)
	for _, name := range []string{"Send", "Cancel"} {
		if b, ok := s.reader.Tree().Find("push button", name); !ok || b.X+b.Width > 640 || b.Y+b.Height > 480 {
			t.Errorf("compose: %q ends at %d,%d", name, b.X+b.Width, b.Y+b.Height)
		}
	}
	s.clean()
}
