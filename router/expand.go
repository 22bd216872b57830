package router

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sync/errgroup"

	"messngr"
	"messngr/store"
)

const (
	// maxRecipients bounds one send, after expansion.
	maxRecipients = 1000
	// maxLookups is how many recipients of one message are looked up at once.
	maxLookups = 32
)

// target is one recipient, and why it could not be found, if it could not: then
// the others get the message all the same.
type target struct {
	store.Recipient
	lost error
}

// expand turns what the sender wrote into recipients.
func (r *Router) expand(ctx context.Context, req *Request) ([]target, error) {
	if req.Wall {
		return []target{{Recipient: store.Recipient{To: r.cfg.Host, Device: messngr.Device{Name: r.cfg.Host}, Via: Local}}}, nil
	}
	if len(req.To) == 0 {
		return nil, misuse("nobody to send to")
	}
	if len(req.To) > maxRecipients {
		return nil, misuse("more than %d recipients", maxRecipients)
	}
	found := make([][]target, len(req.To))
	var lookups errgroup.Group
	lookups.SetLimit(maxLookups)
	for i, to := range req.To {
		lookups.Go(func() error {
			recipients, err := r.recipient(ctx, req, strings.TrimSpace(to))
			if errors.Is(err, messngr.ErrUnknownName) {
				found[i] = []target{{store.Recipient{To: to, Via: req.Via, Device: messngr.Device{Name: to}}, err}}
				return nil
			}
			for _, one := range recipients {
				found[i] = append(found[i], target{Recipient: one})
			}
			return err
		})
	}
	if err := lookups.Wait(); err != nil {
		return nil, err
	}
	var list []target
	for _, targets := range found {
		if list = append(list, targets...); len(list) > maxRecipients {
			return nil, misuse("more than %d recipients", maxRecipients)
		}
	}
	return list, nil
}

// recipient reads one recipient: "everyone", "*", "/domain[:NAME]", "/users",
// USER@HOST, an address, a DNS name, or a message name.
func (r *Router) recipient(ctx context.Context, req *Request, to string) ([]store.Recipient, error) {
	lower := strings.ToLower(to)
	name, host, at := strings.Cut(to, "@")
	switch {
	case to == "":
		return nil, misuse("a recipient is empty")
	case to == "*" || lower == "everyone" || lower == "/domain":
		return r.group(req, to, r.cfg.Workgroup)
	case strings.HasPrefix(lower, "/domain:"):
		return r.group(req, to, to[len("/domain:"):])
	case lower == "/users":
		return r.users(ctx, req)
	case strings.HasPrefix(to, "/"):
		return nil, misuse("unknown recipient %q: there are /domain, /domain:NAME and /users", to)
	case at && (name == "" || host == ""):
		return nil, misuse("recipient %q: want USER@HOST", to)
	}
	one := store.Recipient{To: to, Via: req.Via}
	var err error
	if at {
		err = r.userAt(ctx, req, &one, name, host)
	} else {
		err = r.device(ctx, req, &one)
	}
	return []store.Recipient{one}, err
}

// device finds out what one.To is: an address, a DNS name, or a message name.
func (r *Router) device(ctx context.Context, req *Request, one *store.Recipient) error {
	to := one.To
	if strings.EqualFold(to, "localhost") && !req.Address.IsValid() && (req.Via == "" || req.Via == Local) {
		one.Device.Name, one.Via = r.cfg.Host, Local
		return nil
	}
	one.Device.Address = req.Address
	if addr, err := netip.ParseAddr(to); err == nil {
		one.Device.Address = addr.Unmap()
		return onlyIPv4(one.Device.Address)
	}
	canonical, invalid := r.cfg.Names.Canonical(to)
	switch {
	case strings.Contains(to, ".") && !req.Address.IsValid():
		addr, err := r.cfg.Resolver.LookupAddr(ctx, to)
		switch {
		case err == nil:
			one.Device.Address = addr
			return nil
		case invalid != nil:
			return lostError{to, err}
		}
	case invalid != nil:
		return misuse("recipient: %v", invalid)
	}
	one.Device.Name = canonical
	return nil
}

