// Package mailslot carries messages in datagrams of NetBIOS, as writes to the mailslot
// \MAILSLOT\MESSNGR: NET SEND to everybody or to a domain, and WinPopup to a workgroup
// (MS-MSRP 2.2.4, 3.2.4.4, MS-MAIL).
//
// Datagrams are never answered. The best that a sender can learn is that one has left.
package mailslot

import (
	"fmt"
	"log/slog"
	"sync/atomic"

	"messngr"
	"messngr/carrier"
	"messngr/transport"
	"messngr/wire/mailslot"
)

// Name is what `via` says of these messages.
const Name = "mailslot"

// Config is the section [transport.mailslot].
type Config struct {
	MaxText int `toml:"max_text" comment:"longest text in bytes that is sent in one piece; Windows 3.x and 9x are only known to take 128, others up to 400"`
}

// DefaultConfig returns what is in force where the configuration says nothing.
func DefaultConfig() *Config { return &Config{MaxText: mailslot.MaxText} }

// minText is the shortest limit that leaves room for the numbers of the parts of a
// longer text.
const minText = 32

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

// Transport is the transport. It implements messngr.Receiver and messngr.Sender.
type Transport struct {
	env     transport.Env
	log     *slog.Logger
	maxText int
	// waiting are the messages that were not handed over yet. Those of one source are
	// all in the same queue, so that they stay in their order.
	waiting [queues]chan *messngr.Inbound
	lost    atomic.Int64 // datagrams that found their queue full
}

// New makes the transport and attaches it to the networks of env.
func New(env transport.Env, c Config) (*Transport, error) {
	if c.MaxText < minText || c.MaxText > mailslot.MaxSend {
		return nil, fmt.Errorf("mailslot: max_text is %d, want %d to %d", c.MaxText, minText, mailslot.MaxSend)
	}
	t := &Transport{env: env, log: env.Log, maxText: c.MaxText}
	for i := range t.waiting {
		t.waiting[i] = make(chan *messngr.Inbound, backlog)
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	for i, network := range env.NetBIOS {
		network.HandleDatagrams(func(d carrier.Datagram) { t.take(i, d) })
	}
	return t, nil
}
