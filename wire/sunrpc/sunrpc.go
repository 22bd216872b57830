// Package sunrpc understands ONC RPC version 2, the remote procedure calls of Unix
// (RFC 5531): calls, replies, and the two programs that a network wall needs, the one that
// binds programs to ports (RFC 1833) and the wall itself.
package sunrpc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Version of the protocol itself.
const Version = 2

// The wall program, rwalld's: its only procedure shows a string to everybody on the
// machine and returns nothing (Sun's rwall.x).
const (
	WallProgram   = 100008
	WallVersion   = 1
	WallProcedure = 2
)

// NullProcedure is what every program has to find out whether it is there (RFC 5531 12.1).
const NullProcedure = 0

// The kinds of credentials that are met here (RFC 5531 8.2).
const (
	AuthNone = 0
	AuthSys  = 1 // AUTH_UNIX: names and numbers that the client claims
)

// maxAuth is the longest body of a credential (RFC 5531 8.2).
const maxAuth = 400

// The kinds of messages (RFC 5531 9).
const (
	typeCall  = 0
	typeReply = 1
)

// ErrVersion: a call in another version of the protocol. Its number is known, so that it
// can be answered.
var ErrVersion = errors.New("sunrpc: another version of the protocol")

// Auth is a credential or a verifier.
type Auth struct {
	Flavor uint32
	Body   []byte // at most 400 bytes
}

// Call asks for a procedure to be run (RFC 5531 9):
//
//	0  number          u32   of this call, which its repetitions have too
//	4  type            u32   0
//	8  version         u32   2
//	12 program         u32
//	16 its version     u32
//	20 procedure       u32
//	24 credential      flavor u32, length u32, bytes
//	   verifier        the same
//	   arguments
type Call struct {
	XID                         uint32
	Program, Version, Procedure uint32
	Credential, Verifier        Auth
	Args                        []byte
}

// ParseCall reads a call. A call in another version of the protocol is ErrVersion; then
// the number is valid and nothing else.
func ParseCall(b []byte) (Call, error) {
	r := reader{data: b}
	c := Call{XID: r.uint32()}
	kind, version := r.uint32(), r.uint32()
	switch {
	case r.err != nil:
		return Call{}, fmt.Errorf("sunrpc: call: %w", r.err)
	case kind != typeCall:
		return Call{}, errors.New("sunrpc: not a call")
	case version != Version:
		return c, ErrVersion
	}
	c.Program, c.Version, c.Procedure = r.uint32(), r.uint32(), r.uint32()
	c.Credential, c.Verifier = r.auth(), r.auth()
	if r.err != nil {
		return Call{}, fmt.Errorf("sunrpc: call: %w", r.err)
	}
	c.Args = r.data
	return c, nil
}

// Append writes the call. It fails if a credential or verifier is longer than 400 bytes.
func (c Call) Append(b []byte) ([]byte, error) {
	for _, n := range []uint32{c.XID, typeCall, Version, c.Program, c.Version, c.Procedure} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	b, err := c.Credential.append(b)
	if err != nil {
		return nil, err
	}
	if b, err = c.Verifier.append(b); err != nil {
		return nil, err
	}
	return append(b, c.Args...), nil
}

func (r *reader) auth() Auth { return Auth{r.uint32(), r.opaque(maxAuth)} }

func (a Auth) append(b []byte) ([]byte, error) {
	if len(a.Body) > maxAuth {
		return nil, fmt.Errorf("sunrpc: credential of %d bytes, at most %d are possible", len(a.Body), maxAuth)
	}
	return appendOpaque(binary.BigEndian.AppendUint32(b, a.Flavor), a.Body), nil
}

// The limits of what AUTH_SYS claims (RFC 5531, appendix A).
const (
	maxMachine = 255
	maxGroups  = 16
)

// Sys is what a client claims about itself with AUTH_SYS. Nothing of it is proven
// (RFC 5531, appendix A).
type Sys struct {
	Stamp    uint32
	Machine  string
	UID, GID uint32
	Groups   []uint32
}

// ParseSys reads the body of a credential of the flavor AuthSys.
func ParseSys(body []byte) (Sys, error) {
	r := reader{data: body}
	s := Sys{Stamp: r.uint32(), Machine: string(r.opaque(maxMachine)), UID: r.uint32(), GID: r.uint32()}
	n := r.uint32()
	switch {
	case r.err != nil:
		return Sys{}, fmt.Errorf("sunrpc: AUTH_SYS: %w", r.err)
	case n > maxGroups || len(r.data) != 4*int(n):
		return Sys{}, fmt.Errorf("sunrpc: AUTH_SYS: %d groups in %d bytes", n, len(r.data))
	}
	for range n {
		s.Groups = append(s.Groups, r.uint32())
	}
	return s, nil
}

// Append writes the body of a credential of the flavor AuthSys. It fails if the machine's
// name or the list of groups is too long.
func (s Sys) Append(b []byte) ([]byte, error) {
	if len(s.Machine) > maxMachine || len(s.Groups) > maxGroups {
		return nil, fmt.Errorf("sunrpc: AUTH_SYS of %d bytes and %d groups, at most %d and %d are possible",
			len(s.Machine), len(s.Groups), maxMachine, maxGroups)
	}
	b = binary.BigEndian.AppendUint32(b, s.Stamp)
	b = appendOpaque(b, []byte(s.Machine))
	for _, n := range append([]uint32{s.UID, s.GID, uint32(len(s.Groups))}, s.Groups...) {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b, nil
}
