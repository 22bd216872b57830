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
	"slices"
	"syscall"
	"time"
	"unicode/utf8"

	"messngr"
	"messngr/carrier"
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
}

// place is where to find a device: what to call, and at which addresses.
type place struct {
	called netbios.Name
	to     []byte // the recipient that the message names
	addrs  []netip.Addr
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
	claimed := m.From.Claimed
	if claimed == "" {
		claimed = t.env.Host
	}
	return letter{from: t.shorten(oem.CleanLine(claimed)), text: text, lossy: lossy}, nil
}

// shorten returns as much of a sender's name as no receiver has trouble with: Windows NT
// 4 crashes at more than 15 bytes.
func (t *Transport) shorten(name string) []byte {
	for {
		b, _ := t.env.Page.Encode(name)
		if len(b) <= netbios.MaxLabel {
			return b
		}
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
}

func (t *Transport) sendOver(ctx context.Context, network carrier.NetBIOS, to messngr.Device, l letter) (messngr.Evidence, error) {
	where, err := t.find(ctx, network, to)
	if err != nil {
		return messngr.Evidence{}, err
	}
	l.to = where.to
	calling, err := t.name(t.env.Host)
	if err != nil {
		return messngr.Evidence{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	for _, addr := range where.addrs[:min(len(where.addrs), maxAddresses)] {
		var s carrier.Session
		if s, err = network.Dial(ctx, addr, where.called, calling); err == nil {
			return t.deliver(ctx, s, l)
		}
	}
	return messngr.Evidence{}, dialError(err)
}

// find says whom to call for a device. Without a name the machine is asked which one it
// has for messages; a machine that does not say is called as a server.
func (t *Transport) find(ctx context.Context, network carrier.NetBIOS, to messngr.Device) (place, error) {
	if to.Name == "" {
		entries, err := network.Status(ctx, to.Address)
		if ctx.Err() != nil {
			return place{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, ctx.Err())
		}
		if err != nil {
			return place{called: serverName(), to: []byte(to.Address.String()), addrs: []netip.Addr{to.Address}}, nil
		}
		called, ok := messageName(entries)
		if !ok {
			return place{}, fmt.Errorf("%w: %v has no name that takes messages", messngr.ErrUnknownName, to.Address)
		}
		return place{called: called, to: []byte(called.Label()), addrs: []netip.Addr{to.Address}}, nil
	}
	called, err := t.name(to.Name)
	if err != nil {
		return place{}, fmt.Errorf("%w: %w", messngr.ErrUnknownName, err)
	}
	where := place{called: called, to: []byte(called.Label())}
	if to.Address.IsValid() {
		where.addrs = []netip.Addr{to.Address}
		return where, nil
	}
	where.addrs, err = network.Resolve(ctx, called)
	if err == nil && len(where.addrs) == 0 || errors.Is(err, carrier.ErrNoName) {
		return place{}, fmt.Errorf("%w: nobody answers for %s", messngr.ErrUnknownName, called)
	}
	if err != nil {
		return place{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	return where, nil
}

// name returns the NetBIOS name under which a message name takes messages.
func (t *Transport) name(s string) (netbios.Name, error) {
	label, err := t.env.Page.EncodeName(s)
	if err != nil {
		return netbios.Name{}, err
	}
	return netbios.New(string(label), netbios.Messenger)
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
	ev.State = messngr.Accepted
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
	breaks := t.newline.plain
	if len(started.Words) > 0 {
		breaks = t.newline.numbered
	}
	group := started.Group()
	said := 0
	for block := range blocks(withNewline(l.text, breaks)) {
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
	text := withNewline(l.text, t.newline.numbered)
	if len(text) > smb.MaxBlock {
		return fmt.Errorf("%w: the peer takes single blocks only", &messngr.TooLongError{Limit: smb.MaxBlock, Length: len(text)})
	}
	_, err := c.ask(smb.Single{From: l.from, To: l.to, Text: text}.Append(nil, smb.Header{}))
	return c.verdict(err, messngr.ErrUncertain)
}

func withNewline(text []byte, n oem.Newline) []byte {
	return bytes.ReplaceAll(text, []byte("\n"), []byte(n))
}

// blocks cuts text into pieces of at most smb.MaxBlock bytes, of which there is always
// one, and never inside of CR LF: two halves could become two line breaks.
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
// returned as that smb.Status, and messngr.ErrUnavailable if the request has not left.
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
	case answer.Header.Flags&smb.Reply == 0 || byte(answer.Header.Command) != request[4]:
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
	case c.ctx.Err() != nil:
		return fmt.Errorf("%w: %w", lost, c.ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: no answer within %v", lost, c.patience)
	default:
		return fmt.Errorf("%w: %w", lost, err)
	}
}
