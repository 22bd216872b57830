package pipe

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"messngr"
	"messngr/wire/dcerpc"
	"messngr/wire/msgsvc"
	"messngr/wire/npa"
	"messngr/wire/oem"
	"messngr/wire/wkssvc"
)

// send runs one call of the interface that hands messages over (MS-MSRP 3.2.4.1).
func (t *Transport) send(ctx context.Context, who npa.Client, call dcerpc.Call) ([]byte, error) {
	if call.Op != msgsvc.SendMessage {
		return nil, noProcedure()
	}
	m, err := msgsvc.Parse(call.Stub, call.BigEndian)
	if err != nil {
		return nil, t.badStub(who, err)
	}
	ctx, accept, leave, err := t.join(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err = t.hand(ctx, accept, who, m); err != nil {
		t.log.Debug("message not taken", "remote", who.Address, "err", err)
	}
	return msgsvc.AppendStatus(nil, sendStatus(err), call.BigEndian), nil
}

// hand gives a message to the middle of the service.
func (t *Transport) hand(ctx context.Context, accept messngr.Accept, who npa.Client, m msgsvc.Message) error {
	c, err := t.caller(who)
	if err != nil {
		return err
	}
	if len(m.Text) > t.maxText {
		return &messngr.TooLongError{Limit: t.maxText, Length: len(m.Text)}
	}
	page := t.env.Page
	typed := oem.CleanLine(page.Decode(m.To))
	to := t.env.Recipient(typed)
	if !t.env.IsLocal(to) {
		return fmt.Errorf("%s: %w", to, messngr.ErrUnknownName)
	}
	from := messngr.From{Claimed: oem.CleanLine(page.Decode(m.From)), Address: c.addr}
	if c.proven && c.Login != "" {
		from.Proven, from.Trust = c.Login, messngr.Vouched
	}
	_, err = accept(ctx, messngr.Inbound{
		Message: messngr.Message{From: from, To: typed, Via: Name, Text: oem.Clean(oem.Normalize(page.Decode(m.Text)))},
		To:      []string{to},
	})
	return err
}

// relay runs the one call of the Workstation service that is ours: it sends a message to
// somebody else, for a caller who is known.
func (t *Transport) relay(ctx context.Context, who npa.Client, call dcerpc.Call) ([]byte, error) {
	if call.Op != wkssvc.MessageBufferSend {
		return nil, noProcedure()
	}
	m, err := wkssvc.Parse(call.Stub, call.BigEndian)
	if err != nil {
		return nil, t.badStub(who, err)
	}
	ctx, _, leave, err := t.join(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err = t.pass(ctx, who, m); err != nil {
		t.log.Debug("message not passed on", "remote", who.Address, "to", m.To, "err", err)
	}
	return msgsvc.AppendStatus(nil, sendStatus(err), call.BigEndian), nil
}

// pass has a message sent.
func (t *Transport) pass(ctx context.Context, who npa.Client, m wkssvc.Message) error {
	c, err := t.caller(who)
	if err != nil {
		return err
	}
	if !c.proven || c.Login == "" {
		return fmt.Errorf("%w: messages are passed on for nobody who is not known", messngr.ErrRefused)
	}
	text := oem.Clean(oem.Normalize(wkssvc.DecodeText(m.Text)))
	if len(text) > t.maxText {
		return &messngr.TooLongError{Limit: t.maxText, Length: len(text)}
	}
	to := oem.CleanLine(m.To)
	// What has a meaning to our own users must not get one here.
	if to == "" || strings.ContainsAny(to, "/@,") {
		return fmt.Errorf("recipient %q: %w", to, ErrInvalid)
	}
	return t.host.Relay(ctx, Relay{Caller: c.Principal, From: oem.CleanLine(m.From), To: to, Text: text})
}

// sendStatus turns what became of a message into the protocol's answer.
func sendStatus(err error) msgsvc.Status {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case err == nil:
		return msgsvc.Success
	case is(messngr.ErrUncertain):
		return msgsvc.NetworkError
	case is(messngr.ErrUnknownName):
		return msgsvc.NameNotFound
	case is(messngr.ErrRefused):
		return msgsvc.AccessDenied
	case is(messngr.ErrPaused):
		return msgsvc.Paused
	case is(messngr.ErrBusy):
		return msgsvc.NotReceived
	case is(messngr.ErrTooLong), is(ErrInvalid):
		return msgsvc.InvalidParameter
	default:
		return msgsvc.NetworkError
	}
}
