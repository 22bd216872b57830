package smb_test

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/nbdgm"
	"messngr/wire/nbss"
	"messngr/wire/smb"
	"messngr/wire/wiretest"
)

// zeros is what senders put between the command and the words.
var zeros = strings.Repeat("00", 27)

func TestPacket(t *testing.T) {
	tests := []struct {
		name    string
		value   smb.Packet
		encoded string
	}{
		{"only a command",
			smb.Packet{Header: smb.Header{Command: smb.SendEnd}},
			"ff534d42 d6" + zeros + "00 0000"},
		{"every field",
			smb.Packet{
				Header: smb.Header{
					Command: smb.SendText, Status: 0x04030201, Flags: smb.Reply, Flags2: smb.NTStatus | 1,
					Signature: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, Reserved: 0x0a09,
					TreeID: 0x0c0b, ProcessID: 0x100f0e0d, UserID: 0x1211, MultiplexID: 0x1413,
				},
				Words: []byte{0x15, 0x16}, Data: []byte("data"),
			},
			"ff534d42 d7 01020304 80 0140 0f10 0102030405060708 090a 0b0c 0d0e 1112 1314 01 1516 0400 64617461"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.value.Append([]byte("before"))
			if want := "before" + string(wiretest.Unhex(t, tt.encoded)); err != nil || string(b) != want {
				t.Errorf("Append = %x, %v, want %x", b, err, want)
			}
			got, err := smb.Parse(wiretest.Unhex(t, tt.encoded))
			if err != nil {
				t.Fatal(err)
			}
			if tt.value.Words == nil {
				tt.value.Words, tt.value.Data = []byte{}, []byte{}
			}
			if diff := cmp.Diff(tt.value, got); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPacketsThatHaveNoHeader(t *testing.T) {
	for _, encoded := range []string{"", "ff534d42", "ff534d42 d5" + zeros[2:], "fe534d42 d5" + zeros + "000000"} {
		if p, err := smb.Parse(wiretest.Unhex(t, encoded)); !errors.Is(err, smb.ErrNotSMB) {
			t.Errorf("Parse(%s) = %+v, %v, want ErrNotSMB", encoded, p, err)
		}
	}
}

func TestPacketsWithWrongCountsKeepTheirHeader(t *testing.T) {
	const header = "ff534d42 d5 00000000 00 0000 0000 0000000000000000 0000 0000 0000 0000 0700"
	tests := []struct{ name, encoded string }{
		{"no number of words", ""},
		{"words that are not there", "02 0000"},
		{"no number of bytes", "00"},
		{"half a number of bytes", "00 01"},
		{"bytes that are not there", "00 0500 01020304"},
		{"bytes behind the counted ones", "00 0100 0001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := smb.Parse(wiretest.Unhex(t, header+tt.encoded))
			if err == nil || errors.Is(err, smb.ErrNotSMB) {
				t.Fatalf("Parse = %+v, %v, want an error that can be answered", p, err)
			}
			if want := (smb.Header{Command: smb.SendStart, MultiplexID: 7}); p.Header != want {
				t.Errorf("header %+v, want %+v", p.Header, want)
			}
		})
	}
}

func TestPaddingBehindThePacketIsTaken(t *testing.T) {
	p, err := smb.Parse(wiretest.Unhex(t, "ff534d42 d6"+zeros+"00 0100 78 000000"))
	if err != nil || string(p.Data) != "x" {
		t.Errorf("Parse = %+v, %v, want data x", p, err)
	}
}

func TestPacketsThatCannotBe(t *testing.T) {
	for _, p := range []smb.Packet{
		{Words: []byte{1}},
		{Words: make([]byte, 512)},
		{Data: make([]byte, 65536)},
	} {
		if b, err := p.Append([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("Append of %d and %d bytes = %d bytes, %v, want an error", len(p.Words), len(p.Data), len(b), err)
		}
	}
	largest := smb.Packet{Words: make([]byte, 510), Data: make([]byte, 65535)}
	if b, err := largest.Append(nil); err != nil || len(b) != smb.MaxPacket {
		t.Errorf("largest packet has %d bytes, %v, want %d", len(b), err, smb.MaxPacket)
	}
}

func TestAnswerReturnsWhatTheClientSent(t *testing.T) {
	request := smb.Header{
		Command: smb.SendText, Flags: 0x18, Flags2: 0x0001, Signature: [8]byte{1}, Reserved: 2,
		TreeID: 3, ProcessID: 0x00040005, UserID: 6, MultiplexID: 7,
	}
	want := smb.Header{
		Command: smb.SendText, Flags: smb.Reply, Status: smb.NoRoom,
		TreeID: 3, ProcessID: 0x00040005, UserID: 6, MultiplexID: 7,
	}
	if diff := cmp.Diff(want, request.Answer(smb.NoRoom)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	request.Flags2 |= smb.NTStatus
	want.Flags2, want.Status = smb.NTStatus, 0xC000007F
	if diff := cmp.Diff(want, request.Answer(smb.NoRoom)); diff != "" {
		t.Errorf("answer in NT's notation (-want +got):\n%s", diff)
	}
}

// recording is what one file holds, in its order: the user data of datagrams and the
// messages of sessions.
func recording(t testing.TB, file string) [][]byte {
	t.Helper()
	var found [][]byte
	streams := make(map[[2]netip.AddrPort][]byte)
	for _, p := range wiretest.Packets(t, file) {
		if p.Protocol == 17 {
			d, err := nbdgm.Parse(p.Payload)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, d.(nbdgm.Datagram).Data)
			continue
		}
		key := [2]netip.AddrPort{p.From, p.To}
		stream := append(streams[key], p.Payload...)
		for len(stream) > 0 {
			h, err := nbss.ParseHeader(stream)
			if err != nil {
				t.Fatal(err)
			}
			packet := stream[nbss.HeaderLen:]
			if len(packet) < h.Length {
				break
			}
			if h.Type == nbss.Message {
				found = append(found, packet[:h.Length])
			}
			stream = packet[h.Length:]
		}
		streams[key] = stream
	}
	if len(found) == 0 {
		t.Fatalf("%s holds no SMB packets", file)
	}
	return found
}

func recordings(t testing.TB) [][]byte {
	t.Helper()
	var all [][]byte
	for _, file := range wiretest.Recordings(t) {
		all = append(all, recording(t, file)...)
	}
	return all
}

// again encodes what was read of p by the part of this package that knows its command.
// The second result is false for packets that this package does not write.
func again(p smb.Packet, b []byte) ([]byte, bool, error) {
	if p.Header.Flags&smb.Reply != 0 {
		return nil, false, nil
	}
	switch p.Header.Command {
	case smb.SendSingle, smb.SendBroadcast:
		m, err := p.Single()
		if err != nil {
			return nil, true, err
		}
		b, err := m.Append(nil, p.Header)
		return b, true, err
	case smb.SendStart:
		m, err := p.Start()
		if err != nil {
			return nil, true, err
		}
		b, err := m.Append(nil, p.Header)
		return b, true, err
	case smb.SendText:
		m, err := p.Text()
		if err != nil {
			return nil, true, err
		}
		b, err := m.Append(nil, p.Header)
		return b, true, err
	case smb.SendEnd:
		m, err := p.End()
		if err != nil {
			return nil, true, err
		}
		return m.Append(nil, p.Header), true, nil
	}
	return nil, false, nil
}

func TestRecorded(t *testing.T) {
	count := make(map[smb.Command]int)
	malformed := 0
	for _, b := range recordings(t) {
		p, err := smb.Parse(b)
		if err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		if got, err := p.Append(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("encodes to %x, %v, want %x", got, err, b)
		}
		got, ok, err := again(p, b)
		if !ok {
			continue
		}
		count[p.Header.Command]++
		switch {
		case err != nil:
			malformed++
		case !bytes.Equal(got, b):
			t.Errorf("encodes to %x, want %x", got, b)
		}
	}
	want := map[smb.Command]int{
		smb.SendSingle: 12, smb.SendBroadcast: 1, smb.SendStart: 3, smb.SendText: 16, smb.SendEnd: 4,
	}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("requests found (-want +got):\n%s", diff)
	}
	// It announces 500 bytes of text and brings 5.
	if malformed != 1 {
		t.Errorf("%d of the hand-made requests are malformed, want 1", malformed)
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range recordings(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := smb.Parse(b)
		if err != nil {
			return
		}
		got, err := p.Append(nil)
		if err != nil || !bytes.HasPrefix(b, got) || len(bytes.Trim(b[len(got):], "\x00")) > 0 {
			t.Fatalf("encodes to %x, %v, want %x", got, err, b)
		}
		// A body that parses encodes to the same, apart from padding.
		body, ok, err := again(p, b)
		if ok && err == nil {
			q, err := smb.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			third, _, err := again(q, body)
			if err != nil || !bytes.Equal(third, body) {
				t.Errorf("encodes to %x, then to %x, %v", body, third, err)
			}
			if !bytes.HasPrefix(p.Data, q.Data) || len(bytes.Trim(p.Data[len(q.Data):], "\x00")) > 0 {
				t.Errorf("body %x became %x", p.Data, q.Data)
			}
		}
		if dialects, err := p.Dialects(); err == nil && p.Header.Command == smb.Negotiate {
			if _, err := smb.Parse(p.Header.AppendNegotiated(nil, dialects)); err != nil {
				t.Errorf("answer to %q: %v", dialects, err)
			}
		}
	})
}
