package smbmessage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"syscall"
	"time"

	"messngr"
	"messngr/carrier"
	"messngr/transport"
	"messngr/wire/nbss"
	"messngr/wire/netbios"
	"messngr/wire/oem"
	"messngr/wire/smb"
)

// maxAddresses is how many addresses of a machine are called at the most.
const maxAddresses = 4

// smbdHint is what to say when a session ends at its first message block.
const smbdHint = "it takes no such messages; if it is a Samba server, its smb.conf needs 'server min protocol = NT1'"

// letter is one message in the form in which it is sent.
type letter struct {
	from, to []byte
	text     []byte // with "\n" for line breaks
	lossy    bool
	told     string // of what became of the sender's name
}

// Send implements messngr.Sender. It reaches one device over the first NetBIOS network
// that knows it.
func (t *Transport) Send(ctx context.Context, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
	if to.Group {
		return messngr.Evidence{}, fmt.Errorf("%w: a session reaches one machine, not a group", messngr.ErrUnavailable)
	}
	l, err := t.write(m)
	if err != nil {
		return messngr.Evidence{}, err
	}
	var ev messngr.Evidence
	err = fmt.Errorf("%w: no NetBIOS network", messngr.ErrUnavailable)
	for i, network := range t.env.NetBIOS {
		tried, failed := t.sendOver(ctx, network, to, l)
		if failed == nil || !errors.Is(failed, messngr.ErrUnavailable) && !errors.Is(failed, messngr.ErrUnknownName) {
			return tried, failed
		}
		// Of networks that all failed, the reason of one that is in use says most.
		if i == 0 || errors.Is(err, carrier.ErrOff) {
			ev, err = tried, failed
		}
	}
	return ev, err
}

// write puts a message into the form in which it is sent.
func (t *Transport) write(m *messngr.Message) (letter, error) {
	text, lossy := t.env.Page.Encode(oem.Normalize(m.Text))
	if size := len(text) + bytes.Count(text, []byte("\n")); size > t.maxText {
		return letter{}, &messngr.TooLongError{Limit: t.maxText, Length: size}
	}
	text = bytes.ReplaceAll(text, []byte{0}, []byte{' '})
	from, told := t.env.Sender(m)
	return letter{from: from, text: text, lossy: lossy, told: told}, nil
}

