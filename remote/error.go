package remote

import (
	"errors"
	"syscall"

	"messngr/carrier/binding"
	"messngr/carrier/ipc"
	"messngr/wire/dcerpc"
	"messngr/wire/msgnames"
	"messngr/wire/smb2"
)

// An Error says what went wrong with another machine, and what can be done about it.
type Error struct {
	// Host is what people call the machine.
	Host string
	Err  error
	// Hint is what to do, for users of the command line; "" if there is nothing.
	Hint string
	// Number is what Windows calls it: an error of the system, or of the network (NERR)
	// from 2100 on.
	Number int
}

// Error implements error.
func (e *Error) Error() string { return e.Host + ": " + e.Err.Error() }

// Unwrap returns the error itself.
func (e *Error) Unwrap() error { return e.Err }

// The numbers of Windows that are not those of a Status.
const (
	accessDenied  = 5    // ERROR_ACCESS_DENIED
	noPath        = 53   // ERROR_BAD_NETPATH
	networkError  = 59   // ERROR_UNEXP_NET_ERR
	loginFailure  = 1326 // ERROR_LOGON_FAILURE
	notStarted    = 2284 // NERR_MsgNotStarted
	hintWho       = "say who you are there: --as USER"
	hintNoService = `no Messenger service runs there (no Windows since Vista has one), or its smbd does not know of it: see doc/samba.md about [samba] pipes`
)

// explain says what an error means, and what to do about it.
func (n *Names) explain(err error) error {
	e := &Error{Host: n.host, Err: err, Number: networkError}
	var status smb2.Status
	var answer msgnames.Status
	var fault *dcerpc.StatusError
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case errors.As(err, &answer):
		e.Number = int(answer)
		if answer == msgnames.AccessDenied {
			e.Hint = n.whoMay()
		}
	case is(ipc.ErrNoConnection):
		e.Number, e.Hint = noPath, unreachable(err)
	case is(ipc.ErrNotSMB):
		e.Hint = "Windows up to XP and Server 2003, and an smbd that may not (server max protocol), speak SMB 1 only: use NET NAME there"
	case is(ipc.ErrGuest):
		e.Number, e.Hint = loginFailure, "check the user's name; on a host with Samba: sudo smbpasswd -a USER"
	case is(ipc.ErrEncryption):
		e.Hint = `AES-128-GCM and AES-128-CCM are known; in that host's smb.conf: "server smb3 encryption algorithms"`
	case is(ipc.ErrForged):
		e.Hint = "somebody between here and there may be changing what is said; nothing was believed"
	case is(ipc.ErrLogin) && errors.As(err, &status):
		e.Number, e.Hint = n.login(status)
	case is(ipc.ErrNoPipe), is(binding.ErrNotServed):
		e.Number, e.Hint = notStarted, hintNoService
	case is(ipc.ErrDenied):
		e.Number, e.Hint = accessDenied, n.whoMay()
	case errors.As(err, &fault) && fault.Status == dcerpc.AccessDenied:
		e.Number, e.Hint = accessDenied, n.whoMay()
	case errors.As(err, &fault) && fault.Status == dcerpc.UnknownInterface:
		e.Number, e.Hint = notStarted, "the Messenger service there is just starting or ending"
	}
	return e
}

// whoMay says who may do what was refused.
func (n *Names) whoMay() string {
	if n.nobody {
		return hintWho
	}
	return `users of that machine may list its names; root there, and members of BUILTIN\Administrators, may change them`
}

// login says what to do about a login that was refused.
func (n *Names) login(status smb2.Status) (number int, hint string) {
	switch {
	case status.Login():
		return loginFailure, "check user and password; a user of a domain is DOMAIN\\USER"
	case status != smb2.AccessDenied:
		return networkError, ""
	case n.nobody:
		return accessDenied, hintWho
	}
	return accessDenied, `that host may demand encryption, which takes SMB 3: in its smb.conf "server max protocol = SMB3_11", or "server smb encrypt = desired"`
}

// unreachable says what to do about a machine that is not to be reached.
func unreachable(err error) string {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "the machine is there, but no file server: on Linux that is smbd, and it has to run"
	}
	return "is it on, and does its firewall let TCP port 445 through?"
}
