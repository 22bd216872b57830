package rpc

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr/carrier"
	"messngr/carrier/rpc/fragment"
	"messngr/wire/dcerpc"
)

// callee is a server that is made by hand, and a client that calls it.
type callee struct {
	t       testing.TB
	network *network
	caller  *Carrier
	stop    func()
	conn    packetConn     // at beta, port 135
	client  netip.AddrPort // where the client was heard last
	done    chan struct{}  // closed when the call has ended
	answer  []byte
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
func (c *callee) says(conn packetConn, d dcerpc.Datagram) {
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
	if string(c.answer) != wantAnswer || !errors.Is(c.err, want) {
		c.t.Errorf("the call ended with %.100q, %v, want %.100q, %v", c.answer, c.err, wantAnswer, want)
	}
}

// port opens another port of the server's host.
func (c *callee) port() packetConn {
	c.t.Helper()
	conn, err := c.network.listen(netip.AddrPortFrom(beta, 0))
	if err != nil {
		c.t.Fatal(err)
	}
	return conn
}

// asks sends a callback from a port, and returns what the client says who it is.
func (c *callee) asks(conn packetConn, call dcerpc.Datagram, op uint16, q dcerpc.Question) dcerpc.Datagram {
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

func TestRequest(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.calls(t.Context(), "stub")
		d := c.hears(dcerpc.TypeRequest)
		if d.Interface != echoes || d.Op != 3 || d.Sequence != 0 || d.ServerBoot != 0 || string(d.Body) != "stub" ||
			d.Fragment || d.Idempotent || d.Maybe || d.Broadcast || !d.NoFack {
			t.Errorf("request %+v", d)
		}
		c.answers(d, dcerpc.TypeResponse, []byte("answer"))
		c.ends("answer", nil)
		if ack := c.hears(dcerpc.TypeAck); ack.Activity != d.Activity || ack.Sequence != 0 || ack.ServerBoot != boot || len(ack.Body) != 0 {
			t.Errorf("ack %+v", ack)
		}
	})
}

// TestNextRequest makes calls soon after another: they go on in the same activity, from
// the same port, and tell the server without an ack that its answer has arrived.
func TestNextRequest(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		var first dcerpc.Datagram
		var from netip.AddrPort
		for i := range uint32(5) {
			c.calls(t.Context(), "stub")
			d := c.hears(dcerpc.TypeRequest)
			if i == 0 {
				first, from = d, c.client
			}
			if d.Activity != first.Activity || d.Sequence != i || c.client != from || i > 0 && d.ServerBoot != boot {
				t.Errorf("request %d is %+v from %v", i, d, c.client)
			}
			c.answers(d, dcerpc.TypeResponse, nil)
			c.ends("", nil)
			time.Sleep(ackDelay / 2)
		}
		c.hears(dcerpc.TypeAck)
		time.Sleep(parkTime + time.Second)
		c.calls(t.Context(), "stub")
		if d := c.hears(dcerpc.TypeRequest); d.Activity == first.Activity || d.Sequence != 0 || c.client == from {
			t.Errorf("long afterwards the request is %+v from %v", d, c.client)
		}
		c.stop()
	})
}

func TestRequestsAtOnce(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		n := maxParked + 10
		ended := make(chan error, n)
		for range n {
			go func() {
				_, err := c.caller.Call(t.Context(), beta, dcerpc.Call{Interface: echoes})
				ended <- err
			}()
		}
		var requests []dcerpc.Datagram
		var from []netip.AddrPort
		activities := make(map[uuid.UUID]bool)
		for range n {
			d := c.hears(dcerpc.TypeRequest)
			activities[d.Activity] = true
			requests, from = append(requests, d), append(from, c.client)
		}
		if len(activities) != n {
			t.Errorf("%d calls at once are made in %d activities", n, len(activities))
		}
		for i, d := range requests {
			c.client = from[i]
			c.answers(d, dcerpc.TypeResponse, nil)
		}
		for range n {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		c.caller.client.mu.Lock()
		if got := c.caller.client.count; got != maxParked {
			t.Errorf("%d conversations are kept, want %d", got, maxParked)
		}
		c.caller.client.mu.Unlock()
		time.Sleep(time.Hour)
		c.caller.client.mu.Lock()
		if got := c.caller.client.count + len(c.caller.client.parked); got != 0 {
			t.Errorf("%d conversations are kept for ever", got)
		}
		c.caller.client.mu.Unlock()
	})
}

