package face_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/control/controltest"
	"messngr/desktop/xtest"
)

// program is messngr-desktop, made for the tests.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "messngr-desktop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "messngr-desktop")
	build := exec.Command("go", "build", "-o", program, "messngr/desktop/cmd/messngr-desktop")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// The names of the two faces on the session bus, which are what a screen reader
// knows them by.
const (
	popupApp  = "org.messngr.Popup"
	windowApp = "org.messngr.Window"
)

// stage is a desktop, a made-up service, and a face of it.
type stage struct {
	*xtest.Desktop
	t      *testing.T
	fake   *controltest.Fake
	socket string
	face   *xtest.Process
	reader *xtest.Reader
}

// setUp starts a desktop and a service with those messages, which came in a row
// and were not read.
func setUp(t *testing.T, o xtest.Options, messages ...control.Message) *stage {
	t.Helper()
	s := &stage{t: t, Desktop: xtest.Start(t, o), fake: controltest.New()}
	s.fake.Messages = nil
	for _, m := range messages {
		s.add(m)
	}
	s.socket = controltest.Start(t, s.fake)
	return s
}

// add puts a message into the inbox; nobody is told.
func (s *stage) add(m control.Message) {
	s.fake.Lock()
	defer s.fake.Unlock()
	n := len(s.fake.Messages) + 1
	m.Seq = int64(n)
	if m.ID == (messngr.ID{}) {
		m.ID = messngr.ID{1, byte(n >> 8), byte(n), 7: 0x70, 8: 0x80}
	}
	if m.ReceivedAt.IsZero() {
		m.ReceivedAt = controltest.Time().Add(time.Duration(n) * time.Minute)
	}
	if m.To == "" {
		m.To = "PC17"
	}
	s.fake.Messages = append(s.fake.Messages, m)
}

// arrive has a message arrive.
func (s *stage) arrive(m control.Message) {
	if m.To == "" {
		m.To = "PC17"
	}
	s.fake.Arrive(m)
}

// delete deletes a message, as somebody at another place would.
func (s *stage) delete(i int) {
	s.t.Helper()
	if err := control.NewClient(s.socket).Delete(s.t.Context(), s.message(i).ID); err != nil {
		s.t.Fatal(err)
	}
}

// show starts a face and a screen reader for it.
func (s *stage) show(app string, args ...string) {
	s.t.Helper()
	s.reader = s.Reader(app)
	s.face = s.Start(program, append(args, "--socket", s.socket)...)
}

// popup starts the pop-ups.
func (s *stage) popup(args ...string) {
	s.t.Helper()
	s.show(popupApp, append([]string{"popup"}, args...)...)
}

// window starts the window.
func (s *stage) window(args ...string) {
	s.t.Helper()
	s.show(windowApp, append([]string{"window"}, args...)...)
}

// readable waits until a window that has just come up takes answers.
func readable() { time.Sleep(1200 * time.Millisecond) }

// message looks at a message in the service's books.
func (s *stage) message(i int) control.Message {
	s.fake.Lock()
	defer s.fake.Unlock()
	return s.fake.Messages[i]
}

// lastSend is the last request to send.
func (s *stage) lastSend() control.SendRequest {
	s.fake.Lock()
	defer s.fake.Unlock()
	return s.fake.LastSend
}

// clean checks that the face ended without a complaint of GTK's.
func (s *stage) clean() {
	s.t.Helper()
	s.face.Stop()
	for line := range strings.Lines(s.face.Output()) {
		if strings.Contains(line, "Locale not supported") {
			continue // this machine has not got it; GTK's own words stay English
		}
		if strings.Contains(line, "CRITICAL") || strings.Contains(line, "WARNING") || strings.Contains(line, "panic") {
			s.t.Errorf("it said: %s", line)
		}
	}
}

// legacy is a message as the old wires bring it.
func legacy(from, text string) control.Message {
	return control.Message{From: from, Text: text, Via: "smb", Address: "10.0.0.7"}
}

// local is a message of a person who is known to this computer.
func local(from, text string) control.Message {
	return control.Message{From: from, Proven: from, Text: text, Via: "local", Trust: messngr.Vouched}
}
