package remote

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"messngr/carrier/binding"
	"messngr/carrier/ipc"
	"messngr/wire/dcerpc"
	"messngr/wire/msgnames"
	"messngr/wire/smb2"
)

// TestExplain: of everything that can go wrong it is said what it is to Windows, and to
// people what to do about it.
func TestExplain(t *testing.T) {
	login := func(s smb2.Status) error { return fmt.Errorf("%w: %w", ipc.ErrLogin, s) }
	for _, tt := range []struct {
		err    error
		nobody bool
		number int
		hint   string // a part of it
	}{
		{ipc.ErrNoConnection, false, 53, "firewall"},
		{ipc.ErrNotSMB, false, 59, "NET NAME"},
		{ipc.ErrGuest, false, 1326, "smbpasswd"},
		{ipc.ErrEncryption, false, 59, "encryption algorithms"},
		{ipc.ErrForged, false, 59, "nothing was believed"},
		{login(smb2.LogonFailure), false, 1326, "password"},
		{login(smb2.AccountLockedOut), false, 1326, "password"},
		{login(smb2.AccessDenied), false, 5, "encryption"},
		{login(smb2.AccessDenied), true, 5, "--as"},
		{login(smb2.Status(0xC000000D)), false, 59, ""},
		{fmt.Errorf(`%w: \PIPE\msgsvc`, ipc.ErrNoPipe), false, 2284, "no Messenger service"},
		{binding.ErrNotServed, false, 2284, "no Messenger service"},
		{ipc.ErrDenied, false, 5, "Administrators"},
		{ipc.ErrDenied, true, 5, "--as"},
		{&dcerpc.StatusError{Status: dcerpc.AccessDenied}, true, 5, "--as"},
		{&dcerpc.StatusError{Status: dcerpc.UnknownInterface}, false, 2284, "starting"},
		{&dcerpc.StatusError{Status: dcerpc.BadStub}, false, 59, ""},
		{msgnames.AccessDenied, false, 5, "Administrators"},
		{msgnames.NotLocalName, false, 2285, ""},
		{errors.New("something else"), false, 59, ""},
	} {
		err := (&Names{host: "beta", nobody: tt.nobody}).explain(tt.err)
		var e *Error
		if !errors.As(err, &e) || e.Number != tt.number || !strings.Contains(e.Hint, tt.hint) || (tt.hint == "") != (e.Hint == "") {
			t.Errorf("%v (nobody: %v): number %d, hint %q, want %d and %q", tt.err, tt.nobody, e.Number, e.Hint, tt.number, tt.hint)
		}
		if !errors.Is(err, tt.err) || !strings.HasPrefix(err.Error(), "beta: ") {
			t.Errorf("%v became %v", tt.err, err)
		}
	}
}