// TestCallbacks has the client asked who it is, in both ways, from any port of the host.
func TestCallbacks(t *testing.T) {
	for _, op := range []uint16{dcerpc.WhoAreYou, dcerpc.WhoAreYou2} {
		called(t, func(t *testing.T, c *callee) {
			c.calls(t.Context(), "stub")
			d := c.hears(dcerpc.TypeRequest)
			other := c.port()
			a := c.asks(other, d, op, dcerpc.Question{Activity: d.Activity, Boot: boot})
			who, err := dcerpc.ParseIdentity(a.Body, op, a.BigEndian)
			if err != nil || who.Status != 0 || who.Sequence != 0 || (who.Client == uuid.UUID{}) != (op == dcerpc.WhoAreYou) {
				t.Errorf("identity %+v, %v", who, err)
			}
			a = c.asks(other, d, op, dcerpc.Question{Activity: uuid.New(), Boot: boot})
			if who, err := dcerpc.ParseIdentity(a.Body, op, a.BigEndian); err != nil || who.Status != dcerpc.BadActivity {
				t.Errorf("about another call: identity %+v, %v", who, err)
			}
			a = c.asks(other, d, op, dcerpc.Question{Activity: d.Activity, Boot: boot + 1})
			if who, err := dcerpc.ParseIdentity(a.Body, op, a.BigEndian); err != nil || who.Status != dcerpc.YouCrashed {
				t.Errorf("to a server that was restarted: identity %+v, %v", who, err)
			}
			a = c.asks(other, d, 3, dcerpc.Question{Activity: d.Activity, Boot: boot})
			if s, err := a.Status(); a.Type != dcerpc.TypeReject || s != dcerpc.OpRange || err != nil {
				t.Errorf("to a question that it does not know: %+v", a)
			}
			if again := c.hears(dcerpc.TypeRequest); again.ServerBoot != boot {
				t.Errorf("repeated as %+v, want the server's boot time in it", again)
			}
			c.answers(d, dcerpc.TypeResponse, []byte("done"))
			c.ends("done", nil)
		})
	}
}

// TestAnswerFromAnotherPort is a mapper that passes the call on: further packets go to
// where the answers come from.
func TestAnswerFromAnotherPort(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		stub := string(bytes.Repeat([]byte("x"), 2*fragment.Size))
		c.calls(t.Context(), stub)
		d := c.hears(dcerpc.TypeRequest)
		c.conn.Close()
		c.conn = c.port()
		f := dcerpc.Fack{Window: 4}
		c.answers(d, dcerpc.TypeFack, f.Append(nil, false))
		if d = c.hears(dcerpc.TypeRequest); d.Number != 1 || !d.Last {
			t.Errorf("the second fragment is %+v", d)
		}
		c.answers(d, dcerpc.TypeResponse, nil)
		c.ends("", nil)
		c.hears(dcerpc.TypeAck)
	})
}

// TestForgedResponses sends answers that are not the server's.
func TestForgedResponses(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		thief, err := c.network.listen(netip.AddrPortFrom(address(9), 135))
		if err != nil {
			t.Fatal(err)
		}
		c.calls(t.Context(), "stub")
		d := c.hears(dcerpc.TypeRequest)
		c.asks(c.conn, d, dcerpc.WhoAreYou, dcerpc.Question{Activity: d.Activity, Boot: boot})
		good := d.Answer(dcerpc.TypeResponse, boot)
		good.Body = []byte("good")
		bad := good
		bad.Body = []byte("bad")
		c.says(thief, bad)
		for _, forge := range []func(d *dcerpc.Datagram){
			func(d *dcerpc.Datagram) { d.Activity[0]++ },
			func(d *dcerpc.Datagram) { d.Sequence++ },
			func(d *dcerpc.Datagram) { d.Sequence-- },
			func(d *dcerpc.Datagram) { d.ServerBoot++ },
			func(d *dcerpc.Datagram) { d.Type = dcerpc.TypeRequest },
			func(d *dcerpc.Datagram) { d.Type = dcerpc.TypeQuack },
		} {
			f := bad
			forge(&f)
			c.says(c.conn, f)
		}
		if _, err := c.conn.WriteToUDPAddrPort([]byte("garbage"), c.client); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.says(c.conn, good)
		c.ends("good", nil)
	})
}

