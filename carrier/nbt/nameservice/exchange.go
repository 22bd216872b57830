package nameservice

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// A response is a packet that answers an exchange, and who sent it.
type response struct {
	nbns.Packet
	from netip.Addr
}

// An exchange is one request of ours and the responses to it.
type exchange struct {
	node      *Node
	request   nbns.Packet
	to        netip.AddrPort
	padding   int // bytes after the request, which nobody reads
	responses chan response
}

// begin prepares to send a request about a name in our scope.
func (n *Node) begin(request nbns.Packet, to netip.Addr) *exchange {
	request.Scope = n.service.cfg.Scope
	return n.exchange(request, to)
}

// exchange prepares to send the request, as broadcast if to is the address for that,
// and draws an id for it that a stranger cannot guess at once. The caller must end it.
func (n *Node) exchange(request nbns.Packet, to netip.Addr) *exchange {
	request.Broadcast = to == n.iface.Broadcast
	x := &exchange{node: n, request: request, to: n.to(to), responses: make(chan response, 32)}
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		x.request.ID = uint16(rand.Uint32())
		if _, taken := n.pending[x.request.ID]; !taken {
			n.pending[x.request.ID] = x
			return x
		}
	}
}

func (x *exchange) end() {
	x.node.mu.Lock()
	defer x.node.mu.Unlock()
	delete(x.node.pending, x.request.ID)
}

// awaits reports whether p, which has the id of the exchange, answers it: what is
// asked from one node counts only from there.
func (x *exchange) awaits(p nbns.Packet, from netip.Addr) bool {
	same := p.Name == x.request.Name && netbios.SameScope(p.Scope, x.request.Scope)
	if !same && (p.Name != netbios.Name{} || p.Rcode == nbns.RcodeOK) {
		return false
	}
	if x.request.Broadcast {
		return x.node.trusts(from)
	}
	return from == x.to.Addr()
}

func (x *exchange) send() error {
	if x.node.unicast == nil {
		return carrier.ErrOff
	}
	b, err := x.request.Append(make([]byte, 0, nbns.MaxDatagram))
	if err != nil {
		return err
	}
	b = append(b, make([]byte, x.padding)...)
	_, err = x.node.unicast.WriteToUDPAddrPort(b, x.to)
	return err
}

// next waits for a response until the timer fires.
func (x *exchange) next(ctx context.Context, timer <-chan time.Time) (response, error) {
	select {
	case r := <-x.responses:
		return r, nil
	case <-timer:
		return response{}, errNoAnswer
	case <-ctx.Done():
		return response{}, context.Cause(ctx)
	case <-x.node.closing:
		return response{}, net.ErrClosed
	}
}

// errNoAnswer says that a request was sent as often as it should be, in vain.
var errNoAnswer = errors.New("no answer")

// A retry says how often a request is sent, and how long each time is waited for an
// answer (RFC 1002 6).
type retry struct {
	tries int
	wait  time.Duration
}

// first sends the request until a response comes that wants accepts, and returns
// that. A node that asks us to wait gets the time that it asks for and no more copies
// until then (RFC 1002 4.2.16), but all that it asks for together is bounded by maxWait.
func (x *exchange) first(ctx context.Context, r retry, wants func(response) bool) (response, error) {
	var patience time.Time // how long it may ask us to wait
	for range r.tries {
		if err := x.send(); err != nil {
			return response{}, err
		}
		timer := time.NewTimer(r.wait)
		for {
			got, err := x.next(ctx, timer.C)
			if errors.Is(err, errNoAnswer) {
				break
			}
			if err != nil {
				timer.Stop()
				return response{}, err
			}
			if got.Kind == nbns.Wait && !x.request.Broadcast {
				if patience.IsZero() {
					patience = time.Now().Add(maxWait)
				}
				timer.Reset(min(max(got.TTL, r.wait), time.Until(patience)))
				continue
			}
			if wants(got) {
				timer.Stop()
				return got, nil
			}
		}
	}
	return response{}, errNoAnswer
}

// pause sleeps for d and reports whether ctx is still on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
