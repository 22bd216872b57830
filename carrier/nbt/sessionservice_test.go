package nbt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier"
	"messngr/wire/nbss"
	"messngr/wire/netbios"
)

// The ports of session tests, on addresses of loopback that are the process's own, so
// that tests of several packages can run at the same time.
const (
	testSession = 10139
	testDirect  = 10445
)

// ownAddr returns an address of loopback that nobody else is likely to use.
func ownAddr(n byte) netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, 100 + byte(pid>>8), byte(pid), n})
}

var (
	beta  = mustName("BETA", netbios.Messenger)
	alpha = mustName("ALPHA", netbios.Workstation)
)

// sessionHost is a carrier with the session service on loopback.
func sessionHost(t testing.TB, n byte, adjust func(*Config)) *Carrier {
	t.Helper()
	cfg := Config{
		Interfaces: []Interface{{Name: "lo", Prefix: netip.PrefixFrom(ownAddr(n), 8)}},
		Ports:      Ports{Session: testSession, Direct: testDirect},
		Log:        testLog(t, fmt.Sprint("host ", n)),
	}
	if adjust != nil {
		adjust(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// echo returns each message to its sender.
func echo(_ context.Context, s carrier.Session) {
	for {
		m, err := s.Read()
		if err != nil || s.Write(m) != nil {
			return
		}
	}
}

func admitAll(netip.Addr, netbios.Name) error { return nil }

// echoHost runs a host that admits everybody and returns messages.
func echoHost(t testing.TB, n byte, adjust func(*Config)) *Carrier {
	t.Helper()
	c := sessionHost(t, n, adjust)
	c.AdmitSessions(admitAll)
	c.HandleSessions(echo)
	run(t, c)
	return c
}

// connect opens a connection that ends with the test, and soon.
func connect(t testing.TB, addr netip.Addr, port uint16) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp4", netip.AddrPortFrom(addr, port).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// talk sends bytes and says which answer they should get; "" is the end of the
// connection without one.
func talk(t testing.TB, conn net.Conn, send, want string) {
	t.Helper()
	if send != "" {
		if _, err := io.WriteString(conn, send); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, max(len(want), 1))
	n, err := io.ReadFull(conn, got)
	if want == "" && (err == io.EOF || errors.Is(err, syscall.ECONNRESET)) {
		return
	}
	if string(got[:n]) != want {
		t.Fatalf("answer %q (%v) to %.80q, want %q", got[:n], err, send, want)
	}
}

func request(t testing.TB, called netbios.Name, scope string) string {
	t.Helper()
	b, err := nbss.Request{Called: called, Calling: alpha, CalledScope: scope}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	positive  = "\x82\x00\x00\x00"
	keepalive = "\x85\x00\x00\x00"
)

func framed(message string) string {
	b, err := nbss.Header{Length: len(message)}.AppendDirect(nil)
	if err != nil {
		panic(err)
	}
	return string(b) + message
}

func TestSessionsAreServed(t *testing.T) {
	c := sessionHost(t, 1, nil)
	c.AdmitSessions(admitAll)
	type names struct{ called, calling netbios.Name }
	seen := make(chan names, 1)
	c.HandleSessions(func(ctx context.Context, s carrier.Session) {
		seen <- names{s.Called(), s.Calling()}
		if s.Remote().Addr() != netip.MustParseAddr("127.0.0.1") && s.Remote().Addr() != ownAddr(1) {
			t.Errorf("session from %v", s.Remote())
		}
		echo(ctx, s)
	})
	run(t, c)
	long := strings.Repeat("x", nbss.MaxLength)
	tests := []struct {
		name        string
		port        uint16
		begin, then string
		want        names
	}{
		{"by name", testSession, request(t, beta, ""), positive, names{beta, alpha}},
		{"after a keepalive", testSession, keepalive + request(t, beta, ""), positive, names{beta, alpha}},
		{"without request", testSession, framed("first"), framed("first"), names{}},
		{"direct", testDirect, framed("first"), framed("first"), names{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn := connect(t, ownAddr(1), tt.port)
			talk(t, conn, tt.begin, tt.then)
			if got := <-seen; got != tt.want {
				t.Errorf("called %v by %v, want %v by %v", got.called, got.calling, tt.want.called, tt.want.calling)
			}
			talk(t, conn, framed("one"), framed("one"))
			talk(t, conn, framed("")+keepalive+keepalive+framed("two"), framed("")+framed("two"))
			talk(t, conn, framed(long), framed(long))
			for _, part := range []string{"\x00", "\x00\x00", "\x05sp", "lit"} { // TCP knows no messages
				io.WriteString(conn, part)
				time.Sleep(time.Millisecond)
			}
			talk(t, conn, "", framed("split"))
		})
	}
}

func TestSessionsAreRefused(t *testing.T) {
	c := sessionHost(t, 2, func(cfg *Config) { cfg.Scope = "LAB" })
	c.HandleSessions(echo)
	reasons := map[netbios.Name]error{
		mustName("NONAME", 3): carrier.ErrNoName, mustName("STRANGER", 3): carrier.ErrNotListening,
		mustName("FULL", 3): fmt.Errorf("full: %w", carrier.ErrNoResources), mustName("OTHER", 3): errors.New("other"),
	}
	c.AdmitSessions(func(remote netip.Addr, called netbios.Name) error {
		if !remote.IsLoopback() {
			t.Errorf("asked for %v", remote)
		}
		return reasons[called]
	})
	run(t, c)
	refused := func(code nbss.ErrorCode) string { return string(code.Append(nil)) }
	tests := []struct{ name, send, want string }{
		{"admitted", request(t, beta, "lab"), positive},
		{"no such name", request(t, mustName("NONAME", 3), "LAB"), refused(0x82)},
		{"stranger", request(t, mustName("STRANGER", 3), "LAB"), refused(0x81)},
		{"full", request(t, mustName("FULL", 3), "LAB"), refused(0x83)},
		{"another reason", request(t, mustName("OTHER", 3), "LAB"), refused(0x8f)},
		{"another scope", request(t, beta, ""), refused(0x82)},
		{"malformed name", "\x81\x00\x00\x44" + strings.Repeat("x", 68), refused(0x82)},
		{"no names", "\x81\x00\x00\x00", refused(0x8f)},
		{"names that are too long", "\x81\x00\xff\xff", refused(0x8f)},
		{"an answer", positive, ""},
		{"something else", "GET / HTTP/1.0\r\n\r\n", ""},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn := connect(t, ownAddr(2), testSession)
			if tt.name == "nothing" {
				conn.(*net.TCPConn).CloseWrite()
			}
			talk(t, conn, tt.send, tt.want)
			if tt.want != positive {
				talk(t, conn, "", "")
			}
		})
	}
}

func TestWhatEndsASession(t *testing.T) {
	echoHost(t, 3, nil)
	for name, send := range map[string]string{
		"second request": request(t, beta, ""), "answer": positive, "garbage": "\xff\xff\xff\xff",
		"too long for direct hosting": "\x00\x02\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			port := uint16(testSession)
			if strings.Contains(name, "direct") {
				port = testDirect
			}
			conn := connect(t, ownAddr(3), port)
			talk(t, conn, framed("good"), framed("good"))
			talk(t, conn, send, "")
		})
	}
}

