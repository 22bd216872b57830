// Package mailslot carries messages in datagrams of NetBIOS, as writes to the mailslot
// \MAILSLOT\MESSNGR: NET SEND to everybody or to a domain, and WinPopup to a workgroup
// (MS-MSRP 2.2.4, 3.2.4.4, MS-MAIL).
//
// Datagrams are never answered. The best that a sender can learn is that one has left.
package mailslot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"

	"messngr"
	"messngr/carrier"
	"messngr/transport"
	"messngr/wire/mailslot"
	"messngr/wire/netbios"
	"messngr/wire/oem"
	"messngr/wire/smb"
)

// Name is what `via` says of these messages.
const Name = "mailslot"

// Config is the section [transport.mailslot].
type Config struct {
	MaxText int `toml:"max_text" comment:"longest text in bytes that is sent in one piece; Windows 3.x and 9x are only known to take 128, others up to 400"`
}

// DefaultConfig returns what is in force where the configuration says nothing.
func DefaultConfig() *Config { return &Config{MaxText: mailslot.MaxText} }

// Kind describes the transport.
func Kind() transport.Kind {
	return transport.Kind{
		Name:    Name,
		Summary: "datagrams to everybody, a workgroup, or one machine (NET SEND *, WinPopup)",
		Config:  func() any { return DefaultConfig() },
		New: func(env transport.Env, config any) (any, error) {
			c, ok := config.(*Config)
			if !ok {
				return nil, fmt.Errorf("mailslot: configuration is %T", config)
			}
			return New(env, *c)
		},
	}
}

// backlog is how many datagrams wait to be stored. When there are more, the network
// has to lose some, as it may: nothing of them has been taken.
const backlog = 2048

// Transport is the transport. It implements messngr.Receiver and messngr.Sender.
type Transport struct {
	env     transport.Env
	log     *slog.Logger
	maxText int
	arrived chan messngr.Inbound
	lost    atomic.Int64 // datagrams that found the backlog full
}

// New makes the transport and attaches it to the networks of env.
func New(env transport.Env, c Config) (*Transport, error) {
	if c.MaxText < 32 || c.MaxText > mailslot.MaxSend {
		return nil, fmt.Errorf("mailslot: max_text is %d, want 32 to %d", c.MaxText, mailslot.MaxSend)
	}
	t := &Transport{env: env, log: env.Log, maxText: c.MaxText, arrived: make(chan messngr.Inbound, backlog)}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	for i, network := range env.NetBIOS {
		network.HandleDatagrams(func(d carrier.Datagram) { t.take(i, d) })
	}
	return t, nil
}

// Receive implements messngr.Receiver. Messages are handed over one after another,
// in the order of their arrival.
func (t *Transport) Receive(ctx context.Context, accept messngr.Accept) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case in := <-t.arrived:
			if _, err := accept(context.WithoutCancel(ctx), in); err != nil {
				t.log.Debug("datagram not taken", "from", in.Message.From.Claimed, "address", in.Message.From.Address, "err", err)
			}
		}
	}
}

// take reads one datagram and lines it up. It must not block.
func (t *Transport) take(network int, d carrier.Datagram) {
	write, err := smb.ParseMailslotWrite(d.Data)
	if err != nil || !strings.EqualFold(write.Name, mailslot.Name) {
		return // other services have mailslots too
	}
	if t.env.Permit != nil && t.env.Permit(d.Source.Addr()) != nil {
		return
	}
	m, err := mailslot.Parse(write.Data)
	if err != nil {
		t.log.Debug("malformed message", "address", d.Source, "err", err)
		return
	}
	to, group, ok := t.addressee(d)
	if !ok {
		return
	}
	in := messngr.Inbound{
		Message: t.message(m, d), To: []string{to}, Group: group,
		Route: fmt.Sprintf("%d/%s", network, d.Interface),
	}
	select {
	case t.arrived <- in:
	default:
		if n := t.lost.Add(1); n&(n-1) == 0 { // 1, 2, 4, 8, ...
			t.log.Warn("datagrams lost, they come faster than they can be stored", "lost", n)
		}
	}
}

// addressee says whom a datagram is for. Windows takes a message for any name of the
// machine, so the machine's own name counts with either suffix (MS-MAIL 3.1.5.2).
func (t *Transport) addressee(d carrier.Datagram) (to string, group, ok bool) {
	suffix := d.To.Suffix()
	switch {
	case d.To == netbios.Wildcard():
		return t.env.Workgroup, true, true
	case d.Group:
		return t.env.Page.DecodeName([]byte(d.To.Label())), true, suffix == netbios.Workstation
	default:
		return t.env.Page.DecodeName([]byte(d.To.Label())), false, suffix == netbios.Workstation || suffix == netbios.Messenger
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
		Text: strings.TrimRight(oem.Clean(oem.Normalize(page.Decode(m.Text))), "\n"),
	}
}

