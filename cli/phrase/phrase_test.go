package phrase_test

import (
	"strings"
	"testing"

	"messngr"
	"messngr/cli/phrase"
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
		if got := phrase.Outcome(tt.answer); got != tt.want {
			t.Errorf("Outcome(%+v)\n got %q\nwant %q", tt.answer, got, tt.want)
		}
	}
}

// TestOutcomeNeverPromises holds that no wording for a route without receipts
// says that a person got the message.
func TestOutcomeNeverPromises(t *testing.T) {
	for _, state := range []messngr.State{messngr.Queued, messngr.Sent, messngr.Accepted, messngr.Refused, messngr.Failed, messngr.Unknown} {
		got := phrase.Outcome(control.RecipientAnswer{To: "PC17", State: state, Via: "smb"})
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
		if got := phrase.Sender(&tt.message); got != tt.want {
			t.Errorf("Sender(%+v) = %q, want %q", tt.message, got, tt.want)
		}
	}
}
