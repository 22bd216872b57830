package rpc

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr/carrier/rpc/udp"
	"messngr/wire/dcerpc"
)

// callee is a server that is made by hand, and a client that calls it.
type callee struct {
	t       testing.TB
	network *network
	caller  *Carrier
	stop    func()
	conn    udp.Conn       // at beta, port 135
	client  netip.AddrPort // where the client was heard last
	done    chan struct{}  // closed when the call has ended
	answer  dcerpc.Answer
	err     error
	took    time.Duration
}

const boot = 0x65000001

// callee listens at beta, and runs a client at alpha.
func newCallee(t testing.TB) *callee {
	t.Helper()
	n := newNetwork(1)
	conn, err := n.listen(netip.AddrPortFrom(beta, 135))
	if err != nil {
		t.Fatal(err)
	}
	c := &callee{t: t, network: n, conn: conn, caller: n.carrier(alpha)}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.caller.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-c.caller.Ready()
	c.stop = func() { cancel(); running.Wait() }
	t.Cleanup(c.stop)
	return c
}

// calls makes the client call, and returns at once.
func (c *callee) calls(ctx context.Context, stub string) {
	c.done = make(chan struct{})
	start := time.Now()
	go func() {
		defer close(c.done)
		c.answer, c.err = c.caller.Call(ctx, beta, dcerpc.Call{Interface: echoes, Op: 3, Stub: []byte(stub)})
		c.took = time.Since(start)
	}()
}

// hears returns the next packet of the client.
func (c *callee) hears(want dcerpc.PacketType) dcerpc.Datagram {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 1<<16)
	n, from, err := c.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		c.t.Fatalf("the client says nothing: %v", err)
	}
	d, err := dcerpc.ParseDatagram(b[:n])
	if err != nil || d.Type != want {
		c.t.Fatalf("the client says %+v, %v, want a %v", d, err, want)
	}
	c.client = from
	return d
}

// says answers the client from the port that conn has.
func (c *callee) says(conn udp.Conn, d dcerpc.Datagram) {
	c.t.Helper()
	b, err := d.Append(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := conn.WriteToUDPAddrPort(b, c.client); err != nil {
		c.t.Fatal(err)
	}
}

// answers sends an answer to d of that type.
func (c *callee) answers(d dcerpc.Datagram, t dcerpc.PacketType, body []byte) {
	c.t.Helper()
	a := d.Answer(t, boot)
	a.Body = body
	c.says(c.conn, a)
}

// ends waits for the end of the call.
func (c *callee) ends(wantAnswer string, want error) {
	c.t.Helper()
	<-c.done
	if string(c.answer.Stub) != wantAnswer || !errors.Is(c.err, want) {
		c.t.Errorf("the call ended with %.100q, %v, want %.100q, %v", c.answer.Stub, c.err, wantAnswer, want)
	}
}

// port opens another port of the server's host.
func (c *callee) port() udp.Conn {
	c.t.Helper()
	conn, err := c.network.listen(netip.AddrPortFrom(beta, 0))
	if err != nil {
		c.t.Fatal(err)
	}
	return conn
}

// asks sends a callback from a port, and returns what the client says who it is.
func (c *callee) asks(conn udp.Conn, call dcerpc.Datagram, op uint16, q dcerpc.Question) dcerpc.Datagram {
	c.t.Helper()
	d := dcerpc.Datagram{
		Type: dcerpc.TypeRequest, Idempotent: true, Interface: dcerpc.Conversation(), Activity: uuid.New(), Op: op,
		BigEndian: call.BigEndian, Body: q.Append(nil, call.BigEndian),
	}
	c.says(conn, d)
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	b := make([]byte, 1<<16)
	n, _, err := conn.ReadFromUDPAddrPort(b)
	if err != nil {
		c.t.Fatalf("no answer to a callback: %v", err)
	}
	answer, err := dcerpc.ParseDatagram(b[:n])
	if err != nil || answer.Activity != d.Activity || answer.ServerBoot == 0 {
		c.t.Fatalf("the answer to a callback is %+v, %v", answer, err)
	}
	return answer
}

// called runs a test of the client in simulated time.
func called(t *testing.T, run func(t *testing.T, c *callee)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		run(t, newCallee(t))
	})
}
