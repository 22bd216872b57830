package control_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/control"
	"messngr/control/controltest"
)

func TestClientCalls(t *testing.T) {
	fake := controltest.New()
	c := control.NewClient(controltest.Start(t, fake))
	ctx := t.Context()

	if s, err := c.Status(ctx); err != nil || s.Name != "PC17" || s.Unread != 2 {
		t.Errorf("Status() = %v, %v; want PC17 with 2 unread messages", s, err)
	}
	if err := c.Service(ctx, "pause"); err != nil || fake.State.State != "paused" {
		t.Errorf("Service(pause) = %v and the service is %q", err, fake.State.State)
	}
	want := []control.Message{fake.Messages[2], fake.Messages[0]}
	l, err := c.Messages(ctx, control.MessageQuery{Unread: true, After: 3, Before: 8, Limit: 5})
	if diff := cmp.Diff(want, l.Messages); err != nil || diff != "" {
		t.Errorf("Messages(unread) error %v, -want +got:\n%s", err, diff)
	}
	if l, err := c.Messages(ctx, control.MessageQuery{Search: "R&D reboot", Oldest: true}); err != nil || len(l.Messages) != 0 {
		t.Errorf("Messages(search) = %v, %v; want none", l.Messages, err)
	}
	if m, err := c.Message(ctx, controltest.ID(2)); err != nil || m.From != "FS01" {
		t.Errorf("Message(2) = %v, %v; want the one of FS01", m, err)
	}
	mark := control.MarkRequest{IDs: []messngr.ID{controltest.ID(1), controltest.ID(99)}, As: "read"}
	if n, err := c.Mark(ctx, mark); err != nil || n != 1 {
		t.Errorf("Mark() = %d, %v; want 1", n, err)
	}
	if err := c.Delete(ctx, controltest.ID(1)); err != nil || len(fake.Messages) != 2 {
		t.Errorf("Delete() = %v, %d messages are left, want 2", err, len(fake.Messages))
	}
	a, err := c.Send(ctx, control.SendRequest{To: []string{"PC18"}, Text: "ü"})
	if err != nil || !a.Reached || fake.LastSend.Text != "ü" {
		t.Errorf("Send() = %v, %v, the service got %v", a, err, fake.LastSend)
	}
	sent, err := c.Sent(ctx, control.MessageQuery{})
	if err != nil || len(sent.Messages) != 1 {
		t.Fatalf("Sent() = %v, %v; want one message", sent, err)
	}
	if m, err := c.SentMessage(ctx, sent.Messages[0].ID); err != nil || len(m.Attempts) != 1 {
		t.Errorf("SentMessage() = %v, %v; want one attempt", m, err)
	}
}

func TestClientNamesAndRules(t *testing.T) {
	fake := controltest.New()
	c := control.NewClient(controltest.Start(t, fake))
	ctx := t.Context()

	if n, err := c.AddName(ctx, control.NameRequest{Name: "help desk"}); err != nil || n.Name != "HELP DESK" {
		t.Errorf("AddName() = %v, %v; want HELP DESK", n, err)
	}
	if err := c.RemoveName(ctx, "HELP DESK"); err != nil {
		t.Errorf("RemoveName() = %v", err)
	}
	if l, err := c.Names(ctx); err != nil || len(l.Names) != 5 {
		t.Errorf("Names() = %v, %v; want 5 names", l, err)
	}
	rule := control.RuleRequest{Verdict: "allow", Match: "10.1.0.0/16"}
	if err := c.AddRule(ctx, rule); err != nil {
		t.Errorf("AddRule() = %v", err)
	}
	if l, err := c.Rules(ctx); err != nil || len(l.Rules) != 3 {
		t.Errorf("Rules() = %v, %v; want 3 rules", l, err)
	}
	if err := c.RemoveRule(ctx, rule); err != nil || len(fake.Rules) != 2 {
		t.Errorf("RemoveRule() = %v, %d rules are left, want 2", err, len(fake.Rules))
	}
}

