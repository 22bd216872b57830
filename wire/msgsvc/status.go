package msgsvc

import "fmt"

// A Status is what NetrSendMessage returns (MS-MSRP 3.2.4.1). It is an error where it is
// not Success.
type Status uint32

// The codes. Those of the network begin at 2100.
const (
	Success            Status = 0
	AccessDenied       Status = 5
	NotSupported       Status = 50   // every Windows since Vista
	InvalidParameter   Status = 87   // a string is too long, or none
	NetworkError       Status = 2136 // NERR_NetworkError
	NameNotFound       Status = 2273 // NERR_NameNotFound: it is no message name there
	GroupError         Status = 2280 // NERR_GrpMsgProcessor
	Paused             Status = 2281 // NERR_PausedRemote
	NotReceived        Status = 2282 // NERR_BadReceive: there was no room for it
	NameInUse          Status = 2283 // NERR_NameInUse
	NotLocalName       Status = 2285 // NERR_NotLocalName
	TruncatedBroadcast Status = 2289 // NERR_TruncatedBroadcast
	DuplicateName      Status = 2297 // NERR_DuplicateName
)

// win32 are the upper bits of an HRESULT that stands for one of the codes (MS-ERREF 2.1).
const win32 = 0x80070000

// Code returns the status as one of the codes: servers may return it as an HRESULT, which
// has it in its lower half (MS-MSRP 3.2.4.1).
func (s Status) Code() Status {
	if s&^0xFFFF == win32 {
		return s & 0xFFFF
	}
	return s
}

// Error implements error.
func (s Status) Error() string {
	switch s {
	case Success:
		return "success"
	case AccessDenied:
		return "access denied"
	case NotSupported:
		return "not supported there"
	case InvalidParameter:
		return "invalid parameter"
	case NetworkError:
		return "network error"
	case NameNotFound:
		return "message name not found there"
	case GroupError:
		return "error in the domain message processor"
	case Paused:
		return "the Messenger service is paused there"
	case NotReceived:
		return "message was not received"
	case NameInUse:
		return "message name is in use there"
	case NotLocalName:
		return "not a message name of that computer"
	case TruncatedBroadcast:
		return "broadcast message was cut short"
	case DuplicateName:
		return "message name is used twice on the network"
	default:
		return fmt.Sprintf("error %d", uint32(s))
	}
}
