// Package remote manages the message names of another machine, over its pipe \PIPE\msgsvc
// (MS-MSRP 3.1), as NET NAME did on the machine itself. That takes a file server that
// speaks SMB 2 or 3, and behind it a Messenger service: messngr beside Samba is one.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"messngr/carrier/binding"
	"messngr/carrier/ipc"
	"messngr/wire/msgnames"
)

const (
	// maxAddresses is how many addresses of a machine are tried at the most.
	maxAddresses = 4
	// maxParts is in how many parts a list of names may come.
	maxParts = 64
)

// Port is the TCP port of file servers.
const Port = ipc.Port

// Credentials are who asks. Without a user it is nobody.
type Credentials = ipc.Credentials

// Machine is another machine.
type Machine struct {
	// Host is what people call it.
	Host string
	// Addresses are where it is, best first.
	Addresses []netip.AddrPort
}

// Names are the message names of a machine, for one user of it. Its methods are for one
// goroutine at a time. Every error that they return is an *Error.
type Names struct {
	host    string
	nobody  bool
	session *ipc.Session
	binding *binding.Binding
}

// Connect logs in to a machine and asks for its Messenger service. Every error that it
// returns is an *Error.
func Connect(ctx context.Context, m Machine, who Credentials) (*Names, error) {
	n := &Names{host: m.Host, nobody: who.User == ""}
	err := fmt.Errorf("%w: no address", ipc.ErrNoConnection)
	for _, addr := range m.Addresses[:min(len(m.Addresses), maxAddresses)] {
		if n.session, err = ipc.Dial(ctx, addr, m.Host, who); !errors.Is(err, ipc.ErrNoConnection) {
			break
		}
	}
	if err != nil {
		return nil, n.explain(err)
	}
	if err := n.bind(ctx); err != nil {
		_ = n.Close()
		return nil, n.explain(err)
	}
	return n, nil
}

func (n *Names) bind(ctx context.Context) error {
	pipe, err := n.session.Open(ctx, msgnames.Pipe)
	if err != nil {
		return err
	}
	n.binding, err = binding.Bind(ctx, pipe, msgnames.Interface())
	return err
}

// Close ends the session.
func (n *Names) Close() error { return n.session.Close() }

// List returns the names, in the machine's own order.
func (n *Names) List(ctx context.Context) ([]string, error) {
	var names []string
	q := msgnames.Request{PrefMaxLen: msgnames.AllBytes, HasResume: true}
	for range maxParts {
		a, err := n.call(ctx, msgnames.Enum, q)
		if err != nil {
			return nil, n.explain(err)
		}
		names = append(names, a.Names...)
		switch {
		case a.Status == msgnames.Success:
			return names, nil
		case a.Status != msgnames.BufTooSmall:
			return nil, n.explain(a.Status)
		case len(a.Names) == 0 || a.Resume == q.Resume:
			return nil, n.explain(errors.New("it says that there are more names, and does not tell them"))
		}
		q.Resume = a.Resume
	}
	return nil, n.explain(fmt.Errorf("its list of names has no end (%d so far)", len(names)))
}

// Add gives the machine a name.
func (n *Names) Add(ctx context.Context, name string) error {
	return n.change(ctx, msgnames.Add, name)
}

// Remove takes a name from the machine.
func (n *Names) Remove(ctx context.Context, name string) error {
	return n.change(ctx, msgnames.Del, name)
}

func (n *Names) change(ctx context.Context, op uint16, name string) error {
	a, err := n.call(ctx, op, msgnames.Request{Name: name})
	if err == nil && a.Status != msgnames.Success {
		err = a.Status
	}
	if err != nil {
		return n.explain(err)
	}
	return nil
}

func (n *Names) call(ctx context.Context, op uint16, q msgnames.Request) (msgnames.Answer, error) {
	q.Server = n.host
	answer, err := n.binding.Call(ctx, op, q.Append(nil, op, false))
	if err != nil {
		return msgnames.Answer{}, err
	}
	return msgnames.ParseAnswer(op, answer.Stub, answer.BigEndian)
}
