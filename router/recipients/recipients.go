// Package recipients finds out whom a sender means: a name, an address, somebody at a
// machine, everybody.
package recipients

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
	// maxRecipients bounds one message, after expansion.
	maxRecipients = 1000
	// maxLookups is how many recipients of one message are looked up at once.
	maxLookups = 32
)

// Names spells message names.
type Names interface {
	// Canonical returns name as the table of names spells it; an error if it cannot be
	// a message name.
	Canonical(name string) (string, error)
}

// Sessions says who uses this host.
type Sessions interface {
	// People returns the login names of people and the addresses of machines
	// that have an open session, each once.
	People(ctx context.Context) ([]string, error)
}

// Resolver finds addresses for names that the routes do not look up themselves.
type Resolver interface {
	// LookupAddr finds the address of a DNS name.
	LookupAddr(ctx context.Context, host string) (netip.Addr, error)
	// LookupName finds the machine that has a message name.
	LookupName(ctx context.Context, name string) (netip.Addr, error)
	// IsOwn reports whether addr is one of this host's, in use or not.
	IsOwn(addr netip.Addr) bool
}

// Finder finds recipients. Its fields are not changed once it is in use; then its methods
// may be called by several goroutines at once.
type Finder struct {
	Names    Names
	Sessions Sessions
	Resolver Resolver
	// Host and Workgroup are this machine's own names.
	Host, Workgroup string
	// Local is the name of the route that never leaves this host.
	Local string
}

// Query is whom a sender wants to reach.
type Query struct {
	// To is what the sender wrote, one recipient each: "everyone", "*",
	// "/domain[:NAME]", "/users", USER@HOST, an address, a DNS name, or a message name.
	To []string
	// Via is the only route allowed; "": the best.
	Via string
	// Address is where the recipients are; the zero value: look them up.
	Address netip.Addr
	// Admin says that the sender may write to everybody.
	Admin bool
}

// Recipient is one recipient, and why it could not be found, if it could not: then the
// others get the message all the same.
type Recipient struct {
	store.Recipient
	Lost error
}

// Find turns what the sender wrote into recipients, in the same order. The error is a
// *messngr.MisuseError, messngr.ErrRefused if the sender may not write to so many, or
// messngr.ErrUnavailable if it is not known who is logged on.
func (f *Finder) Find(ctx context.Context, q Query) ([]Recipient, error) {
	if len(q.To) == 0 {
		return nil, messngr.Misuse("nobody to send to")
	}
	if len(q.To) > maxRecipients {
		return nil, messngr.Misuse("more than %d recipients", maxRecipients)
	}
	found := make([][]Recipient, len(q.To))
	var lookups errgroup.Group
	lookups.SetLimit(maxLookups)
	for i, to := range q.To {
		lookups.Go(func() error {
			list, err := f.recipient(ctx, &q, strings.TrimSpace(to))
			if errors.Is(err, messngr.ErrUnknownName) {
				found[i] = []Recipient{{store.Recipient{To: to, Via: q.Via, Device: messngr.Device{Name: to}}, err}}
				return nil
			}
			for _, one := range list {
				found[i] = append(found[i], Recipient{Recipient: one})
			}
			return err
		})
	}
	if err := lookups.Wait(); err != nil {
		return nil, err
	}
	var all []Recipient
	for _, list := range found {
		if all = append(all, list...); len(all) > maxRecipients {
			return nil, messngr.Misuse("more than %d recipients", maxRecipients)
		}
	}
	return all, nil
}

// recipient reads one recipient, as Query.To lists them.
func (f *Finder) recipient(ctx context.Context, q *Query, to string) ([]store.Recipient, error) {
	lower := strings.ToLower(to)
	name, host, at := to, "", false
	if i := strings.LastIndexByte(to, '@'); i >= 0 { // a login name may have one itself
		name, host, at = to[:i], to[i+1:], true
	}
	switch {
	case to == "":
		return nil, messngr.Misuse("a recipient is empty")
	case to == "*" || lower == "everyone" || lower == "/domain":
		return f.group(q, to, f.Workgroup)
	case strings.HasPrefix(lower, "/domain:"):
		return f.group(q, to, to[len("/domain:"):])
	case lower == "/users":
		return f.users(ctx, q)
	case strings.HasPrefix(to, "/"):
		return nil, messngr.Misuse("unknown recipient %q: there are /domain, /domain:NAME and /users", to)
	case at && (name == "" || host == ""):
		return nil, messngr.Misuse("recipient %q: want USER@HOST", to)
	}
	one := store.Recipient{To: to, Via: q.Via}
	var err error
	if at {
		err = f.userAt(ctx, q, &one, name, host)
	} else {
		err = f.device(ctx, q, &one)
	}
	return []store.Recipient{one}, err
}

