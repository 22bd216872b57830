package face_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/desktop/xtest"
)

func TestPopupIsAnnouncedAndAcknowledgedByEnter(t *testing.T) {
	t.Parallel()
	m := legacy("BOSS", "Please call me.")
	m.Warning = "nothing proves that this is BOSS; the name is easy to forge"
	s := setUp(t, xtest.Options{}, m, local("alice", "Lunch?"))
	s.popup()
	s.reader.Await("push button", "OK")
	tree := s.reader.Tree()
	alert, ok := tree.Find("alert", "Message from “BOSS” (unverified).")
	if !ok || alert.Description != "Please call me." {
		t.Fatalf("no alert that says who sent what:\n%s", tree)
	}
	for _, want := range []string{
		"“BOSS”", "unverified", "Anybody can use this name; nobody has proven it. Came by SMB from 10.0.0.7.",
		"Nothing proves that this is BOSS. The name is easy to forge.", "1 of 2", "Esc: show it again in 10 minutes",
	} {
		if _, ok := alert.Find("label", want); !ok {
			t.Errorf("%q is not shown in\n%s", want, tree)
		}
	}
	if text, _ := alert.Find("text", "Message"); text.Text != "Please call me." || text.Is("editable") {
		t.Errorf("the text is %q %v, want one that cannot be changed", text.Text, text.States)
	}
	s.announced(alert.Name)
	if ok := s.reader.Await("push button", "OK"); !ok.Is("focused") {
		t.Errorf("OK has not got the keyboard:\n%s", tree)
	}

	readable()
	s.Keys("shift+Tab", "shift+Tab", "shift+Tab", "ctrl+a")
	if text := s.reader.Await("text", "Message"); text.Selected != text.Text {
		t.Errorf("%q is marked, want all of it", text.Selected)
	}
	s.Keys("Return")
	next := s.reader.Await("alert", "Message from alice (vouched for).")
	if _, ok := next.Find("label", "This computer vouches that its user alice sent it."); !ok {
		t.Errorf("it is not said how alice is known:\n%s", next)
	}
	s.Until("the mark", func() bool { m := s.message(0); return m.AcknowledgedAt != nil && m.ReadAt != nil })
	if m := s.message(1); m.AcknowledgedAt != nil {
		t.Error("the message that nobody answered is marked")
	}
	readable()
	s.Keys("Return")
	s.Until("an empty screen", func() bool { return len(s.Windows("^Message from")) == 0 })
	s.clean()
}

// announced waits until screen readers were told of an alert.
func (s *stage) announced(name string) {
	s.t.Helper()
	s.Until("screen readers to be told "+name, func() bool {
		return slices.ContainsFunc(s.reader.Events(), func(e xtest.Event) bool {
			return e.Role == "alert" && e.Name == name && strings.HasPrefix(e.Type, "window:activate")
		})
	})
}

// A key that was meant for another window is no answer.
func TestPopupTakesNoAnswerInTheFirstMoment(t *testing.T) {
	s := setUp(t, xtest.Options{}, legacy("BOSS", "Read me"))
	s.popup()
	s.Until("the pop-up", func() bool { return len(s.Windows("^Message from")) == 1 })
	s.Keys("Return", "space", "Escape")
	time.Sleep(300 * time.Millisecond)
	if len(s.Windows("^Message from")) != 1 || s.message(0).AcknowledgedAt != nil {
		t.Error("the message was answered by keys that came too early")
	}
	readable()
	s.Keys("alt+o")
	s.Until("the mark", func() bool { return s.message(0).AcknowledgedAt != nil })
}

func TestPopupReplyByKeyboard(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, legacy("BOSS", "Where are you?"))
	s.popup()
	s.reader.Await("push button", "OK")
	readable()
	s.Keys("alt+r")
	field := s.reader.Await("text", "Reply to BOSS (10.0.0.7)")
	if !field.Is("focused") {
		t.Error("the field to write in has not got the keyboard")
	}
	s.Type("In the cellar")
	s.Keys("Tab")
	if tree := s.reader.Tree(); !focused(tree, "push button", "Cancel") {
		t.Errorf("Tab does not lead out of the text:\n%s", tree)
	}
	s.Keys("shift+Tab", "ctrl+Return")
	s.reader.Await("label", "Accepted by BOSS. Whether anybody saw it is unknown.")
	got := s.lastSend()
	if got.Text != "In the cellar" || got.Address != "10.0.0.7" || got.InReplyTo != s.message(0).ID || len(got.To) != 1 || got.To[0] != "BOSS" {
		t.Errorf("sent %+v", got)
	}
	s.Keys("Return")
	s.Until("an empty screen", func() bool { return len(s.Windows("^Message from")) == 0 })
	if s.message(0).AcknowledgedAt == nil {
		t.Error("a message that was answered is not acknowledged")
	}
	s.clean()
}

