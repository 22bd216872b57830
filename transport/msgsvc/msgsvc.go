// Package msgsvc carries messages by NetrSendMessage, the remote procedure call in
// datagrams that Windows falls back to where NetBIOS fails (MS-MSRP 3.2.4).
//
// The receiver answers as soon as a message is stored. The best that a sender can learn
// is that the other side took it.
package msgsvc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"messngr"
	"messngr/transport"
	"messngr/wire/dcerpc"
	"messngr/wire/msgsvc"
	"messngr/wire/oem"
)

// Name is what `via` says of these messages.
const Name = "rpc"

// Network is where calls are made and served.
type Network interface {
	// Handle makes h run every call of an interface at this host; name says to people
	// what it is. It is called before the network runs. from is where the caller has
	// proven to be. An error that is a *dcerpc.StatusError is told to the caller.
	Handle(served dcerpc.Syntax, name string, h func(ctx context.Context, from netip.AddrPort, call dcerpc.Call) ([]byte, error))
	// Call makes one call at another host. A *dcerpc.StatusError says that it failed
	// there; an error that wraps carrier.ErrOff, that nobody can have got it; every
	// other error, that its outcome is not known.
	Call(ctx context.Context, to netip.Addr, call dcerpc.Call) (dcerpc.Answer, error)
	// Port is the UDP port that calls are made to.
	Port() uint16
}

// Config is the section [transport.rpc].
type Config struct {
	MaxText int    `toml:"max_text" comment:"longest text in bytes, both ways; longer ones are refused or sent in parts"`
	Newline string `toml:"newline" comment:"line breaks that are sent: dc4, crlf or lf"`
}

// DefaultConfig returns what is in force where the configuration says nothing.
func DefaultConfig() *Config {
	return &Config{MaxText: msgsvc.MaxText, Newline: "crlf"}
}

// Kind describes the transport, for calls by that network.
func Kind(network Network) transport.Kind {
	return transport.Kind{
		Name:    Name,
		Summary: "messages by remote procedure call (NetrSendMessage, UDP 135)",
		Config:  func() any { return DefaultConfig() },
		New: func(env transport.Env, config any) (any, error) {
			c, ok := config.(*Config)
			if !ok {
				return nil, fmt.Errorf("rpc: configuration is %T", config)
			}
			return New(env, network, *c)
		},
	}
}

// Transport is the transport. It implements messngr.Receiver and messngr.Sender.
type Transport struct {
	env     transport.Env
	log     *slog.Logger
	network Network
	maxText int
	newline oem.Newline
	intake  *transport.Intake
}

// New makes the transport and attaches it to the network.
func New(env transport.Env, network Network, c Config) (*Transport, error) {
	if c.MaxText < 1 || c.MaxText > msgsvc.MaxText {
		return nil, fmt.Errorf("rpc: max_text is %d, want 1 to %d", c.MaxText, msgsvc.MaxText)
	}
	t := &Transport{env: env, log: env.Log, network: network, maxText: c.MaxText, intake: transport.NewIntake()}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	switch c.Newline {
	case "dc4":
		t.newline = oem.DC4
	case "crlf":
		t.newline = oem.CRLF
	case "lf":
		t.newline = oem.LF
	default:
		return nil, fmt.Errorf("rpc: newline is %q, want dc4, crlf or lf", c.Newline)
	}
	network.Handle(msgsvc.Interface(), "Messenger Service", t.serve)
	return t, nil
}

// statusOf turns what Accept returned into the protocol's answer.
func statusOf(err error) msgsvc.Status {
	switch {
	case err == nil:
		return msgsvc.Success
	case errors.Is(err, messngr.ErrUnknownName):
		return msgsvc.NameNotFound
	case errors.Is(err, messngr.ErrRefused):
		return msgsvc.AccessDenied
	case errors.Is(err, messngr.ErrPaused):
		return msgsvc.Paused
	case errors.Is(err, messngr.ErrBusy):
		return msgsvc.NotReceived
	case errors.Is(err, messngr.ErrTooLong):
		return msgsvc.InvalidParameter
	default:
		return msgsvc.NetworkError
	}
}

// errorOf turns a peer's answer into the error that the router acts on: the inverse of
// statusOf, for the answers of all servers.
func errorOf(status msgsvc.Status) error {
	kind := messngr.ErrRefused
	switch status {
	case msgsvc.Success:
		return nil
	case msgsvc.NameNotFound, msgsvc.NotLocalName:
		kind = messngr.ErrUnknownName
	case msgsvc.Paused:
		kind = messngr.ErrPaused
	case msgsvc.NotReceived:
		kind = messngr.ErrBusy
	case msgsvc.NetworkError, msgsvc.NotSupported:
		kind = messngr.ErrUnavailable
	}
	return fmt.Errorf("%w: %w", kind, status)
}
