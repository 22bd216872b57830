package pipe_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/transport/pipe"
	"messngr/wire/msgnames"
	"messngr/wire/msgsvc"
	"messngr/wire/npa"
	"messngr/wire/wkssvc"
)

// send hands a message over.
func (h *host) send(t *testing.T, who npa.Client, m msgsvc.Message) msgsvc.Status {
	t.Helper()
	stub, err := h.do(who, msgnames.Pipe, msgsvc.Interface(), msgsvc.SendMessage, m.Append(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	status, err := msgsvc.ParseStatus(stub, false)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestSendMessage(t *testing.T) {
	address := netip.MustParseAddr("10.0.0.7")
	for name, tt := range map[string]struct {
		who  npa.Client
		m    msgsvc.Message
		want messngr.Inbound
	}{
		"from a user": {alice, msgsvc.Message{From: []byte("ALICEPC"), To: []byte("backup"), Text: []byte("Gr\x81\xe1e\r\nzwei")}, messngr.Inbound{
			Message: messngr.Message{
				From: messngr.From{Claimed: "ALICEPC", Proven: "alice", Trust: messngr.Vouched, Address: address},
				To:   "backup", Text: "Grüße\nzwei",
			},
			To: []string{"BACKUP"},
		}},
		"from a guest": {guest, msgsvc.Message{From: []byte("BOSS"), To: []byte("BETA"), Text: []byte("x\x1b[2J")}, messngr.Inbound{
			Message: messngr.Message{From: messngr.From{Claimed: "BOSS", Address: address}, To: "BETA", Text: "x^[[2J"},
			To:      []string{"BETA"},
		}},
		"from nobody, to an address": {anonymous, msgsvc.Message{From: []byte("X"), To: []byte("10.0.0.2")}, messngr.Inbound{
			Message: messngr.Message{From: messngr.From{Claimed: "X", Address: address}, To: "10.0.0.2"},
			To:      []string{"BETA"},
		}},
		"from somebody else's user, to a DNS name": {stranger, msgsvc.Message{To: []byte("beta.example")}, messngr.Inbound{
			Message: messngr.Message{From: messngr.From{Address: address}, To: "beta.example"},
			To:      []string{"BETA"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, taken)
			if status := h.send(t, tt.who, tt.m); status != msgsvc.Success {
				t.Fatalf("answered %v", status)
			}
			tt.want.Message.Via = "pipe"
			if diff := cmp.Diff([]messngr.Inbound{tt.want}, h.got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("inbound (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMessagesThatAreNotTaken(t *testing.T) {
	hello := msgsvc.Message{From: []byte("A"), To: []byte("BETA"), Text: []byte("hello")}
	for _, tt := range []struct {
		err  error
		want msgsvc.Status
	}{
		{messngr.ErrUnknownName, msgsvc.NameNotFound},
		{messngr.ErrRefused, msgsvc.AccessDenied},
		{messngr.ErrBusy, msgsvc.NotReceived},
		{messngr.ErrPaused, msgsvc.Paused},
		{messngr.ErrUnavailable, msgsvc.NetworkError},
		{messngr.ErrTooLong, msgsvc.InvalidParameter},
	} {
		h := newHost(t, func() error { return fmt.Errorf("store: %w", tt.err) })
		if got := h.send(t, alice, hello); got != tt.want {
			t.Errorf("%v: answered %v, want %v", tt.err, got, tt.want)
		}
	}
	h := newHost(t, taken)
	nobody := hello
	nobody.To = []byte("NOBODY")
	if got := h.send(t, alice, nobody); got != msgsvc.NameNotFound {
		t.Errorf("to nobody: %v", got)
	}
	for _, who := range []npa.Client{faraway, nowhere} {
		if got := h.send(t, who, hello); got != msgsvc.AccessDenied {
			t.Errorf("from %v: %v", who.Address, got)
		}
	}
	if len(h.got) != 0 {
		t.Errorf("%d messages were handed over", len(h.got))
	}
}

// pass has a message sent.
func (h *host) pass(t *testing.T, who npa.Client, m wkssvc.Message) msgsvc.Status {
	t.Helper()
	stub, err := h.do(who, wkssvc.Pipe, wkssvc.Interface(), wkssvc.MessageBufferSend, m.Append(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	status, err := msgsvc.ParseStatus(stub, false)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestRelay(t *testing.T) {
	h := newHost(t, taken)
	text := wkssvc.EncodeText("Grüße\r\nzwei\x07")
	for _, tt := range []struct {
		who  npa.Client
		m    wkssvc.Message
		want pipe.Relay
	}{
		{alice, wkssvc.Message{Server: "BETA", To: "BOB", From: "Alice", Text: text},
			pipe.Relay{Caller: h.Who(1000), From: "Alice", To: "BOB", Text: "Grüße\nzwei^G"}},
		{root, wkssvc.Message{To: "*", Text: text}, pipe.Relay{Caller: h.Who(0), To: "*", Text: "Grüße\nzwei^G"}},
		{windows, wkssvc.Message{To: "OFFICE*", From: "FS01", Text: text[:2]},
			pipe.Relay{Caller: messngr.Principal{UID: 1000, Login: "alice", Admin: true}, From: "FS01", To: "OFFICE*", Text: "G"}},
	} {
		h.relayed = nil
		if status := h.pass(t, tt.who, tt.m); status != msgsvc.Success {
			t.Errorf("%+v: %v", tt.m, status)
		}
		if diff := cmp.Diff([]pipe.Relay{tt.want}, h.relayed); diff != "" {
			t.Errorf("relayed (-want +got):\n%s", diff)
		}
	}
}

func TestRelaysThatFail(t *testing.T) {
	h := newHost(t, taken)
	m := wkssvc.Message{To: "BOB", Text: wkssvc.EncodeText("x")}
	for _, who := range []npa.Client{guest, anonymous, stranger, faraway, nowhere} {
		if got := h.pass(t, who, m); got != msgsvc.AccessDenied {
			t.Errorf("for %q at %v: %v", who.SIDs, who.Address, got)
		}
	}
	for _, to := range []string{"", " ", "/users", "/domain", "bob@host", "BOB,EVE"} {
		if got := h.pass(t, root, wkssvc.Message{To: to, Text: m.Text}); got != msgsvc.InvalidParameter {
			t.Errorf("to %q: %v", to, got)
		}
	}
	if got := h.pass(t, root, wkssvc.Message{To: "BOB", Text: wkssvc.EncodeText(strings.Repeat("€", 30000))}); got != msgsvc.InvalidParameter {
		t.Errorf("a long text: %v", got)
	}
	if len(h.relayed) > 0 {
		t.Errorf("relayed %+v", h.relayed)
	}
	for _, tt := range []struct {
		err  error
		want msgsvc.Status
	}{
		{messngr.ErrRefused, msgsvc.AccessDenied},
		{messngr.ErrUnknownName, msgsvc.NameNotFound},
		{messngr.ErrUncertain, msgsvc.NetworkError},
		{messngr.ErrUnavailable, msgsvc.NetworkError},
		{pipe.ErrInvalid, msgsvc.InvalidParameter},
	} {
		h.fail = fmt.Errorf("router: %w", tt.err)
		if got := h.pass(t, alice, m); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
}