func TestClientErrors(t *testing.T) {
	c := control.NewClient(controltest.Start(t, controltest.New()))
	_, err := c.AddName(t.Context(), control.NameRequest{Name: "TAKEN"})
	var declined *control.Error
	if !errors.As(err, &declined) || declined.Code != "conflict" || declined.Owner != "10.0.0.66" {
		t.Errorf("AddName(TAKEN) = %#v, want a conflict with 10.0.0.66", err)
	}

	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	l, err := net.Listen("unix", stale)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	for _, socket := range []string{filepath.Join(dir, "none"), stale, filepath.Join(stale, "below")} {
		if _, err := control.NewClient(socket).Status(t.Context()); !errors.Is(err, control.ErrNoService) {
			t.Errorf("Status() at %s = %v, want ErrNoService", socket, err)
		}
	}
}

func TestClientForeignAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"not json", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }, "answer to GET"},
		{"plain failure", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "\x1b[31m", 500) }, `"500 Internal Server Error"`},
		{"hang up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "ask the service"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			socket := serve(t, tt.answer)
			_, err := control.NewClient(socket).Status(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Status() = %v, want something with %q", err, tt.want)
			}
		})
	}
}

func TestClientEndsWithContext(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	socket := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := control.NewClient(socket).Status(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Status() = %v, want the end of the context", err)
	}
}

func TestClientWatch(t *testing.T) {
	fake := controltest.New()
	c := control.NewClient(controltest.Start(t, fake))
	done := errors.New("enough")

	var got []string
	err := c.Watch(t.Context(), 4, func(m control.Message) error {
		got = append(got, m.From)
		switch len(got) {
		case 2:
			fake.Arrive(control.Message{From: "NEW"})
		case 3:
			return done
		}
		return nil
	})
	if diff := cmp.Diff([]string{"FS01", "MÜLLER", "NEW"}, got); err != done || diff != "" {
		t.Errorf("Watch(4) = %v, -want +got:\n%s", err, diff)
	}

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		time.Sleep(10 * time.Millisecond)
		cancel()
	}()
	if err := c.Watch(ctx, -1, func(control.Message) error { return done }); err != nil {
		t.Errorf("Watch() that was ended = %v, want nil and no message", err)
	}
}

func TestClientWatchEnds(t *testing.T) {
	socket := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("\n")) })
	err := control.NewClient(socket).Watch(t.Context(), 0, func(control.Message) error { return nil })
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Watch() of a service that ends = %v, want io.ErrUnexpectedEOF", err)
	}
}

func TestFindSocket(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "messngr.sock")
	getenv := func(values ...string) func(string) string {
		return func(key string) string {
			for i := 0; i+1 < len(values); i += 2 {
				if values[i] == key {
					return values[i+1]
				}
			}
			return ""
		}
	}
	if got := control.FindSocket("/x", getenv("MESSNGR_SOCKET", "/y")); got != "/x" {
		t.Errorf("FindSocket(/x) = %s", got)
	}
	if got := control.FindSocket("", getenv("MESSNGR_SOCKET", "/y", "XDG_RUNTIME_DIR", dir)); got != "/y" {
		t.Errorf("FindSocket with MESSNGR_SOCKET = %s, want /y", got)
	}
	if _, err := os.Stat("/run/messngr/messngr.sock"); err == nil {
		return // a service of this machine comes before those of a user
	}
	if got := control.FindSocket("", getenv("XDG_RUNTIME_DIR", dir)); got != "/run/messngr/messngr.sock" {
		t.Errorf("FindSocket without any socket = %s, want the system's", got)
	}
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := control.FindSocket("", getenv("XDG_RUNTIME_DIR", dir)); got != own {
		t.Errorf("FindSocket with a user's socket = %s, want %s", got, own)
	}
}

// serve answers every request with h, on a new socket.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
		os.RemoveAll(dir)
	})
	return dir + "/s"
}

func TestSocketPathTooLong(t *testing.T) {
	c := control.NewClient(filepath.Join(t.TempDir(), strings.Repeat("x", 120)))
	if _, err := c.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "too long for a socket") {
		t.Errorf("got %v, want that the path is too long", err)
	}
}
