package mailslot

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"messngr"
	"messngr/carrier"
	"messngr/wire/mailslot"
	"messngr/wire/netbios"
	"messngr/wire/oem"
	"messngr/wire/smb"
)

const (
	// queues is how many messages are handed over at once, so that a store that flushes
	// for all who wait is used well, and no source has to wait for all others.
	queues = 16
	// backlog is how many messages of one queue wait. When there are more, the network
	// loses some, as it may: their senders were promised nothing.
	backlog = 2048
)

// Receive implements messngr.Receiver.
func (t *Transport) Receive(ctx context.Context, accept messngr.Accept) error {
	var workers sync.WaitGroup
	defer workers.Wait()
	for _, queue := range t.waiting {
		workers.Go(func() { t.hand(ctx, queue, accept) })
	}
	return nil
}

// hand hands over what is in one queue, until ctx ends.
func (t *Transport) hand(ctx context.Context, queue <-chan *messngr.Inbound, accept messngr.Accept) {
	for {
		select {
		case <-ctx.Done():
			return
		case in := <-queue:
			if _, err := accept(context.WithoutCancel(ctx), *in); err != nil {
				t.log.Debug("message not taken", "from", in.Message.From.Claimed, "to", in.Message.To,
					"remote", in.Message.From.Address, "err", err)
			}
		}
	}
}

// queueOf chooses the queue of a source.
func queueOf(source netip.Addr) int {
	sum := 0
	for _, b := range source.As16() {
		sum = sum*31 + int(b)
	}
	return sum % queues
}

// take reads one datagram and lines its message up. It must not block.
func (t *Transport) take(network int, d carrier.Datagram) {
	m, ours, err := read(d.Data)
	if !ours {
		return // other services have mailslots too
	}
	source := d.Source.Addr()
	if t.env.Permit != nil && t.env.Permit(source) != nil {
		return
	}
	if err != nil {
		t.log.Debug("malformed message", "remote", d.Source, "err", err)
		return
	}
	to, group, ok := t.addressee(d)
	if !ok {
		return
	}
	in := &messngr.Inbound{
		Message: t.message(m, d), To: []string{to}, Group: group,
		Route: fmt.Sprintf("%d/%s", network, d.Interface),
	}
	select {
	case t.waiting[queueOf(source)] <- in:
	default:
		if n := t.lost.Add(1); n&(n-1) == 0 { // 1, 2, 4, 8, ...
			t.log.Warn("datagrams lost: they come faster than they can be stored", "lost", n)
		}
	}
}

// read reads the message in a datagram: written to the Messenger service's mailslot or, by
// clients from before there were mailslots, as a broadcast message of SMB. ours is false
// if the datagram is no business of that service.
func read(data []byte) (m mailslot.Message, ours bool, err error) {
	if write, err := smb.ParseMailslotWrite(data); err == nil {
		if !strings.EqualFold(write.Name, mailslot.Name) {
			return m, false, nil
		}
		m, err = mailslot.Parse(write.Data)
		return m, true, err
	}
	p, err := smb.Parse(data)
	if err != nil || p.Header.Command != smb.SendBroadcast || p.Header.Flags&smb.Reply != 0 {
		return m, false, nil
	}
	single, err := p.Single()
	if len(single.To) == 0 {
		single.To = []byte("*")
	}
	return mailslot.Message{From: single.From, To: single.To, Text: bytes.TrimRight(single.Text, "\x00")}, true, err
}

// addressee says whom a datagram is for. Windows takes a message for any name of the
// machine, so the machine's own name counts with either suffix (MS-MAIL 3.1.5.2).
func (t *Transport) addressee(d carrier.Datagram) (to string, group, ok bool) {
	name, suffix := t.env.Page.DecodeName([]byte(d.To.Label())), d.To.Suffix()
	switch {
	case d.To == netbios.Wildcard():
		return t.env.Workgroup, true, true
	case d.Group:
		return name, true, suffix == netbios.Workstation
	default:
		return name, false, suffix == netbios.Workstation || suffix == netbios.Messenger
	}
}

// message returns the message as the middle of the service knows it.
func (t *Transport) message(m mailslot.Message, d carrier.Datagram) messngr.Message {
	page := t.env.Page
	claimed := oem.CleanLine(page.Decode(m.From))
	if claimed == "" {
		claimed = oem.CleanLine(page.DecodeName([]byte(d.From.Label())))
	}
	return messngr.Message{
		From: messngr.From{Claimed: claimed, Trust: messngr.Unverified, Address: d.Source.Addr()},
		To:   oem.CleanLine(page.Decode(m.To)),
		Via:  Name,
		Text: oem.Clean(oem.Normalize(page.Decode(m.Text))),
	}
}
