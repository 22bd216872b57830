package smbd_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"messngr/carrier/smbd"
	"messngr/wire/dcerpc"
	"messngr/wire/npa"
)

// echo is an interface whose procedures return what they are given: 0 at once, 1 with the
// client's machine in front, 2 never; others do not exist.
func echo() dcerpc.Syntax {
	return dcerpc.Syntax{ID: uuid.MustParse("60a15ec5-4de8-11d7-a637-005056a20182"), Major: 1}
}

func runEcho(_ context.Context, who npa.Client, c dcerpc.Call) ([]byte, error) {
	switch c.Op {
	case 0:
		return c.Stub, nil
	case 1:
		return append([]byte(who.Machine), c.Stub...), nil
	case 2:
		return nil, errors.New("never")
	case 3:
		panic("a mistake of ours")
	}
	return nil, &dcerpc.StatusError{Status: dcerpc.OpRange, Rejected: true}
}

// servePipes serves the pipe msgsvc in a folder of its own until the test ends.
func servePipes(t *testing.T, h smbd.Handler) (folder string, stop func()) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("no other system says who is at the other end of a socket")
	}
	folder = filepath.Join(t.TempDir(), "p")
	p := smbd.NewPipes(smbd.Config{Run: t.TempDir()}, folder, nil)
	p.Handle("msgsvc", echo(), h)
	return folder, run(t, p)
}

func run(t *testing.T, p *smbd.Pipes) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(stop)
	return stop
}

// client is smbd, with somebody who has opened a pipe.
type client struct {
	t    *testing.T
	conn net.Conn
	call uint32
}

var somebody = npa.Client{
	Level: 7, Machine: "alpha", Address: netip.MustParseAddrPort("10.77.0.1:50000"), SIDs: []string{npa.Authenticated},
}

func knock(t *testing.T, folder string) net.Conn {
	t.Helper()
	var conn net.Conn
	until(t, func() (ok bool) {
		var err error
		conn, err = net.Dial("unix", filepath.Join(folder, "msgsvc"))
		return err == nil
	})
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// openPipe opens the pipe for somebody.
func openPipe(t *testing.T, folder string, who npa.Client) *client {
	t.Helper()
	c := &client{t: t, conn: knock(t, folder)}
	intro, err := who.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.conn.Write(intro); err != nil {
		t.Fatal(err)
	}
	want := npa.AppendReply(nil, who.Level)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.conn, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("introduced, and heard %x, %v, want %x", got, err, want)
	}
	return c
}

func TestIntroductions(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	for name, b := range map[string]string{
		"too long":     "\xff\xff\xff\xff",
		"no magic":     "\x00\x00\x00\x0cNPAX\x07\x00\x00\x00\x07\x00\x00\x00",
		"newer":        "\x00\x00\x00\x0cNPAM\x09\x00\x00\x00\x09\x00\x00\x00",
		"a pipe's own": "\x10\x00\x05\x00\x0b\x03\x10\x00",
	} {
		conn := knock(t, folder)
		conn.Write([]byte(b))
		conn.(*net.UnixConn).CloseWrite()
		if got, err := io.ReadAll(conn); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: heard %x, %v, want the end", name, got, err)
		}
	}
	for level := uint32(npa.MinLevel); level <= npa.MaxLevel; level++ {
		who := somebody
		who.Level = level
		if got := openPipe(t, folder, who).bound().do(0, "x"); got != "x" {
			t.Errorf("level %d: got %q", level, got)
		}
	}
}

// TestManyPipes: one machine does not take the room of all others.
func TestManyPipes(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	for range smbd.MaxPerAddress {
		openPipe(t, folder, somebody).bound()
	}
	c := openPipe(t, folder, somebody)
	c.ends()
	other := somebody
	other.Address = netip.MustParseAddrPort("10.77.0.2:50000")
	if got := openPipe(t, folder, other).bound().do(0, "x"); got != "x" {
		t.Errorf("got %q", got)
	}
}

// TestTooManyPipes: all machines together have a limit as well, of which the log does not
// speak too often.
func TestTooManyPipes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no other system says who is at the other end of a socket")
	}
	var log bytes.Buffer
	folder := filepath.Join(t.TempDir(), "p")
	p := smbd.NewPipes(smbd.Config{Run: t.TempDir()}, folder, slog.New(slog.NewTextHandler(&log, nil)))
	p.Handle("msgsvc", echo(), runEcho)
	stop := run(t, p)
	who := somebody
	for i := range smbd.MaxClients {
		who.Address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 77, 1, byte(i / smbd.MaxPerAddress)}), 50000)
		openPipe(t, folder, who).bound()
	}
	for range 5 {
		conn, err := net.Dial("unix", filepath.Join(folder, "msgsvc"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("one more: %v, want the end", err)
		}
		conn.Close()
	}
	stop()
	if n := strings.Count(log.String(), "too many clients"); n != 1 {
		t.Errorf("said %d times in the log:\n%s", n, &log)
	}
}