func (t *Transport) sendOver(ctx context.Context, network carrier.NetBIOS, to messngr.Device, l letter) (messngr.Evidence, error) {
	place, named, err := t.find(ctx, network, to)
	if err != nil {
		return messngr.Evidence{}, err
	}
	l.to = named
	calling, err := t.env.Named(t.env.Host, netbios.Messenger)
	if err != nil {
		return messngr.Evidence{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	for _, addr := range place.Addrs[:min(len(place.Addrs), maxAddresses)] {
		var s carrier.Session
		if s, err = network.Dial(ctx, addr, place.Called, calling); err == nil {
			return t.deliver(ctx, s, l)
		}
	}
	return messngr.Evidence{}, dialError(err)
}

// find says whom to call for a device. A machine that does not say which names it has is
// called as whichever server it is.
func (t *Transport) find(ctx context.Context, network carrier.NetBIOS, to messngr.Device) (place transport.Place, named []byte, err error) {
	place, err = t.env.Locate(ctx, network, to)
	if err == nil {
		return place, []byte(place.Called.Label()), nil
	}
	if to.Name == "" && ctx.Err() == nil && errors.Is(err, messngr.ErrUnavailable) {
		place = transport.Place{Called: serverName(), Addrs: []netip.Addr{to.Address}}
		return place, []byte(to.Address.String()), nil
	}
	return place, nil, err
}

// dialError says what it means for a message that no session came about.
func dialError(err error) error {
	var code nbss.ErrorCode
	switch {
	case errors.Is(err, carrier.ErrNoName):
		return fmt.Errorf("%w: %w", messngr.ErrUnknownName, err)
	case errors.Is(err, carrier.ErrNoResources):
		return fmt.Errorf("%w: %w", messngr.ErrBusy, err)
	case errors.As(err, &code) && code == nbss.NotListeningForCalling:
		return fmt.Errorf("%w: %w", messngr.ErrRefused, err)
	default:
		return fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
}

// deliver says the message in an open session, and closes that.
func (t *Transport) deliver(ctx context.Context, s carrier.Session, l letter) (messngr.Evidence, error) {
	defer s.Close()
	defer context.AfterFunc(ctx, func() { _ = s.SetDeadline(time.Unix(1, 0)) })()
	ev := messngr.Evidence{Address: s.Remote(), Lossy: l.lossy}
	call := &call{ctx: ctx, session: s, patience: t.answer}
	err := t.say(call, l)
	if err != nil {
		return ev, fmt.Errorf("%v: %w", s.Remote(), err)
	}
	ev.State, ev.Detail = messngr.Accepted, l.told
	return ev, nil
}

// say sends the message in blocks, and as a single one to a peer that knows no others.
// Blocks come first because smbd takes nothing else without a negotiation.
func (t *Transport) say(c *call, l letter) error {
	started, err := c.ask(smb.Start{From: l.from, To: l.to}.Append(nil, smb.Header{}))
	switch {
	case errors.Is(err, smb.BadCommand):
		return t.sayAtOnce(c, l)
	case isHangUp(err) && c.ctx.Err() == nil:
		return fmt.Errorf("%w: the session was closed at the first block (%w): %s", messngr.ErrUnavailable, err, smbdHint)
	case err != nil:
		return c.verdict(err, messngr.ErrUnavailable)
	}
	text := spell(l.text, t.newline.plain, string(t.newline.plain))
	if len(started.Words) > 0 {
		text = spell(l.text, t.newline.numbered, "\x00")
	}
	group := started.Group()
	said := 0
	for block := range blocks(text) {
		_, err := c.ask(smb.Text{Group: group, Text: block}.Append(nil, smb.Header{}))
		if said > 0 && errors.Is(err, smb.NoRoom) {
			return fmt.Errorf("%w: %w", &messngr.TooLongError{Limit: said, Length: len(l.text)}, err)
		}
		if err != nil {
			return c.verdict(err, messngr.ErrUnavailable)
		}
		said += len(block)
	}
	_, err = c.ask(smb.End{Group: group}.Append(nil, smb.Header{}), nil)
	return c.verdict(err, messngr.ErrUncertain)
}

// sayAtOnce sends the message in a single block.
func (t *Transport) sayAtOnce(c *call, l letter) error {
	text := spell(l.text, t.newline.numbered, "\x00")
	if len(text) > smb.MaxBlock {
		return fmt.Errorf("%w: the peer takes single blocks only", &messngr.TooLongError{Limit: smb.MaxBlock, Length: len(text)})
	}
	_, err := c.ask(smb.Single{From: l.from, To: l.to, Text: text}.Append(nil, smb.Header{}))
	return c.verdict(err, messngr.ErrUncertain)
}

// spell returns the text as the peer is to get it. smbd takes no block without text, so
// nothing is sent as the byte that ends every text (MS-MSRP 2.2.3); but to smbd, which
// hands that on to its command as it is, as a line break.
func spell(text []byte, breaks oem.Newline, nothing string) []byte {
	if len(text) == 0 {
		return []byte(nothing)
	}
	return bytes.ReplaceAll(text, []byte("\n"), []byte(breaks))
}

// blocks cuts text into pieces of at most smb.MaxBlock bytes, and never inside of CR LF:
// two halves could become two line breaks.
func blocks(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(text) > smb.MaxBlock {
			n := smb.MaxBlock
			if text[n-1] == '\r' && text[n] == '\n' {
				n--
			}
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
		yield(text)
	}
}

// isHangUp reports whether err is the other side's closing of the session.
func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// call is one session in which requests are answered one by one.
type call struct {
	ctx      context.Context
	session  carrier.Session
	patience time.Duration
}

// errAnswer is an answer that does not belong to the request.
var errAnswer = errors.New("the answer belongs to something else")

// ask sends one request and returns its answer. An answer that reports an error is
// returned as that smb.Status, and messngr.ErrUnavailable if the request has not left. It
// need not be marked as an answer: after MS-MSRP 2.2.3 all of its header but the command
// and the status is zero.
// The arguments are what an Append method returns.
func (c *call) ask(request []byte, err error) (smb.Packet, error) {
	if err != nil {
		return smb.Packet{}, err
	}
	if err := c.session.SetDeadline(time.Now().Add(c.patience)); err != nil {
		return smb.Packet{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	if err := c.ctx.Err(); err != nil { // it may have ended before the deadline was set
		return smb.Packet{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	if err := c.session.Write(request); err != nil {
		return smb.Packet{}, err
	}
	b, err := c.session.Read()
	if err != nil {
		return smb.Packet{}, err
	}
	answer, err := smb.Parse(b)
	switch {
	case err != nil:
		return smb.Packet{}, err
	case byte(answer.Header.Command) != request[4] || bytes.Equal(b, request):
		return smb.Packet{}, errAnswer
	case answer.Header.Status != 0:
		return smb.Packet{}, answer.Header.Status
	}
	return answer, nil
}

// verdict turns what ask returned into the error that the router acts on: what the peer
// said, or lost if it said nothing.
func (c *call) verdict(err, lost error) error {
	var status smb.Status
	switch {
	case err == nil:
		return nil
	case errors.Is(err, messngr.ErrUnavailable):
		return err
	case errors.As(err, &status):
		return errorOf(status)
	case errors.Is(c.ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w: no answer in time", lost)
	case c.ctx.Err() != nil:
		return fmt.Errorf("%w: it was broken off: %w", lost, c.ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: no answer within %v", lost, c.patience)
	case isHangUp(err):
		return fmt.Errorf("%w: the session was closed instead of an answer (%w)", lost, err)
	default:
		return fmt.Errorf("%w: %w", lost, err)
	}
}
