package daemon_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"messngr"
	"messngr/control"
	"messngr/daemon"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is the whole program, running in this process on loopback.
type service struct {
	*control.Client
	options daemon.Options
	out     *lockedBuffer
	stop    func()
	ended   chan error
}

// lockedBuffer is a writer for several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// start runs the service until the test ends, or until its own stop.
func start(t *testing.T, o daemon.Options) *service {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &service{
		Client: control.NewClient(o.Socket), options: o, out: new(lockedBuffer), stop: stop, ended: make(chan error, 1),
	}
	o.Stdout, o.Stderr, o.Interactive = s.out, s.out, true
	go func() { s.ended <- daemon.Run(ctx, o) }()
	t.Cleanup(func() { s.end(t) })
	for begin := time.Now(); !strings.Contains(s.out.String(), "is running as"); time.Sleep(2 * time.Millisecond) {
		select {
		case err := <-s.ended:
			s.ended <- err
			t.Fatalf("the service ended with %v\n%s", err, s.out)
		default:
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("the service does not come up:\n%s", s.out)
		}
	}
	return s
}

// end stops the service and checks that it did so in order.
func (s *service) end(t *testing.T) {
	t.Helper()
	s.stop()
	if s.ended == nil {
		return
	}
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("the service ended with %v\n%s", err, s.out)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("the service does not end:\n%s", s.out)
	}
	s.ended = nil
}

// options puts everything into a folder of the test, on ports of its own.
func options(t *testing.T) daemon.Options {
	t.Helper()
	dir := t.TempDir()
	none := filepath.Join(dir, "messngr.toml")
	if err := os.WriteFile(none, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return daemon.Options{
		Config: none, State: filepath.Join(dir, "state"), Socket: filepath.Join(dir, "s"), Name: "PC17",
		Workgroup: "OFFICE", PortOffset: freeOffset(t),
	}
}

// freeOffset finds a port offset at which nobody uses the ports of NetBIOS.
func freeOffset(t *testing.T) int {
	t.Helper()
	for offset := 20000 + os.Getpid()%20000; offset < 65000; offset += 997 {
		free := true
		for _, port := range []int{135, 139, 445} {
			l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port+offset))
			if err != nil {
				free = false
				continue
			}
			l.Close()
		}
		if free {
			return offset
		}
	}
	t.Fatal("no free ports")
	return 0
}

// inbox waits until the inbox has n messages, and returns them, oldest first.
func (s *service) inbox(t *testing.T, n int) []control.Message {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		list, err := s.Messages(t.Context(), control.MessageQuery{Oldest: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Messages) >= n {
			return list.Messages
		}
		if time.Since(begin) > 5*time.Second {
			t.Fatalf("the inbox has %d messages, want %d", len(list.Messages), n)
		}
	}
}

// shows waits until the terminal of the service shows the text.
func (s *service) shows(t *testing.T, text string) {
	t.Helper()
	for begin := time.Now(); !strings.Contains(s.out.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 5*time.Second {
			t.Fatalf("%q is not shown on the terminal:\n%s", text, s.out)
		}
	}
}

func TestMessagesGoOutByEveryRouteAndComeBackIn(t *testing.T) {
	s := start(t, options(t))
	for _, tc := range []struct {
		req   control.SendRequest
		state messngr.State
		via   string
	}{
		{control.SendRequest{To: []string{"PC17"}, Text: "local"}, messngr.Delivered, "local"},
		{control.SendRequest{To: []string{"PC17"}, Via: "smb", Address: "127.0.0.1", Text: "grüß\ngott"}, messngr.Accepted, "smb"},
		{control.SendRequest{To: []string{"127.0.0.1"}, Text: "by address"}, messngr.Accepted, "smb"},
		{control.SendRequest{To: []string{"PC17"}, Via: "rpc", Address: "127.0.0.1", Text: "call"}, messngr.Accepted, "rpc"},
		{control.SendRequest{To: []string{"everyone"}, Text: "for all"}, messngr.Sent, "mailslot"},
		{control.SendRequest{To: []string{"PC17"}, Via: "mailslot", Text: "datagram"}, messngr.Sent, "mailslot"},
	} {
		before, err := s.Messages(t.Context(), control.MessageQuery{})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := s.Send(t.Context(), tc.req)
		if err != nil {
			t.Fatalf("%q: %v", tc.req.Text, err)
		}
		if got := answer.Recipients[0]; got.State != tc.state || got.Via != tc.via || !answer.Reached {
			t.Errorf("%q: got state %v via %q, reached %v, want %v via %q", tc.req.Text, got.State, got.Via, answer.Reached, tc.state, tc.via)
		}
		list := s.inbox(t, before.Total+1)
		got := list[len(list)-1]
		if got.Text != tc.req.Text || got.Via != tc.via {
			t.Errorf("got message %q via %q, want %q via %q", got.Text, got.Via, tc.req.Text, tc.via)
		}
		s.shows(t, strings.Split(tc.req.Text, "\n")[0])
	}
}

