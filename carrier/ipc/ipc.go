// Package ipc opens named pipes of other machines, as a client of their file servers: the
// share IPC$ over SMB 2 and 3, from 2.0.2 to 3.1.1, by NTLM version 2 or as nobody. It is
// not a file system, and knows nothing of what is said through a pipe.
//
// Where the server knows the user, every message is signed, and every answer has to be.
// Messages are encrypted where the server asks for it, which it can from 3.0 on.
package ipc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"messngr/wire/ntlm"
	"messngr/wire/smb2"
)

// Port is the TCP port of file servers.
const Port = 445

const (
	// connectTime is how long a connection may take.
	connectTime = 10 * time.Second
	// answerTime is how long each answer may take.
	answerTime = 30 * time.Second
	// farewellTime is how long a goodbye may take.
	farewellTime = 2 * time.Second
)

// The errors that callers act on. The server's own words are a smb2.Status.
var (
	// ErrNoConnection: nobody answers there, or nobody listens.
	ErrNoConnection = errors.New("no connection")
	// ErrNotSMB: what answers is no file server that speaks SMB 2 or 3.
	ErrNotSMB = errors.New("no file server that speaks SMB 2 or 3")
	// ErrLogin: the server does not let the user in; it says why.
	ErrLogin = errors.New("login refused")
	// ErrGuest: the server does not know the user, and takes everybody for a guest.
	ErrGuest = errors.New("the server does not know the user and lets in everybody as a guest")
	// ErrEncryption: the server takes nothing that is not encrypted, by another cipher
	// than AES-128.
	ErrEncryption = errors.New("the server demands encryption by a cipher that is not known here")
	// ErrForged: an answer is not signed, or not by who knows the password.
	ErrForged = errors.New("an answer was changed on its way, or comes from somebody else")
	// ErrNoPipe: nobody serves the pipe on that machine.
	ErrNoPipe = errors.New("no such pipe")
	// ErrDenied: the user may not do that.
	ErrDenied = errors.New("access denied")
)

// Credentials are who a client is. Without a user it is nobody.
type Credentials = ntlm.Credentials

// A Session is a login at the file server of another machine. Its methods and those of its
// pipes may be called by several goroutines at once; one request is under way at a time.
// A session whose context ends while it waits for an answer cannot be used any more.
type Session struct {
	mu      sync.Mutex
	conn    net.Conn
	next    uint64   // number of the next request
	client  [16]byte // who we are in the negotiation
	dialect uint16
	id      uint64
	tree    uint32
	signer  *smb2.Signer // nil where nothing can be signed: before the login, and for guests
	cipher  *smb2.Cipher // nil where nothing is encrypted
	sealer  *smb2.Cipher // what would encrypt, if the server asked for it; nil if nothing can
	broken  error        // why nothing can be asked any more
	random  io.Reader
}

// Dial connects to a file server, logs in, and opens the share of its pipes. host is what
// the server is called, or its address in text.
func Dial(ctx context.Context, to netip.AddrPort, host string, who Credentials) (*Session, error) {
	dialer := net.Dialer{Timeout: connectTime}
	conn, err := dialer.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, fmt.Errorf("%w to %v: %w", ErrNoConnection, to, err)
	}
	return start(ctx, conn, rand.Reader, host, who)
}

// start begins a session on a connection, which it closes if that fails.
func start(ctx context.Context, conn net.Conn, random io.Reader, host string, who Credentials) (*Session, error) {
	s := &Session{conn: conn, random: random}
	if err := s.begin(ctx, host, who); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

// Dialect is the version of the protocol, such as 0x0311.
func (s *Session) Dialect() uint16 { return s.dialect }

// Signed reports whether messages are protected by what the user's password proves.
func (s *Session) Signed() bool { return s.signer != nil }

// Encrypted reports whether messages are encrypted.
func (s *Session) Encrypted() bool { return s.cipher != nil }

// Close logs out and closes the connection, and all pipes with it.
func (s *Session) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), farewellTime)
	defer cancel()
	// Servers forget those who just leave as well.
	_, _, _ = s.ask(ctx, smb2.Logoff, smb2.AppendLogoff(nil))
	return s.conn.Close()
}