// TestClientLeaves: who hangs up in the middle of a packet, of a call, or while it is run,
// leaves its place to others.
func TestClientLeaves(t *testing.T) {
	running := make(chan struct{}, 1)
	folder, _ := servePipes(t, func(_ context.Context, _ npa.Client, call dcerpc.Call) ([]byte, error) {
		if call.Op == 1 {
			running <- struct{}{}
			time.Sleep(20 * time.Millisecond)
		}
		return make([]byte, 100_000), nil
	})
	for range 6 { // fewer than may be open at once
		for _, leave := range []func(c *client){
			func(c *client) { c.write(c.pdu(c.request(3, 0, "half", false))[:30]) },
			func(c *client) { p := c.request(3, 0, "half", false); p.Last = false; c.write(c.pdu(p)) },
			func(c *client) { c.write(c.pdu(c.request(3, 1, "x", false))); <-running },
			func(c *client) { c.write(c.pdu(c.request(3, 0, "not read", false))) },
			func(c *client) { _, _ = c.conn.Write([]byte{9}) },
		} {
			c := openPipe(t, folder, somebody).bound()
			leave(c)
			c.conn.Close()
		}
	}
	// All places are free again, soon.
	intro, err := somebody.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	for until := time.Now().Add(10 * time.Second); open < smbd.MaxPerAddress && time.Now().Before(until); {
		conn := knock(t, folder)
		_, _ = conn.Write(intro)
		if _, err := io.ReadFull(conn, make([]byte, len(npa.AppendReply(nil, somebody.Level)))); err != nil {
			t.Fatal(err)
		}
		// Who has no place is let in, and sent away.
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			open++
		}
	}
	if open < smbd.MaxPerAddress {
		t.Errorf("only %d pipes can be open, want %d", open, smbd.MaxPerAddress)
	}
}

// TestPipesStop: a call that is being run is answered; clients that say nothing are not waited for.
func TestPipesStop(t *testing.T) {
	running, goOn := make(chan struct{}), make(chan struct{})
	folder, stop := servePipes(t, func(ctx context.Context, _ npa.Client, c dcerpc.Call) ([]byte, error) {
		close(running)
		<-goOn
		return c.Stub, ctx.Err()
	})
	silent := openPipe(t, folder, somebody).bound()
	busy := openPipe(t, folder, somebody).bound()
	busy.write(busy.pdu(busy.request(3, 0, "stored", false)))
	<-running
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	silent.ends()
	close(goOn)
	if got := busy.response(); got != "stored" {
		t.Errorf("got %q", got)
	}
	<-stopped
	if _, err := net.Dial("unix", filepath.Join(folder, "msgsvc")); err == nil {
		t.Error("the pipe can still be opened")
	}
}

// TestLinks: the link is made when smbd has a folder, and anew when that is new; what
// somebody else has put there stays.
func TestLinks(t *testing.T) {
	samba := filepath.Join(t.TempDir(), "np")
	link := filepath.Join(samba, "msgsvc")
	folder := filepath.Join(t.TempDir(), "p")
	p := smbd.NewPipes(smbd.Config{}, folder, nil)
	p.Handle("msgsvc", echo(), runEcho)
	p.Handle("wkssvc", echo(), runEcho)
	p.SetLinks(samba, 10*time.Millisecond)
	stop := run(t, p)
	for range 2 {
		if err := os.MkdirAll(samba, 0o700); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { to, err := os.Readlink(link); return err == nil && to == filepath.Join(folder, "msgsvc") })
		if files, err := os.ReadDir(samba); err != nil || len(files) != 1 {
			t.Errorf("smbd's folder has %v, %v, want one link", files, err)
		}
		if err := os.RemoveAll(samba); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(samba, 0o700); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { _, err := os.Readlink(link); return err == nil })
	stop()
	if _, err := os.Lstat(link); err == nil {
		t.Error("the link is still there at the end")
	}

	if err := os.WriteFile(link, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p = smbd.NewPipes(smbd.Config{}, folder, nil)
	p.Handle("msgsvc", echo(), runEcho)
	p.SetLinks(samba, 10*time.Millisecond)
	stop = run(t, p)
	time.Sleep(50 * time.Millisecond)
	stop()
	if info, err := os.Lstat(link); err != nil || !info.Mode().IsRegular() {
		t.Errorf("what was there is %v, %v", info, err)
	}
}

// TestPrivate: nobody else can open the sockets, and what is left over is no hindrance.
func TestPrivate(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	openPipe(t, folder, somebody)
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v", info, err)
	}
	p := smbd.NewPipes(smbd.Config{Run: t.TempDir()}, folder, nil)
	p.Handle("msgsvc", echo(), runEcho)
	before, err := os.Stat(filepath.Join(folder, "msgsvc"))
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, p)
	until(t, func() bool {
		now, err := os.Stat(filepath.Join(folder, "msgsvc"))
		return err == nil && !os.SameFile(before, now)
	})
	if got := openPipe(t, folder, somebody).bound().do(0, "x"); got != "x" {
		t.Errorf("got %q", got)
	}
	stop()
}

// TestNoFolder: without a place for its sockets the rest of the service goes on.
func TestNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := smbd.NewPipes(smbd.Config{Run: t.TempDir()}, filepath.Join(file, "p"), nil)
	p.Handle("msgsvc", echo(), runEcho)
	if err := p.Run(t.Context()); err != nil {
		t.Error(err)
	}
}
