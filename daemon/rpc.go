package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"messngr/carrier"
	"messngr/carrier/nbt"
	"messngr/carrier/rpc"
	"messngr/transport/msgsvc"
	"messngr/wire/dcerpc"
)

// rpcConfig is the section [rpc]: remote procedure calls by datagram.
type rpcConfig struct {
	Enabled bool `toml:"enabled" comment:"remote procedure calls by datagram, UDP 135, by which Windows 2000 and XP send when NetBIOS fails"`
}

// buildRPC makes the network of remote procedure calls, and returns it as the
// transports see it.
func (d *daemon) buildRPC() (msgsvc.Network, error) {
	if !d.s.rpc.Enabled {
		return noCalls{}, nil
	}
	chosen, _ := d.interfaces()
	c, err := rpc.New(rpc.Config{
		Addresses: addresses(chosen), Port: uint16(dcerpc.Port + d.s.PortOffset), Permit: d.policy.Permit,
		Refused: d.policy.Refused,
		Log:     d.log.With("carrier", "rpc"),
	})
	if err != nil {
		return nil, err
	}
	d.rpc = c
	return c, nil
}

// addresses returns this host's own on the chosen interfaces, as they are now.
func (d *daemon) addresses() []netip.Addr {
	chosen, _ := d.interfaces()
	return addresses(chosen)
}

func addresses(list []nbt.Interface) []netip.Addr {
	addrs := make([]netip.Addr, len(list))
	for i, n := range list {
		addrs[i] = n.Addr()
	}
	return addrs
}

// noCalls is a network that is switched off.
type noCalls struct{}

// Handle implements msgsvc.Network.
func (noCalls) Handle(dcerpc.Syntax, string, func(context.Context, netip.AddrPort, dcerpc.Call) ([]byte, error)) {
}

// Call implements msgsvc.Network.
func (noCalls) Call(context.Context, netip.Addr, dcerpc.Call) (dcerpc.Answer, error) {
	return dcerpc.Answer{}, fmt.Errorf("%w: %w", carrier.ErrOff, errSwitchedOff)
}

// Port implements msgsvc.Network.
func (noCalls) Port() uint16 { return dcerpc.Port }

var errSwitchedOff = errors.New("remote procedure calls are switched off in the configuration")
