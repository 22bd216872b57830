// Package carrier says what a NetBIOS network offers to the transports that
// share it: names, datagrams and message-oriented sessions, whatever the
// frames below are made of.
package carrier

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"messngr/wire/netbios"
)

// The errors of a NetBIOS network.
var (
	// ErrNotListening: the called name is there but takes no such session
	// (RFC 1002 4.3.4, error codes 0x80 and 0x81).
	ErrNotListening = errors.New("not listening on that name")
	// ErrNoName: the name is not present, or nobody answered for it.
	ErrNoName = errors.New("name not present")
	// ErrNoResources: the other side is out of resources (0x83).
	ErrNoResources = errors.New("insufficient resources")
	// ErrOff: this carrier, or the port that the call needs, is not in use.
	ErrOff = errors.New("carrier not available")
)

// ConflictError says that a name belongs to somebody else.
type ConflictError struct {
	Name  netbios.Name
	Owner netip.Addr // zero if unknown
}

// Error implements error.
func (e *ConflictError) Error() string {
	if !e.Owner.IsValid() {
		return "name " + e.Name.String() + " is owned by another machine"
	}
	return "name " + e.Name.String() + " is owned by " + e.Owner.String()
}

// NetBIOS is one NetBIOS network: NetBIOS over TCP/IP, NetBIOS Frames, or a
// network in memory. Its methods may be called by several goroutines at once.
type NetBIOS interface {
	// Run does the network's work until ctx ends: it opens the ports, answers
	// and defends names, and receives. Ready is closed when the ports are open,
	// or known not to be had.
	Run(ctx context.Context) error
	Ready() <-chan struct{}

	// Claim makes name ours on every interface, and keeps it until Release or
	// the end of Run. It returns when the claim has succeeded or failed: a
	// *ConflictError if another machine defends the name. Claiming a name that
	// is ours returns at once.
	Claim(ctx context.Context, name netbios.Name, group bool) error
	// Release gives the name up on every interface, telling the network.
	Release(ctx context.Context, name netbios.Name) error
	// Names lists the names of this host on this network, by interface.
	Names() []NameEntry

	// Resolve finds who has the name, best first, by the cache, the name
	// server and broadcast as the node type says. A group that has no list of
	// members gives the broadcast addresses. ErrNoName: nobody.
	Resolve(ctx context.Context, name netbios.Name) ([]netip.Addr, error)
	// Status asks the machine at addr for its names (adapter status).
	Status(ctx context.Context, addr netip.Addr) ([]NameEntry, error)

	// HandleSessions makes h serve every session that other machines open from
	// now on; it is called before Run. Each runs in a goroutine of its own and
	// is closed when h returns.
	HandleSessions(h SessionHandler)
	// Dial opens a session to the called name at addr.
	Dial(ctx context.Context, addr netip.Addr, called, calling netbios.Name) (Session, error)

	// HandleDatagrams makes h get every datagram for one of our names, our
	// groups or the broadcast name; it is called before Run. h must not block.
	HandleDatagrams(h func(Datagram))
	// SendDatagram sends data to a unique name at addr, or, if addr is the zero
	// value, to a group on every interface.
	SendDatagram(ctx context.Context, addr netip.Addr, to, from netbios.Name, data []byte) error

	// Ports says, for `messngr status`, what became of each port.
	Ports() []Port
}

// SessionHandler serves one session. It must return soon after ctx ends.
type SessionHandler func(ctx context.Context, s Session)

// Session carries whole messages both ways. Read and Write may be used by one
// goroutine each at a time.
type Session interface {
	// Read returns the next message. The bytes are valid until the next Read.
	// It returns io.EOF when the other side closed the session.
	Read() ([]byte, error)
	// Write sends one message.
	Write(message []byte) error
	// SetDeadline bounds every later Read and Write.
	SetDeadline(t time.Time) error
	// Called and Calling are the names of the session request; the zero Name
	// where the session came without one (direct hosting, TCP 445).
	Called() netbios.Name
	Calling() netbios.Name
	// Remote is where the other side is.
	Remote() netip.AddrPort
	Close() error
}

// Datagram is one NetBIOS datagram that arrived.
type Datagram struct {
	To, From netbios.Name
	Group    bool // sent to a group name or broadcast
	// Source is the address of the outermost header.
	Source netip.AddrPort
	// Mismatch says that the datagram itself names another source address.
	Mismatch  bool
	Interface string
	Data      []byte // valid only during the call
}

// NameState is the state of a name on one interface.
type NameState uint8

// The states of a name (RFC 1001 15.1).
const (
	Claiming NameState = iota
	Owned
	Conflict // another machine owns it
	Released
)

// String returns the word that status prints.
func (s NameState) String() string {
	switch s {
	case Claiming:
		return "claiming"
	case Owned:
		return "registered"
	case Conflict:
		return "conflict"
	default:
		return "released"
	}
}

// NameEntry is one name on one interface, ours or another machine's.
type NameEntry struct {
	Name      netbios.Name
	Group     bool
	State     NameState
	Interface string
	// Owner is who has the name in a conflict; zero if unknown.
	Owner netip.Addr
}

// Port says what became of one port.
type Port struct {
	Network   string // "udp", "tcp", "ether"
	Address   netip.AddrPort
	Interface string
	Purpose   string // such as "name service"
	// Err is nil if the port is ours.
	Err error
}