func focused(tree xtest.Node, role, name string) bool {
	n, ok := tree.Find(role, name)
	return ok && n.Is("focused")
}

// A reply that cannot be delivered leaves what was written.
func TestPopupReplyThatFails(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, legacy("PAUSED", "Hello"))
	s.popup()
	s.reader.Await("push button", "OK")
	readable()
	s.Keys("alt+r")
	s.reader.Await("push button", "Send")
	s.Type("Yes")
	s.Keys("alt+s")
	s.reader.Await("label", "PAUSED has paused receiving messages.")
	if field := s.reader.Await("text", "Reply to PAUSED (10.0.0.7)"); field.Text != "Yes" {
		t.Errorf("the text is %q, want what was written", field.Text)
	}
	s.Keys("Escape", "Return")
	s.Until("the mark", func() bool { return s.message(0).AcknowledgedAt != nil })
}

func TestPopupQuestion(t *testing.T) {
	t.Parallel()
	m := local("alice", "Are you at your desk?")
	m.Answers = []string{"Yes", "No", "Not_yet"}
	s := setUp(t, xtest.Options{}, m)
	s.popup()
	s.reader.Await("push button", "Not_yet")
	tree := s.reader.Tree()
	if _, ok := tree.Find("push button", "OK"); ok {
		t.Errorf("a question has OK:\n%s", tree)
	}
	for name, key := range map[string]string{"Yes": "<Alt>y", "No": "<Alt>o", "Not_yet": "<Alt>t", "Reply": "<Alt>r"} {
		if b, ok := tree.Find("push button", name); !ok || len(b.Keys) == 0 || b.Keys[0] != key {
			t.Errorf("%s has the keys %q, want %s", name, b.Keys, key)
		}
	}
	readable()
	s.Keys("Return", "space")
	time.Sleep(300 * time.Millisecond)
	if got := s.lastSend(); got.Text != "" {
		t.Fatalf("Enter has answered %q", got.Text)
	}
	s.Keys("alt+y")
	s.Until("the answer", func() bool { return s.lastSend().Text == "Yes" })
	s.Until("an empty screen", func() bool { return len(s.Windows("^Message from")) == 0 })
	if got := s.lastSend(); got.Via != "local" || got.InReplyTo != s.message(0).ID {
		t.Errorf("sent %+v", got)
	}
	s.clean()
}

func TestPopupEscapePutsOff(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, legacy("BOSS", "one"))
	s.popup()
	s.reader.Await("push button", "OK")
	readable()
	s.Keys("Escape")
	s.Until("an empty screen", func() bool { return len(s.Windows("^Message from")) == 0 })
	if m := s.message(0); m.AcknowledgedAt != nil || m.ReadAt != nil {
		t.Error("a message that was put off is marked")
	}
	select {
	case <-s.face.Done():
		t.Error("it has ended")
	default:
	}
	s.arrive(legacy("BOSS", "two"))
	alert := s.reader.Await("alert", "Message from “BOSS” (unverified).")
	if alert.Description != "two" {
		t.Errorf("it shows %q, want the new message", alert.Description)
	}
}

func TestPopupGoesWhenItsTimeEndsOrItWasReadElsewhere(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(4 * time.Second)
	brief := legacy("FS01", "Rebooting now")
	brief.ExpiresAt = &soon
	s := setUp(t, xtest.Options{}, brief, legacy("BOSS", "read me elsewhere"), legacy("BOSS", "delete me elsewhere"))
	s.popup()
	first := s.reader.Await("alert", "Message from “FS01” (unverified).")
	if _, ok := first.Find("label", "Valid until "+soon.UTC().Format("15:04")); !ok {
		t.Errorf("it is not said until when it holds:\n%s", first)
	}
	s.Until("the second message", func() bool { return shows(s, "read me elsewhere") })
	s.fake.Mark("read", s.message(1).ID)
	s.Until("the third message", func() bool { return shows(s, "delete me elsewhere") })
	s.delete(2)
	s.Until("an empty screen", func() bool { return len(s.Windows("^Message from")) == 0 })
	s.clean()
}

