package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"

	"messngr/carrier"
	"messngr/carrier/rpc/fragment"
	"messngr/carrier/rpc/udp"
	"messngr/wire/dcerpc"
)

const (
	// parkTime is how long a conversation is kept for the next call to the same host,
	// which then needs no callback. It is short, since a server that goes away in the
	// meantime leaves that call's outcome open.
	parkTime = 5 * time.Second
	// maxParked bounds how many are kept.
	maxParked = 64
	// ackDelay is how long we wait for another call, which tells the server as well as
	// an ack that the answer has arrived.
	ackDelay = 500 * time.Millisecond
)

// unreached is an error after which nobody can have got the call. It is a carrier.ErrOff,
// and says no more than what happened.
type unreached struct{ error }

// Is makes the error a carrier.ErrOff.
func (unreached) Is(target error) bool { return target == carrier.ErrOff }

// Unwrap returns what happened.
func (u unreached) Unwrap() error { return u.error }

// client is the calling side. It makes one call at a time in each conversation, and has
// as many conversations with a host as calls are made there at once.
type client struct {
	port uint16
	boot uint32    // of our server, which callbacks may want to know
	id   uuid.UUID // of this process
	dial func(to netip.AddrPort) (udp.Conn, error)
	// lost says how many of the datagrams sent to an address are known to be lost.
	lost func(conn udp.Conn, to netip.AddrPort) int

	mu     sync.Mutex
	open   bool
	parked map[netip.Addr][]*conversation
	count  int
}

func newClient(port uint16, boot uint32) *client {
	return &client{
		port: port, boot: boot, id: uuid.New(), dial: udp.Dial, lost: udp.Lost,
		parked: make(map[netip.Addr][]*conversation),
	}
}

// start allows calls.
func (c *client) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = true
}

// stop allows no more calls, and ends the conversations that are parked. Calls that are
// made just now go on.
func (c *client) stop() {
	c.mu.Lock()
	c.open = false
	var all []*conversation
	for _, list := range c.parked {
		all = append(all, list...)
	}
	clear(c.parked)
	c.count = 0
	c.mu.Unlock()
	for _, v := range all {
		v.leave()
	}
}

// call makes one call.
func (c *client) call(ctx context.Context, to netip.Addr, call dcerpc.Call) (dcerpc.Answer, error) {
	if len(call.Stub) > fragment.MaxStub {
		return dcerpc.Answer{}, unreached{fmt.Errorf("stub of %d bytes: %w", len(call.Stub), fragment.ErrTooLong)}
	}
	if err := ctx.Err(); err != nil {
		return dcerpc.Answer{}, unreached{err}
	}
	v, err := c.converse(to)
	if err != nil {
		return dcerpc.Answer{}, err
	}
	answer, err := v.call(ctx, call)
	var status *dcerpc.StatusError
	if err == nil || errors.As(err, &status) {
		c.park(v)
	} else {
		v.leave()
	}
	return answer, err
}

// beforeFirst precedes the number of the first call of an activity.
const beforeFirst = ^uint32(0)

// converse returns a conversation with a host in which no call is made.
func (c *client) converse(to netip.Addr) (*conversation, error) {
	c.mu.Lock()
	if !c.open {
		c.mu.Unlock()
		return nil, carrier.ErrOff
	}
	if list := c.parked[to]; len(list) > 0 {
		v := list[len(list)-1]
		c.unpark(v)
		c.mu.Unlock()
		return v, nil
	}
	c.mu.Unlock()
	at := netip.AddrPortFrom(to, c.port)
	activity, err := uuid.NewRandom()
	if err != nil {
		return nil, unreached{err}
	}
	conn, err := c.dial(at)
	if err != nil {
		return nil, unreached{err}
	}
	return &conversation{client: c, conn: conn, server: at, activity: activity, sequence: beforeFirst}, nil
}

// park keeps a conversation for the next call.
func (c *client) park(v *conversation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open || c.count >= maxParked {
		v.leave()
		return
	}
	to := v.server.Addr()
	c.parked[to] = append(c.parked[to], v)
	c.count++
	v.timer = time.AfterFunc(ackDelay, func() { c.age(v) })
}

// age acknowledges the answer to the last call of a parked conversation, and later ends
// the conversation.
func (c *client) age(v *conversation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !v.parked(): // it has been taken just now
	case v.answer != nil:
		v.acknowledge()
		v.timer.Reset(parkTime)
	default:
		c.unpark(v)
		v.leave()
	}
}

// unpark takes a conversation out of those that are parked. The caller holds mu.
func (c *client) unpark(v *conversation) {
	v.timer.Stop()
	to := v.server.Addr()
	list := c.parked[to]
	for i := range list {
		if list[i] == v {
			list[i] = list[len(list)-1]
			list[len(list)-1] = nil
			c.parked[to] = list[:len(list)-1]
			c.count--
			break
		}
	}
	if len(c.parked[to]) == 0 {
		delete(c.parked, to)
	}
}

// parked reports whether v is among those that are parked. The caller holds mu.
func (v *conversation) parked() bool {
	for _, other := range v.client.parked[v.server.Addr()] {
		if other == v {
			return true
		}
	}
	return false
}

// isTimeout reports whether a read ended because its time was up.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