func TestOwnNamesAreAdmitted(t *testing.T) {
	c := sessionHost(t, 4, func(cfg *Config) { cfg.Ports.Name = 10137 })
	c.HandleSessions(echo)
	run(t, c)
	conn := connect(t, ownAddr(4), testSession)
	talk(t, conn, request(t, beta, ""), string(nbss.CalledNameNotPresent.Append(nil)))
	mustClaim(t, c, beta)
	conn = connect(t, ownAddr(4), testSession)
	talk(t, conn, request(t, beta, ""), positive)
}

// TestOwnNameWithoutSessions: RFC 1002 4.3.4 tells a name that is not here from one that is
// here for other things.
func TestOwnNameWithoutSessions(t *testing.T) {
	c := sessionHost(t, 8, func(cfg *Config) { cfg.Ports.Name = 10137 })
	c.HandleSessions(echo)
	c.AdmitSessions(func(netip.Addr, netbios.Name) error { return carrier.ErrNoName })
	run(t, c)
	workstation := beta.WithSuffix(netbios.Workstation)
	mustClaim(t, c, workstation)
	for called, want := range map[netbios.Name]nbss.ErrorCode{
		workstation: nbss.NotListeningOnCalled, beta: nbss.CalledNameNotPresent, alpha.WithSuffix(netbios.Workstation): nbss.CalledNameNotPresent,
	} {
		talk(t, connect(t, ownAddr(8), testSession), request(t, called, ""), string(want.Append(nil)))
	}
}

func TestNobodyToServe(t *testing.T) {
	c := sessionHost(t, 5, nil)
	run(t, c)
	if ports := c.Ports(); len(ports) != 0 {
		t.Errorf("ports %+v are open without anybody to serve them", ports)
	}
}

