package transport

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"unicode/utf8"

	"messngr"
	"messngr/carrier"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// Place is where a device takes messages.
type Place struct {
	// Called is the name under which it takes them.
	Called netbios.Name
	// Addrs are its addresses, best first; there is at least one.
	Addrs []netip.Addr
}

// Locate finds a device, which is not a group, on one NetBIOS network. One that has no
// name is asked which it has for messages. The error is messngr.ErrUnknownName if
// nobody has the name, or the machine none for messages, and messngr.ErrUnavailable if
// that could not be found out.
func (e Env) Locate(ctx context.Context, network carrier.NetBIOS, to messngr.Device) (Place, error) {
	if to.Name == "" {
		entries, err := network.Status(ctx, to.Address)
		if errors.Is(err, context.DeadlineExceeded) {
			return Place{}, fmt.Errorf("%w: %v does not answer the question for its names", messngr.ErrUnavailable, to.Address)
		}
		if err != nil {
			return Place{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
		}
		called, ok := messageName(entries)
		if !ok {
			return Place{}, fmt.Errorf("%w: %v has no name that takes messages", messngr.ErrUnknownName, to.Address)
		}
		return Place{called, []netip.Addr{to.Address}}, nil
	}
	called, err := e.Named(to.Name, netbios.Messenger)
	if err != nil {
		return Place{}, fmt.Errorf("%w: %w", messngr.ErrUnknownName, err)
	}
	if to.Address.IsValid() {
		return Place{called, []netip.Addr{to.Address}}, nil
	}
	addrs, err := network.Resolve(ctx, called)
	switch {
	case errors.Is(err, carrier.ErrNoName), err == nil && len(addrs) == 0:
		return Place{}, lostError{fmt.Sprintf("nobody answers for %s%v", to.Name, netbios.Messenger)}
	case err != nil:
		return Place{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	return Place{called, addrs}, nil
}

// lostError is a messngr.ErrUnknownName in words of its own.
type lostError struct{ text string }

func (e lostError) Error() string        { return e.text }
func (e lostError) Is(target error) bool { return target == messngr.ErrUnknownName }

// Named returns the NetBIOS name that has a message name, or the name of a group, as
// its label in the site's code page. It fails for names that cannot be one.
func (e Env) Named(name string, suffix netbios.Suffix) (netbios.Name, error) {
	label, err := e.Page.EncodeName(name)
	if err != nil {
		return netbios.Name{}, err
	}
	return netbios.Exact(string(label), suffix)
}

// Sender returns the name under which a message goes out: its sender's, or this host's
// if that has none, as Shorten spells it. told is what to say of it to the sender; "" if
// the name is whole.
func (e Env) Sender(m *messngr.Message) (name []byte, told string) {
	claimed := m.From.Claimed
	if claimed == "" {
		claimed = e.Host
	}
	name, whole := e.shorten(claimed)
	if !whole {
		told = fmt.Sprintf("sent as %q, all that old machines take of the name", e.Page.DecodeName(name))
	}
	return name, told
}

// Shorten returns as much of a name, in one line and in the site's code page, as every
// old receiver takes: 15 bytes. Windows NT 4 crashes at a longer name of the sender.
func (e Env) Shorten(name string) []byte {
	short, _ := e.shorten(name)
	return short
}

// shorten is Shorten; whole says that nothing of the name is lost.
func (e Env) shorten(name string) (short []byte, whole bool) {
	name = oem.CleanLine(name)
	for whole = true; ; whole = false {
		b, lossy := e.Page.Encode(name)
		if len(b) <= netbios.MaxLabel {
			return b, whole && !lossy
		}
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
}

// messageName picks, of the names of a machine, the machine's own for messages, or else
// the first that takes any.
func messageName(entries []carrier.NameEntry) (netbios.Name, bool) {
	var first netbios.Name
	found := false
	for _, e := range entries {
		if e.Group || e.Name.Suffix() != netbios.Messenger || e.State == carrier.Conflict {
			continue
		}
		machine := e.Name.WithSuffix(netbios.Workstation)
		if slices.ContainsFunc(entries, func(e carrier.NameEntry) bool { return e.Name == machine && !e.Group }) {
			return e.Name, true
		}
		if !found {
			first, found = e.Name, true
		}
	}
	return first, found
}