// TestLostAnswer never answers: the request is repeated in the same call, with more and
// more time between, given up, and its end is not known.
func TestLostAnswer(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		start := time.Now()
		c.calls(t.Context(), "stub")
		first := c.hears(dcerpc.TypeRequest)
		for _, want := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond, 7500 * time.Millisecond} {
			d := c.hears(dcerpc.TypeRequest)
			if at := time.Since(start); at != want || d.Activity != first.Activity || d.Sequence != first.Sequence {
				t.Errorf("after %v: %+v, want the same call again after %v", at, d, want)
			}
		}
		c.hears(dcerpc.TypeCancel)
		c.ends("", errSilence)
		if errors.Is(c.err, carrier.ErrOff) || c.took != silence {
			t.Errorf("ended after %v with %v, want the outcome unknown after %v", c.took, c.err, silence)
		}
		c.calls(t.Context(), "next")
		if d := c.hears(dcerpc.TypeRequest); d.Activity == first.Activity {
			t.Error("the next call goes on in an activity whose last call is uncertain")
		}
		c.stop()
	})
}

func TestCallIsCalledOff(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		c.calls(ctx, "stub")
		d := c.hears(dcerpc.TypeRequest)
		if quit := c.hears(dcerpc.TypeCancel); quit.Activity != d.Activity || len(quit.Body) != 0 {
			t.Errorf("cancel %+v", quit)
		}
		c.ends("", context.DeadlineExceeded)
		if errors.Is(c.err, carrier.ErrOff) || c.took != 200*time.Millisecond {
			t.Errorf("ended after %v with %v", c.took, c.err)
		}
		cancel()
		c.calls(ctx, "stub")
		c.ends("", carrier.ErrOff)
	})
}

// TestLongCall is told that the server works, and asks now and then whether it still does.
func TestLongCall(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		start := time.Now()
		c.calls(t.Context(), "stub")
		c.hears(dcerpc.TypeRequest)
		c.answers(c.hears(dcerpc.TypeRequest), dcerpc.TypeWorking, nil)
		for time.Since(start) < time.Minute {
			c.answers(c.hears(dcerpc.TypePing), dcerpc.TypeWorking, nil)
		}
		c.answers(c.hears(dcerpc.TypePing), dcerpc.TypeNoCall, nil)
		asked := time.Now()
		c.answers(c.hears(dcerpc.TypeRequest), dcerpc.TypeResponse, []byte("at last"))
		if took := time.Since(asked); took != 0 {
			t.Errorf("sent again after %v to a server that has nothing of it", took)
		}
		c.ends("at last", nil)
	})
}

func TestFailedCalls(t *testing.T) {
	for name, tt := range map[string]struct {
		kind   dcerpc.PacketType
		status dcerpc.Status
		want   error
	}{
		"fault":  {dcerpc.TypeFault, dcerpc.AccessDenied, nil},
		"reject": {dcerpc.TypeReject, dcerpc.UnknownInterface, nil},
	} {
		t.Run(name, func(t *testing.T) {
			called(t, func(t *testing.T, c *callee) {
				c.calls(t.Context(), "stub")
				d := c.hears(dcerpc.TypeRequest)
				c.answers(d, tt.kind, tt.status.AppendStatus(nil, false))
				<-c.done
				var got *dcerpc.StatusError
				if !errors.As(c.err, &got) || got.Status != tt.status || got.Rejected != (tt.kind == dcerpc.TypeReject) {
					t.Errorf("the call ended with %v", c.err)
				}
				if tt.kind == dcerpc.TypeFault {
					c.hears(dcerpc.TypeAck)
				}
				c.calls(t.Context(), "next")
				if next := c.hears(dcerpc.TypeRequest); next.Activity != d.Activity || next.Sequence != 1 {
					t.Errorf("the next call is %+v", next)
				}
				c.stop()
			})
		})
	}
}