func TestNetworkWall(t *testing.T) {
	o := options(t)
	if err := os.WriteFile(o.Config, []byte("[transport.rwall]\nenabled = true\nport = 100\nrpcbind = ''\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, o)
	st, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprintf("127.0.0.1:%d", 100+o.PortOffset)
	if !slices.ContainsFunc(st.Ports, func(p control.Port) bool { return p.Address == at && p.Network == "udp" && p.OK }) {
		t.Errorf("status does not say that %s is open: %+v", at, st.Ports)
	}
	answer, err := s.Send(t.Context(), control.SendRequest{To: []string{"PC17"}, Via: "rwall", Address: "127.0.0.1", Text: "to all"})
	if err != nil || answer.Recipients[0].State != messngr.Accepted {
		t.Fatalf("got %+v, %v, want it accepted", answer, err)
	}
	if got := s.inbox(t, 1)[0]; got.Via != "rwall" || got.Text != "to all" || got.Trust != messngr.Unverified {
		t.Errorf("got %+v", got)
	}
	s.shows(t, "to all")
}

func TestNobodyOfThatName(t *testing.T) {
	s := start(t, options(t))
	answer, err := s.Send(t.Context(), control.SendRequest{To: []string{"NOSUCH"}, Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.Recipients[0]; got.State != messngr.Failed || got.Code != "unknown_name" || got.Error == "" || got.Hint == "" {
		t.Errorf("got %+v, want failed with the code unknown_name, an error and a hint", got)
	}
}

func TestARestartKeepsEverything(t *testing.T) {
	o := options(t)
	s := start(t, o)
	if _, err := s.Send(t.Context(), control.SendRequest{To: []string{"PC17"}, Text: "keep me"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddName(t.Context(), control.NameRequest{Name: "backup", Persist: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddRule(t.Context(), control.RuleRequest{Verdict: "block", Match: "name:boss"}); err != nil {
		t.Fatal(err)
	}
	s.end(t)
	s = start(t, o)
	if got := s.inbox(t, 1); got[0].Text != "keep me" {
		t.Errorf("got %q after the restart", got[0].Text)
	}
	answer, err := s.Send(t.Context(), control.SendRequest{To: []string{"BACKUP"}, Text: "to the alias"})
	if err != nil || answer.Recipients[0].State != messngr.Delivered {
		t.Errorf("alias after the restart: %+v, %v", answer, err)
	}
	rules, err := s.Rules(t.Context())
	if err != nil || !strings.Contains(fmt.Sprint(rules), "name:BOSS") {
		t.Errorf("rules after the restart: %+v, %v", rules, err)
	}
}

func TestASecondServiceIsRefused(t *testing.T) {
	o := options(t)
	start(t, o)
	o.PortOffset++
	err := daemon.Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "messngr") {
		t.Errorf("got %v, want an error that says who is there", err)
	}
}

func TestPausedServiceTellsItsSenders(t *testing.T) {
	s := start(t, options(t))
	if err := s.Service(t.Context(), "pause"); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Send(t.Context(), control.SendRequest{To: []string{"127.0.0.1"}, Text: "x"})
	if err != nil || answer.Recipients[0].Code != "paused" {
		t.Errorf("got %+v, %v, want the code paused", answer, err)
	}
	if err := s.Service(t.Context(), "continue"); err != nil {
		t.Fatal(err)
	}
	answer, err = s.Send(t.Context(), control.SendRequest{To: []string{"127.0.0.1"}, Text: "x"})
	if err != nil || !answer.Reached {
		t.Errorf("got %+v, %v after the pause", answer, err)
	}
}

func TestStopByTheAPI(t *testing.T) {
	s := start(t, options(t))
	if err := s.Service(t.Context(), "stop"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-s.ended:
		s.ended = nil
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the service does not stop")
	}
}

func TestMistakesInTheOptions(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*daemon.Options)
		want   string
	}{
		"interface": {func(o *daemon.Options) { o.Interfaces = []string{"eth99"} }, "eth99"},
		"name":      {func(o *daemon.Options) { o.Name = "MUCHTOOLONGFORANAME" }, "MUCHTOOLONGFORANAME"},
		"wins":      {func(o *daemon.Options) { o.WINS = []string{"nbns.example"} }, "nbns.example"},
		"offset":    {func(o *daemon.Options) { o.PortOffset = 65530 }, "65530"},
		"config":    {func(o *daemon.Options) { o.Config = "/nonexistent.toml" }, "/nonexistent.toml"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			tc.change(&o)
			if err := daemon.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error about %q", err, tc.want)
			}
		})
	}
}

func TestStatusSaysHowToLetARefusedSourceIn(t *testing.T) {
	s := start(t, options(t))
	rule := control.RuleRequest{Verdict: "block", Match: "127.0.0.0/8"}
	if err := s.AddRule(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Send(t.Context(), control.SendRequest{To: []string{"PC17"}, Via: "smb", Address: "127.0.0.1", Text: "x"})
	if err != nil || answer.Reached || answer.Recipients[0].Code != "refused" {
		t.Fatalf("a blocked source got %+v, %v, want refused", answer, err)
	}
	st, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Refused) != 1 || st.Refused[0].Allow != "messngr policy remove block 127.0.0.0/8" {
		t.Fatalf("got refusals %+v", st.Refused)
	}
	if err := s.RemoveRule(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	if answer, err = s.Send(t.Context(), control.SendRequest{To: []string{"PC17"}, Via: "smb", Address: "127.0.0.1", Text: "x"}); err != nil || !answer.Reached {
		t.Errorf("after the rule was removed: %+v, %v", answer, err)
	}
	if st, err := s.Status(t.Context()); err != nil || st.Refused[0].Allow != "" {
		t.Errorf("after the rule was removed: %+v, %v; want nothing to do", st.Refused, err)
	}
}
