package dcerpc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/wiretest"
)

var (
	messenger = dcerpc.Syntax{ID: uuid.MustParse("5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc"), Major: 1}
	activity  = uuid.MustParse("11111111-2222-3333-4444-555555555555")
)

// recorded returns the payloads of a recording over one protocol of IP.
func recorded(t testing.TB, file string, protocol uint8) [][]byte {
	t.Helper()
	var payloads [][]byte
	for _, p := range wiretest.Packets(t, file) {
		if p.Protocol == protocol && len(p.Payload) > 0 {
			payloads = append(payloads, p.Payload)
		}
	}
	return payloads
}

const (
	tcp = 6
	udp = 17
)

// datagrams returns all recorded datagrams.
func datagrams(t testing.TB) [][]byte {
	t.Helper()
	var all [][]byte
	for _, want := range []struct {
		file  string
		count int
	}{{"clrpc.pcap", 6}, {"clrpc-client.pcap", 3}, {"clrpc-dialogues.pcap", 134}} {
		got := recorded(t, want.file, udp)
		if len(got) != want.count {
			t.Fatalf("testdata/%s has %d datagrams, want %d", want.file, len(got), want.count)
		}
		all = append(all, got...)
	}
	return all
}

func TestSyntax(t *testing.T) {
	for _, tt := range []struct {
		served, wanted dcerpc.Syntax
		want           bool
	}{
		{messenger, messenger, true},
		{dcerpc.Syntax{ID: activity, Major: 1, Minor: 2}, dcerpc.Syntax{ID: activity, Major: 1, Minor: 1}, true},
		{dcerpc.Syntax{ID: activity, Major: 1, Minor: 1}, dcerpc.Syntax{ID: activity, Major: 1, Minor: 2}, false},
		{dcerpc.Syntax{ID: activity, Major: 2}, dcerpc.Syntax{ID: activity, Major: 1}, false},
		{messenger, dcerpc.Syntax{ID: activity, Major: 1}, false},
	} {
		if got := tt.served.Serves(tt.wanted); got != tt.want {
			t.Errorf("%v serves %v: %v, want %v", tt.served, tt.wanted, got, tt.want)
		}
	}
	if got, want := dcerpc.NDR().String(), "8a885d04-1ceb-11c9-9fe8-08002b104860 v2.0"; got != want {
		t.Errorf("NDR is %q, want %q", got, want)
	}
}

func TestWords(t *testing.T) {
	seen := make(map[string]bool)
	for p := range dcerpc.TypeOrphaned + 1 {
		if s := p.String(); seen[s] || strings.HasPrefix(s, "packet type") {
			t.Errorf("type %d is called %q", p, s)
		}
		seen[p.String()] = true
	}
	if got, want := dcerpc.PacketType(31).String(), "packet type 31"; got != want {
		t.Errorf("an unknown type is called %q, want %q", got, want)
	}
	for _, s := range []dcerpc.Status{
		dcerpc.AccessDenied, dcerpc.BadStub, dcerpc.UnspecifiedReject, dcerpc.BadActivity, dcerpc.WhoAreYouFailed,
		dcerpc.UnspecifiedFault, dcerpc.UnsupportedAuth, dcerpc.OpRange, dcerpc.UnknownInterface, dcerpc.WrongBootTime,
		dcerpc.YouCrashed, dcerpc.ProtocolError, dcerpc.ServerTooBusy, dcerpc.UnsupportedType, dcerpc.UnknownPresContext,
	} {
		if word := s.String(); seen[word] || strings.HasPrefix(word, "status") {
			t.Errorf("status %#x is called %q", uint32(s), word)
		}
		seen[s.String()] = true
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&dcerpc.StatusError{Status: dcerpc.UnknownInterface, Rejected: true}, "call rejected: unknown interface"},
		{&dcerpc.StatusError{Status: 0x12345}, "call failed: status 0x00012345"},
	} {
		if got := fmt.Sprint(tt.err); got != tt.want {
			t.Errorf("error %q, want %q", got, tt.want)
		}
	}
}