// userAt finds USER@HOST. Whoever is at this host is found without any network,
// also under a login name that is too long for a message name.
func (r *Router) userAt(ctx context.Context, req *Request, one *store.Recipient, name, host string) error {
	canonical, invalid := r.cfg.Names.Canonical(name)
	one.Device.Name = canonical
	if invalid != nil {
		one.Device.Name = name
	}
	local := req.Via == "" || req.Via == Local
	if local && (strings.EqualFold(host, "localhost") || strings.EqualFold(host, r.cfg.Host)) {
		one.Via = Local
		return nil
	}
	var err error
	if one.Device.Address = req.Address; !req.Address.IsValid() {
		one.Device.Address, err = r.locate(ctx, host)
	}
	switch addr := one.Device.Address; {
	case err != nil:
		return err
	case local && (addr.IsLoopback() || r.cfg.Resolver.IsOwn(addr)):
		one.Via, one.Device.Address = Local, netip.Addr{}
	case invalid != nil:
		return misuse("recipient: %v", invalid)
	default:
		return onlyIPv4(addr)
	}
	return nil
}

// onlyIPv4 refuses what no route can reach: NetBIOS knows no other addresses.
func onlyIPv4(addr netip.Addr) error {
	if !addr.Is4() {
		return misuse("recipient at %v: these protocols know IPv4 addresses only", addr)
	}
	return nil
}

// locate finds the address of USER@HOST's host: an address, a DNS name, or a
// message name.
func (r *Router) locate(ctx context.Context, host string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap(), nil
	}
	if canonical, err := r.cfg.Names.Canonical(host); err == nil && !strings.Contains(host, ".") {
		if addr, err := r.cfg.Resolver.LookupName(ctx, canonical); err == nil {
			return addr, nil
		}
	}
	addr, err := r.cfg.Resolver.LookupAddr(ctx, host)
	if err != nil {
		return netip.Addr{}, lostError{host, err}
	}
	return addr, nil
}

// lostError is a messngr.ErrUnknownName: a host that nobody knows.
type lostError struct {
	host string
	err  error
}

func (e lostError) Error() string        { return fmt.Sprintf("%s: %v", e.host, e.err) }
func (e lostError) Unwrap() error        { return e.err }
func (e lostError) Is(target error) bool { return target == messngr.ErrUnknownName }

func (r *Router) group(req *Request, to, group string) ([]store.Recipient, error) {
	if !req.Principal.Admin {
		return nil, fmt.Errorf("%w: only root and members of the group messngr may send to everyone", messngr.ErrRefused)
	}
	if req.Address.IsValid() {
		return nil, misuse("%s is everybody, not somebody at %s", to, req.Address)
	}
	canonical, err := r.cfg.Names.Canonical(group)
	if err != nil {
		return nil, misuse("recipient %q: %v", to, err)
	}
	return []store.Recipient{{To: to, Via: req.Via, Device: messngr.Device{Name: canonical, Group: true}}}, nil
}

func (r *Router) users(ctx context.Context, req *Request) ([]store.Recipient, error) {
	if !req.Principal.Admin {
		return nil, fmt.Errorf("%w: only root and members of the group messngr may send to all users", messngr.ErrRefused)
	}
	people, err := r.cfg.Sessions.People(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	var list []store.Recipient
	for _, name := range people {
		one := store.Recipient{To: name, Via: req.Via}
		if addr, err := netip.ParseAddr(name); err == nil {
			one.Device.Address = addr.Unmap()
		} else if canonical, err := r.cfg.Names.Canonical(name); err == nil {
			one.Device.Name = canonical
		} else { // too long a name for any network, but not for this host
			one.Device.Name, one.Via = name, Local
		}
		list = append(list, one)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: nobody has an open session on this server", messngr.ErrUnknownName)
	}
	return list, nil
}
