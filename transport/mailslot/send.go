package mailslot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"

	"messngr"
	"messngr/carrier"
	"messngr/wire/mailslot"
	"messngr/wire/netbios"
	"messngr/wire/oem"
	"messngr/wire/smb"
)

// Send implements messngr.Sender. A message to a group leaves once on every interface of
// every network. One to a device without a name goes to the name that the machine has
// for messages.
func (t *Transport) Send(ctx context.Context, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
	from, told := t.env.Sender(m)
	data, lossy, err := t.write(from, to, m.Text)
	if err != nil {
		return messngr.Evidence{}, err
	}
	var address netip.Addr
	sent := false
	err = fmt.Errorf("%w: no NetBIOS network", messngr.ErrUnavailable)
	for i, network := range t.env.NetBIOS {
		addr, failed := t.sendOver(ctx, network, to, data)
		if failed == nil {
			address, sent = addr, true
			if !to.Group {
				break
			}
		}
		// Of networks that all failed, the reason of one that is in use says most.
		if i == 0 || errors.Is(err, carrier.ErrOff) {
			err = failed
		}
	}
	if !sent {
		return messngr.Evidence{}, err
	}
	ev := messngr.Evidence{State: messngr.Sent, Detail: told, Lossy: lossy}
	if address.IsValid() {
		ev.Address = netip.AddrPortFrom(address, port)
	}
	return ev, nil
}

// port is the port of the datagram service, as evidence names it.
const port = 138

// sendOver sends the datagram on one network and returns the address that it went to,
// unless that are all.
func (t *Transport) sendOver(ctx context.Context, network carrier.NetBIOS, to messngr.Device, data []byte) (netip.Addr, error) {
	from, err := t.env.Named(t.env.Host, netbios.Messenger)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	var addr netip.Addr
	var called netbios.Name
	if to.Group {
		if called, err = t.env.Named(to.Name, netbios.Workstation); err != nil {
			return netip.Addr{}, fmt.Errorf("%w: %w", messngr.ErrUnknownName, err)
		}
	} else {
		place, err := t.env.Locate(ctx, network, to)
		if err != nil {
			return netip.Addr{}, err
		}
		called, addr = place.Called, place.Addrs[0]
	}
	if err := network.SendDatagram(ctx, addr, called, from, data); err != nil {
		return addr, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	return addr, nil
}

// write puts a message into the form in which it is sent, or says how much of it would
// fit.
func (t *Transport) write(from []byte, to messngr.Device, text string) (data []byte, lossy bool, err error) {
	encoded, lossy := t.env.Page.Encode(oem.ToWire(text, oem.DC4))
	out := mailslot.Message{
		From: from, To: t.env.Shorten(to.String()),
		Text: bytes.ReplaceAll(encoded, []byte{0}, []byte{' '}),
	}
	limit := min(t.maxText, mailslot.MaxSend-(out.Len()-len(encoded)))
	if len(encoded) > limit {
		return nil, false, &messngr.TooLongError{Limit: limit, Length: len(encoded)}
	}
	body, err := out.Append(nil)
	if err != nil {
		return nil, false, err
	}
	data, err = smb.MailslotWrite{Name: mailslot.Name, Priority: 1, Data: body}.Append(nil)
	return data, lossy, err
}