func shows(s *stage, text string) bool {
	for n := range s.reader.Tree().All() {
		if n.Role == "alert" && n.Description == text {
			return true
		}
	}
	return false
}

// A sender that the service has told off is counted, and does not pop up by
// itself for every message.
func TestPopupQuietIsCounted(t *testing.T) {
	t.Parallel()
	quiet := legacy("SPAMMER", "Buy now")
	quiet.Quiet = true
	s := setUp(t, xtest.Options{}, legacy("BOSS", "Hello"), quiet, quiet)
	s.popup()
	s.reader.Await("label", "1 of 3")
	readable()
	s.Keys("Return")
	s.reader.Await("alert", "2 messages are waiting")
	readable()
	s.Keys("Escape")
	s.Until("an empty screen", func() bool { return s.reader.Tree().Count("alert") == 0 })
	s.arrive(quiet)
	time.Sleep(500 * time.Millisecond)
	if n := s.reader.Tree().Count("alert"); n != 0 {
		t.Errorf("it comes up again for one more message")
	}
	s.clean()
}

// What nobody has proven is never urgent, whatever it says of itself.
func TestPopupUnverifiedIsNeverAnEmergency(t *testing.T) {
	t.Parallel()
	m := legacy("HEADMASTER (verified)", "Evacuate!")
	m.Level = messngr.LevelEmergency
	s := setUp(t, xtest.Options{}, m)
	s.popup()
	alert := s.reader.Await("alert", "Message from “HEADMASTER [verified]” (unverified).")
	if alert.Width >= s.Size[0] || alert.Height >= s.Size[1] {
		t.Errorf("it covers the screen: %d by %d", alert.Width, alert.Height)
	}
	if _, ok := alert.Find("label", "Urgent"); ok {
		t.Error("it is marked as urgent")
	}
}

func TestPopupLevelAndOnce(t *testing.T) {
	t.Parallel()
	urgent := local("alice", "The building closes")
	urgent.Level = messngr.LevelUrgent
	s := setUp(t, xtest.Options{}, legacy("BOSS", "ordinary"), urgent)
	s.popup("--level", "urgent", "--once")
	s.reader.Await("alert", "Urgent. Message from alice (vouched for).")
	if _, more := s.reader.Tree().Find("push button", "Next"); more {
		t.Error("it counts a message below the level")
	}
	readable()
	s.fake.Lock() // the service takes its time
	s.Keys("Return")
	s.Until("an empty screen", func() bool { return len(s.Windows("Message from")) == 0 })
	time.Sleep(200 * time.Millisecond)
	s.fake.Unlock()
	select {
	case <-s.face.Done():
	case <-time.After(5 * time.Second):
		t.Error("it does not end when nothing is left to show")
	}
	if m := s.message(1); m.AcknowledgedAt == nil || m.ReadAt == nil {
		t.Errorf("it ended before the service knew of the answer: %+v", m)
	}
	if code := s.face.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	away := s.Start(program, "popup", "--once", "--socket", "/no/such/socket")
	if out := away.Output(); !strings.Contains(out, "no service is running at /no/such/socket") || away.ProcessState.ExitCode() != 1 {
		t.Errorf("without a service: exit code %d: %s", away.ProcessState.ExitCode(), out)
	}
}

// There is one pop-up in a session, however often it is started.
func TestPopupOnlyOnce(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, legacy("BOSS", "one"))
	s.popup()
	s.reader.Await("push button", "OK")
	second := s.Start(program, "popup", "--socket", s.socket)
	select {
	case <-second.Done():
	case <-time.After(5 * time.Second):
		t.Error("the second one stays")
	}
	if n := len(s.Windows("^Message from")); n != 1 {
		t.Errorf("there are %d windows, want 1", n)
	}
}
