package rpc

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"

	"messngr/carrier"
	"messngr/carrier/rpc/fragment"
	"messngr/wire/dcerpc"
)

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

func TestTooLongCall(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.calls(t.Context(), string(make([]byte, fragment.MaxStub+1)))
		c.ends("", carrier.ErrOff)
		c.ends("", fragment.ErrTooLong)
	})
}
