package dcerpc

import "fmt"

// A Status says why a call was rejected or failed, in the body of a Reject or Fault
// (C706 E, MS-RPCE 3.2.2.4).
type Status uint32

// The codes that we send or act on.
const (
	AccessDenied       Status = 0x00000005
	BadStub            Status = 0x000006F7 // RPC_X_BAD_STUB_DATA
	UnspecifiedReject  Status = 0x1C000009
	BadActivity        Status = 0x1C00000A // a callback asks about an activity that is not ours
	WhoAreYouFailed    Status = 0x1C00000B
	UnspecifiedFault   Status = 0x1C000012
	UnsupportedAuth    Status = 0x1C00001D
	OpRange            Status = 0x1C010002 // no such procedure
	UnknownInterface   Status = 0x1C010003
	WrongBootTime      Status = 0x1C010006 // the client thinks of a server that has gone
	YouCrashed         Status = 0x1C010009 // a callback comes from another server than before
	ProtocolError      Status = 0x1C01000B
	ServerTooBusy      Status = 0x1C010014
	UnsupportedType    Status = 0x1C010017
	UnknownPresContext Status = 0x1C00001C // a request on a connection names no context
)

// String returns the status in words.
func (s Status) String() string {
	switch s {
	case AccessDenied:
		return "access denied"
	case BadStub:
		return "bad stub data"
	case UnspecifiedReject:
		return "rejected for no given reason"
	case BadActivity:
		return "unknown activity"
	case WhoAreYouFailed:
		return "the caller did not say who it is"
	case UnspecifiedFault:
		return "failed for no given reason"
	case UnsupportedAuth:
		return "unsupported authentication"
	case OpRange:
		return "no such procedure"
	case UnknownInterface:
		return "unknown interface"
	case WrongBootTime:
		return "the server has been restarted"
	case YouCrashed:
		return "another server than before"
	case ProtocolError:
		return "protocol error"
	case ServerTooBusy:
		return "server too busy"
	case UnsupportedType:
		return "unsupported type"
	case UnknownPresContext:
		return "unknown presentation context"
	default:
		return fmt.Sprintf("status %#08x", uint32(s))
	}
}

// A StatusError is a call that ended in a Reject or a Fault.
type StatusError struct {
	Status Status
	// Rejected says that the procedure was not run: a Reject, or a Fault that says so.
	Rejected bool
}

// Error implements error.
func (e *StatusError) Error() string {
	if e.Rejected {
		return "call rejected: " + e.Status.String()
	}
	return "call failed: " + e.Status.String()
}
