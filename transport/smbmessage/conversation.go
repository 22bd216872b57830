package smbmessage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"messngr"
	"messngr/wire/netbios"
	"messngr/wire/oem"
	"messngr/wire/smb"
)

const (
	// maxNonsense is how many errors of the protocol end a session.
	maxNonsense = 16
	// maxName is the longest name in bytes that is looked at. Message names have 15,
	// but smbclient's senders are user names and its recipients may be DNS names.
	maxName = 255
	// lastGroup is the greatest number for a message: Perl's Net::NetSend keeps one
	// byte of it.
	lastGroup = 255
)

var (
	errNonsense = errors.New("too many errors of the protocol")
	errReply    = errors.New("the peer sent an answer to nothing")
)

// conversation is what one peer has said so far in one session. It does no input or
// output of its own.
type conversation struct {
	t       *Transport
	accept  messngr.Accept
	remote  netip.Addr
	calling netbios.Name
	origin  string // of all messages of the session, without their numbers
	handed  int    // messages that were handed over
	errors  int

	// A message of several blocks that has begun.
	open     bool
	began    time.Time
	group    uint16 // its number
	given    uint16 // the greatest number that was given in this session
	from, to []byte
	text     []byte
	ends     []int // where each block of text ends
}

func (t *Transport) converse(accept messngr.Accept, remote netip.Addr, calling netbios.Name) *conversation {
	n := t.sessions.Add(1)
	return &conversation{
		t: t, accept: accept, remote: remote, calling: calling,
		origin: Name + "/" + t.instance + "/" + strconv.FormatUint(n, 10) + "/",
	}
}

// patience returns until when the next request may take: idle from now, but not longer
// than one message may take.
func (c *conversation) patience(now time.Time, idle time.Duration) time.Time {
	until := now.Add(idle)
	if c.open && c.began.Add(messageTime).Before(until) {
		return c.began.Add(messageTime)
	}
	return until
}

// answer appends the answer to one request to b. An error ends the session after the
// answer, if there is one.
func (c *conversation) answer(ctx context.Context, request, b []byte) ([]byte, error) {
	p, err := smb.Parse(request)
	switch {
	case errors.Is(err, smb.ErrNotSMB):
		return b, err
	case p.Header.Flags&smb.Reply != 0:
		return b, errReply
	case err != nil:
		return c.malformed(p, b)
	}
	switch p.Header.Command {
	case smb.SendSingle, smb.SendBroadcast:
		return c.single(ctx, p, b)
	case smb.SendStart:
		return c.start(p, b)
	case smb.SendText:
		return c.block(p, b)
	case smb.SendEnd:
		return c.end(ctx, p, b)
	case smb.Negotiate:
		dialects, err := p.Dialects()
		if err != nil {
			return c.malformed(p, b)
		}
		return p.Header.AppendNegotiated(b, dialects), nil
	default:
		// Among them are the obsolete D2 to D4: nobody forwards names any more.
		return c.complain(p, smb.BadCommand, b)
	}
}

// complain answers what should not have been said.
func (c *conversation) complain(p smb.Packet, status smb.Status, b []byte) ([]byte, error) {
	c.errors++
	b = p.Header.AppendAnswer(b, status)
	if c.errors >= maxNonsense {
		return b, errNonsense
	}
	return b, nil
}

// malformed complains about a packet that makes no sense. A message that has begun is
// forgotten: one with a hole is worse than none.
func (c *conversation) malformed(p smb.Packet, b []byte) ([]byte, error) {
	c.reset()
	return c.complain(p, smb.InvalidSMB, b)
}

func (c *conversation) single(ctx context.Context, p smb.Packet, b []byte) ([]byte, error) {
	m, err := p.Single()
	if err != nil || len(m.From) > maxName || len(m.To) > maxName {
		return c.malformed(p, b)
	}
	if len(m.Text) > c.t.maxText {
		return c.complain(p, smb.NoRoom, b)
	}
	in := c.inbound(m.From, m.To, unterminated(m.Text))
	if m.Broadcast {
		in.Group, in.To[0] = true, c.t.env.Workgroup
		if len(m.To) == 0 {
			in.Message.To = "*"
		}
	}
	return p.Header.AppendAnswer(b, c.hand(ctx, in)), nil
}

// start begins a message. One that had begun is forgotten: its sender gave up.
func (c *conversation) start(p smb.Packet, b []byte) ([]byte, error) {
	m, err := p.Start()
	if err != nil || len(m.From) > maxName || len(m.To) > maxName {
		return c.malformed(p, b)
	}
	c.reset()
	c.open, c.began = true, time.Now()
	c.from, c.to = append(c.from, m.From...), append(c.to, m.To...)
	c.group = c.group%lastGroup + 1
	c.given = max(c.given, c.group)
	return p.Header.AppendStarted(b, c.group), nil
}

