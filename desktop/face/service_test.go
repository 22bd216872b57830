package face_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/xtest"
)

// service is a real service, on loopback and on ports of its own.
type service struct {
	t      *testing.T
	binary string
	dir    string
	args   []string
	offset int
	cmd    *exec.Cmd
}

// startService makes the service and starts it.
func startService(t *testing.T, config string) *service {
	t.Helper()
	dir, err := os.MkdirTemp("", "messngr-s-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &service{t: t, dir: dir, binary: dir + "/messngr", offset: freeOffset(t)}
	build := exec.Command("go", "build", "-C", "../..", "-o", s.binary, "./cmd/messngr")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(dir+"/config", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = []string{
		"serve", "--config", dir + "/config", "--name", "PC17", "--port-offset", strconv.Itoa(s.offset),
		"--state", dir + "/state", "--socket", s.socket(),
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

// freeOffset finds an offset at which nobody has the ports of the service.
func freeOffset(t *testing.T) int {
	for range 50 {
		offset := 10_000 + rand.IntN(50_000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", offset+139))
		if err != nil {
			continue
		}
		l.Close()
		return offset
	}
	t.Fatal("no free ports")
	return 0
}

func (s *service) socket() string { return s.dir + "/s" }

func (s *service) client() *control.Client { return control.NewClient(s.socket()) }

func (s *service) start() {
	s.t.Helper()
	log, err := os.OpenFile(s.dir+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.Command(s.binary, s.args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := s.client().Status(s.t.Context()); err == nil {
			return
		}
		if time.Now().After(deadline) {
			b, _ := os.ReadFile(s.dir + "/log")
			s.t.Fatalf("the service does not answer:\n%s", b)
		}
	}
}

func (s *service) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt) // it may have ended
	_ = s.cmd.Wait()
}

// smb sends a message by SMB over loopback, as a machine elsewhere would.
func (s *service) smb(from, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	a, err := s.client().Send(ctx, control.SendRequest{From: from, To: []string{"127.0.0.1"}, Via: "smb", Text: text})
	if err == nil && !a.Reached {
		err = fmt.Errorf("not reached: %+v", a.Recipients)
	}
	return err
}

// newest is the message that came last.
func (s *service) newest() control.Message {
	s.t.Helper()
	l, err := s.client().Messages(s.t.Context(), control.MessageQuery{Limit: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(l.Messages) == 0 {
		return control.Message{}
	}
	return l.Messages[0]
}

// popupOf starts the pop-ups of a real service.
func popupOf(t *testing.T, sv *service, o xtest.Options) *stage {
	t.Helper()
	s := &stage{t: t, Desktop: xtest.Start(t, o), socket: sv.socket()}
	s.popup()
	return s
}

// From a machine elsewhere to the screen, and what the person does back to the
// service; also when the service is started anew in between.
func TestServiceToScreen(t *testing.T) {
	t.Parallel()
	xtest.Require(t)
	sv := startService(t, "")
	s := popupOf(t, sv, xtest.Options{})
	if err := sv.smb("BOSS", "Grüße"); err != nil {
		t.Fatal(err)
	}
	alert := s.reader.Await("alert", "Message from “BOSS” (unverified).")
	if _, ok := alert.Find("label", "Anybody can use this name; nobody has proven it. Came by SMB from 127.0.0.1."); !ok || alert.Description != "Grüße" {
		t.Errorf("it shows\n%s", alert)
	}
	s.Until("the mark", func() bool { return sv.newest().ShownAt != nil })
	sv.stop()
	sv.start()
	readable()
	if !strings.Contains(s.reader.Tree().String(), "Grüße") {
		t.Error("the message went away with the service")
	}
	s.Keys("Return")
	s.Until("the mark", func() bool { m := sv.newest(); return m.AcknowledgedAt != nil && m.ReadAt != nil })

	// What came while the service was away and what comes now.
	if _, err := sv.client().Send(t.Context(), control.SendRequest{Wall: true, Text: "Emergency", Level: messngr.LevelEmergency, Drill: true}); err != nil {
		t.Fatal(err)
	}
	s.reader.Await("label", "DRILL")
	m := sv.newest()
	if err := sv.client().Delete(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	s.Until("an empty screen", func() bool { return s.reader.Tree().Count("alert") == 0 })
	s.clean()
}

// A thousand messages by SMB within a moment: one digest, everything in the
// inbox, and the desktop still answers.
func TestServiceStorm(t *testing.T) {
	xtest.Require(t)
	sv := startService(t, "")
	s := popupOf(t, sv, xtest.Options{})
	began := time.Now()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 125 {
				if err := sv.smb(fmt.Sprintf("PC%02d", w), fmt.Sprintf("alarm %d", i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	most := 0
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		case <-time.After(50 * time.Millisecond):
			most = max(most, len(s.Windows("^(Message from|Many messages)")))
		}
	}
	sent := time.Since(began)
	alert := s.reader.Await("alert", "1000 messages are waiting")
	t.Logf("1,000 messages were sent in %v and counted after %v; at most %d windows; %d kB", sent.Round(time.Millisecond),
		time.Since(began).Round(time.Millisecond), most, s.face.RSS())
	if most > 1 {
		t.Errorf("there were %d windows, want 1", most)
	}
	if _, ok := alert.Find("label", "and 3 more senders"); !ok {
		t.Errorf("it shows\n%s", alert)
	}
	l, err := sv.client().Messages(t.Context(), control.MessageQuery{Unread: true, Limit: 2000})
	if err != nil || len(l.Messages) != 1000 {
		t.Errorf("%d messages are in the inbox, unread, want 1000; %v", len(l.Messages), err)
	}
	readable()
	s.Keys("Return")
	s.Until("the list", func() bool { return len(s.Windows("Messages – PC17")) == 1 })
	s.clean()
}

// How long it takes from the start of the SMB session to the pop-up on the
// screen, once the pop-ups run. What is measured has the sender's work in it.
func TestServiceLatency(t *testing.T) {
	t.Parallel()
	xtest.Require(t, "xev")
	const messages = 500
	sv := startService(t, "[policy.pop_up_per_source]\nrate = 0.0\n[policy.pop_up_in_all]\nrate = 0.0\n")
	s := popupOf(t, sv, xtest.Options{Bare: true})
	windows := watchWindows(s)
	await := func(what string, at <-chan time.Time) time.Time {
		select {
		case at := <-at:
			return at
		case <-time.After(10 * time.Second):
			t.Fatalf("waited in vain for %s", what)
			return time.Time{}
		}
	}
	show := func(text string) time.Duration {
		began := time.Now()
		if err := sv.smb("BOSS", text); err != nil {
			t.Fatal(err)
		}
		took := await("the pop-up", windows.mapped).Sub(began)
		m := sv.newest()
		if _, err := sv.client().Mark(t.Context(), control.MarkRequest{IDs: []messngr.ID{m.ID}, As: "read"}); err != nil {
			t.Fatal(err)
		}
		await("an empty screen", windows.unmapped)
		if n := len(windows.mapped); n > 0 {
			t.Fatalf("%d windows more than messages", n)
		}
		return took
	}
	show("to warm up")
	var took []time.Duration
	for i := range messages {
		took = append(took, show(fmt.Sprintf("message %d", i)))
	}
	slices.Sort(took)
	at := func(percent int) time.Duration { return took[(messages-1)*percent/100].Round(time.Millisecond / 10) }
	t.Logf("from SMB to the screen, %d messages: p50 %v, p90 %v, p99 %v, most %v", messages, at(50), at(90), at(99), at(100))
	if at(50) > 100*time.Millisecond {
		t.Errorf("the median is %v, want at most 100 ms", at(50))
	}
}

// windowTimes are the times at which windows come on the screen, and leave it.
type windowTimes struct{ mapped, unmapped chan time.Time }

func watchWindows(s *stage) windowTimes {
	cmd := exec.Command("xev", "-root", "-event", "substructure")
	cmd.Env = s.Env()
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	w := windowTimes{make(chan time.Time, 1000), make(chan time.Time, 1000)}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "MapNotify"):
				w.mapped <- time.Now()
			case strings.HasPrefix(line, "UnmapNotify"):
				w.unmapped <- time.Now()
			}
		}
	}()
	// It watches when it sees the window of another one.
	s.Until("the first window", func() bool {
		other := s.Start("xev", "-event", "structure")
		defer other.Stop()
		select {
		case <-w.mapped:
			other.Stop()
			<-w.unmapped
			return true
		case <-time.After(time.Second):
			return false
		}
	})
	return w
}

// Where nobody else can read it: the socket of a service of one's own.
func TestServiceGivesPeopleTheirOwn(t *testing.T) {
	t.Parallel()
	xtest.Require(t)
	sv := startService(t, "")
	if _, err := sv.client().Send(t.Context(), control.SendRequest{To: []string{"nobody"}, Via: "local", Text: "for nobody's eyes"}); err != nil {
		t.Fatal(err)
	}
	if err := sv.smb("BOSS", "for all"); err != nil {
		t.Fatal(err)
	}
	s := popupOf(t, sv, xtest.Options{})
	s.reader.Await("alert", "Message from “BOSS” (unverified).")
	time.Sleep(300 * time.Millisecond)
	if tree := s.reader.Tree().String(); strings.Contains(tree, "nobody's eyes") || strings.Contains(tree, " of 2") {
		t.Errorf("an administrator sees what is for somebody else:\n%s", tree)
	}
}