// device finds out what one.To is: an address, a DNS name, or a message name.
func (f *Finder) device(ctx context.Context, q *Query, one *store.Recipient) error {
	to := one.To
	if strings.EqualFold(to, "localhost") && !q.Address.IsValid() && (q.Via == "" || q.Via == f.Local) {
		one.Device.Name, one.Via = f.Host, f.Local
		return nil
	}
	one.Device.Address = q.Address
	if addr, err := netip.ParseAddr(to); err == nil {
		one.Device.Address = addr.Unmap()
		return OnlyIPv4(one.Device.Address)
	}
	if q.Via == f.Local {
		one.Device.Name = to // as it is written: login names come in every spelling
		return nil
	}
	canonical, invalid := f.Names.Canonical(to)
	switch {
	case strings.Contains(to, ".") && !q.Address.IsValid():
		addr, err := f.Resolver.LookupAddr(ctx, to)
		switch {
		case err == nil:
			one.Device.Address = addr
			return nil
		case invalid != nil:
			return lostError{to, err}
		}
	case invalid != nil:
		return messngr.Misuse("recipient: %v", invalid)
	}
	one.Device.Name = canonical
	return nil
}

// userAt finds USER@HOST. Whoever is at this host is found without any network, and
// under the login name as it is written, which may be too long for a message name.
func (f *Finder) userAt(ctx context.Context, q *Query, one *store.Recipient, name, host string) error {
	one.Device.Name = name
	local := q.Via == "" || q.Via == f.Local
	if local && (strings.EqualFold(host, "localhost") || strings.EqualFold(host, f.Host)) {
		one.Via = f.Local
		return nil
	}
	var err error
	if one.Device.Address = q.Address; !q.Address.IsValid() {
		one.Device.Address, err = f.locate(ctx, host)
	}
	switch addr := one.Device.Address; {
	case err != nil:
		return err
	case local && (addr.IsLoopback() || f.Resolver.IsOwn(addr)):
		one.Via, one.Device.Address = f.Local, netip.Addr{}
	default:
		if one.Device.Name, err = f.Names.Canonical(name); err != nil {
			return messngr.Misuse("recipient: %v", err)
		}
		return OnlyIPv4(addr)
	}
	return nil
}

// OnlyIPv4 refuses, as a *messngr.MisuseError, what no route can reach: NetBIOS knows no
// other addresses.
func OnlyIPv4(addr netip.Addr) error {
	if !addr.Is4() {
		return messngr.Misuse("recipient at %v: these protocols know IPv4 addresses only", addr)
	}
	return nil
}

// locate finds the address of USER@HOST's host: an address, a DNS name, or a
// message name.
func (f *Finder) locate(ctx context.Context, host string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap(), nil
	}
	if canonical, err := f.Names.Canonical(host); err == nil && !strings.Contains(host, ".") {
		if addr, err := f.Resolver.LookupName(ctx, canonical); err == nil {
			return addr, nil
		}
	}
	addr, err := f.Resolver.LookupAddr(ctx, host)
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

func (f *Finder) group(q *Query, to, group string) ([]store.Recipient, error) {
	if !q.Admin {
		return nil, fmt.Errorf("%w: only root and members of the group messngr may send to everyone", messngr.ErrRefused)
	}
	if q.Address.IsValid() {
		return nil, messngr.Misuse("%s is everybody, not somebody at %s", to, q.Address)
	}
	canonical, err := f.Names.Canonical(group)
	if err != nil {
		return nil, messngr.Misuse("recipient %q: %v", to, err)
	}
	return []store.Recipient{{To: to, Via: q.Via, Device: messngr.Device{Name: canonical, Group: true}}}, nil
}

func (f *Finder) users(ctx context.Context, q *Query) ([]store.Recipient, error) {
	if !q.Admin {
		return nil, fmt.Errorf("%w: only root and members of the group messngr may send to all users", messngr.ErrRefused)
	}
	people, err := f.Sessions.People(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	var list []store.Recipient
	for _, name := range people {
		one := store.Recipient{To: name, Via: q.Via}
		if addr, err := netip.ParseAddr(name); err == nil {
			one.Device.Address = addr.Unmap()
		} else if canonical, err := f.Names.Canonical(name); err == nil {
			one.Device.Name = canonical
		} else { // too long a name for any network, but not for this host
			one.Device.Name, one.Via = name, f.Local
		}
		list = append(list, one)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: nobody has an open session on this server", messngr.ErrUnknownName)
	}
	return list, nil
}
