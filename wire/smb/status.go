package smb

import "fmt"

// A Status is the outcome that a response reports, as it stands in the header; zero is
// success. Old servers write an error class in the lowest byte and a code in the highest
// two (MS-CIFS 2.2.2.4), newer ones an NTSTATUS if NTStatus is set. A status can be read
// without that flag: every NTSTATUS error has its two highest bits set, and no code does.
//
// A Status is an error, so that a sender can return what its peer said.
type Status uint32

// What servers of messages report, in the notation of class and code (MS-CIFS 2.2.2.4).
const (
	InvalidParameter Status = 1 | 87<<16 // ERRDOS 87: text or end without a start
	AccessDenied     Status = 1 | 5<<16  // ERRDOS 5, ERRnoaccess
	NotAccepted      Status = 1 | 71<<16 // ERRDOS 71: smbd that has no message command
	InvalidSMB       Status = 2 | 1<<16  // ERRSRV 1, ERRerror: the packet is malformed
	UnknownName      Status = 2 | 6<<16  // ERRSRV 6, ERRinvnetname: no such recipient
	BadCommand       Status = 2 | 22<<16 // ERRSRV 22, ERRsmbcmd: not a command of this server
	Paused           Status = 2 | 81<<16 // ERRSRV 81, ERRpaused: the server is paused
	MessagesOff      Status = 2 | 82<<16 // ERRSRV 82, ERRmsgoff: no messages are taken
	NoRoom           Status = 2 | 83<<16 // ERRSRV 83, ERRnoroom: no room for the message
	NoResource       Status = 2 | 89<<16 // ERRSRV 89, ERRnoresource: not possible just now
)

// statusRow is one outcome in both notations and in words.
type statusRow struct {
	dos, nt Status
	text    string
}

// statusRows returns the known outcomes. STATUS_INVALID_SMB and STATUS_SMB_BAD_COMMAND
// are the same number in both notations (MS-CIFS 2.2.2.4).
func statusRows() [10]statusRow {
	return [...]statusRow{
		{InvalidParameter, 0xC000000D, "block outside of a message"},
		{AccessDenied, 0xC0000022, "access denied"},
		{NotAccepted, 0xC00000D0, "messages are not accepted"},
		{MessagesOff, 0xC00000D0, "messages are switched off"},
		{InvalidSMB, InvalidSMB, "malformed packet"},
		{UnknownName, 0xC00000CC, "no such name"},
		{BadCommand, BadCommand, "command not known"},
		{Paused, 0xC00000CF, "paused"},
		{NoRoom, 0xC000007F, "no room for the message"},
		{NoResource, 0xC0000205, "no resources just now"},
	}
}

// DOS returns the status as class and code, if this package knows them for it, and
// otherwise the status itself.
func (s Status) DOS() Status {
	if s == 0 {
		return 0
	}
	for _, row := range statusRows() {
		if s == row.nt {
			return row.dos
		}
	}
	return s
}

// NT returns the status as NTSTATUS, if this package knows one for it, and otherwise the
// status itself.
func (s Status) NT() Status {
	if s == 0 {
		return 0
	}
	for _, row := range statusRows() {
		if s == row.dos {
			return row.nt
		}
	}
	return s
}

// Error returns the number in the notation of its sender, and what it means.
func (s Status) Error() string {
	number := fmt.Sprintf("class %d, code %d", byte(s), uint16(s>>16))
	if s>>30 == 3 || s>>16 == 0 {
		// The second case is Windows NT: it reports which of its checks a packet
		// failed as one small number (MS-MSRP 3.2.4.5).
		number = fmt.Sprintf("%#08x", uint32(s))
	}
	for _, row := range statusRows() {
		if s == row.dos || s == row.nt {
			return fmt.Sprintf("%s (SMB status %s)", row.text, number)
		}
	}
	return fmt.Sprintf("SMB status %s", number)
}