func (c *conversation) reset() {
	c.open = false
	c.from, c.to, c.text, c.ends = c.from[:0], c.to[:0], c.text[:0], c.ends[:0]
}

// belongs reports whether a block with that number belongs to the message that has
// begun. Deliberately lax: numbers that nobody gave are taken as smbd takes them, which
// gives none; but a block of an earlier message must not get into a later one.
func (c *conversation) belongs(group uint16) bool {
	return c.open && (group == c.group || group == 0 || group > c.given)
}

func (c *conversation) block(p smb.Packet, b []byte) ([]byte, error) {
	m, err := p.Text()
	switch {
	case err != nil:
		return c.malformed(p, b)
	case !c.belongs(m.Group):
		return c.complain(p, smb.InvalidParameter, b)
	case len(c.text)+len(m.Text) > c.t.maxText:
		c.reset()
		return c.complain(p, smb.NoRoom, b)
	}
	if text := unterminated(m.Text); len(text) > 0 {
		c.text = append(c.text, text...)
		c.ends = append(c.ends, len(c.text))
	}
	return p.Header.AppendAnswer(b, 0), nil
}

// unterminated returns text without zero bytes at its end. MS-MSRP calls the text of a
// block terminated, and smbclient sends an empty text as one zero byte.
func unterminated(text []byte) []byte { return bytes.TrimRight(text, "\x00") }

func (c *conversation) end(ctx context.Context, p smb.Packet, b []byte) ([]byte, error) {
	m, err := p.End()
	switch {
	case err != nil:
		return c.malformed(p, b)
	case !c.belongs(m.Group):
		return c.complain(p, smb.InvalidParameter, b)
	}
	in := c.inbound(c.from, c.to, c.blocks()...)
	c.reset()
	return p.Header.AppendAnswer(b, c.hand(ctx, in)), nil
}

func (c *conversation) blocks() [][]byte {
	blocks := make([][]byte, len(c.ends))
	begin := 0
	for i, end := range c.ends {
		blocks[i] = c.text[begin:end]
		begin = end
	}
	return blocks
}

// inbound returns the message as the middle of the service knows it.
func (c *conversation) inbound(from, to []byte, text ...[]byte) messngr.Inbound {
	page := c.t.env.Page
	claimed := oem.CleanLine(page.Decode(from))
	if claimed == "" {
		claimed = oem.CleanLine(page.DecodeName([]byte(c.calling.Label())))
	}
	recipient := oem.CleanLine(page.Decode(to))
	c.handed++
	return messngr.Inbound{
		Message: messngr.Message{
			From: messngr.From{Claimed: claimed, Trust: messngr.Unverified, Address: c.remote},
			To:   recipient,
			Via:  Name,
			Text: oem.Clean(oem.Normalize(page.Decode(text...))),
		},
		Origin: messngr.Origin(c.origin + strconv.Itoa(c.handed)),
		To:     []string{c.t.env.Recipient(recipient)},
	}
}

// hand gives the message to the middle of the service and returns what to answer.
func (c *conversation) hand(ctx context.Context, in messngr.Inbound) smb.Status {
	_, err := c.accept(ctx, in)
	if err == nil {
		c.errors = 0
	} else {
		c.t.log.Debug("message not taken", "from", in.Message.From.Claimed, "to", in.Message.To, "remote", c.remote, "err", err)
	}
	return statusOf(err)
}

// statusOf turns what Accept returned into the protocol's answer.
func statusOf(err error) smb.Status {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, messngr.ErrUnknownName):
		return smb.UnknownName
	case errors.Is(err, messngr.ErrRefused):
		return smb.MessagesOff
	case errors.Is(err, messngr.ErrPaused):
		return smb.Paused
	case errors.Is(err, messngr.ErrBusy), errors.Is(err, messngr.ErrTooLong):
		return smb.NoRoom
	default:
		return smb.NoResource
	}
}

// errorOf turns a peer's answer into the error that the router acts on: the inverse of
// statusOf, for the answers of all servers.
func errorOf(status smb.Status) error {
	kind := messngr.ErrRefused
	hint := ""
	switch status.DOS() {
	case smb.UnknownName:
		kind = messngr.ErrUnknownName
	case smb.Paused:
		kind = messngr.ErrPaused
	case smb.NoRoom:
		kind = messngr.ErrBusy
	case smb.NoResource, smb.BadCommand:
		kind = messngr.ErrUnavailable
	case smb.NotAccepted:
		hint = "; on a Samba server, smb.conf lacks a 'message command'"
	}
	if text := status.Error(); strings.HasPrefix(text, kind.Error()) {
		return &statusError{kind, status} // it needs not be said twice
	}
	return fmt.Errorf("%w: %w%s", kind, status, hint)
}

// statusError is an error of the kind, in the words of the status alone.
type statusError struct {
	kind   error
	status smb.Status
}

func (e *statusError) Error() string   { return e.status.Error() }
func (e *statusError) Unwrap() []error { return []error{e.kind, e.status} }
