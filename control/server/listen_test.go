package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/control/server"
	"messngr/store"
)

// socketPath returns a path for a socket in a folder that is not there yet.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "m") // the path of t.TempDir may be too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "run", "s")
}

// open serves the house on a socket until stop is called or the test ends.
func (h *house) open(t *testing.T, path string) (stop func()) {
	t.Helper()
	l, err := server.Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.service.Stop = cancel
	var done sync.WaitGroup
	done.Go(func() {
		if err := h.service.Serve(ctx, l); err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		done.Wait()
	})
	t.Cleanup(stop)
	return stop
}

func TestListen(t *testing.T) {
	h := newHouse(t)
	path := socketPath(t)
	stop := h.open(t, path)
	if runtime.GOOS == "linux" {
		for name, want := range map[string]os.FileMode{path: 0o666 | os.ModeSocket, filepath.Dir(path): 0o755 | os.ModeDir} {
			if info, err := os.Stat(name); err != nil || info.Mode() != want {
				t.Errorf("%s: %v, %v; want the mode %v", name, info.Mode(), err, want)
			}
		}
	}
	// Whoever runs the service may administer it.
	c := control.NewClient(path)
	if err := c.Service(t.Context(), "pause"); err != nil || !h.service.Router.Paused() {
		t.Errorf("pause by the own user = %v", err)
	}
	if _, err := server.Listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("another messngr (process %d) is running", os.Getpid())) {
		t.Errorf("a second Listen = %v, want that another one is running", err)
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("the first service has lost its socket: %v", err)
	}
	stop()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestListenAfterACrash(t *testing.T) {
	path := socketPath(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	newHouse(t).open(t, path)
	if _, err := control.NewClient(path).Status(t.Context()); err != nil {
		t.Errorf("Status = %v", err)
	}
}

func TestListenRefuses(t *testing.T) {
	path := socketPath(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("Listen at a file = %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
		t.Errorf("the file is %q, %v", b, err)
	}
	if _, err := server.Listen(t.Context(), filepath.Join(path, "below", "s")); err == nil {
		t.Error("Listen below a file worked")
	}
	if _, err := server.Listen(t.Context(), filepath.Join(filepath.Dir(path), strings.Repeat("x", 200))); err == nil {
		t.Error("Listen at a path that is too long worked")
	}
}

// A service that has no time to answer is not dead: its socket stays.
func TestListenBesideABusyService(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells that a queue is full")
	}
	path := socketPath(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	busy, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for { // until its queue is full
		conn, err := net.DialTimeout("unix", path, 100*time.Millisecond)
		if err != nil {
			break
		}
		defer conn.Close()
	}
	if _, err := server.Listen(t.Context(), path); err == nil {
		t.Error("Listen took the socket of a service that is alive")
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the socket is gone: %v", err)
	}
}

// When the service ends, whoever waits gets an answer, and then it ends soon.
func TestServeAnswersBeforeItEnds(t *testing.T) {
	h := newHouse(t)
	path := socketPath(t)
	stop := h.open(t, path)
	c := control.NewClient(path)
	var all sync.WaitGroup
	all.Go(func() {
		want := messngr.Acknowledged
		a, err := c.Send(t.Context(), control.SendRequest{To: []string{"alice"}, Text: "hello", Wait: &want, TimeoutSeconds: 60})
		if err != nil || len(a.Recipients) != 1 || a.Recipients[0].State != messngr.Delivered {
			t.Errorf("Send = %+v, %v; want what is known", a, err)
		}
	})
	all.Go(func() {
		err := c.Watch(t.Context(), -1, func(control.Message) error { return nil })
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("Watch = %v, want that the service goes away", err)
		}
	})
	for range 500 { // until the message is there
		if list, err := h.store.Inbox(t.Context(), store.Query{}); err == nil && len(list) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	begin := time.Now()
	stop()
	if d := time.Since(begin); d > 1500*time.Millisecond {
		t.Errorf("the end took %v", d)
	}
	all.Wait()
	if _, err := c.Status(t.Context()); !errors.Is(err, control.ErrNoService) {
		t.Errorf("Status = %v, want ErrNoService", err)
	}
}

// Who closes the store after Serve has returned takes it away from nobody.
func TestServeWaitsForWhoIsAtWork(t *testing.T) {
	h := newHouse(t)
	path := socketPath(t)
	stop := h.open(t, path)
	begun := make(chan struct{})
	var ended atomic.Bool
	h.service.Status = func(context.Context) control.Status {
		close(begun)
		time.Sleep(200 * time.Millisecond)
		ended.Store(true)
		return fullStatus(h.service.Names)
	}
	var asked sync.WaitGroup
	asked.Go(func() { _, _ = control.NewClient(path).Status(t.Context()) }) // which is told something, or that it is late
	<-begun
	stop()
	if !ended.Load() {
		t.Error("Serve has returned while somebody was at work")
	}
	asked.Wait()
}

func TestStopIsAnswered(t *testing.T) {
	h := newHouse(t)
	path := socketPath(t)
	stop := h.open(t, path)
	c := control.NewClient(path)
	if err := c.Service(t.Context(), "stop"); err != nil {
		t.Errorf("stop = %v", err)
	}
	stop() // which has to wait for nothing
	if _, err := c.Status(t.Context()); !errors.Is(err, control.ErrNoService) {
		t.Errorf("Status = %v, want ErrNoService", err)
	}
}

func TestServeOnASocketThatIsClosed(t *testing.T) {
	h := newHouse(t)
	l, err := server.Listen(t.Context(), socketPath(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.service.Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve = %v, want that the socket is closed", err)
	}
}

// Of services that start at the same moment one gets the socket, also where a dead
// one has left its own behind.
func TestListenAtTheSameMoment(t *testing.T) {
	for range 20 {
		path := socketPath(t)
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		left.SetUnlinkOnClose(false)
		left.Close()
		var all sync.WaitGroup
		opened := make(chan net.Listener, 8)
		for range cap(opened) {
			all.Go(func() {
				if l, err := server.Listen(t.Context(), path); err == nil {
					opened <- l
				}
			})
		}
		all.Wait()
		if len(opened) != 1 {
			t.Fatalf("%d services listen at one socket", len(opened))
		}
		l := <-opened
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatalf("nobody can reach the one that listens: %v", err)
		}
		conn.Close()
		l.Close()
	}
}

func TestListenPathTooLong(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	if l, err := server.Listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), "too long for a socket") {
		t.Errorf("Listen = %v, %v; want that the path is too long", l, err)
	}
}
