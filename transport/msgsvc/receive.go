package msgsvc

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"

	"messngr"
	"messngr/wire/dcerpc"
	"messngr/wire/msgsvc"
	"messngr/wire/oem"
)

// Receive implements messngr.Receiver. A message that is being stored when ctx ends is
// still answered.
func (t *Transport) Receive(ctx context.Context, accept messngr.Accept) error {
	return t.intake.Receive(ctx, accept)
}

// serve runs one call of the interface.
func (t *Transport) serve(ctx context.Context, from netip.AddrPort, call dcerpc.Call) ([]byte, error) {
	if call.Op != msgsvc.SendMessage {
		return nil, &dcerpc.StatusError{Status: dcerpc.OpRange, Rejected: true}
	}
	m, err := msgsvc.Parse(call.Stub, call.BigEndian)
	if err != nil {
		t.log.Debug("call not understood", "remote", from, "err", err)
		return nil, &dcerpc.StatusError{Status: dcerpc.BadStub}
	}
	accept, leave, err := t.intake.Join(ctx)
	if err != nil {
		return nil, &dcerpc.StatusError{Status: dcerpc.UnknownInterface, Rejected: true}
	}
	defer leave()
	status := statusOf(t.hand(context.WithoutCancel(ctx), accept, from, call, m))
	return msgsvc.AppendStatus(nil, status, call.BigEndian), nil
}

// hand gives a message to the middle of the service.
func (t *Transport) hand(ctx context.Context, accept messngr.Accept, from netip.AddrPort, call dcerpc.Call, m msgsvc.Message) error {
	if len(m.Text) > t.maxText {
		return &messngr.TooLongError{Limit: t.maxText, Length: len(m.Text)}
	}
	in := t.inbound(from.Addr(), call, m)
	if !t.env.IsLocal(in.To[0]) {
		return fmt.Errorf("%s: %w", in.To[0], messngr.ErrUnknownName)
	}
	if _, err := accept(ctx, in); err != nil {
		t.log.Debug("message not taken", "from", in.Message.From.Claimed, "to", in.Message.To, "remote", from, "err", err)
		return err
	}
	return nil
}

// inbound returns the message as the middle of the service knows it. The caller's own
// number of the call makes it the same message when it is repeated, even after a restart.
// The stub counts too, for the sake of programs that give each of their calls the same
// number: else only the first of their messages would ever be taken, and all acknowledged.
func (t *Transport) inbound(from netip.Addr, call dcerpc.Call, m msgsvc.Message) messngr.Inbound {
	page := t.env.Page
	recipient := oem.CleanLine(page.Decode(m.To))
	sum := sha256.Sum256(call.Stub)
	return messngr.Inbound{
		Message: messngr.Message{
			From: messngr.From{Claimed: oem.CleanLine(page.Decode(m.From)), Trust: messngr.Unverified, Address: from},
			To:   recipient,
			Via:  Name,
			Text: oem.Clean(oem.Normalize(page.Decode(m.Text))),
		},
		Origin: messngr.Origin(fmt.Sprintf("%s/%v/%d/%x", Name, call.Activity, call.Sequence, sum[:8])),
		To:     []string{t.env.Recipient(recipient)},
	}
}
