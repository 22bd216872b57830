// Package samba takes messages that Samba's file server has taken, where that has TCP port
// 139: smbd runs its `message command` for each, and that hands the message over here.
//
// The way is lossy. smbd has told the sender that the message was delivered, whatever
// becomes of it; it does not say whom the sender addressed; it replaces characters in the
// sender's name. Nothing of it is proven. Where the port can be ours, package smbmessage
// does all of this better.
package samba

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"messngr"
	"messngr/transport"
	"messngr/wire/oem"
)

// Name is what `via` says of these messages.
const Name = "samba"

// Config is the section [transport.samba].
type Config struct {
	User    string `toml:"user" comment:"as whom smbd runs its message command: its guest account; besides root and the service's own user only this one may hand messages over; empty: nobody else may"`
	Spool   string `toml:"spool" comment:"folder, of that user alone, for messages that arrive while the service is down"`
	MaxText int    `toml:"max_text" comment:"longest text in bytes; of longer ones the beginning is taken, since their senders cannot be told"`
}

// DefaultConfig returns what is in force where the configuration says nothing.
func DefaultConfig() *Config {
	return &Config{User: "nobody", Spool: "/var/spool/messngr", MaxText: 65536}
}

// Kind describes the transport.
func Kind() transport.Kind {
	return transport.Kind{
		Name:    Name,
		Summary: "messages that smbd took by its message command (lossy: the addressee is unknown)",
		Config:  func() any { return DefaultConfig() },
		New: func(env transport.Env, config any) (any, error) {
			c, ok := config.(*Config)
			if !ok {
				return nil, fmt.Errorf("samba: configuration is %T", config)
			}
			return New(env, *c)
		},
	}
}

// Transport is the transport. It implements messngr.Receiver.
type Transport struct {
	env     transport.Env
	log     *slog.Logger
	maxText int
	intake  *transport.Intake
}

// New makes the transport.
func New(env transport.Env, c Config) (*Transport, error) {
	if c.MaxText < 1 || c.MaxText > messngr.MaxText {
		return nil, fmt.Errorf("samba: max_text is %d, want 1 to %d", c.MaxText, messngr.MaxText)
	}
	if strings.ContainsAny(c.User, " \t\n:/") {
		return nil, fmt.Errorf("samba: user %q is no login name", c.User)
	}
	t := &Transport{env: env, log: env.Log, maxText: c.MaxText, intake: transport.NewIntake()}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	return t, nil
}

// Receive implements messngr.Receiver: until ctx ends, Inject works. It is called once. A
// message that is being stored when ctx ends is still answered.
func (t *Transport) Receive(ctx context.Context, accept messngr.Accept) error {
	return t.intake.Receive(ctx, accept)
}

// A Handover is one message as smbd's message command gets it.
type Handover struct {
	// Key identifies the hand-over. A second one with the same key is the same message.
	Key string
	// From and Machine are the sender and the machine as they call themselves: %f and
	// %m in smb.conf.
	From, Machine string
	// Address is where the machine is, by smbd's word (%I); the zero value if smbd was
	// not asked for it.
	Address netip.Addr
	// To is whom the sender addressed, if smbd knew; a word that is no name of this host
	// counts as unknown, as Samba's %t does, which is a time.
	To string
	// Text is the text as smbd wrote it into a file: in UTF-8, or, where its conversion
	// failed, in an OEM code page.
	Text []byte
	// Length is how long the text was in bytes, if Text is only its beginning; else zero.
	Length int64
	// Waited is when smbd handed the message over, if that is long ago; else zero.
	Waited time.Time
}

// Inject hands a message to the middle of the service and returns when it is stored, with
// the error of messngr.Accept if it is not. It waits for Receive, and returns
// messngr.ErrUnavailable after that has ended, or when ctx ends first.
func (t *Transport) Inject(ctx context.Context, h Handover) error {
	in, err := t.inbound(h)
	if err != nil {
		return err
	}
	accept, leave, err := t.intake.Join(ctx)
	if err != nil {
		return fmt.Errorf("samba: %w", err)
	}
	defer leave()
	if _, err := accept(context.WithoutCancel(ctx), in); err != nil {
		t.log.Debug("message not taken", "from", in.Message.From.Claimed, "machine", h.Machine, "remote", h.Address, "err", err)
		return err
	}
	return nil
}

// inbound returns the message as the middle of the service knows it.
func (t *Transport) inbound(h Handover) (messngr.Inbound, error) {
	if h.Key == "" {
		return messngr.Inbound{}, errors.New("samba: hand-over without a key")
	}
	page := t.env.Page
	machine, claimed := oem.CleanLine(page.Decode([]byte(h.Machine))), oem.CleanLine(page.Decode([]byte(h.From)))
	if claimed == "" {
		claimed = machine
	}
	recipient, to := unknown, t.env.Host
	if name := page.Upper(oem.CleanLine(h.To)); name != "" && t.env.Local != nil && t.env.Local(name) {
		recipient, to = name, name
	}
	length, most := int64(len(h.Text)), t.maxText
	if h.Length > length {
		length, most = h.Length, min(most, len(h.Text)-1)
	}
	text := beginning(h.Text, most)
	return messngr.Inbound{
		Message: messngr.Message{
			From:  messngr.From{Claimed: claimed, Trust: messngr.Unverified, Address: h.Address},
			To:    recipient,
			Via:   Name,
			Title: title(machine, recipient, h.Waited, int64(len(text)), length),
			Text:  oem.Clean(oem.Normalize(page.Decode(text))),
		},
		Origin: messngr.Origin(Name + "/" + h.Key),
		To:     []string{to},
	}, nil
}

// beginning returns at most so many bytes of a text, and no half of a character at its end:
// with one it would not be recognised as UTF-8.
func beginning(text []byte, most int) []byte {
	if most < 0 || len(text) <= most {
		return text
	}
	for n := most; n > most-utf8.UTFMax && n > 0; n-- {
		if utf8.RuneStart(text[n]) {
			return text[:n]
		}
	}
	return text[:most]
}

// unknown stands for an addressee that smbd did not tell. No NetBIOS name of a person or
// machine looks like it.
const unknown = "(unknown)"

// title tells the reader what this way has lost.
func title(machine, recipient string, waited time.Time, taken, length int64) string {
	var b strings.Builder
	b.WriteString("taken by Samba")
	if machine != "" {
		b.WriteString(" from " + machine)
	}
	if recipient == unknown {
		b.WriteString(", addressee unknown")
	}
	if !waited.IsZero() {
		b.WriteString(", waited here since " + waited.Format("2006-01-02 15:04"))
	}
	if taken < length {
		fmt.Fprintf(&b, ", cut to %d of %d bytes", taken, length)
	}
	return b.String()
}