func TestPortsThatAreTaken(t *testing.T) {
	at := netip.AddrPortFrom(ownAddr(6), testSession)
	other, err := net.Listen("tcp4", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	c := echoHost(t, 6, nil)
	ports := c.Ports()
	if len(ports) != 2 || ports[0].Address != at || ports[0].Err == nil || ports[1].Err != nil {
		t.Errorf("ports %+v, want that %v is taken and the other is not", ports, at)
	}
	talk(t, connect(t, ownAddr(6), testDirect), framed("hi"), framed("hi"))
}

func TestAPanicEndsOneSession(t *testing.T) {
	var log lockedBuffer
	c := sessionHost(t, 7, func(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	c.AdmitSessions(admitAll)
	c.HandleSessions(func(ctx context.Context, s carrier.Session) {
		if m, err := s.Read(); err == nil && string(m) == "panic" {
			panic("for the test")
		}
		echo(ctx, s)
	})
	run(t, c)
	conn := connect(t, ownAddr(7), testSession)
	io.WriteString(conn, framed("first"))
	talk(t, connect(t, ownAddr(7), testSession), framed("panic"), "")
	talk(t, conn, framed("still here"), framed("still here"))
	if text := log.String(); strings.Count(text, "for the test") != 1 || !strings.Contains(text, "sessionservice_test.go") {
		t.Errorf("log does not say once what panicked and where:\n%s", text)
	}
}

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

func TestTheEndOfTheService(t *testing.T) {
	c := sessionHost(t, 8, nil)
	c.AdmitSessions(admitAll)
	serving := make(chan struct{})
	c.HandleSessions(func(ctx context.Context, s carrier.Session) {
		close(serving)
		<-ctx.Done()
		s.Write([]byte("last words"))
	})
	stop := run(t, c)
	silent := connect(t, ownAddr(8), testSession) // never says what it wants
	served := connect(t, ownAddr(8), testSession)
	talk(t, served, request(t, beta, ""), positive)
	<-serving
	began := time.Now()
	stop()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the end took %v", took)
	}
	talk(t, served, "", framed("last words"))
	talk(t, served, "", "")
	talk(t, silent, "", "")
	if _, err := net.Dial("tcp4", netip.AddrPortFrom(ownAddr(8), testSession).String()); err == nil {
		t.Error("the port is still open")
	}
}

func TestSilentCallersAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := sessionHost(t, 9, nil)
		c.AdmitSessions(admitAll)
		c.HandleSessions(echo)
		s := &sessionService{carrier: c}
		here, there := net.Pipe()
		began := time.Now()
		go s.serve(t.Context(), newSession(there, false))
		if _, err := here.Read(make([]byte, 1)); err != io.EOF || time.Since(began) != 10*time.Second {
			t.Errorf("session ended with %v after %v, want its end after 10 s", err, time.Since(began))
		}
	})
}

func TestAnnouncedBytesTakeNoMemory(t *testing.T) {
	here, there := net.Pipe()
	s := newSession(there, false)
	go func() {
		io.WriteString(here, "\x00\x01\xff\xff"+strings.Repeat("x", 100))
		here.Close()
	}()
	if m, err := s.Read(); err != io.ErrUnexpectedEOF {
		t.Errorf("Read = %d bytes, %v, want that some are missing", len(m), err)
	}
	if n := cap(s.message); n > 1024 {
		t.Errorf("100 of 131,071 bytes took %d bytes of memory", n)
	}
}

func TestLengthIsBounded(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	s := newSession(there, false)
	if err := s.Write(make([]byte, nbss.MaxLength+1)); err == nil {
		t.Error("a message left that its header cannot announce")
	}
	s.direct = true
	if err := s.Write(make([]byte, nbss.MaxDirectLength+1)); err == nil {
		t.Error("a message left that its direct header cannot announce")
	}
}

func BenchmarkSession(b *testing.B) {
	echoHost(b, 10, nil)
	hello := []byte(request(b, beta, ""))
	message := []byte(framed(strings.Repeat("x", 60)))
	b.ReportAllocs()
	b.SetParallelism(4) // with two processors eight callers at a time
	b.RunParallel(func(pb *testing.PB) {
		in := make([]byte, 64)
		for pb.Next() {
			conn, err := net.Dial("tcp4", netip.AddrPortFrom(ownAddr(10), testSession).String())
			if err != nil {
				b.Error(err)
				return
			}
			conn.Write(hello)
			io.ReadFull(conn, in[:4])
			for range 3 {
				conn.Write(message)
				if _, err := io.ReadFull(conn, in); err != nil || binary.BigEndian.Uint32(in) != 60 {
					b.Errorf("answer %x, %v", in[:4], err)
				}
			}
			conn.(*net.TCPConn).SetLinger(0) // a million of them would use up the ports
			conn.Close()
		}
	})
}
