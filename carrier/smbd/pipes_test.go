package smbd_test

import (
	"bytes"
	"context"
	"encoding/binary"
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

	"github.com/google/go-cmp/cmp"
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

func (c *client) write(b []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(append(binary.LittleEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) read() (dcerpc.PDU, error) {
	var length [2]byte
	if _, err := io.ReadFull(c.conn, length[:]); err != nil {
		return dcerpc.PDU{}, err
	}
	b := make([]byte, binary.LittleEndian.Uint16(length[:]))
	if _, err := io.ReadFull(c.conn, b); err != nil {
		return dcerpc.PDU{}, err
	}
	p, rest, err := dcerpc.ParsePDU(b)
	if len(rest) > 0 {
		c.t.Errorf("%d bytes behind a packet", len(rest))
	}
	return p, err
}

func (c *client) pdu(p dcerpc.PDU) []byte {
	c.t.Helper()
	b, err := p.Append(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// bind proposes contexts and returns the answer.
func (c *client) bind(kind dcerpc.PacketType, size uint16, contexts ...dcerpc.Context) dcerpc.BindAck {
	c.t.Helper()
	body, err := (&dcerpc.Bind{MaxSend: size, MaxReceive: size, Contexts: contexts}).Append(nil, false)
	if err != nil {
		c.t.Fatal(err)
	}
	c.call++
	c.write(c.pdu(dcerpc.PDU{Type: kind, First: true, Last: true, Call: c.call, Body: body}))
	p, err := c.read()
	if err != nil || p.Call != c.call {
		c.t.Fatalf("bind is answered with %+v, %v", p, err)
	}
	ack, err := p.BindAck()
	if err != nil {
		c.t.Fatal(err)
	}
	return ack
}

func (c *client) bound() *client {
	c.t.Helper()
	ack := c.bind(dcerpc.TypeBind, 4280, dcerpc.Context{ID: 3, Interface: echo(), Transfer: []dcerpc.Syntax{dcerpc.NDR()}})
	want := dcerpc.BindAck{
		MaxSend: 4280, MaxReceive: 4280, Group: ack.Group, Address: `\PIPE\msgsvc`, Results: []dcerpc.Result{{Transfer: dcerpc.NDR()}},
	}
	if diff := cmp.Diff(want, ack); diff != "" || ack.Group == 0 {
		c.t.Fatalf("bind_ack (-want +got):\n%s", diff)
	}
	return c
}

// request is a call in one packet.
func (c *client) request(context, op uint16, stub string, big bool) dcerpc.PDU {
	c.call++
	p := (&dcerpc.RequestBody{AllocHint: uint32(len(stub)), Context: context, Op: op, Stub: []byte(stub)}).PDU(big)
	p.First, p.Last, p.Call = true, true, c.call
	return p
}

// do makes a call and returns its response.
func (c *client) do(op uint16, stub string) string {
	c.t.Helper()
	c.write(c.pdu(c.request(3, op, stub, false)))
	return c.response()
}

func (c *client) response() string {
	c.t.Helper()
	var whole []byte
	for first := true; ; first = false {
		p, err := c.read()
		if err != nil {
			c.t.Fatal(err)
		}
		body, err := p.Response()
		if err != nil || p.Call != c.call || p.First != first || body.Context != 3 {
			c.t.Fatalf("response %+v, %+v, %v", p, body, err)
		}
		if want := len(whole) + int(body.AllocHint); !first && want < len(whole) {
			c.t.Errorf("a hint of %d bytes", want)
		}
		if whole = append(whole, body.Stub...); p.Last {
			return string(whole)
		}
	}
}

func (c *client) fault() (dcerpc.Status, bool) {
	c.t.Helper()
	p, err := c.read()
	if err != nil {
		c.t.Fatal(err)
	}
	f, err := p.Fault()
	if err != nil || p.Call != c.call {
		c.t.Fatalf("fault %+v, %v", p, err)
	}
	return f.Status, p.DidNotExecute
}

func TestCalls(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	c := openPipe(t, folder, somebody).bound()
	for _, stub := range []string{"hello", "", string(bytes.Repeat([]byte("0123456789"), 5000))} {
		if got := c.do(0, stub); got != stub {
			t.Errorf("%d bytes came back for %d", len(got), len(stub))
		}
	}
	if got := c.do(1, "!"); got != "alpha!" {
		t.Errorf("got %q", got)
	}
	// In both orders of bytes.
	c.write(c.pdu(c.request(3, 0, "big", true)))
	if got := c.response(); got != "big" {
		t.Errorf("big-endian: got %q", got)
	}
}

func TestFaults(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	c := openPipe(t, folder, somebody).bound()
	for _, tt := range []struct {
		name        string
		context, op uint16
		want        dcerpc.Status
		notRun      bool
	}{
		{"no such procedure", 3, 9, dcerpc.OpRange, true},
		{"no such context", 4, 0, dcerpc.UnknownPresContext, true},
		{"failure", 3, 2, dcerpc.UnspecifiedFault, false},
	} {
		c.write(c.pdu(c.request(tt.context, tt.op, "x", false)))
		if got, notRun := c.fault(); got != tt.want || notRun != tt.notRun {
			t.Errorf("%s: %v, not run %v", tt.name, got, notRun)
		}
	}
	if got := c.do(0, "still here"); got != "still here" {
		t.Errorf("got %q", got)
	}
}

// TestFragments: calls and answers in pieces, packets in pieces, two packets at once.
func TestFragments(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	c := openPipe(t, folder, somebody).bound()
	whole := string(bytes.Repeat([]byte("0123456789abcdef"), 1000))
	c.call++
	for rest := whole; rest != ""; {
		n := min(len(rest), 4000)
		p := (&dcerpc.RequestBody{Context: 3, Op: 0, Stub: []byte(rest[:n])}).PDU(false)
		p.First, p.Last, p.Call = rest == whole, n == len(rest), c.call
		c.write(c.pdu(p))
		rest = rest[n:]
	}
	if got := c.response(); got != whole {
		t.Errorf("%d bytes came back, want %d", len(got), len(whole))
	}
	b := c.pdu(c.request(3, 0, "in pieces", false))
	for _, piece := range [][]byte{b[:7], b[7:20], b[20:]} {
		c.write(piece)
	}
	if got := c.response(); got != "in pieces" {
		t.Errorf("got %q", got)
	}
	two := append(c.pdu(c.request(3, 0, "one", false)), c.pdu(dcerpc.PDU{Type: dcerpc.TypeCoCancel, Call: c.call})...)
	c.write(two)
	if got := c.response(); got != "one" {
		t.Errorf("got %q", got)
	}
	// A call that its client gives up.
	p := c.request(3, 0, "half", false)
	p.Last = false
	c.write(c.pdu(p))
	c.write(c.pdu(dcerpc.PDU{Type: dcerpc.TypeOrphaned, Call: c.call}))
	if got := c.do(0, "another"); got != "another" {
		t.Errorf("got %q", got)
	}
}

// TestSmallClient: no packet is longer than its client takes.
func TestSmallClient(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	for size, want := range map[uint16]int{2048: 2048, 100: 1432, 65535: 4280} {
		c := openPipe(t, folder, somebody)
		ack := c.bind(dcerpc.TypeBind, size, dcerpc.Context{ID: 3, Interface: echo(), Transfer: []dcerpc.Syntax{dcerpc.NDR()}})
		c.write(c.pdu(c.request(3, 0, string(make([]byte, 20000)), false)))
		if int(ack.MaxSend) != want || int(ack.MaxReceive) != want {
			t.Errorf("for %d: agreed on %d and %d, want %d", size, ack.MaxSend, ack.MaxReceive, want)
		}
		longest := 0
		for {
			p, err := c.read()
			if err != nil {
				t.Fatal(err)
			}
			longest = max(longest, 16+len(p.Body))
			if p.Last {
				break
			}
		}
		if longest > want || longest < want-16 {
			t.Errorf("for %d: packets of %d bytes, want up to %d", size, longest, want)
		}
	}
}

func TestBind(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	c := openPipe(t, folder, somebody)
	ndr64 := dcerpc.Syntax{ID: uuid.MustParse("71710533-beba-4937-8319-b5dbef9ccc36"), Major: 1}
	features := dcerpc.Syntax{ID: uuid.MustParse("6cb71c2c-9812-4540-0300-000000000000"), Major: 1}
	other := dcerpc.Syntax{ID: uuid.MustParse("12345778-1234-abcd-ef00-0123456789ac"), Major: 1}
	ack := c.bind(dcerpc.TypeBind, 5840,
		dcerpc.Context{ID: 0, Interface: other, Transfer: []dcerpc.Syntax{dcerpc.NDR()}},
		dcerpc.Context{ID: 1, Interface: echo(), Transfer: []dcerpc.Syntax{ndr64}},
		dcerpc.Context{ID: 3, Interface: echo(), Transfer: []dcerpc.Syntax{ndr64, dcerpc.NDR()}},
		dcerpc.Context{ID: 4, Interface: echo(), Transfer: []dcerpc.Syntax{features}},
	)
	want := []dcerpc.Result{
		{Verdict: dcerpc.ProviderRejection, Reason: dcerpc.AbstractUnsupported},
		{Verdict: dcerpc.ProviderRejection, Reason: dcerpc.TransfersUnsupported},
		{Transfer: dcerpc.NDR()},
		{Verdict: dcerpc.NegotiateAck},
	}
	if diff := cmp.Diff(want, ack.Results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if got := c.do(0, "x"); got != "x" {
		t.Errorf("got %q", got)
	}
	later := c.bind(dcerpc.TypeAlter, 5840, dcerpc.Context{ID: 9, Interface: echo(), Transfer: []dcerpc.Syntax{dcerpc.NDR()}})
	if len(later.Results) != 1 || later.Results[0].Verdict != dcerpc.Acceptance || later.Address != "" {
		t.Errorf("alter_context is answered with %+v", later)
	}
}

// TestBindWithAuthentication: whom smbd has not introduced, nobody else does.
func TestBindWithAuthentication(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	c := openPipe(t, folder, somebody)
	body, err := (&dcerpc.Bind{MaxSend: 4280, MaxReceive: 4280, Contexts: []dcerpc.Context{
		{Interface: echo(), Transfer: []dcerpc.Syntax{dcerpc.NDR()}},
	}}).Append(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	c.write(c.pdu(dcerpc.PDU{Type: dcerpc.TypeBind, First: true, Last: true, Call: 1, Body: body,
		Auth: &dcerpc.Auth{Type: 10, Level: 6, Value: []byte("NTLMSSP\x00")}}))
	p, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	if reason, err := p.BindNak(); err != nil || reason != 8 {
		t.Errorf("answered with %+v, reason %d, %v, want 8", p, reason, err)
	}
	c.ends()
}

// ends checks that the server closes the pipe.
func (c *client) ends() {
	c.t.Helper()
	if p, err := c.read(); err == nil {
		c.t.Errorf("heard %+v, want the end", p)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Error("the pipe stays open")
	}
}

// TestPipeNonsense: it ends the one pipe, and nothing else.
func TestPipeNonsense(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	for name, say := range map[string]func(c *client){
		"no packet": func(c *client) { c.write([]byte("GET / HTTP/1.0\r\n\r\n")) },
		"a response": func(c *client) {
			c.write(c.pdu(dcerpc.PDU{Type: dcerpc.TypeResponse, First: true, Last: true, Body: make([]byte, 8)}))
		},
		"the middle of a call": func(c *client) { p := c.request(3, 0, "x", false); p.First = false; c.write(c.pdu(p)) },
		"the middle of another call": func(c *client) {
			p := c.request(3, 0, "x", false)
			p.Last = false
			c.write(c.pdu(p))
			p = c.request(3, 0, "x", false)
			p.First = false
			c.write(c.pdu(p))
		},
		"two orders of bytes in one call": func(c *client) {
			p := c.request(3, 0, "x", false)
			p.Last = false
			c.write(c.pdu(p))
			c.call--
			p = c.request(3, 0, "x", true)
			p.First = false
			c.write(c.pdu(p))
		},
		"a signed call": func(c *client) {
			p := c.request(3, 0, "x", false)
			p.Auth = &dcerpc.Auth{Type: 10, Level: 5, Value: make([]byte, 16)}
			c.write(c.pdu(p))
		},
		"a call without an end": func(c *client) {
			p := c.request(3, 0, string(make([]byte, 60000)), false)
			p.Last = false
			for i := range 5 {
				p.First = i == 0
				c.write(c.pdu(p))
			}
		},
		"a packet without an end": func(c *client) {
			c.write([]byte("\x05\x00\x00\x03\x10\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00"))
			c.write(make([]byte, 0xffff))
		},
		"no body":           func(c *client) { c.write(c.pdu(dcerpc.PDU{Type: dcerpc.TypeBind, First: true, Last: true})) },
		"a mistake of ours": func(c *client) { c.write(c.pdu(c.request(3, 3, "x", false))) },
	} {
		t.Run(name, func(t *testing.T) {
			c := openPipe(t, folder, somebody).bound()
			say(c)
			c.ends()
			if got := openPipe(t, folder, somebody).bound().do(0, "x"); got != "x" {
				t.Errorf("got %q", got)
			}
		})
	}
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
