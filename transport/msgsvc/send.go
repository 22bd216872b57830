package msgsvc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"

	"messngr"
	"messngr/carrier"
	"messngr/wire/dcerpc"
	"messngr/wire/msgsvc"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// maxAddresses is how many addresses of a machine are called at the most.
const maxAddresses = 4

// Send implements messngr.Sender. It reaches one device.
func (t *Transport) Send(ctx context.Context, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
	if to.Group {
		return messngr.Evidence{}, fmt.Errorf("%w: a call reaches one machine, not a group", messngr.ErrUnavailable)
	}
	text, lossy := t.env.Page.Encode(oem.ToWire(m.Text, t.newline))
	if len(text) > t.maxText {
		return messngr.Evidence{}, &messngr.TooLongError{Limit: t.maxText, Length: len(text)}
	}
	name, addrs, err := t.find(ctx, to)
	if err != nil {
		return messngr.Evidence{}, err
	}
	from, told := t.env.Sender(m)
	letter := msgsvc.Message{
		From: bytes.ReplaceAll(from, []byte{0}, nil),
		To:   name,
		Text: bytes.ReplaceAll(text, []byte{0}, []byte{' '}),
	}
	ev, err := t.deliver(ctx, addrs, letter)
	ev.Lossy = lossy
	if err == nil {
		ev.Detail = told
	}
	return ev, err
}

// find says by which name to call a device, and at which addresses. A machine that does
// not say what it is called is called by its address.
func (t *Transport) find(ctx context.Context, to messngr.Device) (name []byte, addrs []netip.Addr, err error) {
	if to.Name != "" && to.Address.IsValid() {
		called, err := t.env.Named(to.Name, netbios.Messenger)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", messngr.ErrUnknownName, err)
		}
		return []byte(called.Label()), []netip.Addr{to.Address}, nil
	}
	err = fmt.Errorf("%w: no NetBIOS network", messngr.ErrUnavailable)
	for _, network := range t.env.NetBIOS {
		place, failed := t.env.Locate(ctx, network, to)
		if failed == nil {
			return []byte(place.Called.Label()), place.Addrs, nil
		}
		err = failed
	}
	if to.Address.IsValid() && ctx.Err() == nil && errors.Is(err, messngr.ErrUnavailable) {
		return []byte(to.Address.String()), []netip.Addr{to.Address}, nil
	}
	return nil, nil, err
}

// deliver makes the call at the first address where somebody receives it.
func (t *Transport) deliver(ctx context.Context, addrs []netip.Addr, m msgsvc.Message) (messngr.Evidence, error) {
	call := dcerpc.Call{Interface: msgsvc.Interface(), Op: msgsvc.SendMessage, Stub: m.Append(nil, false)}
	var ev messngr.Evidence
	var err error
	for _, addr := range addrs[:min(len(addrs), maxAddresses)] {
		ev.Address = netip.AddrPortFrom(addr, t.network.Port())
		var answer dcerpc.Answer
		if answer, err = t.network.Call(ctx, addr, call); errors.Is(err, carrier.ErrOff) {
			continue
		}
		if err == nil {
			err = verdict(answer)
		} else {
			err = callError(err)
		}
		break
	}
	if errors.Is(err, carrier.ErrOff) {
		err = fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	if err != nil {
		return ev, err
	}
	ev.State = messngr.Accepted
	return ev, nil
}

// verdict reads the answer of a call that was run.
func verdict(answer dcerpc.Answer) error {
	status, err := msgsvc.ParseStatus(answer.Stub, answer.BigEndian)
	if err != nil {
		return fmt.Errorf("%w: %w", messngr.ErrUncertain, err)
	}
	return errorOf(status.Code())
}

// callError says what it means for a message that its call has failed.
func callError(err error) error {
	var failed *dcerpc.StatusError
	if !errors.As(err, &failed) {
		return fmt.Errorf("%w: %w", messngr.ErrUncertain, err)
	}
	kind := messngr.ErrUncertain
	switch {
	case failed.Status == dcerpc.AccessDenied, failed.Status == dcerpc.BadStub:
		kind = messngr.ErrRefused
	case failed.Status == dcerpc.ServerTooBusy:
		kind = messngr.ErrBusy
	case failed.Rejected, failed.Status == dcerpc.UnknownInterface, failed.Status == dcerpc.OpRange:
		kind = messngr.ErrUnavailable // the Messenger service does not run there
	}
	return fmt.Errorf("%w: %w", kind, err)
}
