package sunrpc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Status says what became of a call. All but Success are errors.
type Status uint8

// What can become of a call (RFC 5531 9: accept_stat, then reject_stat).
const (
	Success              Status = iota
	ProgramUnavailable          // nobody has that program
	ProgramMismatch             // it has other versions: Low to High
	ProcedureUnavailable        // it has no such procedure
	GarbageArguments            // it cannot read the arguments
	SystemError                 // it could not do it
	RPCMismatch                 // the protocol has other versions: Low to High
	AuthError                   // the caller is not trusted: Why
)

// The two kinds of replies (RFC 5531 9: reply_stat).
const (
	accepted = 0
	denied   = 1
)

// TooWeak is the Why of a caller who may not do it (RFC 5531 9: AUTH_TOOWEAK).
const TooWeak = 5

// Error implements error.
func (s Status) Error() string {
	names := [...]string{
		"success", "program unavailable", "program version unavailable", "procedure unavailable",
		"arguments cannot be read", "system error", "protocol version unavailable", "authentication error",
	}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("unknown status %d", uint8(s))
}

// Reply is the answer to a call (RFC 5531 9):
//
//	0  number    u32   of the call
//	4  type      u32   1
//	8  kind      u32   0 accepted, 1 denied
//	   accepted: verifier, status u32, then results, or low u32 and high u32
//	   denied:   status u32, then low u32 and high u32, or why u32
type Reply struct {
	XID       uint32
	Status    Status
	Verifier  Auth   // unless Status is RPCMismatch or AuthError
	Low, High uint32 // if Status is ProgramMismatch or RPCMismatch
	Why       uint32 // if Status is AuthError
	Results   []byte // if Status is Success
}

// ParseReply reads a reply.
func ParseReply(b []byte) (Reply, error) {
	r := reader{data: b}
	reply := Reply{XID: r.uint32()}
	if kind := r.uint32(); r.err == nil && kind != typeReply {
		return Reply{}, errors.New("sunrpc: not a reply")
	}
	switch kind := r.uint32(); kind {
	case accepted:
		reply.Verifier = r.auth()
		reply.Status = r.status(Success, SystemError)
	case denied:
		reply.Status = r.status(RPCMismatch, AuthError)
	default:
		return Reply{}, fmt.Errorf("sunrpc: unknown kind of reply %d", kind)
	}
	switch reply.Status {
	case Success:
		reply.Results = r.data
	case ProgramMismatch, RPCMismatch:
		reply.Low, reply.High = r.uint32(), r.uint32()
	case AuthError:
		reply.Why = r.uint32()
	}
	if r.err != nil {
		return Reply{}, fmt.Errorf("sunrpc: reply: %w", r.err)
	}
	return reply, nil
}

// status reads a status that is counted from low.
func (r *reader) status(low, high Status) Status {
	n := r.uint32()
	if r.err == nil && n > uint32(high-low) {
		r.err = fmt.Errorf("unknown status %d", n)
		return high
	}
	return low + Status(n)
}

// Append writes the reply. It fails if the verifier is longer than 400 bytes.
func (r Reply) Append(b []byte) ([]byte, error) {
	b = binary.BigEndian.AppendUint32(b, r.XID)
	b = binary.BigEndian.AppendUint32(b, typeReply)
	if r.Status >= RPCMismatch {
		b = binary.BigEndian.AppendUint32(b, denied)
		b = binary.BigEndian.AppendUint32(b, uint32(r.Status-RPCMismatch))
	} else {
		b = binary.BigEndian.AppendUint32(b, accepted)
		var err error
		if b, err = r.Verifier.append(b); err != nil {
			return nil, err
		}
		b = binary.BigEndian.AppendUint32(b, uint32(r.Status))
	}
	switch r.Status {
	case Success:
		b = append(b, r.Results...)
	case ProgramMismatch, RPCMismatch:
		b = binary.BigEndian.AppendUint32(b, r.Low)
		b = binary.BigEndian.AppendUint32(b, r.High)
	case AuthError:
		b = binary.BigEndian.AppendUint32(b, r.Why)
	}
	return b, nil
}
