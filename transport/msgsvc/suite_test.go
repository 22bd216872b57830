package msgsvc_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"messngr"
	"messngr/carrier"
	"messngr/carrier/memlan"
	"messngr/transport"
	"messngr/transport/msgsvc"
	"messngr/transport/transporttest"
	"messngr/wire/dcerpc"
)

type handler = func(ctx context.Context, from netip.AddrPort, call dcerpc.Call) ([]byte, error)

// calls are what the hosts of a network in memory serve.
type calls struct {
	mu    sync.Mutex
	hosts map[netip.Addr]handler
}

// caller is one host's place among them. It implements msgsvc.Network.
type caller struct {
	calls *calls
	host  *memlan.Host
	mu    sync.Mutex
	made  uint32
}

func (c *caller) Port() uint16 { return dcerpc.Port }

func (c *caller) Handle(_ dcerpc.Syntax, _ string, h handler) {
	c.calls.mu.Lock()
	defer c.calls.mu.Unlock()
	c.calls.hosts[c.host.Addr()] = h
}

// Call runs the handler of a host that is switched on. Like a real one it goes on when
// its caller has gone away.
func (c *caller) Call(ctx context.Context, to netip.Addr, call dcerpc.Call) (dcerpc.Answer, error) {
	if err := ctx.Err(); err != nil {
		return dcerpc.Answer{}, fmt.Errorf("%w: %w", carrier.ErrOff, err)
	}
	if _, err := c.host.Status(ctx, to); err != nil {
		return dcerpc.Answer{}, fmt.Errorf("%w: %w", carrier.ErrOff, err)
	}
	c.calls.mu.Lock()
	h := c.calls.hosts[to]
	c.calls.mu.Unlock()
	c.mu.Lock()
	c.made++
	call.Activity[0], call.Sequence = c.host.Addr().As4()[3], c.made
	c.mu.Unlock()
	type result struct {
		answer dcerpc.Answer
		err    error
	}
	done := make(chan result, 1)
	go func() {
		stub, err := h(context.WithoutCancel(ctx), netip.AddrPortFrom(c.host.Addr(), 50000), call)
		done <- result{dcerpc.Answer{Stub: stub}, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		return dcerpc.Answer{}, ctx.Err()
	}
}

func TestSuite(t *testing.T) {
	network := &calls{hosts: make(map[netip.Addr]handler)}
	kind := msgsvc.Kind(nil)
	kind.New = func(env transport.Env, config any) (any, error) {
		return msgsvc.New(env, &caller{calls: network, host: env.NetBIOS[0].(*memlan.Host)}, *config.(*msgsvc.Config))
	}
	transporttest.Run(t, transporttest.Suite{Kind: kind, Best: messngr.Accepted, Limit: 65536, Answers: true})
}
