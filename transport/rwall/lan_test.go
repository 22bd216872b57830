package rwall_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"messngr"
	"messngr/transport"
	"messngr/transport/rwall"
	"messngr/wire/sunrpc"
)

// The machines of the tests, all on loopback.
var (
	alpha = netip.MustParseAddr("127.0.0.1")
	beta  = netip.MustParseAddr("127.0.0.2")
)

// hurry is how long anything waits for another program.
const hurry = 400 * time.Millisecond

// machine is a host with the transport.
type machine struct {
	*rwall.Transport
	stop func()

	mu  sync.Mutex
	got []messngr.Inbound
}

// start switches a machine on. accept may be nil.
func start(t *testing.T, addr netip.Addr, c rwall.Config, offset int, accept func() error) *machine {
	t.Helper()
	c.Enabled = true
	part, err := rwall.New(transport.Env{
		Host: "BETA", Addresses: func() []netip.Addr { return []netip.Addr{addr} }, PortOffset: offset,
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	part.Hurry(hurry)
	m := &machine{Transport: part}
	ctx, cancel := context.WithCancel(context.Background())
	var receiving sync.WaitGroup
	receiving.Go(func() {
		err := part.Receive(ctx, func(_ context.Context, in messngr.Inbound) (messngr.Results, error) {
			m.mu.Lock()
			m.got = append(m.got, in)
			m.mu.Unlock()
			if accept == nil {
				return nil, nil
			}
			return nil, accept()
		})
		if err != nil {
			t.Errorf("Receive: %v", err)
		}
	})
	m.stop = func() { cancel(); receiving.Wait() }
	t.Cleanup(m.stop)
	until(t, "a port", func() bool { return len(part.Ports()) > 0 && part.Ports()[0].Err == nil })
	return m
}

// at is where the machine takes walls.
func (m *machine) at() netip.AddrPort { return m.Ports()[0].Address }

// inbox waits until a machine has n messages.
func (m *machine) inbox(t *testing.T, n int) []messngr.Inbound {
	t.Helper()
	var got []messngr.Inbound
	until(t, "messages", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		got = append(got[:0], m.got...)
		return len(got) >= n
	})
	if len(got) != n {
		t.Fatalf("%d messages, want %d: %+v", len(got), n, got)
	}
	return got
}

func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for begin := time.Now(); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("no %s", what)
		}
	}
}

// client is a program that calls a machine by hand.
type client struct {
	t    *testing.T
	conn *net.UDPConn
}

func dial(t *testing.T, to netip.AddrPort) *client {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t, conn}
}

// say sends bytes and returns the answer, nil if none comes soon.
func (c *client) say(b []byte) []byte {
	c.t.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
	answer := make([]byte, 2048)
	c.conn.SetReadDeadline(time.Now().Add(hurry))
	n, err := c.conn.Read(answer)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return answer[:n]
}

// call makes a call and returns the reply to it.
func (c *client) call(call sunrpc.Call) sunrpc.Reply {
	c.t.Helper()
	b, err := call.Append(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	answer := c.say(b)
	reply, err := sunrpc.ParseReply(answer)
	if err != nil || reply.XID != call.XID {
		c.t.Fatalf("the answer is %x: %+v, %v", answer, reply, err)
	}
	return reply
}

func wall(xid uint32, text string) sunrpc.Call {
	return sunrpc.Call{
		XID: xid, Program: sunrpc.WallProgram, Version: sunrpc.WallVersion, Procedure: sunrpc.WallProcedure,
		Args: sunrpc.AppendString(nil, []byte(text)),
	}
}

// server answers calls as answer says; nil is no answer.
type server struct {
	at netip.AddrPort

	mu    sync.Mutex
	calls []sunrpc.Call
}

func serve(t *testing.T, at netip.AddrPort, answer func(sunrpc.Call) *sunrpc.Reply) *server {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{at: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	var serving sync.WaitGroup
	serving.Go(func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			call, err := sunrpc.ParseCall(append([]byte(nil), buf[:n]...))
			if err != nil {
				t.Errorf("the server got %x: %v", buf[:n], err)
				continue
			}
			s.mu.Lock()
			s.calls = append(s.calls, call)
			s.mu.Unlock()
			reply := answer(call)
			if reply == nil {
				continue
			}
			reply.XID = call.XID
			b, err := reply.Append(nil)
			if err != nil {
				t.Error(err)
			}
			conn.WriteToUDPAddrPort(b, from)
		}
	})
	t.Cleanup(func() { conn.Close(); serving.Wait() })
	return s
}

// made returns the calls that a server got.
func (s *server) made() []sunrpc.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sunrpc.Call(nil), s.calls...)
}

// freeOffset finds an offset at which port 111 is free on a machine.
func freeOffset(t *testing.T, addr netip.Addr) int {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port - sunrpc.BindPort
}

// rpcbind is a small one: a unix socket on which programs bind themselves.
type rpcbind struct {
	t        *testing.T
	path     string
	listener net.Listener
	serving  sync.WaitGroup

	mu    sync.Mutex
	bound string // the universal address of the wall; "": nobody
	conns []net.Conn
}

func (r *rpcbind) start() {
	r.t.Helper()
	_ = os.Remove(r.path)
	l, err := net.Listen("unix", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	r.listener = l
	r.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns = append(r.conns, conn)
			r.mu.Unlock()
			r.serving.Go(func() { r.talk(conn) })
		}
	})
}

// stop ends it as if it had been killed: what was bound is forgotten.
func (r *rpcbind) stop() {
	r.listener.Close()
	r.mu.Lock()
	for _, c := range r.conns {
		c.Close()
	}
	r.conns, r.bound = nil, ""
	r.mu.Unlock()
	r.serving.Wait()
}

func (r *rpcbind) talk(conn net.Conn) {
	for {
		b, err := sunrpc.ReadRecord(conn, 4096)
		if err != nil {
			return
		}
		call, err := sunrpc.ParseCall(b)
		if err != nil {
			r.t.Error(err)
			return
		}
		binding, err := sunrpc.ParseBinding(call.Args)
		if err != nil || call.Program != sunrpc.BindProgram || binding.Program != sunrpc.WallProgram || binding.Network != "udp" {
			r.t.Errorf("rpcbind is asked %+v: %+v, %v", call, binding, err)
		}
		b, err = sunrpc.Reply{XID: call.XID, Results: sunrpc.AppendUint32(nil, r.set(call.Procedure, binding.Address))}.Append(nil)
		if err != nil {
			r.t.Error(err)
		}
		conn.Write(sunrpc.AppendRecord(nil, b))
	}
}

// set does what rpcbind does for SET and UNSET.
func (r *rpcbind) set(procedure uint32, addr string) uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case procedure == sunrpc.UnsetProcedure:
		r.bound = ""
	case r.bound != "" && r.bound != addr:
		return 0
	default:
		r.bound = addr
	}
	return 1
}

func (r *rpcbind) has(addr string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bound == addr
}

func newRPCBind(t *testing.T) *rpcbind {
	r := &rpcbind{t: t, path: filepath.Join(t.TempDir(), "rpcbind.sock")}
	r.start()
	t.Cleanup(r.stop)
	return r
}
