package smb_test

import (
	"testing"

	"messngr/wire/smb"
)

func TestStatus(t *testing.T) {
	tests := []struct {
		dos, nt     smb.Status
		class, code uint32
		text        string
	}{
		{smb.InvalidParameter, 0xC000000D, 1, 87, "block outside of a message (SMB status class 1, code 87)"},
		{smb.AccessDenied, 0xC0000022, 1, 5, "access denied (SMB status class 1, code 5)"},
		{smb.NotAccepted, 0xC00000D0, 1, 71, "messages are not accepted (SMB status class 1, code 71)"},
		{smb.InvalidSMB, smb.InvalidSMB, 2, 1, "malformed packet (SMB status class 2, code 1)"},
		{smb.UnknownName, 0xC00000CC, 2, 6, "no such name (SMB status class 2, code 6)"},
		{smb.BadCommand, smb.BadCommand, 2, 22, "command not known (SMB status class 2, code 22)"},
		{smb.Paused, 0xC00000CF, 2, 81, "paused (SMB status class 2, code 81)"},
		{smb.NoRoom, 0xC000007F, 2, 83, "no room for the message (SMB status class 2, code 83)"},
		{smb.NoResource, 0xC0000205, 2, 89, "no resources just now (SMB status class 2, code 89)"},
		{0x00070063, 0x00070063, 0x63, 7, "SMB status class 99, code 7"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if want := smb.Status(tt.class | tt.code<<16); tt.dos != want {
				t.Errorf("status is %#08x, want %#08x", uint32(tt.dos), uint32(want))
			}
			if got := tt.dos.NT(); got != tt.nt {
				t.Errorf("NT = %#08x, want %#08x", uint32(got), uint32(tt.nt))
			}
			if got := tt.nt.DOS(); got != tt.dos {
				t.Errorf("DOS = %#08x, want %#08x", uint32(got), uint32(tt.dos))
			}
			if got := tt.dos.Error(); got != tt.text {
				t.Errorf("says %q, want %q", got, tt.text)
			}
		})
	}
}

func TestStatusOfOthers(t *testing.T) {
	if got, want := smb.MessagesOff.NT(), smb.Status(0xC00000D0); got != want {
		t.Errorf("NT = %#08x, want %#08x", uint32(got), uint32(want))
	}
	if got := smb.Status(0).DOS(); got != 0 {
		t.Errorf("success becomes %#08x", uint32(got))
	}
	for status, want := range map[smb.Status]string{
		0xC00000CF: "paused (SMB status 0xc00000cf)",
		8:          "SMB status 0x00000008", // Windows NT: a part does not begin with its format
	} {
		if got := status.Error(); got != want {
			t.Errorf("says %q, want %q", got, want)
		}
	}
}