// TestRejectsThatProveNothing are those after which the call may have been run all the
// same, by a server that is gone or that has forgotten it.
func TestRejectsThatProveNothing(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		reject := func(d dcerpc.Datagram, status dcerpc.Status) {
			c.answers(d, dcerpc.TypeReject, status.AppendStatus(nil, false))
		}

		c.calls(t.Context(), "repeated")
		c.hears(dcerpc.TypeRequest)
		reject(c.hears(dcerpc.TypeRequest), dcerpc.ProtocolError)
		c.ends("", errRepeated)

		c.calls(t.Context(), "not repeated")
		reject(c.hears(dcerpc.TypeRequest), dcerpc.ProtocolError)
		<-c.done
		if status := (*dcerpc.StatusError)(nil); !errors.As(c.err, &status) {
			t.Errorf("rejected at once: %v", c.err)
		}

		c.calls(t.Context(), "crashed")
		d := c.hears(dcerpc.TypeRequest)
		c.asks(c.conn, d, dcerpc.WhoAreYou, dcerpc.Question{Activity: d.Activity, Boot: boot - 1})
		c.asks(c.conn, d, dcerpc.WhoAreYou, dcerpc.Question{Activity: d.Activity, Boot: boot})
		silent := d.Answer(dcerpc.TypeReject, 0) // which does not say when it was started
		silent.Body = dcerpc.WhoAreYouFailed.AppendStatus(nil, false)
		c.says(c.conn, silent)
		c.ends("", errRestarted)

		c.calls(t.Context(), "restarted")
		d = c.hears(dcerpc.TypeRequest)
		c.asks(c.conn, d, dcerpc.WhoAreYou, dcerpc.Question{Activity: d.Activity, Boot: boot - 1})
		reject(d, dcerpc.UnknownInterface)
		c.ends("", errRestarted)

		c.calls(t.Context(), "short")
		c.answers(c.hears(dcerpc.TypeRequest), dcerpc.TypeFault, []byte{1})
		c.ends("", errGarbled)
		c.calls(t.Context(), "short")
		c.answers(c.hears(dcerpc.TypeRequest), dcerpc.TypeReject, []byte{1})
		c.ends("", errGarbled)
	})
}

// TestServerIsRestartedBetweenCalls makes the call again, as long as only the new server
// can have got it.
func TestServerIsRestartedBetweenCalls(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		wrong := func(d dcerpc.Datagram) {
			a := d.Answer(dcerpc.TypeReject, d.ServerBoot)
			a.Body = dcerpc.WrongBootTime.AppendStatus(nil, false)
			c.says(c.conn, a)
		}
		first := func() dcerpc.Datagram {
			c.calls(t.Context(), "first")
			d := c.hears(dcerpc.TypeRequest)
			c.answers(d, dcerpc.TypeResponse, nil)
			c.ends("", nil)
			c.calls(t.Context(), "second")
			return c.hears(dcerpc.TypeRequest)
		}
		d := first()
		wrong(d)
		again := c.hears(dcerpc.TypeRequest)
		if again.Activity != d.Activity || again.Sequence != d.Sequence || again.ServerBoot != 0 {
			t.Errorf("made again as %+v, was %+v", again, d)
		}
		c.answers(again, dcerpc.TypeResponse, []byte("from the new one"))
		c.ends("from the new one", nil)
		c.hears(dcerpc.TypeAck)
		time.Sleep(parkTime + time.Second)

		d = first()
		c.hears(dcerpc.TypeRequest) // the old one may have run the one before
		wrong(d)
		c.ends("", errRestarted)
	})
}

func TestNobodyThere(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.conn.Close()
		c.calls(t.Context(), "nobody")
		c.ends("", carrier.ErrOff)
		if c.took != 0 {
			t.Errorf("known after %v, want at once", c.took)
		}
		c.stop()
		c.calls(t.Context(), "stopped")
		c.ends("", carrier.ErrOff)
	})
}

// TestServerGoesAwayBetweenCalls leaves open whether it has still run the second one.
func TestServerGoesAwayBetweenCalls(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.calls(t.Context(), "first")
		c.answers(c.hears(dcerpc.TypeRequest), dcerpc.TypeResponse, nil)
		c.ends("", nil)
		c.conn.Close()
		c.calls(t.Context(), "second")
		c.ends("", errNobody)
		if c.took != 0 || errors.Is(c.err, carrier.ErrOff) {
			t.Errorf("ended after %v with %v, want the outcome unknown at once", c.took, c.err)
		}
		c.calls(t.Context(), "third")
		c.ends("", carrier.ErrOff)
	})
}

// TestServerGoesAwayDuringTheCall cannot know whether the call was run.
func TestServerGoesAwayDuringTheCall(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.calls(t.Context(), "stub")
		c.hears(dcerpc.TypeRequest)
		c.conn.Close()
		c.ends("", errSilence)
		if errors.Is(c.err, carrier.ErrOff) {
			t.Errorf("ended with %v although the call had arrived", c.err)
		}
	})
}

func TestTooLongCall(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.calls(t.Context(), string(make([]byte, fragment.MaxStub+1)))
		c.ends("", carrier.ErrOff)
		c.ends("", fragment.ErrTooLong)
	})
}
