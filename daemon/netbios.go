package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"messngr"
	"messngr/carrier"
	"messngr/carrier/nbt"
	"messngr/control"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// netBIOS lets the API ask NetBIOS over TCP/IP.
type netBIOS struct {
	*nbt.Carrier
	page oem.Page
}

// Cache implements server.NetBIOS.
func (n netBIOS) Cache() []control.CachedName {
	list := []control.CachedName{}
	for _, e := range n.Carrier.Cache() {
		c := control.CachedName{
			Name: n.label(e.Name), Suffix: int(e.Name.Suffix()), LifeSeconds: int(e.Life.Seconds()), Addresses: []string{},
		}
		for _, a := range e.Addrs {
			c.Addresses = append(c.Addresses, a.String())
		}
		list = append(list, c)
	}
	return list
}

// Purge implements server.NetBIOS.
func (n netBIOS) Purge() error { return n.PurgeCache() }

// Adapter implements server.NetBIOS.
func (n netBIOS) Adapter(ctx context.Context, addr netip.Addr) (control.Adapter, error) {
	st, err := n.AdapterStatus(ctx, addr)
	if errors.Is(err, carrier.ErrNoName) {
		return control.Adapter{}, fmt.Errorf("%w: %v does not answer", messngr.ErrUnknownName, addr)
	}
	if err != nil {
		return control.Adapter{}, err
	}
	a := control.Adapter{Address: addr.String(), Names: []control.AdapterName{}}
	if id := st.Statistics.UnitID; id != [6]byte{} {
		a.Hardware = strings.ToUpper(strings.ReplaceAll(net.HardwareAddr(id[:]).String(), ":", "-"))
	}
	for _, e := range st.Names {
		a.Names = append(a.Names, control.AdapterName{
			Name: n.label(e.Name), Suffix: int(e.Name.Suffix()), Group: e.Group, Conflict: e.Conflict,
		})
	}
	return a, nil
}

// Find implements server.NetBIOS: by the name of the machine itself, of its
// file server, or of somebody who takes messages there.
func (n netBIOS) Find(ctx context.Context, name string) (netip.Addr, error) {
	label, err := n.page.EncodeName(name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: %w", messngr.ErrUnknownName, err)
	}
	for _, suffix := range []netbios.Suffix{netbios.Workstation, netbios.FileServer, netbios.Messenger} {
		called, err := netbios.Exact(string(label), suffix)
		if err != nil {
			return netip.Addr{}, fmt.Errorf("%w: %w", messngr.ErrUnknownName, err)
		}
		if addrs, err := n.Resolve(ctx, called); err == nil && len(addrs) > 0 {
			return addrs[0], nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s: %w", name, messngr.ErrUnknownName)
}

// label returns a name's label as people read it.
func (n netBIOS) label(name netbios.Name) string {
	return oem.CleanLine(n.page.DecodeName([]byte(name.Label())))
}
