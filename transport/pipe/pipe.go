// Package pipe takes the Messenger service's calls over named pipes, from callers whom the
// file server of this host has let in: messages (NetrSendMessage), the management of message
// names (MS-MSRP 3.1), and messages that this host is to pass on (NetrMessageBufferSend).
//
// The file server vouches for who a caller is, and for nothing else: the names that a
// message claims stay claims.
package pipe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"messngr"
	"messngr/transport"
	"messngr/wire/dcerpc"
	"messngr/wire/msgnames"
	"messngr/wire/msgsvc"
	"messngr/wire/npa"
	"messngr/wire/wkssvc"
)

// Name is what `via` says of these messages.
const Name = "pipe"

// callTime is how long a call may take; some have to ask other machines.
const callTime = 30 * time.Second

// Server is where the pipes are served.
type Server interface {
	// Handle makes h run every call of an interface on a pipe. It is called before the
	// server runs. An error that is a *dcerpc.StatusError is told to the caller.
	Handle(pipe string, served dcerpc.Syntax, h func(ctx context.Context, who npa.Client, call dcerpc.Call) ([]byte, error))
}

// The errors of a Host, besides those of the router.
var (
	ErrInvalid = errors.New("not a name that can be used")
	ErrExists  = errors.New("name exists on this computer already")
	ErrTooMany = errors.New("too many names")
	ErrTaken   = errors.New("another machine has the name")
	ErrOwn     = errors.New("the computer's own name cannot be removed")
)

// Host is what callers manage and use of this host.
type Host interface {
	// Who describes the user of this host with that id.
	Who(uid int) messngr.Principal
	// Names lists the message names in an order that stays.
	Names() []string
	// AddName adds a message name, for the machine; ErrInvalid, ErrExists, ErrTooMany,
	// or ErrTaken say why it could not.
	AddName(ctx context.Context, name string) error
	// RemoveName removes a message name; ErrInvalid, ErrOwn, or messngr.ErrNotFound say
	// why it could not.
	RemoveName(ctx context.Context, name string) error
	// Relay sends a message for somebody. It returns when it has arrived as far as can
	// be known: messngr.ErrRefused if the sender may not, or the other side does not
	// want it, messngr.ErrUnknownName, ErrInvalid, or any other error otherwise.
	Relay(ctx context.Context, r Relay) error
}

// Relay is a message that a caller wants to have sent.
type Relay struct {
	Caller messngr.Principal
	// From is the name to send as; "" for the caller's own.
	From string
	// To is a message name, "*" for everybody, or a domain and "*".
	To   string
	Text string
}

// Config is the section [transport.pipe].
type Config struct {
	MaxText int `toml:"max_text" comment:"longest text in bytes; longer ones are refused"`
}

// DefaultConfig returns what is in force where the configuration says nothing.
func DefaultConfig() *Config { return &Config{MaxText: msgsvc.MaxText} }

// Kind describes the transport, for pipes of that server.
func Kind(server Server, host Host) transport.Kind {
	return transport.Kind{
		Name:    Name,
		Summary: "messages of clients of this host's file server, and its message names from afar",
		Config:  func() any { return DefaultConfig() },
		New: func(env transport.Env, config any) (any, error) {
			c, ok := config.(*Config)
			if !ok {
				return nil, fmt.Errorf("pipe: configuration is %T", config)
			}
			return New(env, server, host, *c)
		},
	}
}

// Transport is the transport. It implements messngr.Receiver.
type Transport struct {
	env     transport.Env
	log     *slog.Logger
	host    Host
	maxText int
	intake  *transport.Intake
}

// New makes the transport and attaches it to the server; nil is one that is switched off.
func New(env transport.Env, server Server, host Host, c Config) (*Transport, error) {
	if c.MaxText < 1 || c.MaxText > msgsvc.MaxText {
		return nil, fmt.Errorf("pipe: max_text is %d, want 1 to %d", c.MaxText, msgsvc.MaxText)
	}
	t := &Transport{env: env, log: env.Log, host: host, maxText: c.MaxText, intake: transport.NewIntake()}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if server != nil {
		server.Handle(msgnames.Pipe, msgnames.Interface(), t.names)
		server.Handle(msgnames.Pipe, msgsvc.Interface(), t.send)
		server.Handle(wkssvc.Pipe, wkssvc.Interface(), t.relay)
	}
	return t, nil
}

// Receive implements messngr.Receiver. A message that is being stored when ctx ends is
// still answered.
func (t *Transport) Receive(ctx context.Context, accept messngr.Accept) error {
	return t.intake.Receive(ctx, accept)
}

// The answers to calls that are not run.
func noProcedure() error { return &dcerpc.StatusError{Status: dcerpc.OpRange, Rejected: true} }
func notNow() error      { return &dcerpc.StatusError{Status: dcerpc.UnknownInterface, Rejected: true} }

// badStub is for a call that was not understood, and says in the log why.
func (t *Transport) badStub(who npa.Client, err error) error {
	t.log.Debug("call not understood", "remote", who.Address, "err", err)
	return &dcerpc.StatusError{Status: dcerpc.BadStub}
}

// join lets a call in, whose end is waited for when the service ends: leave is to be called
// then. It returns the context of the call, which ends after callTime at the latest.
func (t *Transport) join(ctx context.Context) (call context.Context, accept messngr.Accept, leave func(), err error) {
	accept, left, err := t.intake.Join(ctx)
	if err != nil {
		return nil, nil, nil, notNow()
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	return call, accept, func() { cancel(); left() }, nil
}

// caller is who makes a call.
type caller struct {
	addr netip.Addr
	// proven says that the file server knows who it is: a user of this host.
	proven bool
	messngr.Principal
}

// caller finds out who makes a call. It fails if nothing is taken from where it is.
func (t *Transport) caller(who npa.Client) (caller, error) {
	c := caller{addr: who.Address.Addr(), Principal: messngr.Principal{UID: -1}}
	if !c.addr.IsValid() {
		return c, fmt.Errorf("%w: a caller without an address", messngr.ErrRefused)
	}
	if t.env.Permit != nil {
		if err := t.env.Permit(c.addr); err != nil {
			return c, err
		}
	}
	if uid := who.UID(); uid >= 0 && who.Proven() {
		c.Principal, c.proven = t.host.Who(uid), true
		c.Admin = c.Admin || who.Has(npa.Administrators)
	}
	return c, nil
}