// Send implements messngr.Sender. A message to a group leaves once on every interface.
// One to a device without a name goes to the name that the machine has for messages.
func (t *Transport) Send(ctx context.Context, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
	data, lossy, err := t.write(to, m)
	if err != nil {
		return messngr.Evidence{}, err
	}
	from, err := t.name(t.env.Host, netbios.Messenger)
	if err != nil {
		return messngr.Evidence{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	err = fmt.Errorf("%w: no NetBIOS network", messngr.ErrUnavailable)
	ev := messngr.Evidence{State: messngr.Sent, Lossy: lossy}
	sent := false
	for i, network := range t.env.NetBIOS {
		addr, failed := t.sendOver(ctx, network, to, from, data)
		switch {
		case failed == nil:
			sent = true
			if addr.IsValid() {
				ev.Address = netip.AddrPortFrom(addr, 138)
			}
		case i == 0 || errors.Is(err, carrier.ErrOff):
			err = failed
		}
		if sent && !to.Group {
			break
		}
	}
	if !sent {
		return messngr.Evidence{}, err
	}
	return ev, nil
}

func (t *Transport) sendOver(
	ctx context.Context, network carrier.NetBIOS, to messngr.Device, from netbios.Name, data []byte,
) (netip.Addr, error) {
	if to.Group {
		called, err := t.name(to.Name, netbios.Workstation)
		if err != nil {
			return netip.Addr{}, fmt.Errorf("%w: %w", messngr.ErrUnknownName, err)
		}
		return netip.Addr{}, unavailable(network.SendDatagram(ctx, netip.Addr{}, called, from, data))
	}
	called, addr, err := t.find(ctx, network, to)
	if err != nil {
		return addr, err
	}
	return addr, unavailable(network.SendDatagram(ctx, addr, called, from, data))
}

// find says which name to call, and where.
func (t *Transport) find(ctx context.Context, network carrier.NetBIOS, to messngr.Device) (netbios.Name, netip.Addr, error) {
	if to.Name == "" {
		entries, err := network.Status(ctx, to.Address)
		if err != nil {
			return netbios.Name{}, to.Address, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
		}
		for _, e := range entries {
			if e.Name.Suffix() == netbios.Messenger && !e.Group {
				return e.Name, to.Address, nil
			}
		}
		return netbios.Name{}, to.Address, fmt.Errorf("%w: %v has no name that takes messages", messngr.ErrUnknownName, to.Address)
	}
	called, err := t.name(to.Name, netbios.Messenger)
	if err != nil {
		return called, netip.Addr{}, fmt.Errorf("%w: %w", messngr.ErrUnknownName, err)
	}
	if to.Address.IsValid() {
		return called, to.Address, nil
	}
	addrs, err := network.Resolve(ctx, called)
	switch {
	case errors.Is(err, carrier.ErrNoName) || err == nil && len(addrs) == 0:
		return called, netip.Addr{}, fmt.Errorf("%w: nobody answers for %s", messngr.ErrUnknownName, called)
	case err != nil:
		return called, netip.Addr{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	return called, addrs[0], nil
}

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
}

// write puts a message into the form in which it is sent, or says how much of it would
// fit.
func (t *Transport) write(to messngr.Device, m *messngr.Message) (data []byte, lossy bool, err error) {
	claimed := m.From.Claimed
	if claimed == "" {
		claimed = t.env.Host
	}
	from := t.shorten(claimed)
	text, lossy := t.env.Page.Encode(oem.ToWire(m.Text, oem.DC4))
	text = []byte(strings.ReplaceAll(string(text), "\x00", " "))
	out := mailslot.Message{From: from, To: t.shorten(to.String()), Text: text}
	limit := min(t.maxText, mailslot.MaxSend-(out.Len()-len(text)))
	if len(text) > limit {
		return nil, false, &messngr.TooLongError{Limit: limit, Length: len(text)}
	}
	body, err := out.Append(nil)
	if err != nil {
		return nil, false, err
	}
	data, err = smb.MailslotWrite{Name: mailslot.Name, Data: body}.Append(nil)
	return data, lossy, err
}

// shorten returns as much of a name as fits into 15 bytes.
func (t *Transport) shorten(name string) []byte {
	runes := []rune(oem.CleanLine(name))
	for {
		b, _ := t.env.Page.Encode(string(runes))
		if len(b) <= netbios.MaxLabel {
			return b
		}
		runes = runes[:len(runes)-1]
	}
}

func (t *Transport) name(name string, suffix netbios.Suffix) (netbios.Name, error) {
	label, err := t.env.Page.EncodeName(name)
	if err != nil {
		return netbios.Name{}, err
	}
	return netbios.New(string(label), suffix)
}
