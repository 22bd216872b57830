package cli

import (
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/control"
)

func TestOutcome(t *testing.T) {
	for _, tt := range []struct {
		answer control.RecipientAnswer
		want   string
	}{
		{control.RecipientAnswer{To: "PC17", State: messngr.Accepted, Via: "smb", Address: "10.0.0.17"},
			"accepted by PC17 (10.0.0.17, SMB); whether anyone saw it is unknown"},
		{control.RecipientAnswer{To: "10.0.0.17", State: messngr.Accepted, Via: "smb", Address: "10.0.0.17"},
			"accepted by 10.0.0.17 (SMB); whether anyone saw it is unknown"},
		{control.RecipientAnswer{To: "WORKGROUP", State: messngr.Sent, Via: "mailslot"},
			"sent to WORKGROUP by mailslot; no receipt possible"},
		{control.RecipientAnswer{To: "PC17", State: messngr.Sent, Via: "mailslot", Address: "10.0.0.17"},
			"sent to PC17 (10.0.0.17) by mailslot; no receipt possible"},
		{control.RecipientAnswer{To: "*", State: messngr.Sent, Via: "mailslot"},
			"sent to everyone by mailslot; no receipt possible"},
		{control.RecipientAnswer{To: "/domain:OFFICE", State: messngr.Sent, Via: "mailslot"},
			"sent to OFFICE by mailslot; no receipt possible"},
		{control.RecipientAnswer{To: "alice", State: messngr.Delivered, Via: "local"},
			"delivered to alice on this machine, and stored there"},
		{control.RecipientAnswer{To: "alice", State: messngr.Displayed, Via: "local"}, "shown to alice on this machine"},
		{control.RecipientAnswer{To: "alice", State: messngr.Acknowledged, Via: "local"}, "acknowledged by alice on this machine"},
		{control.RecipientAnswer{To: "PC17", State: messngr.Queued, Error: "nobody answers"}, "PC17: waiting for a route: nobody answers"},
		{control.RecipientAnswer{To: "PC17", State: messngr.Failed, Error: "nobody answers"}, "PC17: not sent: nobody answers"},
		{control.RecipientAnswer{To: "10.0.0.9", State: messngr.Failed, Error: "unavailable: 10.0.0.9 does not answer"}, "10.0.0.9: not sent: 10.0.0.9 does not answer"},
		{control.RecipientAnswer{To: "PC17", State: messngr.Refused, Via: "smb", Error: "refused: access denied"}, "refused by PC17 (SMB): access denied"},
		{control.RecipientAnswer{To: "PC17", State: messngr.Refused, Via: "smb", Error: "refused"}, "refused by PC17 (SMB): refused"},
		{control.RecipientAnswer{To: "PC17", State: messngr.Expired}, "PC17: its time ended before it could be sent"},
		{control.RecipientAnswer{To: "PC17", State: messngr.Retracted}, "PC17: taken back"},
		{control.RecipientAnswer{To: "PC17", State: messngr.Answered, Address: "10.0.0.17"}, "answered by PC17 (10.0.0.17)"},
	} {
		if got := outcome(tt.answer); got != tt.want {
			t.Errorf("outcome(%+v)\n got %q\nwant %q", tt.answer, got, tt.want)
		}
	}
}

// TestOutcomeNeverPromises holds that no wording for a route without receipts
// says that a person got the message.
func TestOutcomeNeverPromises(t *testing.T) {
	for _, state := range []messngr.State{messngr.Queued, messngr.Sent, messngr.Accepted, messngr.Refused, messngr.Failed, messngr.Unknown} {
		got := outcome(control.RecipientAnswer{To: "PC17", State: state, Via: "smb"})
		for _, promise := range []string{"delivered", "shown", "received", "read", "acknowledged"} {
			if strings.Contains(got, promise) {
				t.Errorf("the state %v is told as %q", state, got)
			}
		}
	}
}

func TestSender(t *testing.T) {
	for _, tt := range []struct {
		message control.Message
		want    string
	}{
		{control.Message{From: "ALICE", Via: "smb", Address: "10.0.0.7"}, "ALICE (unverified, SMB from 10.0.0.7)"},
		{control.Message{From: "A\x1b[2J\nB", Via: "mailslot", Address: "10.0.0.7"}, "A^[[2J B (unverified, mailslot from 10.0.0.7)"},
		{control.Message{From: "root", Proven: "root", Trust: messngr.Vouched, Via: "local"}, "root (vouched as root, local)"},
		{control.Message{From: "FS01", Proven: "alice", Trust: messngr.Vouched, Via: "local"}, "FS01 (vouched as alice, local)"},
		{control.Message{Proven: "alice", Trust: messngr.Vouched, Via: "local"}, "alice (vouched as alice, local)"},
	} {
		if got := sender(&tt.message); got != tt.want {
			t.Errorf("sender(%+v) = %q, want %q", tt.message, got, tt.want)
		}
	}
}

func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 21, 18, 0, 0, 0, time.Local)
	for at, want := range map[time.Time]string{
		now.Add(-time.Hour):       "17:00",
		now.Add(-24 * time.Hour):  "20 Nov 18:00",
		now.AddDate(-1, 0, 0):     "2025-11-21",
		now.Add(10 * time.Minute): "18:10",
	} {
		if got := clock(at, now); got != want {
			t.Errorf("clock(%v) = %q, want %q", at, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}, {Key: "vcs.revision", Value: "0123456789abcdef"},
	}}
	if got, want := version(info), "v1.2.3 0123456789ab (go1.26.0 linux/arm64)"; got != want {
		t.Errorf("version = %q, want %q", got, want)
	}
	if got := version(nil); got != "unknown" {
		t.Errorf("version of nothing = %q", got)
	}
}
