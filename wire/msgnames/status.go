package msgnames

import "fmt"

// A Status is what the procedures return (MS-MSRP 3.1.4). It is an error where it is not
// Success.
type Status uint32

// The codes. Those of the network begin at 2100.
const (
	Success          Status = 0
	AccessDenied     Status = 5
	InvalidParameter Status = 87
	InvalidName      Status = 123
	InvalidLevel     Status = 124
	BufTooSmall      Status = 2123 // NERR_BufTooSmall: there are more names
	NetworkError     Status = 2136 // NERR_NetworkError
	InternalError    Status = 2140 // NERR_InternalError
	AlreadyExists    Status = 2276 // NERR_AlreadyExists
	TooManyNames     Status = 2277 // NERR_TooManyNames
	DelComputerName  Status = 2278 // NERR_DelComputerName
	NameInUse        Status = 2283 // NERR_NameInUse
	NotLocalName     Status = 2285 // NERR_NotLocalName
	DuplicateName    Status = 2297 // NERR_DuplicateName: another machine has it
	IncompleteDel    Status = 2299 // NERR_IncompleteDel
)

// Error implements error.
func (s Status) Error() string {
	switch s {
	case Success:
		return "success"
	case AccessDenied:
		return "access denied"
	case InvalidParameter:
		return "invalid parameter"
	case InvalidName:
		return "invalid name"
	case InvalidLevel:
		return "invalid level"
	case BufTooSmall:
		return "there are more names"
	case NetworkError:
		return "network error"
	case InternalError:
		return "internal error"
	case AlreadyExists:
		return "the computer has that message name already"
	case TooManyNames:
		return "the computer has too many message names"
	case DelComputerName:
		return "the computer's own name cannot be removed"
	case NameInUse:
		return "message name is in use"
	case NotLocalName:
		return "not a message name of that computer"
	case DuplicateName:
		return "another computer has that message name"
	case IncompleteDel:
		return "message name was not removed from all networks"
	default:
		return fmt.Sprintf("error %d", uint32(s))
	}
}
