package browser

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"messngr/carrier"
	"messngr/wire/browse"
	"messngr/wire/netbios"
	"messngr/wire/smb"
)

// maxPackets is in how many packets an answer may come.
const maxPackets = 64

// ErrNoMaster says that nobody is the master browser of the workgroup.
var ErrNoMaster = errors.New("no master browser was found")

// List is what the master browser of a workgroup says.
type List struct {
	// Master is its name, "" if it does not tell, and Address where it is.
	Master  string
	Address netip.Addr
	// Entries are the machines; Available is how many there would be.
	Entries   []browse.Entry
	Available int
}

// List asks the master browser of the workgroup for its list, in a session of the first
// SMB protocol without a user (MS-BRWS 3.4.5, MS-RAP). The error is ErrNoMaster if there
// is none. A master that hands out no list, as a Samba without that protocol does not, is
// returned with an error.
func (b *Browser) List(ctx context.Context) (List, error) {
	for _, n := range b.cfg.Networks {
		if addr := b.findMaster(ctx, n); addr.IsValid() {
			l, err := b.read(ctx, n, addr)
			if err != nil {
				err = fmt.Errorf("browse list of %v: %w", addr, err)
			}
			return l, err
		}
	}
	return List{}, ErrNoMaster
}

// findMaster finds the master browser: by its name, which only the machines of its own
// network can ask for, or by what it announces.
func (b *Browser) findMaster(ctx context.Context, n carrier.NetBIOS) netip.Addr {
	addrs, err := n.Resolve(ctx, b.cfg.Workgroup.WithSuffix(netbios.MasterBrowser))
	if err == nil && len(addrs) > 0 {
		return addrs[0]
	}
	for _, m := range b.Heard() {
		if m.Master && m.Workgroup == b.cfg.Workgroup.Label() {
			return m.Address
		}
	}
	return netip.Addr{}
}

// read reads the list of the master at addr. What is known of it is returned in any case.
func (b *Browser) read(ctx context.Context, n carrier.NetBIOS, addr netip.Addr) (List, error) {
	l := List{Address: addr}
	called := netbios.Name([]byte("*SMBSERVER     \x20"))
	if entries, err := n.Status(ctx, addr); err == nil {
		i := slices.IndexFunc(entries, func(e carrier.NameEntry) bool {
			return e.Name.Suffix() == netbios.FileServer && !e.Group
		})
		if i >= 0 {
			called, l.Master = entries[i].Name, entries[i].Name.Label()
		}
	}
	s, err := n.Dial(ctx, addr, called, b.cfg.Name)
	if err != nil {
		return l, err
	}
	defer s.Close()
	if until, ok := ctx.Deadline(); ok {
		if err := s.SetDeadline(until); err != nil {
			return l, err
		}
	}
	defer context.AfterFunc(ctx, func() { _ = s.SetDeadline(time.Unix(1, 0)) })()
	list, err := enumerate(s, called.Label())
	l.Entries, l.Available = list.Entries, list.Available
	return l, err
}

// enumerate asks a server for all machines that it knows.
func enumerate(s carrier.Session, server string) (browse.List, error) {
	c := client{session: s}
	p, err := c.ask(browse.AppendNegotiate(nil))
	if err != nil {
		return browse.List{}, err
	}
	if err := browse.CheckNegotiated(p); err != nil {
		return browse.List{}, err
	}
	if p, err = c.ask(browse.AppendSessionSetup(nil)); err != nil {
		return browse.List{}, err
	}
	h := smb.Header{UserID: p.Header.UserID}
	if p, err = c.ask(browse.AppendTreeConnect(nil, h, server)); err != nil {
		return browse.List{}, err
	}
	h.TreeID = p.Header.TreeID
	parameters, err := browse.ListRequest{Types: browse.All}.Append(nil)
	if err != nil {
		return browse.List{}, err
	}
	return c.call(browse.AppendCall(nil, h, parameters))
}

// client is one session in which requests are answered one by one.
type client struct{ session carrier.Session }

// ask sends a request and returns its answer, which is valid until the next one. The
// arguments are what an Append function returns.
func (c client) ask(request []byte, err error) (smb.Packet, error) {
	if err != nil {
		return smb.Packet{}, err
	}
	if err := c.session.Write(request); err != nil {
		return smb.Packet{}, err
	}
	return c.next(smb.Command(request[4]))
}

func (c client) next(command smb.Command) (smb.Packet, error) {
	b, err := c.session.Read()
	if err != nil {
		return smb.Packet{}, err
	}
	p, err := smb.Parse(b)
	switch {
	case err != nil:
		return p, err
	case p.Header.Status != 0:
		return p, p.Header.Status
	case p.Header.Command != command || p.Header.Flags&smb.Reply == 0:
		return p, errors.New("the answer belongs to something else")
	}
	return p, nil
}

// call sends a call of the pipe and collects the packets of its answer.
func (c client) call(request []byte, err error) (browse.List, error) {
	p, err := c.ask(request, err)
	var a browse.Answer
	for range maxPackets {
		if err != nil {
			return browse.List{}, err
		}
		whole, err := a.Add(p)
		if err != nil {
			return browse.List{}, err
		}
		if whole {
			return browse.ParseList(a.Parameters, a.Data)
		}
		p, err = c.next(smb.Transaction)
		if err != nil {
			return browse.List{}, err
		}
	}
	return browse.List{}, errors.New("the answer does not end")
}
