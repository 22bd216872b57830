package server

import (
	"context"
	"fmt"
	"net/netip"

	"messngr"
	"messngr/control"
)

// NetBIOS is what the API tells about the name service of this host, and asks
// of others'.
type NetBIOS interface {
	// Cache lists the names whose place is remembered; Purge forgets them and
	// reads LMHOSTS again.
	Cache() []control.CachedName
	Purge() error
	// Adapter asks the machine at addr for its names, as nbtstat -A does.
	// messngr.ErrUnknownName: it does not answer.
	Adapter(ctx context.Context, addr netip.Addr) (control.Adapter, error)
	// Find finds the machine that has a name, as nbtstat -a does.
	Find(ctx context.Context, name string) (netip.Addr, error)
}

var errNoNetBIOS = fmt.Errorf("%w: NetBIOS over TCP/IP is switched off", messngr.ErrUnavailable)

// netbiosCache returns the names whose place is remembered.
func (s *Service) netbiosCache(context.Context, messngr.Principal, nothing) (control.CachedNameList, error) {
	if s.NetBIOS == nil {
		return control.CachedNameList{}, errNoNetBIOS
	}
	return control.CachedNameList{Names: s.NetBIOS.Cache()}, nil
}

// netbiosPurge forgets the names whose place is remembered, and reads LMHOSTS
// again.
func (s *Service) netbiosPurge(context.Context, messngr.Principal, nothing) (nothing, error) {
	if s.NetBIOS == nil {
		return nothing{}, errNoNetBIOS
	}
	return nothing{}, s.NetBIOS.Purge()
}

// netbiosAdapter asks another machine for its names.
func (s *Service) netbiosAdapter(ctx context.Context, _ messngr.Principal, in control.AdapterQuery) (control.Adapter, error) {
	if s.NetBIOS == nil {
		return control.Adapter{}, errNoNetBIOS
	}
	addr, err := netip.ParseAddr(in.Address)
	switch {
	case in.Name != "":
		if addr, err = s.NetBIOS.Find(ctx, in.Name); err != nil {
			return control.Adapter{}, err
		}
	case err != nil || !addr.Unmap().Is4():
		return control.Adapter{}, bad("address=%q: want an IPv4 address, or a name", in.Address)
	}
	return s.NetBIOS.Adapter(ctx, addr.Unmap())
}
