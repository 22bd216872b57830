package router

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"messngr"
	"messngr/store"
)

// maxRecipients bounds one send, after expansion.
const maxRecipients = 1000

// expand turns what the sender wrote into recipients.
func (r *Router) expand(ctx context.Context, req *Request) ([]store.Recipient, error) {
	if req.Wall {
		return []store.Recipient{{To: r.cfg.Host, Device: messngr.Device{Name: r.cfg.Host}, Via: Local}}, nil
	}
	var list []store.Recipient
	for _, to := range req.To {
		recipients, err := r.recipient(ctx, req, strings.TrimSpace(to))
		if err != nil {
			return nil, err
		}
		if list = append(list, recipients...); len(list) > maxRecipients {
			return nil, misuse("more than %d recipients", maxRecipients)
		}
	}
	if len(list) == 0 {
		return nil, misuse("nobody to send to")
	}
	return list, nil
}

// recipient reads one recipient: "everyone", "*", "/domain[:NAME]", "/users",
// USER@HOST, an address, a DNS name, or a message name.
func (r *Router) recipient(ctx context.Context, req *Request, to string) ([]store.Recipient, error) {
	lower := strings.ToLower(to)
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
	}
	one := store.Recipient{To: to, Via: req.Via}
	one.Device.Address = req.Address
	name, host, at := strings.Cut(to, "@")
	if at {
		if name == "" || host == "" {
			return nil, misuse("recipient %q: want USER@HOST", to)
		}
		addr, err := r.locate(ctx, host)
		if err != nil {
			return nil, err
		}
		one.Device.Address, to = addr, name
	}
	if addr, err := netip.ParseAddr(to); err == nil {
		one.Device.Address = addr.Unmap()
		return []store.Recipient{one}, nil
	}
	canonical, err := r.cfg.Names.Canonical(to)
	switch {
	case err == nil && !strings.Contains(to, "."):
		one.Device.Name = canonical
	case strings.Contains(to, ".") && !at:
		one.Device.Name, one.Device.Address, err = r.dotted(ctx, to, canonical)
		if err != nil {
			return nil, err
		}
	default:
		return nil, misuse("recipient: %v", err)
	}
	return []store.Recipient{one}, nil
}

// dotted reads a recipient with a dot in it: a DNS name, or, if DNS does not
// know it and it can be one, a message name.
func (r *Router) dotted(ctx context.Context, to, canonical string) (string, netip.Addr, error) {
	addr, err := r.cfg.Resolver.LookupAddr(ctx, to)
	switch {
	case err == nil:
		return "", addr, nil
	case canonical != "":
		return canonical, netip.Addr{}, nil
	}
	return "", netip.Addr{}, fmt.Errorf("%s: %w: %w", to, messngr.ErrUnknownName, err)
}

// locate finds the address of USER@HOST's host: an address, a DNS name, or a
// message name, which the routes then look up themselves.
func (r *Router) locate(ctx context.Context, host string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap(), nil
	}
	if canonical, err := r.cfg.Names.Canonical(host); err == nil {
		if addr, err := r.cfg.Resolver.LookupName(ctx, canonical); err == nil {
			return addr, nil
		}
	}
	addr, err := r.cfg.Resolver.LookupAddr(ctx, host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%s: %w: %w", host, messngr.ErrUnknownName, err)
	}
	return addr, nil
}

func (r *Router) group(req *Request, to, group string) ([]store.Recipient, error) {
	if !req.Principal.Admin {
		return nil, fmt.Errorf("%w: only root and members of the group messngr may send to everyone", messngr.ErrRefused)
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
		return nil, fmt.Errorf("list of sessions: %w", err)
	}
	var list []store.Recipient
	for _, name := range people {
		if canonical, err := r.cfg.Names.Canonical(name); err == nil {
			list = append(list, store.Recipient{To: name, Via: req.Via, Device: messngr.Device{Name: canonical}})
		} else if addr, err := netip.ParseAddr(name); err == nil {
			list = append(list, store.Recipient{To: name, Via: req.Via, Device: messngr.Device{Address: addr}})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("nobody has an open session on this server: %w", messngr.ErrUnknownName)
	}
	return list, nil
}
