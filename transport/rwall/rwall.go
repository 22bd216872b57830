// Package rwall carries messages as the network wall of Unix does: a string for everybody
// who is logged on at a machine, by remote procedure call in datagrams (Sun RPC, program
// 100008, the one of rwall(1) and rwalld(8)).
//
// Nothing of it is proven: a datagram can name any sender. The answer says that the other
// side took the message, not that anybody saw it.
package rwall

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"messngr"
	"messngr/carrier"
	"messngr/transport"
	"messngr/wire/sunrpc"
)

// Name is what `via` says of these messages.
const Name = "rwall"

// Config is the section [transport.rwall].
type Config struct {
	Enabled       bool   `toml:"enabled" comment:"take what rwall(1) of other machines sends to everybody on this one"`
	Port          int    `toml:"port" comment:"UDP port for it, and of machines that have no rpcbind; 0: any, which rpcbind knows"`
	RPCBind       string `toml:"rpcbind" comment:"socket of this host's rpcbind, which tells others the port; empty: it is not told"`
	MaxText       int    `toml:"max_text" comment:"longest text in bytes, both ways; longer ones are refused or sent in parts"`
	AnswerSeconds int    `toml:"answer_seconds" comment:"how long to wait for the answer when sending; it is never sent twice"`
}

// DefaultConfig returns what is in force where the configuration says nothing.
func DefaultConfig() *Config {
	return &Config{RPCBind: "/run/rpcbind.sock", MaxText: 8000, AnswerSeconds: 5}
}

// max_text is at least minText, so that there is room for the lines that go before a text,
// and at most maxText, so that it fits one datagram.
const (
	minText = 400
	maxText = 60000
)

// Kind describes the transport.
func Kind() transport.Kind {
	return transport.Kind{
		Name:    Name,
		Summary: "the network wall of Unix, to everybody on a machine (rwall, rwalld)",
		Config:  func() any { return DefaultConfig() },
		New: func(env transport.Env, config any) (any, error) {
			c, ok := config.(*Config)
			if !ok {
				return nil, fmt.Errorf("rwall: configuration is %T", config)
			}
			return New(env, *c)
		},
	}
}

// Transport is the transport. It implements messngr.Receiver and messngr.Sender.
type Transport struct {
	env     transport.Env
	log     *slog.Logger
	cfg     Config
	answer  time.Duration
	bindAt  uint16 // the port of every rpcbind
	wallAt  uint16 // the port that is ours, and that of machines without rpcbind; 0: none
	history history
	slots   chan struct{}
	timing  timing

	mu    sync.Mutex
	ports []carrier.Port
}

// timing is how long things wait; tests are in a hurry.
type timing struct {
	follow   time.Duration // between looks at the addresses of this host
	rebind   time.Duration // until rpcbind is tried again
	resend   time.Duration // until a question that does no harm is repeated
	patience time.Duration // for its answer in all
}

// New makes the transport.
func New(env transport.Env, c Config) (*Transport, error) {
	switch {
	case c.MaxText < minText || c.MaxText > maxText:
		return nil, fmt.Errorf("rwall: max_text is %d, want %d to %d", c.MaxText, minText, maxText)
	case c.Port < 0 || c.Port+env.PortOffset > 65535 || sunrpc.BindPort+env.PortOffset > 65535:
		return nil, fmt.Errorf("rwall: port %d with the offset %d, want 0 to 65535", c.Port, env.PortOffset)
	}
	answer, err := transport.Wait("answer_seconds", c.AnswerSeconds)
	if err != nil {
		return nil, fmt.Errorf("rwall: %w", err)
	}
	t := &Transport{
		env: env, log: env.Log, cfg: c, answer: answer,
		bindAt: uint16(sunrpc.BindPort + env.PortOffset), slots: make(chan struct{}, maxAtOnce),
		timing: timing{follow: 5 * time.Second, rebind: 5 * time.Second, resend: time.Second, patience: 3 * time.Second},
	}
	if c.Port != 0 {
		t.wallAt = uint16(c.Port + env.PortOffset)
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	return t, nil
}

// Ports says, for `messngr status`, what became of the port on each address.
func (t *Transport) Ports() []carrier.Port {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]carrier.Port(nil), t.ports...)
}

// statusOf turns what Accept returned into the protocol's answer, which has no words for
// most of it.
func statusOf(err error) sunrpc.Reply {
	switch {
	case err == nil:
		return sunrpc.Reply{Status: sunrpc.Success}
	case errors.Is(err, messngr.ErrRefused):
		return sunrpc.Reply{Status: sunrpc.AuthError, Why: sunrpc.TooWeak}
	case errors.Is(err, messngr.ErrTooLong):
		return sunrpc.Reply{Status: sunrpc.GarbageArguments}
	default:
		return sunrpc.Reply{Status: sunrpc.SystemError}
	}
}

// errorOf turns a peer's answer into the error that the router acts on.
func errorOf(status sunrpc.Status) error {
	switch status {
	case sunrpc.Success:
		return nil
	case sunrpc.AuthError, sunrpc.GarbageArguments:
		return fmt.Errorf("%w: %w", messngr.ErrRefused, status)
	default:
		return fmt.Errorf("%w: %w", messngr.ErrUnavailable, status)
	}
}
