package phrase_test

import (
	"testing"

	"messngr/cli/phrase"
)

func TestReason(t *testing.T) {
	const addr = "10.0.0.7"
	for _, tt := range []struct{ err, known, want string }{
		{"nobody answers for PC17<03>", "", "nobody answers for PC17<03>"},
		{"refused", "", "refused"},
		{"unavailable: call *SMBSERVER<20> at 10.0.0.7:139: dial tcp4 10.0.0.7:139: connect: no route to host", addr, "no route to host"},
		{"unavailable: call PC17<03> at 10.0.0.7:139: dial tcp4 10.0.0.7:139: i/o timeout", "", "10.0.0.7: i/o timeout"},
		{"name not found: call HELP DESK<03> at 10.0.0.7:139: name not present: session refused: called name not present (0x82)", "", "10.0.0.7: called name not present (0x82)"},
		{"10.0.0.7:139: refused: messages are switched off (SMB status class 2, code 82)", addr, "messages are switched off (SMB status class 2, code 82)"},
		{"outcome unknown: 10.0.0.7:139: read tcp4 10.0.0.2:5012->10.0.0.7:139: connection reset by peer", addr, "connection reset by peer"},
		{"unavailable: [fe80::1]:139: no answer", addr, "[fe80::1]: no answer"},
		{"text of 70000 bytes is longer than the 65536 bytes that this route carries", "", "text of 70000 bytes is longer than the 65536 bytes that this route carries"},
	} {
		if got := phrase.Reason(tt.err, tt.known); got != tt.want {
			t.Errorf("Reason(%q) = %q, want %q", tt.err, got, tt.want)
		}
	}
}
