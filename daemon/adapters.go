package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"messngr/account"
	"messngr/carrier"
	"messngr/names"
	"messngr/session"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// network lets the name table claim names on a NetBIOS network.
type network struct {
	carrier.NetBIOS
	name string
}

// Claim implements names.Network.
func (n network) Claim(ctx context.Context, name netbios.Name, group bool) error {
	err := n.NetBIOS.Claim(ctx, name, group)
	var conflict *carrier.ConflictError
	switch {
	case errors.As(err, &conflict):
		return &names.TakenError{Name: conflict.Name.Label(), Owner: conflict.Owner}
	case errors.Is(err, carrier.ErrOff):
		return nil
	}
	return err
}

// Places implements names.Network.
func (n network) Places(name netbios.Name) []names.Place {
	var places []names.Place
	for _, e := range n.Names() {
		if e.Name == name {
			places = append(places, names.Place{
				Carrier: n.name, Interface: e.Interface, State: e.State.String(), Owner: e.Owner,
			})
		}
	}
	return places
}

// resolver finds addresses for the router.
type resolver struct {
	networks []carrier.NetBIOS
	page     oem.Page
}

// LookupAddr implements recipients.Resolver.
func (r resolver) LookupAddr(ctx context.Context, host string) (netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if failed, ok := errors.AsType[*net.DNSError](err); ok && failed.IsNotFound {
		return netip.Addr{}, errors.New("DNS does not know it")
	} else if ok {
		return netip.Addr{}, errors.New("DNS does not answer")
	}
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no IPv4 address", host)
}

// LookupName implements recipients.Resolver.
func (r resolver) LookupName(ctx context.Context, name string) (netip.Addr, error) {
	label, err := r.page.EncodeName(name)
	if err != nil {
		return netip.Addr{}, err
	}
	called, err := netbios.Exact(string(label), netbios.Messenger)
	if err != nil {
		return netip.Addr{}, err
	}
	err = carrier.ErrNoName
	for _, n := range r.networks {
		addrs, failed := n.Resolve(ctx, called)
		if failed == nil && len(addrs) > 0 {
			return addrs[0], nil
		}
		if failed != nil {
			err = failed
		}
	}
	return netip.Addr{}, err
}

// IsOwn implements recipients.Resolver.
func (r resolver) IsOwn(addr netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(own, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == addr
	})
}

// people lists who has an open session on this host, for "/users": people on
// its terminals and desktops, and the clients of its file server.
type people struct {
	listers  []session.Lister
	accounts *account.Book
}

// People implements recipients.Sessions.
func (p people) People(ctx context.Context) ([]string, error) {
	var list []string
	seen := make(map[string]bool)
	var failed error
	for _, l := range p.listers {
		sessions, err := l.Sessions(ctx)
		if err != nil {
			failed = err
			continue
		}
		for _, s := range sessions {
			name := s.User
			if _, err := netip.ParseAddr(s.Remote); err == nil && s.TTY == "" && s.Display == "" {
				name = s.Remote // a client of the file server: its machine is called
			}
			if name != "" && !seen[name] {
				seen[name] = true
				list = append(list, name)
			}
		}
	}
	if len(list) == 0 {
		return nil, failed
	}
	return list, nil
}

// Account implements router.Sessions.
func (p people) Account(name string) (login string, ok bool) {
	for _, login := range []string{strings.ToLower(name), name} {
		if a, err := p.accounts.ByName(login); err == nil {
			return a.Login, true
		}
	}
	// Whom the system knows by number alone is called by it (control.PrincipalOf).
	uid, err := strconv.ParseUint(name, 10, 32)
	return name, err == nil && strconv.FormatUint(uid, 10) == name
}
