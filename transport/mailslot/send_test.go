package mailslot_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/carrier"
	"messngr/transport"
	"messngr/transport/mailslot"
	"messngr/wire/netbios"
	"messngr/wire/smb"
)

func sender(t *testing.T, maxText int, networks ...carrier.NetBIOS) *mailslot.Transport {
	t.Helper()
	part, err := mailslot.New(transport.Env{Host: "ALPHA", NetBIOS: networks}, mailslot.Config{MaxText: maxText})
	if err != nil {
		t.Fatal(err)
	}
	return part
}

func message(from, text string) *messngr.Message {
	return &messngr.Message{From: messngr.From{Claimed: from}, Text: text}
}

var (
	lab  = messngr.Device{Name: "LAB", Group: true}
	addr = netip.MustParseAddr("10.77.0.2")
)

var errNetwork = errors.New("network is down")

func TestWhatIsSent(t *testing.T) {
	tests := []struct {
		name  string
		from  string
		to    messngr.Device
		text  string
		want  string
		lossy bool
	}{
		{"plain", "ALICE", lab, "hello", "ALICE\x00LAB\x00hello\x00", false},
		{"line breaks", "ALICE", lab, "a\nb\r\nc", "ALICE\x00LAB\x00a\x14b\x14c\x00", false},
		{"code page", "Müller", lab, "ä", "M\x81ller\x00LAB\x00\x84\x00", false},
		{"not in the code page", "ALICE", lab, "5 €", "ALICE\x00LAB\x005 EUR\x00", true},
		{"zero byte", "ALICE", lab, "a\x00b", "ALICE\x00LAB\x00a b\x00", false},
		{"nobody", "", lab, "", "ALPHA\x00LAB\x00\x00", false},
		{"long names", "a user with a long name", messngr.Device{Name: "PC1", Address: addr}, "", "a user with a l\x00PC1\x00\x00", false},
		{"address", "ALICE", messngr.Device{Address: addr}, "hi", "ALICE\x0010.77.0.2\x00hi\x00", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := &network{names: []carrier.NameEntry{{Name: nameOf(t, "PC1", netbios.Messenger)}}}
			ev, err := sender(t, 128, n).Send(t.Context(), tt.to, message(tt.from, tt.text))
			if told := strings.Contains(ev.Detail, "sent as"); told != strings.Contains(tt.name, "long") {
				t.Errorf("told %q of the sender %q", ev.Detail, tt.from)
			}
			if err != nil || ev.State != messngr.Sent || ev.Lossy != tt.lossy || ev.Address.Addr() != tt.to.Address {
				t.Errorf("evidence %+v, %v, want sent to %v", ev, err, tt.to.Address)
			}
			w, err := smb.ParseMailslotWrite(n.last)
			if err != nil {
				t.Fatal(err)
			}
			want := smb.MailslotWrite{Name: `\MAILSLOT\MESSNGR`, Priority: 1, Data: []byte(tt.want)}
			if diff := cmp.Diff(want, w); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhereItIsSent(t *testing.T) {
	tests := []struct {
		name string
		to   messngr.Device
		want string
	}{
		{"group", lab, "ALPHA<03> to LAB<00> at invalid IP"},
		{"name", messngr.Device{Name: "PC1"}, "ALPHA<03> to PC1<03> at 10.77.0.7"},
		{"name and address", messngr.Device{Name: "PC1", Address: addr}, "ALPHA<03> to PC1<03> at 10.77.0.2"},
		{"address", messngr.Device{Address: addr}, "ALPHA<03> to PC2<03> at 10.77.0.2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := &network{
				addrs: []netip.Addr{netip.MustParseAddr("10.77.0.7"), addr},
				names: []carrier.NameEntry{{Name: nameOf(t, "PC2", netbios.Messenger)}},
			}
			if _, err := sender(t, 128, n).Send(t.Context(), tt.to, message("", "")); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(n.sent, ", "); got != tt.want {
				t.Errorf("sent %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSeveralNetworks(t *testing.T) {
	first, broken, last := &network{addrs: []netip.Addr{addr}}, &network{fail: errNetwork}, &network{addrs: []netip.Addr{addr}}
	part := sender(t, 128, broken, first, last)
	if _, err := part.Send(t.Context(), lab, message("", "")); err != nil || len(first.sent) != 1 || len(last.sent) != 1 {
		t.Errorf("to a group: %v, sent %q and %q, want it on every network that works", err, first.sent, last.sent)
	}
	if _, err := part.Send(t.Context(), messngr.Device{Name: "PC1"}, message("", "")); err != nil || len(first.sent) != 2 || len(last.sent) != 1 {
		t.Errorf("to one machine: %v, sent %q and %q, want it on the first network that works", err, first.sent, last.sent)
	}
}

func TestNothingIsSent(t *testing.T) {
	pc := messngr.Device{Name: "PC1"}
	tests := []struct {
		name     string
		networks []carrier.NetBIOS
		to       messngr.Device
		want     error
	}{
		{"no network", nil, lab, messngr.ErrUnavailable},
		{"network down, group", []carrier.NetBIOS{&network{fail: errNetwork}}, lab, messngr.ErrUnavailable},
		{"network down, name", []carrier.NetBIOS{&network{fail: errNetwork}}, pc, messngr.ErrUnavailable},
		{"network down, address", []carrier.NetBIOS{&network{fail: errNetwork}}, messngr.Device{Address: addr}, messngr.ErrUnavailable},
		{"nobody", []carrier.NetBIOS{&network{fail: carrier.ErrNoName}}, pc, messngr.ErrUnknownName},
		{"no addresses", []carrier.NetBIOS{&network{}}, pc, messngr.ErrUnknownName},
		{"no name for messages", []carrier.NetBIOS{&network{}}, messngr.Device{Address: addr}, messngr.ErrUnknownName},
		{"impossible group", []carrier.NetBIOS{&network{}}, messngr.Device{Name: "A GROUP WITH A LONG NAME", Group: true}, messngr.ErrUnknownName},
		{"the reason of the network in use", []carrier.NetBIOS{&network{fail: carrier.ErrOff}, &network{fail: carrier.ErrNoName}}, pc, messngr.ErrUnknownName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev, err := sender(t, 128, tt.networks...).Send(t.Context(), tt.to, message("", ""))
			if !errors.Is(err, tt.want) || ev != (messngr.Evidence{}) {
				t.Errorf("evidence %+v, %v, want %v", ev, err, tt.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	tests := []struct {
		maxText int
		to      messngr.Device
		limit   int
	}{
		{128, lab, 128},
		{100, lab, 100},
		{424, lab, 424 - len("ALICE") - len("LAB") - 3},
		{424, messngr.Device{Name: "A NAME OF 15 BY", Address: addr}, 424 - len("ALICE") - 15 - 3},
	}
	for _, tt := range tests {
		n := &network{}
		part := sender(t, tt.maxText, n)
		if _, err := part.Send(t.Context(), tt.to, message("ALICE", strings.Repeat("ü", tt.limit))); err != nil {
			t.Errorf("%d bytes to %s: %v", tt.limit, tt.to, err)
		}
		if len(n.last) > 512 {
			t.Errorf("the SMB packet has %d bytes, Windows takes 512", len(n.last))
		}
		_, err := part.Send(t.Context(), tt.to, message("ALICE", strings.Repeat("ü", tt.limit+1)))
		var long *messngr.TooLongError
		if !errors.As(err, &long) || long.Limit != tt.limit || long.Length != tt.limit+1 {
			t.Errorf("%d bytes to %s: %v, want that %d are the limit", tt.limit+1, tt.to, err, tt.limit)
		}
		if len(n.sent) != 1 {
			t.Errorf("%d datagrams left, want 1", len(n.sent))
		}
	}
}
